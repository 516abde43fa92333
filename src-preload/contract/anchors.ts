/** A case's log stamped by a time-stamping authority. */
import { z } from 'zod';
import { anchorSchema } from '../../src-common/schemas/custody.ts';
import { path } from '../../src-common/schemas/primitives.ts';
import { inCase, out, output, procedure } from './procedure.ts';

export const anchors = {
  /** The stamp that reaches farthest, and the authorities that are accepted, by name. */
  state: procedure
    .input(inCase)
    .output(z.object({ anchored: anchorSchema.nullable(), authorities: z.array(z.string()) })),
  /** Asks an authority over the network; nothing but a hash is sent. */
  ask: procedure.input(inCase.extend({ url: z.string().trim().min(1).max(2000) })).output(anchorSchema),
  /** The request as a file. */
  request: procedure.input(inCase.extend({ out })).output(output),
  /** The answer to one, from a file. */
  take: procedure.input(inCase.extend({ path })).output(anchorSchema),
};
