import { z } from 'zod';
import { sha256Schema as sha256 } from '../hashes.ts';
import { caseId, evidenceId, text, time } from './primitives.ts';

export const reportRequestSchema = z.object({
  caseId,
  /** Empty: all items. */
  evidenceIds: z.array(evidenceId).default([]),
  /** Whose signature it bears. */
  authorisedBy: text.default(''),
  /** What qualifies whoever authorises it, and the examiner; of the latter, where it is not given, what the settings say. */
  authoriserQualification: text.optional(),
  examinerQualification: text.optional(),
  method: text.default(''),
  departures: text.default(''),
  opinions: text.default(''),
  /** Number of the report that this one amends, and what was changed. */
  amends: z.string().nullable().default(null),
  amendment: text.default(''),
  /** Why it was changed. */
  amendmentReason: text.optional(),
  /** `short`: items stand in a table, without sections and figures; what these would say is in the attached data. By default in full. */
  form: z.enum(['full', 'short']).optional(),
  /** Name of the laboratory's template that it is made with. */
  template: z.string().max(80).optional(),
  /** Also the saliency maps of its results, each with its test. */
  saliency: z.boolean().optional(),
  /** Also the traces of its items. */
  traces: z.boolean().optional(),
});
export type ReportRequest = z.infer<typeof reportRequestSchema>;

export const issuedReportSchema = z.object({
  number: z.string(),
  issuedAt: time,
  logPosition: z.int(),
  sha256,
  pages: z.int().nullable(),
  amends: z.string().nullable(),
});
export type IssuedReport = z.infer<typeof issuedReportSchema>;

/** A technical reviewer's sign-off, before it has its row in the log. */
export const newReviewSchema = z.object({
  reviewer: text,
  qualification: text.default(''),
  remarks: text.default(''),
  /** The issued report that was reviewed; null: the case as it stands, for the report that is issued next. */
  report: z.string().nullable().default(null),
});
export type NewReview = z.infer<typeof newReviewSchema>;

/** A technical reviewer's sign-off, as its row of the log has it. */
export const technicalReviewSchema = newReviewSchema.extend({
  /** Of its row in the log. */
  position: z.int().positive(),
  time,
  /** Whose session it was noted in. */
  actor: z.string(),
  /** Of the log that the case was reviewed with. */
  rows: z.int(),
  hash: sha256,
  /** Rows of work that the log has after it, without those of looking at the case. */
  laterRows: z.int(),
});
export type TechnicalReview = z.infer<typeof technicalReviewSchema>;
