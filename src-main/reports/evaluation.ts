import type { FindingRecord } from '../../src-common/schemas/finding-record.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import type { StoredModel } from '../detector/store.ts';
import type { DatasetItem, Layout } from '../datasets/types.ts';
import type { BootstrapResult } from '../evaluation/bootstrap.ts';
import { breakdown } from '../evaluation/breakdown.ts';
import type { GroupedTrial } from '../evaluation/breakdown.ts';
import { empiricalCrossEntropy } from '../evaluation/ece.ts';
import { ecePlot, tippettPlot } from '../evaluation/llr-plots.ts';
import { confusionJson, intervalsJson, metricsJson, thresholdSweep } from '../evaluation/metrics.ts';
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
import { findingTableCsv, findingTableJson } from './finding-table.ts';
import type { ScanProvenance } from './scan.ts';

/** A model measured on a split of a dataset. */
export interface EvaluationReport {
  model: StoredModel;
  made: ScanProvenance;
  dataset: string;
  layout: Layout;
  split: string;
  scored: {
    item: DatasetItem;
    path: string;
    sha256: string | null;
    analysis: DetectorAnalysis | null;
    error: { message: string } | null;
  }[];
  trials: Trial[];
  metrics: DetectionMetrics;
  /** With likelihood ratios as scores. */
  calibratedTrials: Trial[];
  calibrated: DetectionMetrics;
  resampled: { scores: BootstrapResult; likelihoodRatios: BootstrapResult } | null;
  findings: FindingRecord;
  /** Companions that spoke of some of them, and what is said of that; then all scores are natural-log likelihood ratios. */
  companions?: { name: string; sha256: string; recordings: number }[];
  companionSentence?: string | null;
  /** What recordings are counted under (`groupsFor`); without it there is no table of groups. */
  groups?: (item: DatasetItem) => GroupedTrial['groups'];
}

/** One set of scores among those that are set side by side. */
export interface ComparedScores {
  /** The model's name, or the score file's. */
  name: string;
  /** Empty where the name says it. */
  data: string;
  trials: readonly Trial[];
  metrics: DetectionMetrics;
  resampled: BootstrapResult | null;
  /** The same trials with natural-log likelihood ratios as scores, and how plots call those. */
  calibratedTrials: readonly Trial[];
  calibratedData: string;
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
  'companion',
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
      analysis?.companion?.name ?? null,
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
  const { model, made, dataset, split, scored, metrics, calibrated, resampled, findings } = report;
  const at = metrics.atThreshold;
  return {
    made,
    dataset,
    split,
    recordings: scored.length,
    without_score: scored.filter(({ analysis }) => typeof analysis?.score !== 'number').length,
    companions: report.companions ?? [],
    score_scale: (report.companions ?? []).length > 0 ? 'natural-log likelihood ratio' : 'score of the model',
    ...(report.companionSentence ? { companions_note: report.companionSentence } : {}),
    not_assessable: scored.filter(({ analysis }) => analysis?.finding === 'not assessable').length,
    ...metricsJson(metrics, resampled?.scores),
    // Cllr means something for likelihood ratios only: of the calibrated ones.
    cllr_bits: calibrated.cllrBits,
    min_cllr_bits: calibrated.minCllrBits,
    act_dcf: calibrated.dcf.actual,
    calibration: model.card.calibration,
    expected_calibration_error: calibrated.calibration.expectedCalibrationError,
    brier: calibrated.calibration.brier,
    at_dev_threshold: at && confusionJson(at),
    findings: findingTableJson(findings),
    intervals: resampled && {
      ...intervalsJson(resampled.scores),
      ...intervalsJson(resampled.likelihoodRatios, {
        cllrBits: 'cllr_bits',
        minCllrBits: 'min_cllr_bits',
        actDcf: 'act_dcf',
        expectedCalibrationError: 'expected_calibration_error',
        brier: 'brier',
      }),
    },
  };
}

const generatorColumns = [
  'model',
  'generator',
  'spoofs',
  'accepted',
  'too_few_for_interval',
  'eer',
  'eer_low',
  'eer_high',
  'auc',
  'same_source_sources',
  'same_source_bonafide',
  'same_source_spoofs',
  'same_source_eer',
  'same_source_eer_low',
  'same_source_eer_high',
  'same_source_auc',
  'same_source_too_few_for_interval',
];

/** Each generator against all bona fide trials, and against those of the same source where there are any. */
function generatorsCsv(results: readonly ComparedScores[]): string {
  const lines = results.flatMap(({ name, metrics, resampled }) =>
    metrics.eerByAttack.map(({ attack, spoofs, accepted, tooFew, eer, auc, sameSource }) => {
      const intervals = resampled?.generators.get(attack);
      return csvLine([
        name,
        attack,
        spoofs,
        accepted,
        String(tooFew),
        eer,
        ...(intervals?.all ?? [null, null]),
        auc,
        sameSource?.sources.join('; ') ?? null,
        sameSource?.bonafide ?? null,
        sameSource?.spoofs ?? null,
        sameSource?.eer ?? null,
        ...(intervals?.sameSource ?? [null, null]),
        sameSource?.auc ?? null,
        sameSource === null ? null : String(sameSource.tooFew),
      ]);
    }),
  );
  return csvLine(generatorColumns) + lines.join('');
}

const groupColumns = [
  'by',
  'group',
  'bonafide',
  'spoof',
  'bonafide_rejected',
  'spoofs_accepted',
  'against',
  'eer',
  'auc',
];

/** Sources, generators in training and not, and whatever else recordings are known by. */
function groupsCsv({ scored, groups, model }: EvaluationReport): string | null {
  if (!groups) return null;
  const trials = scored.flatMap(({ item, analysis }) =>
    typeof analysis?.score === 'number'
      ? [{ bonafide: item.label === 'bonafide', score: analysis.score, groups: groups(item) }]
      : [],
  );
  const found = breakdown(trials, model.card.thresholds.score);
  if (found.length === 0) return null;
  const lines = found.map((group) =>
    csvLine([
      group.by,
      group.value,
      group.bonafide,
      group.spoof,
      group.rejected,
      group.accepted,
      group.against,
      group.eer,
      group.auc,
    ]),
  );
  return csvLine(groupColumns) + lines.join('');
}

/** The names of all files that {@link comparisonFiles} may give. */
export const comparisonFileNames = [
  'roc.svg',
  'precision-recall.svg',
  'det.svg',
  'ece.svg',
  'tippett.svg',
  'eer-by-generator.svg',
  'generators.csv',
] as const;

/** The names of all files that {@link evaluationFiles} may give. */
export const evaluationFileNames = [
  ...comparisonFileNames,
  'metrics.json',
  'scores.csv',
  'findings.csv',
  'groups.csv',
  'scores.txt',
  'calibration.svg',
  'scores.svg',
  'confusion.svg',
] as const;

type FilesOf<Names extends readonly string[]> = Partial<Record<Names[number], string>>;

/** The plots that can show several sets of scores at once, as SVG by file name, and the table of generators. */
export function comparisonFiles(results: readonly ComparedScores[]): Record<string, string> {
  const plotted = results.map(({ name, data, trials, metrics, resampled }) => ({
    model: name,
    data,
    metrics,
    sweep: thresholdSweep(trials),
    ...(resampled ? { resampled } : {}),
  }));
  const ratios = results.map(({ name, calibratedTrials, calibratedData }) => ({
    model: name,
    data: calibratedData,
    trials: calibratedTrials,
    crossEntropy: empiricalCrossEntropy(calibratedTrials, thresholdSweep(calibratedTrials)),
  }));
  return {
    'roc.svg': rocPlot(plotted),
    'precision-recall.svg': precisionRecallPlot(plotted),
    'det.svg': detPlot(plotted),
    'ece.svg': ecePlot(ratios),
    'tippett.svg': tippettPlot(ratios),
    ...(results.some(({ metrics }) => metrics.eerByAttack.length > 0)
      ? { 'eer-by-generator.svg': attackPlot(plotted), 'generators.csv': generatorsCsv(results) }
      : {}),
  } satisfies FilesOf<typeof comparisonFileNames>;
}

/** The files of an evaluation by name: figures, scores, and plots as SVG. */
export function evaluationFiles(report: EvaluationReport): Record<string, string> {
  const { model, layout, trials, metrics, calibrated, resampled } = report;
  const compared = comparedScores(report);
  const subject = { model: compared.name, data: compared.data };
  const groups = groupsCsv(report);
  return {
    'metrics.json': `${JSON.stringify(metricsDocument(report), null, 1)}\n`,
    'scores.csv': scoresCsv(report),
    'findings.csv': findingTableCsv(report.findings),
    ...(groups === null ? {} : { 'groups.csv': groups }),
    ...(layout.startsWith('asvspoof') ? { 'scores.txt': organisersScores(trials) } : {}),
    ...comparisonFiles([compared]),
    'calibration.svg': calibrationPlot(subject, calibrated.calibration, resampled?.likelihoodRatios),
    'scores.svg': scoreDistributionPlot(subject, trials, model.card.thresholds.score),
    'confusion.svg': confusionPlot(subject, metrics.atThreshold ?? metrics.atEerThreshold),
  } satisfies FilesOf<typeof evaluationFileNames>;
}

/** An evaluation as it stands beside others. @param name the model's, if not given. */
export function comparedScores(report: EvaluationReport, name = report.model.card.name): ComparedScores {
  const { dataset, split, trials, metrics, resampled, calibratedTrials } = report;
  const data = `${dataset}, ${split}`;
  return { name, data, trials, metrics, resampled: resampled?.scores ?? null, calibratedTrials, calibratedData: data };
}
