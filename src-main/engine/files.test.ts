import { mkdirSync, readFileSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { call } from '@orpc/server';
import { expect, it } from 'vitest';
import type { EngineContext } from './context.ts';
import { deliver, filesProcedures, readablePath, writablePath } from './files.ts';
import { testContext } from './testing.ts';

/** A context whose only root is `<home>/evidence`, beside which lies a secret. */
async function withRoot(): Promise<{ context: EngineContext; root: string }> {
  const context = await testContext();
  const root = join(realpathSync(context.home), 'evidence');
  mkdirSync(join(root, 'calls', 'deep'), { recursive: true });
  mkdirSync(join(context.home, 'uploads', 'a'), { recursive: true });
  writeFileSync(join(root, 'call 10.wav'), '0123456789');
  writeFileSync(join(root, 'call 9.wav'), '');
  writeFileSync(join(context.home, 'secret.txt'), 'secret');
  await context.settings.set({ roots: [root] });
  return { context, root };
}

const code = (wanted: string): unknown =>
  expect.objectContaining({ code: 'USER', data: expect.objectContaining({ code: wanted }) as unknown });

it('lists the roots and what lies below them, folders first, names in the order of their numbers', async () => {
  const { context, root } = await withRoot();
  const { roots, list } = filesProcedures(context);
  expect((await call(roots, undefined)).map(({ name, path }) => [name, path])).toEqual([
    ['evidence', root],
    ['Uploads', realpathSync(join(context.home, 'uploads'))],
  ]);
  const listing = await call(list, { path: root });
  expect(listing.entries.map(({ name, kind, sizeBytes }) => [name, kind, sizeBytes])).toEqual([
    ['calls', 'folder', null],
    ['call 9.wav', 'file', 0],
    ['call 10.wav', 'file', 10],
  ]);
  expect(listing).toMatchObject({ path: root, parent: null, truncated: false });
  expect(await call(list, { path: join(root, 'calls', 'deep') })).toMatchObject({
    parent: join(root, 'calls'),
    entries: [],
  });
  expect((await call(list, { path: root, foldersOnly: true })).entries).toHaveLength(1);
});

it('lets nobody out: not above a root, not beside it, not through links, not by odd paths', async () => {
  const { context, root } = await withRoot();
  const { list } = filesProcedures(context);
  mkdirSync(`${root}-beside`);
  symlinkSync(context.home, join(root, 'link out'));
  symlinkSync(join(context.home, 'secret.txt'), join(root, 'secret link.txt'));
  symlinkSync(join(root, 'calls'), join(root, 'link in'));
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
  const refused = [
    parse(root).root,
    context.home,
    join(root, '..'),
    `${root}/../secret.txt`,
    `${root}/calls/../../../etc`,
    `${root}-beside`,
    join(root, 'link out'),
    join(root, 'link out', 'evidence', '..', 'secret.txt'),
    '/etc/passwd',
    'etc',
  ];
  for (const path of refused) await expect(call(list, { path }), path).rejects.toEqual(code('not-allowed'));
  await expect(call(list, { path: `${root}\0/etc` })).rejects.toEqual(code('not-found'));
  await expect(call(list, { path: join(root, 'nowhere') })).rejects.toEqual(code('not-found'));
  await expect(call(list, { path: join(root, 'call 9.wav') })).rejects.toEqual(code('not-a-folder'));
  const { entries } = await call(list, { path: root });
  expect(entries.map(({ name }) => name)).toEqual(['calls', 'link in', 'call 9.wav', 'call 10.wav']);
});

it('lists names that were made to trouble it as they are', async () => {
  const { context, root } = await withRoot();
  const names = [
    'line\nbreak.wav',
    '\u202Egpj.wav',
    '<img src=x>.wav',
    'quote\'".wav',
    '-rf',
    '. .',
    'صوت.wav',
    '\u00e9',
    'e\u0301',
  ];
  for (const name of names) writeFileSync(join(root, 'calls', name), '');
  // Not text: no path leads there, so it is left out.
  writeFileSync(Buffer.concat([Buffer.from(`${join(root, 'calls')}/`), Buffer.from([0xff, 0xfe])]), '');
  const { entries } = await call(filesProcedures(context).list, { path: join(root, 'calls') });
  expect(
    entries
      .filter(({ kind }) => kind === 'file')
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...names].sort());
});

it('holds other paths of the browser workstation to the same folders, and Electron to none', async () => {
  const { context, root } = await withRoot();
  await expect(readablePath(context, '/etc/passwd')).rejects.toMatchObject({ code: 'not-allowed' });
  await expect(readablePath(context, '/etc/no such file')).rejects.toMatchObject({ code: 'not-allowed' });
  await expect(readablePath(context, join(root, 'no such file'))).rejects.toMatchObject({ code: 'not-found' });
  expect(await readablePath(context, join(root, 'call 9.wav'))).toBe(join(root, 'call 9.wav'));
  expect(await readablePath(context, join(context.home, 'secret.txt'))).toBe(join(context.home, 'secret.txt'));
  await expect(writablePath(context, '/etc/cron.d/x')).rejects.toMatchObject({ code: 'not-allowed' });
  symlinkSync('/etc', join(root, 'link out'));
  await expect(writablePath(context, join(root, 'link out', 'x'))).rejects.toMatchObject({ code: 'not-allowed' });
  symlinkSync('/etc/passwd', join(root, 'file link'));
  await expect(writablePath(context, join(root, 'file link'))).rejects.toMatchObject({ code: 'not-allowed' });
  expect(await readablePath({ ...context, host: 'electron' }, '/etc/passwd')).toBe('/etc/passwd');
});

it('delivers whole files: to a path, or once behind an address; what fails leaves nothing', async () => {
  const { context, root } = await withRoot();
  const file = { name: 'Ergebnis: 1/2.txt', type: 'text/plain' };
  const write = async (path: string): Promise<void> => writeFileSync(path, 'content');
  const out = join(root, 'result.txt');
  expect(await deliver(context, out, file, write)).toEqual({ path: out, resource: null, sizeBytes: 7 });
  expect(readFileSync(out, 'utf8')).toBe('content');
  const offered = await deliver(context, null, file, write);
  expect(offered).toMatchObject({ path: null, sizeBytes: 7 });
  const token = offered.resource?.split('/').at(-1) ?? '';
  const taken = context.outputs.take(token);
  expect(taken).toMatchObject(file);
  expect(readFileSync(taken?.path ?? '', 'utf8')).toBe('content');
  expect(context.outputs.take(token)).toBeNull();
  if (taken) await context.outputs.done(taken);
  const failing = deliver(context, join(root, 'calls', 'x.txt'), file, async (path) => {
    writeFileSync(path, 'half');
    throw new Error('no more');
  });
  await expect(failing).rejects.toThrow('no more');
  expect(readdirSync(join(root, 'calls'))).toEqual(['deep']);
  await expect(deliver(context, '/etc/x', file, write)).rejects.toMatchObject({ code: 'not-allowed' });
});

it('delivers over a file that stands there only where a dialog has asked', async () => {
  const { context, root } = await withRoot();
  const file = { name: 'a.txt', type: 'text/plain' };
  const out = join(root, 'standing.txt');
  writeFileSync(out, 'before');
  const write = async (path: string): Promise<void> => writeFileSync(path, 'content');
  await expect(deliver(context, out, file, write)).rejects.toMatchObject({ code: 'exists' });
  // One that came while the output was made, too.
  const late = join(root, 'late.txt');
  const slow = async (path: string): Promise<void> => {
    writeFileSync(path, 'content');
    writeFileSync(late, 'before');
  };
  await expect(deliver(context, late, file, slow)).rejects.toMatchObject({ code: 'exists' });
  expect([out, late].map((path) => readFileSync(path, 'utf8'))).toEqual(['before', 'before']);
  const electron = { ...context, host: 'electron' as const };
  await deliver(electron, out, file, write);
  expect(readFileSync(out, 'utf8')).toBe('content');
  symlinkSync(out, join(root, 'pointing.txt'));
  await expect(deliver(electron, join(root, 'pointing.txt'), file, write)).rejects.toMatchObject({ code: 'exists' });
  expect(readdirSync(root).filter((name) => name.endsWith('.partial'))).toEqual([]);
});
