import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { createFrontEnd, frontEndSchema } from './front-end.ts';
import { Periodicity, periodicitySums } from './periodicity.ts';

const sampleRateHz = 16_000;
const ratesHz = [86.1328, 1000, 4000];
const parameters = frontEndSchema.parse({
  type: 'periodicity',
  ...{ sampleRateHz, nFft: 1024, winLength: 1024, hopLength: 512, window: 'hann', center: false, floorPower: 1e-12 },
  ...{ fMin: 93.75, fMax: 7328.125, ratesHz, mostOfPair: 8 },
});
const frontEnd = createFrontEnd(parameters);
const layout = { sampleRateHz, nFft: 1024, hopLength: 512, first: 6, count: 464, ratesHz };
const sums = periodicitySums(layout);
const seconds = 3;

function noise(seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: seconds * sampleRateHz }, () => 0.05 * random.normal());
}

const valueOf = (values: Float32Array, rateHz: number, isMirrored: boolean): number =>
  values[sums.findIndex((one) => one.rateHz === rateHz && one.isMirrored === isMirrored)];

describe('how phases are kept', () => {
  it('has a value for each rate and both kinds of pairs, where there are enough', () => {
    expect(sums.map(({ rateHz, isMirrored }) => [rateHz, isMirrored])).toEqual([
      [86.1328, false],
      [1000, false],
      [1000, true],
      [4000, false],
      [4000, true],
    ]);
    expect([frontEnd.bins, frontEnd.frameCount(48_000), frontEnd.frameCount(1000)]).toEqual([5, 1, 0]);
    for (const { first, end, distance, isMirrored } of sums) {
      const others = [first, end - 1].map((bin) => (isMirrored ? distance - bin : bin - distance));
      expect(Math.min(...others, first)).toBeGreaterThanOrEqual(layout.first);
      expect(Math.max(...others, end - 1)).toBeLessThan(layout.first + layout.count);
    }
  });

  it('is what it says, of single bins put together one by one', () => {
    const bins = 40;
    const frames = 13;
    const random = new Random(9);
    const small = { sampleRateHz, nFft: 1024, hopLength: 512, first: 10, count: bins, ratesHz: [330, 937.25] };
    const spectrum = Float32Array.from({ length: 2 * bins * frames }, () => random.normal());
    // One bin is silent at one time.
    spectrum[5 * frames + 3] = spectrum[(bins + 5) * frames + 3] = 0;
    const periodicity = new Periodicity(small);
    const values = new Float32Array(periodicity.size);
    periodicity.compute(spectrum, frames, 1e-12, 3, values);
    const unit = (bin: number, frame: number): [number, number] => {
      const [re, im] = [0, bins].map((part) => spectrum[(part + bin - small.first) * frames + frame]);
      const size = Math.hypot(re, im);
      return size === 0 ? [0, 0] : [re / size, im / size];
    };
    const expected = periodicitySums(small).map(({ rateHz, distance, isMirrored, first, end }) => {
      let total = 0;
      for (let bin = first; bin < end; bin++) {
        let [sumRe, sumIm] = [0, 0];
        for (let frame = 0; frame < frames; frame++) {
          const [aRe, aIm] = unit(bin, frame);
          const [bRe, plainIm] = unit(isMirrored ? distance - bin : bin - distance, frame);
          const bIm = isMirrored ? plainIm : -plainIm;
          const angle = (-2 * Math.PI * rateHz * small.hopLength * frame) / sampleRateHz;
          const [re, im] = [aRe * bRe - aIm * bIm, aRe * bIm + aIm * bRe];
          sumRe += re * Math.cos(angle) - im * Math.sin(angle);
          sumIm += re * Math.sin(angle) + im * Math.cos(angle);
        }
        total += Math.min(3, (sumRe ** 2 + sumIm ** 2) / frames);
      }
      return total / (end - first);
    });
    expect(expected).toHaveLength(2);
    for (const [index, value] of expected.entries()) expect(values[index]).toBeCloseTo(value, 5);
  });

  it('is about one in noise, at every rate', () => {
    const values = frontEnd.compute(noise(1));
    // Bins of neighbouring windows are not independent.
    for (const value of values) expect(value).toBeGreaterThan(0.75);
    for (const value of values) expect(value).toBeLessThan(1.35);
  });

  it('grows at the rate by which noise grows and falls, and at its multiples alone', () => {
    const samples = noise(2).map((x, at) => x * (1 + 0.7 * Math.cos((2 * Math.PI * 1000 * at) / sampleRateHz)));
    const values = frontEnd.compute(samples);
    expect(valueOf(values, 1000, false)).toBeGreaterThan(2);
    expect(valueOf(values, 86.1328, false)).toBeLessThan(1.35);
    expect(valueOf(values, 4000, true)).toBeLessThan(1.35);
  });

  it('grows where every second sample is filled in from its neighbours: images about half of the old rate', () => {
    const samples = noise(3);
    // 4 kHz, held for four samples.
    const held = samples.map((_, at) => samples[at - (at % 4)]);
    const values = frontEnd.compute(held);
    expect(valueOf(values, 4000, true)).toBeGreaterThan(3);
    expect(valueOf(values, 1000, false)).toBeLessThan(1.35);
  });

  it('takes no more from a pair than it may, and nothing from silence', () => {
    const tones = Float32Array.from({ length: 48_000 }, (_, at) => 0.2 * (Math.sin((2 * Math.PI * 2000 * at) / sampleRateHz) + Math.sin((2 * Math.PI * 3000 * at) / sampleRateHz))); // prettier-ignore
    const samples = noise(4).map((x, at) => x + tones[at]);
    expect(valueOf(frontEnd.compute(samples), 1000, false)).toBeLessThan(1.6);
    expect([...frontEnd.compute(new Float32Array(48_000))]).toEqual(Array(5).fill(0));
  });
});
