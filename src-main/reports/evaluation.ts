import type { Analysis } from '../detector/detector.ts';
import type { StoredModel } from '../detector/store.ts';
import type { DatasetItem, Layout } from '../datasets/types.ts';
import { metricsJson, thresholdSweep } from '../evaluation/metrics.ts';
import type { DetectionMetrics } from '../evaluation/metrics.ts';
import {
  attackPlot,
  calibrationPlot,
  confusionPlot,
  detPlot,
  precisionRecallPlot,
  rocPlot,
  scoreDistributionPlot,
} from '../evaluation/plots.ts';
import type { Trial } from '../evaluation/trials.ts';
import { csvLine } from './csv.ts';
import type { Provenance } from './scan.ts';

/** A model measured on a split of a dataset. */
export interface EvaluationReport {
  model: StoredModel;
  made: Provenance;
  dataset: string;
  layout: Layout;
  split: string;
  scored: {
    item: DatasetItem;
    path: string;
    sha256: string | null;
    analysis: Analysis | null;
    error: { message: string } | null;
  }[];
  trials: Trial[];
  metrics: DetectionMetrics;
  calibrated: DetectionMetrics;
}

const scoreColumns = [
  'id',
  'path',
  'sha256',
  'label',
  'generator',
  'speaker',
  'source',
  'score',
  'llr',
  'finding',
  'reasons',
  'error',
];

function scoresCsv(report: EvaluationReport): string {
  const lines = report.scored.map(({ item, path, sha256, analysis, error }) =>
    csvLine([
      item.id,
      path,
      sha256,
      item.label,
      item.generator,
      item.speaker,
      item.source,
      analysis?.score ?? null,
      analysis?.llr ?? null,
      analysis?.finding ?? null,
      analysis?.reasons.map((reason) => reason.code).join('; ') ?? null,
      error?.message ?? null,
    ]),
  );
  return csvLine(scoreColumns) + lines.join('');
}

/** The form that the organisers' evaluation scripts read: file, attack, key, score. */
function organisersScores(trials: readonly Trial[]): string {
  return trials
    .map(
      ({ file, attack, bonafide, score }) => `${file} ${attack ?? '-'} ${bonafide ? 'bonafide' : 'spoof'} ${score}\n`,
    )
    .join('');
}

function metricsDocument(report: EvaluationReport): Record<string, unknown> {
  const { model, made, dataset, split, scored, metrics, calibrated } = report;
  const at = metrics.atThreshold;
  return {
    made,
    dataset,
    split,
    recordings: scored.length,
    without_score: scored.filter(({ analysis }) => typeof analysis?.score !== 'number').length,
    not_assessable: scored.filter(({ analysis }) => analysis?.finding === 'not assessable').length,
    ...metricsJson(metrics),
    // Cllr means something for likelihood ratios only: of the calibrated ones.
    cllr_bits: calibrated.cllrBits,
    min_cllr_bits: calibrated.minCllrBits,
    calibration: model.card.calibration,
    expected_calibration_error: calibrated.calibration.expectedCalibrationError,
    brier: calibrated.calibration.brier,
    at_dev_threshold: at && {
      threshold: model.card.thresholds.score,
      accuracy: at.accuracy,
      bonafide_accepted: at.bonafideAccepted,
      bonafide_rejected: at.bonafideRejected,
      spoof_accepted: at.spoofAccepted,
      spoof_rejected: at.spoofRejected,
    },
  };
}

/** The files of an evaluation by name: figures, scores, and plots as SVG. */
export function evaluationFiles(report: EvaluationReport): Record<string, string> {
  const { model, dataset, layout, split, trials, metrics, calibrated } = report;
  const subject = { model: model.card.name, data: `${dataset}, ${split}` };
  const plotted = [{ ...subject, metrics, sweep: thresholdSweep(trials) }];
  return {
    'metrics.json': `${JSON.stringify(metricsDocument(report), null, 1)}\n`,
    'scores.csv': scoresCsv(report),
    ...(layout === 'asvspoof2019' ? { 'scores.txt': organisersScores(trials) } : {}),
    'roc.svg': rocPlot(plotted),
    'precision-recall.svg': precisionRecallPlot(plotted),
    'det.svg': detPlot(plotted),
    'calibration.svg': calibrationPlot(subject, calibrated.calibration),
    'scores.svg': scoreDistributionPlot(subject, trials, model.card.thresholds.score),
    'confusion.svg': confusionPlot(subject, metrics.atThreshold ?? metrics.atEerThreshold),
    ...(metrics.eerByAttack.length > 0 ? { 'eer-by-generator.svg': attackPlot(subject, metrics) } : {}),
  };
}
