import { z } from 'zod';
import { modelSchema, modelSummarySchema } from '../../src-common/schemas/model.ts';
import { name, path } from '../../src-common/schemas/primitives.ts';
import { nothing, out, output, procedure } from './procedure.ts';

export const models = {
  list: procedure.output(z.array(modelSummarySchema)),
  get: procedure.input(z.object({ modelId: z.string() })).output(modelSchema),
  setDefault: procedure.input(z.object({ modelId: z.string() })).output(nothing),
  rename: procedure.input(z.object({ modelId: z.string(), name })).output(modelSchema),
  /** One file that holds the model's folder; checked against its hashes on import. */
  export: procedure.input(z.object({ modelId: z.string(), out })).output(output),
  /** Of a packed model; with `card`, a detector that others trained (an ONNX file) as that card describes it. */
  import: procedure.input(z.object({ path, card: path.optional() })).output(modelSchema),
  delete: procedure.input(z.object({ modelId: z.string() })).output(nothing),
};

export const encoders = {
  list: procedure.output(
    z.array(
      z.object({
        name: z.string(),
        description: z.string(),
        licence: z.string(),
        /** That come out for a window. */
        values: z.int(),
        /** With the application; the others were brought. */
        ships: z.boolean(),
      }),
    ),
  ),
  /** Takes in an ONNX file as a card describes it. */
  add: procedure
    .input(z.object({ path, card: path }))
    .output(z.object({ name: z.string(), secondsPerWindow: z.number() })),
};
