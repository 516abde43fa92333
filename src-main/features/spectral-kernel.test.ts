import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { RealFft } from './fft.ts';
import { SpectralKernel } from './spectral-kernel.ts';
import type { Bands } from './spectral-kernel.ts';

const nFft = 128;
const hopLength = 80;
const count = 7;
const random = new Random(6);
const window = Float64Array.from({ length: nFft }, () => random.between(0.2, 1));
const samples = Float32Array.from({ length: (count - 1) * hopLength + nFft }, () => random.normal());

/** Powers of a frame's bins, in doubles. */
function powers(frame: number): Float64Array {
  const power = new Float64Array(nFft / 2 + 1);
  new RealFft(nFft).power(
    window.map((weight, i) => weight * samples[frame * hopLength + i]),
    power,
  );
  return power;
}

function computed(bands: Bands, floorPower: number | null): { rows: number; values: Float32Array } {
  const kernel = new SpectralKernel({ nFft, window, hopLength, bands, floorPower, transform: null });
  kernel.input.set(samples);
  const values = new Float32Array(kernel.rows * count);
  kernel.run(count, values, 0, count);
  return { rows: kernel.rows, values };
}

describe('SpectralKernel', () => {
  it('gives magnitudes where there is no floor', () => {
    const { rows, values } = computed({ kind: 'bins', first: 3, count: 50 }, null);
    expect(rows).toBe(50);
    for (let frame = 0; frame < count; frame++) {
      const power = powers(frame);
      for (let row = 0; row < rows; row++) {
        expect(Math.abs(values[row * count + frame] - Math.sqrt(power[3 + row]))).toBeLessThan(2e-5);
      }
    }
  });

  it('sums stretches of bins, one of them empty', () => {
    const starts = Int32Array.of(1, 2, 2, 20, 65);
    const { rows, values } = computed({ kind: 'sums', starts }, 1e-30);
    expect(rows).toBe(4);
    for (let frame = 0; frame < count; frame++) {
      const power = powers(frame);
      for (let row = 0; row < rows; row++) {
        const sum = power.subarray(starts[row], starts[row + 1]).reduce((total, value) => total + value, 0);
        expect(values[row * count + frame]).toBeCloseTo(10 * Math.log10(Math.max(sum, 1e-30)), 3);
      }
    }
  });
});
