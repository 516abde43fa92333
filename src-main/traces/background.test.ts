import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { backgroundAnswer } from './answers.ts';
import { BackgroundMeter } from './background.ts';
import { cutOut, inBlocks, noise, sum, voice } from './testing.ts';

const rateHz = 8000;
const seconds = 60;

function measured(samples: Float32Array) {
  const meter = new BackgroundMeter(rateHz);
  for (const block of inBlocks(samples)) meter.push(block);
  return meter.finish();
}

describe('a voice over steady noise', () => {
  const random = new Random(21);
  const around = noise(random, rateHz * seconds, 0.0015);
  const speech = voice(random, rateHz, seconds, 0.05);
  const from = 25 * rateHz;
  /** With something else from second 25 on. */
  const changed = (change: (sample: number, i: number) => number): Float32Array =>
    sum(
      around.map((x, i) => (i >= from ? change(x, i) : x)),
      speech,
    );

  it('has no step, nor where a stretch of the same was cut out', () => {
    const whole = measured(sum(around, speech));
    expect([whole.noiseSteps, whole.dcSteps]).toEqual([[], []]);
    expect(backgroundAnswer(whole, seconds).sentence).toMatch(/^No step/);
    const cut = measured(cutOut(sum(around, speech), 20 * rateHz, 24 * rateHz));
    expect([cut.noiseSteps, cut.dcSteps]).toEqual([[], []]);
  });

  it('steps where the noise grows by 8 dB, there alone', () => {
    const { noiseSteps, dcSteps } = measured(changed((x) => 2.5 * x));
    expect(noiseSteps.map((step) => Math.abs(step.seconds - 25) <= 2)).toEqual([true]);
    expect(noiseSteps[0].size).toBeCloseTo(8, -0.5);
    expect(dcSteps).toEqual([]);
  });

  it('steps where the noise is of another colour and as loud', () => {
    const white = noise(random, rateHz * seconds, 0.0015 / Math.SQRT2);
    const other = white.map((x, i) => x - (white[i - 1] ?? 0));
    const { noiseSteps } = measured(changed((_, i) => other[i]));
    expect(noiseSteps.map((step) => Math.abs(step.seconds - 25) <= 2)).toEqual([true]);
  });

  it('steps where the mean of the samples does, and says at which', () => {
    const found = measured(changed((x) => x + 0.0005));
    expect(found.dcSteps.map((step) => Math.abs(step.seconds - 25) <= 2)).toEqual([true]);
    expect(found.dcSteps[0].size).toBeCloseTo(0.0005, 4);
    expect(found.noiseSteps).toEqual([]);
    expect(backgroundAnswer(found, seconds).sentence).toMatch(/^The mean of the samples at 0:2[3-7]/);
  });

  it('is not assessed where it is short, or mostly digital silence', () => {
    expect(backgroundAnswer(measured(around.subarray(0, 10 * rateHz)), 10).sentence).toMatch(/^Not assessed: the/);
    const silent = measured(new Float32Array(40 * rateHz));
    expect(silent.noiseSteps).toEqual([]);
    expect(backgroundAnswer(silent, 40).sentence).toMatch(/^Not assessed: there is too little/);
  });

  it('digital silence within it is no step', () => {
    const gap = sum(around, speech).map((x, i) => (i >= from && i < from + 3 * rateHz ? 0 : x));
    expect(measured(gap)).toMatchObject({ noiseSteps: [], dcSteps: [] });
  });
});
