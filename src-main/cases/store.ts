/** A case on disk: the one place that reads and writes `case.sqlite`, and that keeps its custody log. */
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type Database from 'better-sqlite3';
import { findingWords } from '../../src-common/findings.ts';
import type {
  Analysis,
  AnalysisSummary,
  CaseDetails,
  CaseSummary,
  CaseView,
  CustodyHead,
  CustodyRow,
  Evidence,
  EvidenceRow,
  IssuedReport,
  Mark,
  ReportRequest,
} from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { unwritable } from '../base/files.ts';
import { admitCase, databaseContent, databaseFingerprint } from './admit.ts';
import type { Admission } from './admit.ts';
import { canonicalJson, sha256Hex } from './canonical.ts';
import { ClockWatch, clockLeap, setBack } from './clock.ts';
import { copyPlace } from './copies.ts';
import { CustodyWriter, lastRow, readHead, signerAccepted, signerChanged } from './custody.ts';
import { passingFailures } from './failures.ts';
import type { CustodyEntry, StoredCustodyRow } from './custody.ts';
import {
  caseIdIn,
  databaseName,
  databasePath,
  openDatabase,
  openDatabaseForReading,
  requireCase,
  schemaDifferences,
  toldOfDatabase,
} from './database.ts';
import { EvidenceTable, derivedColumns, evidenceRowOf, isStale, nameKeyOf, shownAnalysis } from './evidence-table.ts';
import type { EvidenceFilter, EvidenceQuery } from './evidence-table.ts';
import { isSameFile } from './fingerprint.ts';
import { ensureFolderNow } from './folders.ts';
import { fingerprintOf, headMessage, isFingerprintOf, signatureHolds } from './keys.ts';
import { madeHere } from './library.ts';
import type { Library } from './library.ts';
import { clearLeftovers } from './leftovers.ts';
import { CaseLock, lockName } from './lock.ts';
import { giveRights, giveRightsTo, isShared, sharedAction, sharedRights, unsharedAction } from './rights.ts';
import { missingRows } from './verify-records.ts';
import {
  caseRecordSha256,
  detailsOf,
  evidenceFileOf,
  evidenceRecordSha256,
  markOf,
  markRecordSha256,
  reportRecordSha256,
} from './records.ts';
import type {
  EvidenceFile,
  StoredAnalysis,
  StoredCase,
  StoredEvidence,
  StoredMark,
  StoredMetadata,
  StoredReport,
} from './records.ts';

/** Who works with cases, and where the installation keeps its own. */
export interface Session {
  library: Library;
  /** The name that rows of the log bear: the examiner's, else the one that the system knows. */
  actor: () => string;
  /** `earwitness 0.1.0`. */
  program: string;
  /** The clocks of this run; those of the machine where none are handed in. */
  clock?: ClockWatch;
}

/** Never scanned, or failed for what may have passed. */
const unscanned = `latest_analysis IS NULL OR (scan = 'failed' AND (SELECT json_extract(result, '$.error.code') FROM analyses
  WHERE id = latest_analysis) IN (${passingFailures.map((code) => `'${code}'`).join(', ')}))`;

/** The machine's, from the start of the process. */
const ownClock = new ClockWatch();

/** What intake found out about a file. */
export interface NewEvidence {
  name: string;
  /** Absolute; of an upload only where it lay, which is not kept. */
  path: string;
  nameBytes: Uint8Array | null;
  uploaded: boolean;
  /** Relative to the case's folder, with `/`; null where it stays in place. */
  copyPath: string | null;
  sizeBytes: number;
  sha256: string;
  md5: string;
  senderHash: string | null;
  createdTime: string | null;
  modifiedTime: string | null;
  receivedAt: string;
  receivedFrom: string;
  conditionOnReceipt: string;
  metadata: Evidence['metadata'];
  audio: Evidence['audio'];
  /** As `fingerprintOf` in states.ts gives it, of the file where it lies now. */
  fingerprint: string;
}

/** What of an item a person may change. */
export type EvidenceEdit = Partial<
  Pick<Evidence, 'description' | 'conditionOnReceipt' | 'receivedAt' | 'receivedFrom' | 'notes'>
>;

/** An analysis before the store gives it its id. */
export type NewAnalysis = Omit<Analysis, 'id' | 'stale' | 'resultSha256' | 'readAll'>;

/** What is scanned with what, as it was asked. */
export interface ScanRequest {
  /** As the person named it; null: the default then. */
  model: string | null;
  modelSha256: string;
  channel: Analysis['channel'] | 'each';
  stream: number | null;
  /** Also the sound that a file's headers do not count in; by default not. */
  readAll?: boolean;
}

/** A scan that was begun and has not ended. */
export interface OpenScan extends ScanRequest {
  id: number;
  startedAt: string;
  total: number;
  /** Items that are yet to be scored. */
  left: number;
}

/** Everything that makes an issued report again. */
export interface ReportRecord extends IssuedReport {
  request: ReportRequest;
  /** As it was given to `addReport`, to the byte. */
  data: string;
}

/** What a change of a case touched; `evidence` null: any items. */
export interface CaseChange {
  evidence: number[] | null;
}

type EvidenceState = EvidenceRow['state'];

const noDetails: CaseDetails = {
  number: '',
  title: '',
  examiner: '',
  customer: '',
  customerContact: '',
  question: '',
  propositionBonafide: 'The recorded speech was spoken by a person.',
  propositionSpoof: 'The recorded speech was made or altered by a machine.',
  notes: '',
};

const writtenDetails = [
  ['number', 'number'],
  ['title', 'title'],
  ['examiner', 'examiner'],
  ['customer', 'customer'],
  ['customerContact', 'customer_contact'],
  ['question', 'question'],
  ['propositionBonafide', 'proposition_bonafide'],
  ['propositionSpoof', 'proposition_spoof'],
  ['notes', 'notes'],
] as const;

const editableEvidence = [
  ['description', 'description'],
  ['conditionOnReceipt', 'condition_on_receipt'],
  ['receivedAt', 'received_at'],
  ['receivedFrom', 'received_from'],
  ['notes', 'notes'],
] as const;

const rebuiltAction = 'rebuilt';
const rebuiltSummary =
  'The case came from elsewhere, or was written to elsewhere: its database was built anew from its rows, and checked.';

const latestTimeSql = 'SELECT time FROM custody_log ORDER BY position DESC LIMIT 1';

/** The user's name as the system knows it. */
export function systemActor(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown user';
  }
}

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
  readonly folder: string;
  readonly id: string;
  readonly readOnly: boolean;
  /** Why nothing can be written though the case was opened for writing: its log is not what was signed. */
  readonly broken: UserFacingError | null;
  /** Called after every change, in the same turn. */
  onChange: (change: CaseChange) => void = () => undefined;

  readonly #db: Database.Database;
  readonly #lock: CaseLock | null;
  readonly #session: Session | null;
  readonly #custody: CustodyWriter | null;
  readonly #table: EvidenceTable;
  readonly #path: string;
  readonly #closeDatabase: () => void;
  readonly #states = new Map<number, EvidenceState>();
  readonly #examined = new Set<string>();
  readonly #running = new Set<number>();
  readonly #statements = new Map<string, Database.Statement>();
  readonly #clock: ClockWatch;
  #head: CustodyHead;
  /** When the latest row of the log was written, as it says. */
  #latestTime: string | null;
  /** Of the clock, told in the transaction that runs. */
  #leap: 'drift' | 'set back' | null = null;
  /** What told the database's file when it was last looked at. */
  #status: BigIntStats;
  readonly #byContent: boolean;
  #openedAt: string | null = null;
  #shared: boolean;
  #closed = false;

  private constructor(
    folder: string,
    db: Database.Database,
    access: { lock: CaseLock; session: Session } | { close: () => void },
    id: string,
    { why: refused, unknownSigner = false, byContent }: Omit<Admission, 'state'> = { why: null },
    signer?: string,
  ) {
    const writing = 'lock' in access ? access : null;
    this.folder = folder;
    this.#path = databasePath(folder);
    this.#db = db;
    this.#lock = writing?.lock ?? null;
    this.#session = writing?.session ?? null;
    this.#closeDatabase = 'close' in access ? access.close : () => void db.close();
    this.readOnly = writing === null;
    this.id = id;
    this.#table = new EvidenceTable(db, (id) => this.#states.get(id));
    this.#head = lastRow(db);
    this.#status = statSync(this.#path, { bigint: true });
    this.#byContent = byContent === true;
    this.#shared = isShared(db);
    this.#clock = writing?.session.clock ?? ownClock;
    this.#latestTime = db.prepare<[], string>(latestTimeSql).pluck().get() ?? null;
    const why = writing && this.#head.rows > 0 ? (refused ?? this.#brokenLog(writing.session, signer)) : null;
    this.broken = why === null ? null : custodyBroken(folder, why, unknownSigner);
    this.#custody = writing ? new CustodyWriter(db, id, writing.session.library.key) : null;
  }

  /**
   * Makes a case in a folder, which is made where there is none.
   * @throws UserFacingError `exists` where the folder holds a case or anything else, `unwritable`, `disk-full`, `usage` without
   * number or title.
   */
  static create(folder: string, details: Partial<CaseDetails>, session: Session): CaseStore {
    const place = resolve(folder);
    const path = databasePath(place);
    const whole = { ...noDetails, ...definedOf(details) };
    if (whole.number.trim() === '' || whole.title.trim() === '') {
      throw new UserFacingError('usage', 'A case needs a number and a title.');
    }
    const present = existsSync(place);
    try {
      ensureFolderNow(place, 0o700);
      const others = readdirSync(place).filter((name) => name !== lockName);
      if (others.length > 0) {
        const what = existsSync(path) ? 'holds a case already' : 'is not empty';
        throw new UserFacingError('exists', `${place} ${what}.`, {
          path: place,
          advice: 'Choose a folder that is empty or does not exist yet.',
        });
      }
    } catch (error) {
      throw unwritable(place, error);
    }
    const lock = CaseLock.take(place, session.program);
    let db: Database.Database | null = null;
    try {
      db = openDatabase(path, { create: true });
      const id = randomUUID();
      const store = new CaseStore(place, db, { lock, session }, id);
      const createdAt = store.#now();
      store.#openedAt = createdAt;
      store.#write(() => {
        store
          .#prepare(`INSERT INTO case_details VALUES (1, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
          .run(id, createdAt, ...writtenDetails.map(([name]) => whole[name]));
        const row = store.#caseRow();
        store.#append('case-created', null, `Created the case ${whole.number}.`, {
          ...whole,
          ...store.#place(),
          recordSha256: caseRecordSha256(row),
        });
      });
      session.library.learnKey(id, session.library.key.publicKey, madeHere);
      giveRights(place, store.#shared);
      store.#remember();
      return store;
    } catch (error) {
      db?.close();
      lock.release();
      for (const name of ['', '-wal', '-shm']) rmSync(path + name, { force: true });
      rmSync(join(place, lockName), { force: true });
      if (!present) rmSync(place, { recursive: true, force: true });
      throw toldOfDatabase(path, error);
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
      const store = new CaseStore(place, db, { lock, session }, caseIdIn(path, db), admission, signer);
      if (!store.broken) {
        const signed = readHead(db);
        store.#write(() => {
          if (signed && signed.publicKey !== session.library.key.publicKey) store.#takeOver(signed, signer);
          if (admission.state === 'rebuilt') store.#append(rebuiltAction, null, rebuiltSummary, {});
          store.#append('opened', null, 'Opened the case.', store.#place());
          store.#dropForeignWork();
        });
        session.library.learnKey(store.id, session.library.key.publicKey, madeHere);
      }
      if (store.#shared) giveRights(place, true);
      store.#openedAt = store.#now();
      store.#remember();
      return store;
    } catch (error) {
      db?.close();
      lock.release();
      // A refused case is left as it was found.
      for (const name of [lockName, `${databaseName}-wal`, `${databaseName}-shm`]) {
        if (!left.has(name)) rmSync(join(place, name), { force: true });
      }
      throw toldOfDatabase(path, error);
    }
  }

  /** Opens a case for reading, beside whoever writes to it. @throws UserFacingError as `open`, but for `case-busy`. */
  static read(folder: string): CaseStore {
    const place = resolve(folder);
    const path = databasePath(place);
    requireCase(place, path);
    const { db, close } = openDatabaseForReading(path);
    try {
      return new CaseStore(place, db, { close }, caseIdIn(path, db));
    } catch (error) {
      close();
      throw toldOfDatabase(path, error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.readOnly) this.#remember();
    this.#closeDatabase();
    if (!this.readOnly && !this.broken) {
      const file = this.#byContent ? databaseContent(this.folder) : databaseFingerprint(this.folder);
      this.#session?.library.rememberFile(this.id, file);
    }
    this.#lock?.release();
  }

  /** What writes to the case. */
  get program(): string {
    return this.#session?.program ?? '';
  }

  /** The data folder of who writes to the case; null where it is only read. */
  get home(): string | null {
    return this.#session?.library.home ?? null;
  }

  /** The database, for what checks and exports it as a whole. Not for writing. */
  get database(): Database.Database {
    return this.#db;
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // The case itself

  get head(): CustodyHead {
    return this.readOnly ? this.#tell(() => lastRow(this.#db)) : { ...this.#head };
  }

  details(): CaseDetails {
    return detailsOf(this.#caseRow());
  }

  summary(): CaseSummary {
    return this.#tell(() => {
      const row = this.#caseRow();
      const counts = this.#prepare<[], { items: number; analysed: number }>(
        'SELECT count(*) AS items, count(latest_analysis) AS analysed FROM evidence WHERE removed_at IS NULL',
      ).get() as { items: number; analysed: number };
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
    return this.#tell(() => {
      interface Group {
        scan: StoredEvidence['scan'];
        finding: StoredEvidence['finding'];
        changed: number;
        count: number;
      }
      const sql =
        'SELECT scan, finding, changed, count(*) AS count FROM evidence WHERE removed_at IS NULL GROUP BY scan, finding, changed';
      const groups = this.#prepare<[], Group>(sql).all();
      const total = (which: (group: Group) => boolean): number =>
        groups.filter(which).reduce((sum, { count }) => sum + count, 0);
      const found = (finding: Group['finding']): number =>
        total((group) => group.finding === finding && group.scan !== 'failed');
      return {
        ...this.summary(),
        head: this.head,
        counts: {
          bonafide: found('supports bona fide'),
          spoof: found('supports spoof'),
          looksBonafide: found('looks-bona-fide'),
          looksSpoof: found('looks-spoof'),
          inconclusive: found('inconclusive'),
          notAssessable: found('not assessable'),
          failed: total(({ scan }) => scan === 'failed'),
          notScanned: total(({ finding, scan }) => finding === null && scan !== 'failed'),
          changed: total(({ changed }) => changed === 1),
          fresh: this.#prepare<[], number>(
            `SELECT count(*) FROM evidence WHERE removed_at IS NULL AND changed = 0 AND (${unscanned})`,
          )
            .pluck()
            .get() as number,
          flagged: this.#table.flagged(),
        },
      };
    });
  }

  /** @throws UserFacingError `usage` where number or title would be empty. */
  update(edit: Partial<CaseDetails>): void {
    const before = this.details();
    const changes = changesOf(before, { ...before, ...definedOf(edit) });
    if (Object.keys(changes).length === 0) return;
    if (edit.number?.trim() === '' || edit.title?.trim() === '') {
      throw new UserFacingError('usage', 'A case needs a number and a title.');
    }
    this.#write(() => {
      for (const [name, column] of writtenDetails) {
        if (name in changes) this.#prepare(`UPDATE case_details SET ${column} = ?`).run(changes[name].to);
      }
      this.#append('case-updated', null, `Changed ${listed(Object.keys(changes))} of the case.`, {
        changes,
        recordSha256: caseRecordSha256(this.#caseRow()),
      });
    });
    this.#remember();
  }

  setState(state: CaseSummary['state']): void {
    const before = this.#caseRow().state;
    if (before === state) return;
    this.#write(() => {
      this.#prepare('UPDATE case_details SET state = ?').run(state);
      const summary = { open: 'Opened the case again.', closed: 'Closed the case.', archived: 'Archived the case.' };
      this.#append('state-changed', null, summary[state], {
        from: before,
        to: state,
        recordSha256: caseRecordSha256(this.#caseRow()),
      });
    });
    this.#remember();
  }

  /** Whether the folder is marked as shared: then files in it take its group and its rights, never more. */
  get shared(): boolean {
    return this.#shared;
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
      this.note(sharedAction, summary, { folder: this.folder, ...rights });
    } else if (this.#shared) {
      this.note(unsharedAction, "Files in the folder are their owners' alone again.", { folder: this.folder });
    }
    this.#shared = shared;
    giveRights(this.folder, shared, { all: true });
    return rights;
  }

  /** Gives what was put into the folder its rights. */
  giveRights(path: string): void {
    if (this.#shared) giveRightsTo(path, this.folder, true);
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Evidence

  rows(query: EvidenceQuery): { total: number; rows: EvidenceRow[] } {
    return this.#tell(() => ({
      total: this.#table.count(query),
      rows: this.#table.page(query).map((row) => this.#rowOf(row)),
    }));
  }

  /** Ids of all that match, in order. */
  ids(query: EvidenceFilter): number[] {
    return this.#tell(() => this.#table.ids(query));
  }

  /** Ids of all items that were not taken out. */
  allIds(): number[] {
    return this.#tell(() =>
      this.#prepare<[], number>('SELECT id FROM evidence WHERE removed_at IS NULL ORDER BY id').pluck().all(),
    );
  }

  /** Rows of the items that are there, in the order of the ids. */
  rowsOf(ids: readonly number[]): EvidenceRow[] {
    return this.#tell(() => {
      const find = this.#prepare<[number], StoredEvidence>(
        'SELECT * FROM evidence WHERE id = ? AND removed_at IS NULL',
      );
      return ids.flatMap((id) => {
        const row = find.get(id);
        return row ? [this.#rowOf(row)] : [];
      });
    });
  }

  /** @throws UserFacingError `not-found` */
  evidence(id: number): Evidence {
    return this.#tell(() => {
      const row = this.#evidenceRow(id);
      const { metadata, audio } = this.#metadataRow(id);
      const marks = this.#prepare<[number], StoredMark>(
        'SELECT * FROM marks WHERE evidence_id = ? ORDER BY start_seconds, id',
      ).all(id);
      return {
        ...this.#rowOf(row),
        description: row.description,
        conditionOnReceipt: row.condition_on_receipt,
        receivedAt: row.received_at,
        receivedFrom: row.received_from,
        notes: row.notes,
        sha256: row.sha256,
        md5: row.md5,
        senderHash: row.sender_hash,
        senderHashMatches: row.sender_hash_matches === null ? null : row.sender_hash_matches === 1,
        originalPath: row.uploaded === 1 ? null : row.path,
        uploaded: row.uploaded === 1,
        createdTime: row.created_time,
        modifiedTime: row.modified_time,
        metadata: JSON.parse(metadata) as Evidence['metadata'],
        audio: audio === null ? null : (JSON.parse(audio) as Evidence['audio']),
        analyses: this.#analysisRows(id).map((stored) => summaryOf(this.#analysisOf(stored, row))),
        marks: marks.map(markOf),
      };
    });
  }

  /** Where an item's bytes lie. @throws UserFacingError `not-found` */
  file(id: number): EvidenceFile {
    return this.#fileOf(this.#evidenceRow(id));
  }

  /** What was noted of an item's file at intake, to tell whether it is still that. @throws UserFacingError `not-found` */
  intake(
    id: number,
  ): EvidenceFile & { name: string; sha256: string; sizeBytes: number; fingerprint: string; changed: boolean } {
    const row = this.#evidenceRow(id);
    const { name, sha256, size_bytes: sizeBytes, fingerprint, changed } = row;
    return { ...this.#fileOf(row), name, sha256, sizeBytes, fingerprint, changed: changed === 1 };
  }

  /** Whether an item was taken in from this path, and looked alike then. */
  isKnown(path: string, fingerprint: string): boolean {
    const sql = 'SELECT 1 FROM evidence WHERE path = ? AND fingerprint = ? AND removed_at IS NULL AND uploaded = 0';
    return this.#tell(() => this.#prepare(sql).get(path, fingerprint) !== undefined);
  }

  /** Whether an item with this content was taken in from this path. */
  isHeld(path: string, sha256: string): boolean {
    const sql = 'SELECT 1 FROM evidence WHERE path = ? AND sha256 = ? AND removed_at IS NULL AND uploaded = 0';
    return this.#tell(() => this.#prepare(sql).get(path, sha256) !== undefined);
  }

  /** Takes items in, all or none. @returns their ids */
  addEvidence(items: readonly NewEvidence[]): number[] {
    if (items.length === 0) return [];
    for (const { copyPath } of items) if (copyPath !== null) this.giveRights(copyPlace(this.folder, copyPath));
    const addedAt = this.#now();
    const ids = this.#write(
      () => {
        const insert = this.#prepare(
          `INSERT INTO evidence (name, path, path_bytes, copy_path, uploaded, size_bytes, sha256, md5, sender_hash,
         sender_hash_matches, created_time, modified_time, added_at, added_by, received_at, received_from,
         condition_on_receipt, description, notes, duration_seconds, fingerprint, name_key, search_text,
         flags, flag_count)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?, ?, ?, ?)`,
        );
        const insertMetadata = this.#prepare('INSERT INTO evidence_metadata VALUES (?, ?, ?)');
        return items.map((item) => {
          const derived = derivedColumns(item.name, null, item.audio);
          const matches = item.senderHash === null ? null : hashMatches(item.senderHash, item) ? 1 : 0;
          const path = item.uploaded ? '' : item.path;
          const { lastInsertRowid } = insert.run(
            item.name,
            path,
            item.nameBytes === null || item.uploaded ? null : Buffer.from(item.nameBytes),
            item.copyPath,
            item.uploaded ? 1 : 0,
            item.sizeBytes,
            item.sha256,
            item.md5,
            item.senderHash,
            matches,
            item.uploaded ? null : item.createdTime,
            item.uploaded ? null : item.modifiedTime,
            addedAt,
            this.#actor(),
            item.receivedAt,
            item.receivedFrom,
            item.conditionOnReceipt,
            item.audio?.durationSeconds ?? null,
            item.fingerprint,
            nameKeyOf(item.name),
            derived.search_text,
            derived.flags,
            derived.flag_count,
          );
          const id = Number(lastInsertRowid);
          const stored = {
            metadata: canonicalJson(item.metadata),
            audio: item.audio === null ? null : canonicalJson(item.audio),
          };
          insertMetadata.run(id, stored.metadata, stored.audio);
          this.#states.set(id, 'unchanged');
          const how = item.uploaded ? 'Added the upload' : 'Added';
          const mismatch = matches === 0 ? " Its hash is not the sender's." : '';
          this.#append(
            'evidence-added',
            id,
            `${how} ${item.name}${item.copyPath === null ? '' : ', copied into the case'}.${mismatch}`,
            {
              name: item.name,
              path: item.uploaded ? null : item.path,
              uploaded: item.uploaded,
              copyPath: item.copyPath,
              sizeBytes: item.sizeBytes,
              sha256: item.sha256,
              md5: item.md5,
              senderHash: item.senderHash,
              senderHashMatches: matches === null ? null : matches === 1,
              receivedAt: item.receivedAt,
              receivedFrom: item.receivedFrom,
              conditionOnReceipt: item.conditionOnReceipt,
              recordSha256: evidenceRecordSha256(this.#evidenceRow(id), stored),
            },
          );
          return id;
        });
      },
      (ids) => ids,
    );
    return ids;
  }

  updateEvidence(id: number, edit: EvidenceEdit): Evidence {
    const before = this.evidence(id);
    const old = Object.fromEntries(editableEvidence.map(([name]) => [name, before[name]]));
    const changes = changesOf(old, { ...old, ...definedOf(edit) });
    if (Object.keys(changes).length > 0) {
      this.#write(
        () => {
          for (const [name, column] of editableEvidence) {
            if (name in changes)
              this.#prepare(`UPDATE evidence SET ${column} = ? WHERE id = ?`).run(changes[name].to, id);
          }
          this.#append('evidence-updated', id, `Changed ${listed(Object.keys(changes))} of ${before.name}.`, {
            changes,
            recordSha256: this.#evidenceSha256(id),
          });
        },
        () => [id],
      );
    }
    return this.evidence(id);
  }

  /** Takes items out of the case; their files and what was found of them stay where they are. */
  removeEvidence(ids: readonly number[], reason: string): void {
    this.#write(
      () => {
        for (const id of ids) {
          const { name } = this.#evidenceRow(id);
          this.#prepare('UPDATE evidence SET removed_at = ? WHERE id = ?').run(this.#now(), id);
          this.#prepare('DELETE FROM scan_queue WHERE evidence_id = ?').run(id);
          this.#append('evidence-removed', id, `Took ${name} out of the case.`, {
            reason,
            recordSha256: this.#evidenceSha256(id),
          });
        }
      },
      () => null,
    );
  }

  /**
   * Notes once for each time that the case is open that an item was looked at or listened to.
   * @param readAll with all sound in its file
   */
  examined(id: number, readAll = false): void {
    const key = `${id} ${readAll}`;
    if (this.readOnly || this.broken || this.#examined.has(key)) return;
    const { name } = this.#evidenceRow(id);
    const sentence = readAll ? `Examined ${name} with all sound in its file read.` : `Examined ${name}.`;
    this.#write(() => this.#append('examined', id, sentence, readAll ? { readAll } : {}));
    this.#examined.add(key);
  }

  /** Whether an item's file was looked at since the case was opened. */
  isChecked(id: number): boolean {
    return (this.#states.get(id) ?? 'unchecked') !== 'unchecked';
  }

  /**
   * Keeps what a look at an item's file gave.
   * @param found its hash where it was taken, and what tells the file as it is now
   */
  setEvidenceState(
    id: number,
    state: EvidenceState,
    found: { sha256: string | null; fingerprint: string } | null = null,
  ): void {
    const row = this.#evidenceRow(id);
    const before = this.#states.get(id);
    this.#states.set(id, state);
    const writable = !this.readOnly && !this.broken;
    if (
      writable &&
      state === 'changed' &&
      (row.changed === 0 || (found?.sha256 && found.sha256 !== row.found_sha256))
    ) {
      const sha256 = found?.sha256 ?? null;
      this.#write(
        () => {
          this.#prepare('UPDATE evidence SET changed = 1, found_sha256 = ? WHERE id = ?').run(sha256, id);
          this.#append('evidence-changed', id, `The file of ${row.name} is no longer what was taken in.`, {
            sha256AtIntake: row.sha256,
            sha256Now: sha256,
          });
        },
        () => [id],
      );
    } else if (writable && state === 'unchanged' && found) {
      if (row.changed === 1) {
        this.#write(
          () => {
            this.#prepare('UPDATE evidence SET changed = 0, found_sha256 = NULL, fingerprint = ? WHERE id = ?').run(
              found.fingerprint,
              id,
            );
            this.#append('evidence-restored', id, `The file of ${row.name} is again what was taken in.`, {
              sha256: row.sha256,
            });
          },
          () => [id],
        );
      } else if (found.fingerprint !== row.fingerprint) {
        this.#write(() => this.#prepare('UPDATE evidence SET fingerprint = ? WHERE id = ?').run(found.fingerprint, id));
      }
    }
    if (before !== state) this.onChange({ evidence: [id] });
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Marks

  /** @param mark.readAll its times are of the recording with all sound in its file; by default not */
  addMark(evidenceId: number, mark: Omit<Mark, 'id' | 'createdAt' | 'readAll'> & { readAll?: boolean }): Mark {
    const { name } = this.#evidenceRow(evidenceId);
    return this.#write(
      () => {
        const { lastInsertRowid } = this.#prepare('INSERT INTO marks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)').run(
          evidenceId,
          mark.startSeconds,
          mark.endSeconds,
          mark.text,
          mark.inReport ? 1 : 0,
          this.#now(),
          mark.readAll ? 1 : 0,
        );
        const row = this.#markRow(evidenceId, Number(lastInsertRowid));
        this.#append(
          'mark-added',
          evidenceId,
          `Marked ${spanText(mark)} of ${name}${mark.readAll ? ' with all sound in its file read' : ''}.`,
          {
            markId: row.id,
            ...mark,
            recordSha256: markRecordSha256(row),
          },
        );
        return markOf(row);
      },
      () => [evidenceId],
    );
  }

  /** @throws UserFacingError `not-found` */
  updateMark(evidenceId: number, markId: number, edit: Partial<Omit<Mark, 'id' | 'createdAt' | 'readAll'>>): Mark {
    const { name } = this.#evidenceRow(evidenceId);
    const { id, createdAt, ...before } = markOf(this.#markRow(evidenceId, markId));
    const after = { ...before, ...definedOf(edit) };
    const changes = changesOf(before, after);
    if (Object.keys(changes).length > 0) {
      this.#write(
        () => {
          this.#prepare(
            'UPDATE marks SET start_seconds = ?, end_seconds = ?, text = ?, in_report = ? WHERE id = ?',
          ).run(after.startSeconds, after.endSeconds, after.text, after.inReport ? 1 : 0, markId);
          this.#append('mark-updated', evidenceId, `Changed the mark at ${spanText(after)} of ${name}.`, {
            markId,
            changes,
            recordSha256: markRecordSha256(this.#markRow(evidenceId, markId)),
          });
        },
        () => [evidenceId],
      );
    }
    return { id, ...after, createdAt };
  }

  /** @throws UserFacingError `not-found` */
  removeMark(evidenceId: number, markId: number): void {
    const { name } = this.#evidenceRow(evidenceId);
    const mark = markOf(this.#markRow(evidenceId, markId));
    this.#write(
      () => {
        this.#prepare('DELETE FROM marks WHERE id = ?').run(markId);
        this.#append('mark-removed', evidenceId, `Removed the mark at ${spanText(mark)} of ${name}.`, {
          markId,
          text: mark.text,
          recordSha256: null,
        });
      },
      () => [evidenceId],
    );
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Analyses

  /** @throws UserFacingError `not-found` */
  analysis(id: number): Analysis {
    return this.#tell(() => {
      const stored = this.#prepare<[number], StoredAnalysis>('SELECT * FROM analyses WHERE id = ?').get(id);
      if (!stored) throw new UserFacingError('not-found', `There is no analysis ${id} in this case.`);
      const row = this.#evidenceRow(stored.evidence_id);
      return this.#analysisOf(stored, row);
    });
  }

  /** Every analysis of an item, the first made first. @throws UserFacingError `not-found` */
  analysesOf(evidenceId: number): Analysis[] {
    return this.#tell(() => {
      const row = this.#evidenceRow(evidenceId);
      return this.#analysisRows(evidenceId).map((stored) => this.#analysisOf(stored, row));
    });
  }

  /** Keeps an analysis and logs it. Of one of the whole recording, the table shows the finding from now on. */
  addAnalysis(analysis: NewAnalysis): Analysis {
    const id = this.#write(
      () => {
        const [stored] = this.#storeAnalyses([analysis]);
        return stored;
      },
      () => [analysis.evidenceId],
    );
    return this.analysis(id);
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Scans

  /**
   * Queues items for a scan; those that wait for another already are left to it.
   * @returns the scan's id, and how many items are queued for it
   */
  beginScan(
    request: ScanRequest & { modelName: string },
    evidenceIds: readonly number[],
  ): { scanId: number; queued: number } {
    const row = {
      started_at: this.#now(),
      model: request.model,
      model_sha256: request.modelSha256,
      channel: JSON.stringify(request.channel),
      stream: request.stream,
      read_all: request.readAll ? 1 : 0,
    };
    return this.#beginning(scanWork(row), () => {
      const { read_all: readAll, ...columns } = row;
      const { lastInsertRowid } = this.#prepare(`INSERT INTO scans VALUES (NULL, ?, ?, ?, ?, ?, 0, 'running', ?)`).run(
        ...Object.values(columns),
        readAll,
      );
      const scanId = Number(lastInsertRowid);
      const queue = this.#prepare(
        'INSERT OR IGNORE INTO scan_queue SELECT id, ? FROM evidence WHERE id = ? AND removed_at IS NULL',
      );
      const mark = this.#prepare(`UPDATE evidence SET scan = 'queued' WHERE id = ?`);
      let queued = 0;
      for (const id of evidenceIds) {
        if (queue.run(scanId, id).changes === 0) continue;
        mark.run(id);
        queued++;
      }
      this.#prepare('UPDATE scans SET total = ? WHERE id = ?').run(queued, scanId);
      this.#append(
        'scan-started',
        null,
        `Began to scan ${queued} ${queued === 1 ? 'item' : 'items'}${readingText(request.readAll)} with ${request.modelName}.`,
        {
          scanId,
          items: queued,
          model: { name: request.modelName, sha256: request.modelSha256 },
          channel: request.channel,
          stream: request.stream,
          ...(request.readAll ? { readAll: true } : {}),
        },
      );
      return { scanId, queued };
    });
  }

  /** Scans that have not ended, the first begun first. */
  openScans(): OpenScan[] {
    return this.#tell(() =>
      this.#scanRows()
        .filter((row) => this.#hasBegun(scanWork(row)))
        .map((row) => ({
          id: row.id,
          startedAt: row.started_at,
          model: row.model,
          modelSha256: row.model_sha256,
          channel: JSON.parse(row.channel) as OpenScan['channel'],
          stream: row.stream,
          readAll: row.read_all === 1,
          total: row.total,
          left: row.left,
        })),
    );
  }

  #scanRows(): ScanRow[] {
    return this.#prepare<[], ScanRow>(
      `SELECT scans.*, (SELECT count(*) FROM scan_queue WHERE scan_id = scans.id) AS left FROM scans
         WHERE state = 'running' ORDER BY id`,
    ).all();
  }

  /** Items that a scan has yet to score, in order. */
  queuedFor(scanId: number): number[] {
    const sql = 'SELECT evidence_id FROM scan_queue WHERE scan_id = ? ORDER BY evidence_id';
    return this.#tell(() => this.#prepare<[number], number>(sql).pluck().all(scanId));
  }

  /** Items that a worker is at, for the table. */
  setRunning(evidenceId: number, running: boolean): void {
    if (running) this.#running.add(evidenceId);
    else this.#running.delete(evidenceId);
    this.onChange({ evidence: [evidenceId] });
  }

  /** No item is worked on any more. */
  clearRunning(): void {
    const ids = [...this.#running];
    this.#running.clear();
    if (ids.length > 0) this.onChange({ evidence: ids });
  }

  /**
   * Keeps the results of a scan's items: results, rows of the log and the queue in one transaction, so that nothing is scored
   * twice and nothing is lost. What is no longer queued for this scan is left out.
   * @param done all analyses of each item
   */
  finishItems(scanId: number, done: readonly { evidenceId: number; analyses: NewAnalysis[] }[]): void {
    this.#write(
      () => {
        const take = this.#prepare('DELETE FROM scan_queue WHERE evidence_id = ? AND scan_id = ?');
        for (const { evidenceId, analyses } of done) {
          this.#running.delete(evidenceId);
          if (take.run(evidenceId, scanId).changes > 0) this.#storeAnalyses(analyses);
        }
      },
      () => done.map(({ evidenceId }) => evidenceId),
    );
  }

  /** Ends a scan; what it has not scored is as it was before. */
  endScan(scanId: number, state: 'done' | 'cancelled' | 'failed', why = ''): void {
    this.#write(
      () => this.#endScan(scanId, state, why),
      () => null,
    );
  }

  #endScan(scanId: number, state: 'done' | 'cancelled' | 'failed', why: string): void {
    const left = this.queuedFor(scanId);
    const restore = this.#prepare(
      `UPDATE evidence SET scan = CASE WHEN latest_analysis IS NULL THEN 'none' WHEN error IS NOT NULL THEN 'failed'
         ELSE 'done' END WHERE id = ?`,
    );
    for (const id of left) restore.run(id);
    this.#prepare('DELETE FROM scan_queue WHERE scan_id = ?').run(scanId);
    for (const row of this.#scanRows()) if (row.id === scanId) this.#session?.library.end(this.id, scanWork(row));
    const { changes } = this.#prepare(`UPDATE scans SET state = ? WHERE id = ? AND state = 'running'`).run(
      state,
      scanId,
    );
    if (changes === 0) return;
    const words = { done: 'Finished', cancelled: 'Cancelled', failed: 'Gave up' }[state];
    const rest =
      left.length === 0 ? '' : ` ${left.length} ${left.length === 1 ? 'item was' : 'items were'} not scored.`;
    this.#append('scan-ended', null, `${words} the scan.${rest}`, { scanId, state, notScored: left.length, why });
  }

  /**
   * Ids for a scan of `new` items (never scanned, with another model, or failed for what may have passed: their drive was
   * away, the machine ended their decoder), of `failed` ones, or of all. One whose file changed since its intake is not
   * new: it is something else than the case holds, and scanned only when it is chosen.
   */
  idsToScan(which: 'new' | 'failed' | 'all', modelSha256: string): number[] {
    const conditions = {
      all: '1',
      failed: `scan = 'failed'`,
      new: `changed = 0 AND (${unscanned} OR model_sha256 IS NOT $model)`,
    };
    const sql = `SELECT id FROM evidence WHERE removed_at IS NULL AND ${conditions[which]} ORDER BY id`;
    return this.#tell(() => {
      const query = this.#prepare<unknown[], number>(sql).pluck();
      return which === 'new' ? query.all({ model: modelSha256 }) : query.all();
    });
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Intakes that were begun, so that they go on after a crash

  beginIntake(request: unknown): number {
    const row = { started_at: this.#now(), request: JSON.stringify(request) };
    return this.#beginning(intakeWork(row), () => {
      const { lastInsertRowid } = this.#prepare('INSERT INTO intakes VALUES (NULL, ?, ?)').run(
        row.started_at,
        row.request,
      );
      return Number(lastInsertRowid);
    });
  }

  /** Notes work in the data folder, then begins it: what was killed in between was not begun. */
  #beginning<T>(work: string, begin: () => T): T {
    const library = this.#session?.library;
    library?.begin(this.id, work);
    try {
      return this.#write(begin, () => null);
    } catch (error) {
      library?.end(this.id, work);
      throw error;
    }
  }

  openIntakes(): { id: number; request: unknown }[] {
    return this.#tell(() =>
      this.#intakeRows()
        .filter((row) => this.#hasBegun(intakeWork(row)))
        .map(({ id, request }) => ({ id, request: JSON.parse(request) as unknown })),
    );
  }

  endIntake(id: number): void {
    this.#write(() => {
      for (const row of this.#intakeRows()) {
        if (row.id === id) this.#session?.library.end(this.id, intakeWork(row));
      }
      this.#prepare('DELETE FROM intakes WHERE id = ?').run(id);
    });
  }

  #intakeRows(): IntakeRow[] {
    return this.#prepare<[], IntakeRow>('SELECT id, started_at, request FROM intakes ORDER BY id').all();
  }

  /** Whether a piece of work was begun here, as it stands in the case; what others put there does not start by itself. */
  #hasBegun(work: string): boolean {
    return this.#session?.library.hasBegun(this.id, work) ?? false;
  }

  /** Inside a transaction: ends work that was not begun here, and forgets what was begun here and is gone. */
  #dropForeignWork(): void {
    const own: string[] = [];
    for (const row of this.#intakeRows()) {
      const work = intakeWork(row);
      if (this.#hasBegun(work)) own.push(work);
      else this.#prepare('DELETE FROM intakes WHERE id = ?').run(row.id);
    }
    for (const row of this.#scanRows()) {
      const work = scanWork(row);
      if (this.#hasBegun(work)) own.push(work);
      else this.#endScan(row.id, 'cancelled', 'It was not begun here.');
    }
    this.#session?.library.keepWork(this.id, own);
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Custody log

  /** Rows of the log, the latest first. */
  log(query: { evidenceId?: number; offset: number; limit: number }): { total: number; rows: CustodyRow[] } {
    return this.#tell(() => {
      const where = query.evidenceId === undefined ? '1' : 'evidence_id = ?';
      const values = query.evidenceId === undefined ? [] : [query.evidenceId];
      const total = this.#prepare<unknown[], number>(`SELECT count(*) FROM custody_log WHERE ${where}`)
        .pluck()
        .get(...values) as number;
      const rows = this.#prepare<unknown[], StoredCustodyRow>(
        `SELECT * FROM custody_log WHERE ${where} ORDER BY position DESC LIMIT ? OFFSET ?`,
      ).all(...values, query.limit, query.offset);
      return { total, rows: rows.map(custodyRowOf) };
    });
  }

  /** Appends a row to the log for what happens outside of the store. */
  note(
    action: string,
    summary: string,
    details: Record<string, unknown>,
    evidenceId: number | null = null,
  ): CustodyHead {
    this.#write(() => this.#append(action, evidenceId, summary, details));
    return this.head;
  }

  // -------------------------------------------------------------------------------------------------------------------------
  // Reports

  /** The number that the next report bears: the case's, `/` and a count. */
  nextReportNumber(): string {
    const { number } = this.details();
    const taken = new Set(this.reports().map((report) => report.number));
    let count = taken.size + 1;
    while (taken.has(`${number}/${count}`)) count++;
    return `${number}/${count}`;
  }

  /** Reports that were issued, the first one first. */
  reports(): IssuedReport[] {
    const sql = 'SELECT number, issued_at, log_position, sha256, pages, amends FROM reports ORDER BY rowid';
    return this.#tell(() => this.#prepare<[], StoredReport>(sql).all().map(issuedOf));
  }

  /** @throws UserFacingError `not-found` */
  report(number: string): ReportRecord {
    return this.#tell(() => {
      const row = this.#prepare<[string], StoredReport>('SELECT * FROM reports WHERE number = ?').get(number);
      if (!row) {
        const known = this.reports().map((report) => report.number);
        throw new UserFacingError('not-found', `This case has no report ${number}.`, {
          advice: known.length > 0 ? `There are: ${known.join(', ')}.` : 'None was issued yet.',
        });
      }
      return { ...issuedOf(row), request: JSON.parse(row.request) as ReportRequest, data: row.data };
    });
  }

  /**
   * Keeps a report that was made and logs it.
   * @param report `logPosition` is the row of the log up to which the report says what the case holds; `data` is everything that
   * makes it again
   * @throws UserFacingError `exists` where the number is taken
   */
  addReport(report: ReportRecord): IssuedReport {
    return this.#write(() => {
      const row: StoredReport = {
        number: report.number,
        issued_at: report.issuedAt,
        log_position: report.logPosition,
        sha256: report.sha256,
        pages: report.pages,
        amends: report.amends,
        request: canonicalJson(report.request),
        data: report.data,
      };
      if (this.#prepare('SELECT 1 FROM reports WHERE number = ?').get(report.number)) {
        throw new UserFacingError('exists', `The number ${report.number} is that of another report of this case.`);
      }
      this.#prepare('INSERT INTO reports VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(...(Object.values(row) as unknown[]));
      const amends = report.amends === null ? '' : `, which amends ${report.amends}`;
      this.#append('report-issued', null, `Issued the report ${report.number}${amends}.`, {
        number: report.number,
        issuedAt: report.issuedAt,
        logPosition: report.logPosition,
        sha256: report.sha256,
        pages: report.pages,
        amends: report.amends,
        recordSha256: reportRecordSha256(row),
      });
      return issuedOf(row);
    });
  }

  // -------------------------------------------------------------------------------------------------------------------------

  #actor(): string {
    return this.#session?.actor() || systemActor();
  }

  /** Where and by what the case is worked on, for the log. */
  #place(): Record<string, unknown> {
    return { program: this.#session?.program ?? '', user: systemActor(), host: hostname(), folder: this.folder };
  }

  /** The list in the data folder learns what became of the case. */
  #remember(): void {
    const library = this.#session?.library;
    if (!library) return;
    const { problem: _, ...entry } = this.summary();
    library.put(entry);
  }

  /** Why a log that is about to be written on is not the one that was signed; null where it is. */
  #brokenLog({ library }: Session, accepted: string | undefined): string | null {
    const last = library.head(this.id);
    if (last && last.deletedAt === null) {
      const sql = 'SELECT hash FROM custody_log WHERE position = ?';
      const hash = this.#prepare<[number], string>(sql).pluck().get(last.rows);
      const missing = missingRows(last, this.#head, hash ?? null);
      if (missing !== null) return missing;
    }
    const [difference] = schemaDifferences(this.#db);
    if (difference !== undefined) return `its database was altered (${difference})`;
    const signed = readHead(this.#db);
    if (!signed || signed.rows !== this.#head.rows || signed.hash !== this.#head.hash) {
      return 'its last row is not the one that was signed';
    }
    if (!signatureHolds(signed.publicKey, headMessage(this.id, this.#head), signed.signature)) {
      return 'its signature does not hold';
    }
    if (signed.publicKey === library.key.publicKey) return null;
    const known = library.knownKeys(this.id);
    if (known.length === 0 || known.some(({ publicKey }) => publicKey === signed.publicKey)) return null;
    if (accepted !== undefined && isFingerprintOf(accepted, signed.publicKey)) return null;
    return `it is signed with a key (${fingerprintOf(signed.publicKey)}) that this installation does not know`;
  }

  /** Goes on with a log that another installation, or this one with another key, has signed so far. */
  #takeOver(signer: { publicKey: string; signature: string }, accepted: string | undefined): void {
    this.#session?.library.learnKey(
      this.id,
      signer.publicKey,
      accepted === undefined ? 'opened here' : 'accepted here',
    );
    const fingerprint = fingerprintOf(signer.publicKey);
    this.#append(signerChanged, null, `Another installation goes on with the log; so far ${fingerprint} signed it.`, {
      publicKey: signer.publicKey,
      signature: signer.signature,
      fingerprint,
    });
    if (accepted === undefined) return;
    this.#append(signerAccepted, null, `Accepted that ${fingerprint} went on with the log.`, { fingerprint });
  }

  #append(action: string, evidenceId: number | null, summary: string, details: Record<string, unknown>): void {
    const time = this.#now();
    this.#tellLeaps(time);
    this.#appendRow({ time, actor: this.#actor(), action, evidenceId, summary, details });
  }

  #appendRow(entry: CustodyEntry): void {
    this.#head = (this.#custody as CustodyWriter).append(this.#head, entry);
    this.#latestTime = entry.time;
  }

  /** A row of its own where the clock cannot be right, or was set while this process ran. */
  #tellLeaps(time: string): void {
    if (this.#leap) return;
    const ofInstallation = this.#session?.library.latestRowTime ?? null;
    const drift = this.#clock.drift();
    const leap = drift ?? setBack(Date.parse(time), { ofCase: this.#latestTime, ofInstallation });
    if (!leap) return;
    this.#leap = drift ? 'drift' : 'set back';
    this.#appendRow({ time, actor: this.#actor(), action: clockLeap, evidenceId: null, ...leap });
  }

  #now(): string {
    return new Date(this.#clock.clocks.wall()).toISOString();
  }

  /**
   * One transaction: what `change` does and logs, and the new head's signature, or nothing of it. The list in the data folder keeps the
   * head with it.
   * @param touched the items that changed, for those who watch; null: any; without it, none
   */
  #write<T>(change: () => T, touched: (result: T) => number[] | null = () => []): T {
    if (this.readOnly || !this.#session)
      throw new UserFacingError('read-only', 'The case is open for reading only.', { path: this.folder });
    if (this.broken) throw this.broken;
    this.#requireDatabase();
    const before = { head: this.#head, time: this.#latestTime };
    this.#leap = null;
    let result: T;
    try {
      result = this.#session.library.keeping(this.id, (keep) =>
        this.#inTransaction(() => {
          const value = change();
          if (this.#head !== before.head) {
            (this.#custody as CustodyWriter).sign(this.#head);
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

  #inTransaction<T>(change: () => T): T {
    try {
      return this.#db.transaction(change).immediate();
    } catch (error) {
      throw toldOfDatabase(this.#path, error);
    }
  }

  /**
   * Whether the database that is open still lies where it lay. What is written into a deleted one is gone with it.
   * @throws UserFacingError `missing`
   */
  #requireDatabase(): void {
    const problem = this.lost();
    if (problem) throw problem;
  }

  /** Why nothing that is written now would stay: the database was deleted or replaced under the open case. */
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

  /** A statement, compiled once. */
  #prepare<Values extends unknown[] = unknown[], Row = unknown>(sql: string): Database.Statement<Values, Row> {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement as Database.Statement<Values, Row>;
  }

  #tell<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw toldOfDatabase(this.#path, error);
    }
  }

  #caseRow(): StoredCase {
    return this.#tell(() => this.#prepare<[], StoredCase>('SELECT * FROM case_details').get() as StoredCase);
  }

  #evidenceRow(id: number): StoredEvidence {
    const row = this.#tell(() =>
      this.#prepare<[number], StoredEvidence>('SELECT * FROM evidence WHERE id = ?').get(id),
    );
    // One that is being taken out is still read, for the log.
    if (!row || (row.removed_at !== null && !this.#db.inTransaction)) {
      throw new UserFacingError('not-found', `There is no item ${id} in this case.`, {
        advice: 'It may have been taken out of it.',
      });
    }
    return row;
  }

  #metadataRow(id: number): StoredMetadata {
    const sql = 'SELECT metadata, audio FROM evidence_metadata WHERE evidence_id = ?';
    return this.#prepare<[number], StoredMetadata>(sql).get(id) ?? { metadata: '[]', audio: null };
  }

  #evidenceSha256(id: number): string {
    return evidenceRecordSha256(this.#evidenceRow(id), this.#metadataRow(id));
  }

  #markRow(evidenceId: number, markId: number): StoredMark {
    const sql = 'SELECT * FROM marks WHERE id = ? AND evidence_id = ?';
    const row = this.#tell(() => this.#prepare<[number, number], StoredMark>(sql).get(markId, evidenceId));
    if (!row) throw new UserFacingError('not-found', `There is no mark ${markId} on this item.`);
    return row;
  }

  #fileOf(row: StoredEvidence): EvidenceFile {
    return evidenceFileOf(this.folder, row);
  }

  #rowOf(row: StoredEvidence): EvidenceRow {
    return evidenceRowOf(row, {
      path: row.copy_path === null ? row.path : copyPlace(this.folder, row.copy_path),
      state: this.#states.get(row.id) ?? (row.changed === 1 ? 'changed' : 'unchecked'),
      running: this.#running.has(row.id),
    });
  }

  #analysisRows(evidenceId: number): StoredAnalysis[] {
    const sql = 'SELECT * FROM analyses WHERE evidence_id = ? ORDER BY id';
    return this.#prepare<[number], StoredAnalysis>(sql).all(evidenceId);
  }

  #analysisOf(stored: StoredAnalysis, row: StoredEvidence): Analysis {
    const result = JSON.parse(stored.result) as NewAnalysis;
    return {
      ...result,
      id: stored.id,
      stale: isStale(row, result.fileSha256),
      resultSha256: stored.result_sha256,
      readAll: result.settings.readAll === true,
    };
  }

  /** Inside a transaction: keeps and logs analyses of one item. @returns their ids */
  #storeAnalyses(analyses: readonly NewAnalysis[]): number[] {
    const { evidenceId } = analyses[0];
    const { name } = this.#evidenceRow(evidenceId);
    const whole = analyses.filter(({ stretch }) => stretch === null);
    const shown = whole.length > 0 ? shownAnalysis(whole) : null;
    return analyses.map((analysis) => {
      const result = canonicalJson(analysis);
      const resultSha256 = sha256Hex(result);
      const { lastInsertRowid } = this.#prepare('INSERT INTO analyses VALUES (NULL, ?, ?, ?, ?, ?, ?)').run(
        evidenceId,
        analysis.time,
        analysis.stretch?.startSeconds ?? null,
        analysis.stretch?.endSeconds ?? null,
        result,
        resultSha256,
      );
      const id = Number(lastInsertRowid);
      if (analysis === shown) this.#show(evidenceId, name, id, analysis);
      const of = analysis.stretch === null ? name : `${spanText(analysis.stretch)} of ${name}`;
      const outcome = analysis.error
        ? `failed: ${analysis.error.message}`
        : `${analysis.finding === null ? 'failed' : findingWords[analysis.finding]}.`;
      this.#append(
        analysis.stretch === null ? 'scanned' : 'stretch-analysed',
        evidenceId,
        `Analysed ${of}${readingText(analysis.settings.readAll)} with ${analysis.modelName}: ${outcome}`,
        {
          analysisId: id,
          resultSha256,
          shown: analysis === shown,
          fileSha256: analysis.fileSha256,
          model: { name: analysis.modelName, sha256: analysis.modelSha256, status: analysis.modelStatus },
          application: analysis.provenance.application,
          backend: analysis.provenance.backend,
          settings: analysis.settings,
          channel: analysis.channel,
          stream: analysis.stream,
          stretch: analysis.stretch,
          finding: analysis.finding,
          score: analysis.score,
          error: analysis.error,
        },
      );
      return id;
    });
  }

  #show(evidenceId: number, name: string, analysisId: number, analysis: NewAnalysis): void {
    const derived = { ...derivedColumns(name, analysis, null), latest_analysis: analysisId };
    const columns = Object.keys(derived).map((column) => `${column} = $${column}`);
    this.#prepare(
      `UPDATE evidence SET ${columns.join(', ')}, scan = $scan, duration_seconds = coalesce($duration, duration_seconds)
         WHERE id = $id`,
    ).run({
      ...derived,
      scan: analysis.error ? 'failed' : 'done',
      duration: analysis.durationSeconds,
      id: evidenceId,
    });
  }
}

/** A row of `intakes`. */
interface IntakeRow {
  id: number;
  started_at: string;
  request: string;
}

/** A row of `scans` that is under way. */
interface ScanRow {
  id: number;
  started_at: string;
  model: string | null;
  model_sha256: string;
  channel: string;
  stream: number | null;
  read_all: number;
  total: number;
  left: number;
}

// What tells a piece of work from another one under the same number.

function intakeWork({ started_at, request }: Omit<IntakeRow, 'id'>): string {
  return `intake ${started_at} ${sha256Hex(request)}`;
}

function scanWork(row: Omit<ScanRow, 'id' | 'total' | 'left'>): string {
  const { started_at, model, model_sha256, channel, stream, read_all } = row;
  return `scan ${started_at} ${sha256Hex(canonicalJson([model, model_sha256, channel, stream, read_all]))}`;
}

function custodyBroken(folder: string, why: string, unknownSigner: boolean): UserFacingError {
  const sentence = why.replace(/\.$/, '');
  const read = 'It can be read, but nothing is added to it.';
  if (unknownSigner) {
    return new UserFacingError('unknown-signer', `It is not known who went on with this case: ${sentence}.`, {
      path: folder,
      advice: `${read} Ask whoever worked on it for the fingerprint of their key; \`earwitness case accept\` then goes on with it.`,
    });
  }
  return new UserFacingError('custody-broken', `The custody log of this case is not intact: ${sentence}.`, {
    path: folder,
    advice: `${read} Verify the case, and restore it from an export or a copy.`,
  });
}

function problemOf(error: UserFacingError | null): CaseSummary['problem'] {
  if (error === null) return null;
  const { code, message, path, advice } = error;
  return { code, message, ...(path ? { path } : {}), ...(advice ? { advice } : {}) };
}

function definedOf<T extends object>(edit: T): T {
  return Object.fromEntries(Object.entries(edit).filter(([, value]) => value !== undefined)) as T;
}

function changesOf(before: object, after: object): Record<string, { from: unknown; to: unknown }> {
  const old = before as Record<string, unknown>;
  const changed = Object.entries(after).filter(([name, value]) => old[name] !== value);
  return Object.fromEntries(changed.map(([name, to]) => [name, { from: old[name], to: to as unknown }]));
}

/** Names of fields as words: `customerContact` as `customer contact`. */
function listed(names: readonly string[]): string {
  const words = names.map((name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

function spanText({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number | null }): string {
  return endSeconds === null
    ? `${startSeconds.toFixed(2)} s`
    : `${startSeconds.toFixed(2)} s to ${endSeconds.toFixed(2)} s`;
}

/** Says in a sentence of the log that something is of a recording with all sound in its file. */
function readingText(readAll: unknown): string {
  return readAll === true ? ', with all sound in its file read,' : '';
}

/** Whether a hash that a sender gave (SHA-256 or MD5, in any case) is that of the file. */
function hashMatches(given: string, file: { sha256: string; md5: string }): boolean {
  const plain = given.trim().toLowerCase();
  return plain === file.sha256 || plain === file.md5;
}

function summaryOf(analysis: Analysis): AnalysisSummary {
  return {
    id: analysis.id,
    evidenceId: analysis.evidenceId,
    time: analysis.time,
    stretch: analysis.stretch,
    label: analysis.label,
    channel: analysis.channel,
    stream: analysis.stream,
    readAll: analysis.readAll,
    modelName: analysis.modelName,
    modelSha256: analysis.modelSha256,
    modelStatus: analysis.modelStatus,
    finding: analysis.finding,
    score: analysis.score,
    llr: analysis.llr,
    error: analysis.error,
    stale: analysis.stale,
    resultSha256: analysis.resultSha256,
  };
}

function custodyRowOf(row: StoredCustodyRow): CustodyRow {
  let details: Record<string, unknown>;
  try {
    details = JSON.parse(row.details) as Record<string, unknown>;
  } catch {
    // Tampered with: verify says so; the log is still shown.
    details = { unreadable: row.details };
  }
  return {
    position: row.position,
    time: row.time,
    actor: row.actor,
    action: row.action,
    evidenceId: row.evidence_id,
    summary: row.summary,
    details,
    hash: row.hash,
  };
}

function issuedOf(row: StoredReport): IssuedReport {
  return {
    number: row.number,
    issuedAt: row.issued_at,
    logPosition: row.log_position,
    sha256: row.sha256,
    pages: row.pages,
    amends: row.amends,
  };
}
