import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes a folder and those above it, without waiting. (Node's own `recursive` never ends where `/proc` refuses one.) */
export function ensureFolderNow(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const above = dirname(path);
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing && above !== path && !statSync(above, { throwIfNoEntry: false })) {
      ensureFolderNow(above, mode);
      mkdirSync(path, { mode });
    } else if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw error;
    }
  }
}
