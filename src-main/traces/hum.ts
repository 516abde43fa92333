/**
 * Hum of the electric network in a recording: its frequency over time, and steps of its phase. Frequency by the spectra of harmonics combined
 * after Hajj-Ahmad, Garg and Wu, "Spectrum combining for ENF signal estimation", IEEE Signal Processing Letters 20(9), 2013; phase after
 * Rodríguez, Apolinário and Biscainho, "Audio authenticity: detecting ENF discontinuity with high precision phase analysis", IEEE
 * Transactions on Information Forensics and Security 5(3), 2010, with a line fitted on either side in place of one estimate each.
 */
import type { TraceCurve } from '../../src-common/schemas/traces.ts';
import { Resampler } from '../audio/resample.ts';
import { transform } from '../base/fft.ts';
import { SlidingBuffer } from './sliding-buffer.ts';
import { median } from './statistics.ts';

/** Hum is looked at at this rate: its harmonics below 450 Hz. */
const humRateHz = 1000;
const nominals = [50, 60] as const;
const highestHarmonicHz = 400;
/** Of each harmonic's complex envelope. */
const envelopeRateHz = 20;
const decimation = humRateHz / envelopeRateHz;
const filterTaps = 6 * decimation;
const filterCutHz = 6;

/** Grids stay within this of their nominal frequency. */
const deviationHz = 1;
const frameSeconds = 16;
const hopSeconds = 1;
const frameSamples = frameSeconds * envelopeRateHz;
const transformSize = 2048;
const gridStepHz = 0.0025;
/** Of noise alone, a frame's combined peak lies below this nearly always (measured: docs/traces.md). */
const leastPeak = 45;
/** The mains do not wander faster. */
const steadyHz = 0.05;
const leastPresentShare = 0.3;

const blockSamples = 10;
const blockSeconds = blockSamples / envelopeRateHz;
/** Blocks on either side of an instant through whose phases a line is fitted. */
const sideBlocks = 8;
/** A harmonic whose phase scatters more is not used, in radians. */
const mostScatter = 0.35;
const leastStepDegrees = 25;
const stepOverMedian = 6;
/** How much the step scatters for each radian that phases scatter about their lines. */
const residualWeight = 1.1;
const leastSigmas = 4;

interface HumStep {
  seconds: number;
  degrees: number;
}

export interface Hum {
  /** Null: none was found, or the recording is too short. */
  nominalHz: number | null;
  /** Of frames in which it stands out. */
  presentShare: number;
  /** Mains frequency, null where hum does not stand out. */
  track: TraceCurve;
  /** Effective angle of the step of phase at each instant, in degrees; null where it is not assessed. */
  phaseSteps: TraceCurve;
  thresholdDegrees: number | null;
  steps: HumStep[];
  /** Multiples of the nominal frequency whose phases were used. */
  harmonics: number[];
}

interface Harmonic {
  hz: number;
  re: number[];
  im: number[];
}

/** Shortest recording of which anything is said. */
export const leastHumSeconds = frameSeconds;

/** Takes mono sound in blocks of any length; keeps 20 complex values a second of each of 14 harmonics. */
export class HumMeter {
  readonly #resampler: Resampler;
  readonly #filters: { re: Float64Array; im: Float64Array }[];
  readonly #harmonics: Harmonic[];
  readonly #buffer = new SlidingBuffer(filterTaps + 16 * decimation, filterTaps / 2);
  /** Of the buffer's first sample. */
  #at = -filterTaps / 2;

  /** @param sampleRateHz of at least 1000 */
  constructor(sampleRateHz: number) {
    this.#resampler = new Resampler(sampleRateHz, humRateHz);
    const frequencies = nominals.flatMap((hz) =>
      Array.from({ length: Math.floor(highestHarmonicHz / hz) }, (_, k) => hz * (k + 1)),
    );
    this.#harmonics = [...new Set(frequencies)].map((hz) => ({ hz, re: [], im: [] }));
    this.#filters = this.#harmonics.map(({ hz }) => bandFilter(hz));
  }

  push(block: Float32Array): void {
    this.#take(this.#resampler.process(block));
  }

  #take(samples: Float32Array): void {
    this.#buffer.push(samples, (filled) => this.#filter(filled));
  }

  /** @returns how many samples are filtered */
  #filter(filled: number): number {
    const { samples } = this.#buffer;
    let start = 0;
    for (; start + filterTaps <= filled; start += decimation) {
      const middle = this.#at + start + filterTaps / 2;
      for (const [index, { hz, re, im }] of this.#harmonics.entries()) {
        const { re: filterRe, im: filterIm } = this.#filters[index];
        let sumRe = 0;
        let sumIm = 0;
        for (let i = 0; i < filterTaps; i++) {
          const sample = samples[start + i];
          sumRe += sample * filterRe[i];
          sumIm += sample * filterIm[i];
        }
        const turn = (-2 * Math.PI * ((hz * middle) % humRateHz)) / humRateHz;
        re.push(sumRe * Math.cos(turn) - sumIm * Math.sin(turn));
        im.push(sumRe * Math.sin(turn) + sumIm * Math.cos(turn));
      }
    }
    this.#at += start;
    return start;
  }

  /** Of all that was pushed. */
  finish(): Hum {
    this.#take(this.#resampler.flush());
    this.#take(new Float32Array(filterTaps / 2));
    const tracks = nominals.map((nominalHz) => trackOf(nominalHz, this.#of(nominalHz)));
    const [best] = [...tracks].sort((one, other) => other.strength - one.strength);
    const { nominalHz, presentShare, track } = best;
    const nothing = { timesSeconds: [], values: [] };
    if (presentShare < leastPresentShare) {
      return { nominalHz: null, presentShare, track: nothing, phaseSteps: nothing, thresholdDegrees: null, steps: [], harmonics: [] }; // prettier-ignore
    }
    return { nominalHz, presentShare, track, ...phaseOf(nominalHz, this.#of(nominalHz), track) };
  }

  #of(nominalHz: number): Harmonic[] {
    return this.#harmonics.filter(({ hz }) => hz % nominalHz === 0);
  }
}

/** A windowed sinc that passes what lies around a frequency and turns it down to zero; phases count from its middle. */
function bandFilter(hz: number): { re: Float64Array; im: Float64Array } {
  const re = new Float64Array(filterTaps);
  const im = new Float64Array(filterTaps);
  for (let i = 0; i < filterTaps; i++) {
    const t = (i - filterTaps / 2) / humRateHz;
    const x = 2 * filterCutHz * t;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / filterTaps);
    const gain = ((2 * filterCutHz) / humRateHz) * sinc * window;
    re[i] = gain * Math.cos(2 * Math.PI * hz * t);
    im[i] = -gain * Math.sin(2 * Math.PI * hz * t);
  }
  return { re, im };
}

interface Track {
  nominalHz: number;
  presentShare: number;
  /** Sum over frames of how far hum stands out, for the choice of the nominal frequency. */
  strength: number;
  track: TraceCurve;
}

function trackOf(nominalHz: number, harmonics: readonly Harmonic[]): Track {
  const samples = harmonics[0].re.length;
  const hop = hopSeconds * envelopeRateHz;
  const count = Math.max(0, 1 + Math.floor((samples - frameSamples) / hop));
  const peaks = Array.from({ length: count }, (_, frame) => framePeak(nominalHz, harmonics, frame * hop));
  const values = peaks.map(({ hz, peak }, frame) => {
    const around = median(peaks.slice(Math.max(0, frame - 5), frame + 6).map((one) => one.hz));
    return peak >= leastPeak && Math.abs(hz - around) <= steadyHz ? hz : null;
  });
  const present = values.filter((hz) => hz !== null).length;
  return {
    nominalHz,
    presentShare: present / Math.max(1, count),
    strength: peaks.reduce((sum, { peak }, frame) => (values[frame] === null ? sum : sum + Math.log(peak)), 0),
    track: { timesSeconds: peaks.map((_, frame) => frame * hopSeconds + frameSeconds / 2), values },
  };
}

const re = new Float64Array(transformSize);
const im = new Float64Array(transformSize);
const hann = Float64Array.from(
  { length: frameSamples },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / frameSamples),
);
const hzPerBin = envelopeRateHz / transformSize;

/** Where harmonics together stand out the most: powers over their own noise, added up along the mains' frequency. */
function framePeak(nominalHz: number, harmonics: readonly Harmonic[], from: number): { hz: number; peak: number } {
  const cells = 2 * Math.round(deviationHz / gridStepHz) + 1;
  const sums = new Float64Array(cells);
  for (const { hz, re: envelopeRe, im: envelopeIm } of harmonics) {
    const number = hz / nominalHz;
    re.fill(0);
    im.fill(0);
    for (let i = 0; i < frameSamples; i++) {
      re[i] = envelopeRe[from + i] * hann[i];
      im[i] = envelopeIm[from + i] * hann[i];
    }
    transform(re, im);
    const power = (bin: number): number => {
      const at = (bin + transformSize) % transformSize;
      return re[at] ** 2 + im[at] ** 2;
    };
    // The filter passes no more of high harmonics.
    const reachHz = Math.min(deviationHz * number, 0.8 * filterCutHz);
    const reach = Math.floor(reachHz / hzPerBin);
    const noise = median(Array.from({ length: Math.ceil((2 * reach) / 5) }, (_, i) => power(-reach + 5 * i)));
    if (!(noise > 0)) continue;
    for (let cell = 0; cell < cells; cell++) {
      const bin = (number * (cell * gridStepHz - deviationHz)) / hzPerBin;
      if (Math.abs(bin) >= reach) continue;
      const low = Math.floor(bin);
      const part = bin - low;
      sums[cell] += ((1 - part) * power(low) + part * power(low + 1)) / noise;
    }
  }
  let best = 0;
  for (let cell = 1; cell < cells; cell++) if (sums[cell] > sums[best]) best = cell;
  let place = best;
  if (best > 0 && best < cells - 1) {
    const [left, top, right] = [sums[best - 1], sums[best], sums[best + 1]].map((sum) => Math.log(Math.max(sum, 1e-9)));
    const bend = left - 2 * top + right;
    if (bend < 0) place += (left - right) / (2 * bend);
  }
  return { hz: nominalHz - deviationHz + place * gridStepHz, peak: sums[best] };
}

/** How much the phase of each harmonic steps at each instant; joined over harmonics by how little they scatter. */
function phaseOf(
  nominalHz: number,
  harmonics: readonly Harmonic[],
  track: TraceCurve,
): Pick<Hum, 'phaseSteps' | 'thresholdDegrees' | 'steps' | 'harmonics'> {
  const blocks = Math.floor(harmonics[0].re.length / blockSamples);
  const middles = Array.from({ length: Math.max(0, blocks - 2 * sideBlocks) }, (_, i) => i + sideBlocks);
  const timesSeconds = middles.map((block) => (block + 0.5) * blockSeconds);
  const references = timesSeconds.map((time) => frequencyAround(track, time));
  const used = harmonics.flatMap((harmonic) => {
    const number = harmonic.hz / nominalHz;
    const steps = middles.map((middle, i) => {
      const reference = references[i];
      return reference === null ? null : stepAt(harmonic, middle, number * (reference - nominalHz));
    });
    const known = steps.filter((step) => step !== null).map(({ step }) => Math.abs(step));
    const scatter = known.length === 0 ? Infinity : Math.max(0.02, 1.4826 * median(known));
    return scatter <= mostScatter ? [{ number, steps, scatter }] : [];
  });
  const angles: (number | null)[] = [];
  const isSure: boolean[] = [];
  for (const i of middles.keys()) {
    let sum = 0;
    let weights = 0;
    for (const { steps, scatter } of used) {
      const found = steps[i];
      if (found === null) continue;
      // Where speech lies over a harmonic its phases scatter about their lines.
      const weight = 1 / (scatter ** 2 + (residualWeight * found.residual) ** 2);
      sum += weight * (1 - Math.cos(found.step));
      weights += weight;
    }
    const angle = weights === 0 ? null : Math.acos(Math.max(-1, 1 - sum / weights));
    angles.push(angle === null ? null : (angle * 180) / Math.PI);
    isSure.push(angle !== null && angle >= leastSigmas / Math.sqrt(weights));
  }
  const known = angles.filter((angle) => angle !== null);
  const thresholdDegrees = known.length === 0 ? null : Math.max(leastStepDegrees, stepOverMedian * median(known));
  // A step is seen at the same instant only; what is around is lower.
  const steps: HumStep[] = [];
  for (const [i, degrees] of angles.entries()) {
    if (degrees === null || thresholdDegrees === null || degrees < thresholdDegrees || !isSure[i]) continue;
    const around = angles.slice(Math.max(0, i - sideBlocks), i + sideBlocks + 1);
    if (around.every((other) => other === null || other <= degrees)) steps.push({ seconds: timesSeconds[i], degrees });
  }
  const numbers = used.map(({ number }) => number);
  return { phaseSteps: { timesSeconds, values: angles }, thresholdDegrees, steps, harmonics: numbers };
}

/** The mains' frequency around a time as far as it is known; a cut bends the track for a frame's length, its median not. */
function frequencyAround({ timesSeconds, values }: TraceCurve, time: number): number | null {
  const first = timesSeconds[0] ?? 0;
  const at = Math.round((time - first) / hopSeconds);
  const reach = Math.round((1.25 * frameSeconds) / hopSeconds);
  const from = Math.max(0, Math.min(values.length - reach, at - reach));
  const known = values.slice(from, Math.max(at, reach) + reach + 1).filter((hz) => hz !== null);
  return known.length < 3 ? null : median(known);
}

/** In radians, from -pi to pi, the phase after a block against what that before it leads to; and how much phases scatter. */
function stepAt(
  { re: envelopeRe, im: envelopeIm }: Harmonic,
  middle: number,
  offsetHz: number,
): { step: number; residual: number } | null {
  const before = lineThrough(envelopeRe, envelopeIm, middle - sideBlocks, offsetHz);
  const after = lineThrough(envelopeRe, envelopeIm, middle + 1, offsetHz);
  if (before === null || after === null) return null;
  const half = sideBlocks / 2 + 0.5;
  const step = after.phase - after.slope * half - (before.phase + before.slope * half);
  const residual = Math.hypot(before.residual, after.residual);
  return { step: Math.atan2(Math.sin(step), Math.cos(step)), residual };
}

/** Phase at the middle of a side's blocks, and how it grows from block to block; null where nothing is there. */
function lineThrough(
  envelopeRe: readonly number[],
  envelopeIm: readonly number[],
  first: number,
  offsetHz: number,
): { phase: number; slope: number; residual: number } | null {
  const phases: number[] = [];
  const weights: number[] = [];
  for (let block = first; block < first + sideBlocks; block++) {
    let sumRe = 0;
    let sumIm = 0;
    for (let i = block * blockSamples; i < (block + 1) * blockSamples; i++) {
      const turn = (-2 * Math.PI * offsetHz * i) / envelopeRateHz;
      const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
      sumRe += envelopeRe[i] * cosine - envelopeIm[i] * sine;
      sumIm += envelopeRe[i] * sine + envelopeIm[i] * cosine;
    }
    const size = Math.hypot(sumRe, sumIm);
    if (!(size > 1e-12)) return null;
    const phase = Math.atan2(sumIm, sumRe);
    const last = phases.at(-1) ?? phase;
    phases.push(phase - 2 * Math.PI * Math.round((phase - last) / (2 * Math.PI)));
    weights.push(size);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const centre = (sideBlocks - 1) / 2;
  const meanPlace = weights.reduce((sum, weight, i) => sum + weight * (i - centre), 0) / total;
  const meanPhase = phases.reduce((sum, phase, i) => sum + weights[i] * phase, 0) / total;
  let spread = 0;
  let both = 0;
  for (const [i, phase] of phases.entries()) {
    const place = i - centre - meanPlace;
    spread += weights[i] * place * place;
    both += weights[i] * place * (phase - meanPhase);
  }
  const slope = both / spread;
  const phase = meanPhase - slope * meanPlace;
  const squares = phases.reduce((sum, one, i) => sum + (one - phase - slope * (i - centre)) ** 2, 0);
  return { phase, slope, residual: Math.sqrt(squares / (sideBlocks - 2)) };
}
