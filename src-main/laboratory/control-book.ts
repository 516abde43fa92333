/** The runs of the control recordings: rows that are only added, each signed and holding the hash of the one before. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { controlRunSchema } from '../../src-common/schemas/controls.ts';
import type { ControlRun } from '../../src-common/schemas/controls.ts';
import { UserFacingError } from '../base/errors.ts';
import { sha256 } from '../base/sha256.ts';
import { signatureHolds } from '../base/signatures.ts';
import { patienceMs, telling } from '../cases/database.ts';
import { ensureFolderNow } from '../cases/folders.ts';
import { ownKey } from '../cases/library.ts';

interface Row {
  run: string;
  /** Of the row before; empty for the first. */
  previous: string;
  public_key: string;
  signature: string;
}

const message = ({ run, previous }: Pick<Row, 'run' | 'previous'>): string =>
  `earwitness control run\n${previous}\n${run}\n`;
const hashOf = (row: Row): string => sha256(`${message(row)}${row.public_key}\n${row.signature}\n`);

export class ControlBook {
  readonly #path: string;
  readonly #db: Database.Database;

  private constructor(path: string, db: Database.Database) {
    this.#path = path;
    this.#db = db;
  }

  /** Opens the book in a folder; made where there is none. @throws UserFacingError `unwritable`, `damaged`, `case-busy` */
  static open(folder: string): ControlBook {
    ensureFolderNow(folder, 0o700);
    const path = join(folder, 'runs.sqlite');
    return telling(path, () => {
      const db = new Database(path, { timeout: patienceMs });
      db.exec(
        'CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, run TEXT NOT NULL, previous TEXT NOT NULL, public_key TEXT NOT NULL, signature TEXT NOT NULL)',
      );
      return new ControlBook(path, db);
    });
  }

  /** All runs, the first first. @throws UserFacingError `damaged` where a row is not as it was signed, or one before it is gone */
  runs(): ControlRun[] {
    return telling(this.#path, () => this.#rows()).map((row, index, rows) => this.#checked(row, index, rows));
  }

  #rows(): Row[] {
    return this.#db.prepare<[], Row>('SELECT run, previous, public_key, signature FROM runs ORDER BY id').all();
  }

  #checked(row: Row, index: number, rows: readonly Row[]): ControlRun {
    const whole = row.previous === (index === 0 ? '' : hashOf(rows[index - 1]));
    if (whole && signatureHolds(row.public_key, message(row), row.signature)) {
      return controlRunSchema.parse(JSON.parse(row.run));
    }
    throw new UserFacingError('damaged', `${this.#path}: run ${index + 1} is not as it was signed.`, {
      path: this.#path,
      advice:
        'Somebody changed it. Restore it from a backup; if there is none, keep it as it is, move it away and begin a new baseline.',
    });
  }

  /** Adds a run, signed by the installation's key. @throws UserFacingError `key`, `unwritable` */
  add(run: ControlRun, home: string): void {
    const key = ownKey(home);
    telling(this.#path, () =>
      // Two scans may end their controls at once.
      this.#db
        .transaction(() => {
          const last = this.#rows().at(-1);
          const row = { run: JSON.stringify(run), previous: last === undefined ? '' : hashOf(last) };
          this.#db
            .prepare('INSERT INTO runs (run, previous, public_key, signature) VALUES (?, ?, ?, ?)')
            .run(row.run, row.previous, key.publicKey, key.sign(message(row)));
        })
        .immediate(),
    );
  }

  close(): void {
    this.#db.close();
  }
}
