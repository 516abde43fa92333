import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { transform } from '../base/fft.ts';
import { rateAnswer } from './answers.ts';
import { RateMeter } from './earlier-rate.ts';
import type { EarlierRates } from './earlier-rate.ts';
import { inBlocks, interpolated, noise, quantised, sum, voice } from './testing.ts';

function measured(samples: Float32Array, rateHz: number): EarlierRates {
  const meter = new RateMeter(rateHz);
  for (const block of inBlocks(samples)) meter.push(block);
  return meter.finish();
}

function speech(seed: number, rateHz: number, seconds: number): Float32Array {
  const random = new Random(seed);
  const said = voice(random, rateHz, seconds, 0.05);
  return quantised(sum(said, noise(random, said.length, 0.0005)));
}

const ratesOf = ({ rates }: EarlierRates): number[] => rates.map(({ rateHz }) => rateHz);

describe('an earlier sampling rate', () => {
  it.each([
    [8000, 16_000],
    [16_000, 44_100],
    [44_100, 48_000],
    [48_000, 44_100],
  ])('of %d Hz is found at %d Hz after a cheap resampler', (from, to) => {
    const found = measured(interpolated(speech(1, from, 8), from, to), to);
    expect(ratesOf(found)).toContain(from);
    // Multiples are those of the lowest.
    expect(ratesOf(found).filter((rate) => rate !== from && rate % from === 0)).toEqual([]);
    expect(rateAnswer(found, 8, to).sentence).toContain('traces of an earlier sampling rate');
  });

  it.each([8000, 16_000, 44_100])('is not found where there was none, at %d Hz', (rate) => {
    const found = measured(speech(2, rate, 20), rate);
    expect(found.rates).toEqual([]);
    expect(rateAnswer(found, 20, rate).sentence).toBe('No trace of an earlier sampling rate was found.');
  });

  it('is not found after a resampler that lets nothing through: no trace is no proof', () => {
    const size = 2 ** 16;
    const before = speech(3, 8000, 10).subarray(0, size);
    const [re, im] = [Float64Array.from(before), new Float64Array(size)];
    transform(re, im);
    const [wideRe, wideIm] = [new Float64Array(2 * size), new Float64Array(2 * size)];
    for (let bin = 1; bin < size / 2; bin++) {
      for (const [to, from] of [[bin, bin], [2 * size - bin, size - bin]]) [wideRe[to], wideIm[to]] = [2 * re[from], 2 * im[from]]; // prettier-ignore
    }
    transform(wideRe, wideIm, true);
    expect(measured(quantised(Float32Array.from(wideRe)), 16_000).rates).toEqual([]);
  });

  it('that a part alone had begins and ends with that part', () => {
    const samples = speech(4, 16_000, 80);
    samples.set(interpolated(speech(5, 8000, 30), 8000, 16_000), 30 * 16_000);
    const found = measured(samples, 16_000);
    expect(ratesOf(found)).toEqual([8000]);
    expect(found.runs).toHaveLength(1);
    const [{ startSeconds, endSeconds }] = found.runs;
    // Windows of ten seconds hold a part of it from five seconds before.
    expect(Math.abs(startSeconds - 30)).toBeLessThan(8);
    expect(Math.abs(endSeconds - 60)).toBeLessThan(8);
    const { places, sentence } = rateAnswer(found, 80, 16_000);
    expect(places.map(({ what }) => /(begin|end),/.exec(what)?.[1])).toEqual(['begin', 'end']);
    expect(sentence).toContain('see the places');
  });

  it('is not looked for in what is short or silent', () => {
    expect(rateAnswer(measured(speech(6, 16_000, 2), 16_000), 2, 16_000).sentence).toMatch(
      /^Not assessed: .* 3 seconds/,
    );
    expect(rateAnswer(measured(new Float32Array(160_000), 16_000), 10, 16_000).sentence).toMatch(/^Not assessed/);
    expect(measured(new Float32Array(0), 16_000)).toMatchObject({ rates: [], runs: [], frames: 0 });
  });

  it('is not told of by a whistle that lies where an image would', () => {
    const samples = speech(7, 16_000, 20).map(
      (x, i) =>
        x + 0.05 * Math.sin((2 * Math.PI * 3700 * i) / 16_000) + 0.05 * Math.sin((2 * Math.PI * 4300 * i) / 16_000),
    );
    expect(measured(samples, 16_000).rates).toEqual([]);
  });
});
