import { z } from 'zod';

/** A worker of a queue, as it was last heard of. */
export const queueWorkerSchema = z.object({
  id: z.string(),
  name: z.string(),
  pid: z.int(),
  /** Files at a time. */
  threads: z.int(),
  /** Its machine and versions, in a line. */
  description: z.string(),
  /** Files that it has scored since it was started. */
  done: z.int(),
  heardSecondsAgo: z.number(),
  /** Silent for so long that what it had in hand goes to others. */
  gone: z.boolean(),
  /** From where the scan is run that it works for; null: it waits. */
  worksFor: z.string().nullable(),
  /** Scans that are run now and that it takes no part in. */
  refuses: z.array(z.object({ from: z.string(), why: z.string() })),
});
export type QueueWorker = z.infer<typeof queueWorkerSchema>;
