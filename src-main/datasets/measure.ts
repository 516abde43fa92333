/** What of a recording is compared between the splits and classes of a dataset. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { FramePowers, findActivity, frameSeconds } from '../audio/condition.ts';
import { openAudio } from '../audio/decode.ts';
import { sha256File } from '../audio/hash.ts';
import { Resampler } from '../audio/resample.ts';
import type { AudioInfo, AudioStream } from '../audio/types.ts';
import { SpectralKernel } from '../features/spectral-kernel.ts';
import { fingerprintOf, fingerprintRateHz, type Fingerprint } from './fingerprint.ts';

/** What can be said of a recording without hearing what is spoken. */
export interface Measures {
  durationSeconds: number;
  /** Mean power of what is not silence. */
  levelDbfs: number;
  peakDbfs: number;
  /** Level of the quietest tenth, against `levelDbfs`. */
  floorDb: number;
  leadingSilenceSeconds: number;
  trailingSilenceSeconds: number;
  /** Highest frequency that the mean spectrum reaches within 60 dB of its peak. */
  bandwidthHz: number;
  /** Magnitude of the mean sample; 1 is full scale. */
  dcOffset: number;
  /** Part of the samples that are exactly 0. */
  zeroFraction: number;
}

/** What one look at a recording gives. */
export interface MeasuredFile {
  sha256: string;
  info: AudioInfo;
  /** The file ended before its header said that it would. */
  truncated: boolean;
  /** Null where there is nothing but silence. */
  measures: Measures | null;
  /** Null where there is nothing but silence. */
  fingerprint: Fingerprint | null;
}

export interface MeasureRequest {
  path: string;
  /** How much of the recording, from its first sound on, goes into the fingerprint. */
  fingerprintSeconds: number;
}

/** Files up to this size are read once. */
const readOnceBytes = 64 * 1024 ** 2;
const spectrumLength = 2048;
const bandwidthRangeDb = 60;
const lowestDb = -120;
/** Sound begins with a frame above this. */
const soundPower = 1e-6;

const decibels = (power: number) => Math.max(lowestDb, 10 * Math.log10(power));

// Datasets are mostly of one rate: opening at the last one's saves opening twice, and starting ffmpeg twice.
let lastRateHz = 16_000;

async function openNative(source: Parameters<typeof openAudio>[0], signal: AbortSignal): Promise<AudioStream> {
  const stream = await openAudio(source, { sampleRateHz: lastRateHz, signal });
  if (stream.info.sampleRateHz === lastRateHz) return stream;
  await stream.close();
  lastRateHz = stream.info.sampleRateHz;
  return openAudio(source, { sampleRateHz: lastRateHz, signal });
}

/**
 * Decodes a recording at its own rate, all channels mixed, and measures it. Memory stays bounded however long it is.
 * @throws UserFacingError as `openAudio`; the signal's reason.
 */
export async function measureFile(request: MeasureRequest, signal: AbortSignal): Promise<MeasuredFile> {
  const { path } = request;
  const size = await stat(path).then(
    (status) => (status.isFile() ? status.size : Infinity),
    () => Infinity,
  );
  // Whatever is wrong with the path, opening it as audio says so in a person's words.
  const bytes = size <= readOnceBytes ? await readFile(path, { signal }).catch(() => null) : null;
  signal.throwIfAborted();
  const stream = await openNative(bytes ? { path, bytes } : path, signal);
  const { sampleRateHz } = stream.info;

  const frames = new FramePowers(sampleRateHz);
  const spectrum = new MeanSpectrum(sampleRateHz);
  const sound = new FirstSound(sampleRateHz, request.fingerprintSeconds);
  let sum = 0;
  let zeros = 0;
  let samples = 0;
  for await (const block of stream.blocks()) {
    for (const sample of block) {
      sum += sample;
      if (sample === 0) zeros++;
    }
    samples += block.length;
    frames.push(block);
    spectrum.push(block);
    sound.push(block);
  }
  const sha256 = bytes ? createHash('sha256').update(bytes).digest('hex') : await sha256File(path, signal);
  const durationSeconds = samples / sampleRateHz;
  const info = { ...stream.info, durationSeconds };
  const { truncated, peak } = stream.statistics;
  const activity = findActivity(frames, { sampleRateHz, ...activityOnly });
  if (activity.silent) return { sha256, info, truncated, measures: null, fingerprint: null };
  const sorted = frames.powers().slice().sort();
  const heard = sound.samples();
  return {
    sha256,
    info,
    truncated,
    measures: {
      durationSeconds,
      levelDbfs: activity.activeLevelDbfs,
      peakDbfs: decibels(peak * peak),
      floorDb: decibels(sorted[Math.floor(sorted.length / 10)]) - activity.activeLevelDbfs,
      leadingSilenceSeconds: activity.startSample / sampleRateHz,
      trailingSilenceSeconds: Math.max(0, samples - activity.endSample) / sampleRateHz,
      bandwidthHz: spectrum.bandwidthHz(),
      dcOffset: Math.abs(sum / samples),
      zeroFraction: zeros / samples,
    },
    fingerprint: heard === null ? null : fingerprintOf(heard),
  };
}

/** Of a conditioning only the range counts where activity is looked for; the rest stands for "nothing is done". */
const activityOnly = {
  activeRangeDb: 40,
  bandHz: [1, 1e6] as [number, number],
  windowLevelDbfs: -25,
  speech: 'none' as const,
};

let kernel: SpectralKernel | null = null;

/** Magnitudes of all bins, of frames that lie end to end. */
function spectrumKernel(): SpectralKernel {
  kernel ??= new SpectralKernel({
    nFft: spectrumLength,
    window: Float64Array.from(
      { length: spectrumLength },
      (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / spectrumLength),
    ),
    hopLength: spectrumLength,
    bands: { kind: 'bins', first: 0, count: spectrumLength / 2 + 1 },
    floorPower: null,
    transform: null,
  });
  return kernel;
}

/** The mean power spectrum of a recording, frames without sound left out. */
class MeanSpectrum {
  readonly #rateHz: number;
  readonly #kernel = spectrumKernel();
  readonly #samples = new Float32Array(this.#kernel.capacity * spectrumLength);
  readonly #magnitudes = new Float32Array(this.#kernel.capacity * this.#kernel.rows);
  readonly #sum = new Float64Array(this.#kernel.rows);
  #filled = 0;

  constructor(rateHz: number) {
    this.#rateHz = rateHz;
  }

  push(block: Float32Array): void {
    for (let at = 0; at < block.length;) {
      const part = block.subarray(at, at + this.#samples.length - this.#filled);
      this.#samples.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#samples.length) this.#take();
    }
  }

  #take(): void {
    const frames = Math.ceil(this.#filled / spectrumLength);
    this.#kernel.input.set(this.#samples.fill(0, this.#filled));
    this.#kernel.run(frames, this.#magnitudes, 0, frames);
    for (let at = 0; at < frames * this.#sum.length; at++) {
      this.#sum[Math.floor(at / frames)] += this.#magnitudes[at] ** 2;
    }
    this.#filled = 0;
  }

  bandwidthHz(): number {
    if (this.#filled > 0) this.#take();
    const width = this.#rateHz / spectrumLength;
    // Means over about 200 Hz, so that no single line decides; hum and rumble below 50 Hz are no peak to measure against.
    const reach = Math.max(1, Math.round(100 / width));
    const means = this.#sum.map((_, bin) => {
      const part = this.#sum.subarray(Math.max(0, bin - reach), bin + reach + 1);
      return part.reduce((total, power) => total + power, 0) / part.length;
    });
    const peak = means.subarray(Math.ceil(50 / width)).reduce((most, power) => Math.max(most, power), 0);
    const least = peak * 10 ** (-bandwidthRangeDb / 10);
    let highest = means.length - 1;
    while (highest > 0 && means[highest] < least) highest--;
    return highest * width;
  }
}

/** The first seconds of a recording from its first sound on, at the rate of fingerprints. */
class FirstSound {
  readonly #resampler: Resampler;
  readonly #out: Float32Array;
  readonly #frameLength = Math.round(frameSeconds * fingerprintRateHz);
  #count = 0;
  #begun = false;
  #ended = false;

  constructor(rateHz: number, seconds: number) {
    this.#resampler = new Resampler(rateHz, fingerprintRateHz);
    this.#out = new Float32Array(Math.round(seconds * fingerprintRateHz));
  }

  push(block: Float32Array): void {
    if (!this.#full) this.#take(this.#resampler.process(block));
  }

  get #full(): boolean {
    return this.#count === this.#out.length;
  }

  #take(samples: Float32Array): void {
    let start = 0;
    while (!this.#begun && start < samples.length) {
      const end = Math.min(start + this.#frameLength, samples.length);
      let power = 0;
      for (let i = start; i < end; i++) power += samples[i] * samples[i];
      this.#begun = power > soundPower * (end - start);
      if (!this.#begun) start = end;
    }
    const part = samples.subarray(start, start + this.#out.length - this.#count);
    this.#out.set(part, this.#count);
    this.#count += part.length;
  }

  /** Null where there is no sound. */
  samples(): Float32Array | null {
    if (!this.#ended && !this.#full) this.#take(this.#resampler.flush());
    this.#ended = true;
    return this.#begun ? this.#out.subarray(0, this.#count) : null;
  }
}
