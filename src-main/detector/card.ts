/** A model's card: all that is known of how it was made and how well it does. */
import { z } from 'zod';
import { sha256Schema as sha256 } from '../../src-common/hashes.ts';
import { splitFiguresSchema } from '../../src-common/schemas/model.ts';
import { conditionRecordSchema } from '../../src-common/condition-curves.ts';
import { validationDistanceSchema } from '../../src-common/validation-distance.ts';
import { findingRecordSchema } from '../../src-common/schemas/finding-record.ts';
import { conditioningSchema } from '../audio/condition.ts';
import { calibrationSchema } from '../evaluation/calibration.ts';
import { localisationSchema, partialRecordSchema } from './localisation-card.ts';
import { memberSchema } from './member.ts';
import { validationConditionsSchema } from '../../src-common/schemas/validation.ts';

/** Of which recordings a companion speaks: of those that any of these holds of. */
const companionConditionSchema = z
  .object({
    /** Where the sound reaches no higher than this, in Hz, */
    maximumBandwidthHz: z.number().positive().optional(),
    /** was sampled at no more than so many Hz, */
    maximumSampleRateHz: z.number().positive().optional(),
    /** or is coded in one of these (ffmpeg's names). */
    codecs: z.array(z.string()).optional(),
  })
  .refine((condition) => Object.keys(condition).length > 0, 'a companion needs a condition');
export type CompanionCondition = z.infer<typeof companionConditionSchema>;

/** Of which recordings a companion speaks, for people: "recordings …". */
export function conditionWords({ maximumBandwidthHz, maximumSampleRateHz, codecs }: CompanionCondition): string {
  const parts = [
    ...(maximumSampleRateHz === undefined ? [] : [`that are sampled at ${maximumSampleRateHz} Hz or less`]),
    ...(maximumBandwidthHz === undefined
      ? []
      : [`whose sound reaches no higher than ${maximumBandwidthHz} Hz, as measured`]),
    ...(codecs === undefined ? [] : [`that are coded in ${codecs.join(' or ')}`]),
  ];
  return `recordings ${parts.join(', or ')}`;
}

export type SplitFigures = z.infer<typeof splitFiguresSchema>;

/** Seconds of net speech, for cards and training that name no other limit. */
export const defaultMinimumSpeechSeconds = 0.5;

const advantageSchema = z.object({ mean: z.number(), interval: z.tuple([z.number(), z.number()]) });

/** How well saliency maps of one kind did in the test by deletion and insertion, see `saliency/faithfulness.ts`. */
const saliencyRecordSchema = z.object({
  method: z.enum(['occlusion', 'grad-cam']),
  /** Null: of the model's own score. */
  member: z.string().nullable(),
  dataset: z.string(),
  split: z.string(),
  recordings: z.int(),
  sources: z.int(),
  /** By how much more the score moved than with other regions of the same size; intervals by a bootstrap over sources. */
  deletion: advantageSchema,
  insertion: advantageSchema,
  both: advantageSchema,
});
export type SaliencyRecord = z.infer<typeof saliencyRecordSchema>;

/** What format 1 said of training that now stands with the member. */
const movedTraining = [
  'epochs',
  'bestEpoch',
  'clipsPerEpoch',
  'batchSize',
  'learningRate',
  'weightDecay',
  'averagedSteps',
  'sampling',
  'schedule',
  'labelSmoothing',
  'keep',
  'cropSeconds',
  'augmentation',
  'from',
  'history',
];

/** A card of format 1, which had one network and no members, as one of format 2; others as they are. */
function upgraded(card: unknown): unknown {
  if (typeof card !== 'object' || card === null || !('format' in card) || card.format !== 1) return card;
  const { frontEnd, network, training, ...rest } = card as Record<string, unknown>;
  const parts = Object.entries((training ?? {}) as Record<string, unknown>);
  const moved = ([key]: [string, unknown]): boolean => movedTraining.includes(key);
  const member = {
    kind: 'network',
    name: 'network',
    weight: 1,
    frontEnd,
    network,
    onnx: 'model.onnx',
    weights: 'weights.safetensors',
    training: Object.fromEntries(parts.filter(moved)),
  };
  return {
    ...rest,
    format: 2,
    members: [member],
    training: Object.fromEntries(parts.filter((part) => !moved(part))),
  };
}

const plainCardSchema = z.object({
  format: z.literal(2),
  name: z.string().min(1),
  /** `screening`: fit to sort recordings; `validated`: a laboratory has measured and calibrated it on its own. */
  status: z.enum(['screening', 'validated']),
  createdAt: z.string(),
  application: z.string(),
  conditioning: conditioningSchema,
  window: z.object({ seconds: z.number().positive(), hopSeconds: z.number().positive() }),
  /** At least one; every one of them sees the same windows. */
  members: z
    .array(memberSchema)
    .min(1)
    .refine((members) => new Set(members.map(({ name }) => name)).size === members.length, 'two members of one name'),
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
    /** Folds of sources whose out-of-fold scores the calibration rests on. */
    folds: z.int().nullable().default(null),
    /** Copies of these recordings that encoders' heads learnt from, too; SHA-256 over the sorted lines `sha256 label`. */
    copies: z.object({ dataset: z.string(), recordings: z.int(), manifestSha256: sha256 }).optional(),
  }),
  calibration: calibrationSchema,
  /** Of a detector that was made elsewhere and not calibrated here yet: its calibration means nothing, and there is no finding. */
  uncalibrated: z.literal(true).optional(),
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
    /** What is coded so (ffmpeg's name of the codec) is not assessable: the model was seen to misjudge it. */
    misjudgedCodecs: z.array(z.string()).optional(),
  }),
  /**
   * Models of their own, each in a folder of that name beside the card, that speak of recordings of a condition; measured on the
   * recording. Where several fit, the first speaks.
   */
  companions: z
    .array(
      z.object({
        name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
        /** What it is known by (`identityOf`), and the SHA-256 of each of its files. */
        sha256,
        files: z.record(z.string(), sha256),
        condition: companionConditionSchema,
      }),
    )
    .optional(),
  /** Where to listen in a recording, by window scores; null or absent where that was not measured. */
  localisation: localisationSchema.nullable().optional(),
  /** Whether such times are of use, for the windows of scans and for short ones. */
  partialSpoofs: z.array(partialRecordSchema).optional(),
  figures: z.array(splitFiguresSchema),
  /** How often its findings were right, by split; at most one for each split of a dataset. */
  records: z.array(findingRecordSchema).default([]),
  /** What its thresholds of what is assessable follow from; absent where they were not measured. */
  conditions: conditionRecordSchema.optional(),
  /** How far a recording may lie from those that it was measured on; absent where that was not measured. */
  distance: validationDistanceSchema.optional(),
  /** How faithful its saliency maps are. */
  saliency: z.array(saliencyRecordSchema).optional(),
  /** Who validated it, on what, and under which conditions that holds; null for `screening`. */
  validation: z
    .object({
      laboratory: z.string(),
      /** In a sentence. */
      conditions: z.string(),
      date: z.string(),
      dataset: z.string(),
      split: z.string(),
      /** What lies outside of them is not assessable. */
      limits: validationConditionsSchema.optional(),
      /** SHA-256 of the signed record (`validationRecordName`) that lies beside the card. */
      record: sha256.optional(),
    })
    .nullable()
    .optional(),
  /** Of the installation that validated it, over what `seal.ts` says. */
  seal: z.object({ publicKey: z.string(), signature: z.string() }).optional(),
  /** Where an imported model came from; absent of one that was made here. */
  origin: z
    .object({
      importedAt: z.string(),
      /** Name of the file that it came in. */
      file: z.string(),
      /** Of the card as it came. */
      cardSha256: sha256,
      /** The application that made it, as the card says. */
      application: z.string(),
      /** As the card had it. */
      status: z.enum(['screening', 'validated']),
      laboratory: z.string().nullable(),
    })
    .optional(),
  /** What a user must know: terms of the training data, limits. */
  notes: z.array(z.string()),
  /** SHA-256 of every file in the folder beside the card. */
  files: z.record(z.string(), sha256),
});

/** A model's card, `card.json` in its folder: everything needed to use, repeat and judge it. */
export const cardSchema = z.preprocess(upgraded, plainCardSchema);
export type Card = z.infer<typeof cardSchema>;
