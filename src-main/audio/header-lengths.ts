import type { InputBuffer } from './input.ts';
import { encodingBytes, maximumChannels, plainEncoding } from './pcm.ts';
import type { Encoding, PcmFormat } from './pcm.ts';

/*
 * Sun's AU, Sony's Wave64, Apple's AIFF and CAF where they hold plain samples: ffmpeg decodes them and takes the end of the file for that of the
 * sound, while their headers give its exact length.
 */

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
const noLength = 0xffffffff;

// The first four bytes of each chunk's GUID are a name; these are the rest.
const chunkGuid = 'f3acd3118cd100c04f8edb8a';

/** Seconds that its header declares and the file does not hold, 0 where it holds all; null where this is another's business. */
export async function missingByHeader(input: InputBuffer): Promise<number | null> {
  const found = (await findAu(input)) ?? (await findWave64(input)) ?? (await findAiff(input)) ?? (await findCaf(input));
  const { size } = input.source;
  if (!found || found.declared === null || size === null) return null;
  const { frameBytes, sampleRateHz } = found.format;
  return Math.max(0, found.declared - Math.max(0, size - found.position)) / frameBytes / sampleRateHz;
}

interface Found {
  format: Pick<PcmFormat, 'frameBytes' | 'sampleRateHz'>;
  position: number;
  /** Bytes of sound; null where the header does not know. */
  declared: number | null;
}

async function findAu(input: InputBuffer): Promise<Found | null> {
  if (!(await input.seek(0)) || !(await input.fill(24))) return null;
  const { view, start } = input;
  if (view.getUint32(start) !== 0x2e736e64) return null;
  const [position, claimed, code, sampleRateHz, channels] = [4, 8, 12, 16, 20].map((at) => view.getUint32(start + at));
  const encoding = auEncodings[code];
  if (!encoding || position < 24 || channels < 1 || channels > maximumChannels) return null;
  const bytes = encodingBytes(encoding);
  const format = { encoding, channels, sampleRateHz, bitsPerSample: 8 * bytes, frameBytes: channels * bytes };
  // 0, too, is written by programs that do not know.
  const declared = claimed === noLength || claimed === 0 ? null : claimed;
  return { format, position, declared };
}

async function findWave64(input: InputBuffer): Promise<Found | null> {
  if (!(await input.seek(0)) || !(await input.fill(40))) return null;
  const hex = (from: number, to: number): string =>
    Buffer.from(input.bytes.subarray(input.start + from, input.start + to)).toString('hex');
  if (hex(0, 4) !== '72696666' || !hex(4, 16).startsWith('2e91cf11a5d628db04c1')) return null;
  let position = 40;
  let format: PcmFormat | null = null;
  for (let count = 0; count < 1000 && (await input.seek(position)) && (await input.fill(24)); count++) {
    const name = hex(0, 4);
    if (hex(4, 16) !== chunkGuid) return null;
    const bytes = Number(input.view.getBigUint64(input.start + 16, true));
    if (!Number.isSafeInteger(bytes) || bytes < 24) return null;
    if (name === '666d7420') {
      if (!(await input.fill(64))) return null;
      format = wave64Format(input.view, input.start + 24);
      if (!format) return null;
    } else if (name === '64617461') {
      return format && { format, position: position + 24, declared: bytes - 24 };
    }
    position += Math.ceil(bytes / 8) * 8;
  }
  return null;
}

// Compression types of AIFF-C that are plain samples, or one code for each; of the others a frame is not a sample.
const aiffTypes = /^(NONE|sowt|twos|in24|in32|fl32|FL32|fl64|FL64|ulaw|ULAW|alaw|ALAW)$/;

/** Its common chunk counts the sample frames. */
async function findAiff(input: InputBuffer): Promise<Found | null> {
  if (!(await input.seek(0)) || !(await input.fill(12))) return null;
  const name = (at: number): string =>
    Buffer.from(input.bytes.subarray(input.start + at, input.start + at + 4)).toString('latin1');
  const coded = name(8) === 'AIFC';
  if (name(0) !== 'FORM' || (!coded && name(8) !== 'AIFF')) return null;
  let common: { format: Found['format']; declared: number } | null = null;
  let sound: number | null = null;
  let position = 12;
  for (let count = 0; count < 1000 && (!common || sound === null); count++) {
    if (!(await input.seek(position)) || !(await input.fill(16))) return null;
    const bytes = input.view.getUint32(input.start + 4);
    if (name(0) === 'SSND') sound = position + 16 + input.view.getUint32(input.start + 8);
    else if (name(0) === 'COMM') {
      if (!(await input.fill(coded ? 30 : 26)) || (coded && !aiffTypes.test(name(26)))) return null;
      common = aiffCommon(input.view, input.start + 8, coded && /law$/i.test(name(26)));
      if (!common) return null;
    }
    position += 8 + bytes + (bytes % 2);
  }
  return common && sound !== null ? { ...common, position: sound } : null;
}

/** @param law one byte holds a sample, whatever its size is once it is decoded */
function aiffCommon(view: DataView, at: number, law: boolean): { format: Found['format']; declared: number } | null {
  const channels = view.getUint16(at);
  const frames = view.getUint32(at + 2);
  const sampleBytes = law ? 1 : Math.ceil(view.getUint16(at + 6) / 8);
  // An 80-bit float; the rate is in the higher half of its mantissa.
  const sampleRateHz = view.getUint32(at + 10) * 2 ** ((view.getUint16(at + 8) & 0x7fff) - 16383 - 31);
  if (frames === 0 || sampleBytes === 0 || channels < 1 || channels > maximumChannels || sampleRateHz < 1) return null;
  const frameBytes = channels * sampleBytes;
  return { format: { frameBytes, sampleRateHz }, declared: frames * frameBytes };
}

/** Apple's Core Audio Format of constant packets, each one sample frame. */
async function findCaf(input: InputBuffer): Promise<Found | null> {
  if (!(await input.seek(0)) || !(await input.fill(8))) return null;
  const name = (at: number): string =>
    Buffer.from(input.bytes.subarray(input.start + at, input.start + at + 4)).toString('latin1');
  if (name(0) !== 'caff') return null;
  let format: Found['format'] | null = null;
  let position = 8;
  for (let count = 0; count < 1000 && (await input.seek(position)) && (await input.fill(12)); count++) {
    const type = name(0);
    const bytes = Number(input.view.getBigInt64(input.start + 4));
    if (type === 'data') {
      // The count of edits comes before the sound; -1 stands for all that follows.
      return format && { format, position: position + 16, declared: bytes < 4 ? null : bytes - 4 };
    }
    if (!Number.isSafeInteger(bytes) || bytes < 0) return null;
    if (type === 'desc') {
      if (!(await input.fill(44))) return null;
      const sampleRateHz = input.view.getFloat64(input.start + 12);
      const frameBytes = input.view.getUint32(input.start + 28);
      const packetFrames = input.view.getUint32(input.start + 32);
      if (!/^(lpcm|ulaw|alaw)$/.test(name(20)) || packetFrames !== 1 || frameBytes === 0 || !(sampleRateHz >= 1)) {
        return null;
      }
      format = { frameBytes, sampleRateHz };
    }
    position += 12 + bytes;
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
  if (!encoding || channels < 1 || channels > maximumChannels || frameBytes !== (channels * bits) / 8) return null;
  return { encoding, channels, sampleRateHz, bitsPerSample: bits, frameBytes };
}
