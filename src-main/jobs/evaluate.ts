import type { FindingRecord } from '../../src-common/finding-record.ts';
import type { Card, SplitFigures } from '../detector/card.ts';
import type { Analysis } from '../detector/detector.ts';
import { alone } from '../detector/store.ts';
import type { RunnableModel } from '../detector/store.ts';
import { findingUnder, judgeableScore } from '../detector/finding.ts';
import type { JudgeableScore } from '../detector/finding.ts';
import { specPaths } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { applyCalibration } from '../evaluation/calibration.ts';
import { bootstrap } from '../evaluation/bootstrap.ts';
import type { BootstrapResult } from '../evaluation/bootstrap.ts';
import type { DcfCosts } from '../evaluation/dcf.ts';
import { findingTable } from '../evaluation/finding-table.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import type { DetectionMetrics } from '../evaluation/metrics.ts';
import type { AsvScores, Trial } from '../evaluation/trials.ts';
import { scanFiles } from './scan.ts';
import type { ScanResult } from './scan.ts';

/** A dataset's recording with what the model said of it. */
export interface ScoredItem {
  item: DatasetItem;
  result: ScanResult;
}

/**
 * Scores the recordings of a dataset on all cores, in their order, by the model itself: a companion is measured on its own.
 * @throws the signal's reason when it fires.
 */
export async function scoreItems(
  model: RunnableModel,
  items: readonly DatasetItem[],
  options: { jobs?: number; signal?: AbortSignal; onProgress?: (done: number) => void } = {},
): Promise<ScoredItem[]> {
  const requests = items.map(({ path }) => ({ path, nameBytes: null, found: false }));
  const scored: ScoredItem[] = [];
  let done = 0;
  const { onProgress, ...rest } = options;
  for await (const result of scanFiles(alone(model), requests, { ...rest, onDone: () => onProgress?.(++done) })) {
    scored.push({ item: items[scored.length], result });
  }
  return scored;
}

/** The trials of all recordings that got a score; those without are left out. */
export function trialsOf(scored: readonly ScoredItem[]): Trial[] {
  return scored.flatMap(({ item, result }) => {
    const score = result.analysis?.score;
    if (score === null || score === undefined) return [];
    const { id, label, generator, speaker, source } = item;
    const { quality, activeSeconds, members } = result.analysis ?? {};
    const speechSeconds = quality?.speechSeconds ?? activeSeconds ?? null;
    const bonafide = label === 'bonafide';
    return [{ file: id, bonafide, score, ...memberScores(members), attack: generator, speaker, source, speechSeconds }];
  });
}

/** A labelled recording with what decides its finding under any calibration of the model. */
export interface JudgeableRecording {
  bonafide: boolean;
  speaker: string | null;
  source: string | null;
  /** Null where it could not be read. */
  judged: JudgeableScore | null;
}

/** The recordings of a dataset as they were scored. */
export function recordingsOf(scored: readonly ScoredItem[]): JudgeableRecording[] {
  return scored.map(({ item: { label, speaker, source }, result: { analysis } }) => ({
    bonafide: label === 'bonafide',
    speaker,
    source,
    judged: analysis && judgeableScore(analysis),
  }));
}

/** How often a model's findings are right on recordings of known origin, as its card keeps it. */
export function findingRecord(
  card: Card,
  recordings: readonly JudgeableRecording[],
  { dataset, split }: { dataset: string; split: string },
): FindingRecord {
  const found = recordings.map(({ judged, ...labelled }) => ({
    ...labelled,
    finding: judged && findingUnder(card, judged),
  }));
  const { calibration } = card;
  const calibratedOn = calibration.split === split && sameDataset(calibration.dataset, dataset);
  return { dataset, split, calibratedOn, ...findingTable(found) };
}

/** Whether two specs name the same dataset, wherever they were written. */
export function sameDataset(one: string, other: string): boolean {
  if (one === other) return true;
  const pathsOf = (spec: string): string | null => {
    try {
      return JSON.stringify(specPaths(spec));
    } catch {
      // A card may name anything.
      return null;
    }
  };
  const paths = pathsOf(one);
  return paths !== null && paths === pathsOf(other);
}

/** Records with a further one, in the place of the one of the same split that stood there. */
export function withRecord(records: readonly FindingRecord[], record: FindingRecord): FindingRecord[] {
  const isSame = ({ dataset, split }: FindingRecord): boolean =>
    split === record.split && sameDataset(dataset, record.dataset);
  return records.some(isSame) ? records.map((one) => (isSame(one) ? record : one)) : [...records, record];
}

/** The members' scores as a trial keeps them. */
export function memberScores(members: Analysis['members']): Pick<Trial, 'members'> {
  return members ? { members: members.map(({ score }) => score as number) } : {};
}

/** All figures: of the scores, and those that need likelihood ratios of the calibrated ones. */
export interface Evaluation {
  trials: Trial[];
  metrics: DetectionMetrics;
  /** The same trials with the calibrated natural-log likelihood ratio as score. */
  calibratedTrials: Trial[];
  calibrated: DetectionMetrics;
  /** Intervals of both, from the same draws; null without replicates. */
  resampled: { scores: BootstrapResult; likelihoodRatios: BootstrapResult } | null;
}

/**
 * @param options.costs of the DCF; ASVspoof 5's if not given.
 * @param options.replicates of the bootstrap; none if not given.
 */
export function evaluateTrials(
  card: Card,
  trials: Trial[],
  options: { asv?: AsvScores; costs?: DcfCosts; replicates?: number } = {},
): Evaluation {
  const { asv, costs, replicates = 0 } = options;
  const { score: threshold } = card.thresholds;
  const calibratedTrials = trials.map((trial) => ({
    ...trial,
    score: applyCalibration(card.calibration, trial.score, trial.speechSeconds).llr,
  }));
  const metrics = detectionMetrics(trials, { threshold, ...(asv ? { asv } : {}), ...(costs ? { costs } : {}) });
  const common = { replicates, costs: metrics.dcf.costs };
  return {
    trials,
    metrics,
    calibratedTrials,
    calibrated: detectionMetrics(calibratedTrials, costs ? { costs } : {}),
    resampled:
      replicates === 0
        ? null
        : {
            scores: bootstrap(trials, { ...common, threshold, ...(metrics.asv ? { asv: metrics.asv } : {}) }),
            likelihoodRatios: bootstrap(calibratedTrials, common),
          },
  };
}

/** The figures that stand in a model's card. */
export function splitFigures(dataset: string, split: string, { metrics, calibrated }: Evaluation): SplitFigures {
  return {
    dataset,
    split,
    bonafide: metrics.bonafide,
    spoof: metrics.spoof,
    eer: metrics.eer,
    auc: metrics.auc,
    averagePrecisionBonafide: metrics.averagePrecisionBonafide,
    averagePrecisionSpoof: metrics.averagePrecisionSpoof,
    accuracy: (metrics.atThreshold ?? metrics.atEerThreshold).accuracy,
    cllrBits: calibrated.cllrBits,
    minCllrBits: calibrated.minCllrBits,
  };
}
