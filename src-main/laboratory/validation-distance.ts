/** From recordings and their degraded copies to how far is too far from what a model was measured on. */
import { leastUnits } from '../../src-common/interval-rule.ts';
import type { DistanceKind, ValidationDistanceRecord } from '../../src-common/validation-distance.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { Card } from '../detector/card.ts';
import { leastSpread, packSpread, qualityMeasures, qualityPoint } from '../detector/distance.ts';
import { distanceFrom, spreadOf } from '../evaluation/mahalanobis.ts';
import type { Spread } from '../evaluation/mahalanobis.ts';
import { logOnePlusExp } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { Resampler } from '../evaluation/resampling.ts';
import type { Trial } from '../evaluation/trials.ts';
import { evaluateTrials } from './evaluate.ts';
import { trialOf } from './robustness-rows.ts';
import type { DegradedOutcome, DegradedSet } from './robustness-scoring.ts';
import { sourceFolds } from './source-folds.ts';

const foldCount = 5;
/** Shares of the recordings as they are between which error is reported. */
const edges = [0, 0.5, 0.75, 0.9] as const;

/** One recording, as it is or as a copy. */
interface Placed {
  item: DatasetItem;
  fold: number;
  plain: boolean;
  outcome: DegradedOutcome;
  trial: Trial;
  /** Natural-log likelihood ratio. */
  llr: number;
}

const median = (sorted: readonly number[]): number => sorted[Math.floor((sorted.length - 1) / 2)];

/** What the thresholds of a card let pass, of what was measured on a copy. */
function passes({ thresholds }: Card, { speechSeconds, quality }: DegradedOutcome): boolean {
  if (quality === null) return false;
  const { activeSeconds, snrDb, effectiveBandwidthHz, clippedFraction } = quality;
  return (
    activeSeconds >= thresholds.minimumActiveSeconds &&
    (speechSeconds === null || speechSeconds >= thresholds.minimumSpeechSeconds) &&
    (snrDb === null || snrDb >= thresholds.minimumSnrDb) &&
    (effectiveBandwidthHz === null || effectiveBandwidthHz >= (thresholds.minimumBandwidthHz ?? 0)) &&
    clippedFraction <= thresholds.maximumClippedFraction
  );
}

/** What a likelihood ratio costs, in bits. */
const costOf = (bonafide: boolean, llr: number): number => logOnePlusExp(bonafide ? -llr : llr) / Math.LN2;

/** Trials with what their likelihood ratios cost, of which Cllr is asked again and again. */
class Costs {
  readonly #bonafide: Uint8Array;
  readonly #costs: Float64Array;

  constructor(list: readonly Placed[], llrs: ArrayLike<number>) {
    this.#bonafide = Uint8Array.from(list, ({ trial }) => (trial.bonafide ? 1 : 0));
    this.#costs = Float64Array.from(list, ({ trial }, index) => costOf(trial.bonafide, llrs[index]));
  }

  /**
   * Cllr in bits; null where a class is missing.
   * @param weights how often each trial counts; null: once
   * @param among only those with this number count
   */
  cllr(weights: ArrayLike<number> | null, among?: { of: Uint8Array; is: number }): number | null {
    const sums = [0, 0];
    const counts = [0, 0];
    for (let index = 0; index < this.#costs.length; index++) {
      if (among && among.of[index] !== among.is) continue;
      const weight = weights?.[index] ?? 1;
      sums[this.#bonafide[index]] += weight * this.#costs[index];
      counts[this.#bonafide[index]] += weight;
    }
    return counts[0] > 0 && counts[1] > 0 ? (sums[0] / counts[0] + sums[1] / counts[1]) / 2 : null;
  }
}

const llrsOf = (list: readonly Placed[]): number[] => list.map(({ llr }) => llr);

/** The middle 95 % of what a statistic gives for draws of sources, speakers and files; null where it seldom can be had. */
function intervalOf(
  list: readonly Placed[],
  statistic: (weights: Uint16Array) => number | null,
  { replicates, seed }: { replicates: number; seed: number },
): [number, number] | null {
  if (replicates === 0) return null;
  const resampler = new Resampler(
    list.map(({ trial }) => trial),
    seed,
  );
  const weights = new Uint16Array(list.length);
  const values: number[] = [];
  for (let replicate = 0; replicate < replicates; replicate++) {
    resampler.draw(weights);
    const value = statistic(weights);
    if (value !== null) values.push(value);
  }
  if (values.length < replicates / 2) return null;
  values.sort((one, other) => one - other);
  const at = (share: number): number => values[Math.round(share * (values.length - 1))];
  return [at(0.025), at(0.975)];
}

/** How likelihood ratios would shrink with the distance: by a power of how many times the median it is. */
const shrunk = (llr: number, distance: number, middle: number, power: number): number =>
  llr * Math.min(1, middle / distance) ** power;

/** Powers that are tried; the first leaves everything as it is. */
const powers = Array.from({ length: 31 }, (_, index) => index / 10);

/** What shrinking does on sources left out, the power chosen on the others. */
function shrinkingOf(
  list: readonly Placed[],
  distances: readonly number[],
  middle: number,
  options: { replicates: number; seed: number },
): DistanceKind['shrinking'] {
  const llrs = llrsOf(list);
  const after = llrs.slice();
  for (const fold of new Set(list.map((one) => one.fold))) {
    const others = list.flatMap((one, index) => (one.fold === fold ? [] : [index]));
    const own = others.map((index) => list[index]);
    const costs = powers.map(
      (power) =>
        new Costs(
          own,
          others.map((index) => shrunk(llrs[index], distances[index], middle, power)),
        ).cllr(null) ?? Infinity,
    );
    const power = powers[costs.indexOf(Math.min(...costs))];
    list.forEach((one, index) => {
      if (one.fold === fold) after[index] = shrunk(llrs[index], distances[index], middle, power);
    });
  }
  const [before, then] = [new Costs(list, llrs), new Costs(list, after)];
  const [cllrBits, shrunkCllrBits] = [before.cllr(null), then.cllr(null)];
  if (cllrBits === null || shrunkCllrBits === null) return null;
  const interval = intervalOf(
    list,
    (weights) => {
      const [one, other] = [before.cllr(weights), then.cllr(weights)];
      return one === null || other === null ? null : other - one;
    },
    options,
  );
  return { cllrBits, shrunkCllrBits, interval };
}

/** Recordings as points of one kind; null where that was not measured. */
interface PointsOf {
  of: string;
  measures?: readonly string[];
  /** Thresholds say of quality, measure by measure, down to where findings hold: its distance is reported and never forbids. */
  mayForbid: boolean;
  /** Smallest spread that counts along each value; null: as it is. */
  least: readonly number[] | null;
  point: (outcome: DegradedOutcome) => readonly number[] | null;
}

/** A spread of points, each value by its own deviation first, so that the shrinkage does not hang on units. */
function scaledSpread(points: readonly (readonly number[])[], least: readonly number[] | null): Spread {
  const width = points[0].length;
  const scale = Array.from({ length: width }, (_, i) => {
    const mean = points.reduce((sum, point) => sum + point[i], 0) / points.length;
    const variance = points.reduce((sum, point) => sum + (point[i] - mean) ** 2, 0) / points.length;
    return Math.max(Math.sqrt(variance), least?.[i] ?? 1e-9);
  });
  const { mean, whitening, shrinkage } = spreadOf(
    Float64Array.from(points.flatMap((point) => point.map((value, i) => value / scale[i]))),
    width,
  );
  return {
    mean: mean.map((value, i) => value * scale[i]),
    whitening: whitening.map((value, at) => value / scale[at % width]),
    shrinkage,
  };
}

function kindOf(
  card: Card,
  list: readonly Placed[],
  { of, measures, mayForbid, least, point }: PointsOf,
  options: { replicates: number; seed: number },
): DistanceKind | null {
  const placed = list.flatMap((one) => {
    const at = point(one.outcome);
    return at === null ? [] : [{ ...one, at }];
  });
  const plain = placed.filter((one) => one.plain);
  const folds = new Set(plain.map(({ fold }) => fold));
  if (folds.size < 2) return null;
  const byFold = new Map(
    [...folds].map((fold) => [fold, scaledSpread(plain.filter((one) => one.fold !== fold).map(({ at }) => at), least)]), // prettier-ignore
  );
  const measured = placed.flatMap((one) => {
    const spread = byFold.get(one.fold);
    return spread === undefined ? [] : [{ ...one, distance: distanceFrom(spread, one.at) }];
  });
  const plainMeasured = measured.filter((one) => one.plain);
  const sorted = plainMeasured.map(({ distance }) => distance).sort((one, other) => one - other);
  const percentiles = Array.from({ length: 101 }, (_, percent) => {
    const place = (percent / 100) * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below] + (place - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
  });
  const farthest = new Map<string, number>();
  for (const { item, distance } of plainMeasured) {
    const source = item.source ?? item.speaker ?? item.id;
    const before = farthest.get(source);
    if (before === undefined || distance > before) farthest.set(source, distance);
  }
  const bySource = [...farthest.values()].sort((one, other) => other - one);
  const limit = bySource[Math.min(leastUnits, bySource.length) - 1];

  const counted = measured.filter(({ outcome }) => passes(card, outcome));
  const nearer = (distance: number): number => sorted.filter((one) => one <= distance).length / sorted.length;
  const shares = counted.map(({ distance }) => (distance > limit ? 2 : nearer(distance)));
  const part = (from: number, to: number) => counted.filter((_, index) => shares[index] >= from && shares[index] < to);
  const growth = [...edges, 2].map((from, index) => {
    const to = index < edges.length - 1 ? edges[index + 1] : index === edges.length - 1 ? 2 : 3;
    const own = part(from, to);
    const cllrBits = new Costs(own, llrsOf(own)).cllr(null);
    const eer = cllrBits === null ? null : detectionMetrics(own.map(({ trial }) => trial)).eer;
    return { from: Math.min(from, 1), to: Math.min(to, 1), recordings: own.length, eer, cllrBits };
  });
  const costs = new Costs(counted, llrsOf(counted));
  const isBeyond = Uint8Array.from(counted, ({ distance }) => (distance > limit ? 1 : 0));
  const difference = (weights: Uint16Array | null): number | null => {
    const [within, out] = [0, 1].map((is) => costs.cllr(weights, { of: isBeyond, is }));
    return out === null || within === null ? null : out - within;
  };
  const far = counted.filter((_, index) => isBeyond[index] === 1);
  const sources = new Set(far.map(({ item }) => item.source ?? item.speaker ?? item.id)).size;
  const enough = sources >= leastUnits;
  const interval = enough ? intervalOf(counted, difference, options) : null;
  const spread = scaledSpread(
    plain.map(({ at }) => at),
    least,
  );
  return {
    of,
    ...(measures ? { measures: [...measures] } : {}),
    width: spread.mean.length,
    shrinkage: spread.shrinkage,
    spread: packSpread(spread),
    percentiles,
    limit,
    growth,
    beyond: { recordings: far.length, sources, difference: enough ? difference(null) : null, interval },
    forbids: mayForbid && interval !== null && interval[0] > 0,
    shrinking: shrinkingOf(
      plainMeasured,
      plainMeasured.map(({ distance }) => distance),
      median(sorted),
      options,
    ),
  };
}

/**
 * Distances from the recordings of a split that a model was not trained on: of quality, and of each network's pooled vector. Each recording's
 * is measured from recordings of other sources (five folds), its copies' likewise.
 * @param card with the thresholds that copies have to pass
 * @param sets the first of the recordings as they are; outcomes with embeddings
 * @returns null where sources are too few to be left out.
 */
export function validationDistance(
  card: Card,
  items: readonly DatasetItem[],
  sets: readonly DegradedSet[],
  { replicates, ...of }: { dataset: string; split: string; seed: number; replicates: number },
): ValidationDistanceRecord | null {
  const folds = sourceFolds(items, foldCount, of.seed);
  const foldOf = new Map(folds.flatMap((fold, index) => fold.map(({ id }) => [id, index] as const)));
  const list = sets.flatMap(({ degradation, skipped, outcomes }) =>
    skipped !== null
      ? []
      : items.flatMap((item, index) => {
          const outcome = outcomes[index];
          const trial = trialOf(item, outcome);
          const fold = foldOf.get(item.id) ?? 0;
          return trial === null ? [] : [{ item, fold, plain: degradation === null, outcome, trial }];
        }),
  );
  if (new Set(list.map(({ trial }) => trial.bonafide)).size < 2) return null;
  const { calibratedTrials } = evaluateTrials(
    card,
    list.map(({ trial }) => trial),
  );
  const placed = list.map((one, index): Placed => ({ ...one, llr: calibratedTrials[index].score }));
  const quality: PointsOf = {
    of: 'quality',
    mayForbid: false,
    measures: qualityMeasures,
    least: leastSpread,
    point: ({ quality: measured, speechSeconds }) =>
      measured && qualityPoint({ ...measured, speechSeconds }, measured.activeSeconds, card.conditioning),
  };
  const ofMembers = card.members.map(({ name }): PointsOf => ({
    of: name,
    mayForbid: true,
    least: null,
    point: ({ embeddings }) => embeddings?.[name] ?? null,
  }));
  const kinds = [quality, ...ofMembers].flatMap(
    (one) => kindOf(card, placed, one, { replicates, seed: of.seed }) ?? [],
  );
  if (kinds.length === 0) return null;
  const sources = new Set(items.map(({ source, speaker, id }) => source ?? speaker ?? id)).size;
  return { ...of, recordings: items.length, sources, copies: placed.length, kinds };
}
