/**
 * Memory in which the blocks of one recording after the other are decoded: to allocate, clear and collect hundreds of kilobytes for
 * each costs more than to decode a short one.
 */
export class BlockMemory {
  readonly #channels: Float32Array[] = [];

  /** At least so many samples for a channel; what was handed out for it before is no longer valid. */
  channel(index: number, length: number): Float32Array {
    if (this.#channels.length <= index || this.#channels[index].length < length) {
      this.#channels[index] = new Float32Array(length);
    }
    return this.#channels[index];
  }
}
