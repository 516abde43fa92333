import { writeFile } from 'node:fs/promises';
import { UserFacingError } from '../base/errors.ts';
import { issueReport, reportAgain } from '../casework/issue-report.ts';
import type { JobRun } from '../jobs/queue.ts';
import type { EngineContext } from './context.ts';
import { deliver, outputPath } from './files.ts';
import { os } from './implementer.ts';

/** What a report of that number is called as a file. */
function fileOf(number: string): { name: string; type: string } {
  return { name: `report-${number.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.pdf`, type: 'application/pdf' };
}

/** `reports` of the contract. */
export function reportsProcedures(context: EngineContext) {
  return {
    issue: os.reports.issue.handler(async ({ input }) => {
      const { out, ...request } = input;
      const store = context.cases.get(request.caseId);
      // A place that cannot be written to is reported before a report is issued.
      if (out !== null) await outputPath(context, out);
      const run: JobRun = async (job) => {
        let steps = 1;
        const { application, home, settings } = context;
        const { pdf, issued } = await issueReport(
          store,
          request,
          { application, home, settings: settings.get() },
          {
            signal: job.signal,
            onProgress: (done, total, doing) => {
              steps = total;
              job.progress({ done, total, doing });
            },
          },
        );
        try {
          const output = await deliver(context, out, fileOf(issued.number), (path) => writeFile(path, pdf));
          job.progress({ done: steps, total: steps });
          return { ...issued, ...output };
        } catch (error) {
          if (!(error instanceof UserFacingError)) throw error;
          throw new UserFacingError(error.code, `The report ${issued.number} was issued, but: ${error.message}`, {
            ...(error.path === undefined ? {} : { path: error.path }),
            advice: 'Choose another place and get the report once more from the list of reports.',
            cause: error,
          });
        }
      };
      const title = `Report of the case ${store.details().number}`;
      return { jobId: context.jobs.start({ kind: 'report', title, caseId: request.caseId, unit: 'steps' }, run) };
    }),
    list: os.reports.list.handler(({ input }) => context.cases.get(input.caseId).reports.list()),
    again: os.reports.again.handler(async ({ input }) => {
      const { pdf, issued } = await reportAgain(context.cases.get(input.caseId), input.number);
      return deliver(context, input.out, fileOf(issued.number), (path) => writeFile(path, pdf));
    }),
  };
}
