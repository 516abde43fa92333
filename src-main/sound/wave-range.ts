import { UserFacingError } from '../base/errors.ts';
import { InputBuffer, openFileSource } from '../audio/input.ts';
import type { PcmDecoder } from '../audio/pcm.ts';
import { openWav } from '../audio/wav.ts';
import type { AudioInfo } from '../audio/types.ts';

const absurdLevel = 1e30;

/** The samples of a WAV file from any place on, without what comes before: its channels mixed, or one of them, at its own rate. */
export class WaveRange {
  readonly info: AudioInfo;
  /** Sample frames. */
  readonly samples: number;
  readonly #decoder: PcmDecoder;

  private constructor(decoder: PcmDecoder) {
    const { durationSeconds, sampleRateHz } = decoder.info;
    this.info = decoder.info;
    this.samples = Math.round((durationSeconds ?? 0) * sampleRateHz);
    this.#decoder = decoder;
  }

  /** @throws UserFacingError as `openAudio`, and `undecodable` for what is no WAV file of plain samples. */
  static async open(path: string): Promise<WaveRange> {
    const input = new InputBuffer(await openFileSource(path));
    try {
      const opened = await openWav(input, path);
      if ('decoder' in opened) return new WaveRange(opened.decoder);
      throw new UserFacingError('undecodable', `${path} is no WAV file of plain samples.`, { path });
    } catch (error) {
      await input.source.close();
      throw error;
    }
  }

  /**
   * The mean of all channels, or the one with the number `only`; zeros before the beginning, after the end and for what is no number.
   * @param from in samples, may be negative
   */
  async read(from: number, count: number, only?: number): Promise<Float32Array> {
    const out = new Float32Array(count);
    let at = Math.max(0, from);
    const end = Math.min(this.samples, from + count);
    if (at >= end) return out;
    for await (const { channels: all, length } of this.#decoder.from(at)) {
      const channels = only === undefined ? all : [all[only - 1]];
      const part = Math.min(length, end - at);
      const target = out.subarray(at - from, at - from + part);
      for (const channel of channels) {
        for (let i = 0; i < part; i++) {
          const sample = channel[i];
          // What is not a finite number fails the comparison.
          if (Math.abs(sample) < absurdLevel) target[i] += sample;
        }
      }
      if (channels.length > 1) for (let i = 0; i < part; i++) target[i] /= channels.length;
      at += part;
      if (at >= end) break;
    }
    return out;
  }

  close(): Promise<void> {
    return this.#decoder.close();
  }
}
