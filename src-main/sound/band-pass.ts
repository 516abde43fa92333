/** Keeps a band of frequencies without moving anything in time: what is measured of a band and what is heard of it are the same. */
import type { Band } from '../../src-common/frequency-axis.ts';
import { transform } from '../base/fft.ts';

/** Attenuation outside of the band and the edges' width. */
const stopDb = 80;
/** An edge is as wide as a fifth of the band, within these: half of it lies on either side of the band's end, where 6 dB are lost. */
const edgeShare = 0.2;
const narrowestEdgeHz = 10;
const widestEdgeHz = 100;

/** Bessel's function of the first kind and order nought, modified: by its power series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * A filter of linear phase and finite length, designed under a Kaiser window (Kaiser, "Nonrecursive digital filter design using the
 * I0-sinh window function", 1974), applied by fast convolution.
 */
export class BandPass {
  /** Samples on either side that an output sample hangs on. */
  readonly reach: number;
  readonly #size: number;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  /** @param band its ends within 0 Hz and half of the rate; an end there cuts nothing */
  constructor({ lowHz, highHz }: Band, sampleRateHz: number) {
    const edgeHz = Math.min(widestEdgeHz, Math.max(narrowestEdgeHz, edgeShare * (highHz - lowHz)));
    const beta = 0.1102 * (stopDb - 8.7);
    this.reach = Math.ceil((stopDb - 7.95) / (2.285 * 2 * Math.PI * (edgeHz / sampleRateHz)) / 2);
    const length = 2 * this.reach + 1;
    const isWhole = { low: lowHz <= 0, high: highHz >= sampleRateHz / 2 };
    /** Of an ideal low-pass. */
    const lowPass = (cutHz: number, n: number): number =>
      n === 0 ? (2 * cutHz) / sampleRateHz : Math.sin((2 * Math.PI * cutHz * n) / sampleRateHz) / (Math.PI * n);
    this.#size = 2 ** Math.ceil(Math.log2(4 * length));
    this.#re = new Float64Array(this.#size);
    this.#im = new Float64Array(this.#size);
    for (let i = 0; i < length; i++) {
      const n = i - this.reach;
      const high = isWhole.high ? Number(n === 0) : lowPass(highHz, n);
      const low = isWhole.low ? 0 : lowPass(lowHz, n);
      this.#re[i] = ((high - low) * bessel(beta * Math.sqrt(1 - (n / this.reach) ** 2))) / bessel(beta);
    }
    transform(this.#re, this.#im);
  }

  /**
   * @param samples with `reach` more on either side than are wanted
   * @returns what was wanted, in its place
   */
  apply(samples: Float32Array): Float32Array {
    const out = new Float32Array(Math.max(0, samples.length - 2 * this.reach));
    const fresh = this.#size - 2 * this.reach;
    const re = new Float64Array(this.#size);
    const im = new Float64Array(this.#size);
    // Two stretches at once: one as real parts, one as imaginary ones.
    for (let at = 0; at < out.length; at += 2 * fresh) {
      re.fill(0).set(samples.subarray(at, at + this.#size));
      im.fill(0).set(samples.subarray(at + fresh, at + fresh + this.#size));
      transform(re, im);
      for (let bin = 0; bin < this.#size; bin++) {
        const product = re[bin] * this.#re[bin] - im[bin] * this.#im[bin];
        im[bin] = re[bin] * this.#im[bin] + im[bin] * this.#re[bin];
        re[bin] = product;
      }
      transform(re, im, true);
      const first = 2 * this.reach;
      out.set(re.subarray(first, first + Math.min(fresh, out.length - at)), at);
      if (at + fresh < out.length)
        out.set(im.subarray(first, first + Math.min(fresh, out.length - at - fresh)), at + fresh);
    }
    return out;
  }
}
