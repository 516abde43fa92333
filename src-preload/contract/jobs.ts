import { z } from 'zod';
import { jobSchema } from '../../src-common/schemas/job.ts';
import { nothing, procedure } from './procedure.ts';

export const jobs = {
  list: procedure.output(z.array(jobSchema)),
  pause: procedure.input(z.object({ jobId: z.string() })).output(jobSchema),
  resume: procedure.input(z.object({ jobId: z.string() })).output(jobSchema),
  cancel: procedure.input(z.object({ jobId: z.string() })).output(jobSchema),
  /** Takes a finished one off the list. */
  dismiss: procedure.input(z.object({ jobId: z.string() })).output(nothing),
};
