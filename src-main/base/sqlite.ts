/** What every SQLite file of Earwitness has in common: how long locks are waited for, and errors as a person should read them. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { UserFacingError } from './errors.ts';

/** How long others' locks are waited for, in ms. */
export const patienceMs = 5000;

/** Less room than this, and a write is likely to have failed for want of it. */
const leastRoomBytes = 4 * 2 ** 20;

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < leastRoomBytes;
  } catch {
    return false;
  }
}

/** What a database holds, for what its errors advise. */
export type DatabaseKind = 'case' | 'collection';

const restore: Record<DatabaseKind, string> = {
  case: 'Restore the case from an export or a copy; leave the damaged one as it is until then.',
  collection: 'Restore the collection from a copy; leave the damaged one as it is until then.',
};

/** An error of SQLite as a person should read it; anything else as it is. */
export function databaseFailure(path: string, error: unknown, kind: DatabaseKind = 'case'): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const failure = (code: string, what: string, advice: string): UserFacingError =>
    new UserFacingError(code, `${path} ${what}.`, { path, advice, cause: error });
  const { code } = error;
  // A drive without room may answer a write with an error of its own.
  if (code === 'SQLITE_FULL' || (code.startsWith('SQLITE_IOERR') && isFull(dirname(path)))) {
    return failure(
      'disk-full',
      'could not be written: the disk is full',
      'What was done before is kept. Make room and try again.',
    );
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return failure(`${kind}-busy`, 'is in use by another program', 'Close it there and try again.');
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return failure('damaged', 'is damaged or no database of Earwitness', restore[kind]);
  }
  if (code.startsWith('SQLITE_CANTOPEN')) {
    return failure(
      'missing',
      'cannot be opened',
      'Check that the drive is connected and that you may read the folder.',
    );
  }
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM') {
    return failure(
      'unwritable',
      'cannot be written: it or its folder is read-only',
      'Work on a copy, or ask its owner.',
    );
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return failure(
      'disk-error',
      'could not be read or written: the drive reported an error',
      `What was done before is kept. Check the drive and open the ${kind} again.`,
    );
  }
  return error;
}

/** Runs what uses a database; errors of SQLite come as `databaseFailure` says. */
export function telling<T>(path: string, use: () => T, kind: DatabaseKind = 'case'): T {
  try {
    return use();
  } catch (error) {
    throw databaseFailure(path, error, kind);
  }
}
