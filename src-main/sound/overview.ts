/** A whole recording's spectrogram in few columns, made while it is read. */
import { defaultAnalysis, fullScaleSineDb as binFullScaleDb } from '../../src-common/analysis-windows.ts';
import type { FrequencyScale } from '../../src-common/frequency-axis.ts';
import { hopMs } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEnd, LinearParameters, MelParameters } from '../features/front-end.ts';

/** A spectrogram of a recording of any length, kept to a bounded number of columns. */
export interface SpectrogramOverview {
  /** Mel bands, or the transform's own bins. */
  readonly parameters: MelParameters | LinearParameters;
  /** Of the picture's frequency axis. */
  readonly scale: FrequencyScale;
  /** Samples seen. */
  readonly samples: number;
  readonly rows: number;
  readonly columns: number;
  /** Frames in a column; it holds the loudest of them. The last column may hold fewer. */
  readonly framesPerColumn: number;
  /** Level in dB of full scale, row-major `[rows, columns]`: a sine of amplitude 1 stands at 0. */
  readonly levelsDb: Float32Array;
}

/** What is to be made: the picture's size in columns and rows, and how many samples are expected, as far as known. */
interface Wanted {
  sampleRateHz: number;
  scale: FrequencyScale;
  columns: number;
  rows: number;
  expectedSamples?: number;
  /** By default Hann windows of 32 ms. */
  analysis?: SpectrumAnalysis;
}

/**
 * The spectrogram of audio that comes in blocks, in bounded memory: neighbouring columns are merged, the loudest frame
 * kept, whenever there are more than twice as many as wanted.
 */
export class OverviewMaker {
  readonly #parameters: MelParameters | LinearParameters;
  readonly #scale: FrequencyScale;
  readonly #columns: Columns;
  readonly #stream: FrameStream;

  constructor(wanted: Wanted) {
    this.#parameters = displayParameters(wanted);
    this.#scale = wanted.scale;
    const frontEnd = createFrontEnd(this.#parameters);
    // On a logarithmic axis the lowest bins take as much room as many of the highest.
    const rows = wanted.scale === 'log' ? frontEnd.bins : wanted.rows;
    const columns = new Columns(fullScaleSineDb(this.#parameters), rows, 2 * wanted.columns);
    this.#columns = columns;
    this.#stream = new FrameStream(frontEnd, (levels, frames, first, end) => columns.add(levels, frames, first, end));
  }

  /** @param block mono, of any length */
  push(block: Float32Array): void {
    this.#stream.push(block);
  }

  /** Call it once. */
  finish(): SpectrogramOverview {
    this.#stream.finish();
    return {
      parameters: this.#parameters,
      scale: this.#scale,
      samples: this.#stream.samples,
      rows: this.#columns.rows,
      columns: this.#columns.count,
      framesPerColumn: this.#columns.framesPerColumn,
      levelsDb: this.#columns.levels(),
    };
  }
}

/** The spectrogram of streamed audio. @param blocks mono audio in blocks of any length. */
export async function overviewOf(blocks: AsyncIterable<Float32Array>, wanted: Wanted): Promise<SpectrogramOverview> {
  const maker = new OverviewMaker(wanted);
  for await (const block of blocks) maker.push(block);
  return maker.finish();
}

/** Points of a transform. */
const mostFft = 32_768;

/** Hops short enough for the picture's columns, and never so long that audio is passed over, unless the overlap says so. */
function displayParameters(wanted: Wanted): MelParameters | LinearParameters {
  const { sampleRateHz, scale, columns, expectedSamples, analysis = defaultAnalysis } = wanted;
  const { window, windowMs } = analysis;
  const winLength = Math.min(mostFft, Math.max(32, 2 * Math.round((sampleRateHz * windowMs) / 2000)));
  const wantedHop = expectedSamples === undefined ? winLength / 4 : Math.floor(expectedSamples / columns);
  const leastHop = Math.round(((hopMs(analysis) ?? 0) * sampleRateHz) / 1000);
  const shared = {
    sampleRateHz,
    // Zero-padded at least twofold where the size allows, so that low Mel bands are not empty.
    nFft: Math.min(mostFft, 2 ** Math.ceil(Math.log2(2 * winLength))),
    winLength,
    hopLength: Math.max(1, leastHop, Math.min(winLength / 2, wantedHop)),
    window,
    center: true,
    fMin: 0,
    fMax: sampleRateHz / 2,
    floorPower: 1e-10,
  };
  return scale === 'mel'
    ? { type: 'mel', ...shared, nMels: 128, melScale: 'slaney', norm: 'none' }
    : { type: 'linear', ...shared };
}

/** What the front end makes, in each row, of a sine of amplitude 1 at the row's middle frequency. */
function fullScaleSineDb(parameters: MelParameters | LinearParameters): Float64Array {
  const { window, winLength, nFft, sampleRateHz } = parameters;
  const frontEnd = createFrontEnd({ ...parameters, center: false });
  if (parameters.type === 'linear') return new Float64Array(frontEnd.bins).fill(binFullScaleDb(window, winLength));
  const samples = new Float32Array(nFft);
  const levels = new Float32Array(frontEnd.bins);
  return frontEnd.frequenciesHz.map((hz, row) => {
    // The mean of sine and cosine: the lowest bands hear the phase.
    let power = 0;
    for (const phase of [0, Math.PI / 2]) {
      for (let index = 0; index < nFft; index++) {
        samples[index] = Math.sin((2 * Math.PI * hz * index) / sampleRateHz + phase);
      }
      power += 10 ** (frontEnd.compute(samples, levels)[row] / 10) / 2;
    }
    return 10 * Math.log10(power);
  });
}

/** Takes the frames `first ... end - 1` of a spectrogram of `frames` frames. */
type FrameSink = (levels: Float32Array, frames: number, first: number, end: number) => void;

/** Cuts a stream into overlapping pieces, so that its frames are those of the whole recording at once. */
class FrameStream {
  readonly #frontEnd: FrontEnd;
  readonly #sink: FrameSink;
  readonly #buffer: Float32Array;
  readonly #levels: Float32Array;
  /** Place in the recording of the buffer's first sample, a multiple of the hop. */
  #begin = 0;
  #filled = 0;
  #nextFrame = 0;

  constructor(frontEnd: FrontEnd, sink: FrameSink) {
    this.#frontEnd = frontEnd;
    this.#sink = sink;
    const { nFft, hopLength } = frontEnd.parameters;
    this.#buffer = new Float32Array(256 * hopLength + 4 * nFft);
    this.#levels = new Float32Array(frontEnd.bins * frontEnd.frameCount(this.#buffer.length));
  }

  get samples(): number {
    return this.#begin + this.#filled;
  }

  push(block: Float32Array): void {
    for (let taken = 0; taken < block.length;) {
      const some = block.subarray(taken, taken + this.#buffer.length - this.#filled);
      this.#buffer.set(some, this.#filled);
      this.#filled += some.length;
      taken += some.length;
      if (this.#filled === this.#buffer.length) this.#emit(false);
    }
  }

  finish(): void {
    this.#emit(true);
  }

  #emit(last: boolean): void {
    const { nFft, hopLength } = this.#frontEnd.parameters;
    const piece = this.#buffer.subarray(0, this.#filled);
    const frames = this.#frontEnd.frameCount(this.#filled);
    const first = this.#nextFrame - this.#begin / hopLength;
    // Later frames would be reflected at an edge that is none.
    const end = last ? frames : Math.floor((this.#filled - nFft / 2) / hopLength) + 1;
    if (end > first) this.#sink(this.#frontEnd.compute(piece, this.#levels), frames, first, end);
    this.#nextFrame += Math.max(0, end - first);
    const begin = Math.max(0, Math.floor((this.#nextFrame * hopLength - nFft / 2) / hopLength) * hopLength);
    this.#buffer.copyWithin(0, begin - this.#begin, this.#filled);
    this.#filled -= begin - this.#begin;
    this.#begin = begin;
  }
}

/** At most so many columns of so many rows, each the loudest of the frames and bins that fall into it. */
class Columns {
  readonly rows: number;
  framesPerColumn = 1;
  readonly #capacity: number;
  readonly #fullScaleDb: Float64Array;
  readonly #rowOfBin: Int32Array;
  /** Column after column. */
  readonly #values: Float32Array;
  #frames = 0;

  /** @param fullScaleDb the level of each bin that becomes 0 dB. */
  constructor(fullScaleDb: Float64Array, rows: number, capacity: number) {
    const bins = fullScaleDb.length;
    this.#fullScaleDb = fullScaleDb;
    this.rows = Math.min(bins, rows);
    this.#capacity = capacity;
    this.#rowOfBin = Int32Array.from({ length: bins }, (_, bin) => Math.floor((bin * this.rows) / bins));
    this.#values = new Float32Array(this.rows * capacity).fill(-Infinity);
  }

  get count(): number {
    return Math.ceil(this.#frames / this.framesPerColumn);
  }

  add(levels: Float32Array, frames: number, first: number, end: number): void {
    for (let frame = first; frame < end; frame++) {
      if (this.#frames === this.#capacity * this.framesPerColumn) this.#merge();
      const base = Math.floor(this.#frames / this.framesPerColumn) * this.rows;
      for (let bin = 0; bin < this.#rowOfBin.length; bin++) {
        const place = base + this.#rowOfBin[bin];
        const level = levels[bin * frames + frame] - this.#fullScaleDb[bin];
        if (level > this.#values[place]) this.#values[place] = level;
      }
      this.#frames++;
    }
  }

  /** Row-major. */
  levels(): Float32Array {
    const { count, rows } = this;
    const result = new Float32Array(rows * count);
    for (let column = 0; column < count; column++) {
      for (let row = 0; row < rows; row++) result[row * count + column] = this.#values[column * rows + row];
    }
    return result;
  }

  #merge(): void {
    const { rows } = this;
    for (let column = 0; column < this.#capacity / 2; column++) {
      for (let row = 0; row < rows; row++) {
        const left = this.#values[2 * column * rows + row];
        const right = this.#values[(2 * column + 1) * rows + row];
        this.#values[column * rows + row] = Math.max(left, right);
      }
    }
    this.#values.fill(-Infinity, (this.#capacity / 2) * rows);
    this.framesPerColumn *= 2;
  }
}
