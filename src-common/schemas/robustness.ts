/** What a model is through degradations of recordings. */
import { z } from 'zod';
import { sha256Schema as sha256 } from '../hashes.ts';
import { evaluationKind, evaluationSummarySchema, interval } from './evaluation.ts';

/** One way in which recordings get worse, that a model can be measured through. */
export const degradationSchema = z.object({
  name: z.string(),
  label: z.string(),
  /** Those of one family differ in strength: `value`, in `unit`. */
  family: z.string(),
  value: z.number(),
  unit: z.string(),
  /** One of the ten that a model is to stand. */
  isChannel: z.boolean(),
  /** Why it cannot be had on this machine (a codec without an encoder); else null. */
  missing: z.string().nullable(),
});
export type Degradation = z.infer<typeof degradationSchema>;

/** A model through one degradation; the first row of a measurement, `as-is`, is of the recordings as they are. Rates are fractions. */
const robustnessRowSchema = degradationSchema.pick({ name: true, label: true }).extend({
  family: z.string().nullable(),
  value: z.number().nullable(),
  unit: z.string().nullable(),
  /** Program that coded; null where none did. */
  encoder: z.string().nullable(),
  /** Why it was not measured. */
  skipped: z.string().nullable(),
  figures: z
    .object({
      recordings: z.int(),
      /** With a score, whatever the finding. */
      scored: z.int(),
      failed: z.int(),
      /** Of which a companion of the model spoke. */
      byCompanion: z.int(),
      /** Of all scores, also of recordings that are not assessable. */
      eer: z.number().nullable(),
      eerInterval: interval,
      cllrBits: z.number().nullable(),
      /** What the degradation costs in EER, of recordings scored both ways. */
      paired: z.object({ recordings: z.int(), difference: z.number(), interval }).nullable(),
      /** With a finding for either class, of all recordings. */
      decidedShare: z.number(),
      notAssessableShare: z.number(),
    })
    .nullable(),
});
export type RobustnessRow = z.infer<typeof robustnessRowSchema>;

export const robustnessResultSchema = z.object({
  modelId: z.string(),
  modelName: z.string(),
  modelSha256: sha256,
  bonafide: z.int(),
  spoof: z.int(),
  /** Of all those of the split, where only some were drawn. */
  outOf: z.int(),
  seed: z.int(),
  /** What is said where companions of the model spoke of some recordings. */
  companionNote: z.string().nullable(),
  rows: z.array(robustnessRowSchema).min(1),
});
export type RobustnessResult = z.infer<typeof robustnessResultSchema>;

export const robustnessEvaluationSchema = evaluationSummarySchema.extend({
  kind: evaluationKind.robustness,
  result: robustnessResultSchema,
});
export type RobustnessEvaluation = z.infer<typeof robustnessEvaluationSchema>;
