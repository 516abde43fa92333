import { writeFile } from 'node:fs/promises';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseStore } from '../cases/store.ts';
import { draftReport, issueReport, reportAgain } from '../casework/issue-report.ts';
import type { ReportProgress, ReportSurroundings } from '../casework/issue-report.ts';
import { TemplateStore } from '../reports/template-store.ts';
import type { JobRun } from '../jobs/queue.ts';
import type { EngineContext } from './context.ts';
import { deliver, outputPath } from './files.ts';
import { os } from './implementer.ts';

/** What a report of that number is called as a file. */
function fileOf(number: string): { name: string; type: string } {
  return { name: `report-${number.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.pdf`, type: 'application/pdf' };
}

type Request = ReportRequest & { out: string | null };

/** Begins the job that makes a report, once it is known that its place can be written to. */
async function begin(
  context: EngineContext,
  { out, caseId }: Request,
  run: (store: CaseStore, progress: ReportProgress) => Promise<Record<string, unknown>>,
): Promise<{ jobId: string }> {
  const store = context.cases.get(caseId);
  if (out !== null) await outputPath(context, out);
  const start: JobRun = async (job) => {
    let steps = 1;
    const onProgress: ReportProgress['onProgress'] = (done, total, doing) => {
      steps = total;
      job.progress({ done, total, doing });
    };
    const result = await run(store, { signal: job.signal, onProgress });
    job.progress({ done: steps, total: steps });
    return result;
  };
  const title = `Report of the case ${store.details().number}`;
  return { jobId: context.jobs.start({ kind: 'report', title, caseId, unit: 'steps' }, start) };
}

/** @throws UserFacingError `not-found` for a template that is not there */
async function surroundingsOf(
  { application, home, settings }: EngineContext,
  { template }: Pick<ReportRequest, 'template'>,
): Promise<ReportSurroundings> {
  const chosen = template === undefined ? {} : { template: await new TemplateStore(home).get(template) };
  return { application, home, settings: settings.get(), ...chosen };
}

async function issue(context: EngineContext, input: Request): Promise<{ jobId: string }> {
  const { out, ...request } = input;
  const surroundings = await surroundingsOf(context, request);
  return begin(context, input, async (store, progress) => {
    const { pdf, issued } = await issueReport(store, request, surroundings, progress);
    try {
      const output = await deliver(context, out, fileOf(issued.number), (path) => writeFile(path, pdf));
      return { ...issued, ...output };
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      throw new UserFacingError(error.code, `The report ${issued.number} was issued, but: ${error.message}`, {
        ...(error.path === undefined ? {} : { path: error.path }),
        advice: 'Choose another place and get the report once more from the list of reports.',
        cause: error,
      });
    }
  });
}

async function draft(context: EngineContext, input: Request): Promise<{ jobId: string }> {
  const { out, ...request } = input;
  const surroundings = await surroundingsOf(context, request);
  return begin(context, input, async (store, progress) => {
    const { pdf, pages } = await draftReport(store, request, surroundings, progress);
    const file = fileOf(`${store.details().number}-draft`);
    return { pages, ...(await deliver(context, out, file, (path) => writeFile(path, pdf))) };
  });
}

/** `reports` of the contract. */
export function reportsProcedures(context: EngineContext) {
  return {
    issue: os.reports.issue.handler(({ input }) => issue(context, input)),
    draft: os.reports.draft.handler(({ input }) => draft(context, input)),
    list: os.reports.list.handler(({ input }) => context.cases.get(input.caseId).reports.list()),
    review: os.reports.review.handler(({ input }) => context.cases.get(input.caseId).reviews.add(input.review)),
    reviews: os.reports.reviews.handler(({ input }) => context.cases.get(input.caseId).reviews.list()),
    again: os.reports.again.handler(async ({ input }) => {
      const { pdf, issued } = await reportAgain(context.cases.get(input.caseId), input.number);
      return deliver(context, input.out, fileOf(issued.number), (path) => writeFile(path, pdf));
    }),
  };
}
