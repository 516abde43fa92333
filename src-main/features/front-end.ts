import { z } from 'zod';
import { isFftSize, RealFft } from './fft.ts';

const framing = {
  sampleRateHz: z.number().int().min(1000).max(768_000),
  /** Points of the Fourier transform, a power of two from 64 to 8192. */
  nFft: z.number().int().refine(isFftSize, 'nFft must be a power of two from 64 to 8192'),
  /** Samples under the window, at most `nFft`; the window lies in the middle of the transform's frame. */
  winLength: z.number().int().min(2),
  /** Samples from one frame to the next. */
  hopLength: z.number().int().min(1),
  /** Periodic Hann window. */
  window: z.literal('hann'),
  /** Frame t is centred on sample t * hopLength, edges reflected (`pad_mode="reflect"` of librosa and torchaudio). */
  center: z.boolean(),
  /** Powers below this become this. */
  floorPower: z.number().min(1e-37).max(1),
};

const melSchema = z.object({
  type: z.literal('mel'),
  ...framing,
  nMels: z.number().int().min(1).max(1024),
  /** Lower edge of the first filter and upper edge of the last, in Hz. */
  fMin: z.number().min(0),
  fMax: z.number(),
  /** `slaney`: linear below 1 kHz (Auditory Toolbox, librosa's default); `htk`: 2595 log10(1 + f / 700). */
  melScale: z.enum(['slaney', 'htk']),
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

/** What a model's card says of its front end. */
export const frontEndSchema = z
  .discriminatedUnion('type', [melSchema, linearSchema])
  .superRefine((parameters, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    const { winLength, nFft, fMin, fMax, sampleRateHz } = parameters;
    if (winLength > nFft) refuse('winLength', 'winLength must be at most nFft');
    if (!(fMin < fMax && fMax <= sampleRateHz / 2))
      refuse('fMax', 'fMax must lie above fMin, up to half the sample rate');
    if (parameters.type === 'linear' && keptBins(parameters).count < 1) refuse('fMax', 'no bin lies from fMin to fMax');
  });

export type MelParameters = z.infer<typeof melSchema>;
export type LinearParameters = z.infer<typeof linearSchema>;
export type FrontEndParameters = z.infer<typeof frontEndSchema>;

/** Turns audio into a spectrogram. Holds its working memory: one per thread, any number of calls. */
export interface FrontEnd {
  readonly parameters: FrontEndParameters;
  /** Rows of the spectrogram. */
  readonly bins: number;
  /** Middle frequency of each row in Hz. */
  readonly frequenciesHz: Float64Array;
  /** Frames of a recording of so many samples: 1 + floor(samples / hopLength) if centred (0 for no samples). */
  frameCount(samples: number): number;
  /**
   * Level in dB, 10 log10(max(power, floorPower)), row-major `[bins, frames]`. Frames with samples that are not finite
   * come out finite, but mean nothing.
   * @param samples mono audio at `sampleRateHz`.
   * @param out written and returned where given, at least `bins * frames` long; allocated otherwise.
   */
  compute(samples: Float32Array, out?: Float32Array): Float32Array;
}

/** Adds the levels of one frame's power spectrum into `out`, row by row, `frames` apart. */
type Projection = (power: Float64Array, out: Float32Array, frame: number, frames: number) => void;

/**
 * A front end for these parameters, agreeing with torchaudio's and librosa's power spectrograms.
 * @throws RangeError for a transform size that does not exist; parse what comes from outside by {@link frontEndSchema}.
 */
export function createFrontEnd(parameters: FrontEndParameters): FrontEnd {
  switch (parameters.type) {
    case 'mel': {
      const edges = melEdgesHz(parameters);
      return new SpectralFrontEnd(parameters, edges.slice(1, -1), melProjection(parameters, edges));
    }
    case 'linear': {
      const { first, count } = keptBins(parameters);
      const hzPerBin = parameters.sampleRateHz / parameters.nFft;
      const frequencies = Float64Array.from({ length: count }, (_, row) => (first + row) * hzPerBin);
      return new SpectralFrontEnd(parameters, frequencies, linearProjection(first, count));
    }
  }
}

class SpectralFrontEnd implements FrontEnd {
  readonly parameters: FrontEndParameters;
  readonly bins: number;
  readonly frequenciesHz: Float64Array;
  readonly #project: Projection;
  readonly #fft: RealFft;
  readonly #window: Float64Array;
  /** Where the window begins within the transform's frame. */
  readonly #offset: number;
  readonly #frame: Float64Array;
  readonly #power: Float64Array;

  constructor(parameters: FrontEndParameters, frequenciesHz: Float64Array, project: Projection) {
    const { nFft, winLength } = parameters;
    this.parameters = parameters;
    this.bins = frequenciesHz.length;
    this.frequenciesHz = frequenciesHz;
    this.#project = project;
    this.#fft = new RealFft(nFft);
    this.#window = hannWindow(winLength);
    this.#offset = Math.floor((nFft - winLength) / 2);
    this.#frame = new Float64Array(nFft);
    this.#power = new Float64Array(nFft / 2 + 1);
  }

  frameCount(samples: number): number {
    const { nFft, hopLength, center } = this.parameters;
    if (center) return samples === 0 ? 0 : 1 + Math.floor(samples / hopLength);
    return samples < nFft ? 0 : 1 + Math.floor((samples - nFft) / hopLength);
  }

  compute(samples: Float32Array, out?: Float32Array): Float32Array {
    const { nFft, hopLength, center, floorPower } = this.parameters;
    const frames = this.frameCount(samples.length);
    const result = out ?? new Float32Array(this.bins * frames);
    if (result.length < this.bins * frames) {
      throw new RangeError(`The spectrogram needs ${this.bins * frames} numbers, ${result.length} are there`);
    }
    const lead = this.#offset - (center ? nFft / 2 : 0);
    for (let index = 0; index < frames; index++) {
      const begin = index * hopLength + lead;
      if (begin >= 0 && begin + this.#window.length <= samples.length) {
        windowInside(samples, begin, this.#window, this.#frame, this.#offset);
      } else {
        windowReflected(samples, begin, this.#window, this.#frame, this.#offset);
      }
      this.#fft.power(this.#frame, this.#power);
      this.#project(this.#power, result, index, frames);
    }
    powerToDecibels(result, this.bins * frames, floorPower);
    return result;
  }
}

/** Periodic Hann window, as `torch.hann_window(length)` and `scipy.signal.get_window("hann", length)`. */
function hannWindow(length: number): Float64Array {
  return Float64Array.from({ length }, (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / length));
}

function windowInside(
  samples: Float32Array,
  begin: number,
  window: Float64Array,
  frame: Float64Array,
  offset: number,
): void {
  for (let index = 0; index < window.length; index++) frame[offset + index] = samples[begin + index] * window[index];
}

/** As above where the frame hangs over an edge: reflected about the edge's sample, as often as a short recording needs. */
function windowReflected(
  samples: Float32Array,
  begin: number,
  window: Float64Array,
  frame: Float64Array,
  offset: number,
): void {
  const last = samples.length - 1;
  const period = Math.max(1, 2 * last);
  for (let index = 0; index < window.length; index++) {
    let place = (begin + index) % period;
    if (place < 0) place += period;
    if (place > last) place = period - place;
    frame[offset + index] = samples[place] * window[index];
  }
}

/**
 * Powers to decibels, in place. The logarithm is taken from the number's own exponent and a series in
 * (m - 1) / (m + 1) for its mantissa m in [0.71, 1.42): off by less than 2e-7 dB before rounding to float32, and three
 * times as quick as Math.log10.
 */
function powerToDecibels(values: Float32Array, count: number, floorPower: number): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const floorDb = 10 * Math.log10(floorPower);
  const dbPerOctave = 10 * Math.log10(2);
  const scale = 20 / Math.LN10;
  for (let index = 0; index < count; index++) {
    // Written so that what is not a number becomes the floor too.
    if (!(values[index] > floorPower)) {
      values[index] = floorDb;
      continue;
    }
    // 0x3f3504f3 is the square root of a half.
    const above = bits[index] - 0x3f3504f3;
    const octaves = above >> 23;
    bits[index] = (above & 0x7fffff) + 0x3f3504f3;
    const mantissa = values[index];
    const s = (mantissa - 1) / (mantissa + 1);
    const square = s * s;
    values[index] = octaves * dbPerOctave + scale * s * (1 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7))));
  }
}

function keptBins(parameters: Pick<LinearParameters, 'sampleRateHz' | 'nFft' | 'fMin' | 'fMax'>): {
  first: number;
  count: number;
} {
  const hzPerBin = parameters.sampleRateHz / parameters.nFft;
  // A bin that is meant to be the edge must not be lost to rounding.
  const first = Math.ceil(parameters.fMin / hzPerBin - 1e-6);
  const last = Math.min(parameters.nFft / 2, Math.floor(parameters.fMax / hzPerBin + 1e-6));
  return { first, count: last - first + 1 };
}

function linearProjection(first: number, count: number): Projection {
  return (power, out, frame, frames) => {
    for (let row = 0, place = frame; row < count; row++, place += frames) out[place] = power[first + row];
  };
}

/**
 * Mel filters without their matrix. Between two neighbouring edges one filter falls as the next one rises, and the two
 * weights add up to 1: with the plain and the rising sum over each such stretch, every bin is multiplied once.
 */
function melProjection(parameters: MelParameters, edges: Float64Array): Projection {
  const { nFft, nMels, norm, sampleRateHz } = parameters;
  const lastBin = nFft / 2;
  const hzPerBin = sampleRateHz / nFft;
  // starts[s] ... starts[s + 1]: the bins from edge s (included) to edge s + 1 (not).
  const starts = new Int32Array(nMels + 2);
  const rising = new Float64Array(lastBin + 1);
  for (let edge = 0; edge < starts.length; edge++) {
    starts[edge] = Math.min(lastBin + 1, Math.ceil(edges[edge] / hzPerBin));
    if (edge === 0) continue;
    const width = edges[edge] - edges[edge - 1];
    for (let bin = starts[edge - 1]; bin < starts[edge]; bin++) {
      rising[bin] = (bin * hzPerBin - edges[edge - 1]) / width;
    }
  }
  const gains = Float64Array.from({ length: nMels }, (_, row) =>
    norm === 'slaney' ? 2 / (edges[row + 2] - edges[row]) : 1,
  );
  return (power, out, frame, frames) => {
    let bin = starts[0];
    let risen = 0;
    for (let stretch = 0, place = frame - frames; stretch <= nMels; stretch++, place += frames) {
      const end = starts[stretch + 1];
      let plain = 0;
      let rise = 0;
      for (; bin < end; bin++) {
        plain += power[bin];
        rise += power[bin] * rising[bin];
      }
      if (stretch > 0) out[place] = gains[stretch - 1] * (risen + plain - rise);
      risen = rise;
    }
  };
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

// Slaney's scale: 200/3 Hz per Mel up to 1 kHz, then 27 Mel per factor of 6.4.
const slaneyHzPerMel = 200 / 3;
const slaneyBreakHz = 1000;
const slaneyBreakMel = slaneyBreakHz / slaneyHzPerMel;
const slaneyLogStep = Math.log(6.4) / 27;

/** Hertz to Mel, as `librosa.hz_to_mel` with `htk` false or true. */
export function hzToMel(hz: number, scale: MelParameters['melScale']): number {
  if (scale === 'htk') return 2595 * Math.log10(1 + hz / 700);
  return hz < slaneyBreakHz ? hz / slaneyHzPerMel : slaneyBreakMel + Math.log(hz / slaneyBreakHz) / slaneyLogStep;
}

/** Mel to Hertz, the inverse of {@link hzToMel}. */
function melToHz(mel: number, scale: MelParameters['melScale']): number {
  if (scale === 'htk') return 700 * (10 ** (mel / 2595) - 1);
  return mel < slaneyBreakMel ? mel * slaneyHzPerMel : slaneyBreakHz * Math.exp(slaneyLogStep * (mel - slaneyBreakMel));
}
