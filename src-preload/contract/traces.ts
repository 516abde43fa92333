import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { path, seconds } from '../../src-common/schemas/primitives.ts';
import { tracesSchema } from '../../src-common/schemas/traces.ts';
import { inEvidence, procedure } from './procedure.ts';

export const traces = {
  /** Measures the traces of an item, or of one of its channels; the stream says how far it is, its last event is `ready`. */
  measure: procedure
    .input(
      inEvidence.extend({
        /** With the sound that the file's headers do not count in. */
        readAll: z.boolean().default(false),
        channel: z.int().positive().max(256).optional(),
        /** A CSV file of time and frequency of the mains. */
        reference: path.optional(),
      }),
    )
    .output(
      eventIterator(
        z.discriminatedUnion('type', [
          z.object({ type: z.literal('progress'), done: seconds, total: z.number().nullable() }),
          z.object({ type: z.literal('ready'), traces: tracesSchema }),
        ]),
      ),
    ),
};
