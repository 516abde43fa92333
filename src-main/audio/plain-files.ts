/*
 * Sun's AU, Sony's Wave64, Apple's AIFF and CAF. Where they hold plain samples these are read here: ffmpeg takes the end of the file
 * for that of the sound, or passes over what follows, while the headers give exact lengths. Of coded ones the lengths are reported.
 */
import type { InputBuffer } from './input.ts';
import { PcmDecoder, encodingBytes, maximumChannels, plainEncoding } from './pcm.ts';
import type { Encoding, PcmFormat, PcmPart } from './pcm.ts';
import { UnreadParts, isFilling, isPlaceholder } from './unread.ts';
import type { UnreadSound } from './types.ts';

const auEncodings: Partial<Record<number, Encoding>> = {
  1: 'mulaw',
  2: 's8',
  3: 's16be',
  4: 's24be',
  5: 's32be',
  6: 'f32be',
  7: 'f64be',
  27: 'alaw',
};
/** Compression types of AIFF-C that are plain samples, most significant byte first but for one. */
const aiffEncodings: Record<string, Encoding | 'integer'> = {
  NONE: 'integer',
  twos: 'integer',
  sowt: 'integer',
  in24: 's24be',
  in32: 's32be',
  fl32: 'f32be',
  FL32: 'f32be',
  fl64: 'f64be',
  FL64: 'f64be',
  ulaw: 'mulaw',
  ULAW: 'mulaw',
  alaw: 'alaw',
  ALAW: 'alaw',
};
const wrap = 2 ** 32;
const mostChunks = 10_000;
// The first four bytes of each chunk's GUID are a name; these are the rest.
const waveGuid = '2e91cf11a5d628db04c1';
const chunkGuid = 'f3acd3118cd100c04f8edb8a';

/** How much coded sound the header declares, and how much of that the file holds, in bytes. */
export interface CodedLength {
  declaredBytes: number;
  thereBytes: number;
}

/**
 * Opens a file of one of these containers.
 * @param options.readAll reads also what lies behind the declared length and in further parts
 * @returns the length where its sound is coded, and so ffmpeg's business; null where it is none of them, or not as their
 * descriptions say
 */
export async function openPlain(
  input: InputBuffer,
  options: { readAll?: boolean } = {},
): Promise<PcmDecoder | CodedLength | null> {
  const { size } = input.source;
  if (size === null) return null;
  const found = await findAt(input, 0, size);
  if (!found) return null;
  const { format, data } = found;
  if (!format) {
    const thereBytes = Math.max(0, Math.min(data.bytes ?? Infinity, size - data.position));
    return data.bytes === null ? null : { declaredBytes: data.bytes, thereBytes };
  }
  const { readAll = false } = options;
  const tail = data.bytes === null ? null : await survey(input, found, format, size);
  await input.seek(data.position);
  const decoder = new PcmDecoder(input, found.container, format, readAll && tail ? [data, ...tail.parts] : [data]);
  Object.assign(decoder.notes, tail?.told(readAll));
  return decoder;
}

interface Chunk {
  name: string;
  /** Of its content. */
  position: number;
  bytes: number;
  /** Where the next one begins. */
  end: number;
}

interface Found {
  container: string;
  /** Null where the sound is coded. */
  format: PcmFormat | null;
  data: PcmPart;
  /** Where the chunk of sound ends, which may lie behind what is declared; null for the end of the file. */
  end: number | null;
  /** Of the chunks that may follow; null for a container without. */
  chunks: ((input: InputBuffer, position: number) => Promise<Chunk | null>) | null;
  /** Name of the chunks of sound, and how much of their content comes before the samples. */
  sound: { name: string; headBytes: number };
}

async function findAt(input: InputBuffer, base: number, size: number): Promise<Found | null> {
  return (
    (await findAu(input, base, size)) ??
    (await findWave64(input, base, size)) ??
    (await findAiff(input, base, size)) ??
    (await findCaf(input, base))
  );
}

/** What sound lies behind that which is declared. */
async function survey(input: InputBuffer, found: Found, format: PcmFormat, size: number): Promise<UnreadParts> {
  const tail = new UnreadParts(format, size);
  let { end, chunks, sound } = found;
  const soundEnd = found.data.position + (found.data.bytes ?? Infinity);
  if (end !== null && end > soundEnd) {
    const more = Math.min(end, size) - soundEnd;
    tail.add('after-length', { position: soundEnd, bytes: Math.floor(more / format.frameBytes) * format.frameBytes });
  }
  let current: PcmFormat | null = format;
  let kind: UnreadSound['kind'] = 'further-chunk';
  for (let count = 0; end !== null && end < size && count < mostChunks; count++) {
    const position: number = end;
    const other = await findAt(input, position, size);
    if (other) {
      kind = 'further-file';
      ({ end, chunks, sound, format: current } = other);
      if (current) tail.add(kind, other.data, current);
      continue;
    }
    const chunk = (await chunks?.(input, position)) ?? null;
    if (!chunk || chunk.end > size + 8) {
      const from = position <= soundEnd + 1 ? soundEnd - ((found.data.bytes ?? 0) % format.frameBytes) : position;
      if (!(await isFilling(input, position, size))) tail.add('after-length', { position: from, bytes: size - from });
      return tail;
    }
    if (chunk.name === sound.name && current) {
      const bytes = Math.min(chunk.bytes, size - chunk.position) - sound.headBytes;
      tail.add(kind, { position: chunk.position + sound.headBytes, bytes }, current);
    }
    end = chunk.end;
  }
  return tail;
}

/** The length of sound as it is to be read: null, to the end, where it was never brought up to date. */
function lengthToRead(bytes: number, there: number): number | null {
  if (bytes === 0) return null;
  if (bytes <= there) {
    // One that 32 bits were too few for.
    return there > bytes && (there - bytes) % wrap === 0 ? there : bytes;
  }
  // What sox writes into AIFF that it cannot come back to.
  return isPlaceholder(bytes) || Math.abs(bytes - 0x7f000000) <= 64 ? null : bytes;
}

function plain(encoding: Encoding, channels: number, sampleRateHz: number, bits?: number): PcmFormat {
  const bytes = encodingBytes(encoding);
  return { encoding, channels, sampleRateHz, bitsPerSample: bits ?? 8 * bytes, frameBytes: channels * bytes };
}

function areChannels(channels: number): boolean {
  return channels >= 1 && channels <= maximumChannels;
}

async function findAu(input: InputBuffer, base: number, size: number): Promise<Found | null> {
  if (!(await input.seek(base)) || !(await input.fill(24))) return null;
  const { view, start } = input;
  if (view.getUint32(start) !== 0x2e736e64) return null;
  const [head, claimed, code, sampleRateHz, channels] = [4, 8, 12, 16, 20].map((at) => view.getUint32(start + at));
  if (head < 24 || !areChannels(channels)) return null;
  const encoding = auEncodings[code];
  const position = base + head;
  const bytes = lengthToRead(claimed, size - position);
  return {
    container: 'au',
    format: encoding ? plain(encoding, channels, sampleRateHz) : null,
    data: { position, bytes },
    end: bytes === null ? null : position + bytes,
    chunks: null,
    sound: { name: '', headBytes: 0 },
  };
}

const hexAt = ({ bytes, start }: InputBuffer, from: number, to: number): string =>
  Buffer.from(bytes.subarray(start + from, start + to)).toString('hex');

const textAt = ({ bytes, start }: InputBuffer, at: number): string =>
  Buffer.from(bytes.subarray(start + at, start + at + 4)).toString('latin1');

async function wave64Chunk(input: InputBuffer, position: number): Promise<Chunk | null> {
  if (!(await input.seek(position)) || !(await input.fill(24)) || hexAt(input, 4, 16) !== chunkGuid) return null;
  const whole = Number(input.view.getBigUint64(input.start + 16, true));
  const bytes = Math.max(0, whole - 24);
  return { name: textAt(input, 0), position: position + 24, bytes, end: position + Math.ceil((24 + bytes) / 8) * 8 };
}

async function findWave64(input: InputBuffer, base: number, size: number): Promise<Found | null> {
  if (!(await input.seek(base)) || !(await input.fill(40))) return null;
  if (hexAt(input, 0, 4) !== '72696666' || !hexAt(input, 4, 16).startsWith(waveGuid)) return null;
  let format: PcmFormat | null | undefined;
  let position = base + 40;
  for (let count = 0; count < mostChunks; count++) {
    const chunk = await wave64Chunk(input, position);
    if (!chunk) return null;
    if (chunk.name === 'fmt ') {
      if (!(await input.fill(64))) return null;
      format = wave64Format(input.view, input.start + 24);
    } else if (chunk.name === 'data') {
      if (format === undefined) return null;
      const there = size - chunk.position;
      // Programs that do not come back leave less than the header's own length, or all ones.
      const bytes = chunk.bytes > there && !Number.isSafeInteger(chunk.bytes) ? null : lengthToRead(chunk.bytes, there);
      return {
        container: 'w64',
        format,
        data: { position: chunk.position, bytes },
        end: bytes === null ? null : chunk.position + Math.ceil(bytes / 8) * 8,
        chunks: wave64Chunk,
        sound: { name: 'data', headBytes: 0 },
      };
    }
    position = chunk.end;
  }
  return null;
}

/** Plain integers and floats whose fields agree; anything else is null. */
function wave64Format(view: DataView, at: number): PcmFormat | null {
  const [outer, channels, frameBytes, bits, inner] = [0, 2, 12, 14, 24].map((field) =>
    view.getUint16(at + field, true),
  );
  // WAVE_FORMAT_EXTENSIBLE names the format in a GUID.
  const tag = outer === 0xfffe ? inner : outer;
  const sampleRateHz = view.getUint32(at + 4, true);
  const encoding = tag === 1 || tag === 3 ? plainEncoding(tag === 1 ? 'integer' : 'float', bits / 8, true) : undefined;
  if (!encoding || !areChannels(channels) || frameBytes !== (channels * bits) / 8) return null;
  return plain(encoding, channels, sampleRateHz);
}

async function aiffChunk(input: InputBuffer, position: number): Promise<Chunk | null> {
  if (!(await input.seek(position)) || !(await input.fill(8))) return null;
  const name = textAt(input, 0);
  const bytes = input.view.getUint32(input.start + 4);
  if (!/^[\x20-\x7e]{4}$/.test(name)) return null;
  return { name, position: position + 8, bytes, end: position + 8 + bytes + (bytes % 2) };
}

interface AiffCommon {
  format: PcmFormat | null;
  /** Sample frames; of coded sound, packets. */
  frames: number;
}

async function findAiff(input: InputBuffer, base: number, size: number): Promise<Found | null> {
  if (!(await input.seek(base)) || !(await input.fill(12)) || textAt(input, 0) !== 'FORM') return null;
  const form = textAt(input, 8);
  if (form !== 'AIFC' && form !== 'AIFF') return null;
  let common: AiffCommon | null = null;
  let sound: Chunk | null = null;
  let position = base + 12;
  for (let count = 0; count < mostChunks && !(common && sound); count++) {
    const chunk = await aiffChunk(input, position);
    if (!chunk) return null;
    if (chunk.name === 'COMM') {
      if (!(await input.fill(form === 'AIFC' ? 30 : 26))) return null;
      common = aiffCommon(input, form === 'AIFC' ? textAt(input, 26) : 'NONE');
      if (!common) return null;
    } else if (chunk.name === 'SSND') {
      if (!(await input.fill(16))) return null;
      // Samples may begin at an offset.
      const head = 8 + input.view.getUint32(input.start + 8);
      sound = { ...chunk, position: chunk.position + head, bytes: chunk.bytes - head };
    }
    position = chunk.end;
  }
  return common && sound ? aiffSound(common, sound, size) : null;
}

/** The frames that are counted, or else the chunk, say how much there is. */
function aiffSound({ format, frames }: AiffCommon, sound: Chunk, size: number): Found {
  const there = size - sound.position;
  const ofChunk = lengthToRead(Math.max(0, sound.bytes), there);
  const ofFrames = format && lengthToRead(frames * format.frameBytes, there);
  const bytes = ofFrames ?? ofChunk;
  const end = ofChunk === null ? bytes : Math.max(ofChunk + (ofChunk % 2), bytes ?? 0);
  return {
    container: 'aiff',
    format,
    data: { position: sound.position, bytes },
    end: bytes === null || end === null ? null : sound.position + end,
    chunks: aiffChunk,
    sound: { name: 'SSND', headBytes: 8 },
  };
}

function aiffCommon(input: InputBuffer, type: string): AiffCommon | null {
  const { view } = input;
  const at = input.start + 8;
  const channels = view.getUint16(at);
  const frames = view.getUint32(at + 2);
  const bits = view.getUint16(at + 6);
  // An 80-bit float; the rate is in the higher half of its mantissa.
  const sampleRateHz = view.getUint32(at + 10) * 2 ** ((view.getUint16(at + 8) & 0x7fff) - 16383 - 31);
  if (!areChannels(channels) || !(sampleRateHz >= 1 && Number.isInteger(sampleRateHz))) return null;
  const known = Object.hasOwn(aiffEncodings, type) ? aiffEncodings[type] : undefined;
  if (known === undefined) return { format: null, frames };
  if (known !== 'integer') return { format: plain(known, channels, sampleRateHz), frames };
  const encoding = signedEncoding(Math.ceil(bits / 8), type === 'sowt');
  return encoding ? { format: plain(encoding, channels, sampleRateHz, bits), frames } : null;
}

/** Unlike those in WAV, integers of one byte have a sign here. */
function signedEncoding(bytes: number, littleEndian: boolean): Encoding | undefined {
  return bytes === 1 ? 's8' : plainEncoding('integer', bytes, littleEndian);
}

async function cafChunk(input: InputBuffer, position: number): Promise<Chunk | null> {
  if (!(await input.seek(position)) || !(await input.fill(12))) return null;
  const name = textAt(input, 0);
  const bytes = Number(input.view.getBigInt64(input.start + 4));
  if (!/^[\x20-\x7e]{4}$/.test(name) || !Number.isSafeInteger(bytes)) return null;
  return { name, position: position + 12, bytes, end: position + 12 + Math.max(0, bytes) };
}

/** Apple's Core Audio Format. */
async function findCaf(input: InputBuffer, base: number): Promise<Found | null> {
  if (!(await input.seek(base)) || !(await input.fill(8)) || textAt(input, 0) !== 'caff') return null;
  let format: PcmFormat | null | undefined;
  let position = base + 8;
  for (let count = 0; count < mostChunks; count++) {
    const chunk = await cafChunk(input, position);
    if (!chunk) return null;
    if (chunk.name === 'desc') {
      if (!(await input.fill(44))) return null;
      format = cafFormat(input.view, input.start + 12);
    } else if (chunk.name === 'data') {
      if (format === undefined) return null;
      // The count of edits comes before the sound; -1 stands for all that follows.
      const bytes = chunk.bytes < 4 ? null : chunk.bytes - 4;
      return {
        container: 'caf',
        format,
        data: { position: chunk.position + 4, bytes },
        end: bytes === null ? null : chunk.end,
        chunks: cafChunk,
        sound: { name: 'data', headBytes: 4 },
      };
    }
    if (chunk.bytes < 0) return null;
    position = chunk.end;
  }
  return null;
}

/** Of constant packets, each one sample frame of plain samples; else null. */
function cafFormat(view: DataView, at: number): PcmFormat | null {
  const sampleRateHz = view.getFloat64(at);
  const id = String.fromCharCode(...[8, 9, 10, 11].map((byte) => view.getUint8(at + byte)));
  const [flags, frameBytes, packetFrames, channels, bits] = [12, 16, 20, 24, 28].map((field) =>
    view.getUint32(at + field),
  );
  if (packetFrames !== 1 || !areChannels(channels) || !(sampleRateHz >= 1 && Number.isInteger(sampleRateHz))) {
    return null;
  }
  const littleEndian = (flags & 2) !== 0;
  const encoding =
    id === 'ulaw'
      ? 'mulaw'
      : id === 'alaw'
        ? 'alaw'
        : id !== 'lpcm'
          ? undefined
          : (flags & 1) !== 0
            ? plainEncoding('float', bits / 8, littleEndian)
            : signedEncoding(Math.ceil(bits / 8), littleEndian);
  if (!encoding || frameBytes !== channels * encodingBytes(encoding)) return null;
  return plain(encoding, channels, sampleRateHz, id === 'lpcm' ? bits : 8);
}
