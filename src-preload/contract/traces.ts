import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { path, seconds } from '../../src-common/schemas/primitives.ts';
import { foundSchema, tracesSchema } from '../../src-common/schemas/traces.ts';
import { inEvidence, procedure } from './procedure.ts';

const item = inEvidence.extend({
  /** With the sound that the file's headers do not count in. */
  readAll: z.boolean().default(false),
  channel: z.int().positive().max(256).optional(),
});

const progress = z.object({ type: z.literal('progress'), done: seconds, total: z.number().nullable() });

export const traces = {
  /** Measures the traces of an item, or of one of its channels; the stream says how far it is, its last event is `ready`. */
  measure: procedure
    .input(
      item.extend({
        /** A CSV file of time and frequency of the mains. */
        reference: path.optional(),
      }),
    )
    .output(
      eventIterator(
        z.discriminatedUnion('type', [progress, z.object({ type: z.literal('ready'), traces: tracesSchema })]),
      ),
    ),
  /** Finds where a stretch of an item occurs in another one; the stream is as that of `measure`, its progress of the other one. */
  find: procedure
    .input(
      item
        .extend({
          startSeconds: seconds,
          endSeconds: seconds,
          within: item.omit({ caseId: true }),
        })
        .refine(({ startSeconds, endSeconds }) => startSeconds < endSeconds, 'a stretch ends after it begins'),
    )
    .output(
      eventIterator(
        z.discriminatedUnion('type', [progress, z.object({ type: z.literal('ready'), found: foundSchema })]),
      ),
    ),
};
