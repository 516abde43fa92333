/**
 * Fundamental frequency over time, after Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio
 * of a sampled sound", Proceedings of the Institute of Phonetic Sciences 17, 1993: autocorrelation of frames under a Hann window, divided by
 * that of the window, and of each frame's candidates those on the cheapest path. Constants are those of Praat ("To Pitch (ac)…").
 */
import type { Pitch, PitchRange } from '../../src-common/schemas/sound.ts';
import { transform } from '../base/fft.ts';

/** Times are those of frames' middles, from the first sample on. */
export type PitchTrack = Pick<Pitch, 'timesSeconds' | 'frequenciesHz'>;

const mostCandidates = 15;
const silenceThreshold = 0.03;
const voicingThreshold = 0.45;
const octaveCost = 0.01;
const octaveJumpCost = 0.35;
const voicedUnvoicedCost = 0.14;
/** Costs are stated for frames of so many seconds. */
const costStepSeconds = 0.01;
/** A frame holds so many periods of the lowest pitch. */
const periodsPerFrame = 3;
/** From frame to frame, in periods of the lowest pitch. */
const stepPeriods = 0.75;

interface Candidate {
  /** Null: unvoiced. */
  hz: number | null;
  strength: number;
}

/**
 * @param samples mono
 * @param range ceiling at most a quarter of the rate
 * @returns no frames of sound that is shorter than one
 */
export function pitchOf(samples: Float32Array, sampleRateHz: number, range: PitchRange): PitchTrack {
  const { floorHz } = range;
  const stepSeconds = stepPeriods / floorHz;
  const length = 2 * Math.floor((periodsPerFrame * sampleRateHz) / floorHz / 2);
  const count = Math.max(0, 1 + Math.floor((samples.length - length) / (stepSeconds * sampleRateHz)));
  const frames = new Frames(length, sampleRateHz, range);
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample - mean)), 0);
  // In the middle of the sound.
  const spare = samples.length - length - (count - 1) * stepSeconds * sampleRateHz;
  const starts = Array.from({ length: count }, (_, i) => Math.floor(spare / 2 + i * stepSeconds * sampleRateHz));
  const candidates = starts.map((start) => frames.candidates(samples.subarray(start, start + length), loudest));
  return {
    timesSeconds: starts.map((start) => (start + length / 2) / sampleRateHz),
    frequenciesHz: cheapestPath(candidates, stepSeconds),
  };
}

/** Of a whole track; null where nothing is voiced. */
export function pitchStatistics({ frequenciesHz }: PitchTrack): Omit<Pitch, keyof PitchTrack> {
  const voiced = frequenciesHz.filter((hz) => hz !== null).sort((one, other) => one - other);
  const { length } = voiced;
  const voicedShare = length / Math.max(1, frequenciesHz.length);
  if (length === 0) return { voicedShare, medianHz: null, meanHz: null, lowestHz: null, highestHz: null };
  return {
    voicedShare,
    medianHz: (voiced[(length - 1) >> 1] + voiced[length >> 1]) / 2,
    meanHz: voiced.reduce((sum, hz) => sum + hz, 0) / length,
    lowestHz: voiced[0],
    highestHz: voiced[length - 1],
  };
}

/** Finds each frame's candidates. */
class Frames {
  readonly #sampleRateHz: number;
  readonly #range: PitchRange;
  readonly #window: Float64Array;
  readonly #ofWindow: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #longestLag: number;

  constructor(length: number, sampleRateHz: number, range: PitchRange) {
    this.#sampleRateHz = sampleRateHz;
    this.#range = range;
    this.#longestLag = Math.min(Math.floor(length / periodsPerFrame) + 2, length - 2);
    this.#window = Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / length));
    const size = 2 ** Math.ceil(Math.log2(1.5 * length));
    this.#re = new Float64Array(size);
    this.#im = new Float64Array(size);
    this.#ofWindow = this.#autocorrelation(this.#window);
  }

  /** Against its value without a lag, up to the longest lag and one more. */
  #autocorrelation(frame: ArrayLike<number>): Float64Array {
    const [re, im] = [this.#re.fill(0), this.#im.fill(0)];
    re.set(frame);
    transform(re, im);
    for (let bin = 0; bin < re.length; bin++) re[bin] = re[bin] ** 2 + im[bin] ** 2;
    transform(re, im.fill(0), true);
    const [first] = re;
    return Float64Array.from({ length: this.#longestLag + 2 }, (_, lag) => (first > 0 ? re[lag] / first : 0));
  }

  candidates(frame: Float32Array, loudest: number): Candidate[] {
    const { floorHz, ceilingHz } = this.#range;
    const mean = frame.reduce((sum, sample) => sum + sample, 0) / frame.length;
    const peak = frame.reduce((most, sample) => Math.max(most, Math.abs(sample - mean)), 0);
    const intensity = loudest > 0 ? Math.min(1, peak / loudest) : 0;
    const quiet = Math.max(0, 2 - intensity / (silenceThreshold / (1 + voicingThreshold)));
    const unvoiced: Candidate = { hz: null, strength: voicingThreshold + quiet };
    if (peak === 0) return [unvoiced];
    const windowed = this.#autocorrelation(frame.map((sample, i) => (sample - mean) * this.#window[i]));
    const r = windowed.map((value, lag) => value / this.#ofWindow[lag]);
    const voiced: Candidate[] = [];
    const shortest = Math.max(2, Math.floor(this.#sampleRateHz / ceilingHz));
    for (let lag = shortest; lag <= this.#longestLag; lag++) {
      if (r[lag] <= 0.5 * voicingThreshold || r[lag] <= r[lag - 1] || r[lag] < r[lag + 1]) continue;
      // The top of the parabola through three values.
      const slope = (r[lag + 1] - r[lag - 1]) / 2;
      const bend = 2 * r[lag] - r[lag - 1] - r[lag + 1];
      const hz = this.#sampleRateHz / (lag + slope / bend);
      if (hz < floorHz || hz > ceilingHz) continue;
      const height = r[lag] + slope ** 2 / (2 * bend);
      // What exceeds one comes of the window's division.
      const periodic = height > 1 ? 1 / height : height;
      // Of periods that fit alike, the shortest.
      voiced.push({ hz, strength: periodic - octaveCost * Math.log2(floorHz / hz) });
    }
    voiced.sort((one, other) => other.strength - one.strength);
    return [unvoiced, ...voiced.slice(0, mostCandidates - 1)];
  }
}

/** Viterbi's search for the candidates that together are the strongest after the costs of their steps. */
function cheapestPath(frames: readonly Candidate[][], stepSeconds: number): (number | null)[] {
  const scale = costStepSeconds / stepSeconds;
  const step = (from: Candidate, to: Candidate): number => {
    if (from.hz === null && to.hz === null) return 0;
    if (from.hz === null || to.hz === null) return scale * voicedUnvoicedCost;
    return scale * octaveJumpCost * Math.abs(Math.log2(from.hz / to.hz));
  };
  const before: Int32Array[] = [];
  let totals = frames.at(0)?.map(({ strength }) => strength) ?? [];
  for (let i = 1; i < frames.length; i++) {
    const back = new Int32Array(frames[i].length);
    const next = frames[i].map((candidate, to) => {
      let best = -Infinity;
      for (const [from, total] of totals.entries()) {
        const value = total - step(frames[i - 1][from], candidate);
        if (value > best) {
          best = value;
          back[to] = from;
        }
      }
      return best + candidate.strength;
    });
    before.push(back);
    totals = next;
  }
  const path: (number | null)[] = [];
  let at = totals.indexOf(Math.max(...totals));
  for (let i = frames.length - 1; i >= 0; i--) {
    path.push(frames[i][at].hz);
    if (i > 0) at = before[i - 1][at];
  }
  return path.reverse();
}
