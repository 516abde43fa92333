/** Zeros of this length are an end. */
const silenceSeconds = 1;

/**
 * Fades a mono signal that arrives in blocks in and out where it begins and ends, and around zeros of a second or more: where
 * a recording is cut in the midst of sound (a tone, say), the cut itself would sound, at all frequencies. Since zeros
 * are passed over, digital silence before or after changes nothing.
 */
export class EdgeFade {
  // Rising half of a Hann window.
  readonly #ramp: Float32Array;
  readonly #silenceLength: number;
  // Samples since the first that is not zero, up to the length of the ramp.
  #risen = -1;
  // The last samples, up to the length of the ramp, that end with one that is not zero: they fall if no other follows.
  #held = new Float32Array(0);
  // Zeros since then.
  #zeros = 0;

  constructor(seconds: number, sampleRateHz: number) {
    const length = Math.max(1, Math.round(seconds * sampleRateHz));
    this.#silenceLength = Math.round(silenceSeconds * sampleRateHz);
    this.#ramp = Float32Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / length));
  }

  /** Takes the next samples over (they may be changed, and returned); returns those that can no longer be the last. */
  process(block: Float32Array): Float32Array {
    const parts: Float32Array[] = [];
    let from = 0;
    let zeros = this.#zeros;
    for (let i = 0; ;) {
      // Where zeros that went on from i would be a silence; from there backwards, few samples need to be looked at.
      const end = i + this.#silenceLength - zeros;
      if (end > block.length) break;
      let last = end - 1;
      while (last >= i && block[last] === 0) last--;
      zeros = 0;
      if (last >= i) {
        i = last + 1;
        continue;
      }
      parts.push(this.#take(block.subarray(from, end)), this.flush());
      from = i = end;
    }
    parts.push(this.#take(block.subarray(from)));
    if (parts.length === 1) return parts[0];
    const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  /** The rest, faded out, with the zeros after it; what follows begins anew. */
  flush(): Float32Array {
    const rest = new Float32Array(this.#held.length + this.#zeros);
    rest.set(this.#held);
    const count = this.#held.length;
    for (let i = 0; i < count; i++) rest[count - 1 - i] *= this.#ramp[i];
    this.#held = new Float32Array(0);
    this.#zeros = 0;
    this.#risen = -1;
    return rest;
  }

  #take(block: Float32Array): Float32Array {
    let end = block.length;
    while (end > 0 && block[end - 1] === 0) end--;
    if (end === 0) {
      // Nothing but zeros: before the first sound they go on at once, after it they wait.
      if (this.#risen < 0) return block;
      this.#zeros += block.length;
      return new Float32Array(0);
    }
    const before = this.#held.length + this.#zeros;
    let all = block.subarray(0, end);
    if (before > 0) {
      all = new Float32Array(before + end);
      all.set(this.#held);
      all.set(block.subarray(0, end), before);
    }
    for (let i = before; i < all.length && this.#risen < this.#ramp.length; i++) {
      if (this.#risen < 0 && all[i] !== 0) this.#risen = 0;
      if (this.#risen >= 0) all[i] *= this.#ramp[this.#risen++];
    }
    const keepFrom = Math.max(0, all.length - this.#ramp.length);
    this.#held = all.slice(keepFrom);
    this.#zeros = block.length - end;
    return all.subarray(0, keepFrom);
  }
}
