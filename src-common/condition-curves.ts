/** How a model's findings hold as recordings get worse, and down to which quality they may be given: part of its card. */
import { z } from 'zod';
import { rateSchema } from './schemas/finding-record.ts';

export const conditionMeasures = ['speechSeconds', 'snrDb', 'bandwidthHz', 'clippedFraction'] as const;
export type ConditionMeasure = (typeof conditionMeasures)[number];

/** What a measure is called, its unit, and what a value of 1 of it is in that unit. */
export const conditionWords = {
  speechSeconds: { name: 'Speech', unit: 's', scale: 1 },
  snrDb: { name: 'Signal-to-noise ratio', unit: 'dB', scale: 1 },
  bandwidthHz: { name: 'Bandwidth', unit: 'Hz', scale: 1 },
  clippedFraction: { name: 'Clipped samples', unit: '%', scale: 100 },
} as const satisfies Record<ConditionMeasure, { name: string; unit: string; scale: number }>;

/** Recordings through one degradation. */
const stepSchema = z.object({
  /** Of the degradation; null for the recordings as they are. */
  value: z.number().nullable(),
  /** What was measured on the copies: their median and their worst tenth; null where nothing could be. */
  measured: z.object({ median: z.number(), worstTenth: z.number() }).nullable(),
  recordings: z.int(),
  /** With a finding for either class or inconclusive, were it not for the thresholds. */
  assessed: z.int(),
  eer: z.number().nullable(),
  cllrBits: z.number().nullable(),
  /** Bona fide recordings found synthetic and spoofs found bona fide, of those assessed. */
  falseSpoof: rateSchema,
  falseBonafide: rateSchema,
  /** Findings may be given of such recordings, by the rule of the record. */
  holds: z.boolean(),
});
export type ConditionStep = z.infer<typeof stepSchema>;

const curveSchema = z.object({
  measure: z.enum(conditionMeasures),
  /** Of degradations, as in `White noise`. */
  family: z.string(),
  /** Of the degradation's strength. */
  unit: z.string(),
  /** From the recordings as they are to the worst. */
  steps: z.array(stepSchema).min(1),
  /** Up to where findings hold by this curve; null where they do not even on the recordings as they are. */
  threshold: z.number().nullable(),
});
export type ConditionCurve = z.infer<typeof curveSchema>;

export const conditionRecordSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  seed: z.int(),
  recordings: z.int(),
  sources: z.int(),
  /**
   * A step holds where of at least five sources no more than this share of either class was found to be the other (the rate that the
   * calibration allows), and Cllr is below one bit; null: the calibration supports no finding, and Cllr alone counts.
   */
  highestRate: z.number().nullable(),
  curves: z.array(curveSchema),
  /** The strictest of a measure's curves, and what stood in the card before. */
  thresholds: z.array(
    z.object({ measure: z.enum(conditionMeasures), value: z.number(), before: z.number().nullable() }),
  ),
});
export type ConditionRecord = z.infer<typeof conditionRecordSchema>;

/** A value in its measure's unit, as in `18 dB`. */
export function conditionText(measure: ConditionMeasure, value: number): string {
  const { unit, scale } = conditionWords[measure];
  return `${Number((scale * value).toPrecision(3))} ${unit}`;
}

/** What the thresholds follow from, in a sentence. */
export function conditionRule({ highestRate, recordings, split }: ConditionRecord): string {
  const rate =
    highestRate === null
      ? ''
      : `at most ${Math.round(100 * highestRate)} % of either class (what the calibration allows) are found to be the other and `;
  return (
    `${recordings} recordings of ${split} were made worse step by step. Findings hold down to the last step at which ${rate}` +
    'likelihood ratios tell more than none would (Cllr below 1 bit); the threshold is what nine in ten of that step reach.'
  );
}
