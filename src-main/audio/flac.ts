import type { BlockMemory } from './block-memory.ts';
import { flacKernel, frameBytesBound, lookBack } from './flac-kernel.ts';
import type { FlacKernel } from './flac-kernel.ts';
import type { InputBuffer } from './input.ts';
import { noNotes } from './types.ts';
import type { AudioInfo, NativeBlock, NativeDecoder } from './types.ts';

/*
 * FLAC (RFC 9639) decoded in the process, one to eight channels of 4 to 24 bits. Of our own because
 * @wasm-audio-decoders/flac 0.2.11 scales 16-bit samples by 1/32767, not 1/32768, answers a damaged file with no sample and no
 * error, compiles anew for each file, and takes two to three times as long.
 */

const decoderVersion = '1';
const blockFrames = 65536;
// A file in which so many frames have failed is made to fail, not damaged: chance makes one in some megabytes.
const maximumFailures = 10_000;

const crc8Table = new Uint8Array(256);
// From place 256 n on, a byte that n bytes of zeros follow: eight bytes are taken at a time.
const crc16Table = new Uint16Array(8 * 256);
for (let value = 0; value < 256; value++) {
  let crc8 = value;
  let crc16 = value << 8;
  for (let bit = 0; bit < 8; bit++) {
    crc8 = crc8 & 0x80 ? (crc8 << 1) ^ 0x07 : crc8 << 1;
    crc16 = crc16 & 0x8000 ? (crc16 << 1) ^ 0x8005 : crc16 << 1;
  }
  crc8Table[value] = crc8;
  crc16Table[value] = crc16;
}
for (let place = 256; place < crc16Table.length; place++) {
  const before = crc16Table[place - 256];
  crc16Table[place] = (before << 8) ^ crc16Table[before >>> 8];
}

interface StreamInfo {
  minimumBlock: number;
  maximumBlock: number;
  sampleRateHz: number;
  channels: number;
  bitsPerSample: number;
  /** 0 where unknown. */
  totalFrames: number;
}

interface FrameHeader {
  blockSize: number;
  assignment: number;
  /** Sample frames before this one in the stream. */
  position: number;
  headerBytes: number;
}

/**
 * Opens a native FLAC stream. Each frame is checked by its checksums; a damaged one becomes silence of its length as
 * soon as a whole one follows, so that times stay true.
 * @returns null where ffmpeg should try: more than 24 bits, or metadata that cannot be read.
 */
export async function openFlac(input: InputBuffer): Promise<NativeDecoder | null> {
  let position = 4;
  let stream: StreamInfo | null = null;
  while ((await input.seek(position)) && (await input.fill(4))) {
    const head = input.view.getUint32(input.start);
    const bytes = head & 0xffffff;
    const type = (head >>> 24) & 0x7f;
    if (!stream) {
      if (type !== 0 || bytes < 34 || !(await input.fill(38))) return null;
      stream = parseStreamInfo(input.view, input.start + 4);
      if (!stream) return null;
    }
    position += 4 + bytes;
    if (head >>> 31) break;
  }
  if (!stream) return null;
  await input.seek(position);
  return new FlacDecoder(input, stream);
}

function parseStreamInfo(view: DataView, at: number): StreamInfo | null {
  const packed = view.getUint32(at + 10);
  const stream = {
    minimumBlock: view.getUint16(at),
    maximumBlock: view.getUint16(at + 2),
    sampleRateHz: packed >>> 12,
    channels: ((packed >>> 9) & 7) + 1,
    bitsPerSample: ((packed >>> 4) & 31) + 1,
    totalFrames: (packed & 15) * 2 ** 32 + view.getUint32(at + 14),
  };
  const sound = stream.sampleRateHz > 0 && stream.bitsPerSample >= 4 && stream.maximumBlock >= stream.minimumBlock;
  return sound && stream.bitsPerSample <= 24 ? stream : null;
}

class FlacDecoder implements NativeDecoder {
  readonly info: AudioInfo;
  readonly notes = noNotes();
  readonly #input: InputBuffer;
  readonly #stream: StreamInfo;
  readonly #kernel: FlacKernel;
  readonly #samples: readonly Int32Array[];
  // The reader of bits, over the frame's bytes in the kernel.
  readonly #view: DataView;
  #bit = 0;
  #endBit = 0;
  readonly #coefficients = new Int32Array(lookBack);

  constructor(input: InputBuffer, stream: StreamInfo) {
    this.#input = input;
    this.#kernel = flacKernel();
    this.#samples = this.#kernel.samples;
    this.#view = this.#kernel.view;
    this.#stream = stream;
    this.info = {
      container: 'flac',
      codec: 'flac',
      sampleRateHz: stream.sampleRateHz,
      channels: stream.channels,
      bitsPerSample: stream.bitsPerSample,
      durationSeconds: stream.totalFrames > 0 ? stream.totalFrames / stream.sampleRateHz : null,
      audioStreams: 1,
      stream: 0,
      decoder: 'flac',
      decoderVersion,
    };
  }

  async *blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    const input = this.#input;
    const { channels, totalFrames, maximumBlock, bitsPerSample } = this.#stream;
    // A frame fits whole.
    const capacity = Math.max(Math.min(blockFrames, totalFrames || blockFrames), maximumBlock || blockFrames);
    const fresh = (): Float32Array[] =>
      Array.from({ length: channels }, (_, index) => memory?.channel(index, capacity) ?? new Float32Array(capacity));
    let block: NativeBlock = { channels: fresh(), length: 0 };
    const scale = 2 ** (1 - bitsPerSample);
    let decoded = 0;
    let failures = 0;
    let skippedBytes = 0;
    while (failures < maximumFailures) {
      if (input.available < 16) await input.fill(16);
      const found = this.#findHeader();
      skippedBytes += found.skipped;
      const header = found.header;
      if (!header) {
        if (input.ended) break;
        await input.fill(input.available + 1);
        continue;
      }
      const bound = frameBytesBound(header.blockSize, channels, bitsPerSample);
      if (input.available < bound && !input.ended) await input.fill(bound);
      if (block.length + header.blockSize > capacity) {
        yield block;
        block = { channels: fresh(), length: 0 };
      }
      const bytes = this.#decodeFrame(header, bound);
      if (bytes === 0) {
        failures++;
        skippedBytes++;
        input.start++;
        continue;
      }
      // At most one frame of the largest size can have lain in each eight bytes that were passed over.
      const gap = header.position - decoded;
      if (skippedBytes > 0 && gap > 0 && gap <= (Math.ceil(skippedBytes / 8) + 1) * maximumBlock) {
        this.notes.lostFrames += gap;
        for (let left = gap; left > 0;) {
          if (block.length === capacity) {
            yield block;
            block = { channels: fresh(), length: 0 };
          }
          const count = Math.min(left, capacity - block.length);
          for (const channel of block.channels) channel.fill(0, block.length, block.length + count);
          block.length += count;
          left -= count;
        }
        decoded += gap;
        if (block.length > 0) yield block;
        block = { channels: fresh(), length: 0 };
        // Others may have used the kernel since.
        this.#decodeFrame(header, bound);
      }
      input.start += bytes;
      if (skippedBytes > 0) this.notes.damaged = true;
      skippedBytes = 0;
      for (const [channel, floats] of block.channels.entries()) {
        floats.set(this.#kernel.toFloat(this.#samples[channel], header.blockSize, scale), block.length);
      }
      block.length += header.blockSize;
      decoded += header.blockSize;
      // What follows the last frame is somebody's tag.
      if (totalFrames > 0 && decoded >= totalFrames) break;
    }
    if (block.length > 0) yield block;
    this.notes.truncated = decoded < totalFrames || failures >= maximumFailures;
  }

  close(): Promise<void> {
    return this.#input.source.close();
  }

  /** Moves the input to the next frame header that its checksum bears out, or to where one might still begin. */
  #findHeader(): { header: FrameHeader | null; skipped: number } {
    const input = this.#input;
    const { bytes } = input;
    const from = input.start;
    // A header has at most 16 bytes; the file's last frame may be shorter.
    const last = input.ended ? input.end - 6 : input.end - 16;
    for (; input.start <= last; input.start++) {
      if (bytes[input.start] !== 0xff || (bytes[input.start + 1] & 0xfe) !== 0xf8) continue;
      const header = this.#parseHeader(input.start);
      if (header) return { header, skipped: input.start - from };
    }
    return { header: null, skipped: input.start - from };
  }

  #parseHeader(start: number): FrameHeader | null {
    const { bytes, view } = this.#input;
    const stream = this.#stream;
    const sizeCode = bytes[start + 2] >>> 4;
    const rateCode = bytes[start + 2] & 15;
    const assignment = bytes[start + 3] >>> 4;
    const depth = [stream.bitsPerSample, 8, 12, 0, 16, 20, 24, 32][(bytes[start + 3] >>> 1) & 7];
    if (sizeCode === 0 || rateCode === 15 || assignment > 10 || bytes[start + 3] & 1) return null;
    if (depth !== stream.bitsPerSample) return null;
    if ((assignment < 8 ? assignment + 1 : 2) !== stream.channels) return null;
    // The number is coded as UTF-8 codes characters, in up to seven bytes.
    let at = start + 4;
    const first = bytes[at++];
    const ones = Math.clz32(~(first << 24));
    if (ones === 1 || ones > 7) return null;
    let number = ones === 0 ? first : first & (0x7f >>> ones);
    for (let more = 1; more < ones; more++) {
      if ((bytes[at] & 0xc0) !== 0x80) return null;
      number = number * 64 + (bytes[at++] & 0x3f);
    }
    let blockSize = sizeCode === 1 ? 192 : sizeCode < 6 ? 144 << sizeCode : 1 << sizeCode;
    if (sizeCode === 6) blockSize = bytes[at++] + 1;
    else if (sizeCode === 7) {
      blockSize = view.getUint16(at) + 1;
      at += 2;
    }
    let rate = [stream.sampleRateHz, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000][
      rateCode
    ];
    if (rateCode === 12) rate = bytes[at++] * 1000;
    else if (rateCode > 12) {
      rate = view.getUint16(at) * (rateCode === 14 ? 10 : 1);
      at += 2;
    }
    if (rate !== stream.sampleRateHz) return null;
    if (stream.maximumBlock > 0 && blockSize > stream.maximumBlock) return null;
    let crc = 0;
    for (let i = start; i < at; i++) crc = crc8Table[crc ^ bytes[i]];
    if (at >= this.#input.end || crc !== bytes[at]) return null;
    const variable = bytes[start + 1] & 1;
    const position = variable ? number : number * stream.maximumBlock;
    return { blockSize, assignment, position, headerBytes: at + 1 - start };
  }

  /** Decodes the frame at the input's start into the samples: its length in bytes, or 0 where it is damaged. */
  #decodeFrame(header: FrameHeader, bound: number): number {
    const { bytes, start, end } = this.#input;
    const { blockSize, assignment } = header;
    const room = Math.min(end - start, bound);
    this.#kernel.bytes.set(bytes.subarray(start, start + room));
    this.#bit = header.headerBytes * 8;
    this.#endBit = room * 8;
    for (let channel = 0; channel < this.#stream.channels; channel++) {
      const side = assignment === 9 ? channel === 0 : assignment >= 8 && channel === 1;
      if (!this.#decodeSubframe(this.#samples[channel], blockSize, this.#stream.bitsPerSample + (side ? 1 : 0))) {
        return 0;
      }
    }
    const length = (this.#bit + 7) >>> 3;
    if (length + 2 > room || crc16(bytes, start, start + length) !== this.#view.getUint16(length)) return 0;
    if (assignment >= 8) decorrelate(assignment, this.#samples[0], this.#samples[1], blockSize);
    return length + 2;
  }

  #decodeSubframe(samples: Int32Array, blockSize: number, fullDepth: number): boolean {
    const type = this.#unsigned(7);
    let wasted = 0;
    if (this.#unsigned(1)) {
      wasted = 1;
      while (this.#unsigned(1) === 0) {
        if (++wasted >= fullDepth) return false;
      }
    }
    const depth = fullDepth - wasted;
    if (depth < 1) return false;
    if (type === 0) {
      samples.fill(this.#signed(depth), lookBack, lookBack + blockSize);
    } else if (type === 1) {
      for (let i = lookBack; i < lookBack + blockSize; i++) samples[i] = this.#signed(depth);
    } else if (type >= 8 && type <= 12) {
      const order = type - 8;
      if (order > blockSize) return false;
      for (let i = lookBack; i < lookBack + order; i++) samples[i] = this.#signed(depth);
      if (!this.#decodeResidual(samples, blockSize, order)) return false;
      restoreFixed(samples, order, blockSize);
    } else if (type >= 32 && type < 64) {
      const order = type - 31;
      if (order > blockSize) return false;
      for (let i = lookBack; i < lookBack + order; i++) samples[i] = this.#signed(depth);
      const precision = this.#unsigned(4) + 1;
      const shift = this.#signed(5);
      if (precision === 16 || shift < 0) return false;
      const coefficients = this.#coefficients;
      let sum = 0;
      for (let i = 0; i < order; i++) {
        coefficients[i] = this.#signed(precision);
        sum += Math.abs(coefficients[i]);
      }
      if (!this.#decodeResidual(samples, blockSize, order)) return false;
      if (sum * 2 ** (depth - 1) < 2 ** 31) {
        this.#kernel.predict(samples, lookBack + order, lookBack + blockSize, coefficients, order, shift);
      } else {
        restoreWide(samples, order, blockSize, coefficients, shift);
      }
    } else {
      return false;
    }
    if (wasted > 0) for (let i = lookBack; i < lookBack + blockSize; i++) samples[i] <<= wasted;
    return this.#bit <= this.#endBit;
  }

  /** Rice-coded residual, into the samples from `order` on. */
  #decodeResidual(samples: Int32Array, blockSize: number, order: number): boolean {
    const method = this.#unsigned(2);
    if (method > 1) return false;
    const parameterBits = method === 0 ? 4 : 5;
    const partitionOrder = this.#unsigned(4);
    const length = blockSize >>> partitionOrder;
    if (length << partitionOrder !== blockSize || length < order) return false;
    let at = lookBack + order;
    for (let end = lookBack + length; end <= lookBack + blockSize; end += length) {
      const parameter = this.#unsigned(parameterBits);
      if (parameter === (1 << parameterBits) - 1) {
        const depth = this.#unsigned(5);
        while (at < end) samples[at++] = depth === 0 ? 0 : this.#signed(depth);
      } else {
        this.#decodeRice(samples, at, end, parameter);
        at = end;
      }
      if (this.#bit > this.#endBit) return false;
    }
    return true;
  }

  #decodeRice(samples: Int32Array, from: number, to: number, parameter: number): void {
    for (let at = from; ;) {
      const { bit, next } = this.#kernel.rice(samples, at, to, parameter, this.#bit, this.#endBit);
      this.#bit = bit;
      if (next === to) return;
      // A code of many zeros, or the end.
      const quotient = this.#zeros();
      if (quotient < 0) return;
      const value = parameter === 0 ? quotient : (quotient << parameter) | this.#unsigned(parameter);
      samples[next] = (value >>> 1) ^ -(value & 1);
      at = next + 1;
    }
  }

  /** Zeros before the next one, which is passed; -1 (and the reader past its end) where there is none. */
  #zeros(): number {
    let count = 0;
    while (this.#bit < this.#endBit) {
      const ready = 32 - (this.#bit & 7);
      const zeros = Math.clz32(this.#view.getInt32(this.#bit >>> 3) << (this.#bit & 7));
      if (zeros < ready) {
        this.#bit += zeros + 1;
        return count + zeros;
      }
      this.#bit += ready;
      count += ready;
    }
    this.#bit = this.#endBit + 1;
    return -1;
  }

  /** The next 1 to 31 bits; 0 past the end. */
  #unsigned(bits: number): number {
    if (this.#bit + bits > this.#endBit) {
      this.#bit = this.#endBit + 1;
      return 0;
    }
    if (bits > 25) {
      const high = this.#unsigned(bits - 16);
      return ((high << 16) | this.#unsigned(16)) >>> 0;
    }
    const value = (this.#view.getInt32(this.#bit >>> 3) << (this.#bit & 7)) >>> (32 - bits);
    this.#bit += bits;
    return value;
  }

  #signed(bits: number): number {
    return (this.#unsigned(bits) << (32 - bits)) >> (32 - bits);
  }
}

function crc16(bytes: Uint8Array, from: number, to: number): number {
  const table = crc16Table;
  let crc = 0;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const last =
      table[0x300 | bytes[i + 4]] ^ table[0x200 | bytes[i + 5]] ^ table[0x100 | bytes[i + 6]] ^ table[bytes[i + 7]];
    const next = table[0x500 | bytes[i + 2]] ^ table[0x400 | bytes[i + 3]] ^ last;
    crc = table[0x700 | (bytes[i] ^ (crc >>> 8))] ^ table[0x600 | (bytes[i + 1] ^ (crc & 0xff))] ^ next;
  }
  for (; i < to; i++) crc = ((crc << 8) & 0xffff) ^ table[(crc >>> 8) ^ bytes[i]];
  return crc;
}

function decorrelate(assignment: number, first: Int32Array, second: Int32Array, blockSize: number): void {
  const end = lookBack + blockSize;
  if (assignment === 8) {
    for (let i = lookBack; i < end; i++) second[i] = first[i] - second[i];
  } else if (assignment === 9) {
    for (let i = lookBack; i < end; i++) first[i] += second[i];
  } else {
    for (let i = lookBack; i < end; i++) {
      const side = second[i];
      const middle = (first[i] << 1) | (side & 1);
      first[i] = (middle + side) >> 1;
      second[i] = (middle - side) >> 1;
    }
  }
}

function restoreFixed(s: Int32Array, order: number, blockSize: number): void {
  const end = lookBack + blockSize;
  const from = lookBack + order;
  if (order === 1) for (let i = from; i < end; i++) s[i] += s[i - 1];
  else if (order === 2) for (let i = from; i < end; i++) s[i] += 2 * s[i - 1] - s[i - 2];
  else if (order === 3) for (let i = from; i < end; i++) s[i] += 3 * (s[i - 1] - s[i - 2]) + s[i - 3];
  else if (order === 4) {
    for (let i = from; i < end; i++) s[i] += 4 * (s[i - 1] + s[i - 3]) - 6 * s[i - 2] - s[i - 4];
  }
}

/** Linear prediction in doubles, which hold every sum exactly (25 + 15 + 5 bits). */
function restoreWide(s: Int32Array, order: number, blockSize: number, c: Int32Array, shift: number): void {
  const end = lookBack + blockSize;
  const scale = 2 ** -shift;
  for (let i = lookBack + order; i < end; i++) {
    let sum = 0;
    for (let j = order - 1; j >= 0; j--) sum += c[j] * s[i - 1 - j];
    s[i] += Math.floor(sum * scale);
  }
}
