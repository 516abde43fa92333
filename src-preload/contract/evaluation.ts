import { z } from 'zod';
import { evaluationSchema, evaluationSummarySchema } from '../../src-common/schemas/evaluation.ts';
import { degradationSchema, robustnessEvaluationSchema } from '../../src-common/schemas/robustness.ts';
import { jobStarted, nothing, out, output, procedure } from './procedure.ts';

const evaluationRequest = {
  dataset: z.string().min(1),
  bonafide: z.string().optional(),
  split: z.string().default('test'),
  replicates: z.int().min(0).max(10_000).default(1000),
  /** The models speak of all recordings themselves; else their companions of those that are theirs, as in a scan. */
  withoutCompanions: z.boolean().optional(),
};

export const evaluation = {
  start: procedure
    .input(
      z.object({
        modelIds: z.array(z.string()).min(1).max(6),
        ...evaluationRequest,
      }),
    )
    .output(jobStarted),
  /** What a model can be measured through, in the order in which it is. */
  degradations: procedure.output(z.array(degradationSchema)),
  /** Measures one model on recordings as they are and through degradations. */
  startRobustness: procedure
    .input(
      z.object({
        modelId: z.string(),
        ...evaluationRequest,
        /** By name; without them all. */
        degradations: z.array(z.string()).min(1).max(1000).optional(),
        /** So many recordings, drawn by the seed from all sources and both classes alike; null: all. */
        limit: z.int().positive().nullable().default(null),
        /** Of draws, noise and rooms. */
        seed: z.int().nonnegative().default(1),
      }),
    )
    .output(jobStarted),
  /** Of either kind, the latest first. */
  list: procedure.output(z.array(evaluationSummarySchema)),
  get: procedure
    .input(z.object({ id: z.string() }))
    .output(z.discriminatedUnion('kind', [evaluationSchema, robustnessEvaluationSchema])),
  delete: procedure.input(z.object({ id: z.string() })).output(nothing),
  /** A zip of what the command line writes: figures as JSON, scores or the table as CSV, every plot as SVG. */
  export: procedure.input(z.object({ id: z.string(), out })).output(output),
};
