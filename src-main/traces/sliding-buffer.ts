/** Samples that come in parts of any length, for who looks at some of them at a time. */
export class SlidingBuffer {
  readonly samples: Float64Array;
  #filled: number;

  /** @param zeros that stand before the first sample */
  constructor(length: number, zeros = 0) {
    this.samples = new Float64Array(length);
    this.#filled = zeros;
  }

  /** @param look gets how many samples are there, and says of how many from the front it has no further use: enough to leave room */
  push(part: Float32Array, look: (filled: number) => number): void {
    for (let done = 0; done < part.length;) {
      const taken = part.subarray(done, done + this.samples.length - this.#filled);
      this.samples.set(taken, this.#filled);
      this.#filled += taken.length;
      done += taken.length;
      const used = look(this.#filled);
      this.samples.copyWithin(0, used, this.#filled);
      this.#filled -= used;
    }
  }
}
