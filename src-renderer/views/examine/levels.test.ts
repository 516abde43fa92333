import { describe, expect, it } from 'vitest';
import { fromMiddle, partsOf, peakLevelFor, tileLevelFor } from './levels.ts';

const samples = 21_600 * 16_000;
const peaks = Array.from({ length: 21 }, (_, level) => ({
  samplesPerPeak: 2 ** level,
  count: Math.ceil(samples / 2 ** level),
}));
const spectrogram = {
  columnsPerTile: 128,
  bins: 256,
  maxHz: 8000,
  floorDb: -120,
  ceilingDb: 0,
  levels: Array.from({ length: 19 }, (_, level) => ({ secondsPerColumn: 0.001 * 2 ** level, tiles: 1 })),
};

describe('levels', () => {
  it('give each pixel between one and two peaks or columns', () => {
    for (const width of [400, 1400, 3000]) {
      for (const seconds of [0.5, 30, 600, 21_600]) {
        const perPixel = (seconds * 16_000) / width;
        const ratio = perPixel / peaks[peakLevelFor(peaks, perPixel)].samplesPerPeak;
        expect(ratio).toBeGreaterThanOrEqual(1);
        expect(ratio).toBeLessThan(2);
        const columns =
          seconds / width / spectrogram.levels[tileLevelFor(spectrogram, seconds / width)].secondsPerColumn;
        if (seconds > 5) {
          expect(columns).toBeGreaterThanOrEqual(0.99);
          expect(columns).toBeLessThan(2.01);
        }
      }
    }
  });

  it('are the finest where pixels are finer still', () => {
    expect(peakLevelFor(peaks, 0.2)).toBe(0);
    expect(tileLevelFor(spectrogram, 0.000_01)).toBe(0);
  });
});

describe('parts', () => {
  it('are those that a span touches, and none that are not there', () => {
    expect(partsOf({ start: 10, end: 20 }, 5, 100)).toEqual({ first: 2, end: 4 });
    expect(partsOf({ start: 10.1, end: 20.1 }, 5, 100)).toEqual({ first: 2, end: 5 });
    expect(partsOf({ start: 0, end: 1000 }, 5, 3)).toEqual({ first: 0, end: 3 });
    expect(partsOf({ start: 900, end: 1000 }, 5, 3)).toEqual({ first: 3, end: 3 });
  });

  it('are asked for from the middle outwards', () => {
    expect(fromMiddle(3, 8)).toEqual([5, 4, 6, 3, 7]);
    expect(fromMiddle(3, 3)).toEqual([]);
  });
});
