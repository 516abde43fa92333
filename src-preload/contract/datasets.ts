import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { datasetReportSchema } from '../../src-common/schemas/dataset.ts';
import { path } from '../../src-common/schemas/primitives.ts';
import { procedure } from './procedure.ts';

export const datasets = {
  /** Specs that were used before, the latest first. */
  recent: procedure.output(z.array(z.string())),
  /** What a folder seems to be: specs that would load. */
  recognise: procedure
    .input(z.object({ path }))
    .output(z.array(z.object({ spec: z.string(), layout: z.string(), sentence: z.string() }))),
  inspect: procedure
    .input(z.object({ spec: z.string().min(1).max(10_000), bonafide: z.string().optional() }))
    .output(
      eventIterator(
        z.discriminatedUnion('type', [
          z.object({ type: z.literal('progress'), done: z.int(), total: z.int() }),
          z.object({ type: z.literal('report'), report: datasetReportSchema }),
        ]),
      ),
    ),
};
