/** What headers say of sound that ffmpeg decodes, read beside it: exact lengths, and whether frames are those of the codec. */
import type { InputBuffer } from './input.ts';
import type { CodedLength } from './plain-files.ts';

export interface HeaderNotes {
  /** Of the coded sound. */
  coded?: CodedLength;
  /** Sample frames that are there if nothing is missing, but for so many that encoders and decoders may count otherwise. */
  sound?: { frames: number; tolerance: number };
  /** As in `DecodeNotes`. */
  contradictions?: string[];
  /** Bytes of coded sound behind the declared length, which ffmpeg reads where it is reported to look past lengths (WAV). */
  behindBytes?: number;
}

/** Of a file that is neither WAV nor FLAC nor plain samples. */
export async function headerNotes(input: InputBuffer): Promise<HeaderNotes> {
  return (await amrNotes(input)) ?? (await sphereNotes(input)) ?? (await mp3Notes(input)) ?? {};
}

/** Bytes of each kind of frame with its header (RFC 4867, 3GPP TS 26.101 and 26.201); 0 for those that are reserved. */
const amrFrames = {
  '#!AMR\n': [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1],
  '#!AMR-WB\n': [18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1],
};
/** Four hours and more. */
const mostAmrBytes = 64 * 1024 ** 2;
/** A few may be damaged. */
const mostStrangeShare = 0.01;

/** Walks over the frames of AMR: what is another codec's under its name has no such heads. */
async function amrNotes(input: InputBuffer): Promise<HeaderNotes | null> {
  if (!(await input.seek(0)) || !(await input.fill(9))) return null;
  const start = Buffer.from(input.bytes.subarray(input.start, input.start + 9)).toString('latin1');
  const kind = Object.entries(amrFrames).find(([head]) => start.startsWith(head));
  if (!kind) return null;
  const [head, sizes] = kind;
  await input.seek(head.length);
  let frames = 0;
  let strange = 0;
  while (input.position < mostAmrBytes && (await input.fill(1))) {
    const first = input.bytes[input.start];
    const bytes = sizes[(first >> 3) & 15];
    frames++;
    // One bit before the kind, two behind its quality are zero.
    if (bytes === 0 || (first & 0x83) !== 0) strange++;
    if (!(await input.seek(input.position + Math.max(1, bytes)))) break;
  }
  if (strange < 2 || strange <= mostStrangeShare * frames) return {};
  const sentence = `${strange} of its ${frames} frames do not begin as those of AMR do: it is damaged, or holds another codec under that name.`;
  return { contradictions: [sentence] };
}

/** NIST SPHERE counts its samples in a header of text. */
async function sphereNotes(input: InputBuffer): Promise<HeaderNotes | null> {
  const { size } = input.source;
  if (size === null || !(await input.seek(0)) || !(await input.fill(1024))) return null;
  const text = Buffer.from(input.bytes.subarray(input.start, input.start + 1024)).toString('latin1');
  if (!text.startsWith('NIST_1A\n')) return null;
  const number = (name: string): number => Number(new RegExp(`^${name} -i (\\d+)`, 'm').exec(text)?.[1] ?? NaN);
  const headBytes = Number(/^NIST_1A\n *(\d+)\n/.exec(text)?.[1] ?? NaN);
  const declaredBytes = number('sample_count') * number('channel_count') * number('sample_n_bytes');
  const coded = /^sample_coding -s\d+ \S*(shorten|wavpack|shortpack)/m.test(text);
  if (coded || !(declaredBytes > 0) || !Number.isSafeInteger(declaredBytes + headBytes)) return {};
  return { coded: { declaredBytes, thereBytes: Math.max(0, Math.min(declaredBytes, size - headBytes)) } };
}

/** Zeros between a tag and the first frame. */
const mostPadding = 4096;
/** Of a decoder of MPEG audio, which encoders add to theirs. */
const decoderDelay = 529;

/** The count of frames that encoders of MP3 leave in the first one (Xing, also named Info; VBRI of Fraunhofer). */
async function mp3Notes(input: InputBuffer): Promise<HeaderNotes | null> {
  const position = await behindTags(input);
  if (position === null || !(await input.seek(position)) || !(await input.fill(256))) return null;
  const { view, start } = input;
  const head = view.getUint32(start);
  const version = (head >>> 19) & 3;
  // Layer III of MPEG 1, 2 or 2.5.
  if (head >>> 21 !== 0x7ff || version === 1 || ((head >>> 17) & 3) !== 1) return null;
  const samples = version === 3 ? 1152 : 576;
  const mono = ((head >>> 6) & 3) === 3;
  const xing = start + 4 + (version === 3 ? (mono ? 17 : 32) : mono ? 9 : 17);
  const name = (at: number): string => Buffer.from(input.bytes.subarray(at, at + 4)).toString('latin1');
  if (/^(Xing|Info)$/.test(name(xing))) {
    const flags = view.getUint32(xing + 4);
    if ((flags & 1) === 0) return {};
    const frames = view.getUint32(xing + 8);
    const behind = xing + 12 + ((flags & 2) >> 1) * 4 + ((flags & 4) >> 2) * 100 + ((flags & 8) >> 3) * 4;
    // What decoders leave out at both ends.
    const edges = view.getUint32(behind + 20) & 0xffffff;
    const hasDelays = /^(LAME|Lav[cf])/.test(name(behind));
    const delay = hasDelays ? (edges >>> 12) + decoderDelay : 2 * samples;
    const padding = hasDelays ? Math.max(0, (edges & 0xfff) - decoderDelay) : 0;
    return { sound: { frames: frames * samples - delay - padding, tolerance: samples } };
  }
  if (name(start + 36) !== 'VBRI') return null;
  // Of these, decoders leave out nothing, or their delay, which is less than a frame.
  return { sound: { frames: view.getUint32(start + 36 + 14) * samples, tolerance: samples } };
}

/** Where the first frame begins, behind tags (ID3v2) and zeros; null where the input ends before. */
async function behindTags(input: InputBuffer): Promise<number | null> {
  let position = 0;
  for (let tags = 0; tags < 16; tags++) {
    if (!(await input.seek(position)) || !(await input.fill(10))) return null;
    const head = input.bytes.subarray(input.start, input.start + 10);
    if (Buffer.from(head.subarray(0, 3)).toString('latin1') !== 'ID3') break;
    // Seven bits in each byte; a footer repeats the header.
    const tagBytes = head.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
    position += 10 + tagBytes + (head[5] & 0x10 ? 10 : 0);
  }
  if (!(await input.seek(position))) return null;
  await input.fill(mostPadding);
  const end = Math.min(input.available, mostPadding);
  for (let i = 0; i < end; i++) if (input.bytes[input.start + i] !== 0) return position + i;
  return null;
}
