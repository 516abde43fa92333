import { describe, expect, it } from 'vitest';
import { tone } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { BandPass } from './band-pass.ts';
import { transform } from '../base/fft.ts';

const rate = 16_000;
const rms = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

describe('transform', () => {
  it('is the sum that it stands for, and goes back', () => {
    const random = new Random(1);
    const size = 64;
    const re = Float64Array.from({ length: size }, () => random.uniform());
    const im = Float64Array.from({ length: size }, () => random.uniform());
    const [a, b] = [re.slice(), im.slice()];
    transform(a, b);
    for (const bin of [0, 1, 17, 63]) {
      let [sumRe, sumIm] = [0, 0];
      for (let n = 0; n < size; n++) {
        const angle = (-2 * Math.PI * bin * n) / size;
        sumRe += re[n] * Math.cos(angle) - im[n] * Math.sin(angle);
        sumIm += re[n] * Math.sin(angle) + im[n] * Math.cos(angle);
      }
      expect(a[bin]).toBeCloseTo(sumRe, 10);
      expect(b[bin]).toBeCloseTo(sumIm, 10);
    }
    transform(a, b, true);
    a.forEach((value, n) => expect(value).toBeCloseTo(re[n], 12));
  });
});

describe('a band-pass', () => {
  const through = (hz: number, band: { lowHz: number; highHz: number }): number => {
    const filter = new BandPass(band, rate);
    return 20 * Math.log10(rms(filter.apply(tone(hz, rate, 4, 1))) * Math.SQRT2);
  };

  it.each([
    [{ lowHz: 900, highHz: 1100 }],
    [{ lowHz: 300, highHz: 3400 }],
    [{ lowHz: 0, highHz: 2000 }],
    [{ lowHz: 500, highHz: 8000 }],
  ])('of %o lets a sine within pass as it is, and keeps one outside', (band) => {
    expect(through(1000, band)).toBeCloseTo(0, 2);
    if (band.lowHz > 0) expect(through(band.lowHz - 60, band)).toBeLessThan(-75);
    if (band.highHz < 8000) expect(through(band.highHz + 60, band)).toBeLessThan(-75);
    if (band.lowHz > 0) expect(through(band.lowHz, band)).toBeCloseTo(-6, 0);
  });

  it('leaves everything in its place, however long the sound is', () => {
    const filter = new BandPass({ lowHz: 200, highHz: 4000 }, rate);
    for (const length of [1, 100, 30_000]) {
      const samples = new Float32Array(length + 2 * filter.reach);
      samples[filter.reach + Math.floor(length / 2)] = 1;
      const out = filter.apply(samples);
      expect(out).toHaveLength(length);
      expect(out.indexOf(Math.max(...out))).toBe(Math.floor(length / 2));
    }
    // Nothing is cut off: nothing changes.
    const all = new BandPass({ lowHz: 0, highHz: rate / 2 }, rate);
    const samples = tone(777, rate, 1, 0.3);
    all.apply(samples).forEach((value, i) => expect(value).toBeCloseTo(samples[i + all.reach], 6));
  });
});
