/** Rows that are only added, each signed and holding the hash of the one before: runs of control recordings, tests of examiners. */
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { sha256 } from '../base/sha256.ts';
import { signatureHolds } from '../base/signatures.ts';
import { patienceMs, telling } from '../base/sqlite.ts';
import { ensureFolderNow } from '../cases/folders.ts';
import { ownKey } from '../cases/library.ts';

interface Row {
  entry: string;
  /** Hash of the row before; empty for the first. */
  previous: string;
  public_key: string;
  signature: string;
}

export interface BookOptions<Entry> {
  path: string;
  /** What its rows are, as the signatures say it. */
  of: string;
  schema: z.ZodType<Entry>;
}

export class SignedBook<Entry> {
  readonly #options: BookOptions<Entry>;
  readonly #db: Database.Database;

  private constructor(options: BookOptions<Entry>, db: Database.Database) {
    this.#options = options;
    this.#db = db;
  }

  /** Opens a book; made where there is none. @throws UserFacingError `unwritable`, `damaged`, `case-busy` */
  static open<Entry>(options: BookOptions<Entry>): SignedBook<Entry> {
    ensureFolderNow(dirname(options.path), 0o700);
    return telling(options.path, () => {
      const db = new Database(options.path, { timeout: patienceMs });
      db.exec(
        'CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, entry TEXT NOT NULL, previous TEXT NOT NULL, public_key TEXT NOT NULL, signature TEXT NOT NULL)',
      );
      return new SignedBook(options, db);
    });
  }

  /** All of it, the first first. @throws UserFacingError `damaged` where a row is not as it was signed, or one before it is gone */
  entries(): Entry[] {
    return telling(this.#options.path, () => this.#rows()).map((row, index, rows) => this.#checked(row, index, rows));
  }

  #message({ entry, previous }: Pick<Row, 'entry' | 'previous'>): string {
    return `earwitness ${this.#options.of}\n${previous}\n${entry}\n`;
  }

  #hashOf(row: Row): string {
    return sha256(`${this.#message(row)}${row.public_key}\n${row.signature}\n`);
  }

  #rows(): Row[] {
    return this.#db.prepare<[], Row>('SELECT entry, previous, public_key, signature FROM entries ORDER BY id').all();
  }

  #checked(row: Row, index: number, rows: readonly Row[]): Entry {
    const { path, schema } = this.#options;
    const whole = row.previous === (index === 0 ? '' : this.#hashOf(rows[index - 1]));
    if (whole && signatureHolds(row.public_key, this.#message(row), row.signature)) {
      return schema.parse(JSON.parse(row.entry));
    }
    throw new UserFacingError('damaged', `${path}: row ${index + 1} is not as it was signed.`, {
      path,
      advice:
        'Somebody changed it. Restore it from a backup; if there is none, keep it as it is, move it away and begin another.',
    });
  }

  /** Adds a row, signed by the installation's key. @throws UserFacingError `key`, `unwritable` */
  add(entry: Entry, home: string): void {
    const key = ownKey(home);
    telling(this.#options.path, () =>
      // Two scans may end their controls at once.
      this.#db
        .transaction(() => {
          const last = this.#db
            .prepare<[], Row>('SELECT entry, previous, public_key, signature FROM entries ORDER BY id DESC LIMIT 1')
            .get();
          const row = { entry: JSON.stringify(entry), previous: last === undefined ? '' : this.#hashOf(last) };
          this.#db
            .prepare('INSERT INTO entries (entry, previous, public_key, signature) VALUES (?, ?, ?, ?)')
            .run(row.entry, row.previous, key.publicKey, key.sign(this.#message(row)));
        })
        .immediate(),
    );
  }

  close(): void {
    this.#db.close();
  }
}
