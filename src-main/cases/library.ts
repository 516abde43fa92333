/** The cases of this installation, and what it knows of their logs' heads. */
import { join, resolve } from 'node:path';
import { realpathSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { CaseSummary } from '../../src-common/schemas/case.ts';
import type { CustodyHead } from '../../src-common/schemas/custody.ts';
import { writeFileWhole, unwritable } from '../base/files.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolderNow, keepPrivate } from './folders.ts';
import { changePassphrase, fingerprintOf, installationKey, installationPublicKey, keyName } from './keys.ts';
import type { InstallationKey } from './keys.ts';
import {
  checkFormat,
  damagedLibrary,
  formats,
  knownHeadSql,
  knownKeysSql,
  libraryName,
  madeHere,
  tellingOfLibrary,
} from './library-file.ts';
import type { KnownHead, KnownKey } from './library-file.ts';

/** What the list remembers of a case, so that it can be shown and searched while the case is closed. */
export type LibraryEntry = Omit<CaseSummary, 'problem'>;

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
    const path = join(home, libraryName);
    try {
      ensureFolderNow(home, 0o700);
    } catch (error) {
      throw unwritable(home, error);
    }
    return tellingOfLibrary(path, () => {
      const db = new Database(path, { timeout: 5000 });
      try {
        db.pragma('journal_mode = WAL');
        // What a power cut takes from it is behind the cases then, which is no alarm; every case is flushed by itself.
        db.pragma('synchronous = NORMAL');
        db.transaction(() => {
          for (let at = checkFormat(path, db); at < formats.length; at++) {
            db.exec(formats[at]);
            db.pragma(`user_version = ${at + 1}`);
          }
        }).immediate();
        // Restored from a backup, it may have become readable to others; SQLite gives what lies beside it the same rights.
        keepPrivate(path);
        const [fault] = db.prepare<[], string>('PRAGMA quick_check(1)').pluck().all();
        if (fault !== 'ok') throw damagedLibrary(path, fault);
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

  /**
   * The installation's key. It is made once; afterwards it is neither made nor exchanged in silence.
   * @throws UserFacingError as `installationKey`; `key` too where another one lies there than before.
   */
  get key(): InstallationKey {
    if (this.#key) return this.#key;
    void this.publicKey;
    return this.#keep(installationKey(this.home));
  }

  /** Of the key; for this no passphrase is needed. @throws UserFacingError `key`, as {@link key} */
  get publicKey(): string {
    if (this.#key) return this.#key.publicKey;
    const known = this.#knownPublicKey();
    const publicKey = installationPublicKey(this.home, { make: known === null });
    if (known !== null && known !== publicKey) {
      const path = join(this.home, keyName);
      throw new UserFacingError(
        'key',
        `${path} is another key (${fingerprintOf(publicKey)}) than this installation had (${fingerprintOf(known)}).`,
        {
          path,
          advice:
            'Restore the old one from a backup, or go on with this one by `earwitness case key --replace`; cases signed with the old one say so.',
        },
      );
    }
    return publicKey;
  }

  /** Gives the key a passphrase, another one or none. @throws UserFacingError as `changePassphrase` and {@link key} */
  changePassphrase(current: string | null, next: string | null): void {
    void this.publicKey;
    changePassphrase(this.home, current, next);
  }

  /** Goes on with the key that lies in the data folder, or with a new one where there is none, because a person said so. */
  replaceKey(): InstallationKey {
    installationPublicKey(this.home, { make: true });
    return this.#keep(installationKey(this.home));
  }

  #keep(key: InstallationKey): InstallationKey {
    this.#read((db) => db.prepare('UPDATE installation SET public_key = ?').run(key.publicKey));
    return (this.#key = key);
  }

  /** The public key that this installation signed with so far; null where it has signed nothing. */
  #knownPublicKey(): string | null {
    return this.#read((db) => {
      const known = db.prepare<[], string | null>('SELECT public_key FROM installation').pluck().get();
      const sql = 'SELECT public_key FROM known_keys WHERE how = ? ORDER BY known_since DESC LIMIT 1';
      return known ?? db.prepare<[string], string>(sql).pluck().get(madeHere) ?? null;
    });
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
    return this.#read((db) => db.prepare<[string], KnownKey>(knownKeysSql).all(caseId));
  }

  learnKey(caseId: string, publicKey: string, how: string): void {
    const sql = 'INSERT OR IGNORE INTO known_keys VALUES (?, ?, ?, ?)';
    this.#read((db) => db.prepare(sql).run(caseId, publicKey, new Date().toISOString(), how));
  }

  /** The highest row that the log of a case was seen to have here, wherever its folder lies. */
  head(caseId: string): KnownHead | null {
    return this.#read((db) => db.prepare<[string], KnownHead>(knownHeadSql).get(caseId)) ?? null;
  }

  /**
   * Runs a transaction of a case's database inside one of the list: what `keep` is reported of the log is kept if, and only if, the case's
   * own transaction is.
   */
  keeping<T>(caseId: string, change: (keep: (head: CustodyHead, time: string) => void) => T): T {
    return this.#read((db) =>
      db
        .transaction(() =>
          change((head, time) => {
            db.prepare('INSERT OR REPLACE INTO heads VALUES (?, ?, ?, NULL, NULL)').run(caseId, head.rows, head.hash);
            db.prepare('UPDATE installation SET latest_row_time = ?').run(time);
          }),
        )
        .immediate(),
    );
  }

  /** The database is closed; `file` tells it as it is now. Null: it is open, and will change. */
  rememberFile(caseId: string, file: string | null): void {
    this.#read((db) => db.prepare('UPDATE heads SET file = ? WHERE case_id = ?').run(file, caseId));
  }

  /** The log is gone on purpose; what it was is still known. */
  rememberDeletion(caseId: string): void {
    const sql = 'UPDATE heads SET deleted_at = ?, file = NULL WHERE case_id = ?';
    this.#read((db) => db.prepare(sql).run(new Date().toISOString(), caseId));
  }

  /** Goes on from an older state of a log, which a person has accepted. */
  acceptHead(caseId: string, head: CustodyHead): void {
    const sql = 'INSERT OR REPLACE INTO heads VALUES (?, ?, ?, NULL, NULL)';
    this.#read((db) => db.prepare(sql).run(caseId, head.rows, head.hash));
  }

  /** Undoes `acceptHead`. */
  restoreHead(caseId: string, head: KnownHead | null): void {
    this.#read((db) => {
      if (!head) db.prepare('DELETE FROM heads WHERE case_id = ?').run(caseId);
      else {
        const sql = 'INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?, ?)';
        db.prepare(sql).run(caseId, head.rows, head.hash, head.file, head.deletedAt);
      }
    });
  }

  /** When the latest row of any log was written here, by the clock of then. */
  get latestRowTime(): string | null {
    return (
      this.#read((db) => db.prepare<[], string | null>('SELECT latest_row_time FROM installation').pluck().get()) ??
      null
    );
  }

  /** Notes that a piece of work of a case was begun here, so that it may go on by itself. */
  begin(caseId: string, work: string): void {
    this.#read((db) => db.prepare('INSERT OR IGNORE INTO begun_work VALUES (?, ?)').run(caseId, work));
  }

  end(caseId: string, work: string): void {
    this.#read((db) => db.prepare('DELETE FROM begun_work WHERE case_id = ? AND work = ?').run(caseId, work));
  }

  /** Forgets what was begun but for what is still under way. */
  keepWork(caseId: string, under: readonly string[]): void {
    this.#read((db) => {
      const all = db.prepare<[string], string>('SELECT work FROM begun_work WHERE case_id = ?').pluck().all(caseId);
      for (const work of all) if (!under.includes(work)) this.end(caseId, work);
    });
  }

  /** Whether anything of a case that was begun here has not ended. */
  hasWork(caseId: string): boolean {
    const sql = 'SELECT 1 FROM begun_work WHERE case_id = ?';
    return this.#read((db) => db.prepare(sql).get(caseId)) !== undefined;
  }

  hasBegun(caseId: string, work: string): boolean {
    const sql = 'SELECT 1 FROM begun_work WHERE case_id = ? AND work = ?';
    return this.#read((db) => db.prepare(sql).get(caseId, work)) !== undefined;
  }

  #read<T>(use: (db: Database.Database) => T): T {
    return tellingOfLibrary(this.#path, () => use(this.#db));
  }
}

/** The installation's key. @throws as {@link Library.open} and its `key` */
export function ownKey(home: string): InstallationKey {
  const library = Library.open(home);
  try {
    return library.key;
  } finally {
    library.close();
  }
}
