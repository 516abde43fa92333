/**
 * How a file is built: its parts in their order, and what they say of the program that wrote it and when. Read beside MediaInfo's summary
 * since the order, what is left empty and what only one maker writes tell programs apart: Gloe, Fischer and Kirchner, "Forensic
 * analysis of video file formats", Digital Investigation 11, 2014 (boxes of ISO media); Koenig and Lacey, "Forensic authentication
 * of digital audio and video files", 2015 (WAV). ISO/IEC 14496-12, EBU Tech 3285 (BWF), id3.org, RFC 7845, xiph.org/flac.
 */
import type { FileHandle } from 'node:fs/promises';
import { openRegularFile } from '../audio/input.ts';

export interface ContainerHistory {
  /** `mp4`, `wav`, `flac`, `ogg`, `mp3`; null: no structure is read of it. */
  format: 'mp4' | 'wav' | 'flac' | 'ogg' | 'mp3' | null;
  /** Parts in their order, those within others in brackets: `ftyp free mdat moov(mvhd trak(…))`. */
  structure: string;
  /** What it says, in the order of the file. */
  facts: { name: string; value: string }[];
}

const mostParts = 4000;
const mostFacts = 200;
const longestValue = 300;
/** Texts that a file holds are not read beyond. */
const mostTextBytes = 64 * 1024;
const deepest = 12;

/** @throws UserFacingError as `openRegularFile` */
export async function containerHistory(path: string): Promise<ContainerHistory> {
  const { handle, size } = await openRegularFile(path);
  try {
    const reader = new Reader(handle, size);
    const head = await reader.bytes(0, 12);
    const magic = head.toString('latin1');
    if (/^(RIFF|RF64|BW64).{4}WAVE/s.test(magic)) return await wavHistory(reader);
    if (/^.{4}(ftyp|moov|mdat|wide|free|skip)/s.test(magic)) return await mp4History(reader);
    if (magic.startsWith('fLaC')) return await flacHistory(reader, 0);
    if (magic.startsWith('OggS')) return await oggHistory(reader);
    // AAC in ADTS begins alike, but names no layer.
    const isFrame = head.length > 1 && head[0] === 0xff && head[1] >= 0xe0 && (head[1] & 6) !== 0;
    if (magic.startsWith('ID3') || isFrame) return await mp3History(reader);
    return { format: null, structure: '', facts: [] };
  } finally {
    await handle.close();
  }
}

/** Bytes of a file, and what was found in them, both bounded. */
class Reader {
  readonly #handle: FileHandle;
  readonly size: number;
  readonly facts: ContainerHistory['facts'] = [];
  #parts = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  /** As many as there are, at most so many. */
  async bytes(at: number, count: number): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.max(0, Math.min(count, this.size - at)));
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at);
    return buffer.subarray(0, bytesRead);
  }

  /** False where a hostile file has more parts than any real one. */
  part(): boolean {
    return ++this.#parts <= mostParts;
  }

  fact(name: string, value: string | number): void {
    const text = String(value).replace(/\0+$/, '').trim();
    if (text === '' || this.facts.length >= mostFacts) return;
    this.facts.push({ name, value: text.length > longestValue ? `${text.slice(0, longestValue)}…` : text });
  }
}

const printable = (bytes: Buffer): string => bytes.toString('latin1').replace(/[^ -~\u00a9]/g, '?');

// ---- ISO media (MP4, M4A, 3GP, MOV)

const boxesWithBoxes = new Set([
  'moov',
  'trak',
  'mdia',
  'minf',
  'stbl',
  'edts',
  'udta',
  'dinf',
  'mvex',
  'moof',
  'traf',
]);
/** Seconds from 1904 to 1970. */
const since1904 = 2_082_844_800;

async function mp4History(reader: Reader): Promise<ContainerHistory> {
  const structure = await boxes(reader, 0, reader.size, '', 0, []);
  return { format: 'mp4', structure, facts: reader.facts };
}

async function boxes(
  reader: Reader,
  from: number,
  to: number,
  within: string,
  depth: number,
  keys: string[],
): Promise<string> {
  const parts: string[] = [];
  for (let at = from; at + 8 <= to && depth < deepest && reader.part();) {
    const head = await reader.bytes(at, 16);
    if (head.length < 8) break;
    let bytes = head.readUInt32BE(0);
    let headBytes = 8;
    if (bytes === 1 && head.length === 16) [bytes, headBytes] = [Number(head.readBigUInt64BE(8)), 16];
    if (bytes === 0) bytes = to - at;
    if (bytes < headBytes) break;
    const raw = head.subarray(4, 8);
    const isNumbered = within === 'ilst' && raw.readUInt32BE(0) > 0 && raw.readUInt32BE(0) <= keys.length;
    const type = isNumbered ? `#${raw.readUInt32BE(0)}` : printable(raw);
    const [begin, end] = [at + headBytes, Math.min(to, at + bytes)];
    let inner = '';
    if (boxesWithBoxes.has(type)) inner = await boxes(reader, begin, end, type, depth + 1, keys);
    else if (type === 'meta') {
      // QuickTime's has no version before its boxes.
      const isFull = (await reader.bytes(begin + 4, 4)).toString('latin1') !== 'hdlr';
      inner = await boxes(reader, begin + (isFull ? 4 : 0), end, type, depth + 1, keys);
    } else if (type === 'ilst') inner = await boxes(reader, begin, end, type, depth + 1, keys);
    else if (within === 'ilst') await itemValue(reader, begin, end, isNumbered ? keys[raw.readUInt32BE(0) - 1] : type);
    else await boxFacts(reader, type, within, begin, end, keys);
    parts.push(inner === '' ? type : `${type}(${inner})`);
    if (at + bytes > to) {
      reader.fact(`Box ${type}`, `reaches ${at + bytes - to} bytes beyond the end`);
      break;
    }
    at += bytes;
  }
  return parts.join(' ');
}

async function boxFacts(
  reader: Reader,
  type: string,
  within: string,
  begin: number,
  end: number,
  keys: string[],
): Promise<void> {
  if (type === 'mdat' || type === 'free' || type === 'skip') return;
  const content = await reader.bytes(begin, Math.min(end - begin, mostTextBytes));
  if (type === 'ftyp' && content.length >= 8) {
    const brands = Array.from({ length: Math.floor(content.length / 4) }, (_, i) =>
      printable(content.subarray(4 * i, 4 * i + 4)),
    );
    reader.fact('Brand', `${brands[0]}, version ${content.readUInt32BE(4)}, compatible: ${brands.slice(2).join(', ')}`);
  } else if ((type === 'mvhd' || type === 'tkhd' || type === 'mdhd') && content.length >= 20) {
    const long = content[0] === 1;
    const times = long
      ? [Number(content.readBigUInt64BE(4)), Number(content.readBigUInt64BE(12))]
      : [content.readUInt32BE(4), content.readUInt32BE(8)];
    reader.fact(`${type}: created, modified`, times.map(timeOf1904).join(', '));
  } else if (type === 'elst' && content.length >= 8) {
    const long = content[0] === 1;
    const count = Math.min(content.readUInt32BE(4), Math.floor((content.length - 8) / (long ? 20 : 12)));
    const edits = Array.from({ length: Math.min(count, 16) }, (_, i) => {
      const at = 8 + i * (long ? 20 : 12);
      const [duration, media] = long
        ? [content.readBigUInt64BE(at), content.readBigInt64BE(at + 8)]
        : [content.readUInt32BE(at), content.readInt32BE(at + 4)];
      return `${duration} from ${media}`;
    });
    reader.fact('Edit list (duration in the movie’s time scale, from in the track’s)', `${count}: ${edits.join('; ')}`);
  } else if (type === 'hdlr' && content.length > 24) {
    // QuickTime counts its letters before them.
    const name = content.subarray(content[24] < 32 ? 25 : 24).toString('utf8');
    reader.fact(`Handler ${printable(content.subarray(8, 12))}`, name);
  } else if (type === 'keys' && content.length >= 8) {
    for (let at = 8; at + 8 <= content.length && keys.length < 256;) {
      const bytes = content.readUInt32BE(at);
      if (bytes < 8) break;
      keys.push(content.subarray(at + 8, at + bytes).toString('utf8'));
      at += bytes;
    }
  } else if (within === 'udta') {
    // Text with its length and language, as QuickTime and telephones write it; else whatever is readable.
    const isText = type.startsWith('\u00a9') && content.length > 4;
    const text = isText ? content.subarray(4, 4 + content.readUInt16BE(0)) : content;
    reader.fact(
      `User data ${type}`,
      isText ? text.toString('utf8') : `${end - begin} bytes: ${printable(text.subarray(0, 80))}`,
    );
  }
}

async function itemValue(reader: Reader, begin: number, end: number, name: string): Promise<void> {
  const content = await reader.bytes(begin, Math.min(end - begin, mostTextBytes));
  let title = name;
  for (let at = 0; at + 16 <= content.length && reader.part();) {
    const bytes = content.readUInt32BE(at);
    const type = content.toString('latin1', at + 4, at + 8);
    if (bytes < 12) return;
    const value = content.subarray(at + (type === 'data' ? 16 : 12), at + bytes);
    // Names of its own, as in `----`.
    if (type === 'name') title = value.toString('utf8');
    // 1: UTF-8.
    if (type === 'data') reader.fact(`Tag ${title}`, content.readUInt32BE(at + 8) === 1 ? value.toString('utf8') : `${value.length} bytes`); // prettier-ignore
    at += bytes;
  }
}

function timeOf1904(seconds: number): string {
  if (seconds === 0) return 'not set';
  const time = new Date((seconds - since1904) * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} s` : time.toISOString().replace('.000', '');
}

// ---- WAV (RIFF, RF64, BW64)

async function wavHistory(reader: Reader): Promise<ContainerHistory> {
  const head = await reader.bytes(0, 8);
  const declared = head.readUInt32LE(4);
  const parts: string[] = [];
  let at = 12;
  for (; at + 8 <= reader.size && reader.part();) {
    const chunk = await reader.bytes(at, 8);
    const name = printable(chunk.subarray(0, 4));
    const bytes = chunk.readUInt32LE(4);
    const content = name === 'data' ? Buffer.alloc(0) : await reader.bytes(at + 8, Math.min(bytes, mostTextBytes));
    parts.push(name === 'fmt ' ? `fmt(${bytes})` : name.trim());
    chunkFacts(reader, name, content, bytes);
    if (name === 'data' && at + 8 + bytes > reader.size) {
      reader.fact(
        'Chunk data',
        bytes === 0xffffffff ? 'length not filled in' : `reaches ${at + 8 + bytes - reader.size} bytes beyond the end`,
      );
      break;
    }
    at += 8 + bytes + (bytes % 2);
  }
  const id = head.toString('latin1', 0, 4);
  if (id === 'RIFF' && declared !== 0xffffffff && declared + 8 !== reader.size) {
    reader.fact('Declared length', `${declared + 8} bytes; the file has ${reader.size}`);
  }
  return { format: 'wav', structure: `${id}(${parts.join(' ')})`, facts: reader.facts };
}

function chunkFacts(reader: Reader, name: string, content: Buffer, bytes: number): void {
  const text = (from: number, length: number): string => content.toString('latin1', from, from + length).split('\0')[0];
  if (name === 'bext' && content.length >= 602) {
    reader.fact('BWF description', text(0, 256));
    reader.fact('BWF originator', text(256, 32));
    reader.fact('BWF originator reference', text(288, 32));
    reader.fact('BWF origination', `${text(320, 10)} ${text(330, 8)}`);
    reader.fact('BWF time reference (samples since midnight)', Number(content.readBigUInt64LE(338)));
    reader.fact('BWF version', content.readUInt16LE(346));
    reader.fact('BWF coding history', text(602, content.length - 602));
  } else if (name === 'LIST' && content.toString('latin1', 0, 4) === 'INFO') {
    for (let at = 4; at + 8 <= content.length && reader.part();) {
      const length = content.readUInt32LE(at + 4);
      reader.fact(
        `INFO ${printable(content.subarray(at, at + 4))}`,
        content.subarray(at + 8, at + 8 + length).toString('utf8'),
      );
      at += 8 + length + (length % 2);
    }
  } else if (name === 'iXML') {
    // Elements of text alone; nothing of it is run or fetched.
    for (const [, element, value] of content.toString('utf8').matchAll(/<([A-Z_]+)>([^<]{1,300})<\/\1>/g))
      reader.fact(`iXML ${element}`, value);
  } else if (!['fmt ', 'data', 'fact', 'LIST', 'JUNK', 'PAD ', 'FLLR', 'ds64'].includes(name)) {
    reader.fact(`Chunk ${name.trim()}`, `${bytes} bytes`);
  }
}

// ---- FLAC, Ogg, MP3

const flacBlocks = ['STREAMINFO', 'PADDING', 'APPLICATION', 'SEEKTABLE', 'VORBIS_COMMENT', 'CUESHEET', 'PICTURE'];

async function flacHistory(reader: Reader, start: number): Promise<ContainerHistory> {
  const parts: string[] = [];
  for (let at = start + 4; reader.part();) {
    const head = await reader.bytes(at, 4);
    if (head.length < 4) break;
    const type = head[0] & 0x7f;
    const bytes = head.readUIntBE(1, 3);
    parts.push(flacBlocks[type] ?? `block ${type}`);
    if (type === 4) comments(reader, await reader.bytes(at + 4, Math.min(bytes, mostTextBytes)));
    at += 4 + bytes;
    if (head[0] & 0x80) break;
  }
  return { format: 'flac', structure: `fLaC(${parts.join(' ')})`, facts: reader.facts };
}

async function oggHistory(reader: Reader): Promise<ContainerHistory> {
  const head = await reader.bytes(0, mostTextBytes);
  const marks = [['OpusHead', 'OpusTags', 8], ['\x01vorbis', '\x03vorbis', 7], ['Speex   ', '', 0]] as const; // prettier-ignore
  for (const [codec, tags, skip] of marks) {
    if (!head.includes(codec, 0, 'latin1')) continue;
    const at = tags === '' ? -1 : head.indexOf(tags, 0, 'latin1');
    if (at >= 0) comments(reader, head.subarray(at + skip));
    return {
      format: 'ogg',
      structure: `Ogg(${printable(Buffer.from(codec, 'latin1')).replace(/[? ]/g, '')})`,
      facts: reader.facts,
    };
  }
  return { format: 'ogg', structure: 'Ogg', facts: reader.facts };
}

/** The vendor and the comments of Vorbis, which FLAC and Opus share. */
function comments(reader: Reader, bytes: Buffer): void {
  let at = 0;
  const text = (): string | null => {
    if (at + 4 > bytes.length) return null;
    const length = bytes.readUInt32LE(at);
    if (at + 4 + length > bytes.length) return null;
    at += 4 + length;
    return bytes.toString('utf8', at - length, at);
  };
  reader.fact('Vendor', text() ?? '');
  const count = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0;
  at += 4;
  for (let i = 0; i < Math.min(count, 100); i++) {
    const comment = text();
    if (comment === null) return;
    const [name, ...value] = comment.split('=');
    reader.fact(`Comment ${name}`, value.join('='));
  }
}

async function mp3History(reader: Reader): Promise<ContainerHistory> {
  const parts: string[] = [];
  const head = await reader.bytes(0, 10);
  let at = 0;
  if (head.toString('latin1', 0, 3) === 'ID3' && head.length === 10) {
    const bytes = sevenBits(head.subarray(6, 10));
    const tag = await reader.bytes(10, Math.min(bytes, mostTextBytes));
    const names: string[] = [];
    for (let place = 0; place + 10 <= tag.length && tag[place] !== 0 && reader.part();) {
      const name = printable(tag.subarray(place, place + 4));
      const length = head[3] >= 4 ? sevenBits(tag.subarray(place + 4, place + 8)) : tag.readUInt32BE(place + 4);
      names.push(name);
      if (name.startsWith('T')) reader.fact(`ID3 ${name}`, id3Text(tag.subarray(place + 10, place + 10 + length)));
      place += 10 + length;
    }
    parts.push(`ID3v2.${head[3]}(${names.join(' ')})`);
    at = 10 + bytes;
    // FLAC behind a tag of MP3.
    if ((await reader.bytes(at, 4)).toString('latin1') === 'fLaC') return flacHistory(reader, at);
  }
  const first = await reader.bytes(at, 2048);
  const info = ['Xing', 'Info', 'VBRI']
    .map((name) => ({ name, place: first.indexOf(name) }))
    .find(({ place }) => place >= 0);
  if (info) {
    parts.push(info.name);
    const encoder = /(LAME|Lav[cf]|GOGO|L3\.99)[ -~]{0,6}/.exec(first.toString('latin1', info.place, info.place + 160));
    if (encoder) reader.fact('Encoder', encoder[0]);
  }
  parts.push('frames');
  if ((await reader.bytes(reader.size - 128, 3)).toString('latin1') === 'TAG') parts.push('ID3v1');
  return { format: 'mp3', structure: parts.join(' '), facts: reader.facts };
}

function sevenBits(bytes: Buffer): number {
  return bytes.reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
}

function id3Text(bytes: Buffer): string {
  const text = bytes.subarray(1);
  if (bytes[0] === 1 || bytes[0] === 2) {
    const isBig = bytes[0] === 2 || (text[0] === 0xfe && text[1] === 0xff);
    const even = Buffer.from(text.subarray(0, text.length - (text.length % 2)));
    return (isBig ? even.swap16() : even).toString('utf16le').replace(/^\ufeff/, '');
  }
  return text.toString(bytes[0] === 3 ? 'utf8' : 'latin1');
}
