import { resolve } from 'node:path';
import type { Command } from 'commander';

/** Adds `earwitness settings`: what the browser workstation may set only with a yes, from the command line. */
export function register(program: Command): void {
  const settings = program
    .command('settings')
    .description('folders that the browser may look into, which ffmpeg is used, and over which queue it scores');
  const roots = settings.command('roots').description('folders that the browser workstation may look into');
  roots
    .command('list')
    .description('print them; none set means the home folder')
    .action(async () => {
      const { effectiveRoots } = await import('../engine/roots.ts');
      const store = await open();
      for (const root of effectiveRoots(store.get().roots)) process.stdout.write(`${root}\n`);
    });
  roots
    .command('add')
    .description('add a folder; a workstation that is running takes it up at once')
    .argument('<dir>')
    .action((folder: string) => changeRoots(folder, 'add'));
  roots
    .command('remove')
    .description('take a folder off the list')
    .argument('<dir>')
    .action((folder: string) => changeRoots(folder, 'remove'));
  settings
    .command('ffmpeg')
    .description('use this ffmpeg; without a path, the one that set-up found')
    .argument('[path]', 'the program', '')
    .action(async (program: string) => {
      const { mustBe } = await import('../engine/settings.ts');
      const path = program === '' ? '' : resolve(program);
      if (path !== '') await mustBe('file', path, 'ffmpeg');
      await (await open()).set({ ffmpeg: path });
    });
  settings
    .command('queue')
    .description(
      'have the window score over this queue (a PostgreSQL database; without password); without an address, none',
    )
    .argument('[url]', 'postgres://NAME@HOST/DATABASE?sslmode=verify-full', '')
    .action(async (url: string) => {
      const { mustBeQueue } = await import('../engine/queue.ts');
      if (url !== '') mustBeQueue(url);
      await (await open()).set({ queue: url });
    });
}

/** The settings of the data folder; what is wrong with them is reported. */
async function open() {
  const [{ SettingsStore }, { openHome }] = await Promise.all([
    import('../engine/settings-store.ts'),
    import('../engine/parts.ts'),
  ]);
  const store = await SettingsStore.open(await openHome());
  if (store.problem) process.stderr.write(`${store.problem.sentence}\n`);
  return store;
}

async function changeRoots(folder: string, change: 'add' | 'remove'): Promise<void> {
  const [{ effectiveRoots }, { mustBe }] = await Promise.all([
    import('../engine/roots.ts'),
    import('../engine/settings.ts'),
  ]);
  const path = resolve(folder);
  if (change === 'add') await mustBe('folder', path, 'Folders');
  const store = await open();
  const roots = effectiveRoots(store.get().roots);
  await store.set({ roots: change === 'add' ? [...new Set([...roots, path])] : roots.filter((root) => root !== path) });
}
