import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { text } from 'node:stream/consumers';
import { call } from '@orpc/server';
import { expect, it } from 'vitest';
import yauzl from 'yauzl';
import { contract } from '../../src-preload/contract.ts';
import { logFolder } from './log.ts';
import { SettingsStore } from './settings-store.ts';
import { systemProcedures } from './system.ts';
import { testContext } from './testing.ts';

async function unpacked(path: string): Promise<Map<string, string>> {
  const zip = await promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)(path, { lazyEntries: true });
  const files = new Map<string, string>();
  await new Promise((resolve, reject) => {
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        void text(stream).then((content) => {
          files.set(entry.fileName, content);
          zip.readEntry();
        });
      });
    });
    zip.on('end', resolve);
    zip.readEntry();
  });
  return files;
}

it('says what the engine runs on', async () => {
  const context = await testContext();
  const { machine } = systemProcedures(context);
  expect(await call(machine, undefined)).toMatchObject({
    application: 'earwitness 0.0.0',
    host: 'browser',
    dataFolder: context.home,
    casesFolder: join(context.home, 'cases'),
    inference: { runtime: expect.stringMatching(/^ONNX Runtime \d/) as string },
  });
  await context.settings.set({ ffmpeg: '/nowhere/ffmpeg', scanJobs: 1 });
  expect(await call(machine, undefined)).toMatchObject({
    ffmpeg: null,
    ffmpegProblem: expect.stringContaining('/nowhere/ffmpeg') as string,
    inference: { threads: 1 },
  });
  expect(process.env['EARWITNESS_FFMPEG']).toBeUndefined();
  await context.settings.set({ ffmpeg: '' });
});

it('packs what helps to find a fault, without what evidence holds, paths and names', async () => {
  const context = await testContext();
  const private_ = 'Jane Q. Examiner';
  await context.settings.set({
    examiner: private_,
    laboratoryAddress: private_,
    casesFolder: `/home/${private_}`,
    theme: 'dark',
  });
  mkdirSync(logFolder(context.home), { recursive: true });
  writeFileSync(join(logFolder(context.home), 'engine.log'), 'It went wrong.\n');
  context.jobs.start({ kind: 'intake', title: `Adding ${private_}.wav`, unit: 'files' }, async (job) => {
    job.problem(`/evidence/${private_}.wav`, `${private_} cannot be read`);
  });
  await context.jobs.idle();
  const output = await call(systemProcedures(context).diagnostics, { out: join(context.home, 'bundle.zip') });
  expect(output).toMatchObject({ path: join(context.home, 'bundle.zip'), resource: null });
  const files = await unpacked(join(context.home, 'bundle.zip'));
  expect([...files.keys()].sort()).toEqual([
    'jobs.json',
    'logs/engine.log',
    'machine.json',
    'models.json',
    'settings.json',
  ]);
  expect(files.get('logs/engine.log')).toBe('It went wrong.\n');
  expect(JSON.parse(files.get('settings.json') ?? '')).toMatchObject({
    theme: 'dark',
    examiner: 'given',
    laboratory: 'not given',
  });
  expect(JSON.parse(files.get('jobs.json') ?? '')).toMatchObject([{ kind: 'intake', state: 'done', failed: 1 }]);
  for (const content of files.values()) expect(content).not.toContain(private_);
});

it('says first of all changes which engine it is, and what is wrong with the settings', async () => {
  const context = await testContext();
  writeFileSync(join(context.home, 'settings.json'), '{"version": 9}');
  const settings = await SettingsStore.open(context.home);
  const controller = new AbortController();
  const changes = await call(systemProcedures({ ...context, settings }).changes, undefined, {
    signal: controller.signal,
  });
  const published = [];
  for await (const change of changes) {
    published.push(change);
    if (published.length === 2) context.changes.publish({ type: 'models' });
    if (published.length === 3) controller.abort();
  }
  expect(published).toMatchObject([
    { type: 'engine', recovered: false },
    { type: 'notice', tone: 'warning', sentence: expect.stringContaining('newer version') as string },
    { type: 'models' },
  ]);
});

it('names the licence of everything that it brings along', async () => {
  const notices = await call(systemProcedures(await testContext()).notices, undefined);
  expect(contract.system.notices['~orpc'].outputSchema?.safeParse(notices).success).toBe(true);
  expect(notices.licence).toContain('General Public License');
  const licences = new Map(notices.bundled.map(({ name, licence }) => [name, licence]));
  expect(licences.get('ffmpeg-static')).toBe('GPL-3.0-or-later');
  expect(licences.get('svelte')).toBe('MIT');
  // What the library of menus stands on is built into the window, too.
  expect(licences.get('bits-ui')).toBe('MIT');
  expect(licences.get('@floating-ui/dom')).toBe('MIT');
  expect(licences.has('vitest')).toBe(false);
  expect([...licences].filter(([, licence]) => licence === 'not stated')).toEqual([]);
});

it('tests itself in a process of its own', async () => {
  const context = await testContext();
  const result = await call(systemProcedures(context).selfTest, undefined);
  expect(result.checks.map(({ name }) => name)).toContain('decoder wav');
  expect(result).toMatchObject({ passed: result.checks.every(({ passed }) => passed) });
});
