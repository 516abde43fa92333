import { serveRequests } from '../base/pool.ts';
import type { RecordingFigures } from '../reports/case-report/snapshot.ts';
import { makeReport } from './gather-report.ts';
import type { MadeReport, ReportMaking } from './gather-report.ts';
import { recordingFigures } from './report-figures.ts';

/** What the worker of reports does: either would hold up the engine. */
export type ReportWork = { figuresOf: { path: string; stream: number } } | { make: ReportMaking };
export type ReportWorkDone = { figures: RecordingFigures } | { made: MadeReport };

serveRequests<ReportWork, ReportWorkDone>(async (work, signal) => {
  if ('figuresOf' in work) {
    return { response: { figures: await recordingFigures(work.figuresOf.path, work.figuresOf.stream, signal) } };
  }
  const made = await makeReport(work.make);
  return { response: { made }, transfer: [made.pdf.buffer, made.json.buffer, made.jsonGzip.buffer, made.csv.buffer] };
});
