import { csvLine } from '../csv.ts';
import { hasRatio } from './outcome.ts';
import type { ReportSnapshot } from './snapshot.ts';

/** The report as a table: a row for each analysis, and for each item without one. */
export function reportCsv(snapshot: ReportSnapshot): string {
  const header = csvLine([
    'item',
    'name',
    'path',
    'sha256',
    'analysis',
    'time',
    'start_seconds',
    'end_seconds',
    'channel',
    'stream',
    'model',
    'model_sha256',
    'model_status',
    'finding',
    'score',
    'llr',
    'llr_low',
    'llr_high',
    'stale',
    'reasons',
    'error',
    'result_sha256',
  ]);
  const lines = snapshot.items.flatMap(({ evidence, analyses }) => {
    const item = [evidence.id, evidence.name, evidence.path, evidence.sha256];
    if (analyses.length === 0) return [csvLine([...item, ...Array.from({ length: 18 }, () => null)])];
    return analyses.map((one) =>
      csvLine([
        ...item,
        one.id,
        one.time,
        one.stretch?.startSeconds ?? null,
        one.stretch?.endSeconds ?? null,
        one.channel,
        one.stream,
        one.modelName,
        one.modelSha256,
        one.modelStatus,
        one.finding,
        one.score,
        hasRatio(one) ? one.llr : null,
        hasRatio(one) ? (one.llrInterval?.[0] ?? null) : null,
        hasRatio(one) ? (one.llrInterval?.[1] ?? null) : null,
        one.stale ? 'stale' : '',
        one.reasons.map(({ code }) => code).join('; '),
        one.error?.message ?? null,
        one.resultSha256,
      ]),
    );
  });
  return header + lines.join('');
}
