import { z } from 'zod';
import { filterFields } from '../../src-common/collection-fields.ts';
import {
  collectionSummarySchema,
  entryEditSchema,
  entryFilterSchema,
  entrySchema,
  listedCollectionSchema,
  versionSchema,
} from '../../src-common/schemas/collection.ts';
import { path } from '../../src-common/schemas/primitives.ts';
import { jobStarted, nothing, out, output, procedure } from './procedure.ts';

/** Its name in the data folder, or the path of its file. */
const place = z.string().min(1).max(32_768);
const of = z.object({ place });
/** Whether a speaker or a source may come to stand in several splits; where it would and may not, the error `shared-split` names it. */
const sharing = z.boolean().default(false);
const ids = z.array(z.int().positive()).min(1).max(1_000_000);
const filter = entryFilterSchema.default({ values: {}, text: '' });

/** A laboratory's collections of labelled recordings. */
export const collections = {
  list: procedure.output(z.array(listedCollectionSchema)),
  create: procedure.input(z.object({ name: place, note: z.string().max(10_000).default('') })).output(of),
  /** Remembers one that lies outside the data folder. */
  open: procedure.input(z.object({ path })).output(of),
  /** What it holds, and the values that its fields have. */
  get: procedure.input(of).output(
    z.object({
      summary: collectionSummarySchema,
      values: z.record(z.enum(filterFields), z.array(z.object({ value: z.string().nullable(), entries: z.int() }))),
    }),
  ),
  entries: procedure
    .input(of.extend({ filter, offset: z.int().nonnegative(), limit: z.int().positive().max(1000) }))
    .output(z.object({ total: z.int(), rows: z.array(entrySchema) })),
  ids: procedure.input(of.extend({ filter })).output(z.array(z.int())),
  /** Listens to recordings (specs, files, folders) and enters them, all or none; the job's result counts them. */
  add: procedure
    .input(of.extend({ from: z.array(path).min(1).max(10_000), stated: entryEditSchema.partial(), sharing }))
    .output(jobStarted),
  /** The edit in words; null where nothing is another than before. */
  edit: procedure
    .input(of.extend({ ids, values: entryEditSchema.partial(), sharing }))
    .output(z.object({ edit: z.string().nullable() })),
  undo: procedure.input(of).output(z.object({ edit: z.string().nullable() })),
  redo: procedure.input(of).output(z.object({ edit: z.string().nullable() })),
  /** Deals all entries to train, dev and test. */
  split: procedure
    .input(
      of.extend({
        shares: z.tuple([z.number().nonnegative(), z.number().nonnegative(), z.number().nonnegative()]),
        by: z.array(z.enum(['speaker', 'source', 'generator'])),
      }),
    )
    .output(z.object({ edit: z.string().nullable() })),
  freeze: procedure.input(of.extend({ name: z.string().max(100), note: z.string().max(10_000) })).output(versionSchema),
  remove: procedure.input(of.extend({ ids, reason: z.string().min(1).max(10_000) })).output(nothing),
  /** Compares every recording with what was entered; the job names those that are not so. */
  verify: procedure.input(of).output(jobStarted),
  /** A manifest of the entries as they are, or of a version. */
  export: procedure.input(of.extend({ version: z.string().nullable(), out })).output(output),
};
