/**
 * What the boxes of an MP4 or QuickTime file say of its audio tracks' lengths (ISO/IEC 14496-12): all sound of the track, and
 * what of it the edit list shows. Trimming on a telephone changes the list alone; players and ffmpeg then pass over the rest.
 */
import type { FileHandle } from 'node:fs/promises';
import { openRegularFile } from './input.ts';

export interface TrackTimes {
  /** Of all samples in the track. */
  mediaSeconds: number;
  /** When the last that is shown ends, from the beginning of the file. */
  endSeconds: number;
  /** Sound that no edit shows; delays of codecs are none. */
  hiddenSeconds: number;
}

/** Delay before and padding behind coded sound (two frames of HE-AAC at 22 kHz and more) is hidden in every file. */
const leastHiddenSeconds = 0.25;
const mostBoxes = 100_000;
const mostEdits = 10_000;

interface Box {
  type: string;
  /** Of its content. */
  from: number;
  to: number;
}

/**
 * Of an audio track, counted from 0; null where the file is none of that kind, or its boxes do not say (fragments).
 * @throws UserFacingError as `openRegularFile`
 */
export async function trackTimes(path: string, stream: number): Promise<TrackTimes | null> {
  const { handle, size } = await openRegularFile(path);
  try {
    return await new BoxReader(handle).track({ type: 'file', from: 0, to: size }, stream);
  } finally {
    await handle.close();
  }
}

class BoxReader {
  readonly #handle: FileHandle;
  readonly #head = Buffer.alloc(16);
  #boxes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async track(file: Box, stream: number): Promise<TrackTimes | null> {
    const first = await this.#boxAt(file.from, file.to);
    if (!first || !/^(ftyp|moov|mdat|wide|free|skip|pnot)$/.test(first.type)) return null;
    const movie = await this.#find(file, 'moov');
    const scale = movie && (await this.#scale(movie, 'mvhd'));
    if (!movie || !scale) return null;
    let number = 0;
    for await (const track of this.#inside(movie)) {
      if (track.type !== 'trak') continue;
      const media = await this.#find(track, 'mdia');
      const handler = media && (await this.#find(media, 'hdlr'));
      if (!media || !handler || (await this.#text(handler.from + 8)) !== 'soun') continue;
      if (number++ < stream) continue;
      const times = await this.#scale(media, 'mdhd');
      if (!times || times.duration === 0) return null;
      return edited(times.duration / times.scale, times.scale, scale.scale, await this.#edits(track));
    }
    return null;
  }

  async #boxAt(at: number, end: number): Promise<Box | null> {
    if (at + 8 > end || ++this.#boxes > mostBoxes) return null;
    const { bytesRead } = await this.#handle.read(this.#head, 0, 16, at);
    if (bytesRead < 8) return null;
    const type = this.#head.toString('latin1', 4, 8);
    let bytes = this.#head.readUInt32BE(0);
    let head = 8;
    if (bytes === 1 && bytesRead === 16) {
      bytes = Number(this.#head.readBigUInt64BE(8));
      head = 16;
    }
    if (bytes === 0) bytes = end - at;
    return bytes < head ? null : { type, from: at + head, to: Math.min(at + bytes, end) };
  }

  async *#inside(box: Box): AsyncGenerator<Box> {
    for (let at = box.from; ;) {
      const inner = await this.#boxAt(at, box.to);
      if (!inner) return;
      yield inner;
      at = inner.to;
    }
  }

  async #find(box: Box, type: string): Promise<Box | null> {
    for await (const inner of this.#inside(box)) if (inner.type === type) return inner;
    return null;
  }

  async #read(at: number, bytes: number): Promise<Buffer | null> {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await this.#handle.read(buffer, 0, bytes, at);
    return bytesRead === bytes ? buffer : null;
  }

  async #text(at: number): Promise<string | null> {
    return (await this.#read(at, 4))?.toString('latin1') ?? null;
  }

  /** Time scale and duration, which stand alike in the headers of movie and media. */
  async #scale(box: Box, type: 'mvhd' | 'mdhd'): Promise<{ scale: number; duration: number } | null> {
    const found = await this.#find(box, type);
    const head = found && (await this.#read(found.from, 32));
    if (!head) return null;
    const long = head[0] === 1;
    const scale = head.readUInt32BE(long ? 20 : 12);
    const duration = long ? Number(head.readBigUInt64BE(24)) : head.readUInt32BE(16);
    const unknown = long ? duration >= 2 ** 63 : duration === 0xffffffff;
    return scale === 0 ? null : { scale, duration: unknown ? 0 : duration };
  }

  /** Each with its length in the movie's time and its beginning in the media's, -1 for nothing; null where there is no list. */
  async #edits(track: Box): Promise<{ duration: number; begin: number }[] | null> {
    const container = await this.#find(track, 'edts');
    const list = container && (await this.#find(container, 'elst'));
    const head = list && (await this.#read(list.from, 8));
    if (!head) return null;
    const long = head[0] === 1;
    const count = head.readUInt32BE(4);
    const bytes = long ? 20 : 12;
    if (count === 0 || count > mostEdits) return null;
    const entries = await this.#read(list.from + 8, count * bytes);
    if (!entries) return null;
    return Array.from({ length: count }, (_, index) => {
      const at = index * bytes;
      return long
        ? { duration: Number(entries.readBigUInt64BE(at)), begin: Number(entries.readBigInt64BE(at + 8)) }
        : { duration: entries.readUInt32BE(at), begin: entries.readInt32BE(at + 4) };
    });
  }
}

function edited(
  mediaSeconds: number,
  mediaScale: number,
  movieScale: number,
  edits: { duration: number; begin: number }[] | null,
): TrackTimes {
  if (!edits) return { mediaSeconds, endSeconds: mediaSeconds, hiddenSeconds: 0 };
  let shown = 0;
  let endSeconds = 0;
  for (const { duration, begin } of edits) {
    const left = Math.max(0, mediaSeconds - begin / mediaScale);
    // No length stands for all that is left.
    const seconds = duration === 0 && begin >= 0 ? left : duration / movieScale;
    const sound = begin < 0 ? 0 : Math.min(seconds, left);
    shown += sound;
    endSeconds += begin < 0 ? seconds : sound;
  }
  const hidden = mediaSeconds - shown;
  return { mediaSeconds, endSeconds, hiddenSeconds: hidden >= leastHiddenSeconds ? hidden : 0 };
}
