import { describe, expect, it } from 'vitest';
import { pointedOut, stretchesBelow, summaryOf, windowsAssessable } from './low-stretches.ts';

const window = (startSeconds: number, score: number) => ({ startSeconds, endSeconds: startSeconds + 2, score });
const windows = [window(0, -1), window(1, -3), window(2, 1), window(3, -2), window(9, -5)];
const reason = (code: string, blocking: boolean) => ({ code, sentence: code, blocking });

describe('low stretches', () => {
  it('join windows that touch, and only those', () => {
    expect(stretchesBelow(windows, 0)).toEqual([
      { startSeconds: 0, endSeconds: 3, windows: 2, lowestScore: -3 },
      { startSeconds: 3, endSeconds: 5, windows: 1, lowestScore: -2 },
      { startSeconds: 9, endSeconds: 11, windows: 1, lowestScore: -5 },
    ]);
    expect(stretchesBelow([window(0, -2), window(5, -2)], -1.5)).toHaveLength(2);
    // At the threshold is not below it.
    expect(stretchesBelow(windows, -5)).toEqual([]);
  });

  it('are summed up by their number and the longest', () => {
    expect(summaryOf(stretchesBelow(windows, 0))).toEqual({ count: 3, longestSeconds: 3 });
    expect(summaryOf([])).toEqual({ count: 0, longestSeconds: 0 });
  });
});

describe('a result', () => {
  const result = {
    finding: 'inconclusive' as const,
    reasons: [reason('long', false)],
    windows,
    thresholds: { localisation: -2 },
  };

  it('points out what scores low, whatever is said of the whole', () => {
    expect(pointedOut(result)?.map(({ startSeconds }) => startSeconds)).toEqual([1, 9]);
    expect(pointedOut({ ...result, windows: [] })).toEqual([]);
  });

  it('gives no times where its model gives none', () => {
    expect(pointedOut({ ...result, thresholds: { localisation: null } })).toBeNull();
  });

  it('has windows that may be judged where only its length forbids a finding of the whole', () => {
    const tooLong = { ...result, finding: 'not assessable' as const, reasons: [reason('length', true)] };
    expect(windowsAssessable(tooLong)).toBe(true);
    expect(pointedOut(tooLong)).toHaveLength(2);
    for (const code of ['noisy', 'narrow-band', 'trained-on', 'uncalibrated', 'outside-validation']) {
      const other = { ...tooLong, reasons: [...tooLong.reasons, reason(code, true)] };
      expect(windowsAssessable(other), code).toBe(false);
      expect(pointedOut(other), code).toBeNull();
    }
    expect(windowsAssessable({ finding: null, reasons: [] })).toBe(false);
  });
});
