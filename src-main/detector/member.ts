import { z } from 'zod';
import { sha256Schema as sha256 } from '../../src-common/hashes.ts';
import { frontEndSchema } from '../features/front-end.ts';
import { augmentationSchema } from './augmentation.ts';
import { foreignInputSchema, foreignOutputSchema } from './foreign-card.ts';
import { networkSchema } from './network.ts';

/** A file in the model's folder: a plain name. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9-]*\.(?:onnx|safetensors)$/);

const base = {
  /** Which of the model's members it is, `linear` for instance. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  /** Times its score in the model's. */
  weight: z.number(),
};

/** How a network was trained. */
const networkTrainingSchema = z.object({
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
  augmentation: augmentationSchema,
  /** The model whose weights training began with. */
  from: z.object({ name: z.string(), onnxSha256: sha256 }).nullable(),
  history: z.array(z.object({ epoch: z.int(), loss: z.number(), devEer: z.number(), devAuc: z.number() })),
});

/** The name of an encoder's folder, never a way to another one: cards come from elsewhere. */
export const encoderName = z.string().regex(/^[a-z0-9][a-z0-9-]*$/);

/** A network on a front end. */
const networkMemberSchema = z.object({
  kind: z.literal('network'),
  ...base,
  frontEnd: frontEndSchema,
  network: networkSchema,
  /** Its graph and its weights among the model's files. */
  onnx: fileName,
  weights: fileName,
  training: networkTrainingSchema,
});
export type NetworkMember = z.infer<typeof networkMemberSchema>;

/** A frozen encoder, which is no file of the model, with a head: a logit of its embedding. */
const encoderMemberSchema = z.object({
  kind: z.literal('encoder'),
  ...base,
  encoder: z.object({ name: encoderName, weightsSha256: sha256, onnxSha256: sha256, size: z.int().positive() }),
  /** `kernel` [size] and `bias` [1] among the model's files. */
  head: fileName,
  /** Strength of the fit, scikit-learn's C. */
  training: z.object({
    strength: z.number(),
    /** Of an encoder that a laboratory brought: the layers and statistics that the head looks at, chosen on sources left out. */
    layers: z.array(z.int().min(0)).optional(),
    pooling: z.enum(['mean', 'mean and deviation']).optional(),
  }),
});
export type EncoderMember = z.infer<typeof encoderMemberSchema>;

/** How boosted trees were fitted. */
const treesTrainingSchema = z.object({
  trees: z.int().positive(),
  leaves: z.int().positive(),
  learningRate: z.number(),
  penalty: z.number(),
  leastInLeaf: z.int(),
  valuesShare: z.number(),
  /** Fits of different seeds, whose trees are averaged. */
  seeds: z.int().positive(),
});

/** Boosted trees on the values of a front end that has one frame. */
const treesMemberSchema = z.object({
  kind: z.literal('trees'),
  ...base,
  frontEnd: frontEndSchema,
  /** Its trees among the model's files. */
  trees: fileName,
  training: treesTrainingSchema,
});
export type TreesMember = z.infer<typeof treesMemberSchema>;

/** A graph that others made, with what goes in and what comes out. */
const foreignMemberSchema = z.object({
  kind: z.literal('foreign'),
  ...base,
  onnx: fileName,
  input: foreignInputSchema,
  output: foreignOutputSchema,
  /** Axes of the graph's input. */
  axes: z.int().min(1).max(4),
  /** The highest frequency that it was made for. */
  highestHz: z.number().positive(),
  description: z.string(),
  licence: z.string(),
  source: z.string(),
});
export type ForeignMember = z.infer<typeof foreignMemberSchema>;

/** What a model is made of: the weighted sum of its members' scores is the model's. */
export const memberSchema = z.discriminatedUnion('kind', [
  networkMemberSchema,
  encoderMemberSchema,
  treesMemberSchema,
  foreignMemberSchema,
]);
export type Member = z.infer<typeof memberSchema>;

/** The highest frequency that a member looks at, in Hz; null where what goes in is the sound itself. */
export function highestHz(member: Member): number | null {
  if (member.kind === 'foreign') return member.highestHz;
  return member.kind === 'network' || member.kind === 'trees' ? member.frontEnd.fMax : null;
}
