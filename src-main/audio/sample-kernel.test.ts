import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { peakBelow, scaleSamples, sumOfSquares } from './sample-kernel.ts';

const random = new Random(1);
/** Lengths around what is done together: four samples, and the kernel's memory. */
const lengths = [0, 1, 2, 3, 4, 5, 319, 320, 32_000, 65_535, 65_536, 65_537, 150_001];

/** Somewhere in a longer array whose other numbers must not count. */
function noise(length: number): Float32Array {
  return Float32Array.from({ length: length + 7 }, () => 3 * random.normal()).subarray(3, length + 3);
}

describe('sumOfSquares', () => {
  it.each(lengths)('of %i samples is the sum in doubles but for its order', (length) => {
    const samples = noise(length);
    const wanted = samples.reduce((sum, sample) => sum + sample * sample, 0);
    expect(Math.abs(sumOfSquares(samples) - wanted)).toBeLessThanOrEqual(1e-12 * wanted);
  });
});

describe('scaleSamples', () => {
  it.each(lengths)('of %i samples is the product in doubles, rounded once', (length) => {
    const samples = noise(length);
    const gain = 0.1 + random.uniform();
    const wanted = samples.map((sample) => sample * gain);
    const to = new Float32Array(length + 2).fill(5);
    scaleSamples(samples, gain, to.subarray(1, length + 1));
    expect(to.subarray(1, length + 1)).toEqual(wanted);
    expect([to[0], to[length + 1]]).toEqual([5, 5]);
    scaleSamples(samples, gain, samples);
    expect(samples).toEqual(wanted);
  });
});

describe('peakBelow', () => {
  it.each(lengths.filter((length) => length <= 65_536))('of %i samples is their largest magnitude', (length) => {
    const samples = noise(length);
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peakBelow(samples, 1000)).toBe(peak);
    if (length === 0) return;
    expect(peakBelow(samples, peak)).toBeNull();
    for (const odd of [NaN, Infinity, -Infinity, 1000, -1000]) {
      const place = random.below(length);
      const before = samples[place];
      samples[place] = odd;
      expect(peakBelow(samples, 1000)).toBeNull();
      samples[place] = before;
    }
  });
});
