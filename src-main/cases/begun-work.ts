/**
 * Work that outlives the process (intakes, scans) is noted in the data folder before it begins in the case: what others put into a case
 * does not start by itself.
 */
import type { CaseCore } from './core.ts';

/** Notes work in the data folder, then begins it in a transaction: what was killed in between was not begun. */
export function beginWork<T>(core: CaseCore, work: string, begin: () => T): T {
  const library = core.session?.library;
  library?.begin(core.id, work);
  try {
    return core.write(begin, () => null);
  } catch (error) {
    library?.end(core.id, work);
    throw error;
  }
}

/** Whether a piece of work was begun here, as it stands in the case. */
export function hasBegun(core: CaseCore, work: string): boolean {
  return core.session?.library.hasBegun(core.id, work) ?? false;
}

export function endWork(core: CaseCore, work: string): void {
  core.session?.library.end(core.id, work);
}
