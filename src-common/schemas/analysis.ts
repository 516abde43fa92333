/** What an analysis of a recording found, and what made it. */
import { z } from 'zod';
import { findings } from '../findings.ts';
import { sha256Schema as sha256 } from '../hashes.ts';
import { evidenceId, time } from './primitives.ts';
import { audioSchema, channelSchema, qualitySchema, stretchSchema, timelineSchema } from './recording.ts';
import { userErrorSchema } from './user-error.ts';

export const findingSchema = z.enum(findings);
/** Why a finding is what it is, and what else should be known beside it. */
const reasonSchema = z.object({
  /** A short stable word, for tables and scripts. */
  code: z.string(),
  sentence: z.string(),
  /** True where it alone makes the recording not assessable. */
  blocking: z.boolean(),
});
export type Reason = z.infer<typeof reasonSchema>;

const windowScoreSchema = z.object({
  startSeconds: z.number(),
  endSeconds: z.number(),
  score: z.number(),
  /** Of the window, in short gaps; absent where nothing is missing. */
  missingShare: z.number().optional(),
});
export type AnalysedWindow = z.infer<typeof windowScoreSchema>;

/** What made a result: enough to make it again. */
export const provenanceSchema = z.object({
  application: z.string(),
  model: z.object({ name: z.string(), status: z.string(), onnxSha256: sha256 }),
  backend: z.string(),
  platform: z.string(),
  ffmpeg: z.object({ version: z.string(), sha256: sha256 }).nullable().default(null),
  /** The machine, where it was another one than that with the case, differed from it, or was to be named. */
  worker: z.string().optional(),
  time,
});
export type Provenance = z.infer<typeof provenanceSchema>;

/** An analysis as the store keeps it, without its windows. */
export const analysisSummarySchema = z.object({
  id: z.int().positive(),
  evidenceId,
  time,
  /** Null: the whole recording. */
  stretch: stretchSchema.nullable(),
  label: z.string(),
  channel: channelSchema,
  stream: z.int(),
  /** Of the recording with the sound that its file's headers do not count in; times are of that reading. */
  readAll: z.boolean().default(false),
  modelName: z.string(),
  modelSha256: sha256,
  modelStatus: z.enum(['screening', 'validated']),
  finding: findingSchema.nullable(),
  score: z.number().nullable(),
  /** Null for a `screening` model and where not assessable. */
  llr: z.number().nullable(),
  error: userErrorSchema.nullable(),
  /** The file is not what it was when this was made. */
  stale: z.boolean(),
  /** SHA-256 of the stored result, as the custody log has it. */
  resultSha256: sha256,
});
export type AnalysisSummary = z.infer<typeof analysisSummarySchema>;

/** An analysis with everything: what `result` in the store holds. */
export const analysisSchema = analysisSummarySchema.extend({
  provenance: provenanceSchema,
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  fileSha256: sha256.nullable(),
  audio: audioSchema.nullable(),
  durationSeconds: z.number().nullable(),
  /** Null for a stretch, and in results made before it was kept. */
  timeline: timelineSchema.nullable().default(null),
  activeSeconds: z.number().nullable(),
  activeLevelDbfs: z.number().nullable(),
  quality: qualitySchema.nullable(),
  reasons: z.array(reasonSchema),
  /** How often such findings were right where the model was measured: sentences, of its card when this was made. */
  trackRecord: z.array(z.string()).default([]),
  /** Uncalibrated. */
  windows: z.array(windowScoreSchema),
  /** Of the model: at or above `score` counts as bona fide; window scores below `localisation` are pointed out. */
  thresholds: z.object({
    score: z.number(),
    /** Scores between which a finding is inconclusive; null where the model has none. */
    inconclusive: z.tuple([z.number(), z.number()]).nullable(),
    localisation: z.number().nullable(),
    localisationStatement: z.string().nullable(),
    /** Stretches an hour that were pointed out in bona fide speech where it was measured, and the upper 95 % bound; null where no times are given, or before they were kept. */
    falseAlarmsPerHour: z.number().nullable().default(null),
    falseAlarmsPerHourAtMost: z.number().nullable().default(null),
  }),
  /** 95 % interval of the llr where the model's status and validation allow one. */
  llrInterval: z.tuple([z.number(), z.number()]).nullable(),
});
export type Analysis = z.infer<typeof analysisSchema>;
