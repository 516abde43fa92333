/**
 * Tiles of the spectrogram of a long recording: levels of halving time resolution, each cut into tiles of so many columns. Fine levels
 * are computed from the samples when asked for; coarse ones, of which a tile covers minutes, are kept from one pass over the recording.
 * What is kept are the transform's own bins; rows on a linear, Mel or logarithmic axis, up to any frequency, are made of them tile by tile.
 */
import { defaultAnalysis, fullScaleSineDb, windowResponse } from '../../src-common/analysis-windows.ts';
import { hzAtPlace } from '../../src-common/frequency-axis.ts';
import type { FrequencyAxis } from '../../src-common/frequency-axis.ts';
import { hzToMel, melToHz } from '../../src-common/mel-scale.ts';
import { hopMs, leastHopMs } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEnd, LinearParameters } from '../features/front-end.ts';

export const columnsPerTile = 128;
/** Rows of a tile. */
export const tileRows = 256;
/** Bytes 0 and 255 stand for these levels; 0 dB is a sine of amplitude 1. */
export const floorDb = -120;
export const ceilingDb = 0;
/** Levels from this one on are stored: a quarter of a second to a column. */
export const firstStoredLevel = 8;

const stepDb = (ceilingDb - floorDb) / 255;

/** How a rate's spectrogram is made. Times in samples. */
export interface TileGeometry {
  readonly sampleRateHz: number;
  readonly window: SpectrumAnalysis['window'];
  /** One millisecond, about: a column of the finest level. */
  readonly finestHop: number;
  /** From frame to frame, at least. */
  readonly leastHop: number;
  /** From frame to frame where columns hold several: half the window, or `leastHop` where that is longer. */
  readonly frameHop: number;
  readonly winLength: number;
  readonly nFft: number;
  /** Bins kept: all but the last, which half the sample rate falls on. */
  readonly bins: number;
}

/** Transforms of at least a quarter more than the window. @param sampleRateHz 1000 to 192000 */
export function tileGeometry(sampleRateHz: number, analysis: SpectrumAnalysis = defaultAnalysis): TileGeometry {
  const finestHop = Math.round(sampleRateHz / 1000);
  // All of them powers of two times the finest.
  const winLength = analysis.windowMs * finestHop;
  const leastHop = (hopMs(analysis) ?? leastHopMs) * finestHop;
  const frameHop = Math.max(leastHop, winLength / 2);
  const nFft = Math.max(64, 2 ** Math.ceil(Math.log2(1.25 * winLength)));
  const { window } = analysis;
  return { sampleRateHz, window, finestHop, leastHop, frameHop, winLength, nFft, bins: nFft / 2 };
}

interface TileLevel {
  secondsPerColumn: number;
  tiles: number;
}

/** The levels of a recording, finest first; the last one has one tile. */
export function tileLevels({ sampleRateHz, finestHop }: TileGeometry, samples: number): TileLevel[] {
  const levels: TileLevel[] = [];
  for (let hop = finestHop; ; hop *= 2) {
    const tiles = Math.max(1, Math.ceil(samples / hop / columnsPerTile));
    levels.push({ secondsPerColumn: hop / sampleRateHz, tiles });
    if (tiles === 1) return levels;
  }
}

function frontEndOf({ sampleRateHz, window, nFft, winLength }: TileGeometry, hopLength: number): FrontEnd {
  const parameters: LinearParameters = {
    type: 'linear',
    sampleRateHz,
    nFft,
    winLength,
    hopLength,
    window,
    center: false,
    floorPower: 1e-12,
    fMin: 0,
    fMax: sampleRateHz / 2,
  };
  return createFrontEnd(parameters);
}

/** Which samples the frames of a tile of a fine level are of. */
export function samplesOfTile(geometry: TileGeometry, level: number, tile: number): { from: number; count: number } {
  const { nFft } = geometry;
  const { hop, framesPerColumn } = framing(geometry, level);
  // One at least: no step between frames is longer than a tile.
  const frames = columnsPerTile * framesPerColumn;
  // A frame's middle is the middle of its hop.
  return { from: tile * frames * hop + Math.floor(hop / 2) - nFft / 2, count: (frames - 1) * hop + nFft };
}

/** Frames of a column: less than one where several columns show the same. */
function framing(geometry: TileGeometry, level: number): { hop: number; framesPerColumn: number } {
  const column = geometry.finestHop * 2 ** level;
  const hop = Math.min(Math.max(column, geometry.leastHop), geometry.frameHop);
  return { hop, framesPerColumn: column / hop };
}

/** Computes columns of fine levels; holds its working memory. */
export class TileMaker {
  readonly #geometry: TileGeometry;
  readonly #frontEnds = new Map<number, FrontEnd>();
  #levels = new Float32Array(0);

  constructor(geometry: TileGeometry) {
    this.#geometry = geometry;
  }

  /**
   * @param samples those of `samplesOfTile`, with zeros where the recording has none
   * @returns powers, `[bins, columnsPerTile]`; 1 is that of a sine of amplitude 1.
   */
  powers(level: number, samples: Float32Array): Float32Array {
    const geometry = this.#geometry;
    const { hop, framesPerColumn } = framing(geometry, level);
    let frontEnd = this.#frontEnds.get(hop);
    if (!frontEnd) this.#frontEnds.set(hop, (frontEnd = frontEndOf(geometry, hop)));
    const frames = frontEnd.frameCount(samples.length);
    if (this.#levels.length < frontEnd.bins * frames) this.#levels = new Float32Array(frontEnd.bins * frames);
    const levels = frontEnd.compute(samples, this.#levels);
    const powers = new Float32Array(geometry.bins * columnsPerTile);
    const full = fullScaleSineDb(geometry.window, geometry.winLength);
    for (let bin = 0; bin < geometry.bins; bin++) {
      for (let column = 0; column < columnsPerTile; column++) {
        const at = bin * frames + Math.floor(column * framesPerColumn);
        let loudest = levels[at];
        for (let frame = at + 1; frame < at + framesPerColumn; frame++) {
          if (levels[frame] > loudest) loudest = levels[frame];
        }
        powers[bin * columnsPerTile + column] = 10 ** ((loudest - full) / 10);
      }
    }
    return powers;
  }
}

const toByte = (levelDb: number): number => Math.max(0, Math.min(255, Math.round((levelDb - floorDb) / stepDb)));

/** The power that each byte stands for; 0 for the floor and what lies below. */
const powerOfByte = Float32Array.from({ length: 256 }, (_, byte) =>
  byte === 0 ? 0 : 10 ** ((floorDb + byte * stepDb) / 10),
);

/** @param bytes a stored tile, `[columns][bins]`, of up to `columnsPerTile` columns @returns as `TileMaker.powers` */
export function powersOfStored(bytes: Uint8Array, bins: number): Float32Array {
  const powers = new Float32Array(bins * columnsPerTile);
  for (let at = 0; at < bytes.length; at++) {
    const column = Math.floor(at / bins);
    powers[(at - column * bins) * columnsPerTile + column] = powerOfByte[bytes[at]];
  }
  return powers;
}

/** Takes a stored level's columns, `[columns][bins]` bytes, as they are finished; level 0 is the first stored one. */
type ColumnSink = (level: number, columns: Uint8Array) => Promise<void>;

/** Frames computed at a time. */
const chunkFrames = 256;

/** The columns of all stored levels of a signal that arrives in blocks, in one pass and little memory. */
export class ColumnPyramid {
  readonly #geometry: TileGeometry;
  readonly #sink: ColumnSink;
  readonly #frontEnd: FrontEnd;
  readonly #buffer: Float32Array;
  readonly #levels: Float32Array;
  readonly #full: number;
  readonly #framesPerColumn: number;
  /** Of each level, columns that are whole and not handed over yet. */
  readonly #pages: { values: Uint8Array; columns: number }[] = [];
  readonly #column: Float32Array;
  #columnFrames = 0;
  #filled: number;
  #framesLeft = Infinity;
  #samples = 0;

  constructor(geometry: TileGeometry, sink: ColumnSink) {
    const { nFft, frameHop, bins } = geometry;
    this.#geometry = geometry;
    this.#sink = sink;
    this.#frontEnd = frontEndOf(geometry, frameHop);
    this.#buffer = new Float32Array((chunkFrames - 1) * frameHop + nFft);
    this.#levels = new Float32Array(this.#frontEnd.bins * chunkFrames);
    this.#full = fullScaleSineDb(geometry.window, geometry.winLength);
    this.#framesPerColumn = framing(geometry, firstStoredLevel).framesPerColumn;
    this.#column = new Float32Array(bins).fill(-Infinity);
    // Before the first sample there is silence; a frame's middle is the middle of its hop.
    this.#filled = nFft / 2 - Math.floor(frameHop / 2);
  }

  async push(block: Float32Array): Promise<void> {
    this.#samples += block.length;
    await this.#take(block);
  }

  /** Hands over what is left. @param levels how many are stored, by `tileLevels` of all samples */
  async finish(levels: number): Promise<void> {
    if (levels <= 0) return;
    const frames = Math.ceil(this.#samples / this.#geometry.frameHop);
    this.#framesLeft = frames - this.#framesDone;
    while (this.#framesLeft > 0) await this.#take(new Float32Array(this.#buffer.length - this.#filled));
    if (this.#columnFrames > 0) await this.#endColumn();
    for (let level = 0; level < levels; level++) {
      const page = this.#pages[level];
      if (page && page.columns > 0) await this.#handOver(level, page, level + 1 < levels);
    }
  }

  #framesDone = 0;

  async #take(block: Float32Array): Promise<void> {
    const buffer = this.#buffer;
    const { frameHop } = this.#geometry;
    for (let taken = 0; taken < block.length;) {
      const some = block.subarray(taken, taken + buffer.length - this.#filled);
      buffer.set(some, this.#filled);
      this.#filled += some.length;
      taken += some.length;
      if (this.#filled < buffer.length) return;
      await this.#frames(Math.min(chunkFrames, this.#framesLeft));
      buffer.copyWithin(0, chunkFrames * frameHop);
      this.#filled = buffer.length - chunkFrames * frameHop;
    }
  }

  async #frames(count: number): Promise<void> {
    const { bins } = this.#geometry;
    const levels = this.#frontEnd.compute(this.#buffer, this.#levels);
    const column = this.#column;
    for (let first = 0; first < count;) {
      const end = Math.min(count, first + this.#framesPerColumn - this.#columnFrames);
      for (let bin = 0; bin < bins; bin++) {
        let loudest = column[bin];
        for (let at = bin * chunkFrames + first; at < bin * chunkFrames + end; at++) {
          if (levels[at] > loudest) loudest = levels[at];
        }
        column[bin] = loudest;
      }
      this.#columnFrames += end - first;
      first = end;
      if (this.#columnFrames === this.#framesPerColumn) await this.#endColumn();
    }
    this.#framesDone += count;
    this.#framesLeft -= count;
  }

  async #endColumn(): Promise<void> {
    const page = this.#page(0);
    const { bins } = this.#geometry;
    for (let bin = 0; bin < bins; bin++) {
      page.values[page.columns * bins + bin] = toByte(this.#column[bin] - this.#full);
    }
    this.#column.fill(-Infinity);
    this.#columnFrames = 0;
    if (++page.columns === columnsPerTile) await this.#handOver(0, page, true);
  }

  #page(level: number): { values: Uint8Array; columns: number } {
    return (this.#pages[level] ??= { values: new Uint8Array(columnsPerTile * this.#geometry.bins), columns: 0 });
  }

  /** Gives a page to the sink, and its columns, two by two, to the next level. */
  async #handOver(level: number, page: { values: Uint8Array; columns: number }, onwards: boolean): Promise<void> {
    const { bins } = this.#geometry;
    const { columns } = page;
    const values = page.values.slice(0, columns * bins);
    page.columns = 0;
    await this.#sink(level, values);
    if (!onwards) return;
    const next = this.#page(level + 1);
    for (let column = 0; column < columns; column += 2) {
      const from = column * bins;
      const two = column + 1 < columns;
      for (let bin = 0; bin < bins; bin++) {
        const one = values[from + bin];
        const other = two ? values[from + bins + bin] : 0;
        next.values[next.columns * bins + bin] = Math.max(one, other);
      }
      next.columns++;
    }
    if (next.columns === columnsPerTile) await this.#handOver(level + 1, next, true);
  }
}

/** Of a row: the first bin that counts, and each one's weight; `loudest`: the loudest of them instead of their sum. */
interface Row {
  first: number;
  weights: Float64Array;
  loudest: boolean;
}

/**
 * How rows come of bins, from the lowest frequency up. Linear and logarithmic: the power at the row's middle, between two bins, or the
 * loudest of the bins that fall into it. Mel: triangular filters equally spaced on Slaney's scale, as the front end's, over the spectrum drawn
 * through the bins (so that a filter narrower than a bin is not empty), scaled so that a sine of amplitude 1 in a row's middle stands at 0 dB.
 */
export function tileRowMap(geometry: TileGeometry, axis: FrequencyAxis): Row[] {
  return axis.scale === 'mel' ? melRows(geometry, axis.topHz) : plainRows(geometry, axis);
}

function plainRows({ sampleRateHz, nFft, bins }: TileGeometry, axis: FrequencyAxis): Row[] {
  const binAt = (row: number): number => (hzAtPlace(axis, row / tileRows) / sampleRateHz) * nFft;
  // Rounding must not cost a bin.
  const binFrom = (place: number): number => Math.ceil(place - 1e-9);
  return Array.from({ length: tileRows }, (_, row) => {
    const [low, high] = [binAt(row), binAt(row + 1)];
    if (high - low <= 1 + 1e-9) {
      const middle = Math.min(bins - 1, binAt(row + 0.5));
      const below = Math.floor(middle);
      const share = below + 1 < bins ? middle - below : 0;
      return {
        first: below,
        weights: Float64Array.of(1 - share, share).subarray(0, share > 0 ? 2 : 1),
        loudest: false,
      };
    }
    const first = Math.min(bins - 1, binFrom(low));
    const end = Math.min(bins, Math.max(first + 1, binFrom(high)));
    return { first, weights: new Float64Array(end - first).fill(1), loudest: true };
  });
}

/** Points on a bin's width at which a filter is measured. */
const filterSteps = 16;

function melRows(geometry: TileGeometry, topHz: number): Row[] {
  const { sampleRateHz, window, nFft, winLength, bins } = geometry;
  const hzPerBin = sampleRateHz / nFft;
  const top = hzToMel(topHz, 'slaney');
  // In bins.
  const edges = Float64Array.from(
    { length: tileRows + 2 },
    (_, edge) => melToHz((top * edge) / (tileRows + 1), 'slaney') / hzPerBin,
  );
  const response = (distance: number): number => windowResponse(window, (distance * winLength) / nFft);
  return Array.from({ length: tileRows }, (_, row) => {
    const [low, middle, high] = edges.subarray(row, row + 3);
    const first = Math.max(0, Math.floor(low));
    const last = Math.min(bins - 1, Math.ceil(high));
    const weights = new Float64Array(last - first + 1);
    const step = Math.min(1 / filterSteps, (high - low) / filterSteps);
    for (let at = low + step / 2; at < high; at += step) {
      const height = at < middle ? (at - low) / (middle - low) : (high - at) / (high - middle);
      const below = Math.min(Math.floor(at), last);
      const share = Math.min(at - below, 1);
      if (below >= first) weights[below - first] += height * (1 - share) * step;
      if (below + 1 <= last) weights[below + 1 - first] += height * share * step;
    }
    let gain = 0;
    // The sine's image at the negative frequency reaches into the lowest rows.
    weights.forEach((weight, i) => (gain += weight * (response(first + i - middle) + response(first + i + middle))));
    return { first, weights: weights.map((weight) => weight / gain), loudest: false };
  });
}

/**
 * @param powers as of `TileMaker.powers`
 * @returns the tile's bytes, `[tileRows][columnsPerTile]`.
 */
export function tileBytes(powers: Float32Array, rows: readonly Row[]): Uint8Array {
  const bytes = new Uint8Array(tileRows * columnsPerTile);
  const sums = new Float64Array(columnsPerTile);
  rows.forEach(({ first, weights, loudest }, row) => {
    sums.fill(0);
    weights.forEach((weight, i) => {
      const from = (first + i) * columnsPerTile;
      if (loudest) {
        for (let column = 0; column < columnsPerTile; column++) {
          if (powers[from + column] > sums[column]) sums[column] = powers[from + column];
        }
      } else {
        for (let column = 0; column < columnsPerTile; column++) sums[column] += weight * powers[from + column];
      }
    });
    for (let column = 0; column < columnsPerTile; column++) {
      bytes[row * columnsPerTile + column] = toByte(10 * Math.log10(sums[column]));
    }
  });
  return bytes;
}
