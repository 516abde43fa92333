/** What a table of evidence may be narrowed to, and what there is to choose from. */
import { z } from 'zod';

/** A day in UTC. */
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const names = z.array(z.string().max(1000)).max(1000);

/** What is not given narrows nothing; of several of one kind, any will do. */
export const evidenceWhereSchema = z
  .object({
    codecs: names,
    sampleRatesHz: z.array(z.number()).max(1000),
    minSeconds: z.number().nonnegative(),
    maxSeconds: z.number().nonnegative(),
    /** Which date: when it was added, received, or its file modified. */
    date: z.enum(['added', 'received', 'modified']),
    from: day,
    /** Among them. */
    to: day,
    /** Codes of flags. */
    flags: names,
    tags: names,
    reviewed: z.boolean(),
    /** In a list of known hashes. */
    known: z.boolean(),
  })
  .partial();
export type EvidenceWhere = z.infer<typeof evidenceWhereSchema>;

const counted = <Value extends z.ZodType>(value: Value) => z.array(z.object({ value, count: z.int() }));

/** The most frequent first. */
export const evidenceFacetsSchema = z.object({
  codecs: counted(z.string()),
  sampleRatesHz: counted(z.number()),
  flags: counted(z.string()),
  tags: counted(z.string()),
  /** Names of lists of known hashes that items are in. */
  hashLists: counted(z.string()),
});
export type EvidenceFacets = z.infer<typeof evidenceFacetsSchema>;
