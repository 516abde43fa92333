/** Looks at paths that may lead nowhere. (`throwIfNoEntry` knows of one way to do so only.) */
import { lstatSync, statSync } from 'node:fs';
import type { BigIntStats, Stats } from 'node:fs';

/** Nothing is there, a part of the path is a file, the name is too long for any file, or links lead in a circle. */
const nowhere = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/** What stands at a path, of a link the link itself; undefined where nothing can. @throws what else the system says */
export function standing(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (nowhere.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The file that a path leads to; undefined where it cannot be looked at, whatever the reason. */
export function reached(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
