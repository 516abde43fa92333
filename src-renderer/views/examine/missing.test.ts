import { describe, expect, it } from 'vitest';
import { isMissingAt, missingSpans, placeMissing } from './missing.ts';

const timeline = {
  startSeconds: 1,
  gaps: [
    { fromSeconds: 4, toSeconds: 6 },
    { fromSeconds: 9, toSeconds: 9.2 },
  ],
  uncertainFromSeconds: null,
};

describe('stretches without sound', () => {
  it('are the late beginning and every gap', () => {
    expect(missingSpans(timeline)).toEqual([
      { kind: 'late', start: 0, end: 1 },
      { kind: 'gap', start: 4, end: 6 },
      { kind: 'gap', start: 9, end: 9.2 },
    ]);
    expect([0, 0.99, 1, 3.9, 4, 5.9, 6, 9.1].map((time) => isMissingAt(timeline, time))).toEqual([
      ...[true, true, false, false, true, true, false, true],
    ]);
  });

  it('lie where their times are, cut at the edges of what is in sight', () => {
    expect(placeMissing(timeline, { start: 0, end: 10 }, 100).map(({ left, width }) => [left, width])).toEqual([
      [0, 10],
      [40, 20],
      [90, expect.closeTo(2)],
    ]);
    const [place, ...others] = placeMissing(timeline, { start: 5, end: 8 }, 300);
    expect(place).toMatchObject({ kind: 'gap', left: 0, width: 100, start: 4, end: 6 });
    expect(others).toEqual([]);
    expect(placeMissing(timeline, { start: 6.5, end: 8 }, 300)).toEqual([]);
    expect(placeMissing(timeline, { start: 0, end: 10 }, 0)).toEqual([]);
  });

  it('do not vanish, however short, and are one where they share a pixel', () => {
    const gaps = Array.from({ length: 5000 }, (_, index) => ({ fromSeconds: index, toSeconds: index + 0.2 }));
    const many = placeMissing({ ...timeline, startSeconds: 0, gaps }, { start: 0, end: 5000 }, 100);
    expect(many.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
    expect(many.length).toBeLessThanOrEqual(100);
    const short = { ...timeline, startSeconds: 0, gaps: [{ fromSeconds: 3600, toSeconds: 3600.3 }] };
    expect(placeMissing(short, { start: 0, end: 3600.3 }, 800)).toEqual([
      { kind: 'gap', start: 3600, end: 3600.3, left: 799, width: 1, count: 1 },
    ]);
  });
});
