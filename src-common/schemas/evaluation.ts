/** What an evaluation measured of models on a dataset. */
import { z } from 'zod';
import { findingRecordSchema } from './finding-record.ts';
import { sha256Schema as sha256 } from '../hashes.ts';
import { time } from './primitives.ts';

export const interval = z.tuple([z.number(), z.number()]).nullable();
const curve = z.array(z.tuple([z.number(), z.number()]));
const band = z.array(z.tuple([z.number(), z.number(), z.number()]));

/** One model's results on one split. Curves are thinned to what a plot can show; rates are fractions. */
export const evaluationResultSchema = z.object({
  modelId: z.string(),
  modelName: z.string(),
  modelSha256: sha256,
  bonafide: z.int(),
  spoof: z.int(),
  withoutScore: z.int(),
  /** What is said where companions of the model spoke of some recordings; then scores are natural-log likelihood ratios. */
  companionSentence: z.string().nullable().optional(),
  /** How often the findings were right; null in evaluations of an older version. */
  findings: findingRecordSchema.nullable().default(null),
  /** Name, value and 95 % interval of every figure: `eer`, `auc`, `cllrBits`, `minDcf` … */
  figures: z.array(z.object({ name: z.string(), label: z.string(), value: z.number(), unit: z.string(), interval })),
  /** False-accept rate of spoofs against hit rate of bona fide. */
  roc: curve,
  /** Of bona fide speech; of spoofs, not in evaluations of an older version. */
  precisionRecall: curve,
  precisionRecallSpoof: curve.default([]),
  /** False-accept rate, miss rate; to be drawn on probit axes. */
  det: curve,
  /** Bands: x, low, high. */
  rocBand: band,
  detBand: band,
  precisionBand: band,
  precisionBandSpoof: band.default([]),
  /** How intervals and bands were drawn; null without them, and in evaluations of an older version. */
  resampling: z
    .object({ confidence: z.number(), replicates: z.int(), levels: z.array(z.string()), tooFew: z.boolean() })
    .nullable()
    .default(null),
  calibration: z.array(
    z.object({
      from: z.number(),
      to: z.number(),
      bonafide: z.int(),
      spoof: z.int(),
      meanProbability: z.number().nullable(),
      bonafideShare: z.number().nullable(),
      interval,
    }),
  ),
  /** log10 LR against the share of trials whose LR is larger. */
  tippett: z.object({ bonafide: curve, spoof: curve }),
  /** Shares of likelihood ratios on the wrong side of one; null in evaluations of an older version. */
  misleading: z.object({ bonafide: z.number(), spoof: z.number() }).nullable().default(null),
  /**
   * Empirical cross-entropy in bits over log10 of the prior odds of bona fide speech: of the likelihood ratios, of the best calibrated
   * ones, and of none; null in evaluations of an older version.
   */
  crossEntropy: z.object({ given: curve, calibrated: curve, neutral: curve }).nullable().default(null),
  /** Histograms over equal bins of the score; `beyond` the axis lie scores that the outermost bins count, too. */
  histogram: z.object({
    from: z.number(),
    to: z.number(),
    bonafide: z.array(z.int()),
    spoof: z.array(z.int()),
    beyond: z.int().optional(),
  }),
  /** Sorted scores, thinned evenly to at most 4,000 of each class, for the confusion matrix at any threshold. */
  scores: z.object({ bonafide: z.array(z.number()), spoof: z.array(z.number()) }),
  threshold: z.number(),
  eerThreshold: z.number(),
  generators: z.array(
    z.object({
      generator: z.string(),
      spoofs: z.int(),
      /** How many of them the model's threshold takes for bona fide; what was measured earlier does not say. */
      accepted: z.int().optional(),
      /** Too few independent recordings for a rate with an interval: the counts are shown. */
      tooFew: z.boolean().optional(),
      eer: z.number(),
      interval,
      auc: z.number(),
      sameSourceEer: z.number().nullable(),
      sameSourceTooFew: z.boolean().optional(),
      sameSourceInterval: interval,
    }),
  ),
});
export type EvaluationResult = z.infer<typeof evaluationResultSchema>;
/** What plots are made of: the results without whose they are. */
export type PlottedFigures = Omit<
  EvaluationResult,
  'modelId' | 'modelName' | 'modelSha256' | 'withoutScore' | 'findings' | 'companionSentence'
>;

export const evaluationKind = {
  /** Of models, side by side, on recordings as they are. */
  figures: z.literal('figures'),
  /** Of one model, through degradations. */
  robustness: z.literal('robustness'),
};

export const evaluationSummarySchema = z.object({
  id: z.string(),
  /** What was measured before there were kinds is of the first. */
  kind: z.union(Object.values(evaluationKind)).default('figures'),
  createdAt: time,
  dataset: z.string(),
  split: z.string(),
  models: z.array(z.string()),
});
export type EvaluationSummary = z.infer<typeof evaluationSummarySchema>;

export const evaluationSchema = evaluationSummarySchema.extend({
  kind: evaluationKind.figures,
  results: z.array(evaluationResultSchema),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
