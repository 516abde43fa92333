/**
 * Sampling rates that sound had before. A resampler suppresses images of the sound that it reads, but not wholly: what lies at f lies faintly, too, at
 * the old rate less f (and, where its filter is poor and the new rate lower, at f less the difference of the rates). The two keep their phases
 * to one another for as long as the recording lasts, which nothing else does. So products of both are added up over time, each
 * of magnitude one: the periodicity that interpolation leaves (Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", CRV
 * 2005; Kirchner, "Fast and reliable resampling detection by spectral analysis of fixed linear predictor residue", MM&Sec 2008), looked for at the rates that are in use.
 */
import { windowSamples } from '../../src-common/analysis-windows.ts';
import type { TraceCurve } from '../../src-common/schemas/traces.ts';
import { transform } from '../base/fft.ts';

/** Rates that recorders, telephones, editors and speech engines use. */
const ratesInUse = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000] as const; // prettier-ignore

const frameSeconds = 0.05;
/** Pairs of bins nearest half the old rate, where filters suppress least. */
const mostPairs = 60;
const leastPairs = 12;
/** Half of this many bins about the middle are one another's neighbours: a window's main lobe. */
const middleBins = 4;
/** A pair cannot stand out by more: else a whistle would do for all. */
const mostOfPair = 6;
/** Frames of less power than this, as a mean square, are as good as silent. */
const silence = 1e-10;
const blockSeconds = 5;
/** Blocks of a window that is judged by itself. */
const windowBlocks = 2;
const leastFrames = 40;
/** In standard errors of what chance gives; measured as docs/traces.md says. */
export const leastRateScore = 9;
/** Of ten seconds alone: a held tone may keep its phases for a second. */
export const leastWindowScore = 18;
export const leastRateSeconds = 3;
/** Windows in which a rate stands out belong together across so many in which it does not: pauses. */
const mostGapWindows = 2;

interface RateRun {
  rateHz: number;
  startSeconds: number;
  endSeconds: number;
}

export interface EarlierRates {
  /** Those that stand out in the whole recording or a part of it, the clearest first. */
  rates: { rateHz: number; score: number; share: number }[];
  /** Where each of them stands out, in order of time. */
  runs: RateRun[];
  /** The highest score of any rate in ten seconds about each instant. */
  strength: TraceCurve;
  /** Rates that were looked for. */
  lookedFor: number[];
  /** Frames with sound. */
  frames: number;
}

/** Sums of products of one rate: of each pair of bins, by blocks. */
interface Sums {
  re: Float64Array;
  im: Float64Array;
  /** Products that were added. */
  counts: Float64Array;
}

class Candidate {
  readonly rateHz: number;
  readonly pairs: number;
  readonly blocks: Sums[] = [];
  readonly #size: number;
  readonly #sampleRateHz: number;
  /** The window, turning: by half the old rate where the two parts mirror one another, else by the difference of the rates. */
  readonly #cosines: Float64Array;
  readonly #sines: Float64Array;
  /** By which the products turn, in Hz. */
  readonly #turningHz: number;
  readonly #isMirrored: boolean;

  constructor(rateHz: number, sampleRateHz: number, window: Float64Array) {
    const size = window.length;
    this.rateHz = rateHz;
    this.#size = size;
    this.#sampleRateHz = sampleRateHz;
    this.#isMirrored = rateHz < sampleRateHz;
    this.#turningHz = this.#isMirrored ? rateHz : rateHz - sampleRateHz;
    const shiftHz = this.#isMirrored ? rateHz / 2 : this.#turningHz;
    this.#cosines = window.map((w, i) => w * Math.cos((2 * Math.PI * shiftHz * i) / sampleRateHz));
    this.#sines = window.map((w, i) => -w * Math.sin((2 * Math.PI * shiftHz * i) / sampleRateHz));
    const reachHz = this.#isMirrored
      ? Math.min(rateHz / 2, sampleRateHz / 2 - rateHz / 2)
      : sampleRateHz / 2 - this.#turningHz;
    const reach = Math.floor((reachHz * size) / sampleRateHz) - 2 - middleBins;
    this.pairs = Math.max(0, Math.min(mostPairs, reach));
  }

  /** @param plain the frame's own transform @param start the frame's first sample @param block the number of the block that it is added to */
  add(frame: Float64Array, plain: Spectrum, work: Spectrum, start: number, block: number): void {
    const { re, im } = work;
    for (let i = 0; i < frame.length; i++) {
      re[i] = frame[i] * this.#cosines[i];
      im[i] = frame[i] * this.#sines[i];
    }
    transform(re, im);
    const sums = (this.blocks[block] ??= emptySums(this.pairs));
    // In whole samples, so that hours later it is as exact.
    const turns = ((this.#turningHz * start) % this.#sampleRateHz) / this.#sampleRateHz;
    const cosine = Math.cos(2 * Math.PI * turns);
    const sine = -Math.sin(2 * Math.PI * turns);
    const size = this.#size;
    // Where rates differ by a difference, the highest bins: poor filters suppress least there.
    const first = this.#isMirrored ? middleBins : Math.floor(size / 2 - (this.#turningHz * size) / this.#sampleRateHz) - 2 - this.pairs; // prettier-ignore
    for (let pair = 0; pair < this.pairs; pair++) {
      const bin = first + pair;
      const [otherRe, otherIm] = this.#isMirrored ? [re[size - bin], im[size - bin]] : [plain.re[bin], -plain.im[bin]];
      const productRe = re[bin] * otherRe - im[bin] * otherIm;
      const productIm = re[bin] * otherIm + im[bin] * otherRe;
      const magnitude = Math.hypot(productRe, productIm);
      if (magnitude === 0) continue;
      sums.re[pair] += (productRe * cosine - productIm * sine) / magnitude;
      sums.im[pair] += (productRe * sine + productIm * cosine) / magnitude;
      sums.counts[pair]++;
    }
  }

  /** In standard errors of chance, of blocks added up; null where there is too little. */
  score(first: number, end: number): number | null {
    if (this.pairs < leastPairs) return null;
    let total = 0;
    let counted = 0;
    for (let pair = 0; pair < this.pairs; pair++) {
      let [re, im, count] = [0, 0, 0];
      for (let block = first; block < end; block++) {
        const sums = this.blocks[block] as Sums | undefined;
        if (sums === undefined) continue;
        re += sums.re[pair];
        im += sums.im[pair];
        count += sums.counts[pair];
      }
      if (count < leastFrames) continue;
      total += Math.min(mostOfPair, (re * re + im * im) / count) - 1;
      counted++;
    }
    return counted < leastPairs ? null : total / Math.sqrt(counted);
  }
}

interface Spectrum {
  re: Float64Array;
  im: Float64Array;
}

function emptySums(pairs: number): Sums {
  return { re: new Float64Array(pairs), im: new Float64Array(pairs), counts: new Float64Array(pairs) };
}

/** Takes mono sound in blocks of any length; keeps some kilobytes for each five seconds. */
export class RateMeter {
  readonly #sampleRateHz: number;
  readonly #size: number;
  readonly #framesPerBlock: number;
  readonly #window: Float64Array;
  readonly #frame: Float64Array;
  readonly #plain: Spectrum;
  readonly #work: Spectrum;
  readonly #candidates: Candidate[];
  #filled = 0;
  #taken = 0;
  #sounding = 0;

  constructor(sampleRateHz: number) {
    const size = 2 ** Math.round(Math.log2(frameSeconds * sampleRateHz));
    this.#sampleRateHz = sampleRateHz;
    this.#size = size;
    this.#framesPerBlock = Math.max(leastFrames, Math.round((blockSeconds * sampleRateHz) / size));
    // Under it whistles and hum stay within four bins of their own, however loud.
    this.#window = windowSamples('blackman-harris', size);
    this.#frame = new Float64Array(size);
    this.#plain = { re: new Float64Array(size), im: new Float64Array(size) };
    this.#work = { re: new Float64Array(size), im: new Float64Array(size) };
    this.#candidates = ratesInUse
      .filter((rate) => rate !== sampleRateHz && rate - sampleRateHz < 0.45 * sampleRateHz)
      .map((rate) => new Candidate(rate, sampleRateHz, this.#window))
      .filter(({ pairs }) => pairs >= leastPairs);
  }

  push(block: Float32Array): void {
    for (let done = 0; done < block.length;) {
      const part = block.subarray(done, done + this.#size - this.#filled);
      this.#frame.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === this.#size) this.#measure();
    }
  }

  #measure(): void {
    const frame = this.#frame;
    const size = this.#size;
    const number = this.#taken / size;
    this.#filled = 0;
    this.#taken += size;
    let power = 0;
    for (let i = 0; i < size; i++) power += frame[i] * frame[i];
    if (power / size < silence) return;
    this.#sounding++;
    const { re, im } = this.#plain;
    for (let i = 0; i < size; i++) re[i] = frame[i] * this.#window[i];
    im.fill(0);
    transform(re, im);
    const block = Math.floor(number / this.#framesPerBlock);
    for (const candidate of this.#candidates) candidate.add(frame, this.#plain, this.#work, number * size, block);
  }

  /** Of all that was pushed, but for a rest shorter than a frame. */
  finish(): EarlierRates {
    const blocks = Math.ceil(this.#taken / this.#size / this.#framesPerBlock);
    const secondsPerBlock = (this.#framesPerBlock * this.#size) / this.#sampleRateHz;
    const windows = Math.max(blocks > 0 ? 1 : 0, blocks - windowBlocks + 1);
    const scores = this.#candidates.map((candidate) =>
      Array.from({ length: windows }, (_, first) => candidate.score(first, first + windowBlocks)),
    );
    const strongest = Array.from({ length: windows }, (_, window) => {
      const known = scores.map((ofRate) => ofRate[window]).filter((score) => score !== null);
      return known.length === 0 ? null : Math.max(0, ...known);
    });
    const assessed = strongest.filter((score) => score !== null).length;
    const found = this.#candidates
      .map((candidate, index) => {
        const clear = scores[index].map((score) => score !== null && score >= leastRateScore);
        const whole = candidate.score(0, blocks) ?? 0;
        const highest = scores[index].reduce<number>((most, score) => Math.max(most, score ?? 0), whole);
        const share = assessed === 0 ? 0 : clear.filter(Boolean).length / assessed;
        return { rateHz: candidate.rateHz, score: highest, share, clear, isFound: whole >= leastRateScore || highest >= leastWindowScore }; // prettier-ignore
      })
      .filter(({ isFound }) => isFound);
    // Images of the images stand at its multiples.
    const rates = found
      .filter(({ rateHz }) => !found.some((other) => other.rateHz < rateHz && rateHz % other.rateHz === 0))
      .sort((one, other) => other.score - one.score);
    const end = this.#taken / this.#sampleRateHz;
    return {
      rates: rates.map(({ rateHz, score, share }) => ({ rateHz, score, share })),
      runs: rates
        .flatMap(({ rateHz, clear }) =>
          runsOf(clear).map(([first, last]) => ({
            rateHz,
            startSeconds: first * secondsPerBlock,
            endSeconds: Math.min(end, (last + windowBlocks) * secondsPerBlock),
          })),
        )
        .sort((one, other) => one.startSeconds - other.startSeconds),
      strength: {
        timesSeconds: strongest.map((_, window) => (window * secondsPerBlock + Math.min(end, (window + windowBlocks) * secondsPerBlock)) / 2), // prettier-ignore
        values: strongest,
      },
      lookedFor: this.#candidates.map(({ rateHz }) => rateHz),
      frames: this.#sounding,
    };
  }
}

/** First and last of windows that are clear, across short gaps. */
function runsOf(clear: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const [window, isClear] of clear.entries()) {
    if (!isClear) continue;
    const before = runs.at(-1);
    if (before !== undefined && window - before[1] <= mostGapWindows + 1) before[1] = window;
    else runs.push([window, window]);
  }
  return runs;
}
