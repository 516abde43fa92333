import { z } from 'zod';
import { findingRecordSchema } from '../../src-common/finding-record.ts';
import { conditioningSchema } from '../audio/condition.ts';
import { calibrationSchema } from '../evaluation/calibration.ts';
import { frontEndSchema } from '../features/front-end.ts';
import { augmentationSchema } from './augment.ts';
import { localisationSchema } from './localisation.ts';
import { networkSchema } from './network.ts';

/** Figures of one split, at the threshold fixed on dev. */
const splitFiguresSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  bonafide: z.int(),
  spoof: z.int(),
  eer: z.number(),
  auc: z.number(),
  averagePrecisionBonafide: z.number(),
  averagePrecisionSpoof: z.number(),
  accuracy: z.number(),
  cllrBits: z.number(),
  minCllrBits: z.number(),
});
export type SplitFigures = z.infer<typeof splitFiguresSchema>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Seconds of net speech, for cards and training that name no other limit. */
export const defaultMinimumSpeechSeconds = 0.5;

/** A model's card, `card.json` in its folder: everything needed to use, repeat and judge it. */
export const cardSchema = z.object({
  format: z.literal(1),
  name: z.string().min(1),
  /** `screening`: fit to sort recordings; `validated`: a laboratory has measured and calibrated it on its own. */
  status: z.enum(['screening', 'validated']),
  createdAt: z.string(),
  application: z.string(),
  conditioning: conditioningSchema,
  frontEnd: frontEndSchema,
  window: z.object({ seconds: z.number().positive(), hopSeconds: z.number().positive() }),
  network: networkSchema,
  training: z.object({
    dataset: z.string(),
    /** Recordings by split and class. */
    counts: z.record(z.string(), z.object({ bonafide: z.int(), spoof: z.int() })),
    sources: z.array(z.string()),
    /** SHA-256 over the sorted lines `sha256 label split` of all items used. */
    manifestSha256: sha256,
    /** SHA-256 of every file trained on, sorted. */
    fileSha256: z.array(sha256),
    seed: z.int(),
    backend: z.string(),
    epochs: z.int(),
    bestEpoch: z.int(),
    clipsPerEpoch: z.int(),
    batchSize: z.int(),
    learningRate: z.number(),
    weightDecay: z.number().default(0),
    averagedSteps: z.int().default(0),
    sampling: z.enum(['clips', 'sources']).default('clips'),
    schedule: z.enum(['cosine', 'one-cycle']).default('cosine'),
    labelSmoothing: z.number().default(0),
    /** Which epoch's weights were kept: the best by dev, or the last. */
    keep: z.enum(['best', 'last']).default('best'),
    /** Length of the windows that training saw, where another than that of scoring. */
    cropSeconds: z.number().optional(),
    /** Folds of sources whose out-of-fold scores the calibration rests on. */
    folds: z.int().nullable().default(null),
    augmentation: augmentationSchema,
    /** The model whose weights training began with. */
    from: z.object({ name: z.string(), onnxSha256: sha256 }).nullable(),
    history: z.array(z.object({ epoch: z.int(), loss: z.number(), devEer: z.number(), devAuc: z.number() })),
  }),
  calibration: calibrationSchema,
  thresholds: z.object({
    /** Scores at or above it count as bona fide: the equal-error threshold on dev. */
    score: z.number(),
    /** |llr| below it is inconclusive, where the calibration says nothing of a band. */
    inconclusiveLlr: z.number(),
    /** Less active sound than this is not assessable. */
    minimumActiveSeconds: z.number(),
    /** A larger share of clipped samples than this is not assessable. */
    maximumClippedFraction: z.number(),
    /** Less speech than this is scored as a whole and not assessable, where the conditioning looks for speech. */
    minimumSpeechSeconds: z.number().default(defaultMinimumSpeechSeconds),
    /** Speech less than this above the noise is not assessable; by default only what is drowned. */
    minimumSnrDb: z.number().default(0),
    /** A narrower effective bandwidth is not assessable; where absent, 0.6 of the front end's highest frequency. */
    minimumBandwidthHz: z.number().optional(),
  }),
  /** Where to listen in a recording, by window scores; null or absent where that was not measured. */
  localisation: localisationSchema.nullable().optional(),
  figures: z.array(splitFiguresSchema),
  /** How often its findings were right, by split; at most one for each split of a dataset. */
  records: z.array(findingRecordSchema).default([]),
  /** Who validated it, on what, and under which conditions that holds; null for `screening`. */
  validation: z
    .object({
      laboratory: z.string(),
      conditions: z.string(),
      date: z.string(),
      dataset: z.string(),
      split: z.string(),
    })
    .nullable()
    .optional(),
  /** What a user must know: terms of the training data, limits. */
  notes: z.array(z.string()),
  files: z.object({ 'model.onnx': sha256, 'weights.safetensors': sha256 }),
});
export type Card = z.infer<typeof cardSchema>;
