import { z } from 'zod';
import { analysisSchema } from '../../src-common/schemas/analysis.ts';
import { evidenceId, text } from '../../src-common/schemas/primitives.ts';
import { channelSchema, stretchSchema } from '../../src-common/schemas/recording.ts';
import { inCase, inEvidence, jobStarted, out, output, procedure } from './procedure.ts';

export const analyses = {
  /** Scans items in the background; `new`: those never scanned, changed or with another model; `failed`: those that failed. */
  scan: procedure
    .input(
      inCase.extend({
        which: z.union([z.array(evidenceId), z.enum(['new', 'failed', 'all'])]),
        modelId: z.string().optional(),
        /** `each` on its own; `auto`: each, where the two of a recording are the sides of a conversation, else the mix. */
        channel: z.union([channelSchema, z.literal(['each', 'auto'])]).default('auto'),
        stream: z.int().nonnegative().optional(),
        /** Also the sound that a file's headers do not count in. */
        readAll: z.boolean().default(false),
        /** By the workers of the queue that is named in the settings; else by this machine. */
        overQueue: z.boolean().default(false),
      }),
    )
    /** `queued`: how many recordings it is of. */
    .output(jobStarted.extend({ queued: z.int() })),
  get: procedure.input(inCase.extend({ analysisId: z.int() })).output(analysisSchema),
  /** Analyses a stretch on its own and keeps the result. */
  stretch: procedure
    .input(
      inEvidence.extend({
        ...stretchSchema.shape,
        label: text.default(''),
        modelId: z.string().optional(),
        channel: channelSchema.default('mix'),
        /** The stretch lies in the recording as it is with the sound that its headers do not count in. */
        readAll: z.boolean().default(false),
      }),
    )
    .output(analysisSchema),
  /** The same of many stretches of an item, in the background; those that have a result of the default model are passed over. */
  stretches: procedure
    .input(
      inEvidence.extend({
        stretches: z.array(stretchSchema).min(1).max(10_000),
        label: text.default(''),
        channel: channelSchema.default('mix'),
        readAll: z.boolean().default(false),
      }),
    )
    .output(jobStarted),
  /** The stretches that a result points out. */
  exportStretches: procedure
    .input(inCase.extend({ analysisId: z.int(), format: z.enum(['csv', 'json']), out }))
    .output(output),
};
