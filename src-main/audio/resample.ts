// Edges as parts of the lower Nyquist frequency.
const passBand = 0.9;
const stopBand = 1.04;
const stopBandDb = 90;
// Doubles in the largest table of coefficients: 4 MB.
const maximumTable = 2 ** 19;
// A table between whose rows is interpolated has so many of them per sample of the lower rate; the error stays under
// -115 dB.
const interpolatedRows = 1024;

interface Filter {
  /** Rows of `taps` coefficients, a row for each fraction of a sample; one more row where they are interpolated. */
  table: Float64Array;
  rows: number;
  taps: number;
  interpolated: boolean;
}

// Files of a few rates come by the thousand.
const filters = new Map<string, Filter>();
const keptFilters = 8;

/**
 * Changes the rate of a mono signal as it streams: a windowed-sinc interpolator in polyphase form (Crochiere and Rabiner,
 * "Multirate Digital Signal Processing", 1983) with a Kaiser window; linear phase, its delay taken out. In parts of the lower
 * Nyquist frequency it is flat to 0.9, 0.1 dB down at 0.92, and at least 90 dB down from 1.04 on: what folds back lies above
 * 0.96. (A band that ends before 1 takes longer and sounds less like what ffmpeg makes by default, which folds back more.)
 *
 * Of our own so that a score does not hang on the ffmpeg at hand, whose resamplers differ between versions, builds and
 * processors: only sums and products of doubles in a fixed order are taken, the same on every machine but for the last digits of
 * `Math.sin` in the table, and the output does not depend on how the input is cut into blocks. Ratios with too many fractions
 * for a table of 4 MB interpolate between its rows.
 */
export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #filter: Filter | null;
  // Input from sample #first on, of which #length samples are held.
  #held = new Float64Array(0);
  #first = 0;
  #length = 0;
  #inputTotal = 0;
  #outputTotal = 0;

  /** Rates in hertz, whole numbers. */
  constructor(fromHz: number, toHz: number) {
    if (!Number.isInteger(fromHz) || !Number.isInteger(toHz) || fromHz < 1 || toHz < 1) {
      throw new RangeError(`cannot resample from ${fromHz} to ${toHz} Hz`);
    }
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.#from = fromHz / divisor;
    this.#to = toHz / divisor;
    this.#filter = this.#from === this.#to ? null : filterFor(this.#from, this.#to);
    if (this.#filter) {
      // The first outputs look back to before the beginning, where there is silence.
      this.#first = -(this.#filter.taps / 2 - 1);
      this.#length = -this.#first;
      this.#held = new Float64Array(this.#length);
    }
  }

  /** Takes the next samples; returns those of the output (its own array) that they complete. */
  process(block: Float32Array): Float32Array {
    this.#inputTotal += block.length;
    if (!this.#filter) return block.slice();
    this.#append(block, block.length);
    // Output n needs input up to floor(n from / to) + taps / 2.
    const reach = this.#first + this.#length - 1 - this.#filter.taps / 2;
    const end = reach < 0 ? 0 : Math.floor(((reach + 1) * this.#to - 1) / this.#from) + 1;
    return this.#produce(this.#filter, end);
  }

  /** The rest of the output: in all round(input * to / from) samples. */
  flush(): Float32Array {
    if (!this.#filter) return new Float32Array(0);
    this.#append(null, this.#filter.taps);
    return this.#produce(this.#filter, Math.round((this.#inputTotal * this.#to) / this.#from));
  }

  #append(block: Float32Array | null, count: number): void {
    const needed = this.#length + count;
    if (needed > this.#held.length) {
      const larger = new Float64Array(Math.max(needed, Math.min(2 * this.#held.length, needed + 65536)));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    if (block) this.#held.set(block, this.#length);
    else this.#held.fill(0, this.#length, needed);
    this.#length = needed;
  }

  #produce(filter: Filter, end: number): Float32Array {
    const { taps } = filter;
    const from = this.#from;
    const to = this.#to;
    const count = Math.max(0, end - this.#outputTotal);
    const out = new Float32Array(count);
    // Of the input at the left end of output n's window: floor(n from / to) - taps / 2 + 1.
    const offset = -(taps / 2 - 1) - this.#first;
    const firstOutput = this.#outputTotal;
    if (filter.interpolated) {
      for (let i = 0; i < count; i++) {
        const position = (firstOutput + i) * from;
        const whole = Math.floor(position / to);
        const row = ((position - whole * to) / to) * filter.rows;
        const low = Math.floor(row);
        out[i] = interpolatedSum(this.#held, whole + offset, filter.table, low * taps, row - low, taps);
      }
    } else {
      // Outputs `to` apart share their coefficients and lie `from` apart in the input.
      for (let i = 0; i < Math.min(to, count); i++) {
        const position = (firstOutput + i) * from;
        const whole = Math.floor(position / to);
        const row = position - whole * to;
        rowSums(this.#held, whole + offset, from, filter.table, row * taps, taps, out, i, to);
      }
    }
    this.#outputTotal += count;
    // What no later output looks back to is dropped.
    const keepFrom = Math.floor((this.#outputTotal * from) / to) + offset;
    const drop = Math.min(Math.max(keepFrom, 0), this.#length);
    this.#held.copyWithin(0, drop, this.#length);
    this.#first += drop;
    this.#length -= drop;
    return out;
  }
}

/** out[at + k stride] = sum over j of table[row + j] held[start + k step + j], for every k that fits `out`. */
function rowSums(
  held: Float64Array,
  start: number,
  step: number,
  table: Float64Array,
  row: number,
  taps: number,
  out: Float32Array,
  at: number,
  stride: number,
): void {
  // Four at a time, each summed in the same order as one alone.
  for (; at + 3 * stride < out.length; at += 4 * stride, start += 4 * step) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let ia = start;
    let ib = start + step;
    let ic = start + 2 * step;
    let id = start + 3 * step;
    for (let j = row; j < row + taps; j++) {
      const coefficient = table[j];
      a += coefficient * held[ia++];
      b += coefficient * held[ib++];
      c += coefficient * held[ic++];
      d += coefficient * held[id++];
    }
    out[at] = a;
    out[at + stride] = b;
    out[at + 2 * stride] = c;
    out[at + 3 * stride] = d;
  }
  for (; at < out.length; at += stride, start += step) {
    let sum = 0;
    for (let j = 0; j < taps; j++) sum += table[row + j] * held[start + j];
    out[at] = sum;
  }
}

function interpolatedSum(
  held: Float64Array,
  start: number,
  table: Float64Array,
  row: number,
  fraction: number,
  taps: number,
): number {
  let low = 0;
  let high = 0;
  for (let j = 0; j < taps; j++) {
    const x = held[start + j];
    low += table[row + j] * x;
    high += table[row + taps + j] * x;
  }
  return low + fraction * (high - low);
}

function filterFor(from: number, to: number): Filter {
  const key = `${from}/${to}`;
  let filter = filters.get(key);
  if (!filter) {
    filter = design(from, to);
    const oldest = filters.keys().next();
    if (filters.size >= keptFilters && !oldest.done) filters.delete(oldest.value);
    filters.set(key, filter);
  }
  return filter;
}

/** Kaiser's design: beta and length from the stop-band and the width between pass-band and lower Nyquist frequency. */
function design(from: number, to: number): Filter {
  // Frequencies as parts of the input's Nyquist frequency.
  const limit = Math.min(1, to / from);
  const beta = 0.1102 * (stopBandDb - 8.7);
  const length = (stopBandDb - 7.95) / (2.285 * Math.PI * limit * (stopBand - passBand));
  const half = length / 2;
  const taps = 2 * Math.ceil(half);
  const cutoff = (limit * (stopBand + passBand)) / 2;
  const interpolated = to * taps > maximumTable;
  const rows = interpolated ? Math.max(16, Math.ceil(interpolatedRows * limit)) : to;
  const table = new Float64Array((interpolated ? rows + 1 : rows) * taps);
  for (let row = 0; row * taps < table.length; row++) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const time = tap - (taps / 2 - 1) - row / rows;
      const edge = 1 - (time / half) ** 2;
      const angle = Math.PI * cutoff * time;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      const coefficient = edge <= 0 ? 0 : sinc * besselI0(beta * Math.sqrt(edge));
      table[row * taps + tap] = coefficient;
      sum += coefficient;
    }
    // Each row passes a constant as it is.
    for (let tap = 0; tap < taps; tap++) table[row * taps + tap] /= sum;
  }
  return { table, rows, taps, interpolated };
}

/** Modified Bessel function of the first kind and order 0, by its power series. */
export function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
