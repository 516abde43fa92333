/** What is done to sound before a model sees it: band, level, trimming, windows. */
import { z } from 'zod';
import { ParallelFilter } from './parallel-filter.ts';
import type { Section } from './parallel-filter.ts';
import { scaleSamples, sumOfSquares } from './sample-kernel.ts';

/**
 * What is done to a recording before the front end, alike in training, evaluation and scanning: mixed and resampled
 * (decode.ts), its ends faded, cut below and above a band, trimmed of leading and trailing silence, each window brought to one level.
 * Every step but those left out by a foreign detector's card is indifferent to gain; the parameters stand in the model's card.
 */
export const conditioningSchema = z.object({
  sampleRateHz: z.int().positive(),
  /** Butterworth high-pass of fourth and low-pass of sixteenth order; null: the sound as it is. */
  bandHz: z.tuple([z.number().positive(), z.number().positive()]).nullable(),
  /** A frame is active if its power is no more than this below the loudest 0.1 s. */
  activeRangeDb: z.number().positive(),
  /** Mean power of a window after levelling; null: at its own level. */
  windowLevelDbfs: z.number().negative().nullable(),
  /** What tells speech from other sound: only windows with speech are used. `none` uses all windows with sound. */
  speech: z.enum(['none', 'silero-vad-v5']).default('none'),
  /**
   * What fills a window that is longer than the sound: the sound again, or first what lies around it in the recording, as
   * much as there is sound, so that pauses and room stay as they were. Where absent: repeated.
   */
  shortSound: z.enum(['repeated', 'surrounded']).optional(),
  /** True: all of the recording, its ends neither faded nor trimmed. */
  whole: z.boolean().optional(),
});
export type Conditioning = z.infer<typeof conditioningSchema>;

/** A recording's ends are faded over this long (decode.ts): cut sound is no click. */
export const edgeFadeSeconds = 0.02;
/** Frames in which activity is measured. */
export const frameSeconds = 0.02;
/** Frames over whose median power the loudest stretch is taken, so that a click does not set the reference. */
const referenceFrames = 5;
/** So many frames around one decide by majority whether it is active: a click, or a tone that sets in, is no sound. */
const majorityFrames = 5;
/** What the filters ring on after a recording's end; without it, silence that follows would change its last frames. */
const tailSeconds = 0.2;
/** So steep that a tone at speech level 200 Hz above the band stays far below the activity threshold. */
const lowPassOrder = 16;
/** Below this the loudest stretch counts as silence. */
const silenceDbfs = -85;
/** A frame further than this below the loudest 0.1 s holds nothing: the noise of 16 bits lies lower in speech at its usual level. */
const surroundingsRangeDb = 70;

/** Butterworth sections by the bilinear transform (R. Bristow-Johnson, Audio EQ Cookbook), Q by pole angle. */
function butterworth(kind: 'high-pass' | 'low-pass', order: number, cutHz: number, sampleRateHz: number): Section[] {
  const omega = (2 * Math.PI * cutHz) / sampleRateHz;
  const cosine = Math.cos(omega);
  return Array.from({ length: order / 2 }, (_, section) => {
    const q = 1 / (2 * Math.cos((Math.PI * (2 * section + 1)) / (2 * order)));
    const alpha = Math.sin(omega) / (2 * q);
    const a0 = 1 + alpha;
    const edge = kind === 'low-pass' ? (1 - cosine) / 2 : (1 + cosine) / 2;
    const middle = kind === 'low-pass' ? 1 - cosine : -(1 + cosine);
    return { b0: edge / a0, b1: middle / a0, b2: edge / a0, a1: (-2 * cosine) / a0, a2: (1 - alpha) / a0 };
  });
}

/** Keeps a band of a signal that arrives in blocks; the state runs on from block to block. */
export class BandLimiter {
  readonly #tailLength: number;
  readonly #filter: ParallelFilter;

  /** A cut at or above half the sample rate is left out. */
  constructor(lowHz: number, highHz: number, sampleRateHz: number) {
    this.#tailLength = Math.round(tailSeconds * sampleRateHz);
    this.#filter = new ParallelFilter([
      ...butterworth('high-pass', 4, lowHz, sampleRateHz),
      ...(highHz < sampleRateHz / 2 ? butterworth('low-pass', lowPassOrder, highHz, sampleRateHz) : []),
    ]);
  }

  /** Filters the block in place and returns it. */
  process(block: Float32Array): Float32Array {
    this.#filter.process(block);
    return block;
  }

  /** What rings on after the last block, 0.2 s. */
  tail(): Float32Array {
    return this.process(new Float32Array(this.#tailLength));
  }
}

/** What keeps the conditioning's band; null where the sound stays as it is. */
export function bandLimiter({
  bandHz,
  sampleRateHz,
}: Pick<Conditioning, 'bandHz' | 'sampleRateHz'>): BandLimiter | null {
  return bandHz && new BandLimiter(...bandHz, sampleRateHz);
}

/** Mean power per frame of a signal that arrives in blocks; the last, shorter frame is dropped. */
export class FramePowers {
  readonly frameLength: number;
  #powers = new Float32Array(1024);
  #count = 0;
  #sum = 0;
  #filled = 0;
  #samples = 0;

  constructor(sampleRateHz: number) {
    this.frameLength = Math.round(frameSeconds * sampleRateHz);
  }

  push(block: Float32Array): void {
    for (let at = 0; at < block.length;) {
      const end = Math.min(block.length, at + this.frameLength - this.#filled);
      this.#filled += end - at;
      this.#sum += sumOfSquares(block.subarray(at, end));
      at = end;
      if (this.#filled === this.frameLength) {
        if (this.#count === this.#powers.length) {
          const grown = new Float32Array(2 * this.#count);
          grown.set(this.#powers);
          this.#powers = grown;
        }
        this.#powers[this.#count++] = this.#sum / this.frameLength;
        this.#sum = 0;
        this.#filled = 0;
      }
    }
    this.#samples += block.length;
  }

  /** Samples seen. */
  get samples(): number {
    return this.#samples;
  }

  powers(): Float32Array {
    return this.#powers.subarray(0, this.#count);
  }
}

/** Where a recording's sound lies. */
export interface Activity {
  /** The span from the first to the last active frame, in samples; empty (0, 0) where all is silence. */
  startSample: number;
  endSample: number;
  /** The span with the frames before and after it that hold any sound, in samples: rooms sound, digital silence does not. */
  surroundings: { startSample: number; endSample: number };
  /** One per frame: 1 if active. */
  active: Uint8Array;
  activeSeconds: number;
  /** Mean power of the active frames; -Infinity where there are none. */
  activeLevelDbfs: number;
  silent: boolean;
}

/**
 * Finds the active frames: those around which most of five lie within `activeRangeDb` of the loudest 0.1 s.
 * @param frames of the band-limited signal with its tail
 */
export function findActivity(
  frames: FramePowers,
  conditioning: Pick<Conditioning, 'activeRangeDb' | 'sampleRateHz'>,
): Activity {
  const powers = frames.powers();
  const active = new Uint8Array(powers.length);
  const span = Math.min(referenceFrames, powers.length);
  const median = new Float32Array(span);
  let reference = 0;
  for (let at = 0; at + span <= powers.length && span > 0; at++) {
    // Only a stretch whose middle can exceed the reference needs sorting.
    median.set(powers.subarray(at, at + span));
    median.sort();
    reference = Math.max(reference, median[span >> 1]);
  }
  const silent = !(10 * Math.log10(reference) > silenceDbfs);
  if (silent) {
    const nowhere = { startSample: 0, endSample: 0 };
    return { ...nowhere, surroundings: nowhere, active, activeSeconds: 0, activeLevelDbfs: -Infinity, silent: true };
  }
  const threshold = reference * 10 ** (-conditioning.activeRangeDb / 10);
  let first = -1;
  let last = -1;
  let count = 0;
  let sum = 0;
  // Frames above the threshold among the five around frame i.
  let above = 0;
  const reach = majorityFrames >> 1;
  for (let i = -reach; i < powers.length; i++) {
    if (i + reach < powers.length && powers[i + reach] >= threshold) above++;
    if (i - reach - 1 >= 0 && powers[i - reach - 1] >= threshold) above--;
    if (i < 0 || above <= reach) continue;
    if (first < 0) first = i;
    last = i;
    active[i] = 1;
    count++;
    sum += powers[i];
  }
  const least = reference * 10 ** (-surroundingsRangeDb / 10);
  let before = first;
  while (before > 0 && powers[before - 1] >= least) before--;
  let after = last;
  while (after + 1 < powers.length && powers[after + 1] >= least) after++;
  return {
    startSample: first * frames.frameLength,
    endSample: (last + 1) * frames.frameLength,
    surroundings: { startSample: before * frames.frameLength, endSample: (after + 1) * frames.frameLength },
    active,
    activeSeconds: (count * frames.frameLength) / conditioning.sampleRateHz,
    activeLevelDbfs: 10 * Math.log10(sum / count),
    silent: false,
  };
}

/** The span that windows are taken from, in samples. */
export function spanForWindows(
  { startSample, endSample, surroundings }: Pick<Activity, 'startSample' | 'endSample' | 'surroundings'>,
  windowLength: number,
  { shortSound = 'repeated' }: Pick<Conditioning, 'shortSound'>,
): { startSample: number; endSample: number } {
  const length = endSample - startSample;
  if (shortSound === 'repeated' || length >= windowLength || length === 0) return { startSample, endSample };
  const wanted = Math.min(windowLength, 2 * length, surroundings.endSample - surroundings.startSample);
  const before = Math.floor((wanted - length) / 2);
  const latest = surroundings.endSample - wanted;
  const start = Math.max(surroundings.startSample, Math.min(startSample - before, latest));
  return { startSample: start, endSample: start + wanted };
}

/**
 * Starts of the windows that cover a span, in samples: one every hop, and one that ends where the span ends. A span
 * shorter than a window gets one window, which `fillWindow` fills by repeating it.
 */
export function planWindows(startSample: number, endSample: number, windowLength: number, hopLength: number): number[] {
  const last = endSample - windowLength;
  if (last <= startSample) return [startSample];
  const starts: number[] = [];
  for (let start = startSample; start < last; start += hopLength) starts.push(start);
  starts.push(last);
  return starts;
}

/** Copies a span into a window, repeated from its start where it is shorter. */
export function fillWindow(span: Float32Array, window: Float32Array): void {
  for (let at = 0; at < window.length; at += span.length) {
    window.set(span.length <= window.length - at ? span : span.subarray(0, window.length - at), at);
  }
}

/** Brings a window to a mean power, in place; a silent one stays as it is, and all do where the level is null. */
export function levelWindow(window: Float32Array, levelDbfs: number | null): void {
  if (levelDbfs === null) return;
  const sum = sumOfSquares(window);
  if (sum === 0) return;
  scaleSamples(window, Math.sqrt((10 ** (levelDbfs / 10) * window.length) / sum), window);
}
