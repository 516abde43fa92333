import { z } from 'zod';

/** What is explained, and how. */
export const saliencySubjectSchema = z.object({
  method: z.enum(['occlusion', 'grad-cam']),
  /** A member's name; null for the model's score. */
  member: z.string().nullable(),
});
export type SaliencySubject = z.infer<typeof saliencySubjectSchema>;

/** A mean with its 95 % interval, in units of the score. */
const advantageSchema = z.object({ mean: z.number(), interval: z.tuple([z.number(), z.number()]) });
export type Advantage = z.infer<typeof advantageSchema>;
/** By how much more the regions of a map move the score than others of the same size. */
const faithfulnessSchema = z.object({
  deletion: advantageSchema,
  insertion: advantageSchema,
  /** Mean of the two: what decides. */
  both: advantageSchema,
});
export type Faithfulness = z.infer<typeof faithfulnessSchema>;

/** Which parts of the sound a score rests on. No evidence: `caution` says so wherever a map is shown. */
export const saliencySchema = saliencySubjectSchema.extend({
  analysisId: z.int(),
  /** Whose score is explained: the model's, or its companion's that spoke. */
  modelName: z.string(),
  score: z.number(),
  /** Edges of the bands, one more than there are, from the lowest. */
  edgesHz: z.array(z.number()),
  /** Null where the map does no better than chance, which `statement` says. */
  columns: z
    .array(
      z.object({
        startSeconds: z.number(),
        endSeconds: z.number(),
        /** For each band: above zero speaks for bona fide; by how much the score falls without it (of Grad-CAM in no unit). */
        cells: z.array(z.number()),
        strip: z.number().nullable(),
      }),
    )
    .nullable(),
  /** The test of the map on this recording. */
  faithfulness: faithfulnessSchema,
  statement: z.string(),
  caution: z.string(),
});
export type Saliency = z.infer<typeof saliencySchema>;
