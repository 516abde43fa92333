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

/** What an amendment changed, as its row of the log has it. */
export const amendmentSchema = z.object({
  position: z.int().positive(),
  time,
  /** Of the report that replaces, and of the one that is replaced. */
  number: z.string(),
  amends: z.string(),
  changed: text,
  why: text,
});
export type Amendment = z.infer<typeof amendmentSchema>;

/** What came of a point of a reviewer's checklist. */
export const checkOutcomes = ['met', 'not-met', 'not-applicable', 'not-checked'] as const;
export type CheckOutcome = (typeof checkOutcomes)[number];

/** A point of a reviewer's checklist, in the words that it had. */
const reviewCheckSchema = z.object({
  point: text,
  outcome: z.enum(checkOutcomes),
  note: text.default(''),
});
export type ReviewCheck = z.infer<typeof reviewCheckSchema>;

/** A technical reviewer's sign-off, before it has its row in the log. */
export const newReviewSchema = z.object({
  reviewer: text,
  role: text.optional(),
  qualification: text.default(''),
  remarks: text.default(''),
  /** Absent where no checklist was gone through. */
  checks: z.array(reviewCheckSchema).max(60).optional(),
  /** The issued report that was reviewed; null: the case as it stands, for the report that is issued next. */
  report: z.string().nullable().default(null),
});
export type NewReview = z.infer<typeof newReviewSchema>;

/** How a reviewer's remarks were answered, before it has its row in the log. */
export const newReviewAnswerSchema = z.object({
  /** Row of the review. */
  review: z.int().positive(),
  by: text,
  answer: text,
});
export type NewReviewAnswer = z.infer<typeof newReviewAnswerSchema>;

/** The same, as its row of the log has it. */
const reviewAnswerSchema = newReviewAnswerSchema.omit({ review: true }).extend({
  position: z.int().positive(),
  time,
});
export type ReviewAnswer = z.infer<typeof reviewAnswerSchema>;

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
  /** To its remarks, the first one first; absent in reports of earlier versions. */
  answers: z.array(reviewAnswerSchema).optional(),
});
export type TechnicalReview = z.infer<typeof technicalReviewSchema>;
