/** Opens any recording by the decoder that suits it, as mono samples at a rate. */
import { UserFacingError } from '../base/errors.ts';
import { EdgeFade } from './fade.ts';
import { noStream, openWithFfmpeg } from './ffmpeg.ts';
import { openFlac } from './flac.ts';
import { GappedDecoder } from './gapped.ts';
import { headerNotes } from './header-notes.ts';
import type { HeaderNotes } from './header-notes.ts';
import { InputBuffer, memorySource, openFileSource } from './input.ts';
import { openPlain } from './plain-files.ts';
import { Resampler } from './resample.ts';
import { peakBelow, sumOfSquares } from './sample-kernel.ts';
import { headBytes, sniffBytes } from './sniff.ts';
import { openWav } from './wav.ts';
import { noNotes } from './types.ts';
import type {
  AudioInfo,
  AudioSource,
  AudioStream,
  Channel,
  DecodeStatistics,
  NativeBlock,
  NativeDecoder,
  OpenOptions,
} from './types.ts';

const defaultRateHz = 16000;
const defaultTimeLimitSeconds = 600;
const lowestRateHz = 1000;
const highestRateHz = 768_000;
// One gibibyte of floats: 4.6 hours at 16 kHz.
const longestDecode = 2 ** 28;

/**
 * What a recording is, by its content and never by its name. Does not decode it.
 * @throws UserFacingError `missing`, `unreadable`, `not-a-file`, `empty`, `no-audio`, `undecodable`, `timeout` or
 * `ffmpeg-missing`; the signal's reason when aborted.
 */
export async function probe(
  source: AudioSource,
  options: Pick<OpenOptions, 'signal' | 'stream' | 'readAll'> = {},
): Promise<AudioInfo> {
  const stream = await openAudio(source, options);
  await stream.close();
  return stream.info;
}

/**
 * Opens a recording and decodes it while its blocks are walked through: WAV, FLAC and plain samples in other containers here, everything else by ffmpeg. All channels
 * are mixed with equal weight into one at the native rate (or one of them is chosen), then resampled (`Resampler`). Memory stays
 * bounded however long it is.
 * Non-finite samples become 0 and are counted.
 * @returns mono blocks in [-1, 1] (floats may exceed it), of varying length.
 * @throws UserFacingError as `probe`, here and from the blocks, `no-stream` and `no-channel` where there is none such; the
 * signal's reason when aborted.
 */
export async function openAudio(source: AudioSource, options: OpenOptions = {}): Promise<AudioStream> {
  const { signal } = options;
  signal?.throwIfAborted();
  const path = typeof source === 'string' ? source : source.path;
  const decoder = await openDecoder(source, path, options);
  const { sampleRateHz } = decoder.info;
  try {
    if (sampleRateHz < lowestRateHz || sampleRateHz > highestRateHz) {
      throw new UserFacingError('undecodable', `${path} cannot be decoded: it claims a rate of ${sampleRateHz} Hz.`, {
        path,
        advice: `Recordings from ${lowestRateHz} to ${highestRateHz} Hz can be read. Get it again from where it came from.`,
      });
    }
    return new Decoding(decoder, options, channelIndex(options.channel ?? 'mix', decoder.info.channels, path), path);
  } catch (error) {
    await decoder.close();
    throw error;
  }
}

/**
 * Decodes a whole recording into memory.
 * @returns mono samples at the rate asked for.
 * @throws UserFacingError as `openAudio`, and `too-long` above 2^28 samples (4.6 hours at 16 kHz).
 */
export async function decode(
  source: AudioSource,
  options: OpenOptions = {},
): Promise<{ info: AudioInfo; statistics: DecodeStatistics; samples: Float32Array }> {
  const stream = await openAudio(source, options);
  const { info, statistics } = stream;
  const parts: Float32Array[] = [];
  let length = 0;
  for await (const block of stream.blocks()) {
    parts.push(block);
    length += block.length;
    if (length > longestDecode) {
      const path = typeof source === 'string' ? source : source.path;
      throw new UserFacingError('too-long', `${path} is too long to be held in memory as a whole.`, {
        path,
        advice: 'Cut it into parts of at most four hours.',
      });
    }
  }
  if (parts.length === 1) return { info, statistics, samples: parts[0] };
  const samples = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { info, statistics, samples };
}

/** The decoder that suits a recording, with its samples as they are: every channel, at its own rate. @throws UserFacingError as `probe` */
export async function openDecoder(
  source: AudioSource,
  path: string,
  options: Pick<OpenOptions, 'stream' | 'readAll' | 'signal' | 'timeLimitSeconds'>,
): Promise<NativeDecoder> {
  const input = new InputBuffer(typeof source === 'string' ? await openFileSource(source) : memorySource(source.bytes));
  let decoder: NativeDecoder | null = null;
  let coded: string | null = null;
  let headers: HeaderNotes = {};
  const readAll = options.readAll ?? false;
  try {
    await input.fill(headBytes);
    const kind = sniffBytes(input.bytes.subarray(input.start, Math.min(input.end, input.start + headBytes)));
    if (kind === 'wav') {
      const opened = await openWav(input, path, { readAll });
      if ('decoder' in opened) decoder = opened.decoder;
      else ({ coded, headers } = opened);
    } else if (kind === 'flac') decoder = await openFlac(input, { readAll });
    else if (kind === 'other') {
      decoder = await openTaggedFlac(input, options);
      const plain = decoder ? null : await openPlain(input, { readAll });
      if (plain && 'blocks' in plain) decoder = plain;
      else if (!decoder) headers = plain ? { coded: plain } : await headerNotes(input);
    } else if (kind === 'none') throw noRecording(path, input.available === 0);
    if (decoder) {
      if (options.stream) throw noStream(path, options.stream, 1);
      const gaps = typeof source === 'string' ? [] : (source.gaps ?? []);
      return gaps.length > 0 ? new GappedDecoder(decoder, gaps) : decoder;
    }
  } catch (error) {
    await input.source.close();
    throw error;
  }
  await input.source.close();
  const other = await openWithFfmpeg(path, {
    signal: options.signal,
    stream: options.stream ?? 0,
    readAll,
    headers,
    timeLimitSeconds: options.timeLimitSeconds ?? defaultTimeLimitSeconds,
  });
  // Codes that are played as samples are noise.
  if (coded !== null && other.info.codec.startsWith('pcm_')) {
    await other.close();
    throw new UserFacingError(
      'undecodable',
      `${path} cannot be decoded: it holds ${coded}, which ffmpeg takes for samples.`,
      {
        path,
        advice: 'Convert it to WAV or FLAC with a program that knows this code.',
      },
    );
  }
  return other;
}

/** FLAC behind a tag of mp3 (ID3v2), as some programs write it; null for anything else. */
async function openTaggedFlac(
  input: InputBuffer,
  options: Pick<OpenOptions, 'readAll'>,
): Promise<NativeDecoder | null> {
  const head = input.bytes.subarray(input.start, input.start + 10);
  if (input.available < 10 || String.fromCharCode(...head.subarray(0, 3)) !== 'ID3') return null;
  // Seven bits in each byte; a footer repeats the header.
  const tagBytes = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  const position = 10 + tagBytes + (head[5] & 0x10 ? 10 : 0);
  if (!(await input.seek(position)) || !(await input.fill(4))) return null;
  if (String.fromCharCode(...input.bytes.subarray(input.start, input.start + 4)) !== 'fLaC') return null;
  return openFlac(input, { position, readAll: options.readAll ?? false });
}

/** Of what gave no sample: silence is said only of sound that was decoded, and of a recording that is truly empty. */
function mustHoldSound({ info, notes }: NativeDecoder, path: string): void {
  const { codec, decoder } = info;
  if (decoder !== 'ffmpeg' && !notes.damaged && !notes.truncated) return;
  const cause =
    decoder === 'ffmpeg'
      ? `ffmpeg decodes no sample of its ${codec}`
      : notes.damaged
        ? `no part of its ${codec} is whole`
        : `nothing of its sound (${codec}) is there`;
  throw new UserFacingError('undecodable', `${path} cannot be decoded: ${cause}.`, {
    path,
    advice: 'It may be damaged or cut off. Get it again from where it came from.',
  });
}

function noRecording(path: string, empty: boolean): UserFacingError {
  const advice = 'Name a file that holds sound.';
  if (empty) return new UserFacingError('empty', `${path} is empty.`, { path, advice });
  return new UserFacingError('no-audio', `${path} is no recording.`, { path, advice });
}

/** The place of the channel to use, or null for the mean of all. */
function channelIndex(channel: Channel, channels: number, path: string): number | null {
  if (channel === 'mix') return null;
  const number = channel === 'left' ? 1 : channel === 'right' ? 2 : channel;
  if (number >= 1 && number <= channels && (channels > 1 || typeof channel === 'number')) return number - 1;
  const there = channels === 1 ? 'one channel' : `${channels} channels`;
  const wanted = typeof channel === 'number' ? `channel ${channel}` : `${channel} channel`;
  throw new UserFacingError('no-channel', `${path} has ${there}, and so no ${wanted}.`, {
    path,
    advice: 'Choose a channel that is there, or the mix of all.',
  });
}

class Decoding implements AudioStream {
  readonly info: AudioInfo;
  readonly statistics: DecodeStatistics = {
    frames: 0,
    peak: 0,
    clippedFraction: 0,
    nonFiniteSamples: 0,
    mixLossDb: null,
    ...noNotes(),
  };
  readonly blocks: () => AsyncGenerator<Float32Array, void, undefined>;
  readonly close: () => Promise<void>;

  constructor(decoder: NativeDecoder, options: OpenOptions, only: number | null, path: string) {
    const { signal, onNative, edgeFadeSeconds, memory } = options;
    const rateHz = options.sampleRateHz ?? defaultRateHz;
    this.info = decoder.info;
    const { statistics } = this;
    const { unread, hiddenSeconds, furtherSeconds, truncated, missingSeconds, contradictions } = decoder.notes;
    Object.assign(statistics, { unread, hiddenSeconds, furtherSeconds, truncated, missingSeconds, contradictions });
    let begun = false;
    this.close = () => decoder.close();
    this.blocks = async function* () {
      if (begun) throw new Error('the blocks of a recording can be walked through only once');
      begun = true;
      const meter = new Meter(only === null ? decoder.info.channels : 1, statistics);
      const levels = new MixLevels();
      const same = decoder.info.sampleRateHz === rateHz;
      const resampler = same ? null : new Resampler(decoder.info.sampleRateHz, rateHz);
      const fade = edgeFadeSeconds ? new EdgeFade(edgeFadeSeconds, decoder.info.sampleRateHz) : null;
      try {
        for await (const all of decoder.blocks(memory)) {
          signal?.throwIfAborted();
          if (all.gapSeconds !== undefined) {
            Object.assign(statistics, decoder.notes);
            // What follows is no neighbour of what was before.
            const edge = fade?.flush() ?? new Float32Array(0);
            const block = resampler ? resampler.process(edge) : edge;
            if (block.length > 0) yield block;
          }
          const native = only === null ? all : { channels: [all.channels[only]], length: all.length };
          meter.measure(native);
          const mono = mix(native);
          if (native.channels.length > 1) levels.add(native, mono);
          onNative?.(mono, native.channels);
          const edged = fade ? fade.process(mono) : mono;
          const block = resampler ? resampler.process(edged) : edged;
          if (block.length > 0) yield block;
        }
        const last = fade?.flush() ?? new Float32Array(0);
        const parts = resampler ? [resampler.process(last), resampler.flush()] : [last];
        for (const rest of parts) if (rest.length > 0) yield rest;
        Object.assign(statistics, decoder.notes);
        statistics.mixLossDb = levels.lossDb;
        if (statistics.frames === 0) mustHoldSound(decoder, path);
      } finally {
        await decoder.close();
      }
    };
  }
}

/** The mean of all channels. */
function mix({ channels, length }: NativeBlock): Float32Array {
  const first = channels[0].subarray(0, length);
  const count = channels.length;
  if (count === 1) return first;
  const mono = new Float32Array(length);
  if (count === 2) {
    const second = channels[1];
    for (let i = 0; i < length; i++) mono[i] = (first[i] + second[i]) / 2;
    return mono;
  }
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let channel = 0; channel < count; channel++) sum += channels[channel][i];
    mono[i] = sum / count;
  }
  return mono;
}

/** Compares the mix with what was mixed. */
class MixLevels {
  #channels = 0;
  #mix = 0;

  add({ channels, length }: NativeBlock, mono: Float32Array): void {
    for (const channel of channels) this.#channels += sumOfSquares(channel.subarray(0, length)) / channels.length;
    this.#mix += sumOfSquares(mono);
  }

  get lossDb(): number | null {
    return this.#channels === 0 ? null : 10 * Math.log10(this.#channels / Math.max(this.#mix, 1e-12 * this.#channels));
  }
}

const clippedLevel = 0.999;
const clippedRun = 3;
const absurdLevel = 1e30;
/** Samples that are looked at together. */
const meterSamples = 2048;

/** Measures native blocks, and puts 0 for what is no number. */
class Meter {
  readonly #statistics: DecodeStatistics;
  // Of each channel, how many of the last samples are at full scale.
  readonly #runs: Int32Array;
  #clipped = 0;

  constructor(channels: number, statistics: DecodeStatistics) {
    this.#statistics = statistics;
    this.#runs = new Int32Array(channels);
  }

  measure({ channels, length }: NativeBlock): void {
    const statistics = this.#statistics;
    let { peak } = statistics;
    for (let channel = 0; channel < channels.length; channel++) {
      const samples = channels[channel];
      let run = this.#runs[channel];
      for (let i = 0; i < length; i++) {
        if (i % meterSamples === 0) {
          // Mostly there is nothing to be looked at one by one.
          const end = Math.min(i + meterSamples, length);
          const most = peakBelow(samples.subarray(i, end), clippedLevel);
          if (most !== null) {
            peak = Math.max(peak, most);
            run = 0;
            i = end - 1;
            continue;
          }
        }
        const magnitude = Math.abs(samples[i]);
        if (magnitude < clippedLevel) {
          if (magnitude > peak) peak = magnitude;
          run = 0;
        } else if (magnitude < absurdLevel) {
          if (magnitude > peak) peak = magnitude;
          run++;
          if (run >= clippedRun) this.#clipped += run === clippedRun ? clippedRun : 1;
        } else {
          samples[i] = 0;
          statistics.nonFiniteSamples++;
          run = 0;
        }
      }
      this.#runs[channel] = run;
    }
    statistics.peak = peak;
    statistics.frames += length;
    if (statistics.frames > 0) {
      statistics.clippedFraction = this.#clipped / (statistics.frames * channels.length);
    }
  }
}
