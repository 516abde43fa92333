import { describe, expect, it } from 'vitest';
import {
  clampWindow,
  lengthOf,
  overlap,
  pan,
  shifted,
  shortestSeconds,
  spanOf,
  wholeOf,
  windowAround,
  windowWith,
  zoomAt,
} from './time-window.ts';

const sixHours = wholeOf(21_600);

describe('the window in sight', () => {
  it('keeps what the pointer is at where it is while it zooms', () => {
    const window = { start: 100, end: 200 };
    for (const factor of [2, 1.3, 0.7]) {
      const zoomed = zoomAt(window, factor, 130, sixHours);
      expect((130 - zoomed.start) / lengthOf(zoomed)).toBeCloseTo(0.3, 9);
      expect(lengthOf(zoomed)).toBeCloseTo(100 / factor, 9);
    }
  });

  it('goes from the whole of six hours to 10 ms and back, never further', () => {
    let window = sixHours;
    for (let i = 0; i < 40; i++) window = zoomAt(window, 2, 12_345.678, sixHours);
    expect(lengthOf(window)).toBeCloseTo(shortestSeconds, 6);
    expect(window.start).toBeLessThanOrEqual(12_345.678);
    expect(window.end).toBeGreaterThanOrEqual(12_345.678);
    for (let i = 0; i < 40; i++) window = zoomAt(window, 0.5, window.end, sixHours);
    expect(window).toEqual(sixHours);
  });

  it('of a recording shorter than that is the recording', () => {
    expect(zoomAt({ start: 0, end: 0.004 }, 8, 0.002, wholeOf(0.004))).toEqual({ start: 0, end: 0.004 });
    expect(clampWindow({ start: -5, end: 5 }, wholeOf(0.004))).toEqual({ start: 0, end: 0.004 });
  });

  it('stops at the ends when it is moved, and keeps its length', () => {
    const window = { start: 10, end: 20 };
    expect(pan(window, -50, wholeOf(100))).toEqual({ start: 0, end: 10 });
    expect(pan(window, Infinity, wholeOf(100))).toEqual({ start: 90, end: 100 });
    expect(pan(window, 3, wholeOf(100))).toEqual({ start: 13, end: 23 });
  });

  it('shows a span with room on both sides, and follows a time out of sight', () => {
    const around = windowAround({ start: 40, end: 50 }, wholeOf(100));
    expect(around.start).toBeLessThan(40);
    expect(around.end).toBeGreaterThan(50);
    expect(windowWith({ start: 10, end: 20 }, 15, wholeOf(100))).toEqual({ start: 10, end: 20 });
    const followed = windowWith({ start: 10, end: 20 }, 20.1, wholeOf(100));
    expect(followed.start).toBeLessThan(20.1);
    expect(lengthOf(followed)).toBeCloseTo(10, 9);
    expect(spanOf(7, 3)).toEqual({ start: 3, end: 7 });
  });

  it('of recordings side by side reaches as far as either of them', () => {
    const extent = { start: -30, end: 100 };
    expect(clampWindow({ start: -50, end: -40 }, extent)).toEqual({ start: -30, end: -20 });
    expect(zoomAt({ start: 0, end: 100 }, 0.1, 50, extent)).toEqual(extent);
    expect(pan({ start: 0, end: 10 }, -Infinity, extent)).toEqual({ start: -30, end: -20 });
    expect(shifted({ start: 1, end: 2 }, -3)).toEqual({ start: -2, end: -1 });
    expect(overlap({ start: -10, end: 5 }, wholeOf(100))).toEqual({ start: 0, end: 5 });
    expect(lengthOf(overlap({ start: -10, end: -5 }, wholeOf(100)))).toBe(0);
  });
});
