import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { EdgeFade } from './fade.ts';
import { tone } from './testing.ts';

function faded(signal: Float32Array, cuts: number[] = []): number[] {
  const fade = new EdgeFade(0.02, 16_000);
  const ends = [...cuts, signal.length];
  const parts = ends.map((end, index) => fade.process(signal.slice(ends[index - 1] ?? 0, end)));
  return [...parts, fade.flush()].flatMap((part) => [...part]);
}

function noise(length: number): Float32Array {
  const random = new Random(4);
  return Float32Array.from({ length }, () => 0.1 + random.uniform());
}

function withSilence(before: number, sound: Float32Array, after: number): Float32Array {
  const signal = new Float32Array(before + sound.length + after);
  signal.set(sound, before);
  return signal;
}

describe('EdgeFade', () => {
  it('fades both ends over 20 ms and leaves the rest', () => {
    const signal = noise(4000);
    const out = faded(signal);
    expect(out.length).toBe(4000);
    expect(out.slice(320, -320)).toEqual([...signal.slice(320, -320)]);
    for (const at of [0, 3999]) expect(out[at] / signal[at]).toBeLessThan(1e-4);
    for (const at of [160, 3839]) expect(out[at] / signal[at]).toBeCloseTo(0.5, 1);
  });

  it('passes digital silence over, short or long, however the signal is cut', () => {
    const sound = noise(4000);
    const wanted = faded(sound);
    for (const silence of [7, 5000, 40_000]) {
      const signal = withSilence(silence, sound, silence);
      for (const cuts of [[], [silence + 3], [1, silence, silence + 3999, silence + 4005], [silence + 4000]]) {
        const out = faded(signal, cuts);
        expect(out.length).toBe(signal.length);
        expect(out.slice(silence, silence + 4000)).toEqual(wanted);
        expect(out.slice(0, silence).every((x) => x === 0)).toBe(true);
      }
    }
  });

  it('takes a second of zeros as an end, and less as a pause', () => {
    const sound = noise(4000);
    for (const [pause, ends] of [
      [8000, false],
      [16_000, true],
    ] as const) {
      const signal = new Float32Array(8000 + pause);
      signal.set(sound);
      signal.set(sound, 4000 + pause);
      const out = faded(signal, [3000, 9000, 17_000]);
      expect(out.length).toBe(signal.length);
      expect(Math.abs(out[3999]) < 1e-3).toBe(ends);
      expect(Math.abs(out[4000 + pause]) < 1e-3).toBe(ends);
    }
  });

  it('keeps a tone that begins with the recording from clicking', () => {
    // Energy below 7 kHz of a tone at 7.8 kHz, by a plain discrete Fourier transform at some places.
    const low = (signal: ArrayLike<number>): number => {
      let sum = 0;
      for (let hertz = 500; hertz < 7000; hertz += 250) {
        let re = 0;
        let im = 0;
        for (let i = 0; i < 1600; i++) {
          re += signal[i] * Math.cos((2 * Math.PI * hertz * i) / 16_000 + 0.3);
          im += signal[i] * Math.sin((2 * Math.PI * hertz * i) / 16_000 + 0.3);
        }
        sum += re * re + im * im;
      }
      return sum;
    };
    const signal = tone(7803, 16_000, 0.1);
    expect(low(faded(signal))).toBeLessThan(1e-4 * low(signal));
  });

  it('gives nothing for nothing', () => {
    expect(faded(new Float32Array(0))).toEqual([]);
    expect(faded(new Float32Array(50_000))).toEqual(Array.from({ length: 50_000 }, () => 0));
  });
});
