import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';

/** A path that is typed into the settings must mean something where the engine runs. */
async function mustBe(kind: 'file' | 'folder', path: string, what: string): Promise<void> {
  const found = isAbsolute(path) ? await stat(path).catch(() => null) : null;
  if (kind === 'file' ? found?.isFile() : found?.isDirectory()) return;
  throw new UserFacingError('settings', `${what}: there is no ${kind} at ${path}.`, {
    path,
    advice: `Give the full path of a ${kind} on the machine where Earwitness runs.`,
  });
}

export function settingsProcedures({ settings, models }: EngineContext) {
  return {
    get: os.settings.get.handler(() => settings.get()),
    set: os.settings.set.handler(async ({ input }) => {
      if (input.ffmpeg) await mustBe('file', input.ffmpeg, 'ffmpeg');
      for (const root of input.roots ?? []) await mustBe('folder', root, 'Folders');
      if (input.defaultModel !== undefined) await models.folderOf(input.defaultModel);
      return settings.set(input);
    }),
  };
}
