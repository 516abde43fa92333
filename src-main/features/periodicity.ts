/**
 * Whether sound keeps its phases at a distance. Speech engines make samples in steps: a vocoder fills up frames of 256 samples, say, by
 * layers that double the rate, and each step leaves faint images of what it had at multiples of its own rate. Parts of the spectrum that lie such a rate apart (or
 * mirror one another about half of it) then keep their phases to one another as long as the sound lasts; in speech nothing does.
 * Spectral correlation, as of cyclostationary signals: Gardner, "Measurement of spectral correlation", IEEE Transactions on Acoustics,
 * Speech, and Signal Processing 34(5), 1986.
 */
import {
  FunctionWriter,
  add,
  addInteger,
  compileModule,
  constant,
  lanes,
  load,
  multiply,
  subtract,
  subtractInteger,
} from '../base/wasm-writer.ts';

/** Pairs of bins of a transform whose products are added up over time, at a rate at which they turn. */
interface Sums {
  rateHz: number;
  /** Bins from one to the other; or, mirrored, what both add up to. */
  distance: number;
  isMirrored: boolean;
  /** First bin, and the bin after the last one. */
  first: number;
  end: number;
}

/** Fewer pairs of bins say nothing. */
const leastPairs = 12;
/** Nearer ones see the same sound: a Hann window's main lobe. */
const leastApart = 4;

export interface PeriodicityLayout {
  sampleRateHz: number;
  nFft: number;
  hopLength: number;
  /** Bins that are there: the first, and how many. */
  first: number;
  count: number;
  ratesHz: readonly number[];
}

/** What is added up, in the order of the values: of each rate parts that lie it apart, then parts that mirror one another about half of it. */
export function periodicitySums({ sampleRateHz, nFft, first, count, ratesHz }: PeriodicityLayout): Sums[] {
  const end = first + count;
  return ratesHz.flatMap((rateHz): Sums[] => {
    const distance = Math.round((rateHz * nFft) / sampleRateHz);
    const apart = { rateHz, distance, isMirrored: false, first: first + distance, end };
    const mirrored = {
      ...{ rateHz, distance, isMirrored: true },
      first: Math.max(first, distance - end + 1),
      end: Math.floor((distance - leastApart) / 2) + 1,
    };
    return [apart, mirrored].filter((sums) => distance > 0 && sums.end - sums.first >= leastPairs);
  });
}

/** A card from elsewhere may ask for any transform and hop. */
const mostCells = 2 ** 23;
const vectorBytes = 16;
/** Of a pair: four lanes of the sum's real part, four of its imaginary one. */
const resultBytes = 2 * vectorBytes;

/** Memory for so many frames, and the kernels that work on it. */
class Kernel {
  readonly #strideBytes: number;
  readonly #resultsAt: number;
  readonly #functions: Record<'apart' | 'mirrored', (...parameters: number[]) => void>;
  readonly frames: number;
  /** Frames with those that are filled up to the next four. */
  readonly stride: number;
  /** Real parts, `[bins, stride]`, then imaginary ones; the frames that fill up are nought. */
  readonly units: Float32Array;
  /** Cosines, then sines, `stride` each. */
  readonly turns: Float32Array;
  readonly #results: Float32Array;

  constructor(bins: number, frames: number) {
    this.frames = frames;
    this.stride = 4 * Math.ceil(frames / 4);
    const strideBytes = 4 * this.stride;
    const imaginaryBytes = bins * strideBytes;
    const turnsAt = 2 * imaginaryBytes;
    const resultsAt = turnsAt + 2 * strideBytes;
    const write = (isMirrored: boolean): FunctionWriter => writeProducts(isMirrored, strideBytes, imaginaryBytes, turnsAt); // prettier-ignore
    const bytes = resultsAt + bins * resultBytes;
    const { memory, functions } = compileModule({ apart: write(false), mirrored: write(true) }, bytes);
    this.#strideBytes = strideBytes;
    this.#resultsAt = resultsAt;
    this.#functions = functions;
    this.units = new Float32Array(memory, 0, 2 * bins * this.stride);
    this.turns = new Float32Array(memory, turnsAt, 2 * this.stride);
    this.#results = new Float32Array(memory, resultsAt, 8 * bins);
  }

  /**
   * The mean over pairs of |sum of their products, turned back|² by the number of frames, each pair at most `most`.
   * @param first row of the first pair's one bin; the other pairs' follow
   * @param other row of its other one; those of the others go up from there, or down where they mirror one another
   */
  keptPower(pairs: number, first: number, other: number, isMirrored: boolean, most: number): number {
    const from = first * this.#strideBytes;
    this.#functions[isMirrored ? 'mirrored' : 'apart'](from, from + pairs * this.#strideBytes, other * this.#strideBytes, this.#resultsAt); // prettier-ignore
    const results = this.#results;
    let total = 0;
    for (let at = 0; at < 8 * pairs; at += 8) {
      const re = results[at] + results[at + 1] + (results[at + 2] + results[at + 3]);
      const im = results[at + 4] + results[at + 5] + (results[at + 6] + results[at + 7]);
      total += Math.min(most, (re * re + im * im) / this.frames);
    }
    return total / pairs;
  }
}

/** For each pair the sums over time of one bin times the other one (or its conjugate), turned back. */
function writeProducts(
  isMirrored: boolean,
  strideBytes: number,
  imaginaryBytes: number,
  turnsAt: number,
): FunctionWriter {
  const writer = new FunctionWriter(4);
  const [one, end, other, results] = writer.parameters;
  const at = writer.integer();
  const sumRe = writer.vector(lanes(0));
  const sumIm = writer.vector(lanes(0));
  writer.loop(one, end.get, strideBytes, () => {
    writer.set(at, constant(0));
    writer.set(sumRe, lanes(0));
    writer.set(sumIm, lanes(0));
    writer.loop(at, constant(strideBytes), vectorBytes, () => {
      const a = writer.integer(addInteger(one.get, at.get)).get;
      const b = writer.integer(addInteger(other.get, at.get)).get;
      const [aRe, aIm, bRe, bIm] = [load(a), load(a, imaginaryBytes), load(b), load(b, imaginaryBytes)].map(
        (value) => writer.vector(value).get,
      );
      const [straight, crossed] = [multiply(aRe, bRe), multiply(aIm, bIm)];
      const re = writer.vector(isMirrored ? subtract(straight, crossed) : add(straight, crossed)).get;
      const turnedIn = multiply(aRe, bIm);
      const im = writer.vector(isMirrored ? add(multiply(aIm, bRe), turnedIn) : subtract(multiply(aIm, bRe), turnedIn)).get; // prettier-ignore
      const cosine = writer.vector(load(at.get, turnsAt)).get;
      const sine = writer.vector(load(at.get, turnsAt + strideBytes)).get;
      writer.set(sumRe, add(sumRe.get, add(multiply(re, cosine), multiply(im, sine))));
      writer.set(sumIm, add(sumIm.get, subtract(multiply(im, cosine), multiply(re, sine))));
    });
    writer.store(results.get, sumRe.get);
    writer.store(results.get, sumIm.get, vectorBytes);
    writer.set(results, addInteger(results.get, constant(resultBytes)));
    writer.set(other, (isMirrored ? subtractInteger : addInteger)(other.get, constant(strideBytes)));
  });
  return writer;
}

/** Works on the transforms of one piece of sound; holds its working memory. */
export class Periodicity {
  readonly #layout: PeriodicityLayout;
  readonly #sums: readonly Sums[];
  #kernel: Kernel | null = null;
  /** Of each rate, cosines and sines of how far it has turned at each frame. */
  readonly #turns = new Map<number, Float32Array>();

  constructor(layout: PeriodicityLayout) {
    this.#layout = layout;
    this.#sums = periodicitySums(layout);
  }

  /** How many values there are. */
  get size(): number {
    return this.#sums.length;
  }

  #kernelFor(frames: number): Kernel {
    if (this.#kernel?.frames === frames) return this.#kernel;
    const { hopLength, sampleRateHz, count, ratesHz } = this.#layout;
    if (count * frames > mostCells) throw new RangeError(`${count} bins of ${frames} frames are too many to compare.`);
    this.#kernel = new Kernel(count, frames);
    const { stride } = this.#kernel;
    for (const rateHz of ratesHz) {
      const turns = new Float32Array(2 * stride);
      for (let frame = 0; frame < frames; frame++) {
        // Whole turns are left out, for exactness.
        const angle = (2 * Math.PI * ((rateHz * hopLength * frame) % sampleRateHz)) / sampleRateHz;
        turns[frame] = Math.cos(angle);
        turns[stride + frame] = Math.sin(angle);
      }
      this.#turns.set(rateHz, turns);
    }
    return this.#kernel;
  }

  /**
   * @param spectrum real parts `[count, frames]`, then imaginary parts
   * @param floorPower bins of less power at a frame count for nothing there
   * @param most that a pair of bins may count: else one whistle would do for all
   * @param out of each sum the mean over its pairs of |sum of unit products|² by the number of frames: 1 by chance, `frames` where phases are kept
   */
  compute(spectrum: Float32Array, frames: number, floorPower: number, most: number, out: Float32Array): void {
    const kernel = this.#kernelFor(frames);
    const { count, first } = this.#layout;
    const { units, stride } = kernel;
    const imaginary = count * frames;
    for (let bin = 0; bin < count; bin++) {
      for (let frame = 0; frame < frames; frame++) {
        const re = spectrum[bin * frames + frame];
        const im = spectrum[imaginary + bin * frames + frame];
        const power = re * re + im * im;
        const scale = power > floorPower ? 1 / Math.sqrt(power) : 0;
        units[bin * stride + frame] = re * scale;
        units[(count + bin) * stride + frame] = im * scale;
      }
    }
    let turned: number | null = null;
    for (const [index, { rateHz, distance, isMirrored, first: from, end }] of this.#sums.entries()) {
      if (turned !== rateHz) kernel.turns.set(this.#turns.get(rateHz) as Float32Array);
      turned = rateHz;
      const other = isMirrored ? distance - from : from - distance;
      out[index] = kernel.keptPower(end - from, from - first, other - first, isMirrored, most);
    }
  }
}
