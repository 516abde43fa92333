import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';

/**
 * How training examples are drawn, both classes alike. `clips`: each class through all its clips in seeded order before any
 * comes again. `sources`: at random, spoofs as often from one source's generator as from another, bona fide clips with
 * the inverse root of how many their source has, so that large sources do not drown small ones.
 */
export type Sampling = 'clips' | 'sources';

/** A clip of a batch: which one, and whether it is bona fide. */
interface BatchItem {
  index: number;
  target: 0 | 1;
  seed: number[];
}

/** What a batch holds depends on the seed, epoch and step alone. */
export interface Sampler {
  /** Batches of an epoch. */
  readonly steps: number;
  batch(epoch: number, step: number): BatchItem[];
}

export interface SamplerOptions {
  batchSize: number;
  seed: number;
  sampling: Sampling;
  /** How often a clip comes in an epoch, on average. */
  drawsPerClip: number;
}

/** @param items of both classes. */
export function createSampler(items: readonly DatasetItem[], options: SamplerOptions): Sampler {
  const { batchSize, seed, drawsPerClip } = options;
  const steps = Math.max(1, Math.floor((items.length * drawsPerClip) / batchSize));
  const classes = [1, 0].map((target) => {
    const ofClass = [...items.keys()].filter((index) => Number(items[index].label === 'bonafide') === target);
    return options.sampling === 'clips' ? inTurn(ofClass, seed, target) : bySource(ofClass, items, seed, target);
  });
  return {
    steps,
    batch(epoch, step) {
      const start = ((epoch * steps + step) * batchSize) / 2;
      return Array.from({ length: batchSize }, (_, place) => ({
        index: classes[place % 2](start + (place >> 1)),
        target: place % 2 === 0 ? 1 : 0,
        seed: [seed, 3, epoch, step, place],
      }));
    },
  };
}

/** The clip at a position of an endless row. */
type Draw = (position: number) => number;

function inTurn(indices: number[], seed: number, target: number): Draw {
  const orders = new Map<number, number[]>();
  return (position) => {
    const round = Math.floor(position / indices.length);
    let order = orders.get(round);
    if (order === undefined) {
      order = new Random([seed, 2, 1 - target, round]).shuffle([...indices]);
      orders.set(round, order);
      orders.delete(round - 2);
    }
    return order[position % indices.length];
  };
}

/**
 * How much each example of one class counts where sources are to be heard alike: spoofs by the inverse of how many their
 * source's generator has (or its power `spoofPower`), bona fide clips by the inverse root of how many their source has.
 */
function sourceWeights(items: readonly DatasetItem[], spoofPower = -1): number[] {
  const groups = items.map(({ label, source, generator, speaker }) =>
    JSON.stringify(label === 'spoof' ? [source, generator] : [source ?? speaker]),
  );
  const counts = new Map<string, number>();
  for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
  return items.map(
    ({ label }, index) => (counts.get(groups[index]) as number) ** (label === 'spoof' ? spoofPower : -0.5),
  );
}

/** The same weights for examples of both classes, the classes alike, together as many as there are examples. */
export function exampleWeights(items: readonly DatasetItem[], spoofPower = -1): Float64Array {
  const weights = new Float64Array(items.length);
  for (const label of ['bonafide', 'spoof']) {
    const indices = [...items.keys()].filter((index) => items[index].label === label);
    const ofClass = sourceWeights(indices.map((index) => items[index]), spoofPower); // prettier-ignore
    const sum = ofClass.reduce((total, weight) => total + weight, 0);
    indices.forEach((index, place) => (weights[index] = (ofClass[place] * items.length) / 2 / sum));
  }
  return weights;
}

function bySource(indices: number[], items: readonly DatasetItem[], seed: number, target: number): Draw {
  let sum = 0;
  const sums = sourceWeights(indices.map((index) => items[index])).map((weight) => (sum += weight));
  return (position) => {
    const wanted = new Random([seed, 2, 1 - target, position]).uniform() * sum;
    // The first clip whose sum lies above.
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > wanted) high = middle;
      else low = middle + 1;
    }
    return indices[low];
  };
}
