/**
 * Power spectra of real frames: the frame is packed into a complex sequence of half its length, which goes through
 * Stockham's self-sorting radix-4 transform (one radix-2 pass at the end where the length asks for it); the two halves
 * are then taken apart (Sorensen, Jones, Heideman and Burrus, "Real-valued fast Fourier transform algorithms", 1987).
 * Written here because the common JavaScript libraries stop at the complex spectrum, which costs a second pass.
 */
export class RealFft {
  /** Length of a frame, a power of two. */
  readonly size: number;
  readonly #half: number;
  /** Per radix-4 pass, per group: the three twiddle factors as real and imaginary parts. */
  readonly #twiddles: Float64Array[] = [];
  /** exp(-2 pi i k / size), k = 0 ... size / 4, for taking the halves apart. */
  readonly #splitTwiddles: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;

  /**
   * @param size a power of two from 64 to 8192.
   * @throws RangeError for any other size.
   */
  constructor(size: number) {
    if (!isFftSize(size)) throw new RangeError(`An FFT of ${size} points: a power of two from 64 to 8192 is needed`);
    this.size = size;
    this.#half = size / 2;
    for (let length = this.#half; length >= 4; length /= 4) {
      const factors = new Float64Array((6 * length) / 4);
      for (let group = 0; group < length / 4; group++) {
        for (let power = 1; power <= 3; power++) {
          const angle = (-2 * Math.PI * group * power) / length;
          factors[6 * group + 2 * power - 2] = Math.cos(angle);
          factors[6 * group + 2 * power - 1] = Math.sin(angle);
        }
      }
      this.#twiddles.push(factors);
    }
    this.#splitTwiddles = new Float64Array(this.#half + 2);
    for (let bin = 0; bin <= this.#half / 2; bin++) {
      const angle = (-2 * Math.PI * bin) / size;
      this.#splitTwiddles[2 * bin] = Math.cos(angle);
      this.#splitTwiddles[2 * bin + 1] = Math.sin(angle);
    }
    this.#first = new Float64Array(size);
    this.#second = new Float64Array(size);
  }

  /**
   * Squared magnitudes of the discrete Fourier transform, not scaled.
   * @param frame `size` samples; left as they are.
   * @param power receives the `size / 2 + 1` powers, from 0 Hz to half the sample rate.
   */
  power(frame: Float64Array, power: Float64Array): void {
    let from = this.#first;
    let to = this.#second;
    // A real frame is, as it lies, the interleaved complex sequence of half its length.
    firstPass(frame, from, this.#twiddles[0], this.#half);
    let stride = 4;
    let length = this.#half / 4;
    for (let pass = 1; length >= 4; pass++) {
      radix4Pass(from, to, this.#twiddles[pass], length, stride);
      [from, to] = [to, from];
      stride *= 4;
      length /= 4;
    }
    if (length === 2) {
      radix2Pass(from, to, stride);
      from = to;
    }
    splitPower(from, power, this.#splitTwiddles, this.#half);
  }
}

/** Whether {@link RealFft} has this size. */
export function isFftSize(size: number): boolean {
  return Number.isInteger(size) && size >= 64 && size <= 8192 && (size & (size - 1)) === 0;
}

/** The radix-4 pass of stride 1, where the inner loop would run once only. */
function firstPass(x: Float64Array, y: Float64Array, factors: Float64Array, length: number): void {
  const quarter = length >> 1;
  for (let i = 0, o = 0, w = 0; i < quarter; i += 2, o += 8, w += 6) {
    const i1 = i + quarter;
    const i2 = i1 + quarter;
    const i3 = i2 + quarter;
    const sumAcR = x[i] + x[i2];
    const sumAcI = x[i + 1] + x[i2 + 1];
    const differenceAcR = x[i] - x[i2];
    const differenceAcI = x[i + 1] - x[i2 + 1];
    const sumBdR = x[i1] + x[i3];
    const sumBdI = x[i1 + 1] + x[i3 + 1];
    const differenceBdR = x[i1] - x[i3];
    const differenceBdI = x[i1 + 1] - x[i3 + 1];
    const y1R = differenceAcR + differenceBdI;
    const y1I = differenceAcI - differenceBdR;
    const y2R = sumAcR - sumBdR;
    const y2I = sumAcI - sumBdI;
    const y3R = differenceAcR - differenceBdI;
    const y3I = differenceAcI + differenceBdR;
    y[o] = sumAcR + sumBdR;
    y[o + 1] = sumAcI + sumBdI;
    y[o + 2] = y1R * factors[w] - y1I * factors[w + 1];
    y[o + 3] = y1R * factors[w + 1] + y1I * factors[w];
    y[o + 4] = y2R * factors[w + 2] - y2I * factors[w + 3];
    y[o + 5] = y2R * factors[w + 3] + y2I * factors[w + 2];
    y[o + 6] = y3R * factors[w + 4] - y3I * factors[w + 5];
    y[o + 7] = y3R * factors[w + 5] + y3I * factors[w + 4];
  }
}

function radix4Pass(
  x: Float64Array,
  y: Float64Array,
  factors: Float64Array,
  length: number,
  complexStride: number,
): void {
  const groups = length >> 2;
  const stride = 2 * complexStride;
  const step = stride * groups;
  // The first group's factors are all 1.
  for (let i = 0; i < stride; i += 2) {
    const i1 = i + step;
    const i2 = i1 + step;
    const i3 = i2 + step;
    const o1 = i + stride;
    const o2 = o1 + stride;
    const o3 = o2 + stride;
    const sumAcR = x[i] + x[i2];
    const sumAcI = x[i + 1] + x[i2 + 1];
    const differenceAcR = x[i] - x[i2];
    const differenceAcI = x[i + 1] - x[i2 + 1];
    const sumBdR = x[i1] + x[i3];
    const sumBdI = x[i1 + 1] + x[i3 + 1];
    const differenceBdR = x[i1] - x[i3];
    const differenceBdI = x[i1 + 1] - x[i3 + 1];
    y[i] = sumAcR + sumBdR;
    y[i + 1] = sumAcI + sumBdI;
    y[o1] = differenceAcR + differenceBdI;
    y[o1 + 1] = differenceAcI - differenceBdR;
    y[o2] = sumAcR - sumBdR;
    y[o2 + 1] = sumAcI - sumBdI;
    y[o3] = differenceAcR - differenceBdI;
    y[o3 + 1] = differenceAcI + differenceBdR;
  }
  for (let group = 1; group < groups; group++) {
    const w1R = factors[6 * group];
    const w1I = factors[6 * group + 1];
    const w2R = factors[6 * group + 2];
    const w2I = factors[6 * group + 3];
    const w3R = factors[6 * group + 4];
    const w3I = factors[6 * group + 5];
    const begin = stride * group;
    for (let i = begin, o = 4 * begin; i < begin + stride; i += 2, o += 2) {
      const i1 = i + step;
      const i2 = i1 + step;
      const i3 = i2 + step;
      const o1 = o + stride;
      const o2 = o1 + stride;
      const o3 = o2 + stride;
      const sumAcR = x[i] + x[i2];
      const sumAcI = x[i + 1] + x[i2 + 1];
      const differenceAcR = x[i] - x[i2];
      const differenceAcI = x[i + 1] - x[i2 + 1];
      const sumBdR = x[i1] + x[i3];
      const sumBdI = x[i1 + 1] + x[i3 + 1];
      const differenceBdR = x[i1] - x[i3];
      const differenceBdI = x[i1 + 1] - x[i3 + 1];
      const y1R = differenceAcR + differenceBdI;
      const y1I = differenceAcI - differenceBdR;
      const y2R = sumAcR - sumBdR;
      const y2I = sumAcI - sumBdI;
      const y3R = differenceAcR - differenceBdI;
      const y3I = differenceAcI + differenceBdR;
      y[o] = sumAcR + sumBdR;
      y[o + 1] = sumAcI + sumBdI;
      y[o1] = y1R * w1R - y1I * w1I;
      y[o1 + 1] = y1R * w1I + y1I * w1R;
      y[o2] = y2R * w2R - y2I * w2I;
      y[o2 + 1] = y2R * w2I + y2I * w2R;
      y[o3] = y3R * w3R - y3I * w3I;
      y[o3 + 1] = y3R * w3I + y3I * w3R;
    }
  }
}

/** The last pass of two-point transforms, whose factors are all 1. */
function radix2Pass(x: Float64Array, y: Float64Array, complexStride: number): void {
  const stride = 2 * complexStride;
  for (let i = 0; i < stride; i++) {
    const a = x[i];
    const b = x[i + stride];
    y[i] = a + b;
    y[i + stride] = a - b;
  }
}

/** From the packed spectrum z of length `half` to the powers of the real frame's bins 0 ... half. */
function splitPower(z: Float64Array, power: Float64Array, factors: Float64Array, half: number): void {
  power[0] = (z[0] + z[1]) * (z[0] + z[1]);
  power[half] = (z[0] - z[1]) * (z[0] - z[1]);
  for (let bin = 1; bin <= half >> 1; bin++) {
    const i = 2 * bin;
    const j = 2 * (half - bin);
    const evenR = 0.5 * (z[i] + z[j]);
    const evenI = 0.5 * (z[i + 1] - z[j + 1]);
    const oddR = 0.5 * (z[i + 1] + z[j + 1]);
    const oddI = 0.5 * (z[j] - z[i]);
    const turnedR = oddR * factors[i] - oddI * factors[i + 1];
    const turnedI = oddR * factors[i + 1] + oddI * factors[i];
    const lowR = evenR + turnedR;
    const lowI = evenI + turnedI;
    const highR = evenR - turnedR;
    const highI = evenI - turnedI;
    power[bin] = lowR * lowR + lowI * lowI;
    power[half - bin] = highR * highR + highI * highI;
  }
}
