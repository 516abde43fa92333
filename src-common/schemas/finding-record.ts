/** How often a model's findings were right on labelled recordings. */
import { z } from 'zod';

const countsSchema = z.object({
  /** Found, or looking, bona fide. */
  bonafide: z.int(),
  /** Found, or looking, synthetic. */
  spoof: z.int(),
  inconclusive: z.int(),
  notAssessable: z.int(),
  /** Could not be read. */
  failed: z.int(),
});

export const rateSchema = z.object({
  count: z.int(),
  of: z.int(),
  /** 95 %; null where there are too few independent units for one, or nothing to count. */
  interval: z.tuple([z.number(), z.number()]).nullable(),
  /** What counts as independent, and how many of them the recordings are from. */
  unit: z.enum(['sources', 'speakers', 'files']),
  units: z.int(),
});
export type FindingRate = z.infer<typeof rateSchema>;

/** Findings by what the recordings are: three ways, and what was not assessed. */
export const findingTableSchema = z.object({
  /** Of the bona fide recordings. */
  bonafide: countsSchema,
  /** Of the spoofs. */
  spoof: countsSchema,
  /** Of the findings for either class, those that were right. They depend on how many of each class there are. */
  rightBonafide: rateSchema,
  rightSpoof: rateSchema,
  /** Of the bona fide recordings that were assessed, those found synthetic; of such spoofs, those found bona fide. */
  falseSpoof: rateSchema,
  falseBonafide: rateSchema,
  /** Of all that were assessed. */
  inconclusive: rateSchema,
  /** Of all that could be read. */
  notAssessable: rateSchema,
});
export type FindingTable = z.infer<typeof findingTableSchema>;

/** The table of one split, as a card keeps it. */
export const findingRecordSchema = findingTableSchema.extend({
  dataset: z.string(),
  split: z.string(),
  /** The calibration, with the band of inconclusive findings, was fitted on these very recordings. */
  calibratedOn: z.boolean(),
});
export type FindingRecord = z.infer<typeof findingRecordSchema>;
