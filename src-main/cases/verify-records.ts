/** Checks what the database of a case says: log, signature, items, results, reports. */
import type Database from 'better-sqlite3';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { CustodyHead, Verification } from '../../src-common/schemas/custody.ts';
import { UserFacingError } from '../base/errors.ts';
import type { NamedFile } from '../base/openable-path.ts';
import { sha256Hex } from './canonical.ts';
import { readHead, walkChain } from './custody.ts';
import type { ChainFindings, StoredCustodyRow } from './custody.ts';
import { clockLeap, toleratedSetBackMilliseconds } from './clock.ts';
import { caseIdIn, databasePath, openDatabaseForReading, requireCase, schemaDifferences, telling } from './database.ts';
import { derivedColumns, storedAudio } from './evidence-table.ts';
import { fingerprintOf, headMessage, isFingerprintOf, signatureHolds } from './keys.ts';
import { knowledgeOf, madeHere } from './library.ts';
import type { InstallationKnowledge } from './library.ts';
import {
  caseRecordSha256,
  evidenceFileOf,
  evidenceRecordSha256,
  markRecordSha256,
  reportRecordSha256,
} from './records.ts';
import type {
  StoredAnalysis,
  StoredCase,
  StoredEvidence,
  StoredMark,
  StoredMetadata,
  StoredReport,
} from './records.ts';

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
  /** Whose signature the head bears. */
  signer: Verification['signer'];
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
export function gathered(subject: Check['subject'], checks: readonly Check[], all: (count: number) => Check): Check[] {
  const holding = checks.filter(({ holds }) => holds);
  const failing = checks.filter(({ holds }) => !holds);
  if (checks.length <= namedOneByOne) return [...checks];
  return holding.length > 0 ? [...failing, { ...all(holding.length), subject }] : failing;
}

/** Whether a check is about who signed, and not about what. */
export function isSignerCheck({ subject, name }: Check): boolean {
  return subject === 'signature' && name === 'signer';
}

/** Checks everything but the files of the evidence. Reads the database beside whoever has it open; takes its time. */
export function verifyRecords(request: VerifyRequest): RecordFindings {
  const path = databasePath(request.folder);
  requireCase(request.folder, path);
  const { db, close } = openDatabaseForReading(path, { untouched: true });
  try {
    const of = { id: caseIdIn(path, db), folder: request.folder, db };
    // All of it as of one moment.
    return telling(path, () => db.transaction(() => recordsOf(of, request))());
  } finally {
    close();
  }
}

/** The case that is checked. */
interface Checked {
  id: string;
  folder: string;
  db: Database.Database;
}

interface Logged {
  /** What the row of each item's intake says of it. */
  intakes: Map<number, Record<string, unknown>>;
  /** Items of which the log has more than one intake. */
  twice: Set<number>;
  /** What each item's file was found to be, where it was not what was taken in. */
  changed: Map<number, { sha256: unknown } | null>;
  evidence: Map<number, unknown>;
  marks: Map<number, unknown>;
  caseRecord: unknown;
  analyses: Map<number, { evidenceId: number | null; resultSha256: unknown }>;
  shown: Map<number | null, unknown>;
  reports: Map<string, unknown>;
}

function recordsOf(store: Checked, request: VerifyRequest): RecordFindings {
  const { db } = store;
  const known = knowledgeOf(request.home, store.id);
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
    intakes: new Map(),
    twice: new Set(),
    changed: new Map(),
    evidence: new Map(),
    marks: new Map(),
    caseRecord: undefined,
    analyses: new Map(),
    shown: new Map(),
    reports: new Map(),
  };
  const times = new LoggedTimes();
  const chain = walkChain(db, store.id, (row, details) => {
    times.add(row);
    noteOfItem(logged, row, details);
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
  const signature = signatureCheck(store, head, signed, chain);
  checks.push(signature);
  const signer = signerOf(request, known, signature, signed, chain);
  add('signature', 'signer', signer.verdict === 'known', signer.sentence);
  checks.push(...headChecks(request, known, head, chain));
  checks.push(...times.checks());

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

  const files = evidenceRecords(store, logged, request.fromElsewhere === true, add);
  checks.push(...resultChecks(db, logged));
  checks.push(...reportChecks(db, logged, request));
  return { caseId: store.id, head, publicKey: signed?.publicKey ?? null, signer, checks, files };
}

/** Keeps what a row of the log says of an item and its file. */
function noteOfItem(logged: Logged, row: StoredCustodyRow, details: Record<string, unknown>): void {
  const id = row.evidence_id;
  if (id === null) return;
  if (row.action === 'evidence-added') {
    if (logged.intakes.has(id)) logged.twice.add(id);
    logged.intakes.set(id, details);
  } else if (row.action === 'evidence-changed') logged.changed.set(id, { sha256: details['sha256Now'] });
  else if (row.action === 'evidence-restored') logged.changed.set(id, null);
}

/** What the rows of a log say of the clock. */
class LoggedTimes {
  #latest = -Infinity;
  #position = 0;
  #rows = 0;
  readonly #told: string[] = [];

  add({ position, time, action, summary }: StoredCustodyRow): void {
    const at = Date.parse(time);
    this.#rows++;
    if (action === clockLeap) this.#told.push(`Row ${position}: ${summary}`);
    else if (at < this.#latest - toleratedSetBackMilliseconds) {
      const seconds = Math.round((this.#latest - at) / 1000);
      this.#told.push(`Row ${position} lies ${seconds} s before row ${this.#position}, and no row tells why.`);
    }
    this.#latest = at;
    this.#position = position;
  }

  checks(): Check[] {
    const check = { subject: 'time' as const, name: 'clock', holds: true };
    if (this.#told.length === 0) {
      return [{ ...check, sentence: `The times of the ${this.#rows} rows follow one another.` }];
    }
    return [{ ...check, remark: true, sentence: listSome(this.#told) }];
  }
}

/** Whether the head is signed, by whomever. */
function signatureCheck(
  store: Checked,
  head: CustodyHead,
  signed: ReturnType<typeof readHead>,
  chain: ChainFindings,
): Check {
  const check = (holds: boolean, sentence: string): Check => ({ subject: 'signature', name: 'head', holds, sentence });
  if (!signed) return check(false, 'The log is not signed.');
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
  return check(true, `The head bears a signature that holds, by the key ${fingerprintOf(signed.publicKey)}.`);
}

/** Whose signature it is. */
function signerOf(
  { expectHead, expectKey, fromElsewhere }: VerifyRequest,
  { publicKey, keys, head }: InstallationKnowledge,
  signature: Check,
  signed: ReturnType<typeof readHead>,
  chain: ChainFindings,
): Verification['signer'] {
  const fingerprint = signed ? fingerprintOf(signed.publicKey) : null;
  const told = (verdict: Verification['signer']['verdict'], sentence: string): Verification['signer'] => ({
    verdict,
    fingerprint,
    sentence,
  });
  if (!signed || !signature.holds)
    return told('unsigned', 'It cannot be told who signed, since the signature does not hold.');
  if (expectKey !== undefined) {
    if (isFingerprintOf(expectKey, signed.publicKey))
      return told('known', `The head is signed by the key expected (${fingerprint}).`);
    return told('replaced', `The head is signed by the key ${fingerprint}, not by ${expectKey}.`);
  }
  if (publicKey === signed.publicKey) return told('known', `The head is signed by this installation (${fingerprint}).`);
  const found = keys.find((key) => key.publicKey === signed.publicKey);
  if (found?.how === madeHere) return told('known', `The head is signed by this installation (${fingerprint}).`);
  if (found) {
    return told(
      'known',
      `The head is signed by another installation (${fingerprint}), known since ${found.knownSince}.`,
    );
  }
  if (keys.length > 0 || head !== null) {
    return told(
      'replaced',
      `The head is signed by a key (${fingerprint}) that is none of those that this case was signed with so far: the log was rewritten, or another installation went on with it.`,
    );
  }
  if (fromElsewhere)
    return told('known', `The head is signed by another installation (${fingerprint}), which is taken as it is.`);
  if (expectHead !== undefined && chain.positionOf(expectHead.toLowerCase()) !== null) {
    return told(
      'known',
      `The head is signed by an installation (${fingerprint}) that this one does not know; the expected head vouches for the rows up to it.`,
    );
  }
  return told(
    'unknown',
    `The head is signed by an installation (${fingerprint}) that this one does not know, so it cannot be told whether the log was rewritten. Compare the key with the one where the case was made and give it with --expect-key.`,
  );
}

/** The name of the check against the highest row that the data folder knows. */
export const highestRowCheck = 'highest row seen here';

function headChecks(
  { expectHead }: VerifyRequest,
  { head: last }: InstallationKnowledge,
  head: CustodyHead,
  { positionOf, hashAt }: ChainFindings,
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
  if (last?.deletedAt) {
    const sentence = `The case was deleted here on ${last.deletedAt} with ${last.rows} rows; this copy has ${head.rows}.`;
    checks.push({ subject: 'head', name: highestRowCheck, holds: true, remark: true, sentence });
  } else if (last) {
    const missing = missingRows(last, head, hashAt(last.rows));
    const words = last.rows === 1 ? 'row' : `${last.rows} rows`;
    add(highestRowCheck, missing === null, missing ?? `The log holds the ${words} that it was seen to have here.`);
  }
  return checks;
}

/**
 * What a log lacks of the rows that it was seen to have here; null where it has them.
 * @param hashThere the hash of its row of that position, if it has one
 */
export function missingRows(last: CustodyHead, head: CustodyHead, hashThere: string | null): string | null {
  if (hashThere === last.hash) return null;
  if (hashThere === null) {
    return `The log was seen to have ${last.rows} rows here and has ${head.rows} now: it was cut, its latest transactions were lost, or this is an older copy.`;
  }
  return `The log has another row ${last.rows} than the one that was seen here: it was rewritten, or this is a copy that went another way.`;
}

function evidenceRecords(
  { db, folder }: Checked,
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
    const described = metadata.get(row.id) ?? { metadata: '', audio: null };
    const record = evidenceRecordSha256(row, described);
    if (record !== logged.evidence.get(row.id)) {
      const how = logged.evidence.has(row.id) ? 'is not as the log has it' : 'is not in the log';
      add('evidence', row.name, false, `What the case says of item ${row.id} ${how}.`);
    }
    for (const sentence of intakeFaults(row, logged)) add('evidence', row.name, false, sentence);
    if ((row.latest_analysis ?? undefined) !== logged.shown.get(row.id)) {
      add('result', row.name, false, `The result shown for item ${row.id} is not the latest of the log.`);
    } else {
      const shown = row.latest_analysis === null ? null : parsedAnalysis(result.get(row.latest_analysis));
      const derived = derivedColumns(row.name, shown, storedAudio(described.audio));
      const stored = row as unknown as Record<string, unknown>;
      // A database of an earlier format lacks some of the columns.
      const columns = Object.entries(derived).filter(([column]) => column in stored);
      if (columns.some(([column, value]) => stored[column] !== value)) {
        add('result', row.name, false, `The list shows other figures for item ${row.id} than its result holds.`);
      }
    }
    const looked = row.removed_at === null && (row.copy_path !== null || !fromElsewhere);
    if (!looked) continue;
    try {
      files.push({ ...evidenceFileOf(folder, row), id: row.id, name: row.name, sha256: row.sha256 });
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      add('evidence', row.name, false, error.message);
    }
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

/** Where an item is not what the row of its intake says, nor its file in the state that the log left it in. */
function intakeFaults(row: StoredEvidence, { intakes, twice, changed }: Logged): string[] {
  const intake = intakes.get(row.id);
  if (!intake) return [`The log has no intake of item ${row.id}.`];
  const faults = twice.has(row.id) ? [`The log has two intakes of item ${row.id}.`] : [];
  const matches = row.sender_hash_matches === null ? null : row.sender_hash_matches === 1;
  const own: Record<string, unknown> = {
    name: row.name,
    path: row.uploaded === 1 ? null : row.path,
    uploaded: row.uploaded === 1,
    copyPath: row.copy_path,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    md5: row.md5,
    senderHash: row.sender_hash,
    senderHashMatches: matches,
  };
  const other = Object.keys(own).filter((name) => name in intake && intake[name] !== own[name]);
  const lacking = ['name', 'path', 'sizeBytes', 'sha256', 'md5'].filter((name) => !(name in intake));
  if (other.length > 0) faults.push(`Of item ${row.id}, the log's intake has another ${other.join(', ')}.`);
  if (lacking.length > 0) faults.push(`The log's intake of item ${row.id} does not say its ${lacking.join(', ')}.`);
  const found = changed.get(row.id) ?? null;
  if ((row.changed === 1) !== (found !== null) || (found !== null && found.sha256 !== row.found_sha256)) {
    faults.push(`Whether the file of item ${row.id} was found changed is not as the log has it.`);
  }
  return faults;
}

/** A result that was tampered with may be anything. */
function parsedAnalysis(text: string | undefined): Omit<Analysis, 'id' | 'stale' | 'resultSha256'> | null {
  try {
    const analysis = JSON.parse(text ?? '') as Omit<Analysis, 'id' | 'stale' | 'resultSha256'>;
    return [analysis.reasons, analysis.windows].every(Array.isArray) && analysis.thresholds ? analysis : null;
  } catch {
    return null;
  }
}

function resultChecks(db: Database.Database, logged: Logged): Check[] {
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

function reportChecks(db: Database.Database, logged: Logged, { reportSha256 }: VerifyRequest): Check[] {
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
