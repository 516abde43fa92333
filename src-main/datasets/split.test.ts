import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { splitItems } from './split.ts';
import type { DatasetItem } from './types.ts';

function item(index: number, speaker: string | null, source: string | null = null, label = 'spoof'): DatasetItem {
  const common = { path: `/x/${index}.wav`, id: String(index), split: 'train', generator: null };
  return { ...common, speaker, source, label: label === 'spoof' ? 'spoof' : 'bonafide' };
}

const options = { shares: [70, 15, 15], by: ['speaker', 'source'] as const, repeated: [], seed: 1 };

describe('splitItems', () => {
  it('keeps speakers and sources apart, and both classes near their shares', () => {
    const random = new Random(3);
    const items = Array.from({ length: 2000 }, (_, index) =>
      item(index, `s${random.below(120)}`, null, random.uniform() < 0.3 ? 'bonafide' : 'spoof'),
    );
    const { items: dealt, components } = splitItems(items, options);
    expect(components).toBe(120);
    const splitsOf = new Map<string, Set<string | null>>();
    for (const { speaker, split } of dealt) {
      splitsOf.set(speaker ?? '', (splitsOf.get(speaker ?? '') ?? new Set()).add(split));
    }
    expect([...splitsOf.values()].every(({ size }) => size === 1)).toBe(true);
    for (const label of ['bonafide', 'spoof']) {
      const own = dealt.filter((one) => one.label === label);
      const share = (split: string) => own.filter((one) => one.split === split).length / own.length;
      expect(share('train')).toBeCloseTo(0.7, 1.5);
      expect(share('dev')).toBeCloseTo(0.15, 1.5);
    }
    expect(dealt.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
  });

  it('goes on through speakers, sources and repeated sound to what hangs together', () => {
    const items = [
      item(0, 'a', 'S'),
      item(1, 'a', 'T'),
      item(2, 'b', 'T'),
      item(3, null, null),
      item(4, 'c', null),
      ...Array.from({ length: 20 }, (_, index) => item(5 + index, null, null)),
    ];
    const members = ['2', '3'].map((id) => ({ id, split: null, label: 'spoof' as const }));
    const repeated = [{ same: 'audio' as const, acrossSplits: false, acrossClasses: false, members }];
    const { items: dealt, components, largest } = splitItems(items, { ...options, repeated });
    expect(new Set(dealt.slice(0, 4).map(({ split }) => split)).size).toBe(1);
    expect([components, largest]).toEqual([22, 4]);
    const bySpeaker = splitItems(items, { ...options, by: ['speaker'] });
    expect([bySpeaker.components, bySpeaker.largest]).toEqual([24, 2]);
  });

  it('is the same for a seed, and leaves a split of no share out', () => {
    const items = Array.from({ length: 60 }, (_, index) => item(index, null, null, index % 2 ? 'spoof' : 'bonafide'));
    const splits = (seed: number, shares = options.shares) =>
      splitItems(items, { ...options, shares, seed }).items.map(({ split }) => split);
    expect(splits(1)).toEqual(splits(1));
    expect(splits(1)).not.toEqual(splits(2));
    const two = splits(1, [50, 0, 50]);
    expect(two.filter((split) => split === 'train')).toHaveLength(30);
    expect(two.filter((split) => split === 'test')).toHaveLength(30);
  });
});
