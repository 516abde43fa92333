/** A collection's SQLite file: its formats, making and opening it. */
import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { UserFacingError } from '../../base/errors.ts';
import { patienceMs, telling } from '../../base/sqlite.ts';

/** "EarC": says in the file's header that it is a collection. */
const applicationId = 0x45_61_72_43;

/** In order; the file's `user_version` is the number of those that were applied. */
const formats = [
  `
CREATE TABLE collection (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  note TEXT NOT NULL,
  created_at TEXT NOT NULL,
  created_by TEXT NOT NULL
) STRICT;
CREATE TABLE entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL UNIQUE,
  size_bytes INTEGER NOT NULL,
  seconds REAL NOT NULL,
  sample_rate_hz INTEGER NOT NULL,
  bandwidth_hz REAL,
  level_dbfs REAL,
  format TEXT NOT NULL,
  label TEXT NOT NULL CHECK (label IN ('bonafide', 'spoof')),
  split TEXT,
  generator TEXT,
  speaker TEXT,
  source TEXT,
  chain TEXT,
  codec TEXT,
  language TEXT,
  quality TEXT,
  year TEXT,
  kind TEXT,
  transmission TEXT,
  consent_kind TEXT,
  consent_date TEXT,
  consent_reference TEXT,
  consent_note TEXT,
  retain_until TEXT,
  note TEXT,
  added_at TEXT NOT NULL,
  added_by TEXT NOT NULL
) STRICT;
CREATE INDEX entries_by_speaker ON entries (speaker, split);
CREATE INDEX entries_by_source ON entries (source, split);
CREATE TABLE removals (
  entry_id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  label TEXT NOT NULL,
  removed_at TEXT NOT NULL,
  removed_by TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE TABLE versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL,
  note TEXT NOT NULL,
  made_at TEXT NOT NULL,
  made_by TEXT NOT NULL
) STRICT;
-- The row as it was frozen, and its hash; of what was removed since, the hash alone.
CREATE TABLE version_rows (
  version_id INTEGER NOT NULL REFERENCES versions (id),
  entry_id INTEGER NOT NULL,
  row TEXT,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (version_id, entry_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER versions_stay BEFORE UPDATE ON versions BEGIN SELECT RAISE(ABORT, 'a version is not changed'); END;
CREATE TRIGGER version_rows_stay BEFORE UPDATE ON version_rows
WHEN NEW.row IS NOT NULL OR NEW.sha256 <> OLD.sha256 OR NEW.entry_id <> OLD.entry_id OR NEW.version_id <> OLD.version_id
BEGIN SELECT RAISE(ABORT, 'a version is not changed'); END;
CREATE TABLE edits (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  by TEXT NOT NULL,
  what TEXT NOT NULL,
  undone_at TEXT
) STRICT;
-- What the edited fields were and became, as JSON; of what was removed since, none.
CREATE TABLE edited_rows (
  edit_id INTEGER NOT NULL REFERENCES edits (id),
  entry_id INTEGER NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  PRIMARY KEY (edit_id, entry_id)
) STRICT, WITHOUT ROWID;
`,
];

function checkFormat(path: string, db: Database.Database): number {
  const found = db.pragma('user_version', { simple: true }) as number;
  const id = db.pragma('application_id', { simple: true }) as number;
  if (id !== applicationId) {
    throw new UserFacingError('damaged', `${path} is no collection of Earwitness.`, {
      path,
      advice:
        'It is a database of something else, or its creation was interrupted. Name a file that “collection create” made.',
    });
  }
  if (found > formats.length) {
    throw new UserFacingError('newer-version', `${path} was written by a newer version of Earwitness.`, {
      path,
      advice: 'Open it with that version or a later one. It has not been touched.',
    });
  }
  return found;
}

function configure(db: Database.Database): void {
  db.pragma('foreign_keys = ON');
  // What a hostile database defines must not run with more rights than its tables.
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  // What is removed shall not be found in free pages.
  db.pragma('secure_delete = ON');
  // SQLite's own lower() knows no letters but A to Z.
  db.function('lower_case', { deterministic: true }, (text: unknown) =>
    typeof text === 'string' ? text.toLowerCase() : null,
  );
}

/** Makes an empty collection. @throws UserFacingError `exists`, `unwritable` */
export function createFile(path: string, about: { note: string; at: string; by: string }): Database.Database {
  if (existsSync(path)) {
    throw new UserFacingError('exists', `${path} exists.`, {
      path,
      advice: 'Choose another name, or go on with the collection that is there.',
    });
  }
  return telling(
    path,
    () => {
      const db = new Database(path, { timeout: patienceMs });
      try {
        db.pragma('journal_mode = WAL');
        configure(db);
        // In one step: a file that bears the mark is whole.
        db.transaction(() => {
          for (const sql of formats) db.exec(sql);
          db.prepare('INSERT INTO collection VALUES (1, ?, ?, ?)').run(about.note, about.at, about.by);
          db.pragma(`application_id = ${applicationId}`);
          db.pragma(`user_version = ${formats.length}`);
        }).immediate();
        return db;
      } catch (error) {
        db.close();
        for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
        throw error;
      }
    },
    'collection',
  );
}

/** @throws UserFacingError `missing`, `damaged`, `newer-version`, `unwritable` */
export function openFile(path: string): Database.Database {
  if (!existsSync(path)) {
    throw new UserFacingError('missing', `There is no collection at ${path}.`, {
      path,
      advice: '“collection list” names those that are there; “collection create” makes one.',
    });
  }
  return telling(
    path,
    () => {
      const db = new Database(path, { fileMustExist: true, timeout: patienceMs });
      try {
        const found = checkFormat(path, db);
        configure(db);
        if (found < formats.length) {
          db.transaction(() => {
            for (const sql of formats.slice(found)) db.exec(sql);
            db.pragma(`user_version = ${formats.length}`);
          }).immediate();
        }
        return db;
      } catch (error) {
        db.close();
        throw error;
      }
    },
    'collection',
  );
}
