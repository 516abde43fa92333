/** What a case's tables hold, and the hash of each record. */
import type { CaseDetails } from '../../src-common/schemas/case.ts';
import type { EvidenceRow, Mark } from '../../src-common/schemas/evidence.ts';
import type { MarkColour } from '../../src-common/mark-colours.ts';
import { canonicalJson, sha256Hex } from './canonical.ts';
import { readableCopy } from './copies.ts';

/** A row of `case_details`. */
export interface StoredCase {
  id: number;
  case_id: string;
  created_at: string;
  state: 'open' | 'closed' | 'archived';
  number: string;
  title: string;
  examiner: string;
  customer: string;
  customer_contact: string;
  question: string;
  proposition_bonafide: string;
  proposition_spoof: string;
  notes: string;
}

/** The columns of `evidence` that an analysis of the whole recording decides. */
export interface DerivedColumns {
  finding: EvidenceRow['finding'];
  finding_rank: number;
  score: number | null;
  llr: number | null;
  flags: string;
  flag_count: number;
  error: string | null;
  model_name: string | null;
  model_sha256: string | null;
  latest_file_sha256: string | null;
  search_text: string;
  stretch_count: number | null;
  longest_stretch: number | null;
}

/** A row of `evidence` but for what is derived. */
export interface StoredEvidence extends Omit<DerivedColumns, 'stretch_count' | 'longest_stretch'> {
  id: number;
  name: string;
  path: string;
  path_bytes: Buffer | null;
  copy_path: string | null;
  uploaded: number;
  size_bytes: number;
  sha256: string;
  md5: string;
  sender_hash: string | null;
  sender_hash_matches: number | null;
  created_time: string | null;
  modified_time: string | null;
  added_at: string;
  added_by: string;
  received_at: string;
  received_from: string;
  condition_on_receipt: string;
  description: string;
  notes: string;
  removed_at: string | null;
  duration_seconds: number | null;
  fingerprint: string;
  changed: number;
  found_sha256: string | null;
  scan: 'none' | 'queued' | 'done' | 'failed';
  latest_analysis: number | null;
  name_key: string;
  /** Absent, with what follows, in databases of an earlier format. */
  stretch_count?: number | null;
  longest_stretch?: number | null;
  /** One a line. */
  tags?: string;
  reviewed_at?: string | null;
  reviewed_by?: string | null;
  /** Names of lists of known hashes, one a line. */
  known_in?: string;
}

/** JSON texts. */
export interface StoredMetadata {
  metadata: string;
  audio: string | null;
}

/** A row of `analyses`. */
export interface StoredAnalysis {
  id: number;
  evidence_id: number;
  time: string;
  start_seconds: number | null;
  end_seconds: number | null;
  result: string;
  result_sha256: string;
}

/** A row of `marks`. */
export interface StoredMark {
  id: number;
  evidence_id: number;
  start_seconds: number;
  end_seconds: number | null;
  text: string;
  in_report: number;
  created_at: string;
  /** Absent in databases of an earlier format. */
  read_all?: number;
  channel?: number | null;
  category?: string;
  colour?: MarkColour | null;
}

/** A row of `reports`. */
export interface StoredReport {
  number: string;
  issued_at: string;
  log_position: number;
  sha256: string;
  pages: number | null;
  amends: string | null;
  request: string;
  data: string;
}

/** Where an item's bytes lie now; for a name that is not UTF-8, its bytes are in `nameBytes` and `path` is for reading only. */
export interface EvidenceFile {
  path: string;
  nameBytes: Uint8Array | null;
}

/** Where the bytes of an item lie, to be opened. @throws UserFacingError `not-allowed` for a copy that does not lie below the case. */
export function evidenceFileOf(folder: string, row: StoredEvidence): EvidenceFile {
  if (row.copy_path !== null) return { path: readableCopy(folder, row.copy_path), nameBytes: null };
  return { path: row.path, nameBytes: row.path_bytes };
}

export function detailsOf(row: StoredCase): CaseDetails {
  return {
    number: row.number,
    title: row.title,
    examiner: row.examiner,
    customer: row.customer,
    customerContact: row.customer_contact,
    question: row.question,
    propositionBonafide: row.proposition_bonafide,
    propositionSpoof: row.proposition_spoof,
    notes: row.notes,
  };
}

export function markOf(row: StoredMark): Mark {
  return {
    id: row.id,
    startSeconds: row.start_seconds,
    endSeconds: row.end_seconds,
    text: row.text,
    inReport: row.in_report === 1,
    createdAt: row.created_at,
    readAll: row.read_all === 1,
    channel: row.channel ?? null,
    category: row.category ?? '',
    colour: row.colour ?? null,
  };
}

// The log's row of whatever changes a record carries the hash of what the record became, so that a record that was changed
// past the log is found.

export function caseRecordSha256(row: StoredCase): string {
  return sha256Hex(canonicalJson(row));
}

export function evidenceRecordSha256(row: StoredEvidence, { metadata, audio }: StoredMetadata): string {
  const record = {
    id: row.id,
    name: row.name,
    path: row.path,
    pathBytes: row.path_bytes?.toString('base64') ?? null,
    copyPath: row.copy_path,
    uploaded: row.uploaded,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    md5: row.md5,
    senderHash: row.sender_hash,
    senderHashMatches: row.sender_hash_matches,
    createdTime: row.created_time,
    modifiedTime: row.modified_time,
    addedAt: row.added_at,
    addedBy: row.added_by,
    receivedAt: row.received_at,
    receivedFrom: row.received_from,
    conditionOnReceipt: row.condition_on_receipt,
    description: row.description,
    notes: row.notes,
    removedAt: row.removed_at,
    metadata,
    audio,
  };
  // As it was before items had these, so that what was logged then holds.
  const since = {
    ...(row.tags ? { tags: row.tags } : {}),
    ...(row.reviewed_at ? { reviewedAt: row.reviewed_at, reviewedBy: row.reviewed_by ?? null } : {}),
    ...(row.known_in ? { knownIn: row.known_in } : {}),
  };
  return sha256Hex(canonicalJson({ ...record, ...since }));
}

export function markRecordSha256({ read_all, channel, category, colour, ...row }: StoredMark): string {
  // As it was before marks had these columns, so that what was logged then holds.
  const since = {
    ...(read_all === 1 ? { read_all } : {}),
    ...(channel === null || channel === undefined ? {} : { channel }),
    ...(category === '' || category === undefined ? {} : { category }),
    ...(colour === null || colour === undefined ? {} : { colour }),
  };
  return sha256Hex(canonicalJson({ ...row, ...since }));
}

export function reportRecordSha256(row: StoredReport): string {
  return sha256Hex(canonicalJson(row));
}
