import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { call } from '@orpc/server';
import { expect, it, onTestFinished } from 'vitest';
import type { EngineContext } from './context.ts';
import { filesProcedures, readablePath } from './files.ts';
import type { Confirmation } from '../host/host-messages.ts';
import { effectiveRoots, mountPoints } from './roots.ts';
import { SettingsStore } from './settings-store.ts';
import { settingsProcedures } from './settings.ts';
import { testContext } from './testing.ts';

function outside(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'earwitness-outside-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'evidence'));
  return folder;
}

async function asking(answer: boolean): Promise<{ context: EngineContext; asked: Confirmation[] }> {
  const asked: Confirmation[] = [];
  const context = await testContext();
  const confirm = async (what: Confirmation): Promise<boolean> => (asked.push(what), answer);
  return { context: { ...context, confirm }, asked };
}

it('adds a folder to those that may be looked into once a person has confirmed it, and keeps the home folder', async () => {
  const { context, asked } = await asking(true);
  const folder = outside();
  const { addRoot, list } = filesProcedures(context);
  await expect(call(list, { path: folder })).rejects.toThrow();
  const roots = await call(addRoot, { path: folder });
  expect(asked).toEqual([{ kind: 'root', path: folder }]);
  expect(roots.filter(({ allowed }) => allowed).map(({ path }) => path)).toEqual([realpathSync(homedir()), folder]);
  expect((await call(list, { path: folder })).entries.map(({ name }) => name)).toEqual(['evidence']);
  // It is one already.
  await call(addRoot, { path: folder });
  expect(asked).toHaveLength(1);
});

it('changes nothing where nobody confirms, and says which command does the same', async () => {
  const { context, asked } = await asking(false);
  const folder = outside();
  const { set } = settingsProcedures(context);
  const refusal = expect.objectContaining({
    data: expect.objectContaining({
      code: 'not-confirmed',
      advice: expect.stringContaining(`earwitness settings roots add ${JSON.stringify(folder)}`) as string,
    }) as unknown,
  }) as Error;
  await expect(call(filesProcedures(context).addRoot, { path: folder })).rejects.toEqual(refusal);
  await expect(call(set, { roots: [folder], examiner: 'E. X.' })).rejects.toEqual(refusal);
  await expect(call(set, { ffmpeg: process.execPath })).rejects.toMatchObject({
    data: { code: 'not-confirmed', advice: expect.stringContaining('earwitness settings ffmpeg') as string },
  });
  expect(asked.map(({ kind }) => kind)).toEqual(['root', 'root', 'ffmpeg']);
  expect(context.settings.get()).toMatchObject({ roots: [], ffmpeg: '', examiner: '' });
});

it('asks about what widens only: the home folder by name is no more than before, without a list it is more', async () => {
  const { context, asked } = await asking(true);
  const { set } = settingsProcedures(context);
  await call(set, { roots: [homedir()] });
  expect(asked).toEqual([]);
  const folder = outside();
  await context.settings.set({ roots: [folder, join(folder, 'evidence')] });
  await call(set, { roots: [folder] });
  await call(set, { ffmpeg: '' });
  expect(asked).toEqual([]);
  await call(set, { roots: [] });
  expect(asked).toEqual([{ kind: 'root', path: homedir() }]);
});

it('lets the window into folders that were named at the start', async () => {
  const folder = outside();
  const context = { ...(await testContext()), roots: [join(folder, 'evidence')] };
  await expect(readablePath(context, join(folder, 'evidence'))).resolves.toBe(join(folder, 'evidence'));
  await expect(readablePath(context, folder)).rejects.toMatchObject({ code: 'not-allowed' });
});

it('takes over at once what another process sets, and overwrites none of it', async () => {
  const context = await testContext();
  const folder = outside();
  const other = await SettingsStore.open(context.home);
  await other.set({ roots: [folder] });
  await expect.poll(() => context.settings.get().roots).toEqual([folder]);
  // Even where no watcher tells.
  context.settings.close();
  await other.set({ laboratory: 'Another' });
  await context.settings.set({ examiner: 'E. X.' });
  expect(context.settings.get()).toMatchObject({ roots: [folder], laboratory: 'Another', examiner: 'E. X.' });
});

it('finds drives and shares among mounts', () => {
  const table = [
    'overlay / overlay rw 0 0',
    'proc /proc proc rw 0 0',
    'tmpfs /run tmpfs rw 0 0',
    '/dev/sda1 /boot/efi vfat rw 0 0',
    '/dev/loop1 /snap/core/1 squashfs ro 0 0',
    '/dev/sdb1 /run/media/ada/EVIDENCE\\0401 exfat ro 0 0',
    '/dev/sdb1 /run/media/ada/EVIDENCE\\0401 exfat ro 0 0',
    '//server/cases /mnt/cases cifs rw 0 0',
    'ada@host: /home/ada/remote fuse.sshfs rw 0 0',
    '/dev/sda2 /etc/hosts ext4 rw 0 0',
    '',
  ].join('\n');
  expect(mountPoints(table)).toEqual(['/home/ada/remote', '/mnt/cases', '/run/media/ada/EVIDENCE 1']);
  expect(effectiveRoots(['/a'])).toEqual(['/a']);
});
