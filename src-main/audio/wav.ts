/** Reads WAV, RF64 and their kin without ffmpeg, also where headers lie about lengths. */
import { UserFacingError } from '../base/errors.ts';
import type { HeaderNotes } from './header-notes.ts';
import type { InputBuffer } from './input.ts';
import { PcmDecoder, encodingBytes, maximumChannels, plainEncoding } from './pcm.ts';
import type { Encoding, PcmFormat, PcmPart } from './pcm.ts';
import { UnreadParts, isFilling, isPlaceholder, mostFilling } from './unread.ts';
import type { UnreadSound } from './types.ts';

// Format tags.
const integerTag = 1;
const floatTag = 3;
const extensibleTag = 0xfffe;
const logarithmic: Partial<Record<number, Encoding>> = { 6: 'alaw', 7: 'mulaw' };
// A 32-bit length that stands for one given elsewhere, or nowhere.
const noLength = 0xffffffff;
const wrap = 2 ** 32;

// The end of every GUID that Microsoft made of a format tag: {0000TTTT-0000-0010-8000-00AA00389B71}.
const guidEnd = [0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/** Chunks that are looked at behind the sound. */
const mostChunks = 10_000;

/** How the sound of a WAV file is to be read; `forFfmpeg` where it is not plain samples. */
export type OpenedWav = { decoder: PcmDecoder } | { forFfmpeg: true; coded: string | null; headers: HeaderNotes };

/**
 * Opens RIFF/WAVE (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", and
 * WAVE_FORMAT_EXTENSIBLE), RIFX (the same with the most significant byte first) and RF64 (EBU Tech 3306, ITU-R BS.2088): PCM of 8
 * to 32 bits, floats of 32 and 64, A-law and mu-law, chunks in any order. A data chunk whose length was never brought up to date, or
 * that has 2^32 bytes or more and no longer length, reaches to the end of the input.
 * @param options.readAll reads also what lies behind the declared length and in further chunks
 * @returns where the format is another's business (compressed, odd containers), `forFfmpeg`, with what the samples seem to be
 * codes of (`AC-3, DTS or another code for S/PDIF`) or null.
 * @throws UserFacingError `undecodable` where the header leaves no way to decode the file.
 */
export async function openWav(
  input: InputBuffer,
  path: string,
  options: { readAll?: boolean } = {},
): Promise<OpenedWav> {
  await input.fill(12);
  const littleEndian = input.bytes[input.start + 3] !== 0x58;
  const reader = new ChunkReader(input, littleEndian);
  const riffBytes = input.view.getUint32(input.start + 4, littleEndian);
  const found = await findSound(reader, riffBytes, path);
  if (!found) return { forFfmpeg: true, coded: null, headers: await codedLength(reader, riffBytes) };
  const { data, fields } = found;
  const { size } = input.source;
  const { format, contradiction } = await formatOf(fields, littleEndian, input, data);
  const coded = format && (await codedSound(input, format, data.position));
  if (!format || coded) return { forFfmpeg: true, coded, headers: {} };
  const { readAll = false } = options;
  const tail =
    size === null || data.bytes === null
      ? null
      : await surveyTail(reader, format, { position: data.position, bytes: data.bytes }, size);
  const parts = readAll && tail ? [data, ...tail.parts] : [data];
  await input.seek(data.position);
  const decoder = new PcmDecoder(input, 'wav', format, parts);
  Object.assign(decoder.notes, tail?.told(readAll));
  decoder.notes.contradictions.push(...found.contradictions, ...(contradiction ? [contradiction] : []));
  return { decoder };
}

interface Chunk {
  name: string;
  bytes: number;
  /** Of its content. */
  position: number;
}

/** Reads chunk headers wherever they are asked for. */
class ChunkReader {
  readonly input: InputBuffer;
  readonly littleEndian: boolean;

  constructor(input: InputBuffer, littleEndian: boolean) {
    this.input = input;
    this.littleEndian = littleEndian;
  }

  /** The chunk that begins there; null where the input ends before. */
  async at(position: number): Promise<Chunk | null> {
    const { input } = this;
    if (!(await input.seek(position)) || !(await input.fill(8))) return null;
    const name = String.fromCharCode(...input.bytes.subarray(input.start, input.start + 4));
    return { name, bytes: input.view.getUint32(input.start + 4, this.littleEndian), position: position + 8 };
  }

  /** Up to `count` bytes from a position on. */
  async bytesAt(position: number, count: number): Promise<Uint8Array> {
    const { input } = this;
    if (!(await input.seek(position))) return new Uint8Array(0);
    await input.fill(count);
    return input.bytes.subarray(input.start, input.start + Math.min(count, input.available));
  }

  /** A whole recording that begins there behind the first: `RIFF`, a length, `WAVE`. */
  async isFile(position: number): Promise<boolean> {
    const head = String.fromCharCode(...(await this.bytesAt(position, 12)));
    return /^(RIFF|RIFX|RF64|BW64)[^]{4}WAVE$/.test(head);
  }

  /** Whether nothing but chunks lies between two positions. */
  async isChain(from: number, end: number): Promise<boolean> {
    let position = from;
    for (let count = 0; position < end && count < mostChunks; count++) {
      const chunk = await this.at(position);
      if (!chunk || !isName(chunk.name)) return false;
      position = after(chunk);
    }
    return position === end || position === end + 1;
  }
}

function after({ position, bytes }: Chunk): number {
  return position + bytes + (bytes % 2);
}

function isName(name: string): boolean {
  return /^[\x20-\x7e]{4}$/.test(name);
}

function undecodable(path: string, why: string): UserFacingError {
  return new UserFacingError('undecodable', `${path} cannot be decoded: ${why}.`, {
    path,
    advice: 'Get the recording again from where it came from.',
  });
}

interface FormatFields {
  tag: number;
  channels: number;
  sampleRateHz: number;
  frameBytes: number;
  bits: number;
  validBits: number;
}

interface Sound {
  fields: FormatFields;
  data: PcmPart;
  contradictions: string[];
}

/** The first chunk of sound that holds any, and its format; null where ffmpeg should try. */
async function findSound(reader: ChunkReader, riffBytes: number, path: string): Promise<Sound | null> {
  const { input, littleEndian } = reader;
  const { size } = input.source;
  let fields: FormatFields | null = null;
  let data: PcmPart | null = null;
  // Of the data chunk, in RF64.
  let longBytes: number | null = null;
  const contradictions: string[] = [];
  let position = 12;
  while (!(fields && data)) {
    const chunk = await reader.at(position);
    if (!chunk) break;
    if (chunk.name === 'ds64' && chunk.bytes >= 24) {
      await input.seek(chunk.position);
      if (!(await input.fill(24))) break;
      const claimed = Number(input.view.getBigUint64(input.start + 8, littleEndian));
      // 0 is a header that was never brought up to date.
      if (claimed > 0 && Number.isSafeInteger(claimed)) longBytes = claimed;
    } else if (chunk.name === 'fmt ' && !fields) {
      const wanted = Math.min(chunk.bytes, 40);
      await input.seek(chunk.position);
      if (!(await input.fill(wanted)) || wanted < 16) break;
      const view = new DataView(input.bytes.buffer, input.bytes.byteOffset + input.start, wanted);
      const parsed = parseFields(view, littleEndian);
      if (typeof parsed === 'string') throw undecodable(path, parsed);
      if (!parsed) return null;
      fields = parsed;
    } else if (chunk.name === 'data' && !data) {
      const shorter = chunk.bytes;
      if (longBytes !== null) {
        chunk.bytes = trueLength(chunk.bytes, longBytes, size === null ? null : size - chunk.position);
        if (shorter !== noLength && shorter !== longBytes) {
          contradictions.push(
            `Its headers give two lengths, ${shorter} and ${longBytes} bytes; ${chunk.bytes} were taken.`,
          );
        }
      }
      const bytes = size === null ? pipeLength(chunk.bytes) : await dataLength(reader, chunk, riffBytes, size);
      // Where an empty one is followed by another, that holds the sound.
      if (bytes !== 0 || !(await anotherData(reader, chunk))) data = { position: chunk.position, bytes };
      if (bytes === null && !fields) break;
      chunk.bytes = bytes ?? 0;
    } else if (chunk.name === 'LIST') {
      // A list of chunks of sound and silence.
      const form = String.fromCharCode(...(await reader.bytesAt(chunk.position, 4)));
      if (form === 'wavl') chunk.bytes = 4;
    }
    position = after(chunk);
  }
  if (!fields) throw undecodable(path, 'its header does not say how the sound is stored');
  if (!data || !(await input.seek(data.position))) throw undecodable(path, 'it has a header but no sound');
  return { fields, data, contradictions };
}

/** Of coded sound: what is declared, what of it is there, and what lies behind it that is no chunk. */
async function codedLength(reader: ChunkReader, riffBytes: number): Promise<HeaderNotes> {
  const { input } = reader;
  const { size } = input.source;
  if (size === null) return {};
  let position = 12;
  for (let count = 0; count < mostChunks; count++) {
    const chunk = await reader.at(position);
    if (!chunk || chunk.name === 'ds64') return {};
    if (chunk.name === 'data') {
      const declaredBytes = await dataLength(reader, chunk, riffBytes, size);
      if (declaredBytes === null || declaredBytes === 0) return {};
      const there = size - chunk.position;
      const end = chunk.position + declaredBytes;
      const coded = { declaredBytes, thereBytes: Math.min(declaredBytes, there) };
      const behindBytes = size - end;
      if (behindBytes <= 1) return { coded };
      const next = await reader.at(end + (end % 2));
      if (next && isName(next.name)) return { coded };
      return (await isFilling(input, end, size)) ? { coded } : { coded, behindBytes };
    }
    position = after(chunk);
  }
  return {};
}

function pipeLength(bytes: number): number | null {
  return bytes === noLength || bytes === 0 ? null : bytes;
}

/** Of the 32-bit length and the 64-bit one, that which the file bears out; the longer where it bears out both. */
function trueLength(short: number, long: number, there: number | null): number {
  if (short === noLength || there === null) return long;
  return short <= there && long <= there ? Math.max(short, long) : short <= there ? short : long;
}

/** The data chunk's length as it is to be read; null: to the end. */
async function dataLength(reader: ChunkReader, chunk: Chunk, riffBytes: number, size: number): Promise<number | null> {
  const { bytes, position } = chunk;
  const there = size - position;
  // An empty recording with a true header has no sound; any other was never brought up to date.
  if (bytes === 0)
    return there === 0 || (await reader.isChain(position, size)) ? 0 : toTheEnd(reader, chunk, riffBytes, size);
  if (bytes > there) return isPlaceholder(bytes) ? toTheEnd(reader, chunk, riffBytes, size) : bytes;
  // A length that 32 bits were too few for.
  for (let whole = bytes + Math.floor((there - bytes) / wrap) * wrap; whole > bytes; whole -= wrap) {
    if (whole === there || (await reader.isChain(position + whole + (whole % 2), size))) return whole;
  }
  return bytes;
}

/** The sound up to what follows it: chunks, another recording, or the end (null). */
async function toTheEnd(reader: ChunkReader, chunk: Chunk, riffBytes: number, size: number): Promise<number | null> {
  const riffEnd = 8 + riffBytes + (riffBytes % 2);
  if (riffEnd > chunk.position && riffEnd < size && (await reader.isFile(riffEnd))) return riffEnd - chunk.position;
  const from = Math.max(chunk.position, size - mostFilling);
  const tail = Buffer.from(await reader.bytesAt(from, size - from)).toString('latin1');
  for (const match of tail.matchAll(/LIST|id3 |ID3 |bext|cue |smpl|iXML|_PMX|fact|inst|axml/g)) {
    if (await reader.isChain(from + match.index, size)) return from + match.index - chunk.position;
  }
  return null;
}

/** Whether one that holds something follows an empty chunk of sound. */
async function anotherData(reader: ChunkReader, empty: Chunk): Promise<boolean> {
  let position = empty.position;
  for (let count = 0; count < mostChunks; count++) {
    const chunk = await reader.at(position);
    if (!chunk || !isName(chunk.name)) return false;
    if (chunk.name === 'data' && chunk.bytes > 0) return true;
    position = after(chunk);
  }
  return false;
}

/** The format, null where ffmpeg should try, or why nobody can decode it. */
function parseFields(chunk: DataView, littleEndian: boolean): FormatFields | null | string {
  let tag = chunk.getUint16(0, littleEndian);
  const channels = chunk.getUint16(2, littleEndian);
  const sampleRateHz = chunk.getUint32(4, littleEndian);
  const frameBytes = chunk.getUint16(12, littleEndian);
  let bits = chunk.getUint16(14, littleEndian);
  let validBits = bits;
  if (tag === extensibleTag) {
    const plain = chunk.byteLength < 40 ? null : plainTag(chunk, littleEndian);
    if (plain === null) return null;
    tag = plain;
    // For PCM the container's low bits are then zero, so the value stays right whatever this says.
    validBits = chunk.getUint16(18, littleEndian) || bits;
  }
  if (tag !== integerTag && tag !== floatTag && !(tag in logarithmic)) return null;
  if (channels === 0) return 'its header claims no channel';
  if (channels > maximumChannels) return `its header claims ${channels} channels`;
  if (tag in logarithmic) bits = validBits = 8;
  return { tag, channels, sampleRateHz, frameBytes, bits, validBits: Math.min(validBits, bits) };
}

/** The format tag in a GUID; null where that is another's. */
function plainTag(chunk: DataView, littleEndian: boolean): number | null {
  if (guidEnd.some((byte, index) => chunk.getUint8(32 + index) !== byte)) return null;
  const usual = chunk.getUint16(28, true) === 0 && chunk.getUint16(30, true) === 0x10;
  if (littleEndian) return usual && chunk.getUint16(26, true) === 0 ? chunk.getUint16(24, true) : null;
  // Programs write it into RIFX in one order of bytes, the other, or both mixed; tags that are read here have one byte.
  const tag = [24, 25, 26, 27].map((at) => chunk.getUint8(at)).filter((byte) => byte !== 0);
  const turned = chunk.getUint16(28) === 0 && chunk.getUint16(30) === 0x10;
  return tag.length === 1 && (usual || turned) ? tag[0] : null;
}

/**
 * How the samples lie. Where the header's bytes for a sample of every channel are not what its bits take, the samples tell which
 * holds: what fills a container up is zero throughout.
 */
async function formatOf(
  fields: FormatFields,
  littleEndian: boolean,
  input: InputBuffer,
  data: PcmPart,
): Promise<{ format: PcmFormat | null; contradiction: string | null }> {
  const { tag, channels, sampleRateHz, bits, validBits } = fields;
  const encodingOf = (bytes: number): Encoding | undefined =>
    tag in logarithmic
      ? logarithmic[tag]
      : plainEncoding(tag === integerTag ? 'integer' : 'float', bytes, littleEndian);
  const made = (encoding: Encoding): PcmFormat => ({
    encoding,
    channels,
    sampleRateHz,
    bitsPerSample: validBits,
    frameBytes: channels * encodingBytes(encoding),
  });
  const natural = Math.ceil(bits / 8);
  const claimed = fields.frameBytes % channels === 0 ? fields.frameBytes / channels : 0;
  const plain = bits === 0 || (tag === floatTag && bits % 32 !== 0) ? undefined : encodingOf(natural);
  if (!plain) return { format: null, contradiction: null };
  if (claimed === natural) return { format: made(plain), contradiction: null };
  const wider = tag === integerTag && claimed > natural ? encodingOf(claimed) : undefined;
  if (wider && (await isFilledUp(input, data, claimed, natural, littleEndian))) {
    return { format: made(wider), contradiction: null };
  }
  const contradiction = `Its header says that a sample of all channels takes ${fields.frameBytes} bytes; it takes ${channels * natural}.`;
  return { format: made(plain), contradiction };
}

/** Whether samples of fewer bytes lie at the top of containers, and not all of them are zero. */
async function isFilledUp(
  input: InputBuffer,
  data: PcmPart,
  container: number,
  natural: number,
  littleEndian: boolean,
): Promise<boolean> {
  const { size } = input.source;
  const whole = Math.min(data.bytes ?? Infinity, (size ?? Infinity) - data.position);
  const filling = littleEndian ? [0, container - natural] : [natural, container];
  let heard = 0;
  // Sound may begin late.
  const places = Number.isFinite(whole) ? 16 : 1;
  for (let place = 0; place < places; place++) {
    const offset = place === 0 ? 0 : Math.floor((whole * place) / places / container) * container;
    await input.seek(data.position + offset);
    await input.fill(4096 * container);
    const { bytes, start } = input;
    const end = start + Math.floor(Math.min(4096 * container, input.available, whole - offset) / container) * container;
    for (let at = start; at < end; at += container) {
      for (let i = 0; i < container; i++) {
        if (bytes[at + i] === 0) continue;
        if (i >= filling[0] && i < filling[1]) return false;
        heard++;
      }
    }
  }
  return heard > 0;
}

// Words that coded sound begins each of its frames with, as bytes.
const syncWords: [string, string][] = [
  ['72f81f4e', 'AC-3, DTS or another code for S/PDIF'],
  ['f8724e1f', 'AC-3, DTS or another code for S/PDIF'],
  ['72f8961f4ea5', 'Dolby E or another code for AES3'],
  ['f09f6d0ff054', 'Dolby E or another code for AES3'],
  ['fe7f0180', 'DTS'],
  ['7ffe8001', 'DTS'],
  ['ff1f00e8', 'DTS'],
  ['1fffe800', 'DTS'],
];
const searchedBytes = 128 * 1024;

/** What the samples are codes of, if not of sound: of two channels only, as such carriers have. */
async function codedSound(input: InputBuffer, format: PcmFormat, position: number): Promise<string | null> {
  if (format.channels < 2 || !/^s(16|24|32)/.test(format.encoding)) return null;
  await input.seek(position);
  await input.fill(searchedBytes);
  const bytes = Buffer.from(
    input.bytes.buffer,
    input.bytes.byteOffset + input.start,
    Math.min(input.available, searchedBytes),
  );
  for (const [word, name] of syncWords) {
    const pattern = Buffer.from(word, 'hex');
    const first = bytes.indexOf(pattern);
    if (first >= 0 && bytes.includes(pattern, first + 32)) return name;
  }
  return null;
}

/** What sound lies behind the first chunk of it. */
async function surveyTail(
  reader: ChunkReader,
  format: PcmFormat,
  data: { position: number; bytes: number },
  size: number,
): Promise<UnreadParts> {
  const dataEnd = data.position + data.bytes;
  const tail = new UnreadParts(format, size);
  let position = dataEnd + (dataEnd % 2);
  let kind: UnreadSound['kind'] = 'further-chunk';
  let current: PcmFormat | null = format;
  for (let count = 0; position < size && count < mostChunks; count++) {
    if (await reader.isFile(position)) {
      const order = (await reader.bytesAt(position, 4))[3] !== 0x58;
      reader = new ChunkReader(reader.input, order);
      kind = 'further-file';
      current = null;
      position += 12;
      continue;
    }
    const chunk: Chunk | null = await reader.at(position);
    if (!chunk || !isName(chunk.name) || (chunk.name !== 'data' && after(chunk) > size + 1)) {
      const goesOn = position <= dataEnd + 1;
      // From the frame on that the length cut.
      const from = goesOn ? dataEnd - (data.bytes % format.frameBytes) : position;
      if (!(await isFilling(reader.input, position, size)))
        tail.add('after-length', { position: from, bytes: size - from });
      break;
    }
    if (chunk.name === 'fmt ' && current === null && chunk.bytes >= 16) {
      const view = copied(await reader.bytesAt(chunk.position, Math.min(40, chunk.bytes)));
      const fields = parseFields(view, reader.littleEndian);
      if (fields && typeof fields === 'object') {
        current = (await formatOf(fields, reader.littleEndian, reader.input, { position: chunk.position, bytes: 0 }))
          .format;
      }
    } else if (chunk.name === 'data' && current) {
      const there = size - chunk.position;
      const bytes =
        chunk.bytes === 0 && !(await reader.isChain(chunk.position, size)) ? there : Math.min(chunk.bytes, there);
      tail.add(kind, { position: chunk.position, bytes }, current);
      chunk.bytes = bytes;
    }
    position = after(chunk);
  }
  return tail;
}

function copied(bytes: Uint8Array): DataView {
  return new DataView(new Uint8Array(bytes).buffer);
}
