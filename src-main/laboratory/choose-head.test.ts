import { expect, it } from 'vitest';
import { logitOf } from '../detector/logistic.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { fitHead } from './choose-head.ts';

function items(count: number): DatasetItem[] {
  return Array.from({ length: count }, (_, index): DatasetItem => {
    const id = String(index);
    const label = index % 2 === 0 ? 'bonafide' : 'spoof';
    return { path: id, id, label, split: 'train', generator: null, speaker: id, source: null };
  });
}

it('lets originals count for more than copies, however many copies there are', () => {
  // What tells the classes apart in ten originals is the other way round in forty copies.
  const all = items(50);
  const rows = all.map(({ label }, index) =>
    Float32Array.of((label === 'bonafide') === index < 10 ? 1 : -1, index % 3),
  );
  const apart = fitHead(rows, all, 1, { originals: 10 });
  const alike = fitHead(rows, all, 1);
  const bonafide = Float32Array.of(1, 1);
  expect(logitOf(apart, bonafide)).toBeGreaterThan(0.5);
  expect(logitOf(alike, bonafide)).toBeLessThan(-0.5);
});

it('looks at the places that it is given', () => {
  const all = items(20);
  const rows = all.map(({ label }, index) => Float32Array.of(index % 5, label === 'bonafide' ? 1 : -1, index % 3));
  expect(fitHead(rows, all, 1, { places: [0, 2] }).kernel[1]).toBe(0);
  expect(fitHead(rows, all, 1).kernel[1]).toBeGreaterThan(0.5);
});
