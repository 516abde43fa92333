import { serveRequests } from '../base/pool.ts';
import type { RecordingFigures, ReportSaliency } from '../reports/case-report/snapshot.ts';
import { makeReport } from './gather-report.ts';
import type { MadeReport, ReportMaking } from './gather-report.ts';
import { recordingFigures } from './report-figures.ts';
import type { FiguresRequest } from './report-figures.ts';
import { reportSaliency } from './report-saliency.ts';
import type { SaliencyOfResult } from './report-saliency.ts';

/** What the worker of reports does: either would hold up the engine. */
export type ReportWork = { figuresOf: FiguresRequest } | { saliencyOf: SaliencyOfResult } | { make: ReportMaking };
export type ReportWorkDone = { figures: RecordingFigures } | { saliency: ReportSaliency } | { made: MadeReport };

serveRequests<ReportWork, ReportWorkDone>(async (work, signal) => {
  if ('figuresOf' in work) {
    return { response: { figures: await recordingFigures(work.figuresOf, signal) } };
  }
  if ('saliencyOf' in work) return { response: { saliency: await reportSaliency(work.saliencyOf, signal) } };
  const made = await makeReport(work.make);
  return { response: { made }, transfer: [made.pdf.buffer, made.json.buffer, made.jsonGzip.buffer, made.csv.buffer] };
});
