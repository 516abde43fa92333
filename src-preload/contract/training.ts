import { z } from 'zod';
import { trainingRequestSchema, trainingSchema } from '../../src-common/schemas/training.ts';
import { jobStarted, nothing, procedure } from './procedure.ts';

export const training = {
  /** What a model of several members can have here. */
  members: procedure.output(
    z.array(
      z.object({
        /** As in a request. */
        name: z.string(),
        kind: z.enum(['network', 'encoder', 'trees']),
        /** Of an encoder that was added. */
        description: z.string().nullable(),
        /** Why it cannot be had; null where it can. */
        why: z.string().nullable(),
      }),
    ),
  ),
  start: procedure.input(trainingRequestSchema).output(jobStarted),
  /** Running, finished and interrupted ones, the latest first. */
  list: procedure.output(z.array(trainingSchema)),
  get: procedure.input(z.object({ jobId: z.string() })).output(trainingSchema),
  /** Goes on from the checkpoint. */
  resume: procedure.input(z.object({ jobId: z.string() })).output(jobStarted),
  discard: procedure.input(z.object({ jobId: z.string() })).output(nothing),
};
