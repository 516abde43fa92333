import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { Resampler } from './resample.ts';
import { tone } from './testing.ts';

function resample(input: Float32Array, fromHz: number, toHz: number, cuts: number[] = [input.length]): Float32Array {
  const resampler = new Resampler(fromHz, toHz);
  const parts: Float32Array[] = [];
  let at = 0;
  for (const cut of cuts) {
    parts.push(resampler.process(input.subarray(at, at + cut)));
    at += cut;
  }
  parts.push(resampler.process(input.subarray(at)), resampler.flush());
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    out.set(part, to);
    to += part.length;
  }
  return out;
}

/** Level of the middle of a signal against a sine of amplitude 0.5, in dB. */
function level(samples: Float32Array): number {
  const edge = Math.floor(samples.length / 5);
  let sum = 0;
  for (const x of samples.subarray(edge, samples.length - edge)) sum += x * x;
  return 10 * Math.log10(sum / (samples.length - 2 * edge) / 0.125);
}

describe('Resampler', () => {
  test.each([
    [44100, 10000],
    [44100, 8330],
    [48000, 8330],
    [48000, 20000],
    [22050, 8330],
    [44099, 8330],
  ])('a tone from %i Hz at %i Hz, above the band, ends 90 dB down', (rate, frequency) => {
    expect(level(resample(tone(frequency, rate, 1), rate, 16000))).toBeLessThan(-89);
  });

  test.each([44100, 48000, 22050, 22500, 44099, 8000, 96000])(
    'from %i Hz a 1 kHz tone keeps level and phase',
    (rate) => {
      const out = resample(tone(1000, rate, 1), rate, 16000);
      const wanted = tone(1000, 16000, 1);
      expect(Math.abs(level(out))).toBeLessThan(0.001);
      let worst = 0;
      for (let i = 3000; i < 13000; i++) worst = Math.max(worst, Math.abs(out[i] - wanted[i]));
      expect(worst).toBeLessThan(3e-5);
    },
  );

  test('the band is flat to 0.9 of the Nyquist frequency and 0.1 dB down at 0.92', () => {
    expect(Math.abs(level(resample(tone(7200, 44100, 1), 44100, 16000)))).toBeLessThan(0.005);
    expect(Math.abs(level(resample(tone(7360, 44100, 1), 44100, 16000)))).toBeLessThan(0.1);
  });

  test('images of a signal whose rate is raised are 90 dB down', () => {
    const out = resample(tone(3000, 8000, 1), 8000, 16000);
    const wanted = tone(3000, 16000, 1);
    for (let i = 0; i < out.length; i++) out[i] = 0.5 * (out[i] - wanted[i]);
    expect(level(out)).toBeLessThan(-89);
  });

  test.each([
    [44100, 16000],
    [48000, 16000],
    [44099, 16000],
    [8000, 16000],
    [1000, 768000],
  ])('from %i to %i Hz the output does not depend on the cuts', (from, to) => {
    const random = new Random(7);
    const input = new Float32Array(Math.min(from, 20000)).map(() => random.between(-1, 1));
    const whole = resample(input, from, to);
    const cuts = [1, 0, 2, 7, 63, 1, 500, ...Array.from({ length: 8 }, () => random.below(900))];
    expect(Buffer.from(resample(input, from, to, cuts).buffer).equals(Buffer.from(whole.buffer))).toBe(true);
  });

  test.each([
    [44100, 16000, 44100],
    [44100, 16000, 1],
    [22050, 16000, 33333],
    [44099, 16000, 12345],
    [8000, 16000, 999],
    [768000, 16000, 5000],
    [767999, 16000, 5001],
    [16000, 44100, 3],
    [48000, 16000, 0],
  ])('from %i to %i Hz %i samples become their share', (from, to, count) => {
    const out = resample(new Float32Array(count).fill(0.25), from, to);
    expect(out.length).toBe(Math.round((count * to) / from));
    expect(out.every(Number.isFinite)).toBe(true);
  });

  test('equal rates change nothing, and blocks are not shared', () => {
    const input = tone(440, 16000, 0.1);
    const resampler = new Resampler(16000, 16000);
    const out = resampler.process(input);
    expect(out).toEqual(input);
    expect(out.buffer).not.toBe(input.buffer);
    expect(resampler.flush().length).toBe(0);
  });

  test('rates that are none are refused', () => {
    expect(() => new Resampler(0, 16000)).toThrow(RangeError);
    expect(() => new Resampler(16000, 0.5)).toThrow(RangeError);
  });
});
