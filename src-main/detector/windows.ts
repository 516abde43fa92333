/** A recording conditioned for a model and walked window by window. */
import { BlockMemory } from '../audio/block-memory.ts';
import { openAudio } from '../audio/decode.ts';
import type { AudioInfo, AudioSource, Channel, DecodeStatistics } from '../audio/types.ts';
import {
  FramePowers,
  bandLimiter,
  edgeFadeSeconds,
  fillWindow,
  spanForWindows,
  findActivity,
  frameSeconds,
  levelWindow,
} from '../audio/condition.ts';
import type { Activity, Conditioning } from '../audio/condition.ts';
import { Timeline } from '../audio/timeline.ts';
import { planSpans, withGaps } from './spans.ts';
import type { PlannedSpan, SampleGap } from './spans.ts';
import { SpectrumMeter } from './spectrum.ts';
import type { SpectrumFindings } from './spectrum.ts';
import { isSpeech, speechFrameLength, speechRateHz } from './speech.ts';
import type { SpeechDetector, SpeechTracker } from './speech.ts';

/** Length and spacing of the windows that a network looks at. */
export interface WindowPlan {
  seconds: number;
  hopSeconds: number;
}

/** A window with less active sound than this share is passed over, unless all are. */
const minimumActiveShare = 0.25;
/** The same for speech. */
export const minimumSpeechShare = 0.25;
/** Up to this length a recording is kept in memory between the two passes; a longer one is decoded twice. */
const defaultKeptSeconds = 600;
/** The level of active sound to which a recording is brought before speech is looked for. */
const speechLevelDbfs = -23;

export interface RecordingOptions {
  conditioning: Conditioning;
  window: WindowPlan;
  /** Where the conditioning looks for speech: what finds it, else null. */
  speech: SpeechDetector | null;
  /** With less speech than this, all windows with sound are used. */
  minimumSpeechSeconds: number;
  /** How much of a recording may be kept in memory; by default ten minutes. A longer one is decoded once more. */
  keptSeconds?: number;
  /** Used by one recording at a time; its own if not given. */
  memory?: ConditioningMemory;
  stream?: number;
  channel?: Channel;
  /** As in `OpenOptions`. */
  readAll?: boolean;
  signal?: AbortSignal;
}

/** A recording, measured, whose conditioned windows can be walked through. */
export interface ConditionedRecording {
  info: AudioInfo;
  statistics: DecodeStatistics;
  /** With late start and gaps. */
  durationSeconds: number;
  /** Places of samples count only those that are there; this tells their times. */
  timeline: Timeline;
  activity: Activity;
  /** Mean power of each frame of 20 ms, [frames]. */
  powers: Float32Array;
  spectrum: SpectrumFindings;
  /**
   * Hands over each window at its level, in one array that is used again for the next.
   * @param use gets the window and what of the conditioned signal it is made of
   * @param restart is called where there proves to be too little speech: what was handed over so far does not count, and
   * all windows with sound follow
   * @returns speech probabilities of the frames from `activity.startSample` on, or null where none were asked for.
   */
  walk(
    use: (window: Float32Array, span: PlannedSpan) => Promise<void> | void,
    restart: () => void,
  ): Promise<Float32Array | null>;
}

/** More samples than this are not kept for the next recording: a minute at 16 kHz. */
const mostRemembered = 960_000;

/**
 * Memory in which one recording after the other is conditioned, so that none has to be found and cleared for each. What was
 * made of a recording is valid until the next one begins.
 */
export class ConditioningMemory {
  /** What is decoded, before it is conditioned. */
  readonly blocks = new BlockMemory();
  #samples = new Float32Array(0);
  #window = new Float32Array(0);

  /** At least so many samples, the first of which keep their values. */
  samples(length: number, kept: number): Float32Array {
    if (this.#samples.length < length) {
      const grown = new Float32Array(Math.max(length, 2 * this.#samples.length));
      grown.set(this.#samples.subarray(0, kept));
      this.#samples = grown;
    }
    return this.#samples;
  }

  window(length: number): Float32Array {
    if (this.#window.length !== length) this.#window = new Float32Array(length);
    return this.#window;
  }

  /** Lets go of what few recordings need. */
  trim(): void {
    if (this.#samples.length > mostRemembered) this.#samples = new Float32Array(0);
  }
}

/** What is kept of a recording up to a limit. */
class KeptSamples {
  readonly #memory: ConditioningMemory;
  readonly #limit: number;
  #length = 0;

  constructor(memory: ConditioningMemory, limit: number) {
    this.#memory = memory;
    this.#limit = limit;
  }

  push(block: Float32Array): void {
    const at = this.#length;
    this.#length += block.length;
    if (this.#length <= this.#limit) this.#memory.samples(this.#length, at).set(block, at);
    else this.#memory.trim();
  }

  /** The whole signal, or null where it was too long. */
  whole(): Float32Array | null {
    return this.#length <= this.#limit ? this.#memory.samples(this.#length, 0).subarray(0, this.#length) : null;
  }
}

async function* filteredBlocks(
  blocks: AsyncIterable<Float32Array>,
  conditioning: Conditioning,
): AsyncGenerator<Float32Array> {
  const limiter = bandLimiter(conditioning);
  for await (const block of blocks) yield limiter?.process(block) ?? block;
  if (limiter) yield limiter.tail();
}

/** A part of a recording. */
interface Span extends PlannedSpan {
  samples: Float32Array;
}

/** Follows the speech in the active part of a recording. */
export class SpeechFollower {
  readonly #tracker: SpeechTracker;
  readonly #start: number;
  readonly #end: number;
  #ended = false;

  constructor(detector: SpeechDetector, { startSample, endSample, activeLevelDbfs }: Activity) {
    this.#tracker = detector.start(10 ** ((speechLevelDbfs - activeLevelDbfs) / 20));
    this.#start = startSample;
    this.#end = endSample;
  }

  /** Takes the next block, whose first sample in the recording is given. */
  async push(block: Float32Array, at: number): Promise<void> {
    const from = Math.max(this.#start - at, 0);
    const to = Math.min(this.#end - at, block.length);
    if (from < to) await this.#tracker.push(block.subarray(from, to));
    if (!this.#ended && at + block.length >= this.#end) {
      this.#ended = true;
      await this.#tracker.finish();
    }
  }

  get probabilities(): Float32Array {
    return this.#tracker.probabilities;
  }

  /** Up to which sample it is known where there is speech. */
  get known(): number {
    return this.#ended ? Infinity : this.#start + this.#tracker.probabilities.length * speechFrameLength;
  }

  /** Which share of a span's frames is speech. */
  share(start: number, length: number): number {
    return speechShare(this.#tracker.probabilities, start - this.#start, length);
  }
}

/** Which share of the frames that a span touches is speech. */
export function speechShare(probabilities: Float32Array, start: number, length: number): number {
  const from = Math.floor(start / speechFrameLength);
  const to = Math.min(Math.ceil((start + length) / speechFrameLength), probabilities.length);
  let count = 0;
  for (let frame = Math.max(from, 0); frame < to; frame++) if (isSpeech(probabilities[frame])) count++;
  return count / (to - from);
}

/**
 * Cuts spans out of a signal that arrives in blocks, each as soon as it is known where it holds speech; the starts ascend.
 * A follower sees every block.
 */
async function* cutSpans(
  blocks: AsyncIterable<Float32Array>,
  planned: readonly PlannedSpan[],
  follower: SpeechFollower | null,
): AsyncGenerator<Span> {
  let held = new Float32Array(0);
  let heldStart = 0;
  let next = 0;
  for await (const block of blocks) {
    if (next === planned.length && (follower === null || follower.known === Infinity)) return;
    await follower?.push(block, heldStart + held.length);
    const wanted = next === planned.length ? Infinity : planned[next].start - heldStart;
    const from = Math.min(Math.max(wanted, 0), held.length);
    const joined = new Float32Array(held.length - from + block.length);
    joined.set(held.subarray(from));
    joined.set(block, held.length - from);
    held = joined;
    heldStart += from;
    const end = Math.min(heldStart + held.length, follower?.known ?? Infinity);
    for (; next < planned.length && planned[next].start + planned[next].length <= end; next++) {
      const at = planned[next].start - heldStart;
      yield { ...planned[next], samples: held.subarray(at, at + planned[next].length) };
    }
  }
}

/**
 * Decodes a recording, measures it and plans its windows.
 * @throws UserFacingError as `openAudio` does.
 */
export async function conditionRecording(
  source: AudioSource,
  options: RecordingOptions,
): Promise<ConditionedRecording> {
  const {
    conditioning,
    window: plan,
    speech,
    minimumSpeechSeconds,
    stream: streamIndex,
    channel,
    readAll,
    signal,
  } = options;
  const { sampleRateHz } = conditioning;
  let spectrum: SpectrumMeter | null = null;
  const memory = options.memory ?? new ConditioningMemory();
  const opening = {
    sampleRateHz,
    ...(conditioning.whole ? {} : { edgeFadeSeconds }),
    memory: memory.blocks,
    ...(streamIndex === undefined ? {} : { stream: streamIndex }),
    ...(channel === undefined ? {} : { channel }),
    ...(readAll ? { readAll } : {}),
    ...(signal ? { signal } : {}),
  };
  const stream = await openAudio(source, { ...opening, onNative: (mono) => spectrum?.push(mono) });
  const { info } = stream;
  spectrum = new SpectrumMeter(info.sampleRateHz, info.codec.startsWith('pcm_f') ? null : info.bitsPerSample);
  const frames = new FramePowers(sampleRateHz);
  const kept = new KeptSamples(memory, (options.keptSeconds ?? defaultKeptSeconds) * sampleRateHz);
  let samples = 0;
  const counted = async function* (): AsyncGenerator<Float32Array> {
    for await (const block of stream.blocks()) {
      samples += block.length;
      yield block;
    }
  };
  for await (const block of filteredBlocks(counted(), conditioning)) {
    frames.push(block);
    kept.push(block);
  }
  const activity = findActivity(frames, conditioning);
  const whole = kept.whole();
  const windowLength = Math.round(plan.seconds * sampleRateHz);
  const timeline = new Timeline(stream.statistics);
  const span = conditioning.whole
    ? { startSample: 0, endSample: samples }
    : spanForWindows(activity, windowLength, conditioning);
  const planned = activity.silent
    ? []
    : planSpans(
        span.startSample,
        span.endSample,
        windowLength,
        Math.round(plan.hopSeconds * sampleRateHz),
        sampleGaps(timeline, sampleRateHz),
        sampleRateHz,
      );
  const active = planned.filter(({ start, length }) => {
    const from = Math.floor(start / frames.frameLength);
    const to = Math.min(Math.ceil((start + length) / frames.frameLength), activity.active.length);
    let count = 0;
    for (let frame = from; frame < to; frame++) count += activity.active[frame];
    return count * frameSeconds >= minimumActiveShare * (length / sampleRateHz);
  });
  const chosen = active.length > 0 ? active : planned;

  async function* spans(follower: SpeechFollower | null): AsyncGenerator<Span> {
    if (whole) {
      await follower?.push(whole, 0);
      for (const span of chosen) yield { ...span, samples: whole.subarray(span.start, span.start + span.length) };
    } else if (chosen.length > 0) {
      const again = await openAudio(source, opening);
      yield* cutSpans(filteredBlocks(again.blocks(), conditioning), chosen, follower);
    }
  }

  return {
    info,
    statistics: stream.statistics,
    durationSeconds: timeline.timeOf(samples / sampleRateHz, 'before'),
    timeline,
    activity,
    powers: frames.powers(),
    spectrum: spectrum.findings(),
    async walk(use, restart) {
      const window = memory.window(windowLength);
      const hand = async (span: Span): Promise<void> => {
        if (span.gaps.length === 0) {
          fillWindow(span.samples, window);
          levelWindow(window, conditioning.windowLevelDbfs);
        } else {
          // Gaps are no sound: the level is that of the rest.
          const samples = span.samples.slice();
          levelWindow(samples, conditioning.windowLevelDbfs);
          fillWindow(withGaps(samples, span), window);
        }
        // Without the samples: who keeps the place shall not keep the recording.
        const { samples: _, ...place } = span;
        await use(window, place);
      };
      let probabilities: Float32Array | null = null;
      if (speech && !activity.silent) {
        const follower = new SpeechFollower(speech, activity);
        let used = 0;
        for await (const span of spans(follower)) {
          if (follower.share(span.start, span.length) < minimumSpeechShare) continue;
          await hand(span);
          used++;
        }
        probabilities = follower.probabilities;
        if (used > 0 && speechSeconds(probabilities) >= minimumSpeechSeconds) return probabilities;
        if (used > 0) restart();
      }
      for await (const span of spans(null)) await hand(span);
      return probabilities;
    },
  };
}

/** The gaps of a timeline at a rate. */
function sampleGaps(timeline: Timeline, sampleRateHz: number): SampleGap[] {
  return timeline.gapsBetween(0, Infinity).map(({ soundSeconds, gap }) => ({
    at: Math.round(soundSeconds * sampleRateHz),
    length: Math.round((gap.toSeconds - gap.fromSeconds) * sampleRateHz),
  }));
}

/** Net speech. */
export function speechSeconds(probabilities: Float32Array): number {
  let count = 0;
  for (const probability of probabilities) if (isSpeech(probability)) count++;
  return (count * speechFrameLength) / speechRateHz;
}
