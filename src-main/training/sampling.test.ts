import { describe, expect, it } from 'vitest';
import type { DatasetItem } from '../datasets/types.ts';
import { createSampler, exampleWeights } from './sampling.ts';
import type { Sampling } from './sampling.ts';

/** So many clips of a class, source and generator. */
function clips(count: number, label: DatasetItem['label'], source: string, generator: string | null): DatasetItem[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${source}/${generator}/${index}`;
    return { path: id, id, label, split: 'train', generator, speaker: null, source };
  });
}

const items = [
  ...clips(100, 'bonafide', 'large', null),
  ...clips(4, 'bonafide', 'small', null),
  ...clips(60, 'spoof', 'large', 'one'),
  ...clips(3, 'spoof', 'large', 'two'),
  ...clips(1, 'spoof', 'small', 'one'),
];

/** How often each group came among its class, and each clip, in so many epochs. */
function drawn(sampling: Sampling, epochs: number): { shares: Map<string, number>; counts: number[] } {
  const sampler = createSampler(items, { sampling, batchSize: 8, seed: 3, drawsPerClip: 1 });
  const counts = items.map(() => 0);
  const perClass = [0, 0];
  const groups = new Map<string, number>();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let step = 0; step < sampler.steps; step++) {
      const batch = sampler.batch(epoch, step);
      expect(batch.filter(({ target }) => target === 1)).toHaveLength(4);
      for (const { index, target } of batch) {
        const { label, source, generator } = items[index];
        expect(label).toBe(target === 1 ? 'bonafide' : 'spoof');
        const group = `${label} ${source} ${generator}`;
        groups.set(group, (groups.get(group) ?? 0) + 1);
        counts[index]++;
        perClass[target]++;
      }
    }
  }
  const shares = new Map(
    [...groups].map(([group, count]) => [group, count / perClass[group.startsWith('bona') ? 1 : 0]]),
  );
  return { shares, counts };
}

describe('sampling', () => {
  it('by clips: every clip as often as the others of its class', () => {
    const { counts } = drawn('clips', 13);
    const bonafide = counts.slice(0, 104);
    expect(Math.max(...bonafide) - Math.min(...bonafide)).toBeLessThanOrEqual(1);
  });

  it('by sources: generators of a source alike, bona fide sources by the root of their size', () => {
    const { shares } = drawn('sources', 100);
    for (const group of ['spoof large one', 'spoof large two', 'spoof small one']) {
      expect(shares.get(group)).toBeCloseTo(1 / 3, 1);
    }
    expect(shares.get('bonafide large null')).toBeCloseTo(10 / 12, 1);
    expect(shares.get('bonafide small null')).toBeCloseTo(2 / 12, 1);
  });

  it.each(['clips', 'sources'] as const)(
    'by %s: the same for a seed, epoch and step, whatever was asked before',
    (sampling) => {
      const options = { sampling, batchSize: 8, seed: 3, drawsPerClip: 1.5 };
      const one = createSampler(items, options);
      const other = createSampler(items, options);
      expect(one.steps).toBe(Math.floor((168 * 1.5) / 8));
      one.batch(0, 0);
      expect(one.batch(2, 5)).toEqual(other.batch(2, 5));
      expect(createSampler(items, { ...options, seed: 4 }).batch(2, 5)).not.toEqual(other.batch(2, 5));
    },
  );
});

it('weighs generators alike, or by the root of their clips, the classes alike in either case', () => {
  const few = [
    ...clips(4, 'spoof', 'one', 'often'),
    ...clips(1, 'spoof', 'one', 'once'),
    ...clips(1, 'bonafide', 'one', null),
  ];
  const shares = (power?: number): number[] => {
    const weights = exampleWeights(few, power);
    const often = weights.subarray(0, 4).reduce((sum, weight) => sum + weight, 0);
    return [often / weights[4], weights[5]];
  };
  expect(shares()).toEqual([1, 3]);
  expect(shares(-0.5)).toEqual([2, 3]);
});
