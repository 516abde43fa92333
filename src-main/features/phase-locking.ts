/**
 * Whether sound keeps the phase of a fixed frequency. What a speech engine adds at each of its steps, a vocoder every 256 samples say, repeats itself: at
 * multiples of that rate phases stay where they are, for as long as the sound lasts, however weak it is below speech. And in every band: how long
 * phases last at all, which is short in speech, in rooms and in noise. The mean of unit phasors over time is the phase-locking value of Lachaux et al.,
 * "Measuring phase synchrony in brain signals", Human Brain Mapping 8(4), 1999; what repeats itself, the first-order cyclostationarity of Gardner, 1986.
 */
import { transform } from '../base/fft.ts';

/** A card from elsewhere may ask for any transform and hop. */
const mostCells = 2 ** 23;

export interface PhaseLockingLayout {
  sampleRateHz: number;
  nFft: number;
  hopLength: number;
  /** Bins that are there: the first, and how many. */
  first: number;
  count: number;
  /** Frequencies that are looked at, in Hz, both included. */
  fMin: number;
  fMax: number;
  /** At whose multiples phases are looked at. */
  ratesHz: readonly number[];
  /** Of each rate one value for each of these ranges that holds multiples of it: from, and up to but not including. */
  rangesHz: readonly (readonly [number, number])[];
  /** Of each of these bands, from, and up to but not including, one value for each quantile. */
  bandsHz: readonly (readonly [number, number])[];
  quantiles: readonly number[];
  /** Points of the transform over time, a power of two; as many more as frames need. */
  points: number;
}

/** A frequency at which phases are summed up, and in which values it counts. */
interface Line {
  row: number;
  /** Of how far it turns from frame to frame, back. */
  cosine: number;
  sine: number;
  values: number[];
}

/** Works on the transforms of one piece of sound; holds its working memory. */
export class PhaseLocking {
  readonly #layout: PhaseLockingLayout;
  readonly #lines: readonly Line[];
  /** How many frequencies each value of a rate is the mean of. */
  readonly #counts: number[] = [];
  /** Real parts `[count, frames]`, then imaginary parts. */
  #units = new Float64Array(0);
  #powers = new Float32Array(0);

  constructor(layout: PhaseLockingLayout) {
    const { fMin, fMax, ratesHz, rangesHz } = layout;
    this.#layout = layout;
    const lines = new Map<number, Line>();
    for (const rateHz of ratesHz) {
      const multiples: number[] = [];
      for (let times = Math.ceil(fMin / rateHz); times * rateHz <= fMax; times++) multiples.push(times * rateHz);
      for (const [from, to] of rangesHz) {
        const inside = multiples.filter((hz) => hz >= from && hz < to);
        if (inside.length === 0) continue;
        for (const frequencyHz of inside) {
          // Rates have many multiples in common.
          const key = Math.round(1e3 * frequencyHz);
          const line = lines.get(key) ?? { ...this.#placed(frequencyHz), values: [] };
          line.values.push(this.#counts.length);
          lines.set(key, line);
        }
        this.#counts.push(inside.length);
      }
    }
    this.#lines = [...lines.values()];
  }

  #placed(frequencyHz: number): Omit<Line, 'values'> {
    const { sampleRateHz, nFft, hopLength, first, count } = this.#layout;
    // Whole turns are left out, for exactness.
    const angle = (-2 * Math.PI * ((frequencyHz * hopLength) % sampleRateHz)) / sampleRateHz;
    const row = Math.min(count - 1, Math.max(0, Math.round((frequencyHz * nFft) / sampleRateHz) - first));
    return { row, cosine: Math.cos(angle), sine: Math.sin(angle) };
  }

  /** How many values there are. */
  get size(): number {
    return this.#counts.length + this.#layout.bandsHz.length * this.#layout.quantiles.length;
  }

  /**
   * @param spectrum real parts `[count, frames]`, then imaginary parts
   * @param floorPower bins of less power at a frame count for nothing there
   * @param most that a frequency may count in the mean of a rate: else one whistle would do for all
   * @param out of each rate and range the mean over its multiples of |sum of unit phasors|² by the number of frames, 1 by chance, `frames` where
   * phases are kept; then of each band the quantiles of that over all frequencies in it
   */
  compute(spectrum: Float32Array, frames: number, floorPower: number, most: number, out: Float32Array): void {
    const imaginary = this.#layout.count * frames;
    if (imaginary > mostCells)
      throw new RangeError(`${this.#layout.count} bins of ${frames} frames are too many to add up.`);
    if (this.#units.length !== 2 * imaginary) this.#units = new Float64Array(2 * imaginary);
    const units = this.#units;
    for (let at = 0; at < imaginary; at++) {
      const re = spectrum[at];
      const im = spectrum[imaginary + at];
      const power = re * re + im * im;
      const scale = power > floorPower ? 1 / Math.sqrt(power) : 0;
      units[at] = re * scale;
      units[imaginary + at] = im * scale;
    }
    const sums = new Float64Array(this.#counts.length);
    for (const line of this.#lines) {
      const power = Math.min(most, this.#powerOf(line, frames));
      for (const value of line.values) sums[value] += power;
    }
    for (const [value, sum] of sums.entries()) out[value] = sum / this.#counts[value];
    this.#quantiles(frames, out.subarray(this.#counts.length));
  }

  /** Turned back by how far the frequency turns from frame to frame, and added up (Horner). */
  #powerOf({ row, cosine, sine }: Line, frames: number): number {
    const units = this.#units;
    const [from, imaginary] = [row * frames, (this.#layout.count + row) * frames];
    let [re, im] = [0, 0];
    for (let frame = frames - 1; frame >= 0; frame--) {
      const turned = re * cosine - im * sine + units[from + frame];
      im = re * sine + im * cosine + units[imaginary + frame];
      re = turned;
    }
    return (re * re + im * im) / frames;
  }

  #quantiles(frames: number, out: Float32Array): void {
    const { sampleRateHz, nFft, hopLength, first, count, bandsHz, quantiles } = this.#layout;
    let { points } = this.#layout;
    while (points < frames) points *= 2;
    // Each bin answers for what is nearer to it than to its neighbours.
    const perBin = (points * hopLength) / nFft;
    if (this.#powers.length !== count * perBin) this.#powers = new Float32Array(count * perBin);
    const [units, powers] = [this.#units, this.#powers];
    const re = new Float64Array(points);
    const im = new Float64Array(points);
    for (let row = 0; row < count; row++) {
      re.fill(0);
      im.fill(0);
      re.set(units.subarray(row * frames, (row + 1) * frames));
      im.set(units.subarray((count + row) * frames, (count + row + 1) * frames));
      transform(re, im);
      // Where the bin's own frequency has come to lie.
      const own = ((first + row) * perBin) % points;
      for (let step = 0; step < perBin; step++) {
        const at = (own + step - perBin / 2 + points) % points;
        powers[row * perBin + step] = (re[at] * re[at] + im[at] * im[at]) / frames;
      }
    }
    const stepHz = sampleRateHz / hopLength / points;
    const lowestHz = (first * sampleRateHz) / nFft - (perBin / 2) * stepHz;
    const placeOf = (hz: number): number =>
      Math.min(powers.length, Math.max(0, Math.ceil((hz - lowestHz) / stepHz - 1e-6)));
    for (const [band, [from, to]] of bandsHz.entries()) {
      const sorted = powers.slice(placeOf(from), placeOf(to)).sort();
      for (const [index, quantile] of quantiles.entries()) {
        out[band * quantiles.length + index] =
          sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))];
      }
    }
  }
}
