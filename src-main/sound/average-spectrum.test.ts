import { describe, expect, it } from 'vitest';
import { defaultAnalysis } from '../../src-common/analysis-windows.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { tone } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { averageSpectrum } from './average-spectrum.ts';

const rate = 16_000;

async function of(samples: Float32Array, analysis: SpectrumAnalysis = defaultAnalysis, block = 7001) {
  async function* blocks(): AsyncGenerator<Float32Array> {
    for (let at = 0; at < samples.length; at += block) yield samples.subarray(at, at + block);
  }
  return averageSpectrum(blocks(), rate, analysis);
}

describe('the long-term average spectrum', () => {
  it('of a sine has its level at its frequency, whatever the window', async () => {
    for (const window of ['hann', 'blackman-harris', 'rectangular'] as const) {
      const { hzPerBin, levelsDbfs, frames } = await of(tone(1000, rate, 20, 0.1), { ...defaultAnalysis, window });
      const bin = 1000 / hzPerBin;
      expect(levelsDbfs[bin]).toBeCloseTo(-20, 1);
      expect(levelsDbfs.indexOf(Math.max(...levelsDbfs))).toBe(bin);
      expect(frames).toBe(1 + Math.floor((20 * rate - 512) / 256));
    }
  });

  it('of a sound that is half as long as it is silent is 3 dB lower', async () => {
    const samples = new Float32Array(40 * rate);
    samples.set(tone(1000, rate, 20, 0.1));
    const { hzPerBin, levelsDbfs } = await of(samples);
    expect(levelsDbfs[1000 / hzPerBin]).toBeCloseTo(-23, 1);
  });

  it('of white noise is level, and adds up to its power', async () => {
    const random = new Random(4);
    const samples = Float32Array.from({ length: 30 * rate }, () => 0.2 * (2 * random.uniform() - 1));
    const { hzPerBin, levelsDbfs } = await of(samples);
    const middle = levelsDbfs.slice(20, -20);
    expect(Math.max(...middle) - Math.min(...middle)).toBeLessThan(3);
    // A Hann window takes in noise of 1.5 of the window's own bins, of rate / length each, as much as a sine of amplitude 1.
    const mean = middle.reduce((sum, level) => sum + 10 ** (level / 10), 0) / middle.length;
    const power = (mean / 2 / (1.5 * (rate / 512))) * (rate / 2);
    expect(10 * Math.log10(power)).toBeCloseTo(10 * Math.log10(0.2 ** 2 / 3), 1);
    expect(levelsDbfs).toHaveLength(1 + rate / 2 / hzPerBin);
  });

  it('does not hang on the blocks, and takes what is shorter than a frame', async () => {
    const samples = tone(440, rate, 3, 0.3);
    expect((await of(samples, defaultAnalysis, 123)).levelsDbfs).toEqual((await of(samples)).levelsDbfs);
    const short = await of(samples.subarray(0, 100));
    expect(short.frames).toBe(0);
    expect(short.levelsDbfs.every(Number.isFinite)).toBe(true);
  });
});
