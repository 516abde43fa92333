import { maxFrameBytes } from './host-messages.ts';

/** A window that opens asks a few dozen things. */
export const mostWaitingFrames = 256;
/** As much as one frame may have. */
export const mostWaitingBytes = maxFrameBytes;

/** What a window has sent before an engine answers, in order, up to {@link mostWaitingFrames} and {@link mostWaitingBytes}. */
export class WaitingFrames {
  #frames: (string | Uint8Array)[] = [];
  #bytes = 0;

  /** @returns whether there was room for it; where there was not, none is kept any more. */
  add(frame: string | Uint8Array): boolean {
    this.#bytes += Buffer.byteLength(frame);
    if (this.#frames.length < mostWaitingFrames && this.#bytes <= mostWaitingBytes) {
      this.#frames.push(frame);
      return true;
    }
    this.#frames = [];
    return false;
  }

  /** All that waited, once. */
  take(): (string | Uint8Array)[] {
    const frames = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    return frames;
  }
}
