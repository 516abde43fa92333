/** A laboratory's collection of labelled recordings: its entries, what may be edited of them, filters, versions, removals. */
import { z } from 'zod';
import { filterFields } from '../collection-fields.ts';
import { sha256Schema } from '../hashes.ts';
import { time } from './primitives.ts';

function isDay(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

const labelSchema = z.enum(['bonafide', 'spoof']);

/** What a person states of a recording, in words; null: nothing is stated. */
const stated = z.string().trim().min(1).max(1000).nullable();
const day = z.string().refine(isDay, 'must be a date such as 2031-12-31').nullable();

/** What may be edited. Those from `consentKind` on are no part of a version: they are as they are now, whatever was frozen. */
export const entryEditSchema = z.strictObject({
  label: labelSchema,
  split: stated,
  generator: stated,
  speaker: stated,
  source: stated,
  /** Recording chain: microphone, device, line. */
  chain: stated,
  /** What the recording went through before, in the laboratory's words; what the file itself is coded in is measured. */
  codec: stated,
  language: stated,
  quality: stated,
  year: stated,
  kind: stated,
  transmission: stated,
  consentKind: stated,
  consentDate: day,
  consentReference: stated,
  consentNote: stated,
  /** The last day on which it may be used. */
  retainUntil: day,
  note: stated,
});
export type EntryEdit = z.infer<typeof entryEditSchema>;
export type EntryField = keyof EntryEdit;
export const entryFields = Object.keys(entryEditSchema.shape) as EntryField[];

/** What is read of the recording itself when it is added. */
export const entryMeasuresSchema = z.object({
  sha256: sha256Schema,
  sizeBytes: z.number(),
  seconds: z.number(),
  sampleRateHz: z.number(),
  /** Up to where its sound reaches; null where there is only silence. */
  bandwidthHz: z.number().nullable(),
  levelDbfs: z.number().nullable(),
  /** Container and codec of the file. */
  format: z.string(),
});
export type EntryMeasures = z.infer<typeof entryMeasuresSchema>;

export const entrySchema = entryEditSchema.extend({
  ...entryMeasuresSchema.shape,
  id: z.int().positive(),
  path: z.string(),
  addedAt: time,
  addedBy: z.string(),
});
export type CollectionEntry = z.infer<typeof entrySchema>;

export const entryFilterSchema = z.object({
  /** Values that are wanted of a field; null: that it has none. */
  values: z.partialRecord(z.enum(filterFields), z.array(z.string().nullable())).default({}),
  retention: z.enum(['past', 'kept']).optional(),
  consent: z.enum(['stated', 'missing']).optional(),
  /** Found in path, speaker, source, generator, consent reference or note. */
  text: z.string().max(1000).default(''),
});
export type EntryFilter = z.infer<typeof entryFilterSchema>;

export const versionSchema = z.object({
  name: z.string(),
  /** Of the list: SHA-256 over the sorted hashes of its rows. */
  sha256: sha256Schema,
  note: z.string(),
  madeAt: time,
  madeBy: z.string(),
  entries: z.int(),
  /** Entries that were removed from the collection since. */
  removed: z.int(),
});
export type CollectionVersion = z.infer<typeof versionSchema>;

const removalSchema = z.object({
  entryId: z.int(),
  path: z.string(),
  sha256: sha256Schema,
  label: labelSchema,
  removedAt: time,
  removedBy: z.string(),
  reason: z.string(),
});
export type CollectionRemoval = z.infer<typeof removalSchema>;

export const collectionSummarySchema = z.object({
  name: z.string(),
  path: z.string(),
  note: z.string(),
  createdAt: time,
  createdBy: z.string(),
  entries: z.int(),
  /** Entries whose last day is over. */
  pastRetention: z.int(),
  counts: z.array(
    z.object({
      split: z.string().nullable(),
      label: labelSchema,
      entries: z.int(),
      speakers: z.int(),
      sources: z.int(),
      seconds: z.number(),
    }),
  ),
  /** Speakers and sources that stand in several splits. */
  shared: z.array(z.object({ by: z.enum(['speaker', 'source']), name: z.string(), splits: z.array(z.string()) })),
  /** Of the list as it is now. */
  sha256: sha256Schema,
  versions: z.array(versionSchema),
  removals: z.array(removalSchema),
  /** The latest edit, which can be undone; null: there is none. */
  latestEdit: z.string().nullable(),
  /** The edit that was undone and can be made again; null: there is none. */
  latestUndone: z.string().nullable(),
});
export type CollectionSummary = z.infer<typeof collectionSummarySchema>;

export const listedCollectionSchema = z.object({
  /** As it stands in a spec: its name, or its path where it lies elsewhere. */
  place: z.string(),
  name: z.string(),
  path: z.string(),
  entries: z.int(),
  versions: z.array(z.object({ name: z.string(), entries: z.int() })),
  /** Why it cannot be opened. */
  problem: z.string().nullable(),
});
export type ListedCollection = z.infer<typeof listedCollectionSchema>;
