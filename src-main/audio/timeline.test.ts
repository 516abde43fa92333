import { describe, expect, it } from 'vitest';
import { Timeline } from './timeline.ts';

// 1 s of nothing, 2 s of sound, a gap of 0.5 s, 1 s of sound, a gap of 100 s, sound.
const timeline = new Timeline({
  startSeconds: 1,
  gaps: [
    { fromSeconds: 3, toSeconds: 3.5 },
    { fromSeconds: 4.5, toSeconds: 104.5 },
  ],
});

describe('timeline of a recording', () => {
  it('places sound in time, on either side of a gap', () => {
    expect(timeline.timeOf(0)).toBe(1);
    expect(timeline.timeOf(1.5)).toBe(2.5);
    expect(timeline.timeOf(2)).toBe(3.5);
    expect(timeline.timeOf(2, 'before')).toBe(3);
    expect(timeline.timeOf(3)).toBe(104.5);
    expect(timeline.timeOf(3, 'before')).toBe(4.5);
    expect(timeline.timeOf(10)).toBe(111.5);
  });

  it('finds the sound before a time, the same all through a gap', () => {
    expect(timeline.soundBefore(0.5)).toBe(0);
    expect(timeline.soundBefore(2.5)).toBe(1.5);
    for (const inside of [3, 3.2, 3.5]) expect(timeline.soundBefore(inside)).toBe(2);
    for (const inside of [4.5, 50, 104.5]) expect(timeline.soundBefore(inside)).toBe(3);
    expect(timeline.soundBefore(111.5)).toBe(10);
    for (const seconds of [0, 0.3, 1.9, 2.4, 3.1, 77]) {
      expect(timeline.soundBefore(timeline.timeOf(seconds))).toBeCloseTo(seconds, 9);
    }
  });

  it('says what is missing in a span, and which gaps lie in it', () => {
    expect(timeline.missingWithin(0, 4)).toBe(1.5);
    expect(timeline.missingWithin(50, 60)).toBe(10);
    expect(timeline.gapsBetween(0, 2.5).map(({ soundSeconds }) => soundSeconds)).toEqual([2]);
    expect(timeline.gapsBetween(2, 10).map(({ soundSeconds }) => soundSeconds)).toEqual([3]);
    expect(timeline.gapSeconds).toBe(100.5);
    expect(timeline.unbroken).toBe(false);
  });

  it('changes nothing where nothing is missing', () => {
    const unbroken = new Timeline({ startSeconds: 0, gaps: [] });
    expect(unbroken.unbroken).toBe(true);
    expect(unbroken.timeOf(7.25)).toBe(7.25);
    expect(unbroken.soundBefore(7.25)).toBe(7.25);
  });
});
