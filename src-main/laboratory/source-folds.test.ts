import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { sourceFolds } from './source-folds.ts';

function corpus(): DatasetItem[] {
  const random = new Random(3);
  return Array.from({ length: 30 }, (_, source) => source).flatMap((source) =>
    Array.from({ length: 5 + random.below(40) }, (_, index): DatasetItem => {
      const id = `${source}/${index}`;
      const label = source % 3 === 0 ? 'bonafide' : 'spoof';
      return { path: id, id, label, split: 'train', generator: null, speaker: null, source: `source ${source}` };
    }),
  );
}

describe('sourceFolds', () => {
  const items = corpus();
  const folds = sourceFolds(items, 5, 1);

  it('puts every recording into one fold and no source into two', () => {
    expect(
      folds
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(items.map(({ id }) => id).sort());
    const sources = folds.map((fold) => new Set(fold.map(({ source }) => source)));
    expect(sources.reduce((sum, { size }) => sum + size, 0)).toBe(30);
  });

  it('makes folds that are alike in both classes', () => {
    for (const label of ['bonafide', 'spoof']) {
      const total = items.filter((item) => item.label === label).length;
      for (const fold of folds) {
        const share = fold.filter((item) => item.label === label).length / total;
        expect(share).toBeGreaterThan(0.1);
        expect(share).toBeLessThan(0.32);
      }
    }
  });

  it('repeats itself, and leaves out folds that would be empty', () => {
    expect(sourceFolds(items, 5, 1)).toEqual(folds);
    expect(sourceFolds(items.slice(0, 3), 5, 1)).toHaveLength(1);
  });
});
