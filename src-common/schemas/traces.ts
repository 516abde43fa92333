/** Traces that recording and editing leave beside what was said: measures, never a verdict. */
import { z } from 'zod';

/** What every measure answers. */
const answer = z.object({
  /** What was found, or that nothing was, or why it was not assessed. */
  sentence: z.string(),
  /** What it can and cannot show. */
  limits: z.string(),
  figures: z.array(z.object({ name: z.string(), value: z.string() })),
  /** Stretches or instants that stand out. */
  places: z.array(z.object({ startSeconds: z.number(), endSeconds: z.number(), what: z.string() })),
});
export type TraceAnswer = z.infer<typeof answer>;

/** Null: nothing was measured there. */
const curve = z.object({ timesSeconds: z.array(z.number()), values: z.array(z.number().nullable()) });
export type TraceCurve = z.infer<typeof curve>;

const humSchema = answer.extend({
  kind: z.literal('hum'),
  /** 50 or 60; null: no hum was found. */
  nominalHz: z.number().nullable(),
  /** Of the mains, in Hz: what harmonics say divided by their number. */
  track: curve,
  /** In degrees, of the hum's waveform before against after each instant; above `thresholdDegrees` it is a discontinuity. */
  phaseSteps: curve,
  thresholdDegrees: z.number().nullable(),
  /** The reference at the shift at which it resembles the track most. */
  reference: z
    .object({
      name: z.string(),
      track: curve,
      /** The recording's beginning in the reference's time. */
      shiftSeconds: z.number(),
      correlation: z.number(),
      /** The next best of shifts that lie apart; null where there is none. */
      nextCorrelation: z.number().nullable(),
      differenceHz: z.number(),
    })
    .nullable(),
});
export type HumTrace = z.infer<typeof humSchema>;

const backgroundSchema = answer.extend({
  kind: z.literal('background'),
  /** How many times as much as usual the noise of the background changes at each instant; from `noiseThreshold` on it is a step. */
  noiseChange: curve,
  noiseThreshold: z.number(),
  /** Mean of the samples, in parts of full scale. */
  dc: curve,
});
export type BackgroundTrace = z.infer<typeof backgroundSchema>;

const repeatsSchema = answer.extend({
  kind: z.literal('repeats'),
  repeats: z.array(
    z.object({
      /** Of the earlier and of the later one. */
      firstSeconds: z.number(),
      secondSeconds: z.number(),
      lengthSeconds: z.number(),
      /** Sample for sample; else alike by its fingerprint. */
      isSame: z.boolean(),
      /** Of the fingerprint's bits, those that agree; 1 of samples that are the same. */
      agreement: z.number(),
    }),
  ),
});
export type RepeatsTrace = z.infer<typeof repeatsSchema>;
export type Repeat = RepeatsTrace['repeats'][number];

const codingSchema = answer.extend({
  kind: z.literal('coding'),
  /** Stretches in which a coder's frames were found, in order; two that lie over one another are two codings. */
  runs: z.array(
    z.object({
      /** `other`: a transform codec whose frames are those of neither. */
      family: z.enum(['mp3', 'aac', 'other']),
      window: z.string(),
      frameSamples: z.int(),
      /** Of the recording's samples, modulo `frameSamples`, the one with which frames begin. */
      offset: z.int(),
      startSeconds: z.number(),
      endSeconds: z.number(),
      /** In standard errors, of the ten seconds where it is highest. */
      score: z.number(),
      /** Shares of the lines that vanish where frames begin, and some samples beside. */
      vanished: z.number(),
      vanishedElsewhere: z.number(),
    }),
  ),
  /** How much the start of frames that stands out the most does, in standard errors; from `threshold` on it is found. */
  strength: curve,
  threshold: z.number(),
});
export type CodingTrace = z.infer<typeof codingSchema>;
export type CodingRun = CodingTrace['runs'][number];

const rateSchema = answer.extend({
  kind: z.literal('rate'),
  /** Sampling rates in Hz that the sound had before and that stand out, the clearest first. */
  rates: z.array(
    z.object({
      rateHz: z.number(),
      /** In standard errors of what chance gives. */
      score: z.number(),
      /** Of the windows that were assessed, those in which it stands out. */
      share: z.number(),
    }),
  ),
  runs: z.array(z.object({ rateHz: z.number(), startSeconds: z.number(), endSeconds: z.number() })),
  /** The highest score of any rate, in standard errors; from `threshold` on a rate is said to be found. */
  strength: curve,
  threshold: z.number(),
});
export type RateTrace = z.infer<typeof rateSchema>;

const containerSchema = answer.extend({
  kind: z.literal('container'),
  /** Parts of the file in their order; those within others in brackets. */
  structure: z.string(),
});
export type ContainerTrace = z.infer<typeof containerSchema>;

const traceSchema = z.discriminatedUnion('kind', [
  humSchema,
  backgroundSchema,
  repeatsSchema,
  codingSchema,
  rateSchema,
  containerSchema,
]);
export type Trace = z.infer<typeof traceSchema>;

export const tracesSchema = z.object({
  durationSeconds: z.number(),
  sampleRateHz: z.number(),
  /** Of what was measured; null: the mix of all. */
  channel: z.int().nullable(),
  traces: z.array(traceSchema),
});
export type Traces = z.infer<typeof tracesSchema>;

const foundPlaceSchema = z.object({
  startSeconds: z.number(),
  endSeconds: z.number(),
  /** Of the fingerprint's bits, those that agree: 1 is the same, 0.5 is chance. */
  agreement: z.number(),
  /** What that means, in words. */
  meaning: z.string(),
});

/** Where a stretch of one recording occurs in another. */
export const foundSchema = z.object({
  sentence: z.string(),
  /** What it can and cannot show. */
  limits: z.string(),
  stretch: z.object({ startSeconds: z.number(), endSeconds: z.number() }),
  searchedSeconds: z.number(),
  /** Places that agree less are chance. */
  leastAgreement: z.number(),
  /** Those that agree most first. */
  places: z.array(foundPlaceSchema),
});
export type Found = z.infer<typeof foundSchema>;
