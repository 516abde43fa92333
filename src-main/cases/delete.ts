import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { unwritable } from '../base/files.ts';
import { copiesFolder } from './copies.ts';
import { databaseName } from './database.ts';
import { lockName } from './lock.ts';
import type { CaseStore } from './store.ts';
import type { Session } from './session.ts';

/** What Earwitness puts into the folder of a case; nothing else in it is deleted. */
const ownEntries = new RegExp(
  `^(${databaseName.replace('.', '\\.')}(-wal|-shm|-journal|\\.format-\\d+\\.backup(\\.partial)?)?|${lockName.replace('.', '\\.')}(-journal)?|${copiesFolder}|derived|\\.rebuilt-[0-9a-f]+)$`,
);

/**
 * Deletes a case: its database, the copies of evidence and what was derived from it. Evidence in place stays, and so does whatever
 * else lies in the folder. A trace stays in the data folder: number, head of the log, who, when and why.
 * @param store closed afterwards
 * @param confirmNumber must be the number of the case
 * @throws UserFacingError `usage` where the number is another, `unwritable`.
 */
export async function deleteCase(
  store: CaseStore,
  session: Session,
  { confirmNumber, reason }: { confirmNumber: string; reason: string },
): Promise<void> {
  const { number, title, items } = store.summary();
  if (confirmNumber.trim() !== number) {
    throw new UserFacingError(
      'usage',
      `This case has the number ${number}, not ${confirmNumber}: nothing was deleted.`,
      {
        path: store.folder,
      },
    );
  }
  const { id: caseId, folder } = store;
  // A case whose log is broken is deleted with the head that it has.
  const head = store.broken ? store.head : store.log.note('deleted', 'Deleted the case.', { reason });
  const time = new Date().toISOString();
  await session.library.trace({ caseId, number, title, folder, head, items, time, actor: session.actor(), reason });
  store.close();
  session.library.remove(caseId);
  session.library.rememberDeletion(caseId);
  session.library.keepWork(caseId, []);
  try {
    // The database first: what is left after an interruption is no case any more.
    const entries = (await readdir(folder)).filter((name) => ownEntries.test(name));
    entries.sort((a, b) => Number(b.startsWith(databaseName)) - Number(a.startsWith(databaseName)));
    for (const name of entries) await rm(join(folder, name), { recursive: true, force: true });
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw unwritable(folder, error);
  }
}
