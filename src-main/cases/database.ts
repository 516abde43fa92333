/** A case's SQLite file: opening, making, checking what another program may have left there. */
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';
import { patienceMs, telling } from '../base/sqlite.ts';
import { temporaryPrefix } from '../base/temporary.ts';
import { copiesFolder } from './copies.ts';
import { freshDatabase, requireTables, schemaDifferences } from './database-schema.ts';
import { databaseEnds, mustBeOrdinary } from './folders.ts';
import { migrations as allMigrations } from './migrations/index.ts';

/** The name of a case's database in its folder. */
export const databaseName = 'case.sqlite';
/** Where what is derived from evidence lies in a case: it can be made again. */
export const derivedFolder = 'derived';
const caseFolders = [copiesFolder, derivedFolder];
/** "EarW": says in the file's header whose database it is. */
const applicationId = 0x45_61_72_57;

/** The database in a case's folder. */
export function databasePath(folder: string): string {
  return join(folder, databaseName);
}

function version(db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

function checkVersion(path: string, db: Database.Database, newest: number): number {
  const found = version(db);
  const id = db.pragma('application_id', { simple: true }) as number;
  const objects = db.prepare('SELECT count(*) FROM sqlite_master').pluck().get() as number;
  if (objects > 0 && id !== applicationId) {
    throw new UserFacingError('damaged', `${path} is no case of Earwitness.`, {
      path,
      advice: "Choose the folder of a case; its database bears Earwitness's mark.",
    });
  }
  if (found > newest) {
    throw new UserFacingError(
      'newer-version',
      `${path} was written by a newer version of Earwitness (format ${found}; this one knows up to ${newest}).`,
      { path, advice: 'Open it with that version or a later one. It has not been touched.' },
    );
  }
  return found;
}

/**
 * Brings a database up to the newest format, one migration in a transaction each; before each a backup is made beside it
 * (`case.sqlite.format-N.backup`). A new file has nothing to be backed up, and gets them all in one.
 * @throws UserFacingError `newer-version`, `damaged`.
 */
export function migrate(path: string, db: Database.Database, migrations: readonly string[] = allMigrations): void {
  const found = checkVersion(path, db, migrations.length);
  const bringTo = db.transaction((at: number) => {
    db.exec(migrations[at - 1]);
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${at}`);
  });
  const bringUp = (): void => {
    for (let at = found + 1; at <= migrations.length; at++) {
      if (found > 0) backUp(db, `${path}.format-${at - 1}.backup`);
      bringTo.immediate(at);
    }
  };
  if (found > 0) bringUp();
  else db.transaction(bringUp).immediate();
}

function backUp(db: Database.Database, target: string): void {
  if (existsSync(target)) return;
  const beside = `${target}.partial`;
  rmSync(beside, { force: true });
  db.prepare('VACUUM INTO ?').run(beside);
  renameSync(beside, target);
}

function configure(db: Database.Database): void {
  db.pragma('foreign_keys = ON');
  // What a hostile database defines must not run with more rights than its tables.
  db.pragma('trusted_schema = OFF');
  db.pragma('cell_size_check = ON');
  // 64 MiB.
  db.pragma('cache_size = -65536');
}

/**
 * Opens a case's database for writing and brings it up to date.
 * @param create make it where there is none
 * @throws UserFacingError `missing`, `newer-version`, `damaged`, `unwritable`, `disk-full`.
 */
export function openDatabase(path: string, { create = false } = {}): Database.Database {
  return telling(path, () => {
    const db = new Database(path, { fileMustExist: !create, timeout: patienceMs });
    try {
      checkVersion(path, db, allMigrations.length);
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      configure(db);
      migrate(path, db);
      requireTables(path, db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** A database that is open for reading. */
export interface ReadableDatabase {
  db: Database.Database;
  close: () => void;
}

/**
 * Opens a case's database for reading only, beside a writer too; on a drive that cannot be written to, by way of a copy.
 * @throws UserFacingError `missing`, `newer-version`, `damaged`; `older-version` where it has yet to be brought up to date.
 */
export function openDatabaseForReading(path: string, options: { untouched?: boolean } = {}): ReadableDatabase {
  return telling(path, () => readingBeside(path, (at) => openForReading(at, path), options));
}

/**
 * Opens a database by `open`, which only reads: where it is, or a copy of it where nothing can be written beside it, as SQLite needs
 * for one in WAL mode.
 * @param options.untouched a copy, too, where SQLite would leave files beside it that are not there now
 */
export function readingBeside(
  path: string,
  open: (path: string) => Database.Database,
  { untouched = false }: { untouched?: boolean } = {},
): ReadableDatabase {
  if (untouched && !existsSync(`${path}-shm`)) return openCopy(path, open);
  try {
    const db = open(path);
    return { db, close: () => void db.close() };
  } catch (error) {
    const code = error instanceof Database.SqliteError ? error.code : '';
    if (!/^SQLITE_(CANTOPEN|READONLY)/.test(code)) throw error;
    return openCopy(path, open);
  }
}

function openCopy(path: string, open: (path: string) => Database.Database): ReadableDatabase {
  const folder = mkdtempSync(temporaryPrefix('read'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, databaseName);
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
    const db = open(copy);
    return {
      db,
      close: () => {
        db.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw unreadable(path, error);
  }
}

/** @throws UserFacingError `missing` where a folder holds no case; `damaged` where what is opened of it leads elsewhere or is no file. */
export function requireCase(folder: string, path: string): void {
  for (const end of databaseEnds) mustBeOrdinary(path + end, 'file');
  for (const name of caseFolders) mustBeOrdinary(join(folder, name), 'folder');
  if (existsSync(path)) return;
  throw new UserFacingError('missing', `There is no case in ${folder}.`, {
    path: folder,
    advice: 'Check that the drive is connected; a case is a folder that holds case.sqlite.',
  });
}

/** The id of the case in an open database. @throws UserFacingError `damaged` where it holds none. */
export function caseIdIn(path: string, db: Database.Database): string {
  const id = db.prepare<[], string>('SELECT case_id FROM case_details').pluck().get();
  if (id !== undefined) return id;
  throw new UserFacingError('damaged', `${path} holds no case.`, {
    path,
    advice:
      'Its creation was interrupted, or it was damaged. Restore it from an export or a copy, or delete the folder.',
  });
}

/** @param shown the path that errors name */
function openForReading(path: string, shown: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: patienceMs });
  try {
    configure(db);
    const found = checkVersion(shown, db, allMigrations.length);
    if (found === 0) {
      throw new UserFacingError('damaged', `${shown} holds no case.`, {
        path: shown,
        advice: 'Restore the case from an export or a copy.',
      });
    }
    if (found < allMigrations.length) {
      throw new UserFacingError('older-version', `${shown} is of an older version and has to be brought up to date.`, {
        path: shown,
        advice: 'Open the case once; a backup is made first.',
      });
    }
    requireTables(shown, db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Opens a database that others wrote, for reading. Before anything else of it is read, every object that it defines is compared with what
 * Earwitness makes.
 * @throws UserFacingError `damaged`, `newer-version`
 */
export function openUntrusted(path: string): { db: Database.Database; format: number } {
  return telling(path, () => {
    const db = new Database(path, { readonly: true, fileMustExist: true, timeout: patienceMs });
    try {
      configure(db);
      const format = checkVersion(path, db, allMigrations.length);
      const [difference] = format === 0 ? ['it holds no case'] : schemaDifferences(db, format);
      if (difference !== undefined) throw alteredDatabase(path, difference);
      return { db, format };
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Makes an empty database of a format, marked as ours. */
export function createDatabase(path: string, format: number): Database.Database {
  const db = freshDatabase(path, format);
  db.pragma('foreign_keys = OFF');
  db.pragma(`application_id = ${applicationId}`);
  db.pragma(`user_version = ${format}`);
  return db;
}

/** A database that holds more, less or other than Earwitness writes. */
export function alteredDatabase(path: string, why: string): UserFacingError {
  return new UserFacingError('damaged', `${path} is damaged or was altered: ${why}.`, {
    path,
    advice: 'Nothing of it was taken over. Get the case again from where it came from.',
  });
}

/** Takes a database out of WAL mode once nobody reads it: SQLite itself waits for no reader there. @throws SqliteError after {@link patienceMs} */
export function leaveWal(db: Database.Database): void {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      db.pragma('journal_mode = DELETE');
      return;
    } catch (error) {
      const isBusy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
      if (!isBusy || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}
