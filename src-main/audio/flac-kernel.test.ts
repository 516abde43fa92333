import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { flacKernel, lookBack } from './flac-kernel.ts';

const kernel = flacKernel();
const [samples] = kernel.samples;

/** Signed values as Rice codes that begin at a bit: the definition of RFC 9639, section 9.2.7.2. */
function riceCodes(
  values: readonly number[],
  parameter: number,
  startBit: number,
): { bytes: Uint8Array; ends: number[] } {
  const bits: number[] = Array.from({ length: startBit }, () => 1);
  const ends: number[] = [];
  for (const value of values) {
    const folded = value >= 0 ? 2 * value : -2 * value - 1;
    for (let zeros = Math.floor(folded / 2 ** parameter); zeros > 0; zeros--) bits.push(0);
    bits.push(1);
    for (let bit = parameter - 1; bit >= 0; bit--) bits.push(Math.floor(folded / 2 ** bit) % 2);
    ends.push(bits.length);
  }
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, place) => (bytes[place >> 3] |= bit << (7 - (place & 7))));
  return { bytes, ends };
}

describe('Rice codes', () => {
  it.each([0, 1, 3, 7, 13, 20, 26])('with %i last bits are read wherever they begin', (parameter) => {
    const random = new Random(parameter);
    for (let round = 0; round < 40; round++) {
      const count = 1 + random.below(70);
      // Mostly as in a good file, some far larger.
      const values = Array.from(
        { length: count },
        () => (random.normal() * 2 ** parameter * (random.uniform() < 0.1 ? 8 : 0.7)) | 0,
      );
      const startBit = random.below(20);
      const { bytes, ends } = riceCodes(values, parameter, startBit);
      kernel.bytes.fill(0xff).set(bytes);
      const from = lookBack + random.below(9);
      samples.fill(7);
      for (let done = 0, bit = startBit; done < count;) {
        const found = kernel.rice(samples, from + done, from + count, parameter, bit, 8 * bytes.length);
        const next = found.next - from;
        expect(found.bit).toBe(next === 0 ? startBit : ends[next - 1]);
        // It may only stop before a code of more than 57 bits.
        if (next === count) break;
        expect(ends[next] - found.bit).toBeGreaterThan(57);
        samples[from + next] = values[next];
        bit = ends[next];
        done = next + 1;
      }
      expect([...samples.subarray(from, from + count)]).toEqual(values);
      expect(samples[from + count]).toBe(7);
    }
  });

  it('stop at the end of what there is', () => {
    kernel.bytes.fill(0xff);
    const { bit, next } = kernel.rice(samples, lookBack, lookBack + 1000, 0, 0, 100);
    // Codes of one bit each; a few may lie behind the end, and show in the bit.
    expect(bit).toBeGreaterThanOrEqual(100);
    expect(bit).toBeLessThan(100 + 64);
    expect(next).toBe(lookBack + bit);
    kernel.bytes.fill(0);
    expect(kernel.rice(samples, lookBack, lookBack + 1000, 3, 5, 100)).toEqual({ bit: 5, next: lookBack });
  });
});

describe('linear prediction', () => {
  it('is the sum of its definition, cut to 32 bits, for every order', () => {
    const random = new Random(1);
    for (let order = 1; order <= 32; order++) {
      // Small ones as in a good file; large ones overflow.
      for (const [size, largest] of [
        [3000, 100],
        [257, 16_000],
      ]) {
        const coefficients = Int32Array.from({ length: 32 }, () => random.below(2 * largest) - largest);
        const shift = random.below(15);
        const given = Int32Array.from({ length: size }, () => random.below(2000) - 1000);
        const wanted = given.slice();
        for (let i = order; i < size; i++) {
          let sum = 0;
          for (let tap = 0; tap < order; tap++) sum = (sum + Math.imul(coefficients[tap], wanted[i - 1 - tap])) | 0;
          wanted[i] += sum >> shift;
        }
        samples.fill(0, 0, lookBack);
        samples.set(given, lookBack);
        kernel.predict(samples, lookBack + order, lookBack + size, coefficients, order, shift);
        expect(samples.slice(lookBack, lookBack + size)).toEqual(wanted);
      }
    }
  });
});

describe('floats', () => {
  it('are the samples times the scale, rounded once', () => {
    const random = new Random(2);
    const given = Int32Array.from({ length: 1001 }, () => random.below(2 ** 25) - 2 ** 24);
    samples.set(given, lookBack);
    const wanted = Float32Array.from(given, (value) => value * 2 ** -23);
    expect(kernel.toFloat(samples, given.length, 2 ** -23)).toEqual(wanted);
  });
});
