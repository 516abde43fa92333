import { UserFacingError } from '../base/errors.ts';
import type { BlockMemory } from './block-memory.ts';
import type { InputBuffer } from './input.ts';
import { noNotes } from './types.ts';
import type { AudioInfo, NativeBlock, NativeDecoder } from './types.ts';

const readerVersion = '2';
const maximumChannels = 256;
const blockFrames = 65536;
const blockBytes = 4 * 1024 * 1024;

type Encoding = 'u8' | 's16' | 's24' | 's32' | 'f32' | 'f64' | 'alaw' | 'mulaw';
const encodingBytes: Record<Encoding, number> = {
  u8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
  alaw: 1,
  mulaw: 1,
};
const codecs: Record<Encoding, string> = {
  u8: 'pcm_u8',
  s16: 'pcm_s16le',
  s24: 'pcm_s24le',
  s32: 'pcm_s32le',
  f32: 'pcm_f32le',
  f64: 'pcm_f64le',
  alaw: 'pcm_alaw',
  mulaw: 'pcm_mulaw',
};
// Format tags of G.711.
const logarithmic: Partial<Record<number, Encoding>> = { 6: 'alaw', 7: 'mulaw' };
// A 32-bit length that stands for one given elsewhere, or nowhere.
const noLength = 0xffffffff;

interface Format {
  encoding: Encoding;
  channels: number;
  sampleRateHz: number;
  bitsPerSample: number;
  frameBytes: number;
}

// The end of every GUID that Microsoft made of a format tag: {0000TTTT-0000-0010-8000-00AA00389B71}.
const guidTail = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/**
 * Opens RIFF/WAVE (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", and
 * WAVE_FORMAT_EXTENSIBLE) and RF64 (EBU Tech 3306, ITU-R BS.2088): PCM of 8 to 32 bits, floats of 32 and 64, A-law and
 * mu-law, chunks in any order. A data chunk without a length (0 or 0xFFFFFFFF, as of a writer to a pipe) reaches to the end of
 * the input.
 * @returns null where the format is another's business (compressed, odd containers), which is then ffmpeg's.
 * @throws UserFacingError `undecodable` where the header leaves no way to decode the file.
 */
export async function openWav(input: InputBuffer, path: string): Promise<NativeDecoder | null> {
  let format: Format | null = null;
  let data: { position: number; bytes: number | null } | null = null;
  // Of the data chunk, in RF64.
  let longBytes: number | null = null;
  await input.fill(12);
  const riffBytes = input.view.getUint32(input.start + 4, true);
  let position = 12;
  while (!(format && data) && (await input.seek(position)) && (await input.fill(8))) {
    const name = String.fromCharCode(...input.bytes.subarray(input.start, input.start + 4));
    let bytes = input.view.getUint32(input.start + 4, true);
    position += 8;
    if (name === 'ds64' && bytes >= 24) {
      await input.seek(position);
      if (!(await input.fill(24))) break;
      const claimed = Number(input.view.getBigUint64(input.start + 8, true));
      // 0 is a header that was never brought up to date.
      if (claimed > 0 && Number.isSafeInteger(claimed)) longBytes = claimed;
    } else if (name === 'fmt ' && !format) {
      const wanted = Math.min(bytes, 40);
      await input.seek(position);
      if (!(await input.fill(wanted)) || wanted < 16) break;
      const parsed = parseFormat(new DataView(input.bytes.buffer, input.bytes.byteOffset + input.start, wanted));
      if (typeof parsed === 'string') throw undecodable(path, parsed);
      if (!parsed) return null;
      format = parsed;
    } else if (name === 'data' && !data) {
      const { size } = input.source;
      // An empty recording with a true header has no sound either; any other header was never brought up to date.
      if (bytes === noLength && longBytes !== null) bytes = longBytes;
      const unknown = bytes === noLength || (bytes === 0 && !(size !== null && riffBytes === size - 8));
      data = { position, bytes: unknown ? null : bytes };
      if (unknown && !format) break;
    }
    position += bytes + (bytes % 2);
  }
  if (!format) throw undecodable(path, 'its header does not say how the sound is stored');
  if (!data || !(await input.seek(data.position))) throw undecodable(path, 'it has a header but no sound');
  return new WavDecoder(input, format, data.position, data.bytes);
}

function undecodable(path: string, why: string): UserFacingError {
  return new UserFacingError('undecodable', `${path} cannot be decoded: ${why}.`, {
    path,
    advice: 'Get the recording again from where it came from.',
  });
}

/** The format, null where ffmpeg should try, or why nobody can decode it. */
function parseFormat(chunk: DataView): Format | null | string {
  let tag = chunk.getUint16(0, true);
  const channels = chunk.getUint16(2, true);
  const sampleRateHz = chunk.getUint32(4, true);
  const frameBytes = chunk.getUint16(12, true);
  const bits = chunk.getUint16(14, true);
  let validBits = bits;
  if (tag === 0xfffe) {
    if (chunk.byteLength < 40 || guidTail.some((byte, index) => chunk.getUint8(26 + index) !== byte)) return null;
    tag = chunk.getUint16(24, true);
    // For PCM the container's low bits are then zero, so the value stays right whatever this says.
    validBits = chunk.getUint16(18, true) || bits;
  }
  if (tag !== 1 && tag !== 3 && !(tag in logarithmic)) return null;
  if (channels === 0) return 'its header claims no channel';
  if (channels > maximumChannels) return `its header claims ${channels} channels`;
  // Samples of 12 or 20 bits lie at the top of their container.
  const containerBytes = frameBytes % channels === 0 ? frameBytes / channels : 0;
  if (containerBytes < Math.ceil(bits / 8) || bits === 0) return null;
  const encodings: Partial<Record<number, Encoding>> =
    tag === 1
      ? { 1: 'u8', 2: 's16', 3: 's24', 4: 's32' }
      : tag === 3
        ? { 4: 'f32', 8: 'f64' }
        : { 1: logarithmic[tag] };
  const encoding = encodings[containerBytes];
  if (!encoding || (tag !== 1 && bits !== containerBytes * 8)) return null;
  return { encoding, channels, sampleRateHz, bitsPerSample: Math.min(validBits, bits), frameBytes };
}

class WavDecoder implements NativeDecoder {
  readonly info: AudioInfo;
  readonly notes = noNotes();
  readonly #input: InputBuffer;
  readonly #format: Format;
  // Null: to the end of the input.
  readonly #dataBytes: number | null;

  constructor(input: InputBuffer, format: Format, dataPosition: number, dataBytes: number | null) {
    this.#input = input;
    this.#format = format;
    this.#dataBytes = dataBytes;
    const { size } = input.source;
    const bytes = size === null ? dataBytes : Math.min(dataBytes ?? Infinity, size - dataPosition);
    this.info = {
      container: 'wav',
      codec: codecs[format.encoding],
      sampleRateHz: format.sampleRateHz,
      channels: format.channels,
      bitsPerSample: format.bitsPerSample,
      durationSeconds: bytes === null ? null : Math.floor(bytes / format.frameBytes) / format.sampleRateHz,
      audioStreams: 1,
      stream: 0,
      decoder: 'wav',
      decoderVersion: readerVersion,
    };
  }

  async *blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    const input = this.#input;
    const { frameBytes, channels, encoding } = this.#format;
    const most = Math.max(1, Math.min(blockFrames, Math.floor(blockBytes / frameBytes)));
    let left = this.#dataBytes ?? Infinity;
    while (left >= frameBytes) {
      const wanted = Math.min(most * frameBytes, left);
      if (input.available < wanted) await input.fill(wanted);
      const frames = Math.floor(Math.min(input.available, wanted) / frameBytes);
      if (frames === 0) break;
      const arrays = Array.from(
        { length: channels },
        (_, index) => memory?.channel(index, frames) ?? new Float32Array(frames),
      );
      const block = { channels: arrays, length: frames };
      for (let channel = 0; channel < channels; channel++) {
        const at = input.start + channel * encodingBytes[encoding];
        convert[encoding](input.view, at, frameBytes, block.channels[channel], frames);
      }
      input.start += frames * frameBytes;
      left -= frames * frameBytes;
      yield block;
    }
    this.notes.truncated = this.#dataBytes === null ? input.available > 0 : left > 0;
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
  s16(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt16(at, true) / 32768;
  },
  s24(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) {
      out[i] = ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608;
    }
  },
  s32(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getInt32(at, true) / 2147483648;
  },
  f32(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getFloat32(at, true);
  },
  f64(view, at, step, out, count) {
    for (let i = 0; i < count; i++, at += step) out[i] = view.getFloat64(at, true);
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
