/** The case that a quick look is: in a folder of its own, known to no list, gone when it is left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryPrefix } from '../base/temporary.ts';
import { Library } from '../cases/library.ts';
import { CaseStore } from '../cases/store.ts';
import type { Session } from '../cases/session.ts';
import { removeUploads } from './uploads.ts';

/** What is looked at, and what goes with it. */
export interface Look {
  folder: string;
  library: Library;
  paths: readonly string[];
  /** A case takes the files in: uploads are its own from then on. */
  taken: boolean;
}

/** Makes the case, with a list and a key of its own. @throws UserFacingError as `CaseStore.create` */
export function createLook(session: Session, paths: readonly string[]): { store: CaseStore; look: Look } {
  const folder = mkdtempSync(temporaryPrefix('look'));
  let library: Library | null = null;
  try {
    library = Library.open(join(folder, 'home'));
    const details = { number: 'Quick look', title: 'in no case' };
    const store = CaseStore.create(join(folder, 'case'), details, { ...session, library, passing: true });
    return { store, look: { folder, library, paths, taken: false } };
  } catch (error) {
    library?.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Leaves nothing of it; its case is closed by now. */
export function endLook({ folder, library, paths, taken }: Look, home: string): void {
  library.close();
  rmSync(folder, { recursive: true, force: true });
  if (!taken) void removeUploads(home, paths);
}
