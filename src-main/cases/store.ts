/** A case on disk, open: how it is made, opened and closed, and what it holds, each kind in a module of its own. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type Database from 'better-sqlite3';
import type { CaseDetails, CaseHistory, CaseSummary, CaseView } from '../../src-common/schemas/case.ts';
import type { CustodyHead } from '../../src-common/schemas/custody.ts';
import { defaultSpectrogram } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrogramSettings } from '../../src-common/schemas/spectrogram.ts';
import { UserFacingError } from '../base/errors.ts';
import { databaseFailure } from '../base/sqlite.ts';
import { unwritable } from '../base/files.ts';
import { admitCase, databaseContent, databaseFingerprint } from './admit.ts';
import type { Admission } from './admit.ts';
import { Analyses } from './analyses.ts';
import { Anchors } from './anchors/anchors.ts';
import { CounterSignatures } from './anchors/counter-signatures.ts';
import { insertDetails, setCaseState, storedCase, updateDetails, wholeDetails } from './case-details.ts';
import { CaseCore } from './core.ts';
import type { CaseChange } from './core.ts';
import { readHead } from './custody.ts';
import { CustodyLog } from './custody-log.ts';
import { caseIdIn, databaseName, databasePath, openDatabase, openDatabaseForReading, requireCase } from './database.ts';
import { EditHistory } from './edit-history.ts';
import type { EditMade } from './edit-history.ts';
import { EvidenceItems } from './evidence.ts';
import { ensureFolderNow } from './folders.ts';
import { Intakes } from './intakes.ts';
import { IssuedReports } from './issued-reports.ts';
import { clearLeftovers } from './leftovers.ts';
import { madeHere } from './library-file.ts';
import { CaseLock, lockName } from './lock.ts';
import { Marks } from './marks.ts';
import { detailsOf } from './records.ts';
import { storedSpectrogram, storeSpectrogram } from './view-settings.ts';
import { TechnicalReviews } from './reviews.ts';
import { giveRights, sharedAction, sharedRights, unsharedAction } from './rights.ts';
import { Scans } from './scans.ts';
import type { Session } from './session.ts';
import { logProblem, takeOver } from './signed-log.ts';

const rebuiltAction = 'rebuilt';
const rebuiltSummary =
  'The case came from elsewhere, or was written to elsewhere: its database was built anew from its rows, and checked.';

/** The id and details of the case in a folder, read beside whoever has it open. @throws UserFacingError as `CaseStore.read`. */
export function peekCase(folder: string): CaseSummary {
  const store = CaseStore.read(folder);
  try {
    return store.summary();
  } finally {
    store.close();
  }
}

/** A case that is open. One writer at a time, held by a lock; any number of readers. Everything happens at once, on disk. */
export class CaseStore {
  readonly log: CustodyLog;
  readonly marks: Marks;
  readonly analyses: Analyses;
  readonly evidence: EvidenceItems;
  readonly scans: Scans;
  readonly intakes: Intakes;
  readonly reports: IssuedReports;
  readonly reviews: TechnicalReviews;
  readonly anchors: Anchors;
  readonly counterSignatures: CounterSignatures;

  readonly #core: CaseCore;
  readonly #history: EditHistory;
  readonly #byContent: boolean;
  #openedAt: string | null = null;
  #closed = false;

  /** @param byContent its database is reported from others by its content */
  private constructor(core: CaseCore, byContent = false) {
    this.#core = core;
    this.#byContent = byContent;
    this.log = new CustodyLog(core);
    this.#history = new EditHistory(core);
    this.marks = new Marks(core, this.#history);
    this.analyses = new Analyses(core);
    this.evidence = new EvidenceItems(core, this.#history, this.marks, this.analyses);
    this.scans = new Scans(core, this.evidence, this.analyses);
    this.intakes = new Intakes(core);
    this.reports = new IssuedReports(core);
    this.reviews = new TechnicalReviews(core);
    this.anchors = new Anchors(core);
    this.counterSignatures = new CounterSignatures(core);
  }

  /**
   * Makes a case in a folder, which is made where there is none.
   * @throws UserFacingError `exists` where the folder holds a case or anything else, `unwritable`, `disk-full`, `usage` without
   * number or title.
   */
  static create(folder: string, details: Partial<CaseDetails>, session: Session): CaseStore {
    const place = resolve(folder);
    const path = databasePath(place);
    const whole = wholeDetails(details);
    const present = existsSync(place);
    requireEmpty(place);
    const lock = CaseLock.take(place, session.program);
    let db: Database.Database | null = null;
    try {
      db = openDatabase(path, { create: true });
      const core = new CaseCore(place, randomUUID(), db, { lock, session });
      const store = new CaseStore(core);
      const createdAt = core.now();
      store.#openedAt = createdAt;
      core.write(() => insertDetails(core, whole, createdAt));
      session.library.learnKey(core.id, session.library.key.publicKey, madeHere);
      giveRights(place, core.shared);
      store.#remember();
      return store;
    } catch (error) {
      db?.close();
      lock.release();
      for (const name of ['', '-wal', '-shm']) rmSync(path + name, { force: true });
      rmSync(join(place, lockName), { force: true });
      if (!present) rmSync(place, { recursive: true, force: true });
      throw databaseFailure(path, error);
    }
  }

  /**
   * Opens a case for writing, which its log notes. One from elsewhere is built anew first (`admitCase`).
   * @param options.admitted whether that was done already
   * @param options.signer fingerprint of the key that a person accepts as the one that goes on with the log, which the log then notes
   * @throws UserFacingError `missing`, `case-busy` naming who has it open, `newer-version`, `damaged`, `not-intact`, `unwritable`,
   * `disk-full`.
   */
  static open(
    folder: string,
    session: Session,
    { admitted = false, signer }: { admitted?: boolean; signer?: string } = {},
  ): CaseStore {
    const place = resolve(folder);
    const path = databasePath(place);
    requireCase(place, path);
    const left = new Set(readdirSync(place));
    const lock = CaseLock.take(place, session.program);
    let db: Database.Database | null = null;
    try {
      const admission: Admission = admitted ? { state: 'own', why: null } : admitCase(place, session.library, signer);
      if (admitted) clearLeftovers(place);
      db = openDatabase(path);
      const id = caseIdIn(path, db);
      const broken = logProblem({ folder: place, id, db }, session.library, admission, signer);
      const core = new CaseCore(place, id, db, { lock, session }, broken);
      const store = new CaseStore(core, admission.byContent);
      if (!broken) store.#begin(session, admission, signer);
      if (core.shared) giveRights(place, true);
      store.#openedAt = core.now();
      store.#remember();
      return store;
    } catch (error) {
      db?.close();
      lock.release();
      // A refused case is left as it was found.
      for (const name of [lockName, `${databaseName}-wal`, `${databaseName}-shm`]) {
        if (!left.has(name)) rmSync(join(place, name), { force: true });
      }
      throw databaseFailure(path, error);
    }
  }

  /** Opens a case for reading, beside whoever writes to it. @throws UserFacingError as `open`, but for `case-busy`. */
  static read(folder: string): CaseStore {
    const place = resolve(folder);
    const path = databasePath(place);
    requireCase(place, path);
    const { db, close } = openDatabaseForReading(path);
    try {
      return new CaseStore(new CaseCore(place, caseIdIn(path, db), db, { close }));
    } catch (error) {
      close();
      throw databaseFailure(path, error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.readOnly) this.#remember();
    this.#core.closeDatabase();
    if (this.#core.writable) {
      const file = this.#byContent ? databaseContent(this.folder) : databaseFingerprint(this.folder);
      this.#core.session?.library.rememberFile(this.id, file);
    }
    this.#core.unlock();
  }

  get folder(): string {
    return this.#core.folder;
  }

  get id(): string {
    return this.#core.id;
  }

  get readOnly(): boolean {
    return this.#core.readOnly;
  }

  /** Why nothing can be written though the case was opened for writing: its log is not what was signed. */
  get broken(): UserFacingError | null {
    return this.#core.broken;
  }

  /** What writes to the case. */
  get program(): string {
    return this.#core.session?.program ?? '';
  }

  /** The data folder of who writes to the case; null where it is only read. */
  get home(): string | null {
    return this.#core.session?.library.home ?? null;
  }

  /** The database, for what checks and exports it as a whole. Not for writing. */
  get database(): Database.Database {
    return this.#core.db;
  }

  get head(): CustodyHead {
    return this.#core.head;
  }

  /** Called after every change, in the same turn. */
  set onChange(tell: (change: CaseChange) => void) {
    this.#core.onChange = tell;
  }

  /** Why nothing that is written now would stay: the database was deleted or replaced under the open case. */
  lost(): UserFacingError | null {
    return this.#core.lost();
  }

  details(): CaseDetails {
    return detailsOf(storedCase(this.#core));
  }

  summary(): CaseSummary {
    return this.#core.read(() => {
      const row = storedCase(this.#core);
      const sql = 'SELECT count(*) AS items, count(latest_analysis) AS analysed FROM evidence WHERE removed_at IS NULL';
      const counts = this.#core.prepare<[], { items: number; analysed: number }>(sql).get() as {
        items: number;
        analysed: number;
      };
      return {
        ...detailsOf(row),
        id: this.id,
        folder: this.folder,
        state: row.state,
        createdAt: row.created_at,
        openedAt: this.#openedAt,
        ...counts,
        problem: problemOf(this.broken ?? this.lost()),
      };
    });
  }

  view(): CaseView {
    return {
      ...this.summary(),
      head: this.head,
      history: this.history,
      passing: this.#core.session?.passing ?? false,
      counts: this.evidence.counts(),
      spectrogram: this.spectrogram ?? defaultSpectrogram,
    };
  }

  /** @throws UserFacingError `usage` where number or title would be empty. */
  update(edit: Partial<CaseDetails>): void {
    if (updateDetails(this.#core, this.#history, edit)) this.#remember();
  }

  /** What Undo and Redo would do next. */
  get history(): CaseHistory {
    return this.#history.next;
  }

  /** The row of the log of the latest edit that is not undone; null: there is none. */
  get latestEdit(): number | null {
    return this.#history.latestRow;
  }

  /**
   * Takes back the latest edit that a person made since the case was opened (of marks, items or the case's details); the log gets a row
   * that says so.
   * @param row only if the latest edit is that of this row of the log
   * @returns what was undone; null where nothing is left
   * @throws UserFacingError `changed` where the latest edit is another one; `read-only` and the like
   */
  undo(row?: number): Promise<EditMade | null> {
    return this.#remembering(() => this.#history.undo(row));
  }

  /** Does again what was undone last, as {@link undo}. */
  redo(row?: number): Promise<EditMade | null> {
    return this.#remembering(() => this.#history.redo(row));
  }

  async #remembering<T>(change: () => Promise<T>): Promise<T> {
    const done = await change();
    if (done !== null) this.#remember();
    return done;
  }

  setState(state: CaseSummary['state']): void {
    if (setCaseState(this.#core, state)) this.#remember();
  }

  /** How spectrograms of the case are made and shown; null: nobody has chosen, so as everywhere. */
  get spectrogram(): SpectrogramSettings | null {
    return storedSpectrogram(this.#core);
  }

  set spectrogram(settings: SpectrogramSettings | null) {
    storeSpectrogram(this.#core, settings);
  }

  /** Whether the folder is marked as shared: then files in it take its group and its rights, never more. */
  get shared(): boolean {
    return this.#core.shared;
  }

  /**
   * Marks the folder as shared, or as its owner's alone again. Files that lie in it take their rights at once, where they are the user's.
   * @returns what others may now do in it: the folder's group and rights
   * @throws UserFacingError as `sharedRights`
   */
  share(shared: boolean): { group: number; mode: string } | null {
    const rights = shared ? sharedRights(this.folder) : null;
    if (rights) {
      const summary = `Marked the folder as shared: files in it take its group (${rights.group}) and its rights (${rights.mode}).`;
      this.log.note(sharedAction, summary, { folder: this.folder, ...rights });
    } else if (this.shared) {
      this.log.note(unsharedAction, "Files in the folder are their owners' alone again.", { folder: this.folder });
    }
    this.#core.shared = shared;
    giveRights(this.folder, shared, { all: true });
    return rights;
  }

  /** Gives what was put into the folder its rights. */
  giveRights(path: string): void {
    this.#core.giveRights(path);
  }

  /** The log notes that the case was opened, and whose it was; work that was not begun here ends. */
  #begin({ library }: Session, { state }: Admission, signer: string | undefined): void {
    const core = this.#core;
    const signed = readHead(core.db);
    core.write(() => {
      if (signed && signed.publicKey !== library.key.publicKey) takeOver(core, signed, signer);
      if (state === 'rebuilt') core.append(rebuiltAction, null, rebuiltSummary, {});
      core.append('opened', null, 'Opened the case.', core.place());
      library.keepWork(core.id, [...this.intakes.dropForeign(), ...this.scans.dropForeign()]);
    });
    library.learnKey(core.id, library.key.publicKey, madeHere);
  }

  /** The list in the data folder learns what became of the case. */
  #remember(): void {
    const { problem: _, ...entry } = this.summary();
    this.#core.session?.library.put(entry);
  }
}

/** Makes the folder of a new case where there is none. @throws UserFacingError `exists`, `unwritable` */
function requireEmpty(place: string): void {
  try {
    ensureFolderNow(place, 0o700);
    const others = readdirSync(place).filter((name) => name !== lockName);
    if (others.length > 0) {
      const what = existsSync(databasePath(place)) ? 'holds a case already' : 'is not empty';
      throw new UserFacingError('exists', `${place} ${what}.`, {
        path: place,
        advice: 'Choose a folder that is empty or does not exist yet.',
      });
    }
  } catch (error) {
    throw unwritable(place, error);
  }
}

function problemOf(error: UserFacingError | null): CaseSummary['problem'] {
  if (error === null) return null;
  const { code, message, path, advice } = error;
  return { code, message, ...(path ? { path } : {}), ...(advice ? { advice } : {}) };
}
