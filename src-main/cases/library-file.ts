/** The file in the data folder that holds the list of cases and what this installation knows of their logs: its formats, and reading it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { CustodyHead } from '../../src-common/schemas/custody.ts';
import { UserFacingError } from '../base/errors.ts';
import { databaseFailure } from '../base/sqlite.ts';
import { readingBeside } from './database.ts';

/** How a key that is not this installation's came to be known. */
export interface KnownKey {
  publicKey: string;
  knownSince: string;
  /** `made here`, `opened here`, `imported`. */
  how: string;
}

/** How this installation's own key came to be known. */
export const madeHere = 'made here';

export const libraryName = 'library.sqlite';

/** In order; the library's `user_version` is the number of those that were applied. */
export const formats = [
  `
CREATE TABLE cases (
  id TEXT PRIMARY KEY,
  folder TEXT NOT NULL UNIQUE,
  entry TEXT NOT NULL
) STRICT;
CREATE TABLE known_keys (
  case_id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  known_since TEXT NOT NULL,
  how TEXT NOT NULL,
  PRIMARY KEY (case_id, public_key)
) STRICT;
CREATE TABLE last_heads (
  case_id TEXT NOT NULL,
  folder TEXT NOT NULL,
  rows INTEGER NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (case_id, folder)
) STRICT;
`,
  `
-- The highest row of each log and its hash, wherever its folder lies; file: what tells the database as it was when it was last closed here.
CREATE TABLE heads (
  case_id TEXT PRIMARY KEY,
  rows INTEGER NOT NULL,
  hash TEXT NOT NULL,
  file TEXT,
  deleted_at TEXT
) STRICT;
INSERT INTO heads SELECT case_id, max(rows), hash, NULL, NULL FROM last_heads GROUP BY case_id;
DROP TABLE last_heads;
-- Scans and intakes that were begun here: only these go on by themselves.
CREATE TABLE begun_work (
  case_id TEXT NOT NULL,
  work TEXT NOT NULL,
  PRIMARY KEY (case_id, work)
) STRICT;
CREATE TABLE installation (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  public_key TEXT,
  latest_row_time TEXT
) STRICT;
INSERT INTO installation VALUES (1, NULL, NULL);
`,
];

/** What the data folder remembers of a log. */
export interface KnownHead extends CustodyHead {
  /** As `fileFingerprint` gives it of the database, when it was last closed here; null while it is open, or after a crash. */
  file: string | null;
  deletedAt: string | null;
}

export const knownHeadSql = 'SELECT rows, hash, file, deleted_at AS deletedAt FROM heads WHERE case_id = ?';
export const knownKeysSql =
  'SELECT public_key AS publicKey, known_since AS knownSince, how FROM known_keys WHERE case_id = ?';

/** What an installation knows of one case, to check the case against. */
export interface InstallationKnowledge {
  /** Its own public key, SPKI, base64; null where it has signed nothing yet. */
  publicKey: string | null;
  keys: KnownKey[];
  head: KnownHead | null;
}

/**
 * Reads what an installation knows of a case, and writes nothing: neither a list nor a key is made where there is none.
 * @throws UserFacingError `damaged`, `newer-version`.
 */
export function knowledgeOf(home: string, caseId: string): InstallationKnowledge {
  const path = join(home, libraryName);
  if (!existsSync(path)) return { publicKey: null, keys: [], head: null };
  return tellingOfLibrary(path, () => {
    const open = (at: string): Database.Database =>
      new Database(at, { readonly: true, fileMustExist: true, timeout: 5000 });
    const { db, close } = readingBeside(path, open, { untouched: true });
    try {
      const format = checkFormat(path, db);
      const keys = format < 1 ? [] : db.prepare<[string], KnownKey>(knownKeysSql).all(caseId);
      if (format < 2) return { publicKey: null, keys, head: null };
      const publicKey = db.prepare<[], string | null>('SELECT public_key FROM installation').pluck().get() ?? null;
      return { publicKey, keys, head: db.prepare<[string], KnownHead>(knownHeadSql).get(caseId) ?? null };
    } finally {
      close();
    }
  });
}

/** @throws UserFacingError `newer-version` */
export function checkFormat(path: string, db: Database.Database): number {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version <= formats.length) return version;
  throw new UserFacingError('newer-version', `${path} was written by a newer version of Earwitness.`, {
    path,
    advice: 'Use that version, or name another data folder in EARWITNESS_HOME.',
  });
}

/** As `telling`, with advice for the list of cases. */
export function tellingOfLibrary<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    const failure = databaseFailure(path, error);
    throw failure !== error && (failure as UserFacingError).code === 'damaged' ? damagedLibrary(path, error) : failure;
  }
}

export function damagedLibrary(path: string, cause: unknown): UserFacingError {
  return new UserFacingError('damaged', `The list of cases, ${path}, is damaged.`, {
    path,
    advice:
      'Restore it from a backup, or move it elsewhere: a new one is begun, and the folders of cases are opened into it. What it knew of their logs (highest rows, keys) is then lost, so verify them first.',
    cause,
  });
}
