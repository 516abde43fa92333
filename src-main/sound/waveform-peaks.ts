/** A waveform in few columns, made while the sound is read. */

/** Lowest and highest samples of equal stretches: neighbours are merged whenever there are twice as many as wanted. */
export class WaveformPeaks {
  readonly #low: Float32Array;
  readonly #high: Float32Array;
  #samplesPerColumn = 1;
  #samples = 0;

  constructor(wanted: number) {
    this.#low = new Float32Array(2 * wanted);
    this.#high = new Float32Array(2 * wanted);
  }

  add(block: Float32Array): void {
    for (const value of block) {
      if (this.#samples === this.#low.length * this.#samplesPerColumn) this.#merge();
      const column = Math.floor(this.#samples / this.#samplesPerColumn);
      if (this.#samples % this.#samplesPerColumn === 0) {
        this.#low[column] = this.#high[column] = value;
      } else {
        if (value < this.#low[column]) this.#low[column] = value;
        if (value > this.#high[column]) this.#high[column] = value;
      }
      this.#samples++;
    }
  }

  /** Low and high one after the other, 127 for full scale, of at most so many columns. */
  values(wanted: number): Int8Array<ArrayBuffer> {
    const have = Math.ceil(this.#samples / this.#samplesPerColumn);
    const columns = Math.min(have, wanted);
    const whole = (value: number): number => Math.max(-127, Math.min(127, Math.round(127 * value)));
    const result = new Int8Array(2 * columns);
    for (let column = 0; column < columns; column++) {
      let low = Infinity;
      let high = -Infinity;
      const end = Math.ceil(((column + 1) * have) / columns);
      for (let at = Math.floor((column * have) / columns); at < end; at++) {
        low = Math.min(low, this.#low[at]);
        high = Math.max(high, this.#high[at]);
      }
      result[2 * column] = whole(low);
      result[2 * column + 1] = whole(high);
    }
    return result;
  }

  #merge(): void {
    const half = this.#low.length / 2;
    for (let column = 0; column < half; column++) {
      this.#low[column] = Math.min(this.#low[2 * column], this.#low[2 * column + 1]);
      this.#high[column] = Math.max(this.#high[2 * column], this.#high[2 * column + 1]);
    }
    this.#samplesPerColumn *= 2;
  }
}
