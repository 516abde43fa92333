import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { SpectralKernel, isFftSize } from './spectral-kernel.ts';
import type { Bands } from './spectral-kernel.ts';

const nFft = 128;
const hopLength = 80;
const count = 7;
const random = new Random(6);
const window = Float64Array.from({ length: nFft }, () => random.between(0.2, 1));
const samples = Float32Array.from({ length: (count - 1) * hopLength + nFft }, () => random.normal());

/** Power of a bin by the definition, with the angle reduced before the sine is taken. */
function definedPower(frame: Float64Array, bin: number): number {
  let real = 0;
  let imaginary = 0;
  frame.forEach((sample, index) => {
    const angle = (2 * Math.PI * ((index * bin) % frame.length)) / frame.length;
    real += sample * Math.cos(angle);
    imaginary -= sample * Math.sin(angle);
  });
  return real * real + imaginary * imaginary;
}

/** Powers of a frame's bins, in doubles. */
function powers(frame: number): Float64Array {
  const weighted = window.map((weight, i) => weight * samples[frame * hopLength + i]);
  return Float64Array.from({ length: nFft / 2 + 1 }, (_, bin) => definedPower(weighted, bin));
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

describe.each([64, 128, 256, 512, 1024, 2048, 4096, 8192, 32_768])('SpectralKernel of %i points', (size) => {
  const kernel = new SpectralKernel({
    nFft: size,
    window: new Float64Array(size).fill(1),
    hopLength: size,
    bands: { kind: 'bins', first: 0, count: size / 2 + 1 },
    floorPower: null,
    transform: null,
  });
  const magnitudes = (frame: Float64Array): Float32Array => {
    const values = new Float32Array(kernel.rows);
    kernel.input.set(frame);
    kernel.run(1, values, 0, 1);
    return values;
  };

  it('gives the magnitudes of the definition', () => {
    const frame = Float64Array.from({ length: size }, () => Math.fround(random.between(-1, 1)));
    const values = magnitudes(frame);
    for (let bin = 0; bin <= size / 2; bin += size > 1024 ? 32 : 1) {
      expect(Math.abs(values[bin] - Math.sqrt(definedPower(frame, bin)))).toBeLessThan(1e-6 * size);
    }
  });

  it('is flat for an impulse and a line for a cosine', () => {
    const impulse = new Float64Array(size);
    impulse[size / 2 - 5] = -0.5;
    for (const value of magnitudes(impulse)) expect(value).toBeCloseTo(0.5, 5);
    const line = size / 4 - 3;
    const cosine = Float64Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * ((i * line) % size)) / size));
    magnitudes(cosine).forEach((value, bin) => expect(value / (size / 2)).toBeCloseTo(bin === line ? 1 : 0, 5));
  });
});

it('has powers of two only', () => {
  for (const size of [0, 1, 32, 96, 400, 512.5, 65_536, NaN, -64]) expect(isFftSize(size)).toBe(false);
});
