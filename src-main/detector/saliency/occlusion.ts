/**
 * Takes cells out of what a model sees. What replaces them is neither silence, which itself looks like a machine to many a model,
 * nor a lower level, which a network that removes means does not see: it is what the band is like on the average.
 */
import { Random } from '../../base/random.ts';
import type { FrontEnd } from '../../features/front-end.ts';
import { cellCount, columnOf, rowOf } from './cells.ts';
import type { CellGrid } from './cells.ts';

/** Taps of the band filters; at 16 kHz a slope of 0.2 kHz. */
const taps = 257;
/** Half of the fade between neighbouring columns. */
const fadeSeconds = 0.005;
const frameSeconds = 0.02;
/** Frames of a band that are softer count as this. */
const leastDb = -80;
const noiseSeed = 13;

/** The first half of a low-pass filter and its middle, of unit gain; the other half mirrors it (Hann-windowed sinc). */
function lowPass(cutoff: number): Float64Array {
  const middle = (taps - 1) / 2;
  const kernel = Float64Array.from({ length: middle + 1 }, (_, at) => {
    const x = at - middle;
    const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
    return sinc * (0.5 - 0.5 * Math.cos((2 * Math.PI * (at + 1)) / (taps + 1)));
  });
  const sum = kernel.reduce((total, value, at) => total + (at === middle ? value : 2 * value), 0);
  return kernel.map((value) => value / sum);
}

/** Filtered without delay; there is silence before and after. */
function filtered(samples: Float32Array, kernel: Float64Array): Float32Array {
  const reach = kernel.length - 1;
  const padded = new Float64Array(samples.length + 2 * reach);
  padded.set(samples, reach);
  const out = new Float32Array(samples.length);
  for (let i = 0; i < out.length; i++) {
    let sum = kernel[reach] * padded[i + reach];
    for (let at = 0; at < reach; at++) sum += kernel[at] * (padded[i + at] + padded[i + 2 * reach - at]);
    out[i] = sum;
  }
  return out;
}

/** One signal for each row of the grid; their sum is the sound. */
export function splitBands(samples: Float32Array, { rows, edgesHz }: CellGrid, rateHz: number): Float32Array[] {
  const bands: Float32Array[] = [];
  let below = new Float32Array(samples.length);
  for (let row = 0; row < rows; row++) {
    const upTo = row === rows - 1 ? samples : filtered(samples, lowPass(edgesHz[row + 1] / rateHz));
    bands.push(upTo.map((value, i) => value - below[i]));
    below = Float32Array.from(upTo);
  }
  return bands;
}

/** The root mean square of a frame at the mean of all frames' levels in dB. */
function typicalLevel(band: Float32Array, rateHz: number): number {
  const length = Math.round(frameSeconds * rateHz);
  let sumDb = 0;
  let frames = 0;
  for (let start = 0; start + length <= band.length; start += length, frames++) {
    let power = 0;
    for (let i = start; i < start + length; i++) power += band[i] * band[i];
    sumDb += Math.max(leastDb, 10 * Math.log10(power / length + 1e-30));
  }
  return 10 ** (sumDb / Math.max(1, frames) / 20);
}

/** Takes cells out of a window's sound: each becomes steady noise of its band's typical level. */
export class SoundOccluder {
  /** Samples of the window before its sound repeats. */
  readonly soundLength: number;
  readonly #window: Float32Array;
  readonly #grid: CellGrid;
  /** Noise less what is there, for each row. */
  readonly #changes: Float32Array[];
  /** For each sample its column, the column that it fades into, and its own share. */
  readonly #column: Uint16Array;
  readonly #neighbour: Uint16Array;
  readonly #share: Float32Array;

  /** @param window `rateHz` samples a second, its sound repeated where it is longer than the grid */
  constructor(window: Float32Array, grid: CellGrid, rateHz: number) {
    this.#window = window;
    this.#grid = grid;
    this.soundLength = Math.min(window.length, Math.round(grid.columns * grid.columnSeconds * rateHz));
    const random = new Random(noiseSeed);
    const noise = Float32Array.from(window, () => random.uniform() - 0.5);
    const noises = splitBands(noise, grid, rateHz);
    this.#changes = splitBands(window, grid, rateHz).map((band, row) => {
      const gain = typicalLevel(band, rateHz) / typicalLevel(noises[row], rateHz);
      return band.map((value, i) => gain * noises[row][i] - value);
    });
    this.#column = new Uint16Array(window.length);
    this.#neighbour = new Uint16Array(window.length);
    this.#share = new Float32Array(window.length);
    const { columns, columnSeconds } = grid;
    for (let i = 0; i < window.length; i++) {
      const seconds = (i + 0.5) / rateHz;
      const column = columnOf(grid, seconds);
      const within = (seconds % (columns * columnSeconds)) - column * columnSeconds;
      const before = within < columnSeconds / 2;
      const distance = before ? within : columnSeconds - within;
      const neighbour = Math.min(columns - 1, Math.max(0, column + (before ? -1 : 1)));
      this.#column[i] = column;
      this.#neighbour[i] = neighbour;
      this.#share[i] = Math.min(1, 0.5 + distance / (2 * fadeSeconds));
    }
  }

  /** The window's sound without the cells whose mask is 1. */
  without(mask: Uint8Array): Float32Array {
    const { columns, rows } = this.#grid;
    if (mask.length !== cellCount(this.#grid))
      throw new RangeError(`a mask of ${cellCount(this.#grid)} cells is needed`);
    const out = this.#window.slice();
    for (let row = 0; row < rows; row++) {
      const gone = mask.subarray(row * columns, (row + 1) * columns);
      if (!gone.includes(1)) continue;
      const change = this.#changes[row];
      for (let i = 0; i < out.length; i++) {
        const share = this.#share[i];
        const weight = share * gone[this.#column[i]] + (1 - share) * gone[this.#neighbour[i]];
        if (weight > 0) out[i] += weight * change[i];
      }
    }
    return out;
  }
}

/** Takes cells out of a front end's plane: each value becomes its bin's mean over the window. */
export class PlaneOccluder {
  readonly #plane: Float32Array;
  readonly #cellOf: Int32Array;
  readonly #frames: number;
  readonly #means: Float32Array;

  /** @param plane [bins, frames] of a front end whose rows have frequencies, the same in each of its planes */
  constructor(plane: Float32Array, frontEnd: FrontEnd, grid: CellGrid) {
    const { bins, frequenciesHz, parameters } = frontEnd;
    const frames = plane.length / bins;
    this.#plane = plane;
    this.#frames = frames;
    const { hopLength, sampleRateHz, center, nFft } = parameters;
    const first = center ? 0 : nFft / 2;
    const columns = Array.from({ length: frames }, (_, frame) =>
      columnOf(grid, (frame * hopLength + first) / sampleRateHz),
    );
    this.#cellOf = new Int32Array(plane.length);
    this.#means = new Float32Array(bins);
    for (let bin = 0; bin < bins; bin++) {
      const row = rowOf(grid, frequenciesHz[bin % frequenciesHz.length]);
      let sum = 0;
      for (let frame = 0; frame < frames; frame++) {
        sum += plane[bin * frames + frame];
        this.#cellOf[bin * frames + frame] = row * grid.columns + columns[frame];
      }
      this.#means[bin] = sum / frames;
    }
  }

  /** The plane without the cells whose mask is 1, into `out`. */
  without(mask: Uint8Array, out: Float32Array): void {
    for (let i = 0; i < out.length; i++) {
      out[i] = mask[this.#cellOf[i]] === 1 ? this.#means[Math.floor(i / this.#frames)] : this.#plane[i];
    }
  }
}
