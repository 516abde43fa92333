/** What networks see: Mel, linear and LFCC spectrograms, and how phases move. */
import { z } from 'zod';
import { analysisWindows, windowSamples } from '../../src-common/analysis-windows.ts';
import { hzToMel, melScales, melToHz } from '../../src-common/mel-scale.ts';
import { Periodicity } from './periodicity.ts';
import { PhaseLocking } from './phase-locking.ts';
import { SpectralKernel, isFftSize } from './spectral-kernel.ts';
import type { Bands, TriangularFilters } from './spectral-kernel.ts';

const framing = {
  sampleRateHz: z.number().int().min(1000).max(768_000),
  /** Points of the Fourier transform, a power of two from 64 to 32768. */
  nFft: z.number().int().refine(isFftSize, 'nFft must be a power of two from 64 to 32768'),
  /** Samples under the window, at most `nFft`; the window lies in the middle of the transform's frame. */
  winLength: z.number().int().min(2),
  /** Samples from one frame to the next. */
  hopLength: z.number().int().min(1),
  /** Periodic. */
  window: z.enum(analysisWindows),
  /** Frame t is centred on sample t * hopLength, edges reflected (`pad_mode="reflect"` of librosa and torchaudio). */
  center: z.boolean(),
  /** Powers below this become this. */
  floorPower: z.number().min(1e-37).max(1),
  /** Added to every power first, so that what lies far below it fades away instead of ending at an edge. */
  addedPower: z.number().min(0).max(1).optional(),
};

const melSchema = z.object({
  type: z.literal('mel'),
  ...framing,
  nMels: z.number().int().min(1).max(1024),
  /** Lower edge of the first filter and upper edge of the last, in Hz. */
  fMin: z.number().min(0),
  fMax: z.number(),
  melScale: z.enum(melScales),
  /** `slaney`: filters of equal area; `none`: filters that peak at 1. */
  norm: z.enum(['slaney', 'none']),
});

const linearSchema = z.object({
  type: z.literal('linear'),
  ...framing,
  /** The bins of the transform whose frequency lies from fMin to fMax (Hz, both included) are kept. */
  fMin: z.number().min(0),
  fMax: z.number(),
});

const phaseSchema = z.object({
  type: z.literal('phase'),
  ...framing,
  /** The bins of the transform whose frequency lies from fMin to fMax (Hz, both included) are kept; one above must be there. */
  fMin: z.number().min(0),
  fMax: z.number(),
});

/** A card from elsewhere may ask for any transform and rates. */
const mostLockingPoints = 2 ** 20;
const hz = z.number().min(0);

/** See {@link PhaseLocking}. */
const lockingSchema = z.object({
  nFft: framing.nFft,
  hopLength: framing.hopLength,
  ratesHz: z.array(z.number().positive()).min(1).max(1000),
  rangesHz: z
    .array(z.tuple([hz, hz]))
    .min(1)
    .max(16),
  bandsHz: z.array(z.tuple([hz, hz])).max(64),
  quantiles: z.array(z.number().min(0).max(1)).max(16),
  points: z.number().int().refine(isFftSize, 'points must be a power of two from 64 to 32768'),
  /** The most that a frequency counts. */
  mostOfFrequency: z.number().positive(),
});

const periodicitySchema = z.object({
  type: z.literal('periodicity'),
  ...framing,
  /** Where bins come from, in Hz. */
  fMin: z.number().min(0),
  fMax: z.number(),
  /** Of what layers of speech engines make sound in: see {@link Periodicity}. */
  ratesHz: z.array(z.number().positive()).min(1).max(1000),
  /** The most that a pair of bins counts. */
  mostOfPair: z.number().positive(),
  /** How well phases of fixed frequencies are kept, beside those of pairs; absent: not asked. */
  locking: lockingSchema.optional(),
  /** Of a window that sound was repeated to fill, the sound is looked at once: a seam keeps no phases. Absent: the whole window. */
  soundOnce: z.literal(true).optional(),
});

const lfccSchema = z.object({
  type: z.literal('lfcc'),
  ...framing,
  /** Triangular filters that peak at 1, equally spaced in Hz from fMin to fMax. */
  nFilters: z.number().int().min(1).max(1024),
  fMin: z.number().min(0),
  fMax: z.number(),
  /** Cepstral coefficients kept, from the zeroth on. */
  nCoefficients: z.number().int().min(1).max(1024),
  /** How often differences over time are taken: 1 adds the rows' deltas below them, 2 the deltas' deltas, too. */
  deltas: z.number().int().min(0).max(2).default(0),
  /** Frames that a difference spans, an odd number (`win_length` of torchaudio's compute_deltas). */
  deltaFrames: z
    .number()
    .int()
    .min(3)
    .max(99)
    .refine((frames) => frames % 2 === 1, 'deltaFrames must be odd')
    .default(5),
});

/** Says what of phases at fixed frequencies does not go together. */
function mustHold(
  { nFft, hopLength, points, ratesHz, bandsHz, rangesHz }: z.infer<typeof lockingSchema>,
  { fMin, fMax, sampleRateHz }: { fMin: number; fMax: number; sampleRateHz: number },
  refuse: (path: string, message: string) => void,
): void {
  const { first, count } = keptBins({ sampleRateHz, nFft, fMin, fMax });
  const perBin = (points * hopLength) / nFft;
  if (count < 1) refuse('locking', 'no bin of locking lies from fMin to fMax');
  else if (hopLength > nFft || !Number.isInteger(perBin / 2))
    refuse('locking', 'points * hopLength must be a multiple of 2 * nFft, and hopLength at most nFft');
  else if (count * perBin > mostLockingPoints) refuse('locking', `more than ${mostLockingPoints} points are too many`);
  // A rate near nought would have multiples without end.
  const multiples = ratesHz.reduce((sum, rateHz) => sum + fMax / rateHz, 0);
  if (multiples > mostLockingPoints) refuse('locking', `more than ${mostLockingPoints} multiples are too many`);
  const least = (2 * sampleRateHz) / hopLength / points;
  // The last bin answers for half a bin above it.
  const top = ((first + count - 0.5) * sampleRateHz) / nFft;
  const edges = bandsHz.every(
    ([from, to]) => from >= fMin && to <= fMax + sampleRateHz / nFft / 2 && Math.min(to, top) - from > least,
  );
  if (!edges) refuse('locking', 'bandsHz must lie from fMin to fMax and hold two points each');
  if (!rangesHz.every(([from, to]) => from < to)) refuse('locking', 'rangesHz must rise');
}

/** What a model's card says of its front end. */
export const frontEndSchema = z
  .discriminatedUnion('type', [melSchema, linearSchema, phaseSchema, lfccSchema, periodicitySchema])
  .superRefine((parameters, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const { winLength, nFft, fMin, fMax, sampleRateHz } = parameters;
    if (winLength > nFft) refuse('winLength', 'winLength must be at most nFft');
    if (!(fMin < fMax && fMax <= sampleRateHz / 2))
      refuse('fMax', 'fMax must lie above fMin, up to half the sample rate');
    if (parameters.type === 'linear' || parameters.type === 'phase' || parameters.type === 'periodicity') {
      const { first, count } = keptBins(parameters);
      if (count < 1) refuse('fMax', 'no bin lies from fMin to fMax');
      const { locking } = parameters.type === 'periodicity' ? parameters : {};
      if (locking) mustHold(locking, parameters, refuse);
      if (parameters.type === 'phase' && first + count > nFft / 2) refuse('fMax', 'a bin must lie above fMax');
    }
    if (parameters.type === 'lfcc' && parameters.nCoefficients > parameters.nFilters)
      refuse('nCoefficients', 'nCoefficients must be at most nFilters');
  });

export type MelParameters = z.infer<typeof melSchema>;
export type LinearParameters = z.infer<typeof linearSchema>;
export type PhaseParameters = z.infer<typeof phaseSchema>;
export type LfccParameters = z.infer<typeof lfccSchema>;
export type PeriodicityParameters = z.infer<typeof periodicitySchema>;
export type FrontEndParameters = z.infer<typeof frontEndSchema>;

/** Turns audio into a spectrogram or cepstrogram. Holds its working memory: one per thread, any number of calls. */
export interface FrontEnd {
  readonly parameters: FrontEndParameters;
  /** Rows of the result, those of all planes. */
  readonly bins: number;
  /** Planes of the same frequencies that lie below one another; those of phases are four. */
  readonly planes: number;
  /** Middle frequency of each row of a plane in Hz; none where rows are cepstral coefficients. */
  readonly frequenciesHz: Float64Array;
  /** Where it looks at sound once that was repeated to fill a window: how many samples it needs, repeated or not; else null. */
  readonly leastSound: number | null;
  /** Frames of a recording of so many samples: 1 + floor(samples / hopLength) if centred (0 for no samples). */
  frameCount(samples: number): number;
  /**
   * Level in dB, 10 log10(max(power + addedPower, floorPower)), row-major `[bins, frames]`; for LFCC the orthonormal DCT-II of the filters'
   * levels; for phases see {@link PhaseFrontEnd}, for periodicity {@link Periodicity} and {@link PhaseLocking}. Frames with samples that are not finite come out finite, but mean nothing.
   * @param samples mono audio at `sampleRateHz`.
   * @param out written and returned where given, at least `bins * frames` long; allocated otherwise.
   */
  compute(samples: Float32Array, out?: Float32Array): Float32Array;
}

/**
 * A front end for these parameters. Mel and linear agree with torchaudio's and librosa's power spectrograms in dB; LFCC with
 * `torchaudio.transforms.LFCC` in dB without its limit to 80 dB below the loudest (which would need the whole recording), its deltas with
 * `torchaudio.functional.compute_deltas`.
 * @throws RangeError for a transform size that does not exist; parse what comes from outside by {@link frontEndSchema}.
 */
export function createFrontEnd(parameters: FrontEndParameters): FrontEnd {
  switch (parameters.type) {
    case 'mel': {
      const edges = melEdgesHz(parameters);
      const filters = triangularFilters(parameters, edges, parameters.norm === 'slaney');
      return new SpectralFrontEnd(parameters, edges.slice(1, -1), { kind: 'filters', filters });
    }
    case 'linear': {
      const { first, count } = keptBins(parameters);
      const hzPerBin = parameters.sampleRateHz / parameters.nFft;
      const frequencies = Float64Array.from({ length: count }, (_, row) => (first + row) * hzPerBin);
      return new SpectralFrontEnd(parameters, frequencies, { kind: 'bins', first, count });
    }
    case 'phase':
      return new PhaseFrontEnd(parameters);
    case 'periodicity':
      return new PeriodicityFrontEnd(parameters);
    case 'lfcc': {
      const { fMin, fMax, nFilters, nCoefficients, deltas, deltaFrames } = parameters;
      const edges = Float64Array.from(
        { length: nFilters + 2 },
        (_, edge) => fMin + ((fMax - fMin) * edge) / (nFilters + 1),
      );
      const bands: Bands = { kind: 'filters', filters: triangularFilters(parameters, edges, false) };
      const cepstrum = new SpectralFrontEnd(parameters, new Float64Array(0), bands, dctMatrix(nFilters, nCoefficients));
      return deltas === 0 ? cepstrum : new DeltaFrontEnd(cepstrum, deltas, deltaFrames);
    }
  }
}

class SpectralFrontEnd implements FrontEnd {
  readonly parameters: FrontEndParameters;
  readonly planes = 1;
  readonly leastSound = null;
  readonly bins: number;
  readonly frequenciesHz: Float64Array;
  readonly #kernel: SpectralKernel;
  readonly #winLength: number;

  /** @param transform by which the bands' levels are multiplied, [rows, bands]; null: they are the rows */
  constructor(
    parameters: FrontEndParameters,
    frequenciesHz: Float64Array,
    bands: Bands,
    transform: Float64Array | null = null,
  ) {
    const { nFft, window, winLength, hopLength, floorPower, addedPower = 0 } = parameters;
    if (!isFftSize(nFft)) throw new RangeError(`An FFT of ${nFft} points: a power of two from 64 to 32768 is needed`);
    this.parameters = parameters;
    this.frequenciesHz = frequenciesHz;
    this.#winLength = winLength;
    const samples = windowSamples(window, winLength);
    this.#kernel = new SpectralKernel({ nFft, window: samples, hopLength, bands, floorPower, addedPower, transform });
    this.bins = this.#kernel.rows;
  }

  frameCount(samples: number): number {
    const { nFft, hopLength, center } = this.parameters;
    if (center) return samples === 0 ? 0 : 1 + Math.floor(samples / hopLength);
    return samples < nFft ? 0 : 1 + Math.floor((samples - nFft) / hopLength);
  }

  compute(samples: Float32Array, out?: Float32Array): Float32Array {
    const { nFft, hopLength, center } = this.parameters;
    const frames = this.frameCount(samples.length);
    const result = roomFor(this.bins * frames, out);
    const kernel = this.#kernel;
    const lead = Math.floor((nFft - this.#winLength) / 2) - (center ? nFft / 2 : 0);
    for (let first = 0; first < frames; first += kernel.capacity) {
      const count = Math.min(kernel.capacity, frames - first);
      const length = (count - 1) * hopLength + this.#winLength;
      copyReflected(samples, first * hopLength + lead, kernel.input.subarray(0, length));
      kernel.run(count, result, first, frames);
    }
    return result;
  }
}

/**
 * How phases move: cosine and sine of the step from the frame before, less that of the bin's own frequency (instantaneous frequency), and of the
 * step from a bin to the next one above, less that of the window's middle (group delay, negative). Each fades to nought where both powers lie below
 * `addedPower`. Four planes, [4 · bins, frames]; as features of synthetic speech see Sanchez et al. 2015, "Toward a universal synthetic
 * speech spoofing detection using phase information".
 */
class PhaseFrontEnd implements FrontEnd {
  readonly parameters: PhaseParameters;
  readonly planes = 4;
  readonly leastSound = null;
  readonly bins: number;
  readonly frequenciesHz: Float64Array;
  readonly #spectra: SpectralFrontEnd;
  /** Of the step of each bin's own frequency from frame to frame, cosine and sine. */
  readonly #turns: Float64Array;
  #parts = new Float32Array(0);

  constructor(parameters: PhaseParameters) {
    const { nFft, sampleRateHz, hopLength } = parameters;
    const { first, count } = keptBins(parameters);
    this.parameters = parameters;
    this.bins = this.planes * count;
    this.frequenciesHz = Float64Array.from({ length: count }, (_, row) => ((first + row) * sampleRateHz) / nFft);
    this.#spectra = new SpectralFrontEnd(parameters, new Float64Array(0), { kind: 'complex', first, count: count + 1 });
    this.#turns = Float64Array.from({ length: 2 * count }, (_, place) => {
      // Whole turns are left out, for exactness.
      const angle = (-2 * Math.PI * (((first + (place >> 1)) * hopLength) % nFft)) / nFft;
      return place % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    });
  }

  /** The first frame has none before it. */
  frameCount(samples: number): number {
    return Math.max(0, this.#spectra.frameCount(samples) - 1);
  }

  compute(samples: Float32Array, out?: Float32Array): Float32Array {
    const frames = this.frameCount(samples.length);
    const result = roomFor(this.bins * frames, out);
    const width = frames + 1;
    const bins = this.frequenciesHz.length;
    if (this.#parts.length < this.#spectra.bins * width) this.#parts = new Float32Array(this.#spectra.bins * width);
    const parts = this.#spectra.compute(samples, this.#parts);
    const imaginary = (bins + 1) * width;
    const plane = bins * frames;
    const { addedPower = 0, floorPower } = this.parameters;
    const least = addedPower + floorPower;
    for (let bin = 0; bin < bins; bin++) {
      const [cosine, sine] = [this.#turns[2 * bin], this.#turns[2 * bin + 1]];
      let before = bin * width;
      let beforePower = parts[before] ** 2 + parts[imaginary + before] ** 2 + least;
      for (let frame = 0; frame < frames; frame++, before++) {
        const here = before + 1;
        const above = here + width;
        const [re, im] = [parts[here], parts[imaginary + here]];
        const power = re * re + im * im + least;
        const upRe = parts[above];
        const upIm = parts[imaginary + above];
        const inTime = 1 / Math.sqrt(power * beforePower);
        // A bin times the conjugate of the other one turns by the difference of their phases.
        const stepRe = (re * parts[before] + im * parts[imaginary + before]) * inTime;
        const stepIm = (im * parts[before] - re * parts[imaginary + before]) * inTime;
        // The window's middle lies half a transform behind its first sample: half a turn a bin.
        const inFrequency = -1 / Math.sqrt(power * (upRe * upRe + upIm * upIm + least));
        const at = bin * frames + frame;
        result[at] = stepRe * cosine - stepIm * sine;
        result[at + plane] = stepRe * sine + stepIm * cosine;
        result[at + 2 * plane] = (upRe * re + upIm * im) * inFrequency;
        result[at + 3 * plane] = (upIm * re - upRe * im) * inFrequency;
        beforePower = power;
      }
    }
    return result;
  }
}

/**
 * What a front end looks at of a window.
 * @param filled how many samples are the recording's; the rest are they again
 */
export function soundFor({ leastSound }: FrontEnd, window: Float32Array, filled: number): Float32Array {
  return leastSound === null ? window : window.subarray(0, Math.max(filled, leastSound));
}

/** So many frames are looked at, at least, though sound be repeated for them. */
const leastFrames = 8;

/** How well phases are kept at each of some rates, over the whole of what it is given: one frame. */
class PeriodicityFrontEnd implements FrontEnd {
  readonly parameters: PeriodicityParameters;
  readonly planes = 1;
  readonly bins: number;
  readonly frequenciesHz = new Float64Array(0);
  readonly leastSound: number | null;
  readonly #spectra: SpectralFrontEnd;
  readonly #periodicity: Periodicity;
  readonly #locking: { spectra: SpectralFrontEnd; values: PhaseLocking; most: number } | null;
  #parts = new Float32Array(0);

  constructor(parameters: PeriodicityParameters) {
    const { sampleRateHz, nFft, hopLength, ratesHz, locking, soundOnce } = parameters;
    const { first, count } = keptBins(parameters);
    this.parameters = parameters;
    this.#spectra = new SpectralFrontEnd(parameters, new Float64Array(0), { kind: 'complex', first, count });
    this.#periodicity = new Periodicity({ sampleRateHz, nFft, hopLength, first, count, ratesHz });
    this.#locking = locking === undefined ? null : lockingOf(parameters, locking);
    this.bins = this.#periodicity.size + (this.#locking?.values.size ?? 0);
    this.leastSound = soundOnce ? nFft + (leastFrames - 1) * hopLength : null;
  }

  frameCount(samples: number): number {
    return this.#spectra.frameCount(samples) > 0 ? 1 : 0;
  }

  compute(samples: Float32Array, out?: Float32Array): Float32Array {
    const result = roomFor(this.bins, out);
    const { floorPower, mostOfPair } = this.parameters;
    const frames = this.#spectra.frameCount(samples.length);
    if (frames === 0) return result;
    this.#periodicity.compute(this.#partsOf(this.#spectra, samples, frames), frames, floorPower, mostOfPair, result);
    if (this.#locking !== null) {
      const { spectra, values, most } = this.#locking;
      const count = spectra.frameCount(samples.length);
      values.compute(
        this.#partsOf(spectra, samples, count),
        count,
        floorPower,
        most,
        result.subarray(this.#periodicity.size),
      );
    }
    return result;
  }

  #partsOf(spectra: SpectralFrontEnd, samples: Float32Array, frames: number): Float32Array {
    const size = spectra.bins * frames;
    if (this.#parts.length < size) this.#parts = new Float32Array(size);
    return spectra.compute(samples, this.#parts);
  }
}

function lockingOf(
  parameters: PeriodicityParameters,
  { nFft, hopLength, mostOfFrequency, ...layout }: z.infer<typeof lockingSchema>,
): { spectra: SpectralFrontEnd; values: PhaseLocking; most: number } {
  const { sampleRateHz, fMin, fMax } = parameters;
  const framed = { ...parameters, nFft, hopLength, winLength: nFft };
  const { first, count } = keptBins(framed);
  return {
    spectra: new SpectralFrontEnd(framed, new Float64Array(0), { kind: 'complex', first, count }),
    values: new PhaseLocking({ sampleRateHz, nFft, hopLength, first, count, fMin, fMax, ...layout }),
    most: mostOfFrequency,
  };
}

/** The rows of another front end, below them their differences over time, and so on. */
class DeltaFrontEnd implements FrontEnd {
  readonly parameters: FrontEndParameters;
  readonly planes = 1;
  readonly leastSound = null;
  readonly bins: number;
  readonly frequenciesHz = new Float64Array(0);
  readonly #source: FrontEnd;
  readonly #times: number;
  readonly #reach: number;

  constructor(source: FrontEnd, times: number, deltaFrames: number) {
    this.parameters = source.parameters;
    this.bins = source.bins * (1 + times);
    this.#source = source;
    this.#times = times;
    this.#reach = (deltaFrames - 1) / 2;
  }

  frameCount(samples: number): number {
    return this.#source.frameCount(samples);
  }

  compute(samples: Float32Array, out?: Float32Array): Float32Array {
    const frames = this.frameCount(samples.length);
    const result = roomFor(this.bins * frames, out);
    this.#source.compute(samples, result);
    const size = this.#source.bins * frames;
    for (let time = 1; time <= this.#times; time++) {
      const from = result.subarray((time - 1) * size, time * size);
      differences(from, frames, this.#reach, result.subarray(time * size, (time + 1) * size));
    }
    return result;
  }
}

function roomFor(count: number, out: Float32Array | undefined): Float32Array {
  const room = out ?? new Float32Array(count);
  if (room.length < count) throw new RangeError(`The result needs ${count} numbers, ${room.length} are there`);
  return room;
}

/** The slope of a straight line through the frames about each one; the first and last frame are repeated at the edges. */
function differences(rows: Float32Array, frames: number, reach: number, out: Float32Array): void {
  const norm = (reach * (reach + 1) * (2 * reach + 1)) / 3;
  const last = frames - 1;
  for (let row = 0; row < rows.length; row += frames) {
    for (let frame = 0; frame < frames; frame++) {
      let sum = 0;
      for (let n = 1; n <= reach; n++) {
        sum += n * (rows[row + Math.min(frame + n, last)] - rows[row + Math.max(frame - n, 0)]);
      }
      out[row + frame] = sum / norm;
    }
  }
}

/**
 * Copies a stretch that may hang over the edges: reflected about the edge's sample, as often as a short recording needs.
 * @param begin of the stretch within the samples, possibly negative
 */
function copyReflected(samples: Float32Array, begin: number, target: Float32Array): void {
  const inside = samples.subarray(Math.max(0, begin), Math.max(0, begin + target.length));
  const from = Math.max(0, -begin);
  if (inside.length > 0) target.set(inside, from);
  const last = samples.length - 1;
  const period = Math.max(1, 2 * last);
  const reflect = (index: number): void => {
    let place = (begin + index) % period;
    if (place < 0) place += period;
    target[index] = samples[place > last ? period - place : place];
  };
  for (let index = 0; index < Math.min(from, target.length); index++) reflect(index);
  for (let index = from + inside.length; index < target.length; index++) reflect(index);
}

function keptBins(
  parameters: Pick<
    LinearParameters | PhaseParameters | PeriodicityParameters,
    'sampleRateHz' | 'nFft' | 'fMin' | 'fMax'
  >,
): {
  first: number;
  count: number;
} {
  const hzPerBin = parameters.sampleRateHz / parameters.nFft;
  // A bin that is meant to be the edge must not be lost to rounding.
  const first = Math.ceil(parameters.fMin / hzPerBin - 1e-6);
  const last = Math.min(parameters.nFft / 2, Math.floor(parameters.fMax / hzPerBin + 1e-6));
  return { first, count: last - first + 1 };
}

/** Filters between edges in Hz, [filters + 2]: they peak at 1, or with `equalArea` have the same area (Slaney). */
function triangularFilters(
  { nFft, sampleRateHz }: Pick<FrontEndParameters, 'nFft' | 'sampleRateHz'>,
  edges: Float64Array,
  equalArea: boolean,
): TriangularFilters {
  const lastBin = nFft / 2;
  const hzPerBin = sampleRateHz / nFft;
  const starts = Int32Array.from(edges, (edge) => Math.min(lastBin + 1, Math.ceil(edge / hzPerBin)));
  const rising = new Float64Array(lastBin + 1);
  const falling = new Float64Array(lastBin + 1);
  for (let edge = 1; edge < edges.length; edge++) {
    const width = edges[edge] - edges[edge - 1];
    for (let bin = starts[edge - 1]; bin < starts[edge]; bin++) {
      rising[bin] = (bin * hzPerBin - edges[edge - 1]) / width;
      falling[bin] = (edges[edge] - bin * hzPerBin) / width;
    }
  }
  const gains = Float64Array.from({ length: edges.length - 2 }, (_, row) =>
    equalArea ? 2 / (edges[row + 2] - edges[row]) : 1,
  );
  return { starts, rising, falling, gains };
}

/** The first rows of the orthonormal DCT-II, [rows, size]. */
function dctMatrix(size: number, rows: number): Float64Array {
  return Float64Array.from({ length: rows * size }, (_, place) => {
    const row = Math.floor(place / size);
    const cosine = Math.cos((Math.PI / size) * ((place % size) + 0.5) * row);
    return cosine * Math.sqrt((row === 0 ? 1 : 2) / size);
  });
}

/** The nMels + 2 edges of the filters, equally spaced in Mel from fMin to fMax; filter m spans edges m ... m + 2. */
function melEdgesHz(parameters: MelParameters): Float64Array {
  const { melScale, fMin, fMax, nMels } = parameters;
  const low = hzToMel(fMin, melScale);
  const high = hzToMel(fMax, melScale);
  return Float64Array.from({ length: nMels + 2 }, (_, edge) =>
    melToHz(low + ((high - low) * edge) / (nMels + 1), melScale),
  );
}
