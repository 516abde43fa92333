/** How far recordings lie from those that a model was measured on: part of its card. */
import { z } from 'zod';

const kindSchema = z.object({
  /** `quality`, or the network whose pooled vector before the head it is of. */
  of: z.string(),
  /** Of quality, in this order. */
  measures: z.array(z.string()).optional(),
  width: z.int().positive(),
  /** Ledoit and Wolf's, 0 to 1. */
  shrinkage: z.number(),
  /** Mean, then the rows of the lower triangle of what whitens: 32-bit floats, little-endian, base64. */
  spread: z.string(),
  /** Distances of recordings of sources left out, at 0, 1 … 100 per cent of them. */
  percentiles: z.array(z.number()).length(101),
  /** Beyond it lie recordings of fewer than five sources: nothing is known there. */
  limit: z.number(),
  /** How error grows with it, on recordings of sources left out and their degraded copies, as far as thresholds let them pass. */
  growth: z.array(
    z.object({
      /** Shares of the recordings as they are that lie nearer. */
      from: z.number(),
      to: z.number(),
      recordings: z.int(),
      eer: z.number().nullable(),
      cllrBits: z.number().nullable(),
    }),
  ),
  beyond: z.object({
    recordings: z.int(),
    sources: z.int(),
    /** Cllr beyond the limit less that within, in bits, with its 95 % interval over sources; null where there are too few. */
    difference: z.number().nullable(),
    interval: z.tuple([z.number(), z.number()]).nullable(),
  }),
  /** Error grows beyond the limit (the interval lies above zero): such recordings are not assessable. Never of quality, of which thresholds decide. */
  forbids: z.boolean(),
  /** What it would do to likelihood ratios to shrink with the distance, by a rule fitted on other sources: Cllr as they are and shrunk, in bits. */
  shrinking: z
    .object({
      cllrBits: z.number(),
      shrunkCllrBits: z.number(),
      interval: z.tuple([z.number(), z.number()]).nullable(),
    })
    .nullable(),
});
export type DistanceKind = z.infer<typeof kindSchema>;

export const validationDistanceSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  seed: z.int(),
  recordings: z.int(),
  sources: z.int(),
  /** Of recordings and copies that error was measured on. */
  copies: z.int(),
  kinds: z.array(kindSchema),
});
export type ValidationDistanceRecord = z.infer<typeof validationDistanceSchema>;

/** What a kind is called in sentences. */
export function distanceName({ of }: Pick<DistanceKind, 'of'>): string {
  return of === 'quality' ? 'its quality' : `what the member ${of} makes of it`;
}

/** What was measured of a kind, in a sentence or two. */
export function distanceSentence(kind: DistanceKind): string {
  const { beyond, forbids, shrinking } = kind;
  const bits = (value: number): string => value.toFixed(2).replace('-', '−');
  const growth =
    beyond.difference === null
      ? `Too few recordings lie beyond the limit to tell whether error grows (${beyond.recordings} of ${beyond.sources} sources)`
      : `Beyond the limit (${beyond.recordings} recordings and copies) Cllr is ${bits(Math.abs(beyond.difference))} bits ${beyond.difference < 0 ? 'lower' : 'higher'} than within` +
        (beyond.interval
          ? ` (95 % interval of the difference ${bits(beyond.interval[0])} to ${bits(beyond.interval[1])})`
          : '');
  const rule = forbids
    ? 'what lies beyond is not assessable'
    : kind.of === 'quality'
      ? 'what lies beyond is reported; the thresholds decide what is assessable'
      : 'what lies beyond is reported, and forbids nothing';
  const shrunk =
    shrinking === null
      ? ''
      : ` Likelihood ratios shrunk with it have a Cllr of ${shrinking.shrunkCllrBits.toFixed(3)} in place of ${shrinking.cllrBits.toFixed(3)} bits on sources left out: they are left as they are.`;
  return `${growth}: ${rule}.${shrunk}`;
}
