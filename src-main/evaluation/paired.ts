import { Resampler, type ResampledUnits } from './resampling.ts';
import { equalErrorRate, type ThresholdSweep } from './sweep.ts';
import type { Trial } from './trials.ts';

/** One recording scored twice, as it is and changed. */
export interface PairedTrial extends Pick<Trial, 'bonafide' | 'speaker' | 'source'> {
  before: number;
  after: number;
}

/** An equal error rate of the same recordings before and after a change, and what the change costs. */
interface PairedDifference {
  recordings: number;
  before: number;
  after: number;
  /** After less before, with its interval; null without replicates. */
  difference: number;
  interval: [number, number] | null;
  /** Of `after` alone. */
  afterInterval: [number, number] | null;
  confidence: number;
  replicates: number;
  units: ResampledUnits;
}

const confidence = 0.95;

/** The equal error rate of scores that are weighed; they are sorted once. */
class WeighedRate {
  readonly #order: Int32Array;
  readonly #scores: Float64Array;
  readonly #bonafide: Uint8Array;
  readonly #sweep: ThresholdSweep;

  constructor(scores: readonly number[], bonafide: Uint8Array) {
    this.#order = Int32Array.from(scores.keys()).sort((one, other) => scores[one] - scores[other] || one - other);
    this.#scores = Float64Array.from(this.#order, (index) => scores[index]);
    this.#bonafide = bonafide;
    const points = (): Float64Array => new Float64Array(scores.length + 1);
    this.#sweep = { thresholds: points(), misses: points(), falseAccepts: points(), positives: 0, negatives: 0 };
  }

  /** @param weights how often each trial is taken, in the order in which the scores came */
  of(weights: Uint16Array, positives: number, negatives: number): number {
    const { thresholds, misses, falseAccepts } = this.#sweep;
    let rejected = 0;
    let accepted = negatives;
    let points = 0;
    for (let place = 0; place < this.#order.length; place++) {
      const index = this.#order[place];
      if (weights[index] === 0) continue;
      if (points === 0 || this.#scores[place] !== thresholds[points - 1]) {
        thresholds[points] = this.#scores[place];
        misses[points] = rejected;
        falseAccepts[points] = accepted;
        points++;
      }
      if (this.#bonafide[index] === 1) rejected += weights[index];
      else accepted -= weights[index];
    }
    thresholds[points] = Infinity;
    misses[points] = positives;
    falseAccepts[points] = 0;
    const part = (values: Float64Array): Float64Array => values.subarray(0, points + 1);
    const sweep = { thresholds: part(thresholds), misses: part(misses), falseAccepts: part(falseAccepts) };
    return equalErrorRate({ ...sweep, positives, negatives }).eer;
  }
}

/**
 * What a change of the recordings does to the equal error rate: both sets of scores are weighed by the same draws of
 * sources, speakers and files ({@link Resampler}), so that what the recordings themselves contribute falls out of the difference
 * (percentiles; Efron and Tibshirani, 1993, 13.3).
 * @param trials both classes
 * @throws RangeError where sources are so few that a thousand draws in a row hold one class only.
 */
export function pairedDifference(
  trials: readonly PairedTrial[],
  { replicates = 1000, seed = 1 }: { replicates?: number; seed?: number } = {},
): PairedDifference {
  const bonafide = Uint8Array.from(trials, (trial) => (trial.bonafide ? 1 : 0));
  const rates = {
    before: new WeighedRate(trials.map(({ before }) => before), bonafide), // prettier-ignore
    after: new WeighedRate(trials.map(({ after }) => after), bonafide), // prettier-ignore
  };
  const weights = new Uint16Array(trials.length).fill(1);
  const positives = bonafide.reduce((sum, one) => sum + one, 0);
  const before = rates.before.of(weights, positives, trials.length - positives);
  const after = rates.after.of(weights, positives, trials.length - positives);
  const resampler = new Resampler(trials, seed);
  const differences = new Float64Array(replicates);
  const afters = new Float64Array(replicates);
  for (let replicate = 0; replicate < replicates; replicate++) {
    const drawn = resampler.draw(weights);
    afters[replicate] = rates.after.of(weights, drawn.bonafide, drawn.spoof);
    differences[replicate] = afters[replicate] - rates.before.of(weights, drawn.bonafide, drawn.spoof);
  }
  return {
    recordings: trials.length,
    before,
    after,
    difference: after - before,
    interval: middleOf(differences),
    afterInterval: middleOf(afters),
    confidence,
    replicates,
    units: resampler.units,
  };
}

/** The middle 95 % of values, linearly between them. */
function middleOf(values: Float64Array): [number, number] | null {
  if (values.length === 0) return null;
  const sorted = values.slice().sort();
  const quantile = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(sorted.length - 1, below + 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return [quantile((1 - confidence) / 2), quantile((1 + confidence) / 2)];
}
