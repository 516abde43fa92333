import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BandLimiter, FramePowers, fillWindow, findActivity, levelWindow } from '../audio/condition.ts';
import type { Conditioning } from '../audio/condition.ts';
import { decode } from '../audio/decode.ts';
import { Random } from '../base/random.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEndParameters } from '../features/front-end.ts';
import { augmentSamples, maskSpectrogram } from './augment.ts';
import type { Augmentation } from './augment.ts';
import { conditionRecording } from './windows.ts';
import type { WindowPlan } from './windows.ts';

/** Sound before a clip's first active frame that is kept for the filters to settle. */
const leadSeconds = 0.1;

/** How recordings become what the network sees; the same for every worker. */
export interface ExampleSettings {
  conditioning: Conditioning;
  window: WindowPlan;
  frontEnd: FrontEndParameters;
  augmentation: Augmentation;
}

/** A training clip, decoded and trimmed. */
export interface Clip {
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

/** Turns clips into the network's input. */
export class ExampleMaker {
  readonly #settings: ExampleSettings;
  readonly #frontEnd;
  readonly #windowLength: number;
  readonly #size: number;

  constructor(settings: ExampleSettings) {
    this.#settings = settings;
    this.#frontEnd = createFrontEnd(settings.frontEnd);
    this.#windowLength = Math.round(settings.window.seconds * settings.conditioning.sampleRateHz);
    this.#size = this.#frontEnd.bins * this.#frontEnd.frameCount(this.#windowLength);
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
    const { samples } = await decode(source, { sampleRateHz: conditioning.sampleRateHz });
    const frames = new FramePowers(conditioning.sampleRateHz);
    frames.push(new BandLimiter(...conditioning.bandHz, conditioning.sampleRateHz).process(samples.slice()));
    const { startSample, endSample } = findActivity(frames, conditioning);
    const lead = Math.min(startSample, Math.round(leadSeconds * conditioning.sampleRateHz));
    const kept = new Float32Array(new SharedArrayBuffer(4 * (lead + endSample - startSample)));
    kept.set(samples.subarray(startSample - lead, endSample));
    return { samples: kept, lead };
  }

  /** Augmented windows, [clips, bins, frames]; the same seed gives the same window on every machine. */
  async examples(clips: { path: string; clip: Clip | null; seed: number[] }[]): Promise<Float32Array> {
    const { conditioning, augmentation } = this.#settings;
    const features = new Float32Array(clips.length * this.#size);
    const window = new Float32Array(this.#windowLength);
    for (const [index, { path, clip, seed }] of clips.entries()) {
      const { samples, lead } = clip ?? (await this.#load(path));
      const random = new Random(seed);
      const spare = samples.length - lead - this.#windowLength;
      const start = spare > 0 && augmentation.randomCrop ? random.below(spare + 1) : 0;
      const length = Math.min(this.#windowLength, samples.length - lead);
      // The lead belongs to the crop's own start, so that the filters have settled wherever it lies.
      const crop = samples.slice(start, start + lead + length);
      augmentSamples(crop, conditioning.sampleRateHz, augmentation, random);
      new BandLimiter(...conditioning.bandHz, conditioning.sampleRateHz).process(crop);
      fillWindow(crop.subarray(lead), window);
      levelWindow(window, conditioning.windowLevelDbfs + random.between(...augmentation.gainDb));
      const out = features.subarray(index * this.#size, (index + 1) * this.#size);
      this.#frontEnd.compute(window, out);
      const { bins } = this.#frontEnd;
      maskSpectrogram(out, bins, this.#size / bins, augmentation, random);
    }
    return features;
  }

  /** All windows of a recording as scanning would see them, [windows, bins, frames]. */
  async windows(path: string): Promise<Float32Array> {
    const { conditioning, window } = this.#settings;
    const recording = await conditionRecording(path, conditioning, window);
    const features = new Float32Array(recording.starts.length * this.#size);
    let at = 0;
    for await (const samples of recording.windows()) {
      this.#frontEnd.compute(samples, features.subarray(at, at + this.#size));
      at += this.#size;
    }
    return features;
  }
}
