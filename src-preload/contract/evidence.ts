/** Procedures on items of evidence and their marks. */
import { z } from 'zod';
import { findingSchema } from '../../src-common/schemas/analysis.ts';
import { evidenceFacetsSchema, evidenceWhereSchema } from '../../src-common/schemas/evidence-filter.ts';
import {
  evidenceRowSchema,
  evidenceSchema,
  markSchema,
  newMarkSchema,
  tag,
} from '../../src-common/schemas/evidence.ts';
import { findingRecordSchema } from '../../src-common/schemas/finding-record.ts';
import { markColours } from '../../src-common/mark-colours.ts';
import { markFormats } from '../../src-common/mark-formats.ts';
import { caseId, evidenceId, path, text } from '../../src-common/schemas/primitives.ts';
import { inCase, inEvidence, jobStarted, nothing, out, output, procedure } from './procedure.ts';

/** Of a list of known hashes, as people call it; in one line. */
const hashListName = tag;

const evidenceOrderSchema = z.object({
  by: z.enum([
    'id',
    'name',
    'finding',
    'score',
    'llr',
    'duration',
    'added',
    'size',
    'flags',
    'alarms',
    'stretches',
    'tags',
    'reviewed',
  ]),
  descending: z.boolean(),
});

const evidenceQuerySchema = z.object({
  caseId,
  /** Matches name, finding, flags and alarms. */
  filter: z.string().max(1000).default(''),
  findings: z.array(z.enum([...findingSchema.options, 'none', 'failed', 'flagged', 'stretches'])).default([]),
  where: evidenceWhereSchema.optional(),
  order: evidenceOrderSchema.default({ by: 'id', descending: false }),
  offset: z.int().nonnegative().default(0),
  limit: z.int().positive().max(1000).default(200),
});

export const intakeSchema = z.object({
  caseId,
  /** Files and folders on the engine's machine. */
  paths: z.array(path).min(1).max(100_000),
  recursive: z.boolean().default(true),
  /** Copy into the case; else in place. */
  copy: z.boolean().default(false),
  conditionOnReceipt: text.default(''),
  receivedAt: z.string().default(''),
  receivedFrom: text.default(''),
  /** SHA-256 or MD5 by file name or path, as the sender gave them. */
  senderHashes: z.record(z.string(), z.string()).default({}),
});

export const evidence = {
  add: procedure.input(intakeSchema).output(jobStarted),
  list: procedure.input(evidenceQuerySchema).output(z.object({ total: z.int(), rows: z.array(evidenceRowSchema) })),
  /** The models whose results the table shows, that of most results first, with how often their findings were right. */
  models: procedure.input(inCase).output(
    z.array(
      z.object({
        name: z.string(),
        results: z.int(),
        status: z.enum(['screening', 'validated']),
        /** Of the card that is here now; null where the model is not on this machine any more. */
        records: z.array(findingRecordSchema).nullable(),
        companions: z.array(z.object({ name: z.string(), records: z.array(findingRecordSchema) })),
      }),
    ),
  ),
  /** Ids of all that match, in order: for selections over what is not loaded. */
  ids: procedure.input(evidenceQuerySchema.omit({ offset: true, limit: true })).output(z.array(evidenceId)),
  get: procedure.input(inEvidence).output(evidenceSchema),
  update: procedure
    .input(
      inEvidence.extend({
        description: text.optional(),
        conditionOnReceipt: text.optional(),
        receivedAt: z.string().optional(),
        receivedFrom: text.optional(),
        notes: text.optional(),
        tags: z.array(tag).max(100).optional(),
        reviewed: z.boolean().optional(),
      }),
    )
    .output(evidenceSchema),
  /** Tags put to items and taken from them, and whether they are reviewed; at one stroke. Answers how many that changed. */
  label: procedure
    .input(
      inCase.extend({
        evidenceIds: z.array(evidenceId).min(1),
        addTags: z.array(tag).max(100).default([]),
        removeTags: z.array(tag).max(100).default([]),
        reviewed: z.boolean().optional(),
      }),
    )
    .output(z.object({ changed: z.int() })),
  /** What there is to narrow the table to. */
  facets: procedure.input(inCase).output(evidenceFacetsSchema),
  /** Marks the items whose SHA-256 or MD5 is in a file of hashes (CSV, NSRL, one a line) as known in that list; a list of the same name before goes. */
  applyHashList: procedure.input(inCase.extend({ path, name: hashListName })).output(jobStarted),
  /** Items are no longer known in this list. */
  removeHashList: procedure.input(inCase.extend({ name: hashListName })).output(z.object({ changed: z.int() })),
  /** Takes items out of the case, never off the disk; leaves a trace in the log. */
  remove: procedure.input(inCase.extend({ evidenceIds: z.array(evidenceId).min(1), reason: text })).output(nothing),
  /** Hashes the file anew. */
  check: procedure.input(inEvidence).output(evidenceSchema),
  /** Stretches as WAV files or pictures with a manifest of their hashes, packed into one: those that are marked, or those that results point out. */
  exportSound: procedure
    .input(
      inCase.extend({
        evidenceIds: z.array(evidenceId).default([]),
        of: z.enum(['marks', 'stretches']),
        as: z.enum(['wav', 'png']).default('wav'),
        /** Of marks: those of one category or speaker; null: all. */
        category: z.string().nullable().default(null),
        out,
      }),
    )
    .output(jobStarted),
  export: procedure
    .input(inCase.extend({ evidenceIds: z.array(evidenceId).default([]), format: z.enum(['csv', 'json']), out }))
    .output(output),
};

const markIds = z.array(z.int()).min(1).max(10_000);
/** Without their defaults: what an edit does not name stays. */
const markLooks = {
  category: markSchema.shape.category.unwrap().optional(),
  colour: markSchema.shape.colour.unwrap().optional(),
};

export const marks = {
  add: procedure.input(inEvidence.extend(newMarkSchema.shape)).output(markSchema),
  update: procedure
    .input(
      inEvidence.extend({
        markId: z.int(),
        ...newMarkSchema.omit({ readAll: true, channel: true, category: true, colour: true }).partial().shape,
        ...markLooks,
        channel: markSchema.shape.channel.unwrap().optional(),
      }),
    )
    .output(markSchema),
  /** Category (or speaker) and colour of many, all or none. */
  updateAll: procedure.input(inEvidence.extend({ markIds, ...markLooks })).output(z.array(markSchema)),
  remove: procedure.input(inEvidence.extend({ markId: z.int() })).output(nothing),
  /** Many at once, all or none. */
  addAll: procedure
    .input(inEvidence.extend({ marks: z.array(newMarkSchema).min(1).max(10_000) }))
    .output(z.array(markSchema)),
  removeAll: procedure.input(inEvidence.extend({ markIds })).output(nothing),
  /** The categories that marks of the case have, with the colour of their latest mark. */
  categories: procedure
    .input(inCase)
    .output(z.array(z.object({ category: z.string(), colour: z.enum(markColours).nullable() }))),
  /** As a file of another program, CSV or JSON. */
  export: procedure.input(inEvidence.extend({ format: z.enum(markFormats), readAll: z.boolean(), out })).output(output),
  /** Adds the marks of a file, all or none; `ofAnother`: the file says that they are of another recording. */
  import: procedure
    .input(
      inEvidence.extend({
        path,
        /** Null: as the file's name and beginning say. */
        format: z.enum(markFormats).nullable().default(null),
        /** Where the file does not say it: its times are of the recording with all sound in its file. */
        readAll: z.boolean().default(false),
        /** Where the file does not say it. */
        inReport: z.boolean().default(true),
      }),
    )
    .output(z.object({ added: z.int(), format: z.enum(markFormats), ofAnother: z.boolean() })),
};
