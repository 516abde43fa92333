import { expect, it } from 'vitest';
import { breakdown } from './breakdown.ts';
import type { GroupedTrial } from './breakdown.ts';

const trial = (bonafide: boolean, score: number, groups: GroupedTrial['groups']): GroupedTrial => ({
  bonafide,
  score,
  groups,
});

const trials = [
  trial(true, 2, { source: 'a', generator: null }),
  trial(true, -1, { source: 'a', generator: null }),
  trial(false, -2, { source: 'a', generator: 'seen' }),
  trial(false, 1, { source: 'b', generator: 'unseen' }),
  trial(true, 3, { source: 'c', generator: null }),
];

it('compares within a group that holds both classes, else its spoofs with all bona fide', () => {
  const found = breakdown(trials, 0);
  expect(found.map(({ by, value }) => `${by} ${value}`)).toEqual([
    'source a',
    'source b',
    'source c',
    'generator seen',
    'generator unseen',
  ]);
  expect(found[0]).toMatchObject({ bonafide: 2, spoof: 1, rejected: 1, accepted: 0, against: 'group', eer: 0, auc: 1 });
  // One of three bona fide lies below the spoof at 1.
  expect(found[1]).toMatchObject({ bonafide: 0, spoof: 1, accepted: 1, against: 'all', auc: 2 / 3 });
  expect(found[2]).toMatchObject({ bonafide: 1, spoof: 0, against: null, eer: null, auc: null });
  expect(found[3]).toMatchObject({ spoof: 1, accepted: 0, auc: 1 });
});

it('takes a score at the threshold for bona fide, and tells what it cannot compare', () => {
  const [only] = breakdown([trial(false, 0, { year: '2026' })], 0);
  expect(only).toMatchObject({ by: 'year', value: '2026', accepted: 1, against: null, eer: null });
});
