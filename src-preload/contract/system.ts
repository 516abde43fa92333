/** The machine, the application, and the stream of everything that changes. */
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { caseHistorySchema } from '../../src-common/schemas/case.ts';
import { custodyHeadSchema } from '../../src-common/schemas/custody.ts';
import { evidenceRowSchema } from '../../src-common/schemas/evidence.ts';
import { jobSchema } from '../../src-common/schemas/job.ts';
import { caseId, path, text, time } from '../../src-common/schemas/primitives.ts';
import { out, output, procedure } from './procedure.ts';

const tone = z.enum(['info', 'warning']);

/** What has changed, so that a view can ask anew. At most ten a second of each. */
const changeSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('engine'),
    /** When this engine began; another one than before means that it was restarted. */
    startedAt: time,
    /** True where it goes on after a crash of the one before. */
    recovered: z.boolean(),
  }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('cases') }),
  /** `rows`: evidence that changed; null: any. */
  z.object({ type: z.literal('evidence'), caseId, rows: z.array(evidenceRowSchema).nullable() }),
  z.object({ type: z.literal('head'), caseId, head: custodyHeadSchema, history: caseHistorySchema }),
  z.object({ type: z.literal('models') }),
  z.object({ type: z.literal('collections') }),
  z.object({ type: z.literal('settings') }),
  z.object({ type: z.literal('training'), jobId: z.string() }),
  z.object({ type: z.literal('notice'), tone, sentence: z.string() }),
]);
export type Change = z.infer<typeof changeSchema>;

const machineSchema = z.object({
  application: z.string(),
  host: z.enum(['electron', 'browser']),
  platform: z.string(),
  node: z.string(),
  dataFolder: path,
  casesFolder: path,
  ffmpeg: z.object({ path: z.string(), version: z.string(), origin: z.string() }).nullable(),
  ffmpegProblem: z.string().nullable(),
  inference: z.object({ runtime: z.string(), device: z.string(), threads: z.int(), reason: z.string() }),
  /** The data folder is on the machine where the window is; false through a tunnel. */
  cores: z.int(),
  memoryBytes: z.number(),
});
export type Machine = z.infer<typeof machineSchema>;

const trainingBackendSchema = z.object({
  name: z.string(),
  available: z.boolean(),
  device: z.string().nullable(),
  reason: z.string(),
});

export const system = {
  machine: procedure.output(machineSchema),
  /** Tries the training backends; may take a while the first time. */
  backends: procedure.output(z.object({ auto: z.string(), found: z.array(trainingBackendSchema) })),
  /** Everything that changes, from now on; the first is `engine`. */
  changes: procedure.output(eventIterator(changeSchema)),
  /** A diagnostic bundle: versions, settings, logs; no evidence content. */
  diagnostics: procedure.input(z.object({ out })).output(output),
  selfTest: procedure.output(
    z.object({
      passed: z.boolean(),
      time,
      checks: z.array(z.object({ name: z.string(), passed: z.boolean(), sentence: z.string() })),
    }),
  ),
  notices: procedure.output(
    z.object({
      licence: text,
      bundled: z.array(z.object({ name: z.string(), version: z.string(), licence: z.string() })),
    }),
  ),
};
