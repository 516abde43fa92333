import { describe, expect, it } from 'vitest';
import {
  cellsOf,
  firstCellAfter,
  leaning,
  coveredSeconds,
  lowestWindow,
  meanScore,
  scoreAt,
  scoreRange,
} from './scores.ts';

const window = (startSeconds: number, score: number, length = 2) => ({
  startSeconds,
  endSeconds: startSeconds + length,
  score,
});
// Two seconds long, one second apart, a pause after the third.
const windows = [window(0, 1), window(1, -2), window(2, -3), window(10, 0.5), window(11, 2)];
const thresholds = {
  score: 0,
  inconclusive: [-1, 0.9] as [number, number],
  localisation: -1.5,
  localisationStatement: null,
  falseAlarmsPerHour: null,
  falseAlarmsPerHourAtMost: null,
};

describe('window scores', () => {
  it('share the time axis without overlap, and leave out what was not scored', () => {
    expect(cellsOf(windows)).toEqual([
      { start: 0, end: 1.5, score: 1, gap: true },
      { start: 1.5, end: 2.5, score: -2, gap: false },
      { start: 2.5, end: 4, score: -3, gap: false },
      { start: 10, end: 11.5, score: 0.5, gap: true },
      { start: 11.5, end: 13, score: 2, gap: false },
    ]);
    const cells = cellsOf(windows);
    expect([-1, 0, 1.5, 4, 20].map((time) => firstCellAfter(cells, time))).toEqual([0, 0, 1, 3, 5]);
  });

  it('lean to a side beyond the thresholds, and to none between', () => {
    const range = scoreRange(windows, thresholds);
    expect(range.low).toBeLessThan(-3);
    expect(range.high).toBeGreaterThan(2);
    expect(leaning(0.5, thresholds, range)).toBe(0);
    expect(leaning(0.9, thresholds, range)).toBeGreaterThan(0);
    expect(leaning(-1, thresholds, range)).toBe(0);
    expect(leaning(-1.01, thresholds, range)).toBeLessThan(0);
    expect(leaning(-3, thresholds, range)).toBeLessThan(leaning(-2, thresholds, range));
    const plain = { ...thresholds, inconclusive: null };
    expect(leaning(0, plain, range)).toBeGreaterThan(0);
    expect(leaning(-0.01, plain, range)).toBeLessThan(0);
  });

  it('are summed up for a selection by the windows whose middle lies in it', () => {
    expect(meanScore(windows, { start: 1.5, end: 3.5 })).toEqual({ mean: -2.5, count: 2 });
    expect(meanScore(windows, { start: 5, end: 9 })).toBeNull();
    expect(lowestWindow(windows)).toEqual(window(2, -3));
    expect(lowestWindow([])).toBeNull();
  });

  it('are found by a time, and are nowhere else', () => {
    const cells = cellsOf(windows);
    expect([0, 1.6, 3.9, 4, 9, 10, 12.9, 13, 99].map((time) => scoreAt(cells, time))).toEqual([
      ...[1, -2, -3, null, null, 0.5, 2, null, null],
    ]);
    expect(scoreAt([], 1)).toBeNull();
    expect(coveredSeconds(cells)).toBe(7);
  });
});
