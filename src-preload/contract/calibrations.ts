import { z } from 'zod';
import { name, path } from '../../src-common/schemas/primitives.ts';
import { criterionSchema, validationPlanSchema } from '../../src-common/schemas/validation.ts';
import { jobStarted, out, output, procedure } from './procedure.ts';

/** Calibrating and validating models on a laboratory's own labelled recordings. */
export const calibrations = {
  /** A job; its result names the new model's id, null where a criterion of the plan was not met. */
  start: procedure
    .input(
      z.object({
        modelId: z.string(),
        dataset: z.string().min(1),
        bonafide: z.string().optional(),
        split: z.string().min(1),
        /** Of the new model. */
        name,
        /** A finding may be wrong in at most this share; of a validation its plan says it. */
        errorRate: z.number().gt(0).lt(0.5).default(0.05),
        /** With it the model is validated; without, it is calibrated, for screening. */
        plan: validationPlanSchema.nullable().default(null),
      }),
    )
    .output(jobStarted),
  readPlan: procedure.input(z.object({ path })).output(validationPlanSchema),
  /** The validations that were begun here, the latest first, whatever came of them. */
  validations: procedure.output(
    z.array(
      z.object({
        id: z.string(),
        statedAt: z.string(),
        title: z.string(),
        model: z.object({ name: z.string(), sha256: z.string() }),
        dataset: z.string(),
        split: z.string(),
        outcome: z.enum(['met', 'not-met', 'not-ended']),
        criteria: z.array(criterionSchema),
      }),
    ),
  ),
  /** The record of one that ended, as a PDF. */
  report: procedure.input(z.object({ id: z.string(), out })).output(output),
};
