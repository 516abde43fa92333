/**
 * Seeded pseudo-random numbers (sfc32, Chris Doty-Humphrey's PractRand), so that a run can be repeated
 * byte for byte. The state can be saved and restored.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** @param seed any integer, or words mixed into one stream of their own (`[seed, epoch, clip]`). */
  constructor(seed: number | readonly number[]) {
    // FNV-1a over the words' bytes fills the state; twenty rounds spread it.
    let hash = 0x811c9dc5;
    const words = typeof seed === 'number' ? [seed] : seed;
    for (const word of words) {
      const low = word >>> 0;
      const high = Math.floor(word / 2 ** 32) >>> 0;
      for (const part of [low, high]) {
        for (let shift = 0; shift < 32; shift += 8) {
          hash ^= (part >>> shift) & 0xff;
          hash = Math.imul(hash, 0x01000193);
        }
      }
    }
    this.#a = hash | 0;
    this.#b = Math.imul(hash, 0x9e3779b1) | 0;
    this.#c = Math.imul(hash ^ 0x85ebca6b, 0xc2b2ae35) | 0;
    this.#counter = 1;
    for (let round = 0; round < 20; round++) this.uint32();
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.uint32() / 4294967296;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher-Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const kept = items[last];
      items[last] = items[other];
      items[other] = kept;
    }
    return items;
  }
}
