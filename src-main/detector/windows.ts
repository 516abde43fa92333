import { openAudio } from '../audio/decode.ts';
import type { AudioInfo, AudioSource, DecodeStatistics } from '../audio/types.ts';
import {
  BandLimiter,
  FramePowers,
  fillWindow,
  findActivity,
  frameSeconds,
  levelWindow,
  planWindows,
} from '../audio/condition.ts';
import type { Activity, Conditioning } from '../audio/condition.ts';

/** Length and spacing of the windows that a network looks at. */
export interface WindowPlan {
  seconds: number;
  hopSeconds: number;
}

/** A window with less active sound than this share is passed over, unless all are. */
const minimumActiveShare = 0.25;
/** Up to this length a recording is kept in memory between the two passes; a longer one is decoded twice. */
const keptSeconds = 600;

/** A recording, measured, whose conditioned windows can be walked through once. */
export interface ConditionedRecording {
  info: AudioInfo;
  statistics: DecodeStatistics;
  durationSeconds: number;
  activity: Activity;
  /** Starts of the windows, in samples of the conditioned signal. */
  starts: number[];
  windowLength: number;
  /** Each window at its level, in one array that is used again for the next. */
  windows(): AsyncIterable<Float32Array>;
}

/** What is kept of a recording up to a limit, block by block. */
class KeptSamples {
  #blocks: Float32Array[] | null = [];
  #length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(block: Float32Array): void {
    this.#length += block.length;
    if (this.#length > this.#limit) this.#blocks = null;
    this.#blocks?.push(block);
  }

  /** The whole signal, or null where it was too long. */
  joined(): Float32Array | null {
    if (this.#blocks === null) return null;
    if (this.#blocks.length === 1) return this.#blocks[0];
    const whole = new Float32Array(this.#length);
    let at = 0;
    for (const block of this.#blocks) {
      whole.set(block, at);
      at += block.length;
    }
    return whole;
  }
}

async function* filteredBlocks(
  blocks: AsyncIterable<Float32Array>,
  conditioning: Conditioning,
): AsyncGenerator<Float32Array> {
  const limiter = new BandLimiter(...conditioning.bandHz, conditioning.sampleRateHz);
  for await (const block of blocks) yield limiter.process(block.slice());
}

/** Cuts spans out of a signal that arrives in blocks; the starts ascend. */
async function* cutSpans(
  blocks: AsyncIterable<Float32Array>,
  starts: readonly number[],
  length: number,
): AsyncGenerator<Float32Array> {
  let held = new Float32Array(0);
  let heldStart = 0;
  let next = 0;
  for await (const block of blocks) {
    if (next === starts.length) return;
    const from = Math.min(Math.max(starts[next] - heldStart, 0), held.length);
    const joined = new Float32Array(held.length - from + block.length);
    joined.set(held.subarray(from));
    joined.set(block, held.length - from);
    held = joined;
    heldStart += from;
    while (next < starts.length && starts[next] + length <= heldStart + held.length) {
      yield held.subarray(starts[next] - heldStart, starts[next] - heldStart + length);
      next++;
    }
  }
}

/**
 * Decodes a recording, measures it and plans its windows.
 * @throws UserFacingError as `openAudio` does.
 */
export async function conditionRecording(
  source: AudioSource,
  conditioning: Conditioning,
  plan: WindowPlan,
  signal?: AbortSignal,
): Promise<ConditionedRecording> {
  const { sampleRateHz } = conditioning;
  const options = { sampleRateHz, ...(signal ? { signal } : {}) };
  const stream = await openAudio(source, options);
  const frames = new FramePowers(sampleRateHz);
  const kept = new KeptSamples(keptSeconds * sampleRateHz);
  for await (const block of filteredBlocks(stream.blocks(), conditioning)) {
    frames.push(block);
    kept.push(block);
  }
  const activity = findActivity(frames, conditioning);
  const whole = kept.joined();
  const windowLength = Math.round(plan.seconds * sampleRateHz);
  const span = activity.endSample - activity.startSample;
  const starts = activity.silent
    ? []
    : planWindows(activity.startSample, activity.endSample, windowLength, Math.round(plan.hopSeconds * sampleRateHz));
  const spanLength = Math.min(windowLength, span);
  const activeStarts = starts.filter((start) => {
    const from = Math.floor(start / frames.frameLength);
    const to = Math.min(Math.ceil((start + spanLength) / frames.frameLength), activity.active.length);
    let count = 0;
    for (let frame = from; frame < to; frame++) count += activity.active[frame];
    return count * frameSeconds >= minimumActiveShare * (spanLength / sampleRateHz);
  });
  const chosen = activeStarts.length > 0 ? activeStarts : starts;

  async function* spans(): AsyncGenerator<Float32Array> {
    if (whole) {
      for (const start of chosen) yield whole.subarray(start, start + spanLength);
    } else if (chosen.length > 0) {
      const again = await openAudio(source, options);
      yield* cutSpans(filteredBlocks(again.blocks(), conditioning), chosen, spanLength);
    }
  }

  return {
    info: stream.info,
    statistics: stream.statistics,
    durationSeconds: frames.samples / sampleRateHz,
    activity,
    starts: chosen,
    windowLength,
    async *windows() {
      const window = new Float32Array(windowLength);
      for await (const samples of spans()) {
        fillWindow(samples, window);
        levelWindow(window, conditioning.windowLevelDbfs);
        yield window;
      }
    },
  };
}
