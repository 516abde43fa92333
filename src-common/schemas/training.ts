import { z } from 'zod';
import { frontEndNames } from '../front-ends.ts';
import { jobSchema } from './job.ts';
import { name, text, time } from './primitives.ts';
import { userErrorSchema } from './user-error.ts';

export const backendNameSchema = z.enum(['auto', 'tensorflow', 'webgpu', 'wasm', 'cpu']);

export const trainingRequestSchema = z.object({
  /** As `earwitness train --dataset`: `asvspoof2019:DIR`, several joined by `+`. */
  dataset: z.string().min(1).max(10_000),
  bonafide: z.string().max(10_000).optional(),
  name,
  /** Where no members are named. */
  network: z.enum(['residual', 'mel-cnn']).default('residual'),
  /** Members of a model of several, as `earwitness train --members`: see `training.members`. */
  members: z.array(z.string().min(1).max(100)).min(1).max(20).optional(),
  /** Copies of the recordings that heads of encoders learn from, too: a spec. */
  copies: z.string().min(1).max(10_000).optional(),
  /** What of sound it is made for. */
  band: z.enum(['full', 'telephone']).default('full'),
  /** As suits the network where not given; so with what training takes below. */
  frontEnd: z.enum(frontEndNames).optional(),
  /** `auto`: as suits the network. */
  augmentation: z.enum(['auto', 'full', 'channel', 'light', 'masked', 'none']).default('auto'),
  backend: backendNameSchema.default('auto'),
  epochs: z.int().min(1).max(1000).optional(),
  batchSize: z.int().min(2).max(1024).multipleOf(2).default(32),
  learningRate: z.number().positive().max(1).optional(),
  patience: z.int().min(1).max(1000).default(8),
  seed: z.int().nonnegative().default(1),
  /** Folds of sources whose out-of-fold scores calibrate it; null: the dev split does. */
  folds: z.int().min(2).max(100).nullable().default(null),
  /** Findings may be wrong in at most this share of recordings of either class. */
  maximumErrorRate: z.number().gt(0).lt(0.5).default(0.05),
  /** Id of a model to train on from. */
  from: z.string().optional(),
  notes: z.array(text).default([]),
});
export type TrainingRequest = z.infer<typeof trainingRequestSchema>;

/** A member in training, the network of a model of one among them; its curves are of the fold at work. */
export const trainingMemberSchema = z.object({
  name: z.string(),
  kind: z.enum(['network', 'encoder']),
  /** Epochs that a network takes, or takes at most; null of an encoder. */
  planned: z.int().nullable(),
  /** Whether folds make it, too: of several seeds of a network they make the first. */
  inFolds: z.boolean(),
  state: z.enum(['waiting', 'running', 'done']),
  /** Recordings that an encoder has looked at; null where none was to be looked at. */
  embedded: z.object({ done: z.int(), total: z.int() }).nullable(),
  /** Loss of single steps, thinned to at most 2,000. */
  steps: z.array(z.object({ epoch: z.number(), loss: z.number() })),
  epochs: z.array(
    z.object({ epoch: z.int(), loss: z.number(), devEer: z.number(), devAuc: z.number(), best: z.boolean() }),
  ),
  /** Its weight in the joined model, and what it makes of dev by itself; null until then, and of one alone. */
  joined: z.object({ weight: z.number(), eer: z.number(), auc: z.number() }).nullable(),
});
export type TrainingMember = z.infer<typeof trainingMemberSchema>;

export const trainingSchema = z.object({
  jobId: z.string(),
  request: trainingRequestSchema,
  startedAt: time,
  state: jobSchema.shape.state,
  backend: z.object({ name: z.string(), device: z.string(), reason: z.string() }).nullable(),
  counts: z.object({ train: z.int(), dev: z.int(), test: z.int() }).nullable(),
  /** In the order in which they are made; none until that is known. */
  members: z.array(trainingMemberSchema),
  /** The fold at work, from 1; 0: what is kept. */
  fold: z.int(),
  folds: z.int(),
  clipsPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  messages: z.array(z.string()),
  modelId: z.string().nullable(),
  error: userErrorSchema.nullable(),
});
export type Training = z.infer<typeof trainingSchema>;
