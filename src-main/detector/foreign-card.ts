/** What the card of a detector that others trained says: see docs/models.md. */
import { z } from 'zod';
import { conditioningSchema } from '../audio/condition.ts';
import { frontEndSchema } from '../features/front-end.ts';

/** What goes into a foreign graph, one window after the other. */
export const foreignInputSchema = z.strictObject({
  name: z.string().min(1),
  /** Length of a window, at the conditioning's rate. */
  samples: z.int().min(160).max(4_800_000),
  /** What fills a window that the recording does not: itself again, zeros, or nothing (the graph takes any length up to `samples`). */
  padding: z.enum(['repeat', 'zero', 'none']),
  /** Of the samples of a window before anything else: mean nought and deviation one, as Hugging Face's extractors do. */
  normalisation: z.enum(['none', 'mean-deviation']).default('none'),
  /** Computed here before the graph; null: the samples go in. */
  frontEnd: frontEndSchema.nullable().default(null),
  /** Order of a front end's axes in the graph. */
  layout: z.enum(['bins-frames', 'frames-bins']).default('bins-frames'),
  /** The graph's value is the front end's level in dB times this: 0.2302585 turns it into a natural logarithm of power. */
  perDb: z.number().default(1),
});

/** What comes out, and which of it speaks for bona fide. */
export const foreignOutputSchema = z.strictObject({
  name: z.string().min(1),
  kind: z.enum(['logit', 'logits', 'log-softmax', 'probability']),
  /** Of several values, the place of bona fide; of one, 1 where high means bona fide and 0 where high means spoof. */
  bonafide: z.int().min(0),
});

export type ForeignInput = z.infer<typeof foreignInputSchema>;
export type ForeignOutput = z.infer<typeof foreignOutputSchema>;

/** A card as a laboratory writes it beside a foreign detector's graph. Whatever it does not know is refused: a misspelt key changes scores. */
export const detectorDeclarationSchema = z
  .strictObject({
    name: z.string().min(1).max(100),
    description: z.string().default(''),
    licence: z.string().default(''),
    source: z.string().default(''),
    sampleRateHz: z.int().min(1000).max(192_000),
    input: foreignInputSchema,
    /** Samples from one window to the next; half a window if not given. */
    hop: z.int().min(16).optional(),
    output: foreignOutputSchema,
    /** Recordings of less than twice this rate are not assessable; half the sample rate if not given. */
    highestHz: z.number().positive().optional(),
    conditioning: z
      .strictObject({
        /** Leading and trailing silence left out, the ends faded. */
        trim: z.boolean().default(false),
        bandHz: conditioningSchema.shape.bandHz.default(null),
        windowLevelDbfs: conditioningSchema.shape.windowLevelDbfs.default(null),
        speech: z.enum(['none', 'silero-vad-v5']).default('none'),
      })
      .prefault({}),
    notes: z.array(z.string().min(1)).default([]),
  })
  .superRefine(({ sampleRateHz, input: { frontEnd, samples }, hop = 0 }, context) => {
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (frontEnd !== null && frontEnd.sampleRateHz !== sampleRateHz)
      refuse(['input', 'frontEnd', 'sampleRateHz'], 'must be the sampleRateHz of the card');
    if (hop > samples) refuse(['hop'], 'must be at most the samples of a window');
  });
export type DetectorDeclaration = z.infer<typeof detectorDeclarationSchema>;
