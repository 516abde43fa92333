/** Stretches that results point out, as a table. */
import type { LowStretch } from '../../src-common/low-stretches.ts';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { Evidence } from '../../src-common/schemas/evidence.ts';
import { csvLine } from './csv.ts';

const columns = [
  'item',
  'name',
  'sha256',
  'start_seconds',
  'end_seconds',
  'seconds',
  'windows',
  'lowest_score',
  'model',
  'channel',
  'all_sound_read',
  'result_sha256',
  'false_alarms_per_hour',
  'false_alarms_per_hour_at_most',
];

/** What one result points out, and what it is of. */
interface PointedOut {
  evidence: Pick<Evidence, 'id' | 'name' | 'sha256'>;
  analysis: Pick<Analysis, 'modelName' | 'channel' | 'readAll' | 'resultSha256' | 'thresholds'>;
  stretches: readonly LowStretch[];
}

/** A row for each stretch, in the order given. */
export function stretchCsv(results: readonly PointedOut[]): string {
  const lines = results.flatMap(({ evidence: { id, name, sha256 }, analysis, stretches }) => {
    const { modelName, channel, readAll, resultSha256, thresholds } = analysis;
    // Results that were made before these were kept lack them.
    const { falseAlarmsPerHour = null, falseAlarmsPerHourAtMost = null } = thresholds;
    return stretches.map(({ startSeconds, endSeconds, windows, lowestScore }) =>
      csvLine([
        ...[id, name, sha256, startSeconds, endSeconds, endSeconds - startSeconds, windows, lowestScore],
        ...[modelName, channel, readAll ? 'yes' : 'no', resultSha256, falseAlarmsPerHour, falseAlarmsPerHourAtMost],
      ]),
    );
  });
  return csvLine(columns) + lines.join('');
}
