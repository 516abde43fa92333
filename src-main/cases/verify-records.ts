/** Checks what the database of a case says: items, results and reports against its log; of the log itself, see verify-log.ts. */
import type Database from 'better-sqlite3';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { Anchor, CustodyHead, Verification } from '../../src-common/schemas/custody.ts';
import { UserFacingError } from '../base/errors.ts';
import type { NamedFile } from '../base/openable-path.ts';
import { sha256Hex } from './canonical.ts';
import { gathered, listSome } from './checks.ts';
import type { Check, VerifyRequest } from './checks.ts';
import { isMilestone, readHead, signerChanged, walkChain } from './custody.ts';
import type { StoredCustodyRow } from './custody.ts';
import { telling } from '../base/sqlite.ts';
import { caseIdIn, databasePath, openDatabaseForReading, requireCase } from './database.ts';
import { schemaDifferences } from './database-schema.ts';
import { derivedColumns, storedAudio } from './evidence-table.ts';
import { knowledgeOf } from './library-file.ts';
import { caseRecordSha256, evidenceFileOf, evidenceRecordSha256, markRecordSha256 } from './records.ts';
import type { StoredAnalysis, StoredCase, StoredEvidence, StoredMark, StoredMetadata } from './records.ts';
import { reportAmended } from './issued-reports.ts';
import { reviewAnswered, technicalReview } from './reviews.ts';
import { anchoredAction } from './anchors/anchors.ts';
import { countersignedAction } from './anchors/counter-signatures.ts';
import { anchorChecks, counterSignatureChecks } from './verify-anchors.ts';
import { answerChecks, reportChecks, reviewChecks } from './verify-reports.ts';
import type { LoggedReports } from './verify-reports.ts';
import { LoggedTimes, headChecks, milestoneCheck, signatureCheck, signerOf } from './verify-log.ts';

/** What the database alone says. */
export interface RecordFindings {
  caseId: string;
  head: CustodyHead;
  /** The key that signed the head, SPKI, base64. */
  publicKey: string | null;
  /** Whose signature the head bears. */
  signer: Verification['signer'];
  anchored: Anchor | null;
  checks: Check[];
  /** Files that are yet to be hashed. */
  files: (NamedFile & { id: number; name: string; sha256: string })[];
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

type Add = (subject: Check['subject'], name: string, holds: boolean, sentence: string) => void;

/** The case that is checked. */
interface Checked {
  id: string;
  folder: string;
  db: Database.Database;
}

interface Logged extends LoggedReports {
  anchors: StoredCustodyRow[];
  counterSignatures: StoredCustodyRow[];
  /** Position of the last milestone. */
  milestone: number;
  /** Public keys that signed the log before others went on with it. */
  signers: unknown[];
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
}

function recordsOf(store: Checked, request: VerifyRequest): RecordFindings {
  const { db } = store;
  const known = knowledgeOf(request.home, store.id);
  const checks: Check[] = [];
  const add: Add = (subject, name, holds, sentence) => checks.push({ subject, name, holds, sentence });

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
    amendments: [],
    reviews: [],
    answers: [],
    anchors: [],
    counterSignatures: [],
    milestone: 0,
    signers: [],
  };
  const times = new LoggedTimes();
  const chain = walkChain(db, store.id, (row, details) => {
    times.add(row);
    noteOfItem(logged, row, details);
    if (row.action === reportAmended) logged.amendments.push({ position: row.position, details });
    if (row.action === technicalReview) logged.reviews.push(row);
    if (row.action === reviewAnswered) logged.answers.push(row);
    if (row.action === anchoredAction) logged.anchors.push(row);
    if (isMilestone(row)) logged.milestone = row.position;
    if (row.action === signerChanged) logged.signers.push(details['publicKey']);
    if (row.action === countersignedAction) logged.counterSignatures.push(row);
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
  const signature = signatureCheck(store.id, head, signed, chain);
  checks.push(signature);
  checks.push(milestoneCheck(store, chain, logged.milestone, [...logged.signers, signed?.publicKey]));
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
  checks.push(...reportChecks(db, logged, request), ...reviewChecks(db, logged, chain), ...answerChecks(logged));
  const { anchored, checks: ofAnchors } = anchorChecks(store, logged.anchors, chain, request.home);
  checks.push(...ofAnchors, ...counterSignatureChecks(store.id, logged.counterSignatures, chain, request.home));
  return { caseId: store.id, head, publicKey: signed?.publicKey ?? null, signer, anchored, checks, files };
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

function evidenceRecords(
  { db, folder }: Checked,
  logged: Logged,
  fromElsewhere: boolean,
  add: Add,
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
  markRecords(db, logged, add);
  return files;
}

/** Marks that are not as the log has them. */
function markRecords(db: Database.Database, logged: Logged, add: Add): void {
  const ids = new Set<unknown>();
  for (const row of db.prepare<[], StoredMark>('SELECT * FROM marks').iterate()) {
    ids.add(row.id);
    if (markRecordSha256(row) !== logged.marks.get(row.id)) {
      const sentence = `The mark ${row.id} on item ${row.evidence_id} is not as the log has it.`;
      add('evidence', `mark ${row.id}`, false, sentence);
    }
  }
  for (const [id, record] of logged.marks) {
    if (record !== null && !ids.has(id)) add('evidence', `mark ${id}`, false, `The mark ${id} is gone past the log.`);
  }
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
