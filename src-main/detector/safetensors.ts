import { UserFacingError } from '../base/errors.ts';
import type { Weights } from './network.ts';

/*
 * Arrays in one file, readable from Python as well: https://github.com/huggingface/safetensors (format, version 0.x).
 * 8 bytes header length, JSON header, raw little-endian values.
 */
interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Largest header that is read, as in the reference implementation. */
const headerLimit = 100_000_000;

/** The arrays and texts as the bytes of a safetensors file; the same content gives the same bytes. */
export function writeSafetensors(arrays: Weights, metadata: Record<string, string> = {}): Uint8Array {
  const header: Record<string, HeaderEntry | Record<string, string>> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, values] of arrays) {
    header[name] = { dtype: 'F32', shape: [values.length], data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  let text = JSON.stringify(header);
  // Values begin at a multiple of eight, so that they can be mapped.
  text += ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8);
  const head = Buffer.from(text);
  const bytes = Buffer.alloc(8 + head.length + offset);
  bytes.writeBigUInt64LE(BigInt(head.length), 0);
  head.copy(bytes, 8);
  let at = 8 + head.length;
  for (const values of arrays.values()) {
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).copy(bytes, at);
    at += values.byteLength;
  }
  return bytes;
}

/** Reads what `writeSafetensors` wrote. @throws UserFacingError `damaged` naming the file if it is not whole. */
export function readSafetensors(
  bytes: Uint8Array,
  path: string,
): { arrays: Weights; metadata: Record<string, string> } {
  const damaged = (what: string): UserFacingError =>
    new UserFacingError('damaged', `${path} is damaged: ${what}.`, { path, advice: 'Restore it from a copy.' });
  if (bytes.length < 8) throw damaged('it ends within its first eight bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headLength = Number(view.getBigUint64(0, true));
  if (headLength > Math.min(headerLimit, bytes.length - 8)) throw damaged('its header is longer than the file');
  let header: Record<string, HeaderEntry | Record<string, string>>;
  try {
    header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + headLength)).toString('utf8')) as typeof header;
  } catch {
    throw damaged('its header is not JSON');
  }
  const arrays: Weights = new Map();
  const start = 8 + headLength;
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = entry as HeaderEntry;
    if (dtype !== 'F32' || !Array.isArray(shape) || !Array.isArray(offsets))
      throw damaged(`${name} is no array of floats`);
    const [from, to] = offsets;
    if (!(from >= 0 && to >= from && start + to <= bytes.length && (to - from) % 4 === 0)) {
      throw damaged(`${name} lies outside the file`);
    }
    // A copy of its own: a Buffer's slice would share, and need not be aligned.
    const copy = new Uint8Array(to - from);
    copy.set(bytes.subarray(start + from, start + to));
    arrays.set(name, new Float32Array(copy.buffer));
  }
  return { arrays, metadata: (header['__metadata__'] ?? {}) as Record<string, string> };
}
