import { z } from 'zod';
import { queueWorkerSchema } from '../../src-common/schemas/queue.ts';
import { procedure } from './procedure.ts';

/** The queue that is named in the settings. */
export const queue = {
  /** Who has been heard of in the last day, and how many scans are run now. */
  workers: procedure.output(z.object({ scans: z.int(), workers: z.array(queueWorkerSchema) })),
};
