import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import { stretchSchema } from '../../src-common/schemas/recording.ts';
import { saliencySchema, saliencySubjectSchema } from '../../src-common/schemas/saliency.ts';
import { inCase, procedure } from './procedure.ts';

export const saliency = {
  /** What of a result's model can be explained, and how. */
  subjects: procedure
    .input(inCase.extend({ analysisId: z.int() }))
    .output(z.object({ modelName: z.string(), subjects: z.array(saliencySubjectSchema) })),
  /** Makes and tests the map of a result's recording, or of a stretch of it; the stream says how far it is, its last event is `ready`. */
  explain: procedure
    .input(
      inCase.extend({
        analysisId: z.int(),
        ...saliencySubjectSchema.shape,
        /** By default the whole recording. */
        stretch: stretchSchema.nullable().optional(),
      }),
    )
    .output(
      eventIterator(
        z.discriminatedUnion('type', [
          z.object({ type: z.literal('progress'), done: z.int(), total: z.int() }),
          z.object({ type: z.literal('ready'), saliency: saliencySchema }),
        ]),
      ),
    ),
};
