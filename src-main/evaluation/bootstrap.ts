/** Intervals of all figures, from sources, speakers and recordings drawn anew. */
import { logOnePlusExp } from './calibration.ts';
import { actualDcf, asvspoof5Costs, type DcfCosts, firstAtLeast, minimumDcf } from './dcf.ts';
import { GeneratorComparisons, tooFew } from './generators.ts';
import { minimumCllr, type PavBlocks } from './pav.ts';
import { type ResampledUnits, Resampler } from './resampling.ts';
import { areaUnderRoc, averagePrecision, equalErrorRate, type ThresholdSweep } from './sweep.ts';
import { type AsvFigures, minTdcf2019, minTdcfRevised } from './tdcf.ts';
import type { Trial } from './trials.ts';
import { tooFewOverall } from './units.ts';

/** Lower and upper end. */
export type Interval = [number, number];

/** Lower and upper ends over a grid of `at`; NaN where too few replicates have a value. */
export interface Band {
  at: Float64Array;
  low: Float64Array;
  high: Float64Array;
}

const figureNames = [
  'eer',
  'auc',
  'averagePrecisionBonafide',
  'averagePrecisionSpoof',
  'cllrBits',
  'minCllrBits',
  'minDcf',
  'actDcf',
  'accuracyAtEerThreshold',
  'accuracyAtThreshold',
  'expectedCalibrationError',
  'brier',
  'minTdcf2019',
  'minTdcfRevised',
] as const;
export type FigureName = (typeof figureNames)[number];

/** What the bootstrap says of each figure, curve and generator. */
export interface BootstrapResult {
  confidence: number;
  replicates: number;
  seed: number;
  units: ResampledUnits;
  /** Draws thrown away because they held one class only. */
  redrawn: number;
  /** There are too few recordings for intervals over all of them ({@link tooFewOverall}): none is given, and no band. */
  tooFew: boolean;
  /** Of the figures that exist: accuracy at a threshold and t-DCF only where they were asked for. */
  intervals: Partial<Record<FigureName, Interval>>;
  /**
   * By generator; null where it has too few independent recordings ({@link tooFew}), or where fewer than half the
   * replicates hold both its spoofs and bona fide speech.
   */
  generators: Map<string, { all: Interval | null; sameSource: Interval | null }>;
  /**
   * Over the difference of miss and false-accept rate, their mean: a band around ROC and DET alike, across the curve;
   * at a difference of zero it is the EER's.
   */
  detection: Band;
  /** Precision over recall. */
  precisionBonafide: Band;
  precisionSpoof: Band;
  /** Share of bona fide in each of the ten bins of the reliability curve; null for an empty bin. */
  calibrationBins: (Interval | null)[];
}

export interface BootstrapOptions {
  /** 1000 if not given. */
  replicates?: number;
  /** Share of the replicates inside an interval; 0.95 if not given. */
  confidence?: number;
  /** 1 if not given. */
  seed?: number;
  /** For `accuracyAtThreshold`. */
  threshold?: number;
  /** ASVspoof 5's if not given. */
  costs?: DcfCosts;
  /** For min t-DCF; the speaker verification system itself is taken as it is. */
  asv?: AsvFigures;
}

const bandPoints = 101;
const binCount = 10;

/**
 * Minima over thresholds or mappings: they come out below the truth in any sample, and in replicates lower still. In
 * simulations of 60 to 400 trials the percentile interval of min Cllr held the truth half of the time, the basic
 * interval 69 to 95 % of the time.
 */
const minima: readonly FigureName[] = ['minCllrBits', 'minDcf', 'minTdcf2019', 'minTdcfRevised'];

/**
 * Intervals from hierarchical bootstrap replicates ({@link Resampler}: sources, speakers, files): percentiles (Efron
 * and Tibshirani, 1993, 13.3), for minima the basic interval (Davison and Hinkley, 1997, 5.2) inside [0, 1], extended
 * to hold the figure itself. The trials are sorted once; each replicate only weighs them. Thresholds stay where they
 * are: the EER threshold of all trials, and the one given.
 * @param trials as for `detectionMetrics`, which refuses what cannot be used; their scores are taken as
 *   natural-log likelihood ratios by Cllr, actual DCF and the calibration curve.
 * @throws RangeError where sources are so few that a thousand draws in a row hold one class only.
 */
export function bootstrap(trials: readonly Trial[], options: BootstrapOptions = {}): BootstrapResult {
  const { replicates = 1000, confidence = 0.95, seed = 1, costs = asvspoof5Costs, asv } = options;
  const sample = new SortedSample(trials);
  const resampler = new Resampler(sample.trials, seed);
  const comparisons = new GeneratorComparisons(sample.trials);
  const weights = new Uint16Array(sample.trials.length);
  const { sweep } = sample;

  // Once as they are: for the thresholds and the minima.
  sample.weigh(weights.fill(1), count(sample.trials, true), count(sample.trials, false));
  const eerThreshold = equalErrorRate(sweep).decisionThreshold;
  const accuracyAt = (threshold: number): number => {
    const point = firstAtLeast(sweep.thresholds, threshold);
    const right = sweep.positives - sweep.misses[point] + sweep.negatives - sweep.falseAccepts[point];
    return right / (sweep.positives + sweep.negatives);
  };
  const figuresOf = (shares: Float64Array): Record<FigureName, number> => ({
    ...sample.calibration(weights, shares),
    eer: equalErrorRate(sweep).eer,
    auc: areaUnderRoc(sweep),
    averagePrecisionBonafide: averagePrecision(sweep, 'bonafide'),
    averagePrecisionSpoof: averagePrecision(sweep, 'spoof'),
    minCllrBits: minimumCllr(sweep, sample.blocks),
    minDcf: minimumDcf(sweep, costs).cost,
    actDcf: actualDcf(sweep, costs).cost,
    accuracyAtEerThreshold: accuracyAt(eerThreshold),
    accuracyAtThreshold: options.threshold === undefined ? NaN : accuracyAt(options.threshold),
    minTdcf2019: asv ? minTdcf2019(sweep, asv) : NaN,
    minTdcfRevised: asv ? minTdcfRevised(sweep, asv) : NaN,
  });
  const whole = figuresOf(new Float64Array(binCount));

  const columns = Object.fromEntries(figureNames.map((name) => [name, new Float64Array(replicates)])) as Record<
    FigureName,
    Float64Array
  >;
  const byComparison = comparisons.list.map(() => ({
    all: new Float64Array(replicates),
    sameSource: new Float64Array(replicates),
  }));
  const detection = new Columns(detectionGrid(), replicates);
  const precisionBonafide = new Columns(recallGrid(), replicates);
  const precisionSpoof = new Columns(recallGrid(), replicates);
  const bins = new Columns(new Float64Array(binCount), replicates);

  for (let replicate = 0; replicate < replicates; replicate++) {
    const drawn = resampler.draw(weights);
    sample.weigh(weights, drawn.bonafide, drawn.spoof);
    const figures = figuresOf(bins.of(replicate));
    for (const name of figureNames) columns[name][replicate] = figures[name];
    comparisons.weigh(weights);
    comparisons.list.forEach((comparison, index) => {
      byComparison[index].all[replicate] = comparison.all.eer();
      byComparison[index].sameSource[replicate] = comparison.sameSource?.comparison.eer() ?? NaN;
    });
    traceDetection(sweep, detection.grid, detection.of(replicate));
    tracePrecision(sweep, 'bonafide', precisionBonafide.grid, precisionBonafide.of(replicate));
    tracePrecision(sweep, 'spoof', precisionSpoof.grid, precisionSpoof.of(replicate));
  }

  const few = tooFewOverall(sample.trials);
  const bandOf = (values: Columns): Band => (few ? withoutEnds(values.band(confidence)) : values.band(confidence));
  const intervals: Partial<Record<FigureName, Interval>> = {};
  for (const name of figureNames) {
    const found = few ? null : percentileInterval(columns[name], confidence);
    if (!found) continue;
    const [low, high] = found;
    const figure = whole[name];
    intervals[name] = minima.includes(name)
      ? [Math.max(0, Math.min(figure, 2 * figure - high)), Math.min(1, 2 * figure - low)]
      : found;
  }
  const binBand = bandOf(bins);
  return {
    confidence,
    replicates,
    seed,
    units: resampler.units,
    redrawn: resampler.redrawn,
    tooFew: few,
    intervals,
    generators: new Map(
      comparisons.list.map((comparison, index) => {
        const { generator, sameSource } = comparison;
        const { all, sameSource: same } = byComparison[index];
        return [
          generator,
          {
            all: tooFew(comparison) ? null : percentileInterval(all, confidence),
            sameSource: sameSource === null || tooFew(sameSource) ? null : percentileInterval(same, confidence),
          },
        ];
      }),
    ),
    detection: bandOf(detection),
    precisionBonafide: bandOf(precisionBonafide),
    precisionSpoof: bandOf(precisionSpoof),
    calibrationBins: Array.from(binBand.low, (low, bin): Interval | null =>
      Number.isNaN(low) ? null : [low, binBand.high[bin]],
    ),
  };
}

/** A band that says nothing. */
function withoutEnds(band: Band): Band {
  return { ...band, low: band.low.map(() => NaN), high: band.high.map(() => NaN) };
}

/** Trials in ascending order of their scores, and the sweep that weights on them give. */
class SortedSample {
  readonly trials: Trial[];
  /** One point for each distinct score drawn; views of the arrays below. */
  readonly sweep: ThresholdSweep;
  readonly blocks: PavBlocks;
  readonly #bonafide: Uint8Array;
  readonly #scores: Float64Array;
  readonly #thresholds: Float64Array;
  readonly #misses: Float64Array;
  readonly #falseAccepts: Float64Array;
  readonly #cost: Float64Array;
  readonly #probability: Float64Array;
  readonly #bin: Uint8Array;
  readonly #sums = new Float64Array(4 * binCount);

  constructor(trials: readonly Trial[]) {
    this.trials = [...trials].sort((one, other) => one.score - other.score || 0);
    const { length } = this.trials;
    this.#bonafide = Uint8Array.from(this.trials, (trial) => (trial.bonafide ? 1 : 0));
    this.#scores = Float64Array.from(this.trials, ({ score }) => score);
    this.#thresholds = new Float64Array(length + 1);
    this.#misses = new Float64Array(length + 1);
    this.#falseAccepts = new Float64Array(length + 1);
    this.sweep = {
      thresholds: this.#thresholds,
      misses: this.#misses,
      falseAccepts: this.#falseAccepts,
      positives: 0,
      negatives: 0,
    };
    this.blocks = { count: 0, positives: new Float64Array(length), negatives: new Float64Array(length) };
    this.#cost = Float64Array.from(this.trials, ({ bonafide, score }) => logOnePlusExp(bonafide ? -score : score));
    this.#probability = Float64Array.from(this.trials, ({ score }) => 1 / (1 + Math.exp(-score)));
    this.#bin = Uint8Array.from(this.#probability, (p) => Math.min(binCount - 1, Math.floor(p * binCount)));
  }

  /** Sets the sweep to the trials as often as `weights` (in their sorted order) says. */
  weigh(weights: Uint16Array, positives: number, negatives: number): void {
    const thresholds = this.#thresholds;
    const misses = this.#misses;
    const falseAccepts = this.#falseAccepts;
    const scores = this.#scores;
    const isBonafide = this.#bonafide;
    let rejectedPositives = 0;
    let acceptedNegatives = negatives;
    let points = 0;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i];
      if (weight === 0) continue;
      if (points === 0 || scores[i] !== thresholds[points - 1]) {
        thresholds[points] = scores[i];
        misses[points] = rejectedPositives;
        falseAccepts[points] = acceptedNegatives;
        points++;
      }
      if (isBonafide[i] === 1) rejectedPositives += weight;
      else acceptedNegatives -= weight;
    }
    thresholds[points] = Infinity;
    misses[points] = positives;
    falseAccepts[points] = 0;
    this.sweep.thresholds = thresholds.subarray(0, points + 1);
    this.sweep.misses = misses.subarray(0, points + 1);
    this.sweep.falseAccepts = falseAccepts.subarray(0, points + 1);
    this.sweep.positives = positives;
    this.sweep.negatives = negatives;
  }

  /** What reads the scores as likelihood ratios; `shares` takes the share of bona fide in each bin, NaN if empty. */
  calibration(
    weights: Uint16Array,
    shares: Float64Array,
  ): { cllrBits: number; expectedCalibrationError: number; brier: number } {
    const { positives, negatives } = this.sweep;
    const isBonafide = this.#bonafide;
    const sums = this.#sums.fill(0);
    const costs = [0, 0];
    const squares = [0, 0];
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i];
      if (weight === 0) continue;
      const truth = isBonafide[i];
      const probability = this.#probability[i];
      const at = 4 * this.#bin[i] + 2 * truth;
      sums[at] += weight;
      sums[at + 1] += weight * probability;
      costs[truth] += weight * this.#cost[i];
      squares[truth] += weight * (probability - truth) ** 2;
    }
    let distance = 0;
    for (let bin = 0; bin < binCount; bin++) {
      const spoofShare = sums[4 * bin] / negatives;
      const bonafideShare = sums[4 * bin + 2] / positives;
      const stated = sums[4 * bin + 1] / negatives + sums[4 * bin + 3] / positives;
      shares[bin] = bonafideShare / (spoofShare + bonafideShare);
      distance += Math.abs(stated - bonafideShare) / 2;
    }
    return {
      cllrBits: (costs[0] / negatives + costs[1] / positives) / 2 / Math.LN2,
      expectedCalibrationError: distance,
      brier: (squares[0] / negatives + squares[1] / positives) / 2,
    };
  }
}

/** A row of values for each replicate, over a grid. */
class Columns {
  readonly grid: Float64Array;
  readonly #values: Float64Array;

  constructor(grid: Float64Array, replicates: number) {
    this.grid = grid;
    this.#values = new Float64Array(grid.length * replicates);
  }

  of(replicate: number): Float64Array {
    return this.#values.subarray(replicate * this.grid.length, (replicate + 1) * this.grid.length);
  }

  band(confidence: number): Band {
    const width = this.grid.length;
    const replicates = this.#values.length / width;
    const low = new Float64Array(width).fill(NaN);
    const high = new Float64Array(width).fill(NaN);
    const column = new Float64Array(replicates);
    for (let k = 0; k < width; k++) {
      for (let replicate = 0; replicate < replicates; replicate++) {
        column[replicate] = this.#values[replicate * width + k];
      }
      const found = percentileInterval(column, confidence);
      if (found) [low[k], high[k]] = found;
    }
    return { at: this.grid, low, high };
  }
}

/** The middle share of values, linearly between them; null where fewer than half are numbers. */
function percentileInterval(values: Float64Array, confidence: number): Interval | null {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0 || 2 * sorted.length < values.length) return null;
  const quantile = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(sorted.length - 1, below + 1);
    // Infinite costs stand beside one another.
    if (sorted[below] === sorted[above]) return sorted[below];
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return [quantile((1 - confidence) / 2), quantile((1 + confidence) / 2)];
}

/** Differences of miss and false-accept rate from -1 to 1, denser at zero, where good detectors' curves turn. */
function detectionGrid(): Float64Array {
  return Float64Array.from({ length: bandPoints }, (_, k) => ((2 * k) / (bandPoints - 1) - 1) ** 3);
}

function recallGrid(): Float64Array {
  return Float64Array.from({ length: bandPoints }, (_, k) => k / (bandPoints - 1));
}

/** Mean of both error rates where their difference is as in the grid, linearly between operating points. */
function traceDetection(sweep: ThresholdSweep, grid: Float64Array, into: Float64Array): void {
  const { misses, falseAccepts, positives, negatives } = sweep;
  let i = 0;
  let miss = misses[0] / positives;
  let falseAccept = falseAccepts[0] / negatives;
  let missBefore = miss;
  let falseAcceptBefore = falseAccept;
  for (let k = 0; k < grid.length; k++) {
    while (miss - falseAccept < grid[k] && i + 1 < misses.length) {
      i++;
      missBefore = miss;
      falseAcceptBefore = falseAccept;
      miss = misses[i] / positives;
      falseAccept = falseAccepts[i] / negatives;
    }
    const difference = miss - falseAccept;
    const before = missBefore - falseAcceptBefore;
    const along = difference > before ? Math.max(0, (grid[k] - before) / (difference - before)) : 1;
    const mean = (miss + falseAccept) / 2;
    const meanBefore = (missBefore + falseAcceptBefore) / 2;
    into[k] = meanBefore + along * (mean - meanBefore);
  }
}

/** Precision at the strictest threshold that reaches each recall of the grid. */
function tracePrecision(sweep: ThresholdSweep, of: 'bonafide' | 'spoof', grid: Float64Array, into: Float64Array): void {
  const { misses, falseAccepts, positives, negatives } = sweep;
  const last = misses.length - 1;
  const total = of === 'bonafide' ? positives : negatives;
  let step = 0;
  for (let k = 0; k < grid.length; k++) {
    let right = 0;
    let wrong = 0;
    for (; step <= last; step++) {
      const i = of === 'bonafide' ? last - step : step;
      right = of === 'bonafide' ? positives - misses[i] : negatives - falseAccepts[i];
      wrong = of === 'bonafide' ? falseAccepts[i] : misses[i];
      if (right > 0 && right >= grid[k] * total * (1 - 1e-12)) break;
    }
    into[k] = right / (right + wrong);
  }
}

function count(trials: readonly Trial[], bonafide: boolean): number {
  return trials.reduce((sum, trial) => sum + (trial.bonafide === bonafide ? 1 : 0), 0);
}
