/** Sound behind that which the headers of a file of plain samples count in: what it is, and whether it can be read as well. */
import type { InputBuffer } from './input.ts';
import { secondsOf } from './pcm.ts';
import type { PcmFormat, PcmPart } from './pcm.ts';
import type { DecodeNotes, UnreadSound } from './types.ts';

/** Less than this behind the sound is a tag or a leftover, whatever it is. */
export const leastUnreadSeconds = 0.02;
/** Zeros that fill a file up, and not a pause. */
export const mostFilling = 64 * 1024;

/** Whether a length is what programs write that do not yet know it and cannot come back (sox, espeak, arecord among them). */
export function isPlaceholder(bytes: number): boolean {
  return bytes > 0xffffffff - 256 || bytes === 0x7fffffff || bytes === 0x80000000 || Math.abs(bytes - 0x7ffff000) <= 64;
}

/** Gathers what lies behind the sound of a file. */
export class UnreadParts {
  /** Those that can be read after the sound that is declared. */
  readonly parts: PcmPart[] = [];
  readonly #format: PcmFormat;
  readonly #size: number;
  readonly #found: (UnreadSound & { readable: boolean })[] = [];

  /** @param size of the file in bytes */
  constructor(format: PcmFormat, size: number) {
    this.#format = format;
    this.#size = size;
  }

  add(kind: UnreadSound['kind'], part: PcmPart, of: PcmFormat = this.#format): void {
    const seconds = secondsOf(of, Math.min(part.bytes ?? Infinity, this.#size - part.position));
    if (seconds < leastUnreadSeconds) return;
    const { encoding, channels, sampleRateHz } = this.#format;
    const readable = of.encoding === encoding && of.channels === channels && of.sampleRateHz === sampleRateHz;
    if (readable) this.parts.push(part);
    this.#found.push({ kind: readable ? kind : 'other-format', seconds, readable });
  }

  /** What stays unread, one of each kind, and how much more is read than is declared. */
  told(readAll: boolean): Pick<DecodeNotes, 'unread' | 'furtherSeconds'> {
    const sums = new Map<UnreadSound['kind'], number>();
    let furtherSeconds = 0;
    for (const { kind, seconds, readable } of this.#found) {
      if (readAll && readable) furtherSeconds += seconds;
      else sums.set(kind, (sums.get(kind) ?? 0) + seconds);
    }
    return { unread: [...sums].map(([kind, seconds]) => ({ kind, seconds })), furtherSeconds };
  }
}

/** Whether what lies from there to the end is no sound: a tag of mp3 or a few zeros. */
export async function isFilling(input: InputBuffer, from: number, size: number): Promise<boolean> {
  if (size - from > mostFilling) return false;
  if (!(await input.seek(from))) return true;
  await input.fill(size - from);
  const bytes = input.bytes.subarray(input.start, input.start + Math.min(size - from, input.available));
  if (bytes.length === 128 && String.fromCharCode(...bytes.subarray(0, 3)) === 'TAG') return true;
  return bytes.every((byte) => byte === 0);
}
