/** Who may read what lies in the folder of a case: its owner alone or, where the owner has marked it as shared, whom the folder says. */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type Database from 'better-sqlite3';
import { UserFacingError } from '../base/errors.ts';
import { copiesFolder } from './copies.ts';
import { databaseName, derivedFolder } from './database.ts';
import { lockName } from './lock.ts';

/** Rows of the log that mark a case's folder as shared, and as its owner's alone again. */
export const sharedAction = 'shared';
export const unsharedAction = 'unshared';

/** Whether a case's folder is marked as shared. */
export function isShared(db: Database.Database): boolean {
  const sql = 'SELECT action FROM custody_log WHERE action IN (?, ?) ORDER BY position DESC LIMIT 1';
  return db.prepare<[string, string], string>(sql).pluck().get(sharedAction, unsharedAction) === sharedAction;
}

/** Whose rights can be told and set: not those of Windows, where what is new takes the folder's by itself. */
const hasRights = process.platform !== 'win32';

const ownNames = new RegExp(
  `^(?:${databaseName.replace('.', '\\.')}(?:-wal|-shm|-journal|\\.format-\\d+\\.backup)?|${lockName.replace('.', '\\.')})$`,
);

/**
 * What a folder that is to be shared grants to others.
 * @throws UserFacingError `not-supported`; `not-allowed` to others than its owner; `usage` where it grants nobody anything
 */
export function sharedRights(folder: string): { group: number; mode: string } {
  if (!hasRights) {
    throw new UserFacingError('not-supported', 'On Windows, files take the rights of their folder by themselves.', {
      path: folder,
    });
  }
  const status = statSync(folder);
  const user = process.geteuid?.() ?? 0;
  if (status.uid !== user && user !== 0) {
    throw new UserFacingError('not-allowed', `${folder} belongs to another user, who alone may mark it as shared.`, {
      path: folder,
    });
  }
  if ((status.mode & 0o077) === 0) {
    throw new UserFacingError('usage', `${folder} is its owner's alone: nobody else may enter it.`, {
      path: folder,
      advice: `Give it a group and rights first, as in: chgrp GROUP ${folder}; chmod 2770 ${folder}`,
    });
  }
  return { group: status.gid, mode: (status.mode & 0o7777).toString(8) };
}

/**
 * Gives a file or folder of a case its rights: for its owner alone or, where the case is shared, those of the case's folder and its group,
 * never more. What is read-only stays so; what is not ours is left alone.
 */
function setRights(path: string, folder: string, shared: boolean): void {
  pinned(path, (at, status) => setRightsAt(at, status, folder, shared));
}

/** Linux: names a file or a link itself, without opening it, so that no lock of SQLite's on it is lost when it is let go of. */
const pathOnly = 0o10000000 | constants.O_NOFOLLOW;

/** Whoever may write to a shared folder could put a link in a file's place between a look and a change: what is changed is what was looked at. */
function pinned(path: string, use: (at: string, status: Stats) => void): void {
  if (process.platform !== 'linux' || !existsSync('/proc/self/fd')) {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status) use(path, status);
    return;
  }
  let descriptor: number;
  try {
    descriptor = openSync(path, pathOnly);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    use(`/proc/self/fd/${descriptor}`, fstatSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

function setRightsAt(path: string, status: Stats, folder: string, shared: boolean): void {
  const user = process.geteuid?.() ?? 0;
  if (!(status.isFile() || status.isDirectory()) || (status.uid !== user && user !== 0)) return;
  const { mode, gid } = statSync(folder);
  let others = shared ? mode & 0o077 : 0;
  if (shared && status.gid !== gid) {
    try {
      chownSync(path, -1, gid);
    } catch {
      // Whoever is not of that group cannot give it anything, and another group gets nothing.
      others &= 0o007;
    }
  }
  const inherits = status.isDirectory() && shared ? mode & 0o2000 : 0;
  const own = status.isDirectory() ? 0o700 : 0o600;
  const kinds = status.isDirectory() ? 0o777 : 0o666;
  const readOnly = status.isFile() && (status.mode & 0o200) === 0 ? 0o555 : 0o777;
  const wanted = (((own | others) & kinds & readOnly) | inherits) & 0o7777;
  if ((status.mode & 0o7777) !== wanted) chmodSync(path, wanted);
}

/** Gives the database of a case, its lock and the folders in it their rights; the files in those folders only where all is asked for. */
export function giveRights(folder: string, shared: boolean, { all = false } = {}): void {
  if (!hasRights) return;
  for (const name of readdirSync(folder)) if (ownNames.test(name)) setRights(join(folder, name), folder, shared);
  for (const name of [copiesFolder, derivedFolder]) giveRightsIn(join(folder, name), folder, shared, all);
}

/** Gives a file or folder in a case its rights, with all that lies in it and the folders above it. */
export function giveRightsTo(path: string, folder: string, shared: boolean): void {
  if (!hasRights) return;
  for (let above = dirname(path); above.length > folder.length; above = dirname(above))
    setRights(above, folder, shared);
  giveRightsIn(path, folder, shared, true);
}

function giveRightsIn(path: string, folder: string, shared: boolean, all: boolean): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status) return;
  setRights(path, folder, shared);
  if (!all || !status.isDirectory()) return;
  for (const name of readdirSync(path)) giveRightsIn(join(path, name), folder, shared, true);
}
