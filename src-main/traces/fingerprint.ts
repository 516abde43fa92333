/**
 * What sound is known by, however it is coded and however loud: bits of how the energies of bands change from frame to frame, after
 * Haitsma and Kalker, "A highly robust audio fingerprinting system", ISMIR 2002.
 */
import { Resampler } from '../audio/resample.ts';
import { transform } from '../base/fft.ts';
import { SlidingBuffer } from './sliding-buffer.ts';

const printRateHz = 5500;
const printSize = 2048;
/** A frame of 0.37 s every 23 ms. */
const printHop = 128;
const printBands = 33;
const lowestHz = 300;
const highestHz = 2000;
/** Quieter frames have no print. */
const leastPower = 1e-9;
/** A tone is alike everywhere: of a frame's power, so much lies aside from its strongest band. */
const leastAside = 0.001;

/** A code of 32 bits for every 23 ms. */
export interface Fingerprint {
  codes: Uint32Array;
  /** 1 where a frame holds sound: no silence, and no tone, which is alike everywhere. */
  isSound: Uint8Array;
}

/** Seconds from one code to the next. */
export const secondsPerCode = printHop / printRateHz;

/** The middle of what a code is made of, from the beginning of the sound. */
export const secondsOfCode = (code: number): number => (code * printHop + printSize / 2) / printRateHz;

/** Makes the fingerprint of sound that comes in blocks. */
export class Fingerprinter {
  readonly #resampler: Resampler;
  readonly #window = Float64Array.from(
    { length: printSize },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / printSize),
  );
  readonly #edges = Array.from({ length: printBands + 1 }, (_, band) =>
    Math.round((lowestHz * (highestHz / lowestHz) ** (band / printBands)) / (printRateHz / printSize)),
  );
  readonly #buffer = new SlidingBuffer(printSize + 64 * printHop);
  #before: Float64Array | null = null;
  readonly #re = new Float64Array(printSize);
  readonly #im = new Float64Array(printSize);
  #codes = new Uint32Array(4096);
  #isSound = new Uint8Array(4096);
  #count = 0;

  constructor(sampleRateHz: number) {
    this.#resampler = new Resampler(sampleRateHz, printRateHz);
  }

  push(block: Float32Array): void {
    this.#take(this.#resampler.process(block));
  }

  #take(samples: Float32Array): void {
    this.#buffer.push(samples, (filled) => {
      let start = 0;
      for (; start + printSize + printHop <= filled; start += 2 * printHop) this.#print(start);
      return start;
    });
  }

  /** Two frames, which are transformed as one. */
  #print(start: number): void {
    const [re, im] = [this.#re, this.#im];
    const { samples } = this.#buffer;
    for (let i = 0; i < printSize; i++) {
      re[i] = samples[start + i] * this.#window[i];
      im[i] = samples[start + printHop + i] * this.#window[i];
    }
    transform(re, im);
    for (const k of [0, 1]) {
      const energies = new Float64Array(printBands);
      let all = 0;
      for (let band = 0; band < printBands; band++) {
        for (let bin = this.#edges[band]; bin < this.#edges[band + 1]; bin++) {
          const other = printSize - bin;
          const [a, b] =
            k === 0 ? [re[bin] + re[other], im[bin] - im[other]] : [re[bin] - re[other], im[bin] + im[other]];
          energies[band] += a * a + b * b;
        }
        all += energies[band];
      }
      const before = this.#before;
      this.#before = energies;
      if (before === null) continue;
      let code = 0;
      for (let band = 0; band + 1 < printBands; band++) {
        const now = energies[band] - energies[band + 1];
        const then = before[band] - before[band + 1];
        if (now - then > 0) code |= 1 << band;
      }
      this.#add(code >>> 0, all / printSize ** 2 > leastPower && aside(energies) > leastAside * all);
    }
  }

  #add(code: number, isSound: boolean): void {
    if (this.#count === this.#codes.length) {
      const [codes, sounds] = [new Uint32Array(2 * this.#count), new Uint8Array(2 * this.#count)];
      codes.set(this.#codes);
      sounds.set(this.#isSound);
      [this.#codes, this.#isSound] = [codes, sounds];
    }
    this.#codes[this.#count] = code;
    this.#isSound[this.#count++] = isSound ? 1 : 0;
  }

  finish(): Fingerprint {
    this.#take(this.#resampler.flush());
    const count = this.#count;
    return {
      codes: this.#codes.slice(0, count),
      isSound: this.#isSound.slice(0, count),
    };
  }
}

/** Power aside from the strongest band and its neighbours. */
function aside(energies: Float64Array): number {
  const strongest = energies.reduce((best, energy, band) => (energy > energies[best] ? band : best), 0);
  return energies.reduce((sum, energy, band) => (Math.abs(band - strongest) > 1 ? sum + energy : sum), 0);
}

/** How many bits of a word are set. */
export function bitsIn(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
