/** The files of an evaluation or a comparison: figures, scores, plots. */
import { datasetName } from '../../src-common/dataset-spec.ts';
import type { FindingRecord } from '../../src-common/schemas/finding-record.ts';
import { confusionPicture } from '../../src-common/plots/confusion-picture.ts';
import {
  calibrationSheet,
  crossEntropyPlot,
  detPlot,
  generatorsPlot,
  precisionRecallPlot,
  rocPlot,
  scorePlot,
  type Shown,
  tippettPlot,
} from '../../src-common/plots/evaluation.ts';
import { plotSvg } from '../../src-common/plots/svg.ts';
import { lookAt } from '../../src-common/plots/theme.ts';
import type { PlottedFigures } from '../../src-common/schemas/evaluation.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import type { StoredModel } from '../detector/store.ts';
import type { DatasetItem, Layout } from '../datasets/types.ts';
import type { BootstrapResult } from '../evaluation/bootstrap.ts';
import { breakdown } from '../evaluation/breakdown.ts';
import type { GroupedTrial } from '../evaluation/breakdown.ts';
import { confusionJson, intervalsJson, metricsJson } from '../evaluation/metrics.ts';
import type { DetectionMetrics } from '../evaluation/metrics.ts';
import type { EvaluatedTrials } from '../evaluation/plotted-figures.ts';
import type { Trial } from '../evaluation/trials.ts';
import { csvLine } from './csv.ts';
import { findingTableCsv, findingTableJson } from './finding-table.ts';
import type { ScanProvenance } from './scan-results.ts';

/** A model measured on a split of a dataset. */
export interface EvaluationReport extends EvaluatedTrials {
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
  /** Of the trials. */
  plotted: PlottedFigures;
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
  metrics: DetectionMetrics;
  resampled: BootstrapResult | null;
  plotted: PlottedFigures;
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

/** What plots of sets of scores are made of. @param of which recordings, and what is taken for their likelihood ratios. */
function shownOf(results: readonly ComparedScores[], of: Pick<Shown, 'data' | 'ratios'>): Shown {
  return {
    ...of,
    results: results.map(({ name, plotted }, index) => ({
      result: plotted,
      name,
      look: lookAt(index),
      threshold: plotted.threshold,
    })),
  };
}

/** The plots that can show several sets of scores at once, as SVG by file name, and the table of generators. */
export function comparisonFiles(
  results: readonly ComparedScores[],
  of: Pick<Shown, 'data' | 'ratios'>,
): Record<string, string> {
  const shown = shownOf(results, of);
  const entropy = crossEntropyPlot(shown);
  return {
    'roc.svg': plotSvg(rocPlot(shown)),
    'precision-recall.svg': plotSvg(precisionRecallPlot(shown)),
    'det.svg': plotSvg(detPlot(shown)),
    ...(entropy ? { 'ece.svg': plotSvg(entropy) } : {}),
    'tippett.svg': plotSvg(tippettPlot(shown)),
    ...(results.some(({ metrics }) => metrics.eerByAttack.length > 0)
      ? { 'eer-by-generator.svg': plotSvg(generatorsPlot(shown)), 'generators.csv': generatorsCsv(results) }
      : {}),
  } satisfies FilesOf<typeof comparisonFileNames>;
}

/** The plots of one set of scores, as SVG by file name. */
export function singleFiles(
  scores: ComparedScores,
  of: Pick<Shown, 'data' | 'ratios'>,
): Record<'calibration.svg' | 'scores.svg' | 'confusion.svg', string> {
  const shown = shownOf([scores], of);
  const { atThreshold, atEerThreshold } = scores.metrics;
  return {
    'calibration.svg': plotSvg(calibrationSheet(shown)),
    'scores.svg': plotSvg(scorePlot(shown, shown.results[0])),
    'confusion.svg': confusionPicture(shown, atThreshold ?? atEerThreshold),
  };
}

/** The files of an evaluation by name: figures, scores, and plots as SVG. */
export function evaluationFiles(report: EvaluationReport): Record<string, string> {
  const { layout, trials } = report;
  const compared = comparedScores(report);
  const of = shownData(report);
  const groups = groupsCsv(report);
  return {
    'metrics.json': `${JSON.stringify(metricsDocument(report), null, 1)}\n`,
    'scores.csv': scoresCsv(report),
    'findings.csv': findingTableCsv(report.findings),
    ...(groups === null ? {} : { 'groups.csv': groups }),
    ...(layout.startsWith('asvspoof') ? { 'scores.txt': organisersScores(trials) } : {}),
    ...comparisonFiles([compared], of),
    ...singleFiles(compared, of),
  } satisfies FilesOf<typeof evaluationFileNames>;
}

/** An evaluation as it stands beside others. @param name the model's, if not given. */
export function comparedScores(report: EvaluationReport, name = report.model.card.name): ComparedScores {
  const { metrics, resampled, plotted } = report;
  return { name, metrics, resampled: resampled?.scores ?? null, plotted };
}

/** What plots say of the recordings. */
export function shownData({ dataset, split }: Pick<EvaluationReport, 'dataset' | 'split'>): Pick<Shown, 'data'> {
  return { data: `${datasetName(dataset)}, ${split}` };
}
