/**
 * Steps of what is constant in a recording: the noise of the place and the microphone in bands, and the mean of the samples (DC offset of
 * the recorder). Two parts joined from elsewhere differ in them: Koenig and Lacey, "Forensic authentication of digital audio recordings",
 * Journal of the AES 57(9), 2009 (DC offset); Pan, Zhang and Lyu, "Detecting splicing in digital audios using local noise level
 * estimation", ICASSP 2012 (noise). The noise floor is a low percentile of frames, as in Martin, "Noise power spectral density estimation
 * based on optimal smoothing and minimum statistics", IEEE Transactions on Speech and Audio Processing 9(5), 2001.
 */
import type { TraceCurve } from '../../src-common/schemas/traces.ts';
import { transform } from '../base/fft.ts';
import { meanOf, median, quantile } from './statistics.ts';

const frameSeconds = 0.03;
const bandCount = 8;
const lowestBandHz = 80;
/** Of half the rate; above, resamplers and codecs leave nothing. */
const highestBandShare = 0.85;
/** Frames of less power than this, as a mean square, are digital silence: no place is that quiet. */
const silence = 1e-12;

const stepSeconds = 0.5;
/** On either side of an instant. */
const sideSeconds = 8;
/** Of frames, that belong to the noise of pauses. */
const floorShare = 0.15;
/** Parts of a side whose means are compared with one another. */
const dcParts = 8;
/** Of frames, that the mean is taken of. */
const quietShare = 0.25;
/** A side of which more is digital silence is not looked at. */
const leastSoundShare = 0.5;
const leastScatterDb = 0.5;
const leastNoiseStep = 6;
const leastNoiseStepDb = 3;
const leastScatterDc = 2e-6;
const leastDcStep = 7;
const leastDcStepLevel = 2e-5;

interface LevelStep {
  seconds: number;
  /** Root mean square over bands, in dB; or of the mean, in parts of full scale. */
  size: number;
}

export interface Background {
  /** Mean of the samples in half seconds, in parts of full scale. */
  dc: TraceCurve;
  /** How many times as much as usual the noise floor changes at each instant. */
  noiseChange: TraceCurve;
  noiseThreshold: number;
  noiseSteps: LevelStep[];
  dcSteps: LevelStep[];
}

/** Shortest recording of which anything is said. */
export const leastBackgroundSeconds = 3 * sideSeconds;

/** Takes mono sound in blocks of any length; keeps nine numbers for each frame of about 30 ms. */
export class BackgroundMeter {
  readonly #size: number;
  readonly #framesPerSecond: number;
  readonly #window: Float64Array;
  /** First bins of bands, and where the last one ends. */
  readonly #edges: number[];
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  /** Two frames, which are transformed as one. */
  readonly #pair: Float64Array;
  #filled = 0;
  /** In dB, `bandCount` for each frame; NaN for digital silence. */
  readonly #levels = new Values();
  readonly #means = new Values();

  constructor(sampleRateHz: number) {
    this.#size = 2 ** Math.round(Math.log2(frameSeconds * sampleRateHz));
    this.#framesPerSecond = sampleRateHz / this.#size;
    this.#window = Float64Array.from({ length: this.#size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / this.#size)); // prettier-ignore
    const top = (highestBandShare * sampleRateHz) / 2;
    const bottom = Math.min(lowestBandHz, top / 2);
    this.#edges = Array.from({ length: bandCount + 1 }, (_, band) =>
      Math.max(band + 1, Math.round((bottom * (top / bottom) ** (band / bandCount)) / (sampleRateHz / this.#size))),
    );
    this.#re = new Float64Array(this.#size);
    this.#im = new Float64Array(this.#size);
    this.#pair = new Float64Array(2 * this.#size);
  }

  push(block: Float32Array): void {
    for (let done = 0; done < block.length;) {
      const part = block.subarray(done, done + this.#pair.length - this.#filled);
      this.#pair.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === this.#pair.length) this.#measure();
    }
  }

  #measure(): void {
    const size = this.#size;
    const [re, im] = [this.#re, this.#im];
    const frames = [this.#pair.subarray(0, size), this.#pair.subarray(size)];
    const means = frames.map((frame) => frame.reduce((sum, x) => sum + x, 0) / size);
    const powers = frames.map((frame, k) => frame.reduce((sum, x) => sum + (x - means[k]) ** 2, 0) / size);
    for (let i = 0; i < size; i++) {
      re[i] = (frames[0][i] - means[0]) * this.#window[i];
      im[i] = (frames[1][i] - means[1]) * this.#window[i];
    }
    transform(re, im);
    for (const k of [0, 1]) {
      const isSilent = powers[k] < silence;
      this.#means.push(isSilent ? NaN : means[k]);
      for (let band = 0; band < bandCount; band++) {
        let sum = 0;
        for (let bin = this.#edges[band]; bin < this.#edges[band + 1]; bin++) {
          const other = size - bin;
          // Of a real signal in the real, and one in the imaginary part.
          const [a, b] =
            k === 0 ? [re[bin] + re[other], im[bin] - im[other]] : [re[bin] - re[other], im[bin] + im[other]];
          sum += a * a + b * b;
        }
        this.#levels.push(isSilent ? NaN : 10 * Math.log10(sum + 1e-20));
      }
    }
    this.#filled = 0;
  }

  /** Of all that was pushed, but for a rest shorter than two frames. */
  finish(): Background {
    const levels = this.#levels.all();
    const means = this.#means.all();
    const frames = means.length;
    const rate = this.#framesPerSecond;
    const side = Math.round(sideSeconds * rate);
    const seconds = frames / rate;
    const places = Array.from(
      { length: Math.max(0, Math.floor((seconds - 2 * sideSeconds) / stepSeconds) + 1) },
      (_, i) => sideSeconds + i * stepSeconds,
    );
    // Sides begin at every half second: each is both before one instant and after another.
    const sides = Array.from({ length: Math.max(0, Math.floor((seconds - sideSeconds) / stepSeconds) + 1) }, (_, i) => {
      const from = Math.round(i * stepSeconds * rate);
      return sideOf(levels, means, from, Math.min(frames, from + side));
    });
    const apart = Math.round(sideSeconds / stepSeconds);
    const changes = places.map((_, i) => {
      const [before, after] = [sides[i], sides[i + apart]];
      return before && after ? after.floors.map((floor, band) => floor - before.floors[band]) : null;
    });
    const known = changes.filter((change) => change !== null);
    const scatters = Array.from({ length: bandCount }, (_, band) =>
      Math.max(leastScatterDb, usualOf(known.map((change) => Math.abs(change[band])))),
    );
    const scores = changes.map((change) => change && rms(change.map((db, band) => db / scatters[band])));
    const sizes = changes.map((change) => change && rms(change));
    const dcChanges = places.map((_, i) => {
      const [before, after] = [sides[i], sides[i + apart]];
      return before && after ? Math.abs(after.mean - before.mean) : null;
    });
    const dcScatter = Math.max(leastScatterDc, usualOf(dcChanges.filter((change) => change !== null)));
    const dcScores = dcChanges.map((change, i) => {
      const [before, after] = [sides[i], sides[i + apart]];
      if (change === null || !before || !after) return null;
      return change / Math.max(dcScatter, Math.sqrt(before.meanVariance + after.meanVariance));
    });
    return {
      dc: dcCurve(means, rate),
      noiseChange: { timesSeconds: places, values: scores },
      noiseThreshold: leastNoiseStep,
      noiseSteps: peaksOf(places, scores, sizes, leastNoiseStep, leastNoiseStepDb),
      dcSteps: peaksOf(places, dcScores, dcChanges, leastDcStep, leastDcStepLevel),
    };
  }
}

/** Numbers that grow in number, four bytes each. */
class Values {
  #values = new Float32Array(4096);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float32Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  all(): Float32Array {
    return this.#values.subarray(0, this.#length);
  }
}

interface Side {
  floors: number[];
  mean: number;
  /** Of the mean, by how far it differs between parts of the side. */
  meanVariance: number;
}

/** Null where most of it is digital silence. */
function sideOf(levels: Float32Array, means: Float32Array, from: number, to: number): Side | null {
  const sounding: number[] = [];
  for (let frame = from; frame < to; frame++) if (!Number.isNaN(means[frame])) sounding.push(frame);
  if (sounding.length < leastSoundShare * (to - from) || sounding.length < 10) return null;
  const floors = Array.from({ length: bandCount }, (_, band) => {
    const sorted = Float32Array.from(sounding, (frame) => levels[frame * bandCount + band]).sort();
    return sorted[Math.floor(floorShare * sorted.length)];
  });
  // Speech and steps move the mean of a frame: pauses tell it better.
  const loudness = (frame: number): number => levels[frame * bandCount + 1] + levels[frame * bandCount];
  const limit = quantile(sounding.map(loudness), quietShare);
  const quiet = sounding.filter((frame) => loudness(frame) <= limit);
  const parts = Array.from({ length: dcParts }, (_, part) =>
    meanOf(
      quiet
        .filter((frame) => Math.floor((dcParts * (frame - from)) / (to - from)) === part)
        .map((frame) => means[frame]),
    ),
  ).filter((mean) => !Number.isNaN(mean));
  const mean = meanOf(parts);
  // Of rumble that is louder on one side than on the other, too.
  const variance = parts.reduce((sum, part) => sum + (part - mean) ** 2, 0) / Math.max(1, parts.length - 1);
  return { floors, mean, meanVariance: variance / parts.length };
}

function dcCurve(means: Float32Array, framesPerSecond: number): TraceCurve {
  const count = Math.floor(means.length / framesPerSecond / stepSeconds);
  const of = (i: number): number | null => {
    const [from, to] = [i, i + 1].map((step) => Math.round(step * stepSeconds * framesPerSecond));
    const known = [...means.subarray(from, to)].filter((mean) => !Number.isNaN(mean));
    return known.length === 0 ? null : median(known);
  };
  return {
    timesSeconds: Array.from({ length: count }, (_, i) => (i + 0.5) * stepSeconds),
    values: Array.from({ length: count }, (_, i) => of(i)),
  };
}

/** The highest scores, each alone within a side's length. */
function peaksOf(
  places: readonly number[],
  scores: readonly (number | null)[],
  sizes: readonly (number | null)[],
  leastScore: number,
  leastSize: number,
): LevelStep[] {
  const reach = Math.round(sideSeconds / stepSeconds);
  const found: LevelStep[] = [];
  for (const [i, score] of scores.entries()) {
    const size = sizes[i];
    if (score === null || size === null || score < leastScore || size < leastSize) continue;
    const around = scores.slice(Math.max(0, i - reach), i + reach + 1);
    const first = around.findIndex((other) => other !== null && other >= score);
    // Of equal ones, the first.
    if (first !== i - Math.max(0, i - reach) || around.some((other) => other !== null && other > score)) continue;
    found.push({ seconds: places[i], size });
  }
  return found;
}

/**
 * Standard deviation of changes by how large the smaller ones are, as if they were normal: each step changes many of the places around
 * it, in a short recording half of all.
 */
function usualOf(sizes: readonly number[]): number {
  return quantile(sizes, 0.3) / 0.385;
}

function rms(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
