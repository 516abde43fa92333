import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { isFftSize, RealFft } from './fft.ts';

function noise(size: number): Float64Array {
  const random = new Random(size);
  return Float64Array.from({ length: size }, () => random.between(-1, 1));
}

/** By the definition, with the angle reduced before the sine is taken. */
function naivePower(frame: Float64Array, bin: number): number {
  let real = 0;
  let imaginary = 0;
  frame.forEach((sample, index) => {
    const angle = (2 * Math.PI * ((index * bin) % frame.length)) / frame.length;
    real += sample * Math.cos(angle);
    imaginary -= sample * Math.sin(angle);
  });
  return real * real + imaginary * imaginary;
}

describe.each([64, 128, 256, 512, 1024, 2048, 4096, 8192])('RealFft of %i points', (size) => {
  const fft = new RealFft(size);
  const frame = noise(size);
  const power = new Float64Array(size / 2 + 1);

  it('gives the powers of the definition', () => {
    fft.power(frame, power);
    const step = size > 1024 ? 37 : 1;
    for (let bin = 0; bin <= size / 2; bin += step) {
      expect(Math.abs(power[bin] - naivePower(frame, bin)) / size).toBeLessThan(1e-9);
    }
    expect(Math.abs(power[size / 2] - naivePower(frame, size / 2)) / size).toBeLessThan(1e-9);
  });

  it('keeps the energy (Parseval) and the frame', () => {
    const before = frame.slice();
    fft.power(frame, power);
    expect(frame).toEqual(before);
    const energy = frame.reduce((sum, sample) => sum + sample * sample, 0);
    const both = power.reduce((sum, value, bin) => sum + (bin === 0 || bin === size / 2 ? value : 2 * value), 0);
    expect(both / size / energy).toBeCloseTo(1, 12);
  });

  it('is flat for an impulse and a line for a cosine', () => {
    const impulse = new Float64Array(size);
    impulse[size / 2 - 5] = -0.5;
    fft.power(impulse, power);
    for (const value of power) expect(value).toBeCloseTo(0.25, 12);
    const bin = size / 4 - 3;
    fft.power(
      Float64Array.from({ length: size }, (_, index) => Math.cos((2 * Math.PI * ((index * bin) % size)) / size)),
      power,
    );
    power.forEach((value, index) => expect(value / (size / 2) ** 2).toBeCloseTo(index === bin ? 1 : 0, 12));
  });
});

it('has powers of two only', () => {
  for (const size of [0, 1, 32, 96, 400, 512.5, 16384, NaN, -64]) {
    expect(isFftSize(size)).toBe(false);
    expect(() => new RealFft(size)).toThrow(RangeError);
  }
});
