/** Waveform peaks of a long recording: the lowest and highest sample of each stretch, at halving resolutions. */

/** Samples per peak of the finest level that is stored; finer ones are made from the samples when asked for. */
export const storedSamplesPerPeak = 512;
/** The coarsest level has at most so many peaks. */
const coarsestPeaks = 512;

/** One resolution: peak i is of samples `i * samplesPerPeak` up to the next one's. */
interface PeakLevel {
  samplesPerPeak: number;
  count: number;
}

/** The levels of a recording, finest (single samples) first. */
export function peakLevels(samples: number): PeakLevel[] {
  const levels: PeakLevel[] = [];
  for (let samplesPerPeak = 1; ; samplesPerPeak *= 2) {
    const count = Math.ceil(samples / samplesPerPeak);
    levels.push({ samplesPerPeak, count });
    if (count <= coarsestPeaks && samplesPerPeak >= storedSamplesPerPeak) return levels;
  }
}

/**
 * Peaks of samples, interleaved: lowest, highest, lowest … The last one may be of fewer samples.
 * @param samples in [-1, 1], not kept
 */
export function peaksOf(samples: Float32Array, samplesPerPeak: number): Float32Array {
  const peaks = new Float32Array(2 * Math.ceil(samples.length / samplesPerPeak));
  for (let at = 0, place = 0; at < samples.length; place += 2) {
    const end = Math.min(at + samplesPerPeak, samples.length);
    let low = samples[at];
    let high = low;
    for (at++; at < end; at++) {
      const sample = samples[at];
      if (sample < low) low = sample;
      else if (sample > high) high = sample;
    }
    peaks[place] = low;
    peaks[place + 1] = high;
  }
  return peaks;
}

/** Takes a level's peaks as they are finished; level 0 is the finest stored one. */
type PeakSink = (level: number, peaks: Float32Array) => Promise<void>;

/** Peaks handed over at a time. */
const pageValues = 2 * 4096;

/** All stored levels of a signal that arrives in blocks, in one pass and little memory. */
export class PeakPyramid {
  readonly #sink: PeakSink;
  readonly #pages: { values: Float32Array; filled: number }[] = [];
  readonly #held = new Float32Array(storedSamplesPerPeak);
  #heldLength = 0;

  constructor(sink: PeakSink) {
    this.#sink = sink;
  }

  async push(block: Float32Array): Promise<void> {
    let from = 0;
    if (this.#heldLength > 0) {
      from = Math.min(block.length, storedSamplesPerPeak - this.#heldLength);
      this.#held.set(block.subarray(0, from), this.#heldLength);
      this.#heldLength += from;
      if (this.#heldLength < storedSamplesPerPeak) return;
      await this.#add(0, peaksOf(this.#held, storedSamplesPerPeak));
      this.#heldLength = 0;
    }
    const whole = block.length - ((block.length - from) % storedSamplesPerPeak);
    await this.#add(0, peaksOf(block.subarray(from, whole), storedSamplesPerPeak));
    this.#held.set(block.subarray(whole));
    this.#heldLength = block.length - whole;
  }

  /** Hands over what is left. @param levels how many levels there are, by `peakLevels` of all samples */
  async finish(levels: number): Promise<void> {
    if (this.#heldLength > 0) await this.#add(0, peaksOf(this.#held.subarray(0, this.#heldLength), this.#heldLength));
    for (let level = 0; level < levels; level++) {
      const page = this.#pages[level];
      if (!page || page.filled === 0) continue;
      const last = page.values.slice(0, page.filled);
      page.filled = 0;
      await this.#sink(level, last);
      if (level + 1 < levels) await this.#add(level + 1, halved(last));
    }
  }

  async #add(level: number, peaks: Float32Array): Promise<void> {
    const page = (this.#pages[level] ??= { values: new Float32Array(pageValues), filled: 0 });
    for (let at = 0; at < peaks.length;) {
      const some = peaks.subarray(at, at + pageValues - page.filled);
      page.values.set(some, page.filled);
      page.filled += some.length;
      at += some.length;
      if (page.filled < pageValues) continue;
      page.filled = 0;
      await this.#sink(level, page.values.slice());
      await this.#add(level + 1, halved(page.values));
    }
  }
}

/** Neighbouring peaks joined two by two; a single last one stays. */
function halved(peaks: Float32Array): Float32Array {
  const half = new Float32Array(2 * Math.ceil(peaks.length / 4));
  for (let at = 0, place = 0; at < peaks.length; at += 4, place += 2) {
    const two = at + 3 < peaks.length;
    half[place] = two ? Math.min(peaks[at], peaks[at + 2]) : peaks[at];
    half[place + 1] = two ? Math.max(peaks[at + 1], peaks[at + 3]) : peaks[at + 1];
  }
  return half;
}
