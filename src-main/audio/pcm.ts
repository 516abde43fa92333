/** Plain samples of all encodings as floating-point numbers. */
import type { BlockMemory } from './block-memory.ts';
import type { InputBuffer } from './input.ts';
import { noNotes } from './types.ts';
import type { AudioInfo, NativeBlock, NativeDecoder } from './types.ts';

/* Samples that lie in a file as they are: integers, floats and G.711, in either order of bytes. */

const readerVersion = '3';
export const maximumChannels = 256;
const blockFrames = 65536;
const blockBytes = 4 * 1024 * 1024;

/** As ffmpeg names the codecs, without `pcm_`. */
export type Encoding = 'u8' | 's8' | `${'s16' | 's24' | 's32' | 'f32' | 'f64'}${'le' | 'be'}` | 'alaw' | 'mulaw';

/** Of one sample. */
export function encodingBytes(encoding: Encoding): number {
  const bits = /\d+/.exec(encoding);
  return bits ? Number(bits[0]) / 8 : 1;
}

/** Integers of 1 to 4 bytes, or floats of 4 or 8, in an order of bytes; undefined where there is none such. */
export function plainEncoding(kind: 'integer' | 'float', bytes: number, littleEndian: boolean): Encoding | undefined {
  const order = littleEndian ? 'le' : 'be';
  const encodings: Partial<Record<number, Encoding>> =
    kind === 'integer'
      ? { 1: 'u8', 2: `s16${order}`, 3: `s24${order}`, 4: `s32${order}` }
      : { 4: `f32${order}`, 8: `f64${order}` };
  return encodings[bytes];
}

/** How samples lie in a file. */
export interface PcmFormat {
  encoding: Encoding;
  channels: number;
  sampleRateHz: number;
  bitsPerSample: number;
  /** Of one sample of every channel, what fills them up included. */
  frameBytes: number;
}

/** A stretch of a file with samples; `bytes` as declared, null: to the end of the input. */
export interface PcmPart {
  position: number;
  bytes: number | null;
}

/** Seconds that so many bytes last. */
export function secondsOf(format: PcmFormat, bytes: number): number {
  return Math.floor(bytes / format.frameBytes) / format.sampleRateHz;
}

/** Decodes stretches of samples, one after the other. */
export class PcmDecoder implements NativeDecoder {
  readonly info: AudioInfo;
  readonly notes = noNotes();
  readonly format: PcmFormat;
  readonly #input: InputBuffer;
  readonly #parts: readonly PcmPart[];

  constructor(input: InputBuffer, container: string, format: PcmFormat, parts: readonly PcmPart[]) {
    this.#input = input;
    this.format = format;
    this.#parts = parts;
    const { size } = input.source;
    const there = parts.map(({ position, bytes }) =>
      size === null ? bytes : Math.max(0, Math.min(bytes ?? Infinity, size - position)),
    );
    this.info = {
      container,
      codec: `pcm_${format.encoding}`,
      sampleRateHz: format.sampleRateHz,
      channels: format.channels,
      bitsPerSample: format.bitsPerSample,
      durationSeconds: there.reduce<number | null>(
        (sum, bytes) => (sum === null || bytes === null ? null : sum + secondsOf(format, bytes)),
        0,
      ),
      audioStreams: 1,
      stream: 0,
      decoder: container === 'wav' ? 'wav' : 'pcm',
      decoderVersion: readerVersion,
    };
    parts.forEach(({ bytes }, index) => this.#noteMissing((bytes ?? 0) - (there[index] ?? 0)));
  }

  blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    return this.from(0, memory);
  }

  /** Blocks from a sample frame on. */
  async *from(firstFrame: number, memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    const input = this.#input;
    const { frameBytes, channels, encoding } = this.format;
    const sampleBytes = encodingBytes(encoding);
    for await (const frames of this.#present(firstFrame)) {
      const arrays = Array.from(
        { length: channels },
        (_, index) => memory?.channel(index, frames) ?? new Float32Array(frames),
      );
      const block = { channels: arrays, length: frames };
      for (let channel = 0; channel < channels; channel++) {
        const at = input.start + channel * sampleBytes;
        convert[encoding](input.view, at, frameBytes, block.channels[channel], frames);
      }
      input.start += frames * frameBytes;
      yield block;
    }
  }

  /** The bytes of sample frames as the file has them (`format`), from one on; each part holds until the next is asked for. */
  async *bytesFrom(firstFrame: number, count: number): AsyncGenerator<Uint8Array, void, undefined> {
    const input = this.#input;
    const { frameBytes } = this.format;
    let left = count;
    if (left <= 0) return;
    for await (const present of this.#present(firstFrame)) {
      const frames = Math.min(present, left);
      const bytes = input.bytes.subarray(input.start, input.start + frames * frameBytes);
      input.start += present * frameBytes;
      yield bytes;
      left -= frames;
      if (left === 0) return;
    }
  }

  /** How many frames are there to be read from the input, again and again; who is told so reads them all before the next are asked for. */
  async *#present(firstFrame: number): AsyncGenerator<number, void, undefined> {
    const input = this.#input;
    const { size } = input.source;
    const { frameBytes } = this.format;
    let skipped = firstFrame * frameBytes;
    const most = Math.max(1, Math.min(blockFrames, Math.floor(blockBytes / frameBytes)));
    for (const { position, bytes } of this.#parts) {
      const there = Math.min(bytes ?? Infinity, (size ?? Infinity) - position);
      const skip = Math.min(skipped, Math.floor(there / frameBytes) * frameBytes);
      skipped -= skip;
      if (input.position !== position + skip) await input.seek(position + skip);
      let left = (bytes ?? Infinity) - skip;
      while (left >= frameBytes) {
        const wanted = Math.min(most * frameBytes, left);
        if (input.available < wanted) await input.fill(wanted);
        const frames = Math.floor(Math.min(input.available, wanted) / frameBytes);
        if (frames === 0) break;
        left -= frames * frameBytes;
        yield frames;
      }
      if (bytes === null) {
        if (input.available > 0) this.notes.truncated = true;
      } else if (size === null) {
        this.#noteMissing(left - Math.min(left, input.available));
      }
    }
  }

  /** Bytes of a stretch that the file does not hold. */
  #noteMissing(bytes: number): void {
    if (bytes <= 0) return;
    this.notes.truncated = true;
    this.notes.missingSeconds =
      (this.notes.missingSeconds ?? 0) + bytes / this.format.frameBytes / this.format.sampleRateHz;
  }

  close(): Promise<void> {
    return this.#input.source.close();
  }
}

type Convert = (view: DataView, at: number, step: number, out: Float32Array, count: number) => void;
const convert: Record<Encoding, Convert> = {
  u8(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = (view.getUint8(at) - 128) / 128;
  },
  s8(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt8(at) / 128;
  },
  s16le(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt16(at, true) / 32768;
  },
  s16be(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt16(at) / 32768;
  },
  s24le(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) {
      out[i] = ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608;
    }
  },
  s24be(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = ((view.getInt16(at) << 8) | view.getUint8(at + 2)) / 8388608;
  },
  s32le(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt32(at, true) / 2147483648;
  },
  s32be(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt32(at) / 2147483648;
  },
  f32le(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getFloat32(at, true);
  },
  f32be(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getFloat32(at);
  },
  f64le(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getFloat64(at, true);
  },
  f64be(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getFloat64(at);
  },
  alaw(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = aLaw[view.getUint8(at)];
  },
  mulaw(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = muLaw[view.getUint8(at)];
  },
};

/** What each byte of A-law stands for: ITU-T G.711, table 1, with 13 bits brought to the top of 16. */
const aLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = byte ^ 0x55;
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return (code & 0x80 ? magnitude : -magnitude) / 32768;
});

/** The same of mu-law: table 2, with 14 bits. */
const muLaw = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  // Not -0.
  return (code & 0x80 ? -magnitude : magnitude) / 32768 + 0;
});
