/** An item of evidence with its marks, as tables and pages show it. */
import { z } from 'zod';
import { alarms } from '../alarms.ts';
import { sha256Schema as sha256 } from '../hashes.ts';
import { markColours } from '../mark-colours.ts';
import { analysisSummarySchema, findingSchema } from './analysis.ts';
import { evidenceId, path, seconds, text, time } from './primitives.ts';
import { audioSchema } from './recording.ts';

/** In one line, without commas, which stand between tags. */
export const tag = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\u2028\u2029,]+$/u);

/** `unchanged` since intake; `changed`, `missing`, or `unreadable` now; `unchecked`: not looked at since the case was opened. */
const evidenceStateSchema = z.enum(['unchanged', 'changed', 'missing', 'unreadable', 'unchecked']);

/** What a table's row shows. */
export const evidenceRowSchema = z.object({
  id: evidenceId,
  name: z.string(),
  path,
  sizeBytes: z.int().nonnegative(),
  durationSeconds: z.number().nullable(),
  addedAt: time,
  state: evidenceStateSchema,
  copied: z.boolean(),
  scan: z.enum(['none', 'queued', 'running', 'done', 'failed']),
  /** Of the latest analysis of the whole recording. */
  finding: findingSchema.nullable(),
  score: z.number().nullable(),
  llr: z.number().nullable(),
  stale: z.boolean(),
  /** Codes of reasons and quality flags: `clipped`, `noisy`, `narrow-band`, `little-speech`, `truncated` … */
  flags: z.array(z.string()),
  /** What must not pass unseen, the gravest first. (Reports that were issued earlier lack it.) */
  alarms: z.array(z.enum(alarms)),
  error: z.string().nullable(),
  modelName: z.string().nullable(),
  /** What the result points out; null where there is none or it may give no times. (Reports that were issued earlier lack it.) */
  stretches: z.object({ count: z.int().nonnegative(), longestSeconds: z.number() }).nullable().default(null),
  tags: z.array(tag).default([]),
  /** When a person said that it was reviewed, and who; null: not yet. */
  reviewedAt: time.nullable().default(null),
  reviewedBy: z.string().nullable().default(null),
  /** Names of the lists of known hashes that it is in. */
  knownIn: z.array(z.string()).default([]),
});
export type EvidenceRow = z.infer<typeof evidenceRowSchema>;

/** One line of container or codec data, as a parser gives it. */
const metadataSchema = z.object({ parser: z.string(), track: z.string(), name: z.string(), value: z.string() });

export const markSchema = z.object({
  id: z.int().positive(),
  startSeconds: seconds,
  /** Null: a point. */
  endSeconds: seconds.nullable(),
  text,
  inReport: z.boolean(),
  createdAt: time,
  /** Its times are those of the recording with the sound that its file's headers do not count in. */
  readAll: z.boolean().default(false),
  /** Null: not of one of several channels. */
  channel: z.int().positive().nullable().default(null),
  /** What kind it is of, or who speaks; empty: none. */
  category: z.string().max(200).default(''),
  /** Null: as all marks. */
  colour: z.enum(markColours).nullable().default(null),
});

export const newMarkSchema = markSchema.omit({ id: true, createdAt: true });
export type Mark = z.infer<typeof markSchema>;

export const evidenceSchema = evidenceRowSchema.extend({
  description: text,
  conditionOnReceipt: text,
  receivedAt: z.string(),
  receivedFrom: text,
  notes: text,
  sha256,
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  /** As the sender gave it, SHA-256 or MD5; compared at intake. */
  senderHash: z.string().nullable(),
  senderHashMatches: z.boolean().nullable(),
  /** Null for an upload: the original's are unknown. */
  originalPath: z.string().nullable(),
  uploaded: z.boolean(),
  createdTime: time.nullable(),
  modifiedTime: time.nullable(),
  metadata: z.array(metadataSchema),
  audio: audioSchema.nullable(),
  analyses: z.array(analysisSummarySchema),
  marks: z.array(markSchema),
});
export type Evidence = z.infer<typeof evidenceSchema>;
