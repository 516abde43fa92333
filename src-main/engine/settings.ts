import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Settings } from '../../src-common/schemas/settings.ts';
import { UserFacingError } from '../base/errors.ts';
import type { EngineContext } from './context.ts';
import { mustBeQueue } from './queue.ts';
import { effectiveRoots } from './roots.ts';
import { os } from './implementer.ts';

/** A path that is typed into the settings must mean something where the engine runs. */
export async function mustBe(kind: 'file' | 'folder', path: string, what: string): Promise<void> {
  const found = isAbsolute(path) ? await stat(path).catch(() => null) : null;
  if (kind === 'file' ? found?.isFile() : found?.isDirectory()) return;
  throw new UserFacingError('settings', `${what}: there is no ${kind} at ${path}.`, {
    path,
    advice: `Give the full path of a ${kind} on the machine where Earwitness runs.`,
  });
}

/**
 * What widens what the window reaches, a folder to look into, a program to run or a server to tell of evidence, waits for a yes where no page can give it.
 * @throws UserFacingError `not-confirmed`
 */
export async function confirmWider(context: EngineContext, patch: Partial<Settings>): Promise<void> {
  const { ffmpeg, queue, roots } = context.settings.get();
  const reached = effectiveRoots(roots);
  const asked = [
    ...(patch.roots === undefined ? [] : effectiveRoots(patch.roots))
      .filter((path) => !reached.includes(path))
      .map((path) => ({
        kind: 'root' as const,
        path,
        command: `earwitness settings roots add ${JSON.stringify(path)}`,
      })),
    ...(patch.ffmpeg && patch.ffmpeg !== ffmpeg
      ? [
          {
            kind: 'ffmpeg' as const,
            path: patch.ffmpeg,
            command: `earwitness settings ffmpeg ${JSON.stringify(patch.ffmpeg)}`,
          },
        ]
      : []),
    ...(patch.queue && patch.queue !== queue
      ? [
          {
            kind: 'queue' as const,
            path: patch.queue,
            command: `earwitness settings queue ${JSON.stringify(patch.queue)}`,
          },
        ]
      : []),
  ];
  for (const { kind, path, command } of asked) {
    if (await context.confirm({ kind, path })) continue;
    throw new UserFacingError('not-confirmed', `Nobody confirmed ${path}.`, {
      path,
      advice: `Say yes on the terminal where Earwitness runs, or run this there: ${command}`,
    });
  }
}

export function settingsProcedures(context: EngineContext) {
  const { settings, models } = context;
  return {
    get: os.settings.get.handler(() => settings.get()),
    set: os.settings.set.handler(async ({ input }) => {
      if (input.ffmpeg) await mustBe('file', input.ffmpeg, 'ffmpeg');
      for (const root of input.roots ?? []) await mustBe('folder', root, 'Folders');
      if (input.defaultModel !== undefined) await models.folderOf(input.defaultModel);
      if (input.queue) mustBeQueue(input.queue);
      await confirmWider(context, input);
      return settings.set(input);
    }),
  };
}
