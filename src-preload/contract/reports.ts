import { z } from 'zod';
import {
  issuedReportSchema,
  newReviewAnswerSchema,
  newReviewSchema,
  reportRequestSchema,
  technicalReviewSchema,
} from '../../src-common/schemas/report.ts';
import { caseId } from '../../src-common/schemas/primitives.ts';
import { inCase, jobStarted, out, output, procedure } from './procedure.ts';

export const reports = {
  issue: procedure.input(reportRequestSchema.extend({ out })).output(jobStarted),
  /** As it would be issued now, marked as a draft. Of a PDF nothing is kept or logged; that a DOCX was saved, which can be changed, is logged. */
  draft: procedure
    .input(reportRequestSchema.extend({ format: z.enum(['pdf', 'docx']).default('pdf'), out }))
    .output(jobStarted),
  /** A report of each item, together in one archive. One that fails is named in the job's problems, and the others are made. */
  issueEach: procedure.input(reportRequestSchema.extend({ out })).output(jobStarted),
  /** The same of several cases, a report of each. */
  issueCases: procedure
    .input(
      reportRequestSchema
        .omit({ caseId: true, evidenceIds: true, amends: true, amendment: true, amendmentReason: true })
        .extend({ caseIds: z.array(caseId).min(1).max(1000), out }),
    )
    .output(jobStarted),
  list: procedure.input(inCase).output(z.array(issuedReportSchema)),
  /** Notes a technical reviewer's sign-off in the log. */
  review: procedure.input(inCase.extend({ review: newReviewSchema })).output(technicalReviewSchema),
  /** Notes in the log how a review's remarks were answered. */
  answerReview: procedure.input(inCase.extend({ answer: newReviewAnswerSchema })).output(technicalReviewSchema),
  reviews: procedure.input(inCase).output(z.array(technicalReviewSchema)),
  again: procedure.input(inCase.extend({ number: z.string(), out })).output(output),
};
