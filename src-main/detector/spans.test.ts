import { describe, expect, it } from 'vitest';
import { planWindows } from '../audio/condition.ts';
import { missingOf, planSpans, withGaps } from './spans.ts';

const rate = 1000;
// Windows of 2 s, one each second.
const plan = (end: number, gaps: { at: number; length: number }[]) => planSpans(0, end, 2000, 1000, gaps, rate);

describe('windows around gaps', () => {
  it('are those of a whole recording where nothing is missing', () => {
    expect(plan(7300, []).map(({ start }) => start)).toEqual(planWindows(0, 7300, 2000, 1000));
    expect(plan(900, [])).toEqual([{ start: 0, length: 900, gaps: [] }]);
  });

  it('never cross a gap of half a second', () => {
    const spans = plan(8000, [{ at: 4500, length: 500 }]);
    expect(spans.length).toBeGreaterThan(4);
    for (const { start, length, gaps } of spans) {
      expect(gaps).toEqual([]);
      expect(length).toBe(2000);
      expect(start + length <= 4500 || start >= 4500).toBe(true);
    }
  });

  it('hold short gaps up to a tenth', () => {
    const spans = plan(8000, [{ at: 4500, length: 150 }]);
    const across = spans.filter(({ gaps }) => gaps.length > 0);
    expect(across.length).toBeGreaterThan(0);
    for (const { length, gaps } of across) expect(length + missingOf(gaps)).toBe(2000);
    // 0.3 s of 2 s are too much.
    for (const { gaps } of plan(8000, [{ at: 4500, length: 300 }])) expect(gaps).toEqual([]);
  });

  it('are shorter where no part is long enough', () => {
    const everySecond = Array.from({ length: 9 }, (_, index) => ({ at: 1000 * (index + 1), length: 400 }));
    const spans = plan(10_000, everySecond);
    expect(spans.length).toBe(10);
    for (const { length, gaps } of spans) expect([length, gaps]).toEqual([1000, []]);
    // What is shorter than half a window is left out, unless there is nothing longer.
    expect(plan(3000, [{ at: 500, length: 5000 }])).toEqual(
      planWindows(500, 3000, 2000, 1000).map((start) => ({ start, length: 2000, gaps: [] })),
    );
    expect(plan(700, [{ at: 200, length: 5000 }])).toEqual([{ start: 200, length: 500, gaps: [] }]);
  });

  it('put zeros where sound is missing', () => {
    const samples = Float32Array.from([1, 2, 3, 4]);
    const gaps = [
      { at: 11, length: 2 },
      { at: 13, length: 1 },
    ];
    expect([...withGaps(samples, { start: 10, length: 4, gaps })]).toEqual([1, 0, 0, 2, 3, 0, 4]);
    expect(withGaps(samples, { start: 10, length: 4, gaps: [] })).toBe(samples);
  });
});
