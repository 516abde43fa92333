/** From clips to what a network is trained and judged on. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  FramePowers,
  bandLimiter,
  edgeFadeSeconds,
  fillWindow,
  spanForWindows,
  findActivity,
  levelWindow,
} from '../audio/condition.ts';
import type { Conditioning } from '../audio/condition.ts';
import { decode } from '../audio/decode.ts';
import { Random } from '../base/random.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEndParameters } from '../features/front-end.ts';
import { augmentSamples, maskSpectrogram } from './augment.ts';
import type { Augmentation } from '../detector/augmentation.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import { SpeechDetector, speechFrameLength } from '../detector/speech.ts';
import {
  ConditioningMemory,
  SpeechFollower,
  conditionRecording,
  minimumSpeechShare,
  speechShare,
} from '../detector/windows.ts';
import type { WindowPlan } from '../detector/windows.ts';

/** Sound before a clip's first active frame that is kept for the filters to settle. */
const leadSeconds = 0.1;

/** How recordings become what the network sees; the same for every worker. */
export interface ExampleSettings {
  conditioning: Conditioning;
  window: WindowPlan;
  frontEnd: FrontEndParameters;
  augmentation: Augmentation;
  /** Length of the windows that training sees; where absent, those of scoring. */
  cropSeconds?: number;
}

/** A training clip, decoded and trimmed. */
export interface Clip {
  /** First samples after the lead, a frame of speech detection apart, at which a window holds speech; null: any. */
  starts: Uint32Array | null;
  /** Mono at the conditioning's rate, in shared memory: `lead` samples, then the active span. */
  samples: Float32Array;
  lead: number;
}

export type ExampleRequest =
  | { kind: 'prepare'; path: string; keep: boolean }
  | { kind: 'examples'; clips: { path: string; clip: Clip | null; seed: number[] }[] }
  | { kind: 'windows'; path: string };

export type ExampleResponse =
  | { kind: 'prepare'; sha256: string; samples: number; clip: Clip | null }
  | { kind: 'examples'; features: Float32Array }
  | { kind: 'windows'; features: Float32Array };

/**
 * Starts at which a window holds enough speech, or null where all or none do.
 * @param lead samples before the first of the probabilities' frames
 */
function speechStarts(
  probabilities: Float32Array,
  lead: number,
  length: number,
  windowLength: number,
): Uint32Array | null {
  const possible = Math.floor((length - windowLength) / speechFrameLength) + 1;
  const all = Array.from({ length: possible }, (_, index) => index * speechFrameLength);
  const starts = all.filter((start) => speechShare(probabilities, start - lead, windowLength) >= minimumSpeechShare);
  return starts.length > 0 && starts.length < all.length ? Uint32Array.from(starts) : null;
}

/** Where a crop begins: at random among the places that are worth it. */
function cropStart(spare: number, starts: Uint32Array | null, augmentation: Augmentation, random: Random): number {
  if (spare <= 0 || !augmentation.randomCrop) return starts?.[0] ?? 0;
  if (starts === null) return random.below(spare + 1);
  return Math.min(spare, starts[random.below(starts.length)] + random.below(speechFrameLength));
}

/** Turns clips into the network's input. */
export class ExampleMaker {
  readonly #settings: ExampleSettings;
  readonly #frontEnd;
  readonly #cropLength: number;
  readonly #windowLength: number;
  readonly #cropSize: number;
  readonly #windowSize: number;
  readonly #memory = new ConditioningMemory();
  // Made at the first need.
  #speech: Promise<SpeechDetector> | null = null;

  constructor(settings: ExampleSettings) {
    this.#settings = settings;
    this.#frontEnd = createFrontEnd(settings.frontEnd);
    const { window, cropSeconds = window.seconds, conditioning } = settings;
    const { bins } = this.#frontEnd;
    const lengthOf = (seconds: number): number => Math.round(seconds * conditioning.sampleRateHz);
    this.#cropLength = lengthOf(cropSeconds);
    this.#cropSize = bins * this.#frontEnd.frameCount(this.#cropLength);
    this.#windowLength = lengthOf(window.seconds);
    this.#windowSize = bins * this.#frontEnd.frameCount(this.#windowLength);
  }

  async #speechDetector(): Promise<SpeechDetector | null> {
    if (this.#settings.conditioning.speech === 'none') return null;
    return (this.#speech ??= SpeechDetector.create(1));
  }

  /** Reads, hashes and trims a clip; `samples` is 0 where it holds no sound. */
  async prepare(path: string, keep: boolean): Promise<ExampleResponse & { kind: 'prepare' }> {
    const bytes = await readFile(path);
    const clip = await this.#load({ path, bytes });
    return {
      kind: 'prepare',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      samples: clip.samples.length - clip.lead,
      clip: keep ? clip : null,
    };
  }

  async #load(source: string | { path: string; bytes: Uint8Array }): Promise<Clip> {
    const { conditioning } = this.#settings;
    const { samples } = await decode(source, { sampleRateHz: conditioning.sampleRateHz, edgeFadeSeconds });
    const frames = new FramePowers(conditioning.sampleRateHz);
    const limiter = bandLimiter(conditioning);
    const limited = limiter ? [limiter.process(samples.slice()), limiter.tail()] : [samples, new Float32Array(0)];
    for (const part of limited) frames.push(part);
    const activity = findActivity(frames, conditioning);
    const { startSample, endSample } = spanForWindows(activity, this.#windowLength, conditioning);
    const speech = await this.#speechDetector();
    let starts: Uint32Array | null = null;
    if (speech && endSample > startSample + this.#cropLength) {
      const follower = new SpeechFollower(speech, activity);
      await follower.push(limited[0], 0);
      await follower.push(limited[1], limited[0].length);
      const { probabilities } = follower;
      starts = speechStarts(
        probabilities,
        activity.startSample - startSample,
        endSample - startSample,
        this.#cropLength,
      );
    }
    const lead = Math.min(startSample, Math.round(leadSeconds * conditioning.sampleRateHz));
    const kept = new Float32Array(new SharedArrayBuffer(4 * (lead + endSample - startSample)));
    kept.set(samples.subarray(startSample - lead, endSample));
    return { samples: kept, lead, starts };
  }

  /** Augmented windows, [clips, bins, frames]; the same seed gives the same window on every machine. */
  async examples(clips: { path: string; clip: Clip | null; seed: number[] }[]): Promise<Float32Array> {
    const { conditioning, augmentation } = this.#settings;
    const features = new Float32Array(clips.length * this.#cropSize);
    const window = new Float32Array(this.#cropLength);
    for (const [index, { path, clip, seed }] of clips.entries()) {
      const { samples, lead, starts } = clip ?? (await this.#load(path));
      const random = new Random(seed);
      const spare = samples.length - lead - this.#cropLength;
      const start = cropStart(spare, starts, augmentation, random);
      const length = Math.min(this.#cropLength, samples.length - lead);
      // The lead belongs to the crop's own start, so that the filters have settled wherever it lies.
      const crop = samples.slice(start, start + lead + length);
      augmentSamples(crop, conditioning.sampleRateHz, augmentation, random);
      bandLimiter(conditioning)?.process(crop);
      fillWindow(crop.subarray(lead), window);
      const gainDb = random.between(...augmentation.gainDb);
      levelWindow(window, conditioning.windowLevelDbfs === null ? null : conditioning.windowLevelDbfs + gainDb);
      const out = features.subarray(index * this.#cropSize, (index + 1) * this.#cropSize);
      this.#frontEnd.compute(window, out);
      maskSpectrogram(out, this.#frontEnd, this.#cropSize / this.#frontEnd.bins, augmentation, random);
    }
    return features;
  }

  /** All windows of a recording as scanning would see them, [windows, bins, frames]. */
  async windows(path: string): Promise<Float32Array> {
    const { conditioning, window } = this.#settings;
    const recording = await conditionRecording(path, {
      conditioning,
      window,
      speech: await this.#speechDetector(),
      minimumSpeechSeconds: defaultMinimumSpeechSeconds,
      memory: this.#memory,
    });
    const windows: Float32Array[] = [];
    await recording.walk(
      (samples) => {
        const features = new Float32Array(this.#windowSize);
        this.#frontEnd.compute(samples, features);
        windows.push(features);
      },
      () => (windows.length = 0),
    );
    const all = new Float32Array(windows.length * this.#windowSize);
    windows.forEach((features, index) => all.set(features, index * this.#windowSize));
    return all;
  }
}
