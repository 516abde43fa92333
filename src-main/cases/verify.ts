/** Checks a case as a whole: log, signature, database, every file, every result, every report. */
import type { CustodyHead, Verification } from '../../src-preload/contract.ts';
import { sha256File } from '../audio/hash.ts';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { NamedFile } from '../base/openable-path.ts';
import { WorkerPool } from '../base/pool.ts';
import { workerFile } from '../base/workers.ts';
import { sha256Hex } from './canonical.ts';
import { emptyHead, readHead, walkChain } from './custody.ts';
import type { ChainFindings } from './custody.ts';
import { absence } from './absence.ts';
import { databasePath, schemaDifferences, telling } from './database.ts';
import { derivedColumns } from './evidence-table.ts';
import { fingerprintOf, headMessage, signatureHolds } from './keys.ts';
import { Library } from './library.ts';
import { caseRecordSha256, evidenceRecordSha256, markRecordSha256, reportRecordSha256 } from './records.ts';
import type {
  StoredAnalysis,
  StoredCase,
  StoredEvidence,
  StoredMark,
  StoredMetadata,
  StoredReport,
} from './records.ts';
import { CaseStore } from './store.ts';
import type { NewAnalysis } from './store.ts';

type Check = Verification['checks'][number];

/** What a case is checked against. */
export interface VerifyRequest {
  folder: string;
  /** The data folder, which knows keys and heads. */
  home: string;
  /** A head that a report or an export names. */
  expectHead?: string | undefined;
  /** Fingerprint of the key that should have signed, as `earwitness case show` gives it where the case was made. */
  expectKey?: string | undefined;
  /** For a case from elsewhere, on import: an unknown key is taken as it is, and only copies of evidence are looked at. */
  fromElsewhere?: boolean;
  /** SHA-256 of a file that may be a report of this case. */
  reportSha256?: string | undefined;
}

/** What the database alone says. */
export interface RecordFindings {
  caseId: string;
  head: CustodyHead;
  /** The key that signed the head, SPKI, base64. */
  publicKey: string | null;
  checks: Check[];
  /** Files that are yet to be hashed. */
  files: (NamedFile & { id: number; name: string; sha256: string })[];
}

/** With no more than this many of a kind, those that hold are named one by one too. */
const namedOneByOne = 200;

function listSome(faults: readonly string[]): string {
  const shown = faults.slice(0, 5).join(' ');
  return faults.length > 5 ? `${shown} And ${faults.length - 5} more.` : shown;
}

/** Failures one by one; what holds one by one or, of many, in one line. */
function gathered(subject: Check['subject'], checks: readonly Check[], all: (count: number) => Check): Check[] {
  const holding = checks.filter(({ holds }) => holds);
  const failing = checks.filter(({ holds }) => !holds);
  if (checks.length <= namedOneByOne) return [...checks];
  return holding.length > 0 ? [...failing, { ...all(holding.length), subject }] : failing;
}

/** Checks everything but the files of the evidence. Reads the database beside whoever has it open; takes its time. */
export function verifyRecords(request: VerifyRequest): RecordFindings {
  const store = CaseStore.read(request.folder);
  try {
    // All of it as of one moment.
    return telling(databasePath(request.folder), () => store.database.transaction(() => recordsOf(store, request))());
  } finally {
    store.close();
  }
}

interface Logged {
  evidence: Map<number, unknown>;
  marks: Map<number, unknown>;
  caseRecord: unknown;
  analyses: Map<number, { evidenceId: number | null; resultSha256: unknown }>;
  shown: Map<number | null, unknown>;
  reports: Map<string, unknown>;
}

function recordsOf(store: CaseStore, request: VerifyRequest): RecordFindings {
  const db = store.database;
  const checks: Check[] = [];
  const add = (subject: Check['subject'], name: string, holds: boolean, sentence: string): void => {
    checks.push({ subject, name, holds, sentence });
  };

  const integrity = db.prepare<[], string>('PRAGMA integrity_check(20)').pluck().all();
  const orphans = db.prepare('PRAGMA foreign_key_check').all().length;
  const faults = integrity[0] === 'ok' ? [] : integrity.map((fault) => `${fault}.`);
  if (orphans > 0) faults.push(`${orphans} rows refer to what is not there.`);
  for (const difference of schemaDifferences(db)) faults.push(`In the schema, ${difference}.`);
  add('database', 'structure', faults.length === 0, faults.length === 0 ? 'The database is sound.' : listSome(faults));

  const logged: Logged = {
    evidence: new Map(),
    marks: new Map(),
    caseRecord: undefined,
    analyses: new Map(),
    shown: new Map(),
    reports: new Map(),
  };
  const chain = walkChain(db, store.id, (row, details) => {
    const { recordSha256 } = details;
    const { markId, number, analysisId } = details;
    if (typeof markId === 'number') logged.marks.set(markId, recordSha256);
    else if (row.action === 'report-issued' && typeof number === 'string') logged.reports.set(number, recordSha256);
    else if (typeof analysisId === 'number') {
      logged.analyses.set(analysisId, {
        evidenceId: row.evidence_id,
        resultSha256: details['resultSha256'],
      });
      if (details['shown'] === true) logged.shown.set(row.evidence_id, analysisId);
    } else if (recordSha256 !== undefined) {
      if (row.evidence_id === null) logged.caseRecord = recordSha256;
      else logged.evidence.set(row.evidence_id, recordSha256);
    }
  });
  const head = { rows: chain.rows, hash: chain.hash };
  add(
    'chain',
    'custody log',
    chain.faults.length === 0 && chain.rows > 0,
    chain.rows === 0
      ? 'The log is empty.'
      : chain.faults.length === 0
        ? `All ${chain.rows} rows of the log follow one another.`
        : listSome(chain.faults),
  );
  const signed = readHead(db);
  checks.push(signatureCheck(store, request, head, signed, chain));
  checks.push(...headChecks(store, request, head, chain.positionOf));

  const caseRow = db.prepare<[], StoredCase>('SELECT * FROM case_details').get() as StoredCase;
  const caseHolds = caseRecordSha256(caseRow) === logged.caseRecord;
  add(
    'database',
    'case details',
    caseHolds,
    caseHolds
      ? 'The details of the case are as the log has them.'
      : 'The details of the case were changed past the log.',
  );

  const files = evidenceRecords(db, store, logged, request.fromElsewhere === true, add);
  checks.push(...resultChecks(db, logged));
  checks.push(...reportChecks(db, logged, request));
  return { caseId: store.id, head, publicKey: signed?.publicKey ?? null, checks, files };
}

function signatureCheck(
  store: CaseStore,
  { home, expectHead, expectKey, fromElsewhere }: VerifyRequest,
  head: CustodyHead,
  signed: ReturnType<typeof readHead>,
  chain: ChainFindings,
): Check {
  const check = (holds: boolean, sentence: string): Check => ({ subject: 'signature', name: 'head', holds, sentence });
  if (!signed) return check(false, 'The log is not signed.');
  const key = fingerprintOf(signed.publicKey);
  if (signed.rows !== head.rows || signed.hash !== head.hash) {
    const sentence =
      signed.rows === head.rows
        ? 'The signed head is not the last row of the log.'
        : `The log has ${head.rows} rows; ${signed.rows} were signed.`;
    return check(false, sentence);
  }
  if (!signatureHolds(signed.publicKey, headMessage(store.id, head), signed.signature)) {
    return check(false, 'The signature of the head does not hold.');
  }
  if (chain.signatureFaults.length > 0) return check(false, listSome(chain.signatureFaults));
  if (expectKey !== undefined) {
    const plain = (text: string): string => text.toLowerCase().replace(/[^0-9a-f]/g, '');
    if (plain(expectKey) === plain(key)) return check(true, `The head is signed by the key expected (${key}).`);
    return check(false, `The head is signed by the key ${key}, not by ${expectKey}.`);
  }
  const library = Library.open(home);
  try {
    if (library.key.publicKey === signed.publicKey)
      return check(true, `The head is signed by this installation (${key}).`);
    const known = library.knownKeys(store.id);
    const found = known.find(({ publicKey }) => publicKey === signed.publicKey);
    if (found) {
      return check(true, `The head is signed by another installation (${key}), known since ${found.knownSince}.`);
    }
    if (fromElsewhere && known.length === 0) {
      return check(true, `The head is signed by another installation (${key}), which is taken as it is.`);
    }
    if (known.length === 0 && expectHead !== undefined && chain.positionOf(expectHead.toLowerCase()) !== null) {
      return check(
        true,
        `The head is signed by an installation (${key}) that this one does not know; the expected head vouches for the rows up to it.`,
      );
    }
    return check(
      false,
      known.length > 0
        ? `The head is signed by a key (${key}) that is none of those that this case was signed with so far: the log was rewritten elsewhere.`
        : `The head is signed by an installation (${key}) that this one does not know, so it cannot be told whether the log was rewritten. Compare the key with the one where the case was made and give it with --expect-key.`,
    );
  } finally {
    library.close();
  }
}

function headChecks(
  store: CaseStore,
  { home, expectHead }: VerifyRequest,
  head: CustodyHead,
  positionOf: (hash: string) => number | null,
): Check[] {
  const checks: Check[] = [];
  const add = (name: string, holds: boolean, sentence: string): void => {
    checks.push({ subject: 'head', name, holds, sentence });
  };
  if (expectHead !== undefined) {
    const position = positionOf(expectHead.toLowerCase());
    const since = head.rows - (position ?? 0);
    if (position === null) add('expected head', false, `No row of the log has the hash ${expectHead}.`);
    else if (since === 0) add('expected head', true, `The log ends with the row expected (${position}).`);
    else add('expected head', true, `Row ${position} has the hash expected; ${since} were added since.`);
  }
  const library = Library.open(home);
  const last = library.lastHead(store.id, store.folder);
  library.close();
  if (last) {
    const holds = positionOf(last.hash) === last.rows;
    const sentence = holds
      ? `The log holds the ${last.rows === 1 ? 'row' : `${last.rows} rows`} that it had when it was last open here.`
      : `When it was last open here, the log had ${last.rows} rows that it does not have now: it was cut, rewritten or replaced by an older copy.`;
    add('head last seen here', holds, sentence);
  }
  return checks;
}

function evidenceRecords(
  db: CaseStore['database'],
  store: CaseStore,
  logged: Logged,
  fromElsewhere: boolean,
  add: (subject: Check['subject'], name: string, holds: boolean, sentence: string) => void,
): RecordFindings['files'] {
  const files: RecordFindings['files'] = [];
  const metadata = db.prepare<[number], StoredMetadata>(
    'SELECT metadata, audio FROM evidence_metadata WHERE evidence_id = ?',
  );
  const result = db.prepare<[number | null], string>('SELECT result FROM analyses WHERE id = ?').pluck();
  const ids = new Set<number>();
  for (const row of db.prepare<[], StoredEvidence>('SELECT * FROM evidence ORDER BY id').iterate()) {
    ids.add(row.id);
    const record = evidenceRecordSha256(row, metadata.get(row.id) ?? { metadata: '', audio: null });
    if (record !== logged.evidence.get(row.id)) {
      const how = logged.evidence.has(row.id) ? 'is not as the log has it' : 'is not in the log';
      add('evidence', row.name, false, `What the case says of item ${row.id} ${how}.`);
    }
    if ((row.latest_analysis ?? undefined) !== logged.shown.get(row.id)) {
      add('result', row.name, false, `The result shown for item ${row.id} is not the latest of the log.`);
    } else {
      const shown = row.latest_analysis === null ? null : parsedAnalysis(result.get(row.latest_analysis));
      const derived = derivedColumns(row.name, shown);
      const stored = row as unknown as Record<string, unknown>;
      if (Object.entries(derived).some(([column, value]) => stored[column] !== value)) {
        add('result', row.name, false, `The list shows other figures for item ${row.id} than its result holds.`);
      }
    }
    const looked = row.removed_at === null && (row.copy_path !== null || !fromElsewhere);
    if (looked) files.push({ ...store.file(row.id), id: row.id, name: row.name, sha256: row.sha256 });
  }
  for (const id of logged.evidence.keys()) {
    if (!ids.has(id)) add('evidence', `item ${id}`, false, `Item ${id} of the log is gone from the case.`);
  }
  const markIds = new Set<unknown>();
  for (const row of db.prepare<[], StoredMark>('SELECT * FROM marks').iterate()) {
    markIds.add(row.id);
    if (markRecordSha256(row) !== logged.marks.get(row.id)) {
      add(
        'evidence',
        `mark ${row.id}`,
        false,
        `The mark ${row.id} on item ${row.evidence_id} is not as the log has it.`,
      );
    }
  }
  for (const [id, record] of logged.marks) {
    if (record !== null && !markIds.has(id))
      add('evidence', `mark ${id}`, false, `The mark ${id} is gone past the log.`);
  }
  return files;
}

/** A result that was tampered with may be anything. */
function parsedAnalysis(text: string | undefined): NewAnalysis | null {
  try {
    const analysis = JSON.parse(text ?? '') as NewAnalysis;
    return Array.isArray(analysis.reasons) ? analysis : null;
  } catch {
    return null;
  }
}

function resultChecks(db: CaseStore['database'], logged: Logged): Check[] {
  const checks: Check[] = [];
  const seen = new Set<unknown>();
  for (const row of db.prepare<[], StoredAnalysis>('SELECT * FROM analyses ORDER BY id').iterate()) {
    seen.add(row.id);
    const sha256 = sha256Hex(row.result);
    const entry = logged.analyses.get(row.id);
    const analysis = parsedAnalysis(row.result);
    let wrong: string | null = null;
    if (!entry) wrong = 'is not in the log';
    else if (sha256 !== entry.resultSha256) wrong = 'was changed: its SHA-256 is not the one in the log';
    else if (sha256 !== row.result_sha256) wrong = 'bears another SHA-256 than the log';
    else if (
      entry.evidenceId !== row.evidence_id ||
      analysis?.time !== row.time ||
      (analysis.stretch?.startSeconds ?? null) !== row.start_seconds ||
      (analysis.stretch?.endSeconds ?? null) !== row.end_seconds
    ) {
      wrong = 'was put to another item, time or stretch';
    }
    const name = `analysis ${row.id}`;
    const sentence = `The result of analysis ${row.id} (item ${row.evidence_id}) ${wrong ?? 'is the one in the log'}.`;
    checks.push({ subject: 'result', name, holds: wrong === null, sentence });
  }
  for (const id of logged.analyses.keys()) {
    if (seen.has(id)) continue;
    const sentence = `The result of analysis ${id} is gone, though the log has it.`;
    checks.push({ subject: 'result', name: `analysis ${id}`, holds: false, sentence });
  }
  return gathered('result', checks, (count) => ({
    subject: 'result',
    name: 'results',
    holds: true,
    sentence: `${count} results are those in the log.`,
  }));
}

function reportChecks(db: CaseStore['database'], logged: Logged, { reportSha256 }: VerifyRequest): Check[] {
  const checks: Check[] = [];
  const add = (name: string, holds: boolean, sentence: string): void => {
    checks.push({ subject: 'report', name, holds, sentence });
  };
  const rows = db.prepare<[], StoredReport>('SELECT * FROM reports ORDER BY rowid').all();
  for (const row of rows) {
    const holds = reportRecordSha256(row) === logged.reports.get(row.number);
    const sentence = holds ? 'is kept as it was issued' : 'is not kept as it was issued';
    add(row.number, holds, `The report ${row.number} ${sentence}.`);
  }
  for (const number of logged.reports.keys()) {
    if (!rows.some((row) => row.number === number)) {
      add(number, false, `The report ${number} is gone, though the log has it.`);
    }
  }
  if (reportSha256 !== undefined) {
    const issued = rows.find(({ sha256 }) => sha256 === reportSha256);
    if (issued) add('the file given', true, `The file is the report ${issued.number}, issued ${issued.issued_at}.`);
    else
      add('the file given', false, 'The file is none of the reports that this case issued, or it was changed since.');
  }
  return checks;
}

/** What of a verification is told while it goes on. */
export interface VerifyProgress {
  onProgress?: (done: number, total: number) => void;
  /** Gets each item with whether its file is what was taken in. */
  onFile?: (id: number, holds: boolean) => void;
  signal?: AbortSignal;
}

/** Files hashed side by side. */
const lanes = 2;

/**
 * Checks a case as a whole. The database is read in a thread of its own, beside whoever has it open.
 * @throws UserFacingError `missing`, `newer-version` and the like where it cannot be opened; the signal's reason. A database that is
 * damaged is a check that does not hold.
 */
export async function verifyCase(request: VerifyRequest, progress: VerifyProgress = {}): Promise<Verification> {
  const { signal } = progress;
  signal?.throwIfAborted();
  const pool = new WorkerPool<VerifyRequest, RecordFindings>(workerFile('cases/verify-worker'), 1, null);
  const stop = (): void => void pool.close();
  signal?.addEventListener('abort', stop, { once: true });
  let records: RecordFindings;
  try {
    records = await pool.run(request);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof UserFacingError && error.code === 'damaged')) throw error;
    const check: Check = { subject: 'database', name: 'structure', holds: false, sentence: error.message };
    return { intact: false, time: new Date().toISOString(), head: emptyHead, checks: [check] };
  } finally {
    signal?.removeEventListener('abort', stop);
    await pool.close();
  }
  return withFiles(records, progress);
}

/** Hashes the files of a case whose records were checked. @throws the signal's reason. */
export async function withFiles(records: RecordFindings, progress: VerifyProgress = {}): Promise<Verification> {
  const { signal, onProgress, onFile } = progress;
  const { files, head } = records;
  const time = new Date().toISOString();
  const fileChecks: Check[] = new Array<Check>(files.length);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < files.length) {
      const at = next++;
      const file = files[at];
      const { sha256, sentence } = await hashed(file, signal);
      const holds = sha256 === file.sha256;
      onFile?.(file.id, holds);
      fileChecks[at] = { subject: 'evidence', name: file.name, holds, sentence };
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const checks = [
    ...records.checks,
    ...gathered('evidence', fileChecks, (count) => ({
      subject: 'evidence',
      name: 'files',
      holds: true,
      sentence: `${count} files are what was taken in.`,
    })),
  ];
  return { intact: checks.every(({ holds }) => holds), time, head, checks };
}

async function hashed(
  file: RecordFindings['files'][number],
  signal?: AbortSignal,
): Promise<{ sha256: string | null; sentence: string }> {
  try {
    const sha256 = await withOpenablePath(file, (path) => sha256File(path, signal));
    const holds = sha256 === file.sha256;
    return { sha256, sentence: `${file.name} ${holds ? 'is' : 'is no longer'} what was taken in.` };
  } catch (error) {
    signal?.throwIfAborted();
    const told = unreadable(file.path, error);
    if (!(told instanceof UserFacingError)) throw error;
    return { sha256: null, sentence: await absence(file, told) };
  }
}
