/** The contract's procedures on reports. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportRequestSchema } from '../../src-common/schemas/report.ts';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import type { Inputs } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { temporaryPrefix } from '../base/temporary.ts';
import { writeArchive } from '../base/zip.ts';
import { caseFolderName } from '../cases/folders.ts';
import type { CaseStore } from '../cases/store.ts';
import { draftReport, editableDraft, issueReport, noteEditableDraft, reportAgain } from '../casework/issue-report.ts';
import type { ReportProgress, ReportSurroundings } from '../casework/issue-report.ts';
import { partOfCase, partsOfItems, reportParts } from '../casework/report-batch.ts';
import type { BatchWork } from '../casework/report-batch.ts';
import { TemplateStore } from '../reports/template-store.ts';
import type { JobRun } from '../jobs/queue.ts';
import type { EngineContext } from './context.ts';
import { deliver, outputPath } from './files.ts';
import { os } from './implementer.ts';
import { releaseLater } from './resume.ts';

const mediaTypes = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
} as const;

/** What a report of that number is called as a file. */
function fileOf(number: string, format: keyof typeof mediaTypes = 'pdf'): { name: string; type: string } {
  return { name: `report-${number.replace(/[^\p{L}\p{N}._-]+/gu, '-')}.${format}`, type: mediaTypes[format] };
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
    const output = await deliver(context, out, fileOf(issued.number), (path) => writeFile(path, pdf)).catch(
      (error: unknown) => {
        throw notDelivered(error, `The report ${issued.number} was issued, but`);
      },
    );
    return { ...issued, ...output };
  });
}

/** Why what was issued is not where it was wanted. */
function notDelivered(error: unknown, issued: string): unknown {
  if (!(error instanceof UserFacingError)) return error;
  return new UserFacingError(error.code, `${issued}: ${error.message}`, {
    ...(error.path === undefined ? {} : { path: error.path }),
    advice: 'Choose another place, and make it again in the list of reports.',
    cause: error,
  });
}

type DraftRequest = Request & { format: keyof typeof mediaTypes };

async function draft(context: EngineContext, input: DraftRequest): Promise<{ jobId: string }> {
  const { out, format, ...request } = input;
  const surroundings = await surroundingsOf(context, request);
  return begin(context, input, async (store, progress) => {
    if (format === 'docx') {
      const made = await editableDraft(store, request, surroundings, progress);
      const file = fileOf(`${store.details().number}-draft`, 'docx');
      const output = await deliver(context, out, file, (path) => writeFile(path, made.docx, { flush: true }));
      noteEditableDraft(store, made, out);
      return output;
    }
    const { pdf, pages } = await draftReport(store, request, surroundings, progress);
    const file = fileOf(`${store.details().number}-draft`);
    return { pages, ...(await deliver(context, out, file, (path) => writeFile(path, pdf))) };
  });
}

async function issueEach(context: EngineContext, input: Request): Promise<{ jobId: string }> {
  const { out, ...request } = input;
  const { caseId, evidenceIds } = request;
  const surroundings = await surroundingsOf(context, request);
  const store = context.cases.get(caseId);
  if (out !== null) await outputPath(context, out);
  const parts = partsOfItems(store, evidenceIds, false);
  const { number } = store.details();
  const archive = { out, name: `reports-${caseFolderName(number)}.zip` };
  const spec = { title: `Reports of the items of ${number}`, caseId, total: parts.length };
  return together(context, spec, archive, (work) => reportParts(store, parts, request, surroundings, work));
}

type CasesRequest = Inputs['reports']['issueCases'];

async function issueCases(context: EngineContext, input: CasesRequest): Promise<{ jobId: string }> {
  const { out = null, caseIds, ...asked } = input;
  const surroundings = await surroundingsOf(context, asked);
  if (out !== null) await outputPath(context, out);
  const spec = { title: 'Reports of cases', total: caseIds.length };
  return together(context, spec, { out, name: 'reports.zip' }, async (work) => {
    let written = 0;
    for (const [index, caseId] of caseIds.entries()) {
      try {
        const store = context.cases.get(caseId);
        const request = reportRequestSchema.parse({ ...asked, caseId });
        const onProgress = (done: number, doing: string): void => work.onProgress?.(index + done, doing);
        written += await reportParts(store, [partOfCase(store, false)], request, surroundings, { ...work, onProgress });
      } catch (error) {
        work.signal?.throwIfAborted();
        // One that cannot be opened; the others go on.
        if (!(error instanceof UserFacingError)) throw error;
        const number = context.cases.library.list().find(({ id }) => id === caseId)?.number ?? caseId;
        work.onProblem(number, error.sentence);
      } finally {
        releaseLater(context, caseId);
      }
    }
    return written;
  });
}

/**
 * Begins the job that issues several reports and hands them over in one archive.
 * @param make issues them and returns how many were written
 */
function together(
  context: EngineContext,
  spec: { title: string; caseId?: string; total: number },
  { out, name }: { out: string | null; name: string },
  make: (work: BatchWork) => Promise<number>,
): { jobId: string } {
  const jobId = context.jobs.start({ kind: 'report', unit: 'reports', ...spec }, async (job) => {
    const folder = await mkdtemp(temporaryPrefix('report'));
    try {
      const files = new Map<string, { name: string; path: string; compress: boolean }>();
      const reports = await make({
        draft: false,
        signal: job.signal,
        onProgress: (done, doing) => job.progress({ done, doing }),
        onProblem: (subject, message) => job.problem(subject, message),
        write: async ({ fileName }, { pdf }) => {
          // Two cases may have one number.
          const taken = files.has(fileName) ? fileName.replace(/\.pdf$/, `-${files.size + 1}.pdf`) : fileName;
          const path = join(folder, taken);
          await writeFile(path, pdf);
          files.set(taken, { name: taken, path, compress: false });
        },
      });
      if (files.size === 0) {
        throw new UserFacingError('no-report', 'None of the reports could be made.', {
          advice: 'Look at what failed, in the list of jobs.',
        });
      }
      const output = await deliver(context, out, { name, type: 'application/zip' }, (path) =>
        writeArchive(path, [...files.values()], {
          signal: job.signal,
          file: { flags: 'wx', mode: 0o600, flush: true },
        }),
      ).catch((error: unknown) => {
        throw notDelivered(error, `${reports} reports were issued, but`);
      });
      return { ...output, reports };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  return { jobId };
}

/** `reports` of the contract. */
export function reportsProcedures(context: EngineContext) {
  return {
    issue: os.reports.issue.handler(({ input }) => issue(context, input)),
    issueEach: os.reports.issueEach.handler(({ input }) => issueEach(context, input)),
    issueCases: os.reports.issueCases.handler(({ input }) => issueCases(context, input)),
    draft: os.reports.draft.handler(({ input }) => draft(context, input)),
    list: os.reports.list.handler(({ input }) => context.cases.get(input.caseId).reports.list()),
    review: os.reports.review.handler(({ input }) => context.cases.get(input.caseId).reviews.add(input.review)),
    answerReview: os.reports.answerReview.handler(({ input }) =>
      context.cases.get(input.caseId).reviews.answer(input.answer),
    ),
    reviews: os.reports.reviews.handler(({ input }) => context.cases.get(input.caseId).reviews.list()),
    again: os.reports.again.handler(async ({ input }) => {
      const { pdf, issued } = await reportAgain(context.cases.get(input.caseId), input.number);
      return deliver(context, input.out, fileOf(issued.number), (path) => writeFile(path, pdf));
    }),
  };
}
