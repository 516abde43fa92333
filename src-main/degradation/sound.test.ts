import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import {
  atRate,
  clipped,
  gated,
  inRoom,
  middle,
  overWire,
  resampledOver,
  withBabble,
  withGain,
  withNoiseFloor,
  withoutPauses,
  withWhiteNoise,
} from './sound.ts';
import type { Sound } from './sound.ts';

const rate = 16_000;
const tone = (hertz: number, seconds = 1, amplitude = 0.3): Sound => ({
  samples: Float32Array.from(
    { length: rate * seconds },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hertz * i) / rate),
  ),
  sampleRateHz: rate,
});
const power = (samples: Float32Array): number => samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
const decibels = (ratio: number): number => 10 * Math.log10(ratio);
const less = (one: Sound, other: Sound): Float32Array => one.samples.map((sample, i) => sample - other.samples[i]);

/** A tone, a pause of near silence, a tone. */
function withPause(pauseAmplitude: number): Sound {
  const parts = [tone(300), tone(500, 1, pauseAmplitude), tone(300)].map(({ samples }) => [...samples]);
  return { samples: Float32Array.from(parts.flat()), sampleRateHz: rate };
}

it('adds noise at the ratio asked for, measured where there is sound', () => {
  const sound = withPause(0);
  const noisy = withWhiteNoise(sound, 15, new Random(1));
  expect(decibels(power(tone(300).samples) / power(less(noisy, sound)))).toBeCloseTo(15, 0);
  const voices = [tone(200).samples, tone(900, 1, 0.01).samples];
  const talking = withBabble(sound, 10, voices, new Random(1));
  expect(decibels(power(tone(300).samples) / power(less(talking, sound)))).toBeCloseTo(10, 0);
});

it('clips the share of samples asked for', () => {
  const { samples } = clipped(
    { ...tone(300), samples: Float32Array.from({ length: 1000 }, (_, i) => (i - 500) / 2000) },
    0.2,
  );
  // Of a ramp from -0.25 to 0.25 what lies beyond 0.2 is a fifth.
  expect(samples.filter((sample) => Math.abs(sample) === 1).length / 1000).toBeCloseTo(0.2, 2);
  expect(samples[625]).toBeCloseTo(0.0625 / 0.2, 2);
  expect(clipped({ samples: new Float32Array(10), sampleRateHz: rate }, 0.1).samples).toEqual(new Float32Array(10));
});

it('adds a noise floor of an absolute level', () => {
  const sound = tone(300);
  expect(decibels(power(less(withNoiseFloor(sound, -60, new Random(2)), sound)))).toBeCloseTo(-60, 0);
});

it('gives the same for the same seed and other noise for another', () => {
  const noise = (seed: number): Float32Array => withWhiteNoise(tone(300), 15, new Random(seed)).samples;
  expect(noise(1)).toEqual(noise(1));
  expect(noise(1)).not.toEqual(noise(2));
});

it('has a tail that falls by 60 dB in the time of the room, and the energy asked for', () => {
  const click = { samples: new Float32Array(rate), sampleRateHz: rate };
  click.samples[0] = 1;
  const { samples } = inRoom(click, 0.4, 3, new Random(3));
  expect(samples[0]).toBe(1);
  expect(-decibels(power(samples.subarray(1)) * (rate - 1))).toBeCloseTo(3, 1);
  const level = (from: number): number => decibels(power(samples.subarray(from * rate, (from + 0.05) * rate)));
  // 60 dB in 0.4 s are 45 in 0.3 s.
  expect(level(0.02) - level(0.32)).toBeGreaterThan(43);
  expect(level(0.02) - level(0.32)).toBeLessThan(47);
  expect(power(samples.subarray(0.45 * rate))).toBe(0);
});

it('cuts what a wire does not carry, at 8 kHz', () => {
  const level = (hertz: number): number => decibels(power(overWire(tone(hertz), 'mu-law').samples));
  expect(overWire(tone(1000), 'mu-law').sampleRateHz).toBe(8000);
  expect(level(1000)).toBeCloseTo(decibels(power(tone(1000).samples)), 0);
  expect(level(1000) - level(100)).toBeGreaterThan(15);
  expect(level(1000) - level(3900)).toBeGreaterThan(15);
});

it('loses what lies above half of a rate on the way', () => {
  expect(resampledOver(tone(3000), 8000).samples).toHaveLength(rate);
  expect(power(resampledOver(tone(3000), 8000).samples)).toBeCloseTo(power(tone(3000).samples), 2);
  expect(power(resampledOver(tone(5000), 8000).samples)).toBeLessThan(1e-5);
  expect(atRate(tone(300), 48_000).samples).toHaveLength(48_000);
});

it('clips what is made too loud', () => {
  expect(Math.max(...withGain(tone(300), 20).samples)).toBe(1);
  expect(Math.max(...withGain(tone(300), -20).samples)).toBeCloseTo(0.03, 4);
});

it('makes pauses zeros only where they are quiet enough, and cuts them out', () => {
  // 50 and 40 dB below the tones.
  const [quiet, audible] = [withPause(0.3 * 10 ** -2.5), withPause(0.3 * 10 ** -2)];
  const inside = ({ samples }: Sound): Float32Array => samples.subarray(1.1 * rate, 1.9 * rate);
  expect(power(inside(gated(quiet, 45)))).toBe(0);
  expect(gated(audible, 45).samples).toEqual(audible.samples);
  expect(withoutPauses(quiet, 45).samples).toHaveLength(2 * rate);
  expect(withoutPauses(audible, 45).samples).toHaveLength(3 * rate);
});

it('takes the middle, and no more than there is', () => {
  const { samples } = middle(withPause(0), 1);
  expect(samples).toHaveLength(rate);
  expect(power(samples)).toBe(0);
  expect(middle(tone(300), 3).samples).toHaveLength(rate);
});

it('leaves silence as it is', () => {
  const silence = { samples: new Float32Array(rate), sampleRateHz: rate };
  for (const out of [
    withWhiteNoise(silence, 10, new Random(1)),
    withBabble(silence, 10, [], new Random(1)),
    gated(silence, 45),
  ]) {
    expect(out.samples).toEqual(silence.samples);
  }
});
