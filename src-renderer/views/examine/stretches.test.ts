import { expect, it } from 'vitest';
import { sortedStretches, unmarked } from './stretches.ts';

const stretch = (startSeconds: number, seconds: number, lowestScore: number) => ({
  startSeconds,
  endSeconds: startSeconds + seconds,
  windows: 1,
  lowestScore,
});
const stretches = [stretch(0, 3, -2), stretch(10, 6, -4), stretch(20, 3, -2), stretch(30, 9, -3)];
const starts = (by: 'score' | 'time' | 'length', descending: boolean): number[] =>
  sortedStretches(stretches, { by, descending }).map(({ startSeconds }) => startSeconds);

it('stretches are sorted by score, time and length, alike ones by time', () => {
  expect(starts('score', false)).toEqual([10, 30, 0, 20]);
  expect(starts('score', true)).toEqual([0, 20, 30, 10]);
  expect(starts('time', true)).toEqual([30, 20, 10, 0]);
  expect(starts('length', true)).toEqual([30, 10, 0, 20]);
});

it('those with a mark of the same extent are not marked again', () => {
  const marks = [
    { startSeconds: 10, endSeconds: 16 },
    { startSeconds: 0, endSeconds: null },
    { startSeconds: 20, endSeconds: 22 },
  ];
  expect(unmarked(stretches, marks).map(({ startSeconds }) => startSeconds)).toEqual([0, 20, 30]);
});
