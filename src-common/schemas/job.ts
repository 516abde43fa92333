import { z } from 'zod';
import { caseId, time } from './primitives.ts';
import { userErrorSchema } from './user-error.ts';

const jobKindSchema = z.enum([
  'intake',
  'scan',
  'stretches',
  'train',
  'evaluate',
  'calibrate',
  'inspect',
  'verify',
  'export',
  'import',
  'report',
  'prepare',
  'hash-list',
  'collection',
]);

export const jobSchema = z.object({
  id: z.string(),
  kind: jobKindSchema,
  title: z.string(),
  caseId: caseId.nullable(),
  state: z.enum(['queued', 'running', 'paused', 'done', 'failed', 'cancelled']),
  /** What it is doing now, as a phrase. */
  doing: z.string(),
  done: z.number(),
  /** Null while it is not known. */
  total: z.number().nullable(),
  unit: z.string(),
  ratePerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** Items that failed; named in `problems`, the first hundred. */
  failed: z.int(),
  problems: z.array(z.object({ subject: z.string(), message: z.string() })).max(100),
  canPause: z.boolean(),
  error: userErrorSchema.nullable(),
  startedAt: time,
  endedAt: time.nullable(),
  /** What came of it: the id of an evaluation, a path, a report's number. */
  result: z.record(z.string(), z.unknown()).nullable(),
});
export type Job = z.infer<typeof jobSchema>;
