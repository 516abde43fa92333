/**
 * Reads the Matroska (RFC 9559) that our own ffmpeg writes to its pipe: one track of 32-bit floats, each packet with its time.
 * So one process gives the samples and their times beside one another, and a bounded number of bytes for each packet.
 */
import type { InputBuffer } from './input.ts';

const ids = {
  head: 0x1a45dfa3,
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  blockGroup: 0xa0,
  block: 0xa1,
  simpleBlock: 0xa3,
};
/** These are entered, whatever length they claim; all others are read or passed over whole. */
const entered = new Set([ids.segment, ids.cluster, ids.blockGroup]);

const longestTracks = 1024 * 1024;
const mostChannels = 256;
/** Behind the track's number: the time after the cluster's, in two bytes, and flags. */
const blockHeadBytes = 3;
const partBytes = 4 * 1024 * 1024;
const ticksPerSecond = 1000;

interface Element {
  id: number;
  /** Null: unknown. */
  bytes: number | null;
}

export class MatroskaReader {
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly #input: InputBuffer;
  #clusterTicks = 0;
  // Of the packet that is being read.
  #leftBytes = 0;

  private constructor(input: InputBuffer, sampleRateHz: number, channels: number) {
    this.#input = input;
    this.sampleRateHz = sampleRateHz;
    this.channels = channels;
  }

  /** Reads up to the description of the track; null where the input is something else or ends before. */
  static async open(input: InputBuffer): Promise<MatroskaReader | null> {
    for (let first = true; ; first = false) {
      const element = await nextElement(input);
      if (!element || (first && element.id !== ids.head)) return null;
      const { id, bytes } = element;
      if (id === ids.tracks && bytes !== null && bytes <= longestTracks) {
        if (!(await input.fill(bytes))) return null;
        const found = soundOfTracks(input.view, input.start, input.start + bytes);
        input.start += bytes;
        return found ? new MatroskaReader(input, found.sampleRateHz, found.channels) : null;
      }
      if (entered.has(id)) continue;
      if (bytes === null || !(await input.seek(input.position + bytes))) return null;
    }
  }

  /** Goes to the next packet: its time in seconds and its sample frames; null at the end. */
  async nextPacket(): Promise<{ timeSeconds: number; frames: number } | null> {
    const input = this.#input;
    if (this.#leftBytes > 0 && !(await input.seek(input.position + this.#leftBytes))) return null;
    this.#leftBytes = 0;
    for (;;) {
      const element = await nextElement(input);
      if (!element) return null;
      const { id, bytes } = element;
      if (entered.has(id)) continue;
      if (bytes === null) return null;
      if (id === ids.timestamp && bytes <= 8) {
        if (!(await input.fill(bytes))) return null;
        this.#clusterTicks = unsigned(input.view, input.start, bytes);
        input.start += bytes;
      } else if (id === ids.simpleBlock || id === ids.block) {
        const begin = input.position;
        if ((await readVariable(input, true)) === null || !(await input.fill(blockHeadBytes))) return null;
        const ticks = this.#clusterTicks + input.view.getInt16(input.start);
        input.start += blockHeadBytes;
        this.#leftBytes = bytes - (input.position - begin);
        const frames = Math.floor(this.#leftBytes / this.#frameBytes);
        return { timeSeconds: ticks / ticksPerSecond, frames };
      } else if (!(await input.seek(input.position + bytes))) return null;
    }
  }

  /**
   * Reads sample frames of the packet into arrays of the channels.
   * @returns how many there were: fewer than asked for only where packet or input end
   */
  async read(channels: Float32Array[], at: number, frames: number): Promise<number> {
    const input = this.#input;
    const frameBytes = this.#frameBytes;
    let done = 0;
    while (done < frames && this.#leftBytes >= frameBytes) {
      const wanted = Math.min((frames - done) * frameBytes, this.#leftBytes, partBytes - (partBytes % frameBytes));
      if (input.available < wanted) await input.fill(wanted);
      const count = Math.floor(Math.min(input.available, wanted) / frameBytes);
      if (count === 0) return done;
      for (const [channel, out] of channels.entries()) {
        let place = input.start + 4 * channel;
        for (let i = at + done; i < at + done + count; i++, place += frameBytes)
          out[i] = input.view.getFloat32(place, true);
      }
      input.start += count * frameBytes;
      this.#leftBytes -= count * frameBytes;
      done += count;
    }
    return done;
  }

  get #frameBytes(): number {
    return 4 * this.channels;
  }
}

async function nextElement(input: InputBuffer): Promise<Element | null> {
  const id = await readVariable(input, false);
  if (id === null) return null;
  const bytes = await readVariable(input, true);
  return bytes === null ? null : { id, bytes: bytes === unknownLength ? null : bytes };
}

const unknownLength = -1;

/**
 * A number whose first byte tells how many follow, by its leading zeros; null at the end of the input.
 * @param stripped without the bit that marks the length; all ones are then `unknownLength`
 */
async function readVariable(input: InputBuffer, stripped: boolean): Promise<number | null> {
  if (!(await input.fill(1))) return null;
  const first = input.bytes[input.start];
  const length = Math.clz32(first) - 23;
  if (length > 8 || !(await input.fill(length))) return null;
  let value = stripped ? first & (0xff >> length) : first;
  let ones = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    const byte = input.bytes[input.start + i];
    if (byte !== 0xff) ones = false;
    value = value * 256 + byte;
  }
  input.start += length;
  return stripped && ones ? unknownLength : value;
}

function unsigned(view: DataView, at: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + view.getUint8(at + i);
  return value;
}

/** Rate and channels of the only track. */
function soundOfTracks(view: DataView, from: number, to: number): { sampleRateHz: number; channels: number } | null {
  let sampleRateHz = 8000;
  let channels = 1;
  for (let at = from; at + 2 <= to;) {
    const idLength = Math.clz32(view.getUint8(at)) - 23;
    if (idLength > 4 || at + idLength >= to) return null;
    const id = unsigned(view, at, idLength);
    at += idLength;
    const sizeLength = Math.clz32(view.getUint8(at)) - 23;
    if (sizeLength > 8 || at + sizeLength > to) return null;
    const bytes = unsigned(view, at, sizeLength) % 2 ** (7 * sizeLength);
    at += sizeLength;
    if (id === ids.trackEntry || id === ids.audio) continue;
    if (at + bytes > to) return null;
    if (id === ids.channels && bytes <= 4) channels = unsigned(view, at, bytes);
    if (id === ids.samplingFrequency) sampleRateHz = bytes === 4 ? view.getFloat32(at) : view.getFloat64(at);
    at += bytes;
  }
  return channels >= 1 && channels <= mostChannels ? { sampleRateHz, channels } : null;
}
