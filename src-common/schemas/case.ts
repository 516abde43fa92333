import { z } from 'zod';
import { custodyHeadSchema } from './custody.ts';
import { spectrogramSettingsSchema } from './spectrogram.ts';
import { caseId, name, path, text, time } from './primitives.ts';
import { userErrorSchema } from './user-error.ts';

export const caseStateSchema = z.enum(['open', 'closed', 'archived']);

export const caseDetailsSchema = z.object({
  number: name,
  title: name,
  examiner: text,
  customer: text,
  customerContact: text,
  /** What the customer asks. */
  question: text,
  /** The two propositions that the findings are weighed under. */
  propositionBonafide: text,
  propositionSpoof: text,
  notes: text,
});
export type CaseDetails = z.infer<typeof caseDetailsSchema>;

export const caseSummarySchema = caseDetailsSchema.extend({
  id: caseId,
  folder: path,
  state: caseStateSchema,
  createdAt: time,
  openedAt: time.nullable(),
  items: z.int(),
  analysed: z.int(),
  /** The folder cannot be read now (a drive that is not there, a damaged database). */
  problem: userErrorSchema.nullable(),
});
export type CaseSummary = z.infer<typeof caseSummarySchema>;

/** What Undo and Redo would do next, in the words of the log; null: nothing. */
export const caseHistorySchema = z.object({ undo: z.string().nullable(), redo: z.string().nullable() });
export type CaseHistory = z.infer<typeof caseHistorySchema>;

export const caseViewSchema = caseSummarySchema.extend({
  /** How its spectrograms are made and shown. */
  spectrogram: spectrogramSettingsSchema,
  head: custodyHeadSchema,
  history: caseHistorySchema,
  /** For a look at recordings that are in no case: it goes when it is left. */
  passing: z.boolean(),
  counts: z.object({
    bonafide: z.int(),
    spoof: z.int(),
    looksBonafide: z.int(),
    looksSpoof: z.int(),
    inconclusive: z.int(),
    notAssessable: z.int(),
    failed: z.int(),
    notScanned: z.int(),
    changed: z.int(),
    /** Never scanned, and still what was taken in: what a scan of what is new takes up. */
    fresh: z.int(),
    /** With an alarm of any kind. */
    flagged: z.int(),
    /** Whose result points out stretches. */
    withStretches: z.int().default(0),
  }),
});
export type CaseView = z.infer<typeof caseViewSchema>;
