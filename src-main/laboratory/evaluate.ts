/** Scores a dataset and works out its figures and records of findings. */
import type { FindingRecord } from '../../src-common/schemas/finding-record.ts';
import type { Card, SplitFigures } from '../detector/card.ts';
import type { DetectorAnalysis } from '../detector/detector.ts';
import { alone } from '../detector/store.ts';
import type { RunnableModel } from '../detector/store.ts';
import { findingUnder, judgeableScore } from '../detector/finding.ts';
import type { JudgeableScore } from '../detector/finding.ts';
import { specKeys } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { applyCalibration } from '../evaluation/calibration.ts';
import { bootstrap } from '../evaluation/bootstrap.ts';
import type { DcfCosts } from '../evaluation/dcf.ts';
import { findingTable } from '../evaluation/finding-table.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import type { EvaluatedTrials } from '../evaluation/plotted-figures.ts';
import type { AsvScores, Trial } from '../evaluation/trials.ts';
import { scanFiles } from '../scanning/scan-files.ts';
import type { ScanResult } from '../scanning/scan-files.ts';

/** A dataset's recording with what the model said of it. */
export interface ScoredItem {
  item: DatasetItem;
  result: ScanResult;
}

/**
 * Scores the recordings of a dataset on all cores, in their order.
 * @param options.companions whether the model's companions speak of those that are theirs, as in a scan; by default the model itself
 * speaks of all, as for the figures of its card
 * @throws the signal's reason when it fires.
 */
export async function scoreItems(
  model: RunnableModel,
  items: readonly DatasetItem[],
  options: { jobs?: number; companions?: boolean; signal?: AbortSignal; onProgress?: (done: number) => void } = {},
): Promise<ScoredItem[]> {
  const requests = items.map(({ path }) => ({ path, nameBytes: null, found: false }));
  const scored: ScoredItem[] = [];
  let done = 0;
  const { onProgress, companions, ...rest } = options;
  for await (const result of scanFiles(companions ? model : alone(model), requests, {
    ...rest,
    onDone: () => onProgress?.(++done),
  })) {
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

/** A companion that spoke of some recordings. */
export interface CompanionShare {
  name: string;
  sha256: string;
  recordings: number;
}

/** The companions that spoke, by the order in which they first did. */
export function companionsOf(
  spoken: readonly ({ companion?: { name: string; sha256: string } } | null)[],
): CompanionShare[] {
  const shares = new Map<string, CompanionShare>();
  for (const one of spoken) {
    if (!one?.companion) continue;
    const share = shares.get(one.companion.sha256) ?? { ...one.companion, recordings: 0 };
    share.recordings++;
    shares.set(share.sha256, share);
  }
  return [...shares.values()];
}

/** The card of the model or of its companion, whichever spoke. */
export function spokenUnder(
  { card, companions = [] }: RunnableModel,
  spoken: { companion?: { sha256: string } } | null,
): Card {
  const sha256 = spoken?.companion?.sha256;
  return companions.find(({ model }) => model.onnxSha256 === sha256)?.model.card ?? card;
}

/** The cards of the model and, where they speak, too, of its companions. */
export function cardsThatSpeak({ card, companions = [] }: RunnableModel, withCompanions: boolean): Card[] {
  return [card, ...(withCompanions ? companions.map(({ model }) => model.card) : [])];
}

/** A score as a natural-log likelihood ratio under a card's calibration. */
export function ratioOf(
  { calibration }: Pick<Card, 'calibration'>,
  score: number,
  speechSeconds: number | null | undefined,
): number {
  return applyCalibration(calibration, score, speechSeconds).llr;
}

/** What a model and its companions said of the recordings of a dataset, fit to be measured together. */
export interface SpokenTrials {
  trials: Trial[];
  /**
   * Scores of two models have no common scale. Where a companion spoke of some recordings, all are natural-log likelihood ratios, each
   * under the calibration of the one that spoke.
   */
  areRatios: boolean;
  companions: CompanionShare[];
}

/** The trials of recordings that were scored with a model's companions. */
export function spokenTrials(model: RunnableModel, scored: readonly ScoredItem[]): SpokenTrials {
  const companions = companionsOf(scored.map(({ result }) => result.analysis));
  if (companions.length === 0) return { trials: trialsOf(scored), areRatios: false, companions };
  const trials = scored.flatMap((one) =>
    trialsOf([one]).map(({ members: _, ...trial }) => {
      const card = spokenUnder(model, one.result.analysis);
      return { ...trial, score: ratioOf(card, trial.score, trial.speechSeconds) };
    }),
  );
  return { trials, areRatios: true, companions };
}

/** What is said of figures in which companions have a part. */
export function companionSentence({ companions, trials }: Pick<SpokenTrials, 'companions' | 'trials'>): string | null {
  if (companions.length === 0) return null;
  const spoke = companions.map(({ name, recordings }) => `the companion ${name} of ${recordings}`).join(', ');
  return `Of ${trials.length} recordings with a score ${spoke} spoke. Scores of two models have no common scale: these are figures of likelihood ratios, each under the calibration of the one that spoke, and the threshold is a ratio of one.`;
}

/** A labelled recording with what decides its finding under any calibration of the model. */
export interface JudgeableRecording {
  /** Its id in the dataset. */
  file: string;
  bonafide: boolean;
  speaker: string | null;
  source: string | null;
  /** Null where it could not be read. */
  judged: JudgeableScore | null;
  /** Of the companion that spoke; absent where it was the model itself. */
  card?: Card;
}

/** The recordings of a dataset as they were scored. @param model where its companions spoke of some */
export function recordingsOf(scored: readonly ScoredItem[], model?: RunnableModel): JudgeableRecording[] {
  return scored.map(({ item: { id, label, speaker, source }, result: { analysis } }) => ({
    file: id,
    bonafide: label === 'bonafide',
    speaker,
    source,
    judged: analysis && judgeableScore(analysis),
    ...(model && analysis?.companion ? { card: spokenUnder(model, analysis) } : {}),
  }));
}

/** How often a model's findings are right on recordings of known origin, as its card keeps it. */
export function findingRecord(
  card: Card,
  recordings: readonly JudgeableRecording[],
  { dataset, split }: { dataset: string; split: string },
): FindingRecord {
  const found = recordings.map(({ judged, card: ofCompanion, ...labelled }) => ({
    ...labelled,
    finding: judged && findingUnder(ofCompanion ?? card, judged),
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
      return JSON.stringify(specKeys(spec));
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
export function memberScores(members: DetectorAnalysis['members']): Pick<Trial, 'members'> {
  return members ? { members: members.map(({ score }) => score as number) } : {};
}

/**
 * @param options.areRatios whether the trials are natural-log likelihood ratios already (`SpokenTrials`)
 * @param options.cardOf whose calibration a trial's ratio is under; `card` if not given
 * @param options.costs of the DCF; ASVspoof 5's if not given.
 * @param options.replicates of the bootstrap; none if not given.
 */
export function evaluateTrials(
  card: Card,
  trials: Trial[],
  options: {
    areRatios?: boolean;
    cardOf?: (trial: Trial) => Pick<Card, 'calibration'>;
    asv?: AsvScores;
    costs?: DcfCosts;
    replicates?: number;
  } = {},
): EvaluatedTrials {
  const { areRatios = false, cardOf = () => card, asv, costs, replicates = 0 } = options;
  const threshold = areRatios ? 0 : card.thresholds.score;
  const calibratedTrials = areRatios
    ? trials
    : trials.map((trial) => ({ ...trial, score: ratioOf(cardOf(trial), trial.score, trial.speechSeconds) }));
  const metrics = detectionMetrics(trials, { threshold, ...(asv ? { asv } : {}), ...(costs ? { costs } : {}) });
  const common = { replicates, costs: metrics.dcf.costs };
  return {
    trials,
    threshold,
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
export function splitFigures(dataset: string, split: string, { metrics, calibrated }: EvaluatedTrials): SplitFigures {
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

/** A card's figures with further ones, in place of those of the same split. */
export function withFigures(figures: Card['figures'], added: Card['figures'][number]): Card['figures'] {
  return [...figures.filter(({ dataset, split }) => dataset !== added.dataset || split !== added.split), added];
}
