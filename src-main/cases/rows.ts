/** What each row of a case's tables may hold: for databases that others wrote, whose types and bounds cannot be relied upon. */
import { z } from 'zod';
import { sha256Schema as sha256 } from '../../src-common/hashes.ts';
import { markColours } from '../../src-common/mark-colours.ts';
import { analysisSchema, findingSchema } from '../../src-common/schemas/analysis.ts';
import { caseDetailsSchema, caseStateSchema } from '../../src-common/schemas/case.ts';
import { evidenceSchema } from '../../src-common/schemas/evidence.ts';
import { reportRequestSchema } from '../../src-common/schemas/report.ts';
import { spectrogramSettingsSchema } from '../../src-common/schemas/spectrogram.ts';
import { isCopyPath } from './copies.ts';

const time = z.iso.datetime({ offset: true });
/** As a file system gives it, which may be any year. */
const fileTime = z.string().max(64);
const flag = z.union([z.literal(0), z.literal(1)]);
const id = z.int().positive();
const text = z.string().max(100_000);
const longText = z.string().max(10_000_000);
const finite = z.number();
const seconds = z.number().nonnegative();
const finding = findingSchema.nullable();

/** A column of JSON whose content has a schema of its own. */
function json(schema: z.ZodType): z.ZodType {
  return z.string().refine((value) => {
    try {
      return schema.safeParse(JSON.parse(value)).success;
    } catch {
      return false;
    }
  });
}

const details = caseDetailsSchema.shape;

const storedAnalysis = analysisSchema.omit({ id: true, stale: true, resultSha256: true, readAll: true });

/** By table and column. */
export const rowSchemas: Record<string, Record<string, z.ZodType>> = {
  case_details: {
    id: z.literal(1),
    case_id: z.uuid(),
    created_at: time,
    state: caseStateSchema,
    number: details.number,
    title: details.title,
    examiner: details.examiner,
    customer: details.customer,
    customer_contact: details.customerContact,
    question: details.question,
    proposition_bonafide: details.propositionBonafide,
    proposition_spoof: details.propositionSpoof,
    notes: details.notes,
  },
  evidence: {
    id,
    name: z.string().min(1).max(32_768),
    path: z.string().max(32_768),
    path_bytes: z.instanceof(Buffer).nullable(),
    copy_path: z.string().refine(isCopyPath).nullable(),
    uploaded: flag,
    size_bytes: z.int().nonnegative(),
    sha256,
    md5: z.string().regex(/^[0-9a-f]{32}$/),
    sender_hash: text.nullable(),
    sender_hash_matches: flag.nullable(),
    created_time: fileTime.nullable(),
    modified_time: fileTime.nullable(),
    added_at: time,
    added_by: text,
    received_at: text,
    received_from: text,
    condition_on_receipt: text,
    description: text,
    notes: text,
    removed_at: time.nullable(),
    duration_seconds: seconds.nullable(),
    fingerprint: z.string().max(200),
    changed: flag,
    found_sha256: sha256.nullable(),
    scan: z.enum(['none', 'queued', 'done', 'failed']),
    latest_analysis: id.nullable(),
    latest_file_sha256: sha256.nullable(),
    finding,
    finding_rank: z.int().min(0).max(100),
    score: finite.nullable(),
    llr: finite.nullable(),
    flags: text,
    flag_count: z.int().min(0).max(10_000),
    error: text.nullable(),
    model_name: text.nullable(),
    model_sha256: sha256.nullable(),
    name_key: text,
    search_text: text,
    stretch_count: z.int().nonnegative().nullable(),
    longest_stretch: seconds.nullable(),
    tags: text,
    reviewed_at: time.nullable(),
    reviewed_by: text.nullable(),
    known_in: text,
  },
  evidence_metadata: {
    evidence_id: id,
    metadata: json(evidenceSchema.shape.metadata),
    audio: json(evidenceSchema.shape.audio).nullable(),
  },
  analyses: {
    id,
    evidence_id: id,
    time,
    start_seconds: seconds.nullable(),
    end_seconds: seconds.nullable(),
    result: json(storedAnalysis),
    result_sha256: sha256,
  },
  marks: {
    id,
    evidence_id: id,
    start_seconds: seconds,
    end_seconds: seconds.nullable(),
    text,
    in_report: flag,
    created_at: time,
    read_all: flag,
    channel: id.nullable(),
    category: z.string().max(200),
    colour: z.enum(markColours).nullable(),
  },
  custody_log: {
    position: id,
    time,
    actor: text,
    action: z.string().regex(/^[a-z][a-z-]{0,60}$/),
    evidence_id: id.nullable(),
    summary: text,
    details: json(z.record(z.string(), z.unknown())),
    previous: sha256,
    hash: sha256,
  },
  custody_head: {
    id: z.literal(1),
    rows: id,
    hash: sha256,
    signature: z.string().max(1000),
    public_key: z.string().max(1000),
  },
  milestones: { rows: id, hash: sha256, signature: z.string().max(1000), public_key: z.string().max(1000) },
  reports: {
    number: z.string().min(1).max(1000),
    issued_at: time,
    log_position: z.int().nonnegative(),
    sha256,
    pages: z.int().nonnegative().nullable(),
    amends: z.string().max(1000).nullable(),
    request: json(reportRequestSchema),
    data: longText.and(json(z.unknown())),
  },
  view_settings: { id: z.literal(1), spectrogram: json(spectrogramSettingsSchema).nullable() },
};

/** Tables of work that is under way, which a case from elsewhere does not bring along. */
export const workingTables: ReadonlySet<string> = new Set(['scans', 'scan_queue', 'intakes']);
