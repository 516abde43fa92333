/** Control recordings: a laboratory's recordings of known label, which every scan begins with. */
import { z } from 'zod';
import { findingSchema } from './analysis.ts';
import { sha256Schema } from '../hashes.ts';

const controlRecordingSchema = z.strictObject({
  /** Also its name in the data folder. */
  sha256: sha256Schema,
  /** As the laboratory named it. */
  name: z.string().min(1),
  label: z.enum(['bonafide', 'spoof']),
});
export type ControlRecording = z.infer<typeof controlRecordingSchema>;

export const controlSetSchema = z.strictObject({
  format: z.literal(1),
  /** Over labels and hashes. */
  sha256: sha256Schema,
  recordings: z.array(controlRecordingSchema).min(2),
  madeAt: z.string(),
  madeBy: z.string(),
});
export type ControlSet = z.infer<typeof controlSetSchema>;

const controlScoreSchema = z.strictObject({
  sha256: sha256Schema,
  name: z.string(),
  label: z.enum(['bonafide', 'spoof']),
  /** High for bona fide; null where it could not be scored. */
  score: z.number().nullable(),
  finding: findingSchema.nullable(),
  /** Why it could not. */
  problem: z.string().nullable(),
});
export type ControlScore = z.infer<typeof controlScoreSchema>;

export const controlRunSchema = z.strictObject({
  format: z.literal(1),
  id: z.string(),
  /** ISO 8601. */
  at: z.string(),
  by: z.string(),
  /** Of the baseline that later runs are compared with, or one that is compared. */
  role: z.enum(['baseline', 'control']),
  /** Why a baseline took the place of another. */
  reason: z.string().nullable(),
  setSha256: sha256Schema,
  model: z.strictObject({ name: z.string(), sha256: sha256Schema }),
  versions: z.strictObject({ application: z.string(), ffmpeg: z.string().nullable(), backend: z.string() }),
  scores: z.array(controlScoreSchema).min(1),
});
export type ControlRun = z.infer<typeof controlRunSchema>;
