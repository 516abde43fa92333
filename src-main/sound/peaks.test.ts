import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { PeakPyramid, peakLevels, peaksOf, storedSamplesPerPeak } from './peaks.ts';

function noise(length: number): Float32Array {
  const random = new Random(5);
  return Float32Array.from({ length }, () => 2 * random.uniform() - 1);
}

describe('peaks', () => {
  it('are the lowest and highest of each stretch, the last one shorter', () => {
    expect([...peaksOf(Float32Array.of(0.5, -0.25, 0.125, 0.75, -1), 2)]).toEqual([-0.25, 0.5, 0.125, 0.75, -1, -1]);
    expect(peaksOf(new Float32Array(0), 4)).toHaveLength(0);
  });

  it('have levels from single samples to a few hundred peaks', () => {
    const levels = peakLevels(21_600 * 48_000);
    expect(levels[0]).toEqual({ samplesPerPeak: 1, count: 1_036_800_000 });
    expect(levels.at(-1)?.count).toBeLessThanOrEqual(512);
    for (const [index, level] of levels.entries()) expect(level.samplesPerPeak).toBe(2 ** index);
    // Even a moment has one stored level.
    expect(peakLevels(3).at(-1)).toEqual({ samplesPerPeak: storedSamplesPerPeak, count: 1 });
  });

  it.each([1, 511, 512, 513, 100_000, 5_000_000])(
    'of %i samples in odd blocks equal those of the whole',
    async (length) => {
      const samples = noise(length);
      const levels = peakLevels(length).filter(({ samplesPerPeak }) => samplesPerPeak >= storedSamplesPerPeak);
      const stored: number[][] = levels.map(() => []);
      const pyramid = new PeakPyramid(async (level, peaks) => {
        if (level < stored.length) for (const value of peaks) stored[level].push(value);
      });
      for (let at = 0, size = 1; at < length; at += size, size = (size * 7) % 65_537) {
        await pyramid.push(samples.subarray(at, at + size));
      }
      await pyramid.finish(levels.length);
      levels.forEach(({ samplesPerPeak, count }, level) => {
        expect(stored[level]).toHaveLength(2 * count);
        expect(Float32Array.from(stored[level])).toEqual(peaksOf(samples, samplesPerPeak));
      });
    },
  );
});
