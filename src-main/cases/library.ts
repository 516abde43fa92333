import { join, resolve } from 'node:path';
import { realpathSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { CaseSummary, CustodyHead } from '../../src-preload/contract.ts';
import { writeFileWhole, unwritable } from '../base/files.ts';
import { UserFacingError } from '../base/errors.ts';
import { telling } from './database.ts';
import { ensureFolderNow } from './folders.ts';
import { installationKey } from './keys.ts';
import type { InstallationKey } from './keys.ts';

/** What the list remembers of a case, so that it can be shown and searched while the case is closed. */
export type LibraryEntry = Omit<CaseSummary, 'problem'>;

/** How a key that is not this installation's came to be known. */
export interface KnownKey {
  publicKey: string;
  knownSince: string;
  /** `opened here`, `imported`. */
  how: string;
}

/** What stays of a case that was deleted. */
export interface DeletionTrace {
  caseId: string;
  number: string;
  title: string;
  folder: string;
  head: CustodyHead;
  items: number;
  time: string;
  actor: string;
  reason: string;
}

const format = 1;
const schema = `
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
`;

/** A folder by the one name that tells it from others. */
function folderKey(folder: string): string {
  try {
    return realpathSync(resolve(folder));
  } catch {
    return resolve(folder);
  }
}

/**
 * The list of cases in the data folder, which several processes share; with what only this installation knows: its key, keys
 * of other installations that it has met, and the head that each log had when it was last seen here.
 */
export class Library {
  readonly home: string;
  readonly #path: string;
  readonly #db: Database.Database;
  #key: InstallationKey | null = null;

  private constructor(home: string, path: string, db: Database.Database) {
    this.home = home;
    this.#path = path;
    this.#db = db;
  }

  /** @throws UserFacingError `unwritable`, `newer-version`, `damaged`. */
  static open(home: string): Library {
    const path = join(home, 'library.sqlite');
    try {
      ensureFolderNow(home, 0o700);
    } catch (error) {
      throw unwritable(home, error);
    }
    return telling(path, () => {
      const db = new Database(path, { timeout: 5000 });
      try {
        db.pragma('journal_mode = WAL');
        db.transaction(() => {
          const version = db.pragma('user_version', { simple: true }) as number;
          if (version > format) {
            throw new UserFacingError('newer-version', `${path} was written by a newer version of Earwitness.`, {
              path,
              advice: 'Use that version, or name another data folder in EARWITNESS_HOME.',
            });
          }
          if (version === 0) db.exec(schema);
          db.pragma(`user_version = ${format}`);
        }).immediate();
        return new Library(home, path, db);
      } catch (error) {
        db.close();
        throw error;
      }
    });
  }

  close(): void {
    this.#db.close();
  }

  /** @throws UserFacingError as `installationKey`. */
  get key(): InstallationKey {
    return (this.#key ??= installationKey(this.home));
  }

  /** The cases, the latest opened first. */
  list(): LibraryEntry[] {
    const entries = this.#read((db) => db.prepare<[], string>('SELECT entry FROM cases').pluck().all());
    const list = entries.map((entry) => JSON.parse(entry) as LibraryEntry);
    return list.sort((a, b) => ((a.openedAt ?? a.createdAt) < (b.openedAt ?? b.createdAt) ? 1 : -1));
  }

  find(caseId: string): LibraryEntry | null {
    const sql = 'SELECT entry FROM cases WHERE id = ?';
    const entry = this.#read((db) => db.prepare<[string], string>(sql).pluck().get(caseId));
    return entry === undefined ? null : (JSON.parse(entry) as LibraryEntry);
  }

  /** Puts a case on the list, or what is known of it now in its place. */
  put(entry: LibraryEntry): void {
    this.#read((db) =>
      db.transaction(() => {
        // A copy of a case elsewhere takes the place of the one before.
        db.prepare('DELETE FROM cases WHERE id = ? OR folder = ?').run(entry.id, folderKey(entry.folder));
        db.prepare('INSERT INTO cases VALUES (?, ?, ?)').run(entry.id, folderKey(entry.folder), JSON.stringify(entry));
      })(),
    );
  }

  /** Takes a case off the list. */
  remove(caseId: string): void {
    this.#read((db) => db.prepare('DELETE FROM cases WHERE id = ?').run(caseId));
  }

  /** Writes what stays of a deleted case to `deleted-cases` in the data folder. */
  async trace(trace: DeletionTrace): Promise<void> {
    const name = `${trace.time.replace(/[:.]/g, '-')}-${trace.caseId}.json`;
    await writeFileWhole(join(this.home, 'deleted-cases', name), `${JSON.stringify(trace, null, 1)}\n`);
  }

  /** Keys with which a case was signed that this installation has met, its own among them if it signed it. */
  knownKeys(caseId: string): KnownKey[] {
    const sql = 'SELECT public_key AS publicKey, known_since AS knownSince, how FROM known_keys WHERE case_id = ?';
    return this.#read((db) => db.prepare<[string], KnownKey>(sql).all(caseId));
  }

  learnKey(caseId: string, publicKey: string, how: string): void {
    const sql = 'INSERT OR IGNORE INTO known_keys VALUES (?, ?, ?, ?)';
    this.#read((db) => db.prepare(sql).run(caseId, publicKey, new Date().toISOString(), how));
  }

  /** The head that the log in this folder had when it was last closed here. */
  lastHead(caseId: string, folder: string): CustodyHead | null {
    const sql = 'SELECT rows, hash FROM last_heads WHERE case_id = ? AND folder = ?';
    return this.#read((db) => db.prepare<[string, string], CustodyHead>(sql).get(caseId, folderKey(folder))) ?? null;
  }

  rememberHead(caseId: string, folder: string, head: CustodyHead): void {
    const sql = 'INSERT OR REPLACE INTO last_heads VALUES (?, ?, ?, ?)';
    this.#read((db) => db.prepare(sql).run(caseId, folderKey(folder), head.rows, head.hash));
  }

  /** The log in this folder is gone on purpose. */
  forgetHead(caseId: string, folder: string): void {
    const sql = 'DELETE FROM last_heads WHERE case_id = ? AND folder = ?';
    this.#read((db) => db.prepare(sql).run(caseId, folderKey(folder)));
  }

  #read<T>(use: (db: Database.Database) => T): T {
    return telling(this.#path, () => use(this.#db));
  }
}
