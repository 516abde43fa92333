/** What is plotted of evaluated trials: figures with intervals, and curves thinned to what a plot can show. */
import type { PlottedFigures } from '../../src-common/schemas/evaluation.ts';
import type { Band as ResampledBand, BootstrapResult, FigureName } from './bootstrap.ts';
import { empiricalCrossEntropy } from './ece.ts';
import { type DetectionMetrics, thresholdSweep } from './metrics.ts';
import { type CurvePoints, detPoints, precisionRecallPoints, rocPoints } from './sweep.ts';
import type { Trial } from './trials.ts';

/** All figures: of the scores, and those that need likelihood ratios of the calibrated ones. */
export interface EvaluatedTrials {
  trials: Trial[];
  /** At or above it a trial counts as bona fide: the model's of its card, or a likelihood ratio of one. */
  threshold: number;
  metrics: DetectionMetrics;
  /** The same trials with the calibrated natural-log likelihood ratio as score. */
  calibratedTrials: Trial[];
  calibrated: DetectionMetrics;
  /** Intervals of both, from the same draws; null without replicates. */
  resampled: { scores: BootstrapResult; likelihoodRatios: BootstrapResult } | null;
}

type Curve = [number, number][];
type Band = [number, number, number][];
type Ends = [number, number] | null;

/** Scores of each class that are kept. */
const mostScores = 4000;
const histogramBins = 60;
const tippettPoints = 500;
const bandPoints = 200;
/** Points of a curve lie at least so far apart, the width and height of the plot being one. */
const leastStep = 1 / 400;
/** Rates below this are at the edge of a plot with probit axes. */
const leastRate = 1e-5;

const plain = (rate: number): number => rate;
/** About proportional to the probit, and enough to measure distances on such an axis: from 0 to 1 over all rates. */
const onProbitAxis = (rate: number): number => {
  const inside = Math.min(1 - leastRate, Math.max(leastRate, rate));
  return 0.5 + Math.log(inside / (1 - inside)) / (2 * Math.log((1 - leastRate) / leastRate));
};

/** A curve without the points that lie too near to the one before to be seen; the first and last stay. */
function thinned({ x, y }: CurvePoints, scale: (rate: number) => number = plain): Curve {
  const kept: Curve = [];
  let last = [Infinity, Infinity];
  x.forEach((value, index) => {
    const at = [scale(value), scale(y[index])];
    const far = Math.abs(at[0] - last[0]) + Math.abs(at[1] - last[1]) >= leastStep;
    if (index > 0 && index < x.length - 1 && !far) return;
    kept.push([value, y[index]]);
    last = at;
  });
  return kept;
}

function endsOf(interval: [number, number] | null | undefined): Ends {
  return interval && interval.every(Number.isFinite) ? [interval[0], interval[1]] : null;
}

/** The height of a curve at a place, straight between its points; the nearest end's beyond them. @param x ascending */
function heightAt(x: readonly number[], y: readonly number[], place: number): number {
  let after = x.findIndex((value) => value >= place);
  if (after === 0) return y[0];
  if (after < 0) after = x.length;
  if (after === x.length) return y[x.length - 1];
  const share = (place - x[after - 1]) / (x[after] - x[after - 1] || 1);
  return y[after - 1] + share * (y[after] - y[after - 1]);
}

/** The band of ROC and DET as miss rates between which the curve lies at each false-accept rate. */
function missBand(resampled: BootstrapResult): Band {
  const { at, low, high } = resampled.detection;
  const inUnit = (rate: number): number => Math.min(1, Math.max(0, rate));
  const edges = [low, high].map((mean) => {
    const points = [...at].map((difference, k): [number, number] => [
      inUnit(mean[k] - difference / 2),
      inUnit(mean[k] + difference / 2),
    ]);
    const sorted = points.filter((point) => point.every(Number.isFinite)).sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    return { x: sorted.map(([value]) => value), y: sorted.map(([, value]) => value) };
  });
  if (edges.some(({ x }) => x.length === 0)) return [];
  const places = [...new Set(edges.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const chosen = evenly(places, bandPoints);
  return chosen.map((place) => {
    const [one, other] = edges.map(({ x, y }) => heightAt(x, y, place));
    return [place, Math.min(one, other), Math.max(one, other)];
  });
}

/** At most so many of a list, evenly, the first and last among them. */
function evenly<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, index) => list[Math.round((index * (list.length - 1)) / (most - 1))]);
}

function sortedScores(trials: readonly Trial[], bonafide: boolean): number[] {
  return [
    ...Float64Array.from(
      trials.filter((trial) => trial.bonafide === bonafide),
      ({ score }) => score,
    ).sort(),
  ];
}

/** The share of trials whose LR is at least each value. */
function tippett(llrs: readonly number[]): Curve {
  const all = llrs.map((llr, below): [number, number] => [llr / Math.LN10, 1 - below / llrs.length]);
  const last = all.at(-1);
  return last ? [...evenly(all, tippettPoints), [last[0], 0]] : [];
}

/** Over all but the outermost half per cent, which is counted in the outermost bins. */
function histogram(scores: { bonafide: number[]; spoof: number[] }, threshold: number): PlottedFigures['histogram'] {
  const all = Float64Array.from([...scores.bonafide, ...scores.spoof]).sort();
  const quantile = (share: number): number => all[Math.round(share * (all.length - 1))];
  // Scores may be infinite, and no axis.
  const finite = (value: number): number => Math.min(Number.MAX_VALUE / 4, Math.max(-Number.MAX_VALUE / 4, value));
  let from = finite(Math.min(quantile(0.005), threshold));
  let to = finite(Math.max(quantile(0.995), threshold));
  // A width even if all scores are equal; relative, so that it survives large scores.
  const margin = Math.max((to - from) * 0.03, Math.abs(from) * 1e-6, Math.abs(to) * 1e-6, 1e-6);
  from -= margin;
  to += margin;
  const counted = (members: readonly number[]): number[] => {
    const bins = new Array<number>(histogramBins).fill(0);
    for (const score of members) {
      const bin = Math.floor(((score - from) / (to - from)) * histogramBins);
      bins[Math.min(histogramBins - 1, Math.max(0, bin))]++;
    }
    return bins;
  };
  const beyond = all.reduce((count, score) => count + (score < from || score > to ? 1 : 0), 0);
  return { from, to, bonafide: counted(scores.bonafide), spoof: counted(scores.spoof), beyond };
}

/** Every figure, in the order in which they are shown. */
function figures({ metrics, calibrated, resampled }: EvaluatedTrials): PlottedFigures['figures'] {
  const list: PlottedFigures['figures'] = [];
  const add = (
    name: FigureName,
    label: string,
    unit: string,
    value: number,
    from: 'scores' | 'likelihoodRatios' = 'scores',
  ): void => {
    // Infinite costs of ratios that were certain and wrong have no place on a scale.
    if (Number.isFinite(value))
      list.push({ name, label, value, unit, interval: endsOf(resampled?.[from].intervals[name]) });
  };
  add('eer', 'Equal error rate', 'fraction', metrics.eer);
  add('auc', 'Area under the ROC curve', '', metrics.auc);
  add('averagePrecisionBonafide', 'Average precision, bona fide', '', metrics.averagePrecisionBonafide);
  add('averagePrecisionSpoof', 'Average precision, spoof', '', metrics.averagePrecisionSpoof);
  if (metrics.atThreshold) {
    add('accuracyAtThreshold', "Accuracy at the model's threshold", 'fraction', metrics.atThreshold.accuracy);
  }
  add('accuracyAtEerThreshold', 'Accuracy at the equal-error threshold', 'fraction', metrics.atEerThreshold.accuracy);
  add('cllrBits', 'Cllr', 'bits', calibrated.cllrBits, 'likelihoodRatios');
  add('minCllrBits', 'Cllr after the best calibration', 'bits', calibrated.minCllrBits, 'likelihoodRatios');
  add(
    'expectedCalibrationError',
    'Expected calibration error',
    'fraction',
    calibrated.calibration.expectedCalibrationError,
    'likelihoodRatios',
  );
  add('brier', 'Brier score', '', calibrated.calibration.brier, 'likelihoodRatios');
  add('minDcf', 'Minimum DCF', '', metrics.dcf.min);
  add('actDcf', 'Actual DCF', '', calibrated.dcf.actual, 'likelihoodRatios');
  return list;
}

function precisionBand(band: ResampledBand | undefined): Band {
  if (!band) return [];
  return [...band.at]
    .map((at, index): [number, number, number] => [at, band.low[index], band.high[index]])
    .filter((row) => row.every(Number.isFinite));
}

/** The share of LLRs on the wrong side of zero. */
function misleadingShare(llrs: readonly number[], isWrong: (llr: number) => boolean): number {
  return llrs.filter(isWrong).length / llrs.length;
}

/** Everything that plots and tables show of one model on one split. */
export function plottedFigures(evaluation: EvaluatedTrials): PlottedFigures {
  const { trials, threshold, metrics, calibratedTrials, calibrated, resampled } = evaluation;
  const sweep = thresholdSweep(trials);
  const band = resampled && !resampled.scores.tooFew ? missBand(resampled.scores) : [];
  const scores = { bonafide: sortedScores(trials, true), spoof: sortedScores(trials, false) };
  const llrs = { bonafide: sortedScores(calibratedTrials, true), spoof: sortedScores(calibratedTrials, false) };
  const entropy = empiricalCrossEntropy(calibratedTrials, thresholdSweep(calibratedTrials));
  const overPriors = (bits: Float64Array): Curve =>
    [...bits].map((value, index) => [entropy.log10PriorOdds[index], value]);
  return {
    bonafide: metrics.bonafide,
    spoof: metrics.spoof,
    figures: figures(evaluation),
    roc: thinned(rocPoints(sweep)),
    precisionRecall: thinned(precisionRecallPoints(sweep, 'bonafide')),
    precisionRecallSpoof: thinned(precisionRecallPoints(sweep, 'spoof')),
    det: thinned(detPoints(sweep), onProbitAxis),
    rocBand: band.map(([x, low, high]) => [x, 1 - high, 1 - low]),
    detBand: band,
    precisionBand: precisionBand(resampled?.scores.precisionBonafide),
    precisionBandSpoof: precisionBand(resampled?.scores.precisionSpoof),
    resampling: resampled && {
      confidence: resampled.scores.confidence,
      replicates: resampled.scores.replicates,
      levels: resampled.scores.units.levels,
      tooFew: resampled.scores.tooFew,
    },
    calibration: calibrated.calibration.bins.map((bin, index) => ({
      ...bin,
      interval: endsOf(resampled?.likelihoodRatios.calibrationBins[index]),
    })),
    tippett: { bonafide: tippett(llrs.bonafide), spoof: tippett(llrs.spoof) },
    misleading: {
      bonafide: misleadingShare(llrs.bonafide, (llr) => llr < 0),
      spoof: misleadingShare(llrs.spoof, (llr) => llr > 0),
    },
    crossEntropy: {
      given: overPriors(entropy.given),
      calibrated: overPriors(entropy.calibrated),
      neutral: overPriors(entropy.neutral),
    },
    histogram: histogram(scores, threshold),
    scores: { bonafide: evenly(scores.bonafide, mostScores), spoof: evenly(scores.spoof, mostScores) },
    threshold,
    eerThreshold: metrics.eerDecisionThreshold,
    generators: metrics.eerByAttack.map(({ attack, spoofs, accepted, tooFew, eer, auc, sameSource }) => {
      const intervals = resampled?.scores.generators.get(attack);
      return {
        generator: attack,
        spoofs,
        accepted,
        tooFew,
        eer,
        interval: endsOf(intervals?.all),
        auc,
        sameSourceEer: sameSource?.eer ?? null,
        ...(sameSource === null ? {} : { sameSourceTooFew: sameSource.tooFew }),
        sameSourceInterval: endsOf(intervals?.sameSource),
      };
    }),
  };
}
