/** All figures of scored trials: EER, areas, costs, calibration, by attack; and as JSON. */
import { UserFacingError } from '../base/errors.ts';
import { logOnePlusExp } from './calibration.ts';
import type { BootstrapResult, FigureName, Interval } from './bootstrap.ts';
import { actualDcf, asvspoof5Costs, checkCosts, dcfAt, type DcfCosts, minimumDcf } from './dcf.ts';
import { GeneratorComparisons, tooFew } from './generators.ts';
import { minimumCllr } from './pav.ts';
import { areaUnderRoc, averagePrecision, equalErrorRate, sweepSorted, type ThresholdSweep } from './sweep.ts';
import { type AsvFigures, asvFigures, minTdcf2019, minTdcfRevised } from './tdcf.ts';
import type { AsvScores, Trial } from './trials.ts';

/** Decisions at a threshold; what scores at least the threshold is taken for bona fide. */
export interface ConfusionCounts {
  threshold: number;
  bonafideAccepted: number;
  bonafideRejected: number;
  spoofAccepted: number;
  spoofRejected: number;
  accuracy: number;
}

/** One attack's (or generator's) spoofs against all bona fide trials, and against those of the same source. */
interface AttackFigures {
  attack: string;
  spoofs: number;
  eer: number;
  threshold: number;
  auc: number;
  /** How many of them are taken for bona fide: at the threshold that was passed in, else at the EER's of all trials. */
  accepted: number;
  /** What is compared amounts to fewer independent recordings than intervals are computed for: its counts are reported. */
  tooFew: boolean;
  /**
   * Its spoofs of those sources that hold bona fide speech too, against that speech: what is left of the EER when
   * source and channel cannot tell. Null where no source holds both.
   */
  sameSource: {
    sources: string[];
    bonafide: number;
    spoofs: number;
    eer: number;
    auc: number;
    tooFew: boolean;
  } | null;
}

/** Normalised detection costs. */
interface DcfFigures {
  costs: DcfCosts;
  min: number;
  /** As the ASVspoof organisers name it; decide by `minDecisionThreshold`. */
  minThreshold: number;
  minDecisionThreshold: number;
  /** At the Bayes threshold, the scores taken as natural-log likelihood ratios. */
  actual: number;
  bayesThreshold: number;
  /** At the threshold that was passed in; null without one. */
  atThreshold: number | null;
}

/** One bin of a reliability curve; means and shares are weighted so that both classes weigh alike, null if empty. */
interface CalibrationBin {
  from: number;
  to: number;
  bonafide: number;
  spoof: number;
  meanProbability: number | null;
  bonafideShare: number | null;
}

/** Whether the scores, read as natural-log likelihood ratios, mean what they say. */
interface CalibrationCurve {
  bins: CalibrationBin[];
  /** Mean distance between stated probability and share, weighted by what is in the bins. */
  expectedCalibrationError: number;
  /** Mean squared distance between stated probability and truth. */
  brier: number;
}

/** Everything that is computed from one set of scored trials. Rates are fractions. */
export interface DetectionMetrics {
  bonafide: number;
  spoof: number;
  eer: number;
  /** As the ASVspoof organisers name it; decide by `eerDecisionThreshold`, which lies between two scores. */
  eerThreshold: number;
  eerDecisionThreshold: number;
  auc: number;
  averagePrecisionBonafide: number;
  averagePrecisionSpoof: number;
  /** Cllr of the scores as natural-log likelihood ratios, and after the best monotonic mapping, in bits. */
  cllrBits: number;
  minCllrBits: number;
  calibration: CalibrationCurve;
  atEerThreshold: ConfusionCounts;
  /** At the threshold that was passed in, as a rule the one fixed on dev; null without one. */
  atThreshold: ConfusionCounts | null;
  /** By name; spoofs without a named attack are only in the pooled figures. */
  eerByAttack: AttackFigures[];
  asv: AsvFigures | null;
  minTdcf2019: number | null;
  minTdcfRevised: number | null;
  dcf: DcfFigures;
}

/**
 * All figures of a detector on a set of trials. Bona fide is the positive class, equal scores move together, and the
 * order of the trials does not matter.
 * @param options.threshold decides for `atThreshold`.
 * @param options.asv adds min t-DCF.
 * @param options.costs of the DCF; ASVspoof 5's if not given.
 * @throws UserFacingError `no-trials`, `one-class` when bona fide or spoofs are missing, `not-a-number` naming the file
 *   whose score is NaN. Infinite scores count as certain: a wrong one makes Cllr infinite.
 */
export function detectionMetrics(
  trials: readonly Trial[],
  options: { threshold?: number; asv?: AsvScores; costs?: DcfCosts } = {},
): DetectionMetrics {
  const costs = options.costs ?? asvspoof5Costs;
  checkCosts(costs);
  const { bonafide, spoof, byAttack } = sortedScores(trials);
  const sweep = sweepSorted(bonafide, spoof);
  const { eer, threshold, decisionThreshold } = equalErrorRate(sweep);
  const asv = options.asv ? asvFigures(options.asv) : null;
  return {
    bonafide: bonafide.length,
    spoof: spoof.length,
    eer,
    eerThreshold: threshold,
    eerDecisionThreshold: decisionThreshold,
    auc: areaUnderRoc(sweep),
    averagePrecisionBonafide: averagePrecision(sweep, 'bonafide'),
    averagePrecisionSpoof: averagePrecision(sweep, 'spoof'),
    cllrBits: cllr(bonafide, spoof),
    minCllrBits: minimumCllr(sweep),
    calibration: reliability(bonafide, spoof),
    atEerThreshold: confusionAt(decisionThreshold, bonafide, spoof),
    atThreshold: options.threshold === undefined ? null : confusionAt(options.threshold, bonafide, spoof),
    eerByAttack: attackFigures(trials, bonafide, byAttack, options.threshold ?? decisionThreshold),
    asv,
    minTdcf2019: asv && minTdcf2019(sweep, asv),
    minTdcfRevised: asv && minTdcfRevised(sweep, asv),
    dcf: dcfFigures(sweep, costs, options.threshold),
  };
}

function dcfFigures(sweep: ThresholdSweep, costs: DcfCosts, threshold: number | undefined): DcfFigures {
  const least = minimumDcf(sweep, costs);
  const actual = actualDcf(sweep, costs);
  return {
    costs,
    min: least.cost,
    minThreshold: least.threshold,
    minDecisionThreshold: least.decisionThreshold,
    actual: actual.cost,
    bayesThreshold: actual.threshold,
    atThreshold: threshold === undefined ? null : dcfAt(sweep, costs, threshold),
  };
}

function attackFigures(
  trials: readonly Trial[],
  bonafide: Float64Array,
  byAttack: SortedScores['byAttack'],
  decidedAt: number,
): AttackFigures[] {
  const sorted = [...trials].sort((one, other) => one.score - other.score || 0);
  const comparisons = new GeneratorComparisons(sorted);
  comparisons.weigh(new Uint16Array(sorted.length).fill(1));
  return comparisons.list.map((comparison) => {
    const { generator, all, sameSource } = comparison;
    const spoofs = byAttack.get(generator) ?? new Float64Array();
    const { eer, threshold } = equalErrorRate(sweepSorted(bonafide, spoofs));
    return {
      attack: generator,
      spoofs: all.spoofs,
      eer,
      threshold,
      auc: all.auc(),
      accepted: countAtLeast(decidedAt, spoofs),
      tooFew: tooFew(comparison),
      sameSource: sameSource && {
        sources: sameSource.sources,
        bonafide: sameSource.comparison.bonafide,
        spoofs: sameSource.comparison.spoofs,
        eer: sameSource.comparison.eer(),
        auc: sameSource.comparison.auc(),
        tooFew: tooFew(sameSource),
      },
    };
  });
}

/**
 * The operating points of a set of trials, for curves.
 * @throws UserFacingError as {@link detectionMetrics}.
 */
export function thresholdSweep(trials: readonly Trial[]): ThresholdSweep {
  const { bonafide, spoof } = sortedScores(trials);
  return sweepSorted(bonafide, spoof);
}

/**
 * The figures as plain JSON, under the names that the help of `earwitness metrics` explains.
 * @param resampled adds intervals and what was resampled.
 */
export function metricsJson(metrics: DetectionMetrics, resampled?: BootstrapResult): Record<string, unknown> {
  const { asv, dcf } = metrics;
  return {
    bonafide: metrics.bonafide,
    spoof: metrics.spoof,
    eer: metrics.eer,
    eer_threshold: metrics.eerThreshold,
    eer_decision_threshold: metrics.eerDecisionThreshold,
    min_tdcf_2019: metrics.minTdcf2019,
    min_tdcf_v2: metrics.minTdcfRevised,
    auc: metrics.auc,
    average_precision_bonafide: metrics.averagePrecisionBonafide,
    average_precision_spoof: metrics.averagePrecisionSpoof,
    cllr_bits_scores_as_log_lr: metrics.cllrBits,
    min_cllr_bits_pav: metrics.minCllrBits,
    accuracy_at_eer_threshold: metrics.atEerThreshold.accuracy,
    at_eer_threshold: confusionJson(metrics.atEerThreshold),
    eer_by_attack: Object.fromEntries(metrics.eerByAttack.map(({ attack, eer }) => [attack, eer])),
    asv: asv && {
      eer: asv.eer,
      threshold: asv.threshold,
      p_fa: asv.falseAcceptRate,
      p_miss: asv.missRate,
      p_miss_spoof: asv.spoofMissRate,
      p_fa_spoof: asv.spoofFalseAcceptRate,
      targets: asv.targets,
      nontargets: asv.nontargets,
      spoofs: asv.spoofs,
    },
    min_dcf: dcf.min,
    min_dcf_threshold: dcf.minThreshold,
    min_dcf_decision_threshold: dcf.minDecisionThreshold,
    act_dcf_scores_as_log_lr: dcf.actual,
    dcf: {
      p_spoof: dcf.costs.priorSpoof,
      c_miss: dcf.costs.costMiss,
      c_fa: dcf.costs.costFalseAccept,
      bayes_threshold: dcf.bayesThreshold,
    },
    generators: metrics.eerByAttack.map((figures) => generatorJson(figures, resampled)),
    intervals: resampled ? intervalsJson(resampled) : null,
    resampled: resampled ? resampledJson(resampled) : null,
  };
}

/** Decisions as plain JSON. */
export function confusionJson(confusion: ConfusionCounts): Record<string, number> {
  return {
    threshold: confusion.threshold,
    accuracy: confusion.accuracy,
    bonafide_accepted: confusion.bonafideAccepted,
    bonafide_rejected: confusion.bonafideRejected,
    spoof_accepted: confusion.spoofAccepted,
    spoof_rejected: confusion.spoofRejected,
  };
}

/** Names of the figures whose intervals `metricsJson` gives. */
const jsonNames: Partial<Record<FigureName, string>> = {
  eer: 'eer',
  minTdcf2019: 'min_tdcf_2019',
  minTdcfRevised: 'min_tdcf_v2',
  auc: 'auc',
  averagePrecisionBonafide: 'average_precision_bonafide',
  averagePrecisionSpoof: 'average_precision_spoof',
  cllrBits: 'cllr_bits_scores_as_log_lr',
  minCllrBits: 'min_cllr_bits_pav',
  accuracyAtEerThreshold: 'accuracy_at_eer_threshold',
  accuracyAtThreshold: 'accuracy_at_threshold',
  minDcf: 'min_dcf',
  actDcf: 'act_dcf_scores_as_log_lr',
};

/** Intervals as pairs, under the names that `metricsJson` gives the figures or under others. */
export function intervalsJson(
  { intervals }: BootstrapResult,
  names: Partial<Record<FigureName, string>> = jsonNames,
): Record<string, Interval> {
  return Object.fromEntries(
    (Object.keys(names) as FigureName[]).flatMap((figure) => {
      const [name, interval] = [names[figure], intervals[figure]];
      return name !== undefined && interval ? [[name, interval]] : [];
    }),
  );
}

function generatorJson(figures: AttackFigures, resampled?: BootstrapResult): Record<string, unknown> {
  const { attack, spoofs, accepted, eer, auc, sameSource } = figures;
  const intervals = resampled?.generators.get(attack);
  return {
    generator: attack,
    spoofs,
    accepted,
    too_few_for_interval: figures.tooFew,
    eer,
    eer_interval: intervals?.all ?? null,
    auc,
    same_source: sameSource && {
      sources: sameSource.sources,
      bonafide: sameSource.bonafide,
      spoofs: sameSource.spoofs,
      too_few_for_interval: sameSource.tooFew,
      eer: sameSource.eer,
      eer_interval: intervals?.sameSource ?? null,
      auc: sameSource.auc,
    },
  };
}

function resampledJson({
  units,
  replicates,
  confidence,
  seed,
  redrawn,
  tooFew: few,
}: BootstrapResult): Record<string, unknown> {
  return {
    method: 'hierarchical bootstrap',
    levels: units.levels,
    sources: units.sources,
    sources_bonafide: units.bonafideSources,
    sources_spoof: units.spoofSources,
    speakers: units.speakers,
    files: units.files,
    replicates,
    redrawn,
    confidence,
    seed,
    too_few_for_interval: few,
  };
}

interface SortedScores {
  bonafide: Float64Array;
  spoof: Float64Array;
  byAttack: Map<string, Float64Array>;
}

function sortedScores(trials: readonly Trial[]): SortedScores {
  if (trials.length === 0) {
    throw new UserFacingError('no-trials', 'There are no scored trials.', { advice: 'Score some recordings first.' });
  }
  const bonafide: number[] = [];
  const spoof: number[] = [];
  const attacks = new Map<string, number[]>();
  for (const trial of trials) {
    if (Number.isNaN(trial.score)) {
      throw new UserFacingError('not-a-number', `The score of ${trial.file} is not a number.`, {
        path: trial.file,
        advice: 'Leave the file out or score it again.',
      });
    }
    (trial.bonafide ? bonafide : spoof).push(trial.score);
    if (trial.bonafide || trial.attack === null) continue;
    const scores = attacks.get(trial.attack);
    if (scores) scores.push(trial.score);
    else attacks.set(trial.attack, [trial.score]);
  }
  if (bonafide.length === 0 || spoof.length === 0) {
    const [kind, missing] = bonafide.length === 0 ? ['spoofs', 'bona fide'] : ['bona fide', 'spoof'];
    const message = `The trials (${trials.length}) are all ${kind}: error rates need at least one ${missing} trial too.`;
    throw new UserFacingError('one-class', message, {
      advice: 'Evaluate on trials of both classes.',
    });
  }
  const sorted = (scores: number[]): Float64Array => Float64Array.from(scores).sort();
  return {
    bonafide: sorted(bonafide),
    spoof: sorted(spoof),
    byAttack: new Map([...attacks].map(([attack, scores]) => [attack, sorted(scores)])),
  };
}

function countAtLeast(threshold: number, scores: Float64Array): number {
  return scores.reduce((count, score) => count + (score >= threshold ? 1 : 0), 0);
}

function confusionAt(threshold: number, bonafide: Float64Array, spoof: Float64Array): ConfusionCounts {
  const bonafideAccepted = countAtLeast(threshold, bonafide);
  const spoofAccepted = countAtLeast(threshold, spoof);
  const spoofRejected = spoof.length - spoofAccepted;
  return {
    threshold,
    bonafideAccepted,
    bonafideRejected: bonafide.length - bonafideAccepted,
    spoofAccepted,
    spoofRejected,
    accuracy: (bonafideAccepted + spoofRejected) / (bonafide.length + spoof.length),
  };
}

/** Cost of log likelihood ratios in bits (Brümmer and du Preez, 2006): 1 for what says nothing, 0 for certainty. */
function cllr(bonafide: Float64Array, spoof: Float64Array): number {
  const bonafideCost = bonafide.reduce((sum, llr) => sum + logOnePlusExp(-llr), 0) / bonafide.length;
  const spoofCost = spoof.reduce((sum, llr) => sum + logOnePlusExp(llr), 0) / spoof.length;
  return (bonafideCost + spoofCost) / 2 / Math.LN2;
}

/**
 * Reliability of scores read as natural-log likelihood ratios at a prior of one half: ten bins of equal width over the
 * probability of bona fide. Each class weighs one half in total, whatever its number of trials, since that is the prior
 * to which the probabilities belong.
 */
function reliability(bonafide: Float64Array, spoof: Float64Array): CalibrationCurve {
  const binCount = 10;
  const counts = [new Float64Array(binCount), new Float64Array(binCount)];
  const weights = new Float64Array(binCount);
  const probabilities = new Float64Array(binCount);
  const shares = new Float64Array(binCount);
  let brier = 0;
  [spoof, bonafide].forEach((scores, truth) => {
    const weight = 0.5 / scores.length;
    for (const llr of scores) {
      const probability = 1 / (1 + Math.exp(-llr));
      const bin = Math.min(binCount - 1, Math.floor(probability * binCount));
      counts[truth][bin]++;
      weights[bin] += weight;
      probabilities[bin] += weight * probability;
      shares[bin] += weight * truth;
      brier += weight * (probability - truth) ** 2;
    }
  });
  return {
    bins: Array.from(weights, (weight, bin) => ({
      from: bin / binCount,
      to: (bin + 1) / binCount,
      bonafide: counts[1][bin],
      spoof: counts[0][bin],
      meanProbability: weight > 0 ? probabilities[bin] / weight : null,
      bonafideShare: weight > 0 ? shares[bin] / weight : null,
    })),
    expectedCalibrationError: probabilities.reduce((sum, value, bin) => sum + Math.abs(value - shares[bin]), 0),
    brier,
  };
}
