import { serveRequests } from '../base/pool.ts';
import type { RecordingFigures, ReportSaliency, ReportTraces } from '../reports/case-report/snapshot.ts';
import { againOf, makeReport } from './gather-report.ts';
import type { IssuedAgain, MadeReport, ReportMaking } from './gather-report.ts';
import { recordingFigures } from './report-figures.ts';
import type { FiguresRequest } from './report-figures.ts';
import { reportSaliency } from './report-saliency.ts';
import type { SaliencyOfResult } from './report-saliency.ts';
import { reportTraces } from './report-traces.ts';

/** What the worker of reports does: each would hold up the engine. */
export type ReportWork =
  | { figuresOf: FiguresRequest }
  | { saliencyOf: SaliencyOfResult }
  | { tracesOf: { path: string } }
  | { make: ReportMaking }
  | { again: { folder: string; number: string } };
export type ReportWorkDone =
  | { figures: RecordingFigures }
  | { saliency: ReportSaliency }
  | { traces: ReportTraces }
  | { made: MadeReport }
  | { issued: IssuedAgain };

serveRequests<ReportWork, ReportWorkDone>(async (work, signal) => {
  if ('figuresOf' in work) {
    return { response: { figures: await recordingFigures(work.figuresOf, signal) } };
  }
  if ('saliencyOf' in work) return { response: { saliency: await reportSaliency(work.saliencyOf, signal) } };
  if ('tracesOf' in work) return { response: { traces: await reportTraces(work.tracesOf.path, signal) } };
  if ('again' in work) {
    const issued = againOf(work.again.folder, work.again.number);
    return { response: { issued }, transfer: [issued.pdf.buffer, issued.json.buffer, issued.csv.buffer] };
  }
  const made = await makeReport(work.make);
  const kept = made.prepared === null ? [] : [made.prepared.data.buffer];
  return { response: { made }, transfer: [made.document.buffer, made.json.buffer, made.csv.buffer, ...kept] };
});
