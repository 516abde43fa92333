import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { UserFacingError } from '../base/errors.ts';
import { databaseFailure } from '../base/sqlite.ts';
import { mustBeOrdinary } from './folders.ts';

/** The name of the file in a case's folder that its writer holds locked. */
export const lockName = 'case.lock';

interface Holder {
  pid: number;
  host: string;
  program: string;
  since: string;
}

/**
 * The right to write to a case: a lock on `case.lock` that the operating system releases when the process ends, however it
 * ends. Who holds it stands in the file. (A database of its own, because SQLite brings locks that work on every platform.)
 */
export class CaseLock {
  readonly #db: Database.Database;

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /** @throws UserFacingError `case-busy` naming who holds it; `unwritable`. */
  static take(folder: string, program: string): CaseLock {
    return CaseLock.at(join(folder, lockName), program, (who) => busyCase(folder, who));
  }

  /**
   * The same for anything else that one process at a time may work on.
   * @param busy the error that names who holds it, as a phrase
   */
  static at(path: string, program: string, busy: (who: string) => UserFacingError): CaseLock {
    // What is opened is written to, and a journal that lies beside it is played back: neither may come from others.
    mustBeOrdinary(path, 'file');
    rmSync(`${path}-journal`, { force: true });
    try {
      return CaseLock.#lock(path, program, busy);
    } catch (error) {
      if (!(error instanceof UserFacingError) || error.code !== 'damaged') throw error;
      // Who holds a lock has read its file: this one, torn by a power cut, is held by nobody and says nothing that is missed.
      rmSync(path, { force: true });
      return CaseLock.#lock(path, program, busy);
    }
  }

  static #lock(path: string, program: string, busy: (who: string) => UserFacingError): CaseLock {
    let db: Database.Database | null = null;
    try {
      db = new Database(path, { timeout: 300 });
      db.pragma('journal_mode = MEMORY');
      db.exec('BEGIN IMMEDIATE');
      db.exec(
        'CREATE TABLE IF NOT EXISTS holder (id INTEGER PRIMARY KEY, pid INTEGER, host TEXT, program TEXT, since TEXT)',
      );
      db.prepare('INSERT OR REPLACE INTO holder VALUES (1, ?, ?, ?, ?)').run(
        process.pid,
        hostname(),
        program,
        new Date().toISOString(),
      );
      // Those who come later can read this, but take nothing.
      db.exec('COMMIT; BEGIN IMMEDIATE');
      return new CaseLock(db);
    } catch (error) {
      const isBusy = error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
      const failure = isBusy && db ? busy(holderOf(db)) : databaseFailure(path, error);
      db?.close();
      throw failure;
    }
  }

  release(): void {
    this.#db.exec('ROLLBACK');
    this.#db.close();
  }
}

function holderOf(db: Database.Database): string {
  try {
    const holder = db.prepare<[], Holder>('SELECT pid, host, program, since FROM holder').get();
    if (holder) {
      const here = holder.host === hostname() ? '' : ` on ${holder.host}`;
      return `${holder.program} (process ${holder.pid}${here}, since ${holder.since})`;
    }
  } catch {
    // It is being written at this moment.
  }
  return 'another program';
}

function busyCase(folder: string, who: string): UserFacingError {
  return new UserFacingError('case-busy', `The case in ${folder} is open elsewhere: ${who}.`, {
    path: folder,
    advice: 'Close it there first; two cannot write to one case.',
  });
}
