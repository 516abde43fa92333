/**
 * The core of a case that is open: its database, lock and clock, the transactions that change it, and the log that each of them
 * extends. The modules over it (evidence, marks, analyses, scans, intakes, reports) read and write by it alone.
 */
import { statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { hostname } from 'node:os';
import type Database from 'better-sqlite3';
import type { CustodyHead } from '../../src-common/schemas/custody.ts';
import { UserFacingError } from '../base/errors.ts';
import { ClockWatch, clockLeap, setBack } from './clock.ts';
import { CustodyWriter, isMilestone, lastRow } from './custody.ts';
import type { CustodyEntry } from './custody.ts';
import { databaseFailure } from '../base/sqlite.ts';
import { databasePath } from './database.ts';
import { isSameFile } from './fingerprint.ts';
import type { CaseLock } from './lock.ts';
import { giveRightsTo, isShared } from './rights.ts';
import { systemActor } from './session.ts';
import type { Session } from './session.ts';

/** What a change of a case touched; `evidence` null: any items. */
export interface CaseChange {
  evidence: number[] | null;
}

/** How a case is held: by its lock for writing, or for reading only, with what closes the database then. */
export type CaseAccess = { lock: CaseLock; session: Session } | { close: () => void };

/** The machine's, from the start of the process. */
const ownClock = new ClockWatch();

const latestTimeSql = 'SELECT time FROM custody_log ORDER BY position DESC LIMIT 1';

/** One writer at a time, held by a lock; any number of readers. Everything happens at once, on disk. */
export class CaseCore {
  readonly folder: string;
  readonly id: string;
  readonly db: Database.Database;
  /** Null where the case is only read. */
  readonly session: Session | null;
  /** Why nothing can be written though the case was opened for writing: its log is not what was signed. */
  readonly broken: UserFacingError | null;
  /** Whether the folder is marked as shared: then files in it take its group and its rights, never more. */
  shared: boolean;
  /** Called after every change, in the same turn. */
  onChange: (change: CaseChange) => void = () => undefined;

  readonly #access: CaseAccess;
  readonly #custody: CustodyWriter | null;
  readonly #path: string;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #clock: ClockWatch;
  #head: CustodyHead;
  /** When the latest row of the log was written, as it says. */
  #latestTime: string | null;
  /** Of the clock, told in the transaction that runs. */
  #leap: 'drift' | 'set back' | null = null;
  /** The latest milestone of the transaction that runs. */
  #milestone: CustodyHead | null = null;
  /** What told the database's file when it was last looked at. */
  #status: BigIntStats;

  constructor(
    folder: string,
    id: string,
    db: Database.Database,
    access: CaseAccess,
    broken: UserFacingError | null = null,
  ) {
    this.folder = folder;
    this.id = id;
    this.db = db;
    this.session = 'session' in access ? access.session : null;
    this.broken = broken;
    this.#access = access;
    this.#path = databasePath(folder);
    this.#head = lastRow(db);
    this.#status = statSync(this.#path, { bigint: true });
    this.shared = isShared(db);
    this.#clock = this.session?.clock ?? ownClock;
    this.#latestTime = db.prepare<[], string>(latestTimeSql).pluck().get() ?? null;
    this.#custody = this.session ? new CustodyWriter(db, id, this.session.library.key) : null;
  }

  get readOnly(): boolean {
    return this.session === null;
  }

  /** Whether something can be written to it. */
  get writable(): boolean {
    return this.session !== null && this.broken === null;
  }

  get head(): CustodyHead {
    return this.readOnly ? this.read(() => lastRow(this.db)) : { ...this.#head };
  }

  closeDatabase(): void {
    if ('close' in this.#access) this.#access.close();
    else this.db.close();
  }

  unlock(): void {
    if ('lock' in this.#access) this.#access.lock.release();
  }

  now(): string {
    return new Date(this.#clock.clocks.wall()).toISOString();
  }

  actor(): string {
    return this.session?.actor() || systemActor();
  }

  /** Where and by what the case is worked on, for the log. */
  place(): Record<string, unknown> {
    return { program: this.session?.program ?? '', user: systemActor(), host: hostname(), folder: this.folder };
  }

  /** Gives what was put into the folder its rights. */
  giveRights(path: string): void {
    if (this.shared) giveRightsTo(path, this.folder, true);
  }

  /** What rows of the log say that are of an action, as they are stored, the first one first. */
  detailsOf(action: string): string[] {
    const sql = 'SELECT details FROM custody_log WHERE action = ? ORDER BY position';
    return this.read(() => this.prepare<[string], string>(sql).pluck().all(action));
  }

  /** A statement, compiled once. */
  prepare<Values extends unknown[] = unknown[], Row = unknown>(sql: string): Database.Statement<Values, Row> {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.db.prepare(sql)));
    return statement as Database.Statement<Values, Row>;
  }

  /** Reads from the database, with what goes wrong said as a person can understand it. */
  read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw databaseFailure(this.#path, error);
    }
  }

  /**
   * One transaction: what `change` does and logs, and the new head's signature, or nothing of it. The list in the data folder keeps the
   * head with it.
   * @param touched the items that changed, for those who watch; null: any; without it, none
   * @throws UserFacingError `read-only`, `custody-broken`, `unknown-signer`, `missing`, `disk-full`
   */
  write<T>(change: () => T, touched: (result: T) => number[] | null = () => []): T {
    if (!this.session)
      throw new UserFacingError('read-only', 'The case is open for reading only.', { path: this.folder });
    if (this.broken) throw this.broken;
    const lost = this.lost();
    if (lost) throw lost;
    const before = { head: this.#head, time: this.#latestTime };
    this.#leap = null;
    this.#milestone = null;
    let result: T;
    try {
      result = this.session.library.keeping(this.id, (keep) =>
        this.#inTransaction(() => {
          const value = change();
          if (this.#head !== before.head) {
            const custody = this.#custody as CustodyWriter;
            custody.sign(this.#head);
            if (this.#milestone) custody.keep(this.#milestone);
            keep(this.#head, this.#latestTime as string);
          }
          return value;
        }),
      );
    } catch (error) {
      this.#head = before.head;
      this.#latestTime = before.time;
      throw error;
    }
    if (this.#leap === 'drift') this.#clock.told();
    this.onChange({ evidence: touched(result) });
    return result;
  }

  /** Inside of `write`: appends a row to the custody log. @returns its position */
  append(action: string, evidenceId: number | null, summary: string, details: Record<string, unknown>): number {
    const time = this.now();
    this.#tellLeaps(time);
    this.#appendRow({ time, actor: this.actor(), action, evidenceId, summary, details });
    return this.#head.rows;
  }

  /**
   * Why nothing that is written now would stay: the database was deleted or replaced under the open case. What is written into a deleted
   * one is gone with it.
   */
  lost(): UserFacingError | null {
    if (this.readOnly) return null;
    const status = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (status && isSameFile(this.#status, status)) {
      this.#status = status;
      return null;
    }
    const what = status ? 'replaced by another' : 'deleted or moved away, or its drive is gone';
    return new UserFacingError('missing', `The database of the open case, ${this.#path}, was ${what}.`, {
      path: this.folder,
      advice:
        'Nothing more is written. Put it back where it was, or restore the case from an export, and open it again.',
    });
  }

  #appendRow(entry: CustodyEntry): void {
    this.#head = (this.#custody as CustodyWriter).append(this.#head, entry);
    this.#latestTime = entry.time;
    if (isMilestone(entry)) this.#milestone = this.#head;
  }

  /** A row of its own where the clock cannot be right, or was set while this process ran. */
  #tellLeaps(time: string): void {
    if (this.#leap) return;
    const ofInstallation = this.session?.library.latestRowTime ?? null;
    const drift = this.#clock.drift();
    const leap = drift ?? setBack(Date.parse(time), { ofCase: this.#latestTime, ofInstallation });
    if (!leap) return;
    this.#leap = drift ? 'drift' : 'set back';
    this.#appendRow({ time, actor: this.actor(), action: clockLeap, evidenceId: null, ...leap });
  }

  #inTransaction<T>(change: () => T): T {
    try {
      return this.db.transaction(change).immediate();
    } catch (error) {
      throw databaseFailure(this.#path, error);
    }
  }
}
