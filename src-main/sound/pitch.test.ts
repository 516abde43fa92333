import { describe, expect, it } from 'vitest';
import { tone } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { pitchOf, pitchStatistics } from './pitch.ts';

const rate = 16_000;
const range = { floorHz: 75, ceilingHz: 500 };
const random = new Random(5);
const noise = (length: number, amplitude: number): Float32Array =>
  Float32Array.from({ length }, () => amplitude * (2 * random.uniform() - 1));

/** Pulses, as of a voice, through resonances: all harmonics, the fundamental not the strongest. */
function voice(seconds: number, hzAt: (time: number) => number): Float32Array {
  const out = new Float32Array(Math.round(seconds * rate));
  let phase = 0;
  out.forEach((_, i) => {
    const hz = hzAt(i / rate);
    phase += hz / rate;
    for (let harmonic = 1; harmonic * hz < 4000; harmonic++) {
      const frequency = harmonic * hz;
      const weight =
        0.2 + Math.exp(-(((frequency - 700) / 200) ** 2)) + 0.5 * Math.exp(-(((frequency - 1800) / 300) ** 2));
      out[i] += (0.05 * weight * Math.cos(2 * Math.PI * harmonic * phase)) / Math.sqrt(harmonic);
    }
  });
  return out;
}

describe('the fundamental frequency', () => {
  it.each([80, 110, 123.4, 220, 333, 480])('of a voice at %d Hz is found in every frame', (hz) => {
    const { frequenciesHz, timesSeconds } = pitchOf(
      voice(1, () => hz),
      rate,
      range,
    );
    expect(frequenciesHz.length).toBeGreaterThan(90);
    for (const found of frequenciesHz) expect(Math.abs((found ?? 0) - hz) / hz).toBeLessThan(0.005);
    expect(timesSeconds[1] - timesSeconds[0]).toBeCloseTo(0.01, 4);
  });

  it('of a sine is its own', () => {
    for (const hz of pitchOf(tone(200, rate, 1, 0.3), rate, range).frequenciesHz) expect(hz).toBeCloseTo(200, 0);
  });

  it('is found without its own harmonic, as in a telephone', () => {
    const hz = 120;
    const samples = Float32Array.from({ length: rate }, (_, i) =>
      [3, 4, 5, 6, 7, 8].reduce((sum, harmonic) => sum + 0.1 * Math.sin((2 * Math.PI * harmonic * hz * i) / rate), 0),
    );
    expect(pitchStatistics(pitchOf(samples, rate, range)).medianHz).toBeCloseTo(hz, 0);
  });

  it('follows a glide without jumping by octaves', () => {
    const at = (time: number): number => 100 * 3 ** (time / 2);
    const { timesSeconds, frequenciesHz } = pitchOf(voice(2, at), rate, range);
    frequenciesHz.forEach((hz, i) => {
      expect(Math.abs((hz ?? 0) / at(timesSeconds[i]) - 1)).toBeLessThan(0.02);
    });
  });

  it('is none of silence, and of noise only by chance', () => {
    expect(pitchOf(new Float32Array(rate), rate, range).frequenciesHz.every((hz) => hz === null)).toBe(true);
    expect(pitchStatistics(pitchOf(noise(2 * rate, 0.3), rate, range)).voicedShare).toBeLessThan(0.05);
  });

  it('is there where the voice is, and in noise of a twentieth of its power', () => {
    const samples = new Float32Array(3 * rate);
    samples.set(
      voice(1, () => 150),
      rate,
    );
    const level = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / rate);
    const noisy = noise(samples.length, level * Math.sqrt(3 / 20));
    const { timesSeconds, frequenciesHz } = pitchOf(
      samples.map((value, i) => value + noisy[i]),
      rate,
      range,
    );
    frequenciesHz.forEach((hz, i) => {
      const time = timesSeconds[i];
      if (time > 1.05 && time < 1.95) expect(Math.abs((hz ?? 0) - 150)).toBeLessThan(3);
      if (time < 0.95 || time > 2.05) expect(hz === null || Math.abs(hz - 150) > 3).toBe(true);
    });
  });

  it('of less than a frame is none', () => {
    expect(pitchOf(new Float32Array(100), rate, range)).toEqual({ timesSeconds: [], frequenciesHz: [] });
    expect(pitchStatistics({ timesSeconds: [], frequenciesHz: [] }).medianHz).toBeNull();
  });
});
