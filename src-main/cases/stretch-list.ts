/** The stretches that a result points out, as a file. */
import { pointedOut } from '../../src-common/low-stretches.ts';
import { UserFacingError } from '../base/errors.ts';
import { stretchCsv } from '../reports/stretch-csv.ts';
import type { CaseStore } from './store.ts';

/**
 * In the order of their times; JSON with what the model's card states of them.
 * @throws UserFacingError `no-stretches` where the result gives no times
 */
export function stretchList(
  store: CaseStore,
  analysisId: number,
  format: 'csv' | 'json',
): { text: string; count: number } {
  const analysis = store.analyses.get(analysisId);
  const stretches = pointedOut(analysis);
  const {
    localisationStatement,
    localisation,
    falseAlarmsPerHour = null,
    falseAlarmsPerHourAtMost = null,
  } = analysis.thresholds;
  if (stretches === null) {
    throw new UserFacingError('no-stretches', localisationStatement ?? 'This result gives no times of low scores.');
  }
  const { id, name, sha256 } = store.evidence.get(analysis.evidenceId);
  const { modelName, modelSha256, channel, readAll, resultSha256 } = analysis;
  const count = stretches.length;
  if (format === 'json') {
    const result = {
      id: analysisId,
      resultSha256,
      model: { name: modelName, sha256: modelSha256 },
      channel,
      readAll,
      finding: analysis.finding,
    };
    const said = {
      threshold: localisation,
      falseAlarmsPerHour,
      falseAlarmsPerHourAtMost,
      statement: localisationStatement,
    };
    const { number } = store.details();
    const list = {
      case: { id: store.id, number, head: store.head },
      item: { id, name, sha256 },
      result,
      ...said,
      scores: 'uncalibrated',
      stretches,
    };
    return { text: `${JSON.stringify(list, null, 1)}\n`, count };
  }
  return { text: stretchCsv([{ evidence: { id, name, sha256 }, analysis, stretches }]), count };
}
