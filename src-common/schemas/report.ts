import { z } from 'zod';
import { sha256Schema as sha256 } from '../hashes.ts';
import { caseId, evidenceId, text, time } from './primitives.ts';

export const reportRequestSchema = z.object({
  caseId,
  /** Empty: all items. */
  evidenceIds: z.array(evidenceId).default([]),
  /** Whose signature it bears. */
  authorisedBy: text.default(''),
  method: text.default(''),
  departures: text.default(''),
  opinions: text.default(''),
  /** Number of the report that this one amends, and what was changed. */
  amends: z.string().nullable().default(null),
  amendment: text.default(''),
  /** `short`: items stand in a table, without sections and figures; what these would say is in the attached data. By default in full. */
  form: z.enum(['full', 'short']).optional(),
  /** Also the saliency maps of its results, each with its test. */
  saliency: z.boolean().optional(),
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
