import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { applicationRoot } from './workers.ts';

/** Whether the program runs from a package (`npm run package`), where there is no set-up to run again. */
export function isPackaged(): boolean {
  return existsSync(join(applicationRoot(), '..', 'BUILD.json'));
}

/** What to do where a part of the installation is missing or does not run. */
export function mendAdvice(): string {
  return isPackaged() ? 'Install Earwitness again.' : 'Run `npm run setup` in the folder of Earwitness.';
}
