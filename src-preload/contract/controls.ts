import { z } from 'zod';
import { controlRunSchema } from '../../src-common/schemas/controls.ts';
import { nothing, procedure } from './procedure.ts';

/** Control recordings: a laboratory's recordings of known label, which every scan of a case begins with. */
export const controls = {
  /** How many there are (0: none were chosen), and their runs by a model, the first first. */
  history: procedure
    .input(z.object({ modelId: z.string() }))
    .output(z.object({ recordings: z.int(), runs: z.array(controlRunSchema) })),
  /** Copies so many of each class into the data folder, in place of those before. */
  choose: procedure
    .input(z.object({ dataset: z.string().min(1), split: z.string().min(1), count: z.int().positive().max(1000) }))
    .output(nothing),
  /** Scores them by a model and keeps the run. */
  run: procedure
    .input(
      z.object({
        modelId: z.string(),
        role: z.enum(['baseline', 'control']),
        reason: z.string().nullable().default(null),
      }),
    )
    .output(nothing),
};
