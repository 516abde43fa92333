/** A training as its file in the data folder holds it. */
import { z } from 'zod';
import { trainingMemberSchema, trainingSchema } from '../../src-common/schemas/training.ts';
import type { TrainingRequest } from '../../src-common/schemas/training.ts';

/** How a member's loss curve is thinned. */
const thinningSchema = z.object({
  stepsPerEpoch: z.int(),
  /** Steps that one point of the curve stands for, and those that the next one has so far. */
  stride: z.int().positive(),
  count: z.int(),
  loss: z.number(),
});

const plainSchema = z.object({
  format: z.literal(2),
  training: trainingSchema,
  /** The process that last worked at it. */
  pid: z.int().nullable(),
  /** By the member's name. */
  thinning: z.record(z.string(), thinningSchema),
  /** SHA-256 of the network that came of it, from the moment that it is moved among the models. */
  made: z.string().nullable(),
});

/** What format 1 had, whose trainings were of one network, as far as it moved. */
const firstSchema = z.looseObject({
  format: z.literal(1),
  training: z.looseObject({ ...trainingMemberSchema.pick({ steps: true, epochs: true }).shape, state: z.string() }),
  fold: z.int(),
  folds: z.int(),
  stepsPerEpoch: z.int(),
  stride: z.int(),
  gathered: z.object({ count: z.int(), loss: z.number() }),
});

/** A record of format 1 as one of format 2; others as they are. */
function upgraded(record: unknown): unknown {
  const first = firstSchema.safeParse(record);
  if (!first.success) return record;
  const { training, fold, folds, stepsPerEpoch, stride, gathered, ...rest } = first.data;
  const { steps, epochs, ...kept } = training;
  const state = kept.state === 'done' ? 'done' : 'waiting';
  const planned = epochs.length;
  const member = { ...oneNetwork, inFolds: folds > 0, planned, state, steps, epochs };
  return {
    ...rest,
    format: 2,
    training: { ...kept, members: [member], fold, folds },
    thinning: { [member.name]: { stepsPerEpoch, stride, ...gathered } },
  };
}

const oneNetwork = { name: 'network', kind: 'network', embedded: null, joined: null } as const;

/** As this version writes it, or as an older one did. */
export const trainingRecordSchema = z.preprocess(upgraded, plainSchema);
export type TrainingRecord = z.infer<typeof plainSchema>;

/** Of a training that waits for its turn. */
export function newRecord(jobId: string, request: TrainingRequest): TrainingRecord {
  return {
    format: 2,
    training: {
      jobId,
      request,
      startedAt: new Date().toISOString(),
      state: 'queued',
      backend: null,
      counts: null,
      members: [],
      fold: 0,
      folds: 0,
      clipsPerSecond: null,
      secondsLeft: null,
      messages: [],
      modelId: null,
      error: null,
    },
    pid: null,
    thinning: {},
    made: null,
  };
}
