import { describe, expect, it } from 'vitest';
import { expectedIn, pointedOut, stretchesBelow, summaryOf, unassessable, windowsAssessable } from './low-stretches.ts';

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

  it('has nothing to be judged by where no window lies, and nowhere where none may be judged', () => {
    const extent = { startSeconds: 0, endSeconds: 12 };
    expect(unassessable(result, extent)).toEqual([
      { fromSeconds: 5, toSeconds: 9 },
      { fromSeconds: 11, toSeconds: 12 },
    ]);
    expect(unassessable({ ...result, windows: [window(1, 0)] }, { startSeconds: 0, endSeconds: 3 })).toEqual([
      { fromSeconds: 0, toSeconds: 1 },
    ]);
    const noisy = { ...result, reasons: [reason('noisy', true)] };
    expect(unassessable(noisy, extent)).toEqual([{ fromSeconds: 0, toSeconds: 12 }]);
  });
});

it('false alarms are expected by the length, with one digit', () => {
  expect(expectedIn(3600, 9.135)).toBe('9');
  expect(expectedIn(340, 9.135)).toBe('0.9');
  expect(expectedIn(36, 9.135)).toBe('0.09');
  expect(expectedIn(7200, 9.135)).toBe('18');
});
