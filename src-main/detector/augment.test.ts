import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { augmentSamples, compand, defaultAugmentation, maskSpectrogram, transformCode } from './augment.ts';
import { babble } from './testing.ts';

const voice = babble(1, 4);

/** Power of the difference against power of the first, in dB. */
function snrDb(signal: Float32Array, changed: Float32Array): number {
  let power = 0;
  let noise = 0;
  for (let i = 0; i < signal.length; i++) {
    power += signal[i] ** 2;
    noise += (signal[i] - changed[i]) ** 2;
  }
  return 10 * Math.log10(power / noise);
}

describe('the transform coder', () => {
  it('gives the signal back where it hardly rounds', () => {
    const coded = voice.slice();
    transformCode(coded, 80);
    expect(snrDb(voice, coded)).toBeGreaterThan(60);
  });

  it('makes the noise that it was asked for, or less', () => {
    for (const wanted of [8, 15]) {
      const coded = voice.slice();
      transformCode(coded, wanted);
      expect(snrDb(voice, coded)).toBeGreaterThan(wanted - 3);
      expect(snrDb(voice, coded)).toBeLessThan(wanted + 8);
    }
  });
});

describe('companding', () => {
  it('leaves eight bits, finer where the signal is weak', () => {
    const coded = voice.slice();
    compand(coded);
    expect(new Set(coded).size).toBeLessThanOrEqual(255);
    expect(snrDb(voice, coded)).toBeGreaterThan(25);
    const silent = new Float32Array(5);
    compand(silent);
    expect(silent.every((sample) => sample === 0)).toBe(true);
  });
});

describe('augmentation', () => {
  it('repeats itself for a seed, differs for another, stays finite and of the same length', () => {
    const varied = (seed: number): Float32Array => {
      const samples = voice.slice();
      augmentSamples(samples, 16_000, defaultAugmentation, new Random(seed));
      return samples;
    };
    const all = Array.from({ length: 12 }, (_, seed) => varied(seed));
    expect(all[3]).toEqual(varied(3));
    expect(new Set(all.map((samples) => samples.join())).size).toBeGreaterThan(6);
    for (const samples of all) {
      expect(samples).toHaveLength(voice.length);
      expect(samples.every(Number.isFinite)).toBe(true);
    }
  });

  it('adds a tail to a click in a room', () => {
    const click = new Float32Array(16_000);
    click[100] = 1;
    const room = {
      ...defaultAugmentation,
      noise: { ...defaultAugmentation.noise, probability: 0 },
      bandLimit: { ...defaultAugmentation.bandLimit, probability: 0 },
      codec: { ...defaultAugmentation.codec, probability: 0 },
      reverberation: { ...defaultAugmentation.reverberation, probability: 1 },
    };
    augmentSamples(click, 16_000, room, new Random(1));
    const power = (from: number, to: number): number => click.subarray(from, to).reduce((sum, x) => sum + x * x, 0);
    expect(click[100]).toBeCloseTo(1, 1);
    expect(power(101, 3000)).toBeGreaterThan(0);
    expect(power(101, 1500)).toBeGreaterThan(power(1500, 3000));
    expect(power(0, 100)).toBe(0);
  });

  it('masks whole rows and columns of a spectrogram with its mean', () => {
    const values = Float32Array.from({ length: 20 * 50 }, (_, index) => index);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    maskSpectrogram(values, 20, 50, defaultAugmentation, new Random(6));
    const masked = [...values].filter((value) => Math.abs(value - mean) < 0.01).length;
    expect(masked).toBeGreaterThan(0);
    expect(masked).toBeLessThan(values.length);
  });
});
