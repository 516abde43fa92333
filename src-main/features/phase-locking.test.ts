import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { createFrontEnd, frontEndSchema, soundFor } from './front-end.ts';
import type { FrontEnd } from './front-end.ts';
import { PhaseLocking } from './phase-locking.ts';
import type { PhaseLockingLayout } from './phase-locking.ts';

const sampleRateHz = 16_000;
const ranges: [number, number][] = [
  [100, 7300],
  [3000, 7300],
];
const bands: [number, number][] = [
  [100, 800],
  [800, 7300],
];
const locking = {
  ...{ nFft: 512, hopLength: 256, points: 256, ratesHz: [86.1328, 5000], rangesHz: ranges, bandsHz: bands },
  ...{ quantiles: [0.5, 0.9], mostOfFrequency: 30 },
};
const asked = {
  type: 'periodicity',
  ...{ sampleRateHz, nFft: 1024, winLength: 1024, hopLength: 512, window: 'hann', center: false, floorPower: 1e-12 },
  ...{ fMin: 93.75, fMax: 7328.125, ratesHz: [1000], mostOfPair: 8 },
};
const frontEndOf = (more: object): FrontEnd => createFrontEnd(frontEndSchema.parse({ ...asked, ...more }));
const pairs = frontEndOf({}).bins;
const frontEnd = frontEndOf({ locking });

function noise(seed: number, seconds = 3): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: seconds * sampleRateHz }, () => 0.05 * random.normal());
}

describe('phases of fixed frequencies', () => {
  it('have a value for each rate and range that holds multiples, and for each band and quantile', () => {
    expect(frontEnd.bins - pairs).toBe(4 + 4);
    const narrow = { ...locking, ratesHz: [2500], rangesHz: [[100, 2000], ranges[1]] };
    expect(frontEndOf({ locking: narrow }).bins - pairs).toBe(1 + 4);
  });

  it('are what is said, frequency by frequency', () => {
    const random = new Random(4);
    const [count, frames] = [12, 21];
    const layout: PhaseLockingLayout = {
      ...{ sampleRateHz, nFft: 64, hopLength: 16, first: 4, count, fMin: 1000, fMax: 3750, ratesHz: [700] },
      ...{ rangesHz: [[1000, 3750]], bandsHz: [[1000, 3700]], quantiles: [0, 0.5, 1], points: 64 },
    };
    const spectrum = Float32Array.from({ length: 2 * count * frames }, () => random.normal());
    spectrum[3] = spectrum[count * frames + 3] = 0;
    const values = new Float32Array(4);
    new PhaseLocking(layout).compute(spectrum, frames, 1e-12, 2, values);
    const powerAt = (hz: number, bin: number): number => {
      let [sumRe, sumIm] = [0, 0];
      for (let frame = 0; frame < frames; frame++) {
        const at = (bin - 4) * frames + frame;
        const [re, im] = [spectrum[at], spectrum[count * frames + at]];
        const size = Math.hypot(re, im) || 1;
        const angle = (-2 * Math.PI * hz * 16 * frame) / sampleRateHz;
        sumRe += (re * Math.cos(angle) - im * Math.sin(angle)) / size;
        sumIm += (re * Math.sin(angle) + im * Math.cos(angle)) / size;
      }
      return (sumRe ** 2 + sumIm ** 2) / frames;
    };
    const multiples = [1400, 2100, 2800, 3500];
    const mean = multiples.reduce((sum, hz) => sum + Math.min(2, powerAt(hz, Math.round(hz / 250))), 0) / 4;
    expect(values[0]).toBeCloseTo(mean, 4);
    // Points lie 15.625 Hz apart, sixteen to a bin.
    const powers = Array.from({ length: count * 16 }, (_, at) => ({
      hz: 875 + at * 15.625,
      bin: 4 + Math.floor(at / 16),
    }))
      .filter(({ hz }) => hz >= 1000 && hz < 3700)
      .map(({ hz, bin }) => powerAt(hz, bin))
      .sort((one, other) => one - other);
    const expected = [powers[0], powers[Math.floor(powers.length / 2)], powers[powers.length - 1]];
    for (const [index, value] of expected.entries()) expect(values[1 + index]).toBeCloseTo(value, 4);
  });

  it('are by chance in noise, and kept by what repeats itself far below it', () => {
    const plain = frontEnd.compute(noise(1)).slice(pairs);
    for (const value of [plain[0], plain[1]]) expect(Math.abs(value - 1)).toBeLessThan(0.35);
    // Powers of a sum of unit phasors of chance are distributed exponentially: ln 2 and ln 10; frames overlap, so that some more is kept near a bin's middle.
    for (const [at, value] of [Math.LN2, Math.LN10, Math.LN2, Math.LN10].entries()) {
      expect(plain[4 + at] / value).toBeGreaterThan(1);
      expect(plain[4 + at] / value).toBeLessThan(1.25);
    }
    // A click every 256 samples of 22,050 Hz, 30 dB below the noise.
    const clicks = noise(1);
    const every = sampleRateHz / 86.1328;
    for (let at = 0; at < clicks.length; at += every)
      clicks[Math.floor(at)] += 0.05 * 10 ** (-30 / 20) * Math.sqrt(every) * 8;
    const kept = frontEnd.compute(clicks).slice(pairs);
    expect(kept[0]).toBeGreaterThan(plain[0] + 1);
    expect(kept[1]).toBeGreaterThan(plain[1] + 1);
  });

  it('of sound that fills a window by repetition are those of the sound, where it is looked at once', () => {
    const sound = noise(2, 1);
    const window = Float32Array.from({ length: 3 * sampleRateHz }, (_, at) => sound[at % sound.length]);
    const once = frontEndOf({ locking, soundOnce: true });
    expect(soundFor(frontEnd, window, sound.length)).toBe(window);
    expect([...once.compute(soundFor(once, window, sound.length))]).toEqual([...once.compute(sound)]);
    // Memory that longer sound has used leaves nothing behind.
    once.compute(window);
    expect([...once.compute(sound)]).toEqual([...frontEndOf({ locking, soundOnce: true }).compute(sound)]);
    // Of too little the repetition is looked at, too.
    expect(soundFor(once, window, 100)).toHaveLength(1024 + 7 * 512);
  });

  it.each([
    [{ points: 100 }, 'power of two'],
    [{ hopLength: 3, points: 64 }, 'multiple of 2 * nFft'],
    [{ hopLength: 1024 }, 'hopLength at most nFft'],
    [{ nFft: 32_768, hopLength: 16_384, points: 32_768 }, 'points are too many'],
    [{ ratesHz: [1e-4] }, 'multiples are too many'],
    [{ nFft: 64, hopLength: 32, points: 64, bandsHz: [[7376, 7450]] }, 'bandsHz'],
    [{ bandsHz: [[100, 7900]] }, 'bandsHz'],
    [{ bandsHz: [[500, 500.1]] }, 'bandsHz'],
    [{ rangesHz: [[800, 700]] }, 'rangesHz'],
  ])('are refused where they cannot be: %j', (change, why) => {
    const parsed = frontEndSchema.safeParse({ ...asked, locking: { ...locking, ...change } });
    expect(parsed.error?.message).toContain(why);
  });
});
