import { z } from 'zod';
import { path, time } from '../../src-common/schemas/primitives.ts';
import { procedure } from './procedure.ts';

const fileEntrySchema = z.object({
  name: z.string(),
  path,
  kind: z.enum(['folder', 'file']),
  sizeBytes: z.number().nullable(),
  modifiedTime: time.nullable(),
});

/** `allowed`: it may be looked into as it is. */
const rootSchema = fileEntrySchema.extend({ allowed: z.boolean() });

export const files = {
  /** Folders that the browser may look into, what uploads were made, and drives that could be added. */
  roots: procedure.output(z.array(rootSchema)),
  /** Adds a folder to those that may be looked into; waits until a person has confirmed it where no page reaches. */
  addRoot: procedure.input(z.object({ path })).output(z.array(rootSchema)),
  list: procedure
    .input(z.object({ path, foldersOnly: z.boolean().default(false) }))
    .output(z.object({ path, parent: path.nullable(), entries: z.array(fileEntrySchema), truncated: z.boolean() })),
};
