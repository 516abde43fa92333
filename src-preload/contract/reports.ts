import { z } from 'zod';
import { issuedReportSchema, reportRequestSchema } from '../../src-common/schemas/report.ts';
import { inCase, jobStarted, out, output, procedure } from './procedure.ts';

export const reports = {
  issue: procedure.input(reportRequestSchema.extend({ out })).output(jobStarted),
  /** As it would be issued now, marked as a draft; nothing is kept or logged. */
  draft: procedure.input(reportRequestSchema.extend({ out })).output(jobStarted),
  list: procedure.input(inCase).output(z.array(issuedReportSchema)),
  again: procedure.input(inCase.extend({ number: z.string(), out })).output(output),
};
