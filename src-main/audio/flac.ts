/** Reads FLAC without ffmpeg: headers, frames, checksums, and what a damaged file still holds. */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { BlockMemory } from './block-memory.ts';
import { flacKernel, frameBytesBound, lookBack } from './flac-kernel.ts';
import type { FlacKernel } from './flac-kernel.ts';
import type { InputBuffer } from './input.ts';
import { noNotes } from './types.ts';
import type { AudioInfo, NativeBlock, NativeDecoder } from './types.ts';

/*
 * FLAC (RFC 9639) decoded in the process, one to eight channels of 4 to 32 bits. Of our own because
 * @wasm-audio-decoders/flac 0.2.11 scales 16-bit samples by 1/32767, not 1/32768, answers a damaged file with no sample and no
 * error, compiles anew for each file, and takes two to three times as long.
 */

const decoderVersion = '2';
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

interface SampleFormat {
  sampleRateHz: number;
  channels: number;
  bitsPerSample: number;
}

interface StreamInfo extends SampleFormat {
  maximumBlock: number;
  /** 0 where unknown. */
  totalFrames: number;
  /** Of all samples, in hexadecimal; null where there is none. */
  md5: string | null;
}

interface FrameHeader extends SampleFormat {
  blockSize: number;
  assignment: number;
  /** Of this frame, or of its first sample frame where blocks vary in size. */
  number: number;
  variable: boolean;
  headerBytes: number;
}

/**
 * Opens a native FLAC stream. Each frame is checked by its checksums; a damaged one becomes silence of its length as
 * soon as a whole one follows, so that times stay true. Where the stream's header says another rate, depth or number of channels
 * than its frames do, the frames are right.
 * @param options.position where the stream begins, behind a tag for instance
 * @param options.readAll decodes also a second stream joined to the first
 * @returns null where ffmpeg should try: metadata that cannot be read.
 */
export async function openFlac(
  input: InputBuffer,
  options: { position?: number; readAll?: boolean } = {},
): Promise<NativeDecoder | null> {
  let position = (options.position ?? 0) + 4;
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
  const decoder = new FlacDecoder(input, stream, options.readAll ?? false);
  await decoder.believeFrames();
  await input.seek(position);
  return decoder;
}

function parseStreamInfo(view: DataView, at: number): StreamInfo | null {
  const packed = view.getUint32(at + 10);
  const md5 = Buffer.from(view.buffer, view.byteOffset + at + 18, 16).toString('hex');
  const stream = {
    maximumBlock: view.getUint16(at + 2),
    sampleRateHz: packed >>> 12,
    channels: ((packed >>> 9) & 7) + 1,
    bitsPerSample: ((packed >>> 4) & 31) + 1,
    totalFrames: (packed & 15) * 2 ** 32 + view.getUint32(at + 14),
    md5: /^0+$/.test(md5) ? null : md5,
  };
  return stream.sampleRateHz > 0 && stream.bitsPerSample >= 4 ? stream : null;
}

function isFormat(one: SampleFormat, other: SampleFormat): boolean {
  return (
    one.sampleRateHz === other.sampleRateHz &&
    one.channels === other.channels &&
    one.bitsPerSample === other.bitsPerSample
  );
}

/** Of 24 bits and less, a side channel and its prediction fit the kernel. */
const narrowBits = 24;
/** Frames that are looked for before the header is believed. */
const searchedBytes = 4 * 1024 * 1024;

class FlacDecoder implements NativeDecoder {
  readonly info: AudioInfo;
  readonly notes = noNotes();
  readonly #input: InputBuffer;
  readonly #stream: StreamInfo;
  readonly #readAll: boolean;
  readonly #kernel: FlacKernel;
  readonly #samples: readonly Int32Array[];
  // Of the channels, where samples need more than 32 bits on the way.
  #wide: Float64Array[] = [];
  // The reader of bits, over the frame's bytes in the kernel.
  readonly #view: DataView;
  #bit = 0;
  #endBit = 0;
  readonly #coefficients = new Int32Array(lookBack);
  /** Sample frames in each block of a stream whose blocks are alike. */
  #blockSize: number;

  constructor(input: InputBuffer, stream: StreamInfo, readAll: boolean) {
    this.#input = input;
    this.#kernel = flacKernel();
    this.#samples = this.#kernel.samples;
    this.#view = this.#kernel.view;
    this.#stream = stream;
    this.#readAll = readAll;
    this.#blockSize = stream.maximumBlock;
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

  /** Takes rate, channels and depth from the first frame that is whole, where the stream's header says otherwise. */
  async believeFrames(): Promise<void> {
    const input = this.#input;
    const stream = this.#stream;
    const until = input.position + searchedBytes;
    for (let failures = 0; failures < maximumFailures && input.position < until;) {
      await input.fill(16);
      const { header } = this.#findHeader();
      if (!header) {
        if (input.ended) return;
        await input.fill(input.available + 1);
        continue;
      }
      // Where the header is right nothing needs to be decoded.
      if (isFormat(header, stream)) {
        if (!header.variable) this.#blockSize = header.blockSize;
        return;
      }
      const bound = frameBytesBound(header.blockSize, header.channels, header.bitsPerSample);
      await input.fill(bound);
      if (this.#decodeFrame(header, bound) === 0) {
        failures++;
        input.start++;
        continue;
      }
      this.#believe(header);
      return;
    }
  }

  #believe({ sampleRateHz, channels, bitsPerSample, blockSize, variable }: FrameHeader): void {
    const { notes } = this;
    const differ = (what: string, said: number | string, found: number | string): void => {
      if (said !== found) notes.contradictions.push(`Its header says ${said} ${what}; its sound has ${found}.`);
    };
    differ('Hz', this.#stream.sampleRateHz, sampleRateHz);
    differ('channels', this.#stream.channels, channels);
    differ('bits per sample', this.#stream.bitsPerSample, bitsPerSample);
    Object.assign(this.#stream, { sampleRateHz, channels, bitsPerSample });
    Object.assign(this.info, { sampleRateHz, channels, bitsPerSample });
    const { totalFrames } = this.#stream;
    this.info.durationSeconds = totalFrames > 0 ? totalFrames / sampleRateHz : null;
    if (!variable) this.#blockSize = blockSize;
  }

  async *blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    const input = this.#input;
    const stream = this.#stream;
    const { channels, totalFrames, bitsPerSample } = stream;
    // A frame fits whole.
    let capacity = Math.max(Math.min(blockFrames, totalFrames || blockFrames), this.#blockSize || blockFrames);
    const fresh = (): Float32Array[] =>
      Array.from({ length: channels }, (_, index) => memory?.channel(index, capacity) ?? new Float32Array(capacity));
    let block: NativeBlock = { channels: fresh(), length: 0 };
    const scale = 2 ** (1 - bitsPerSample);
    let checksum = stream.md5 === null ? null : createHash('md5');
    let decoded = 0;
    let failures = 0;
    let skippedBytes = 0;
    // A second stream has begun.
    let joined = false;
    let joinedFrames = 0;
    let otherSeconds = 0;
    while (failures < maximumFailures) {
      if (input.available < 16) await input.fill(16);
      const found = this.#findHeader();
      skippedBytes += found.skipped;
      const header = found.header;
      if (!header) {
        if (found.another) {
          joined = true;
          skippedBytes = 0;
          input.start += 4;
          continue;
        }
        if (input.ended) break;
        await input.fill(input.available + 1);
        continue;
      }
      const bound = frameBytesBound(header.blockSize, header.channels, header.bitsPerSample);
      if (input.available < bound && !input.ended) await input.fill(bound);
      if (header.blockSize > capacity) capacity = blockFrames;
      if (block.length + header.blockSize > block.channels[0].length) {
        if (block.length > 0) yield block;
        block = { channels: fresh(), length: 0 };
      }
      const bytes = this.#decodeFrame(header, bound);
      if (bytes === 0) {
        failures++;
        skippedBytes++;
        input.start++;
        continue;
      }
      // Behind the last frame lie tags, and before a second stream its metadata.
      const ended = joined || (totalFrames > 0 && decoded >= totalFrames);
      if (ended && skippedBytes > 0) skippedBytes = 0;
      const own = isFormat(header, stream);
      if (!own || (joined && !this.#readAll)) {
        if (skippedBytes > 0) this.notes.damaged = true;
        skippedBytes = 0;
        if (own) joinedFrames += header.blockSize;
        else otherSeconds += header.blockSize / header.sampleRateHz;
        input.start += bytes;
        continue;
      }
      // At most one frame of the largest size can have lain in each eight bytes that were passed over.
      const gap = (header.variable ? header.number : header.number * this.#blockSize) - decoded;
      const largest = Math.max(stream.maximumBlock, this.#blockSize);
      if (skippedBytes > 0 && gap > 0 && gap <= (Math.ceil(skippedBytes / 8) + 1) * largest) {
        this.notes.lostFrames += gap;
        for (let left = gap; left > 0;) {
          if (block.length === block.channels[0].length) {
            yield block;
            block = { channels: fresh(), length: 0 };
          }
          const count = Math.min(left, block.channels[0].length - block.length);
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
      if (skippedBytes > 0) {
        this.notes.damaged = true;
        checksum = null;
      }
      skippedBytes = 0;
      for (const [channel, floats] of block.channels.entries()) {
        if (bitsPerSample > narrowBits) scaleInto(floats, block.length, this.#wide[channel], header.blockSize, scale);
        else floats.set(this.#kernel.toFloat(this.#samples[channel], header.blockSize, scale), block.length);
      }
      if (checksum && !joined) this.#hash(checksum, header.blockSize);
      block.length += header.blockSize;
      if (joined) joinedFrames += header.blockSize;
      else decoded += header.blockSize;
    }
    if (block.length > 0) yield block;
    const failed = failures >= maximumFailures || (decoded === 0 && (failures > 0 || skippedBytes > 0));
    this.#note({ decoded, joinedFrames, otherSeconds, failed, md5: checksum?.digest('hex') ?? null });
  }

  /** What is to be told of the whole. */
  #note(whole: {
    decoded: number;
    joinedFrames: number;
    otherSeconds: number;
    failed: boolean;
    md5: string | null;
  }): void {
    const { notes } = this;
    const { totalFrames, sampleRateHz, md5 } = this.#stream;
    const matches = whole.md5 !== null && whole.md5 === md5;
    const missing = totalFrames - whole.decoded;
    const seconds = (frames: number): string => `${(frames / sampleRateHz).toFixed(2)} s`;
    if (totalFrames > 0 && (missing < 0 || (missing > 0 && matches))) {
      notes.contradictions.push(
        `Its header says that it holds ${seconds(totalFrames)} of sound; it holds ${seconds(whole.decoded)}.`,
      );
    } else if (missing > 0) {
      notes.truncated = true;
      notes.missingSeconds = missing / sampleRateHz;
    }
    if (whole.failed) {
      notes.truncated = true;
      if (whole.decoded === 0) notes.damaged = true;
    }
    const joinedSeconds = whole.joinedFrames / sampleRateHz;
    if (this.#readAll) notes.furtherSeconds = joinedSeconds;
    else if (joinedSeconds > 0) notes.unread.push({ kind: 'further-file', seconds: joinedSeconds });
    if (whole.otherSeconds > 0) notes.unread.push({ kind: 'other-format', seconds: whole.otherSeconds });
    notes.checksumDiffers =
      whole.md5 !== null && whole.decoded > 0 && !matches && !notes.truncated && whole.otherSeconds === 0;
  }

  /** Takes a frame's samples into the checksum, as its encoder did. */
  #hash(checksum: Hash, count: number): void {
    const { channels, bitsPerSample } = this.#stream;
    const bytes = Math.ceil(bitsPerSample / 8);
    const out = new Uint8Array(count * channels * bytes);
    // Little-endian, as every processor is that Node runs on.
    const packed = new Int16Array(out.buffer, 0, out.length >> 1);
    const narrow = bitsPerSample <= narrowBits;
    for (let channel = 0; channel < channels; channel++) {
      const samples = narrow ? this.#samples[channel] : this.#wide[channel];
      const from = narrow ? lookBack : 0;
      const step = channels * bytes;
      let at = channel * bytes;
      if (bytes === 2 && channels === 1) {
        packed.set(samples.subarray(from, from + count));
      } else if (bytes === 2) {
        for (let i = from, to = channel; i < from + count; i++, to += channels) packed[to] = samples[i];
      } else {
        for (let i = from; i < from + count; i++, at += step) {
          for (let byte = 0; byte < bytes; byte++) out[at + byte] = samples[i] >> (8 * byte);
        }
      }
    }
    checksum.update(out);
  }

  close(): Promise<void> {
    return this.#input.source.close();
  }

  /** Moves the input to the next frame header that its checksum bears out, to another stream, or to where one might still begin. */
  #findHeader(): { header: FrameHeader | null; skipped: number; another: boolean } {
    const input = this.#input;
    const { bytes, view } = input;
    const from = input.start;
    // A header has at most 16 bytes; the file's last frame may be shorter.
    const last = input.ended ? input.end - 6 : input.end - 16;
    for (; input.start <= last; input.start++) {
      const first = bytes[input.start];
      if (first === 0x66 && view.getUint32(input.start) === streamMarker) {
        return { header: null, skipped: input.start - from, another: true };
      }
      if (first !== 0xff || (bytes[input.start + 1] & 0xfe) !== 0xf8) continue;
      const header = this.#parseHeader(input.start);
      if (header) return { header, skipped: input.start - from, another: false };
    }
    return { header: null, skipped: input.start - from, another: false };
  }

  #parseHeader(start: number): FrameHeader | null {
    const { bytes, view } = this.#input;
    const stream = this.#stream;
    const sizeCode = bytes[start + 2] >>> 4;
    const rateCode = bytes[start + 2] & 15;
    const assignment = bytes[start + 3] >>> 4;
    const depthCode = (bytes[start + 3] >>> 1) & 7;
    const bitsPerSample = depthCode === 0 ? stream.bitsPerSample : codedDepths[depthCode];
    if (sizeCode === 0 || rateCode === 15 || assignment > 10 || bytes[start + 3] & 1 || bitsPerSample === 0)
      return null;
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
    let sampleRateHz = rateCode === 0 ? stream.sampleRateHz : codedRates[rateCode];
    if (rateCode === 12) sampleRateHz = bytes[at++] * 1000;
    else if (rateCode > 12) {
      sampleRateHz = view.getUint16(at) * (rateCode === 14 ? 10 : 1);
      at += 2;
    }
    if (sampleRateHz === 0) return null;
    let crc = 0;
    for (let i = start; i < at; i++) crc = crc8Table[crc ^ bytes[i]];
    if (at >= this.#input.end || crc !== bytes[at]) return null;
    const channels = assignment < 8 ? assignment + 1 : 2;
    const variable = (bytes[start + 1] & 1) === 1;
    return {
      blockSize,
      assignment,
      number,
      variable,
      sampleRateHz,
      channels,
      bitsPerSample,
      headerBytes: at + 1 - start,
    };
  }

  /** Decodes the frame at the input's start into the samples: its length in bytes, or 0 where it is damaged. */
  #decodeFrame(header: FrameHeader, bound: number): number {
    const { bytes, start, end } = this.#input;
    const { blockSize, assignment, channels, bitsPerSample } = header;
    const narrow = bitsPerSample <= narrowBits;
    while (!narrow && this.#wide.length < channels) this.#wide.push(new Float64Array(blockFrames));
    const room = Math.min(end - start, bound);
    this.#kernel.bytes.set(bytes.subarray(start, start + room));
    this.#bit = header.headerBytes * 8;
    this.#endBit = room * 8;
    for (let channel = 0; channel < channels; channel++) {
      const side = assignment === 9 ? channel === 0 : assignment >= 8 && channel === 1;
      const depth = bitsPerSample + (side ? 1 : 0);
      const samples = this.#samples[channel];
      const whole = narrow
        ? this.#decodeSubframe(samples, blockSize, depth)
        : this.#decodeWideSubframe(samples, this.#wide[channel], blockSize, depth);
      if (!whole) return 0;
    }
    const length = (this.#bit + 7) >>> 3;
    if (length + 2 > room || crc16(bytes, start, start + length) !== this.#view.getUint16(length)) return 0;
    if (assignment >= 8) {
      if (narrow) decorrelate(assignment, this.#samples[0], this.#samples[1], blockSize);
      else decorrelateWide(assignment, this.#wide[0], this.#wide[1], blockSize);
    }
    return length + 2;
  }

  /** The bits of each sample that are always zero, or -1. */
  #wastedBits(fullDepth: number): number {
    if (!this.#unsigned(1)) return 0;
    let wasted = 1;
    while (this.#unsigned(1) === 0) {
      if (++wasted >= fullDepth) return -1;
    }
    return wasted;
  }

  #decodeSubframe(samples: Int32Array, blockSize: number, fullDepth: number): boolean {
    const type = this.#unsigned(7);
    const wasted = this.#wastedBits(fullDepth);
    const depth = fullDepth - wasted;
    if (wasted < 0 || depth < 1) return false;
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
      const predictor = this.#readPredictor(order);
      if (!predictor || !this.#decodeResidual(samples, blockSize, order)) return false;
      const { shift, sum } = predictor;
      const coefficients = this.#coefficients;
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

  /** The same of up to 33 bits, in doubles, which hold every sum exactly (33 + 15 + 5 bits). */
  #decodeWideSubframe(residual: Int32Array, out: Float64Array, blockSize: number, fullDepth: number): boolean {
    const type = this.#unsigned(7);
    const wasted = this.#wastedBits(fullDepth);
    const depth = fullDepth - wasted;
    if (wasted < 0 || depth < 1) return false;
    if (type === 0) {
      out.fill(this.#signedWide(depth), 0, blockSize);
    } else if (type === 1) {
      for (let i = 0; i < blockSize; i++) out[i] = this.#signedWide(depth);
    } else if ((type >= 8 && type <= 12) || (type >= 32 && type < 64)) {
      const fixed = type <= 12;
      const order = fixed ? type - 8 : type - 31;
      if (order > blockSize) return false;
      for (let i = 0; i < order; i++) out[i] = this.#signedWide(depth);
      const predictor = fixed ? { shift: 0, sum: 0 } : this.#readPredictor(order);
      if (!predictor || !this.#decodeResidual(residual, blockSize, order)) return false;
      const coefficients = fixed ? fixedPredictors[order] : this.#coefficients;
      const scale = 2 ** -predictor.shift;
      for (let i = order; i < blockSize; i++) {
        let sum = 0;
        for (let j = 0; j < order; j++) sum += coefficients[j] * out[i - 1 - j];
        out[i] = residual[lookBack + i] + Math.floor(sum * scale);
      }
    } else {
      return false;
    }
    if (wasted > 0) for (let i = 0; i < blockSize; i++) out[i] *= 2 ** wasted;
    return this.#bit <= this.#endBit;
  }

  /** Coefficients of a linear predictor; null where they are none. */
  #readPredictor(order: number): { shift: number; sum: number } | null {
    const precision = this.#unsigned(4) + 1;
    const shift = this.#signed(5);
    if (precision === 16 || shift < 0) return null;
    let sum = 0;
    for (let i = 0; i < order; i++) {
      this.#coefficients[i] = this.#signed(precision);
      sum += Math.abs(this.#coefficients[i]);
    }
    return { shift, sum };
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
        // Of up to 31 bits.
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

  /** The next 1 to 32 bits; 0 past the end. */
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

  /** The same of up to 33. */
  #signedWide(bits: number): number {
    if (bits <= 32) return this.#signed(bits);
    const negative = this.#unsigned(1);
    return this.#unsigned(32) - negative * 2 ** 32;
  }
}

const codedDepths = [0, 8, 12, 0, 16, 20, 24, 32];
const codedRates = [0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000, 0, 0, 0, 0];
const streamMarker = 0x664c6143;
/** What the samples before add to the next, the nearest first, by order. */
const fixedPredictors = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

function scaleInto(out: Float32Array, at: number, samples: Float64Array, count: number, scale: number): void {
  for (let i = 0; i < count; i++) out[at + i] = samples[i] * scale;
}

function decorrelateWide(assignment: number, first: Float64Array, second: Float64Array, blockSize: number): void {
  for (let i = 0; i < blockSize; i++) {
    if (assignment === 8) second[i] = first[i] - second[i];
    else if (assignment === 9) first[i] += second[i];
    else {
      const side = second[i];
      const middle = 2 * first[i] + Math.abs(side % 2);
      first[i] = (middle + side) / 2;
      second[i] = (middle - side) / 2;
    }
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
