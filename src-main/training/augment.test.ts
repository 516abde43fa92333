import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { defaultAugmentation } from '../detector/augmentation.ts';
import { augmentSamples, compand, maskSpectrogram, transformCode } from './augment.ts';
import { babble } from '../detector/testing.ts';

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

  it('masks the same stripes in every plane', () => {
    const [bins, frames, planes] = [20, 50, 3];
    const random = new Random(2);
    const before = Float32Array.from({ length: planes * bins * frames }, () => random.normal());
    const after = before.slice();
    maskSpectrogram(after, { bins: planes * bins, planes }, frames, defaultAugmentation, new Random(6));
    const masked = [0, 1, 2].map((plane) =>
      Array.from({ length: bins * frames }, (_, at) => plane * bins * frames + at).map(
        (at) => after[at] !== before[at],
      ),
    );
    expect(masked[0]).toContain(true);
    expect(masked[0]).toContain(false);
    expect(masked[1]).toEqual(masked[0]);
    expect(masked[2]).toEqual(masked[0]);
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

  it("masks whole rows and columns of a spectrogram with each bin's mean", () => {
    const [bins, frames] = [20, 50];
    const random = new Random(2);
    const before = Float32Array.from(
      { length: bins * frames },
      (_, index) => random.normal() + Math.floor(index / frames),
    );
    const after = before.slice();
    maskSpectrogram(after, { bins, planes: 1 }, frames, defaultAugmentation, new Random(6));
    const meanOf = (bin: number): number =>
      before.subarray(bin * frames, (bin + 1) * frames).reduce((sum, value) => sum + value, 0) / frames;
    const isMasked = (bin: number, frame: number): boolean =>
      after[bin * frames + frame] !== before[bin * frames + frame];
    const all = (length: number): number[] => [...Array(length).keys()];
    const rows = all(bins).filter((bin) => all(frames).every((frame) => isMasked(bin, frame)));
    const columns = all(frames).filter((frame) => all(bins).every((bin) => isMasked(bin, frame)));
    expect(rows.length).toBeGreaterThan(0);
    expect(columns.length).toBeGreaterThan(0);
    for (const bin of all(bins)) {
      for (const frame of all(frames)) {
        expect(isMasked(bin, frame)).toBe(rows.includes(bin) || columns.includes(frame));
        if (isMasked(bin, frame)) expect(after[bin * frames + frame]).toBeCloseTo(meanOf(bin), 5);
      }
    }
  });
});
