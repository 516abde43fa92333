/** Stretches of a recording as WAV files of their own, sample by sample as it holds them, at its own rate. */
import { open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { openDecoder } from '../audio/decode.ts';
import { sha256File } from '../audio/hash.ts';
import { PcmDecoder, encodingBytes } from '../audio/pcm.ts';
import type { PcmFormat } from '../audio/pcm.ts';
import { Timeline } from '../audio/timeline.ts';
import { headerOf } from '../audio/wav-writer.ts';
import type { WaveFormat } from '../audio/wav-writer.ts';
import type { AudioInfo, NativeDecoder } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';

/** A stretch that is wanted, and the file that it goes to, which is not there yet. */
interface Cut {
  startSeconds: number;
  endSeconds: number;
  /** By its number; null: all of the recording. */
  channel: number | null;
  path: string;
}

/** The file that a stretch became. */
export interface CutFile {
  sha256: string;
  sizeBytes: number;
  sampleRateHz: number;
  channels: number;
  /** As `pcm_s16le`: of the samples in the file. */
  encoding: string;
  /** Sample frames, and the first of them among those of the recording. */
  firstSample: number;
  samples: number;
  /** Whether each sample is the recording's own; else those of a lossy code, as it was decoded. */
  exact: boolean;
}

export type CutOutcome = CutFile | { failed: string };

export interface CutRequest {
  path: string;
  cuts: readonly Cut[];
  stream: number;
  /** Times are of the recording with all sound in its file. */
  readAll: boolean;
}

/** What a 32-bit length may be; longer stretches are refused. */
const mostDataBytes = 0xffffffff - 1024;

/**
 * Writes stretches of one recording. One that cannot be written has its reason, and the others are written.
 * @throws UserFacingError as `openAudio` where nothing of it can be read; `unwritable`; the signal's reason when aborted
 */
export async function cutSound(
  { path, cuts, stream, readAll }: CutRequest,
  signal?: AbortSignal,
): Promise<CutOutcome[]> {
  const decoder = await openDecoder(path, path, { stream, readAll, ...(signal ? { signal } : {}) });
  try {
    return decoder instanceof PcmDecoder
      ? await copySamples(decoder, cuts, signal)
      : await decodeSamples(decoder, cuts, signal);
  } finally {
    await decoder.close();
  }
}

const failure = (error: unknown): { failed: string } => {
  if (error instanceof UserFacingError) return { failed: error.sentence };
  throw error;
};

function mustHave({ channel }: Cut, { channels }: AudioInfo): void {
  if (channel === null || channel <= channels) return;
  throw new UserFacingError('no-channel', `The recording has no channel ${channel}: it has ${channels}.`);
}

function nothingThere({ startSeconds, endSeconds }: Cut): UserFacingError {
  const span = `from ${startSeconds.toFixed(3)} s to ${endSeconds.toFixed(3)} s`;
  return new UserFacingError('no-stretch', `The recording has no sound ${span}.`);
}

/** Plain samples: their bytes as they are, but for the order that WAV files have. */
async function copySamples(decoder: PcmDecoder, cuts: readonly Cut[], signal?: AbortSignal): Promise<CutOutcome[]> {
  const { info, format } = decoder;
  const wave = waveFormatOf(format);
  const outcomes: CutOutcome[] = [];
  for (const cut of cuts) {
    signal?.throwIfAborted();
    const firstSample = Math.max(0, Math.round(cut.startSeconds * info.sampleRateHz));
    const count = Math.round(cut.endSeconds * info.sampleRateHz) - firstSample;
    let file: WaveFile | null = null;
    try {
      mustHave(cut, info);
      file = await WaveFile.create(cut, info, wave, firstSample);
      for await (const bytes of decoder.bytesFrom(firstSample, count)) {
        await file.write(inWaveOrder(bytes, format, cut.channel));
      }
      outcomes.push(await file.finish(true));
    } catch (error) {
      await file?.drop();
      outcomes.push(failure(error));
    }
  }
  return outcomes;
}

function waveFormatOf({ encoding, bitsPerSample }: PcmFormat): WaveFormat {
  const bytes = encodingBytes(encoding);
  if (encoding === 'alaw') return { tag: 6, bytes, validBits: 8 };
  if (encoding === 'mulaw') return { tag: 7, bytes, validBits: 8 };
  return { tag: encoding.startsWith('f') ? 3 : 1, bytes, validBits: Math.min(8 * bytes, bitsPerSample) };
}

/** Least significant byte first, bytes without a sign, nothing between samples; one channel where one is wanted. */
function inWaveOrder(
  frames: Uint8Array,
  { encoding, channels, frameBytes }: PcmFormat,
  channel: number | null,
): Uint8Array {
  const sampleBytes = encodingBytes(encoding);
  const wanted = channel === null ? Array.from({ length: channels }, (_, index) => index) : [channel - 1];
  const count = frames.length / frameBytes;
  const out = new Uint8Array(count * wanted.length * sampleBytes);
  const swapped = encoding.endsWith('be');
  const offset = encoding === 's8' ? 0x80 : 0;
  let to = 0;
  for (let frame = 0; frame < count; frame++) {
    for (const one of wanted) {
      const from = frame * frameBytes + one * sampleBytes;
      for (let byte = 0; byte < sampleBytes; byte++) {
        out[to++] = frames[from + (swapped ? sampleBytes - 1 - byte : byte)] ^ offset;
      }
    }
  }
  return out;
}

/** A cut that is under way while the recording is decoded. */
interface Begun {
  cut: Cut;
  file: WaveFile | null;
  outcome: CutOutcome | null;
}

/** Anything else: decoded once, in one pass. Integers of up to 24 bits, and what a lossless code gives of them, are written as such. */
async function decodeSamples(
  decoder: NativeDecoder,
  cuts: readonly Cut[],
  signal?: AbortSignal,
): Promise<CutOutcome[]> {
  const { info } = decoder;
  const bits = info.bitsPerSample;
  const isWhole = bits !== null && bits <= 24 && !/^pcm_f/.test(info.codec);
  const wave: WaveFormat = isWhole
    ? { tag: 1, bytes: Math.ceil(bits / 8), validBits: bits }
    : { tag: 3, bytes: 4, validBits: 32 };
  const exact = isWhole || info.codec.startsWith('pcm_f32');
  const all: Begun[] = cuts.map((cut) => ({ cut, file: null, outcome: null }));
  let at = 0;
  try {
    for await (const { channels, length } of decoder.blocks()) {
      signal?.throwIfAborted();
      // Gaps before this block are known by now.
      const timeline = new Timeline(decoder.notes);
      const place = (seconds: number): number => Math.round(timeline.soundBefore(seconds) * info.sampleRateHz);
      let open = false;
      for (const begun of all) {
        if (begun.outcome) continue;
        const { cut } = begun;
        const first = place(cut.startSeconds);
        const end = place(cut.endSeconds);
        const [from, to] = [Math.max(0, first - at), Math.min(length, end - at)];
        open ||= end > at + length;
        if (to <= from) continue;
        try {
          mustHave(cut, info);
          begun.file ??= await WaveFile.create(cut, info, wave, first);
          const wanted = cut.channel === null ? channels : [channels[cut.channel - 1]];
          await begun.file.write(bytesOf(wanted, from, to, wave));
        } catch (error) {
          begun.outcome = failure(error);
        }
      }
      at += length;
      if (!open) break;
    }
    for (const begun of all) {
      begun.outcome ??= begun.file ? await begun.file.finish(exact) : failure(nothingThere(begun.cut));
    }
    return all.map(({ outcome }) => outcome as CutOutcome);
  } finally {
    for (const { file } of all) await file?.drop();
  }
}

function bytesOf(channels: readonly Float32Array[], from: number, to: number, { tag, bytes }: WaveFormat): Uint8Array {
  const out = Buffer.alloc((to - from) * channels.length * bytes);
  const scale = 2 ** (8 * bytes - 1);
  let at = 0;
  for (let frame = from; frame < to; frame++) {
    for (const channel of channels) {
      const sample = channel[frame];
      if (tag === 3) out.writeFloatLE(sample, at);
      else {
        const integer = Math.max(-scale, Math.min(scale - 1, Math.round(sample * scale)));
        if (bytes === 1) out.writeUInt8(integer + 128, at);
        else out.writeIntLE(integer, at, bytes);
      }
      at += bytes;
    }
  }
  return out;
}

/** A WAV file that grows; its lengths are known at its end. */
class WaveFile {
  readonly #handle: FileHandle;
  readonly #cut: Cut;
  readonly #about: Pick<CutFile, 'sampleRateHz' | 'channels' | 'firstSample'>;
  readonly #format: WaveFormat;
  readonly #headerBytes: number;
  #dataBytes = 0;
  #closed = false;

  private constructor(handle: FileHandle, cut: Cut, about: WaveFile['about'], format: WaveFormat) {
    this.#handle = handle;
    this.#cut = cut;
    this.#about = about;
    this.#format = format;
    this.#headerBytes = headerOf(about, format, 0).length;
  }

  get about(): Pick<CutFile, 'sampleRateHz' | 'channels' | 'firstSample'> {
    return this.#about;
  }

  static async create(cut: Cut, info: AudioInfo, format: WaveFormat, firstSample: number): Promise<WaveFile> {
    const handle = await open(cut.path, 'wx', 0o600);
    const channels = cut.channel === null ? info.channels : 1;
    return new WaveFile(handle, cut, { sampleRateHz: info.sampleRateHz, channels, firstSample }, format);
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#dataBytes + data.length > mostDataBytes) {
      throw new UserFacingError('too-long', 'The stretch is longer than a WAV file holds.', {
        advice: 'Mark it in parts of less than 4 GiB.',
      });
    }
    await this.#handle.write(data, 0, data.length, this.#headerBytes + this.#dataBytes);
    this.#dataBytes += data.length;
  }

  async finish(exact: boolean): Promise<CutFile> {
    const { tag, bytes } = this.#format;
    const samples = this.#dataBytes / (bytes * this.#about.channels);
    if (samples === 0) throw nothingThere(this.#cut);
    if (this.#dataBytes % 2 === 1) {
      await this.#handle.write(new Uint8Array(1), 0, 1, this.#headerBytes + this.#dataBytes);
    }
    const header = headerOf(this.#about, this.#format, this.#dataBytes);
    await this.#handle.write(header, 0, header.length, 0);
    await this.#handle.sync();
    await this.#handle.close();
    this.#closed = true;
    const { path } = this.#cut;
    const kinds = {
      1: bytes === 1 ? 'pcm_u8' : `pcm_s${8 * bytes}le`,
      3: `pcm_f${8 * bytes}le`,
      6: 'pcm_alaw',
      7: 'pcm_mulaw',
    };
    const { size } = await stat(path);
    return { sha256: await sha256File(path), sizeBytes: size, encoding: kinds[tag], samples, exact, ...this.#about };
  }

  /** Leaves nothing of what was not finished. */
  async drop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
    await rm(this.#cut.path, { force: true });
  }
}
