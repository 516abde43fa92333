/** Fingerprints of sound, by which repeated recordings are found. */
import { BandLimiter } from '../audio/condition.ts';
import { SpectralKernel } from '../features/spectral-kernel.ts';

/** Rate of the samples that a fingerprint is made of. */
export const fingerprintRateHz = 8000;

const frameLength = 2048;
const hopLength = 128;
/** 33 bands, between which there are 32 differences. */
const bands = 33;
const bandsHz = [300, 2500] as const;
/** Hops between the two frames whose differences are compared: neighbours say too little beside a codec's noise. */
const apartHops = 2;
/** Frames so much quieter than the loudest hold no speech, and what a codec puts there is chance. */
const quietDb = 45;

const outlineStep = 2;
const outlineBandHz = [150, 500] as const;
/** Samples below so much of the outline's root mean square have no sign. */
const outlineFloor = 0.3;
const outlineSamplesPerHop = hopLength / outlineStep;

/**
 * What a recording's sound is known by, however it is coded: 1,250 bytes a second. Two parts, since a vocoder that speaks the
 * same words to the same melody repeats the first and not the second.
 */
export interface Fingerprint {
  /**
   * How the energies of 33 bands from 300 to 2500 Hz change against one another, a word of 32 signs every 16 ms (Haitsma and
   * Kalker, "A Highly Robust Audio Fingerprinting System", 2002); 0 where there is next to no sound.
   */
  words: Uint32Array;
  /** The signs of the waveform between 150 and 500 Hz, 4,000 a second: a bit in the one or the other, or in neither. */
  positive: Uint32Array;
  negative: Uint32Array;
}

const edges = Array.from({ length: bands + 1 }, (_, band) =>
  Math.round((bandsHz[0] * (bandsHz[1] / bandsHz[0]) ** (band / bands) * frameLength) / fingerprintRateHz),
);
const window = Float64Array.from(
  { length: frameLength },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / frameLength),
);
let kernel: SpectralKernel | null = null;

/** Magnitudes of the bands, [bands, frames]. */
function bandMagnitudes(samples: Float32Array, frames: number): Float32Array {
  kernel ??= new SpectralKernel({
    nFft: frameLength,
    window,
    hopLength,
    bands: { kind: 'sums', starts: Int32Array.from(edges) },
    floorPower: null,
    transform: null,
  });
  const magnitudes = new Float32Array(bands * frames);
  for (let first = 0; first < frames; first += kernel.capacity) {
    const count = Math.min(kernel.capacity, frames - first);
    const start = first * hopLength;
    kernel.input.set(samples.subarray(start, start + (count - 1) * hopLength + frameLength));
    kernel.run(count, magnitudes, first, frames);
  }
  return magnitudes;
}

/** @param samples mono, at {@link fingerprintRateHz}. Gain and polarity do not matter. */
export function fingerprintOf(samples: Float32Array): Fingerprint {
  const frames = Math.max(0, Math.floor((samples.length - frameLength) / hopLength) + 1);
  const magnitudes = bandMagnitudes(samples, frames);
  const levels = new Float64Array(frames * bands);
  const totals = new Float64Array(frames);
  for (let at = 0; at < frames; at++) {
    for (let band = 0; band < bands; band++) {
      const sum = magnitudes[band * frames + at] ** 2;
      totals[at] += sum;
      levels[at * bands + band] = Math.log((sum + 1e-12) / (edges[band + 1] - edges[band]));
    }
  }
  const quiet = totals.reduce((most, total) => Math.max(most, total), 0) * 10 ** (-quietDb / 10);
  const words = new Uint32Array(Math.max(0, frames - apartHops));
  for (let at = 0; at < words.length; at++) {
    const now = (at + apartHops) * bands;
    const before = at * bands;
    if (!(totals[at] > quiet && totals[at + apartHops] > quiet)) continue;
    let word = 0;
    for (let band = 0; band < bands - 1; band++) {
      const change = levels[now + band] - levels[now + band + 1] - levels[before + band] + levels[before + band + 1];
      word = (word << 1) | (change > 0 ? 1 : 0);
    }
    words[at] = word === 0 ? 1 : word;
  }

  // Above the band the filter leaves so little that every second sample tells all.
  const band = new BandLimiter(...outlineBandHz, fingerprintRateHz).process(samples.slice());
  const low = band.filter((_, index) => index % outlineStep === 0);
  let sum = 0;
  for (const sample of low) sum += sample * sample;
  const floor = outlineFloor * Math.sqrt(sum / Math.max(1, low.length));
  const positive = new Uint32Array(Math.ceil(low.length / 32));
  const negative = new Uint32Array(positive.length);
  for (let index = 0; index < low.length; index++) {
    if (low[index] > floor) positive[index >> 5] |= 1 << (index & 31);
    else if (low[index] < -floor) negative[index >> 5] |= 1 << (index & 31);
  }
  return { words, positive, negative };
}

/** Words with sound that two recordings must have in common to be compared: 0.8 s. */
export const fewestWords = 50;

/** How many words hold sound. */
export function soundWords({ words }: Fingerprint): number {
  let count = 0;
  for (const word of words) if (word !== 0) count++;
  return count;
}

/**
 * Part of the bits in which two recordings' words differ, over the words of both that hold sound; 1 where these are fewer than
 * `least`, and where the beginning differs as chance has it.
 * @param offset word `i` of the first lies on word `i - offset` of the second.
 */
export function wordDistance(first: Fingerprint, second: Fingerprint, offset: number, least: number): number {
  const a = first.words;
  const b = second.words;
  let compared = 0;
  let differing = 0;
  const end = Math.min(a.length, b.length + offset);
  const begin = Math.max(0, offset);
  if (end - begin < least) return 1;
  for (let at = begin; at < end; at++) {
    const x = a[at];
    const y = b[at - offset];
    if (x === 0 || y === 0) continue;
    compared++;
    differing += bitsSet(x ^ y);
    if (compared === 32 && differing > chance * 32 * 32) return 1;
  }
  return compared < least ? 1 : differing / (32 * compared);
}

/** Far above what copies differ in over half a second, and what two recordings that have nothing in common do on average. */
const chance = 0.43;

/**
 * How alike two recordings' waveforms are where they lie on one another: the magnitude of the correlation of their signs at the
 * best lag within a hop of the offset, from 0 to 1.
 * @param offset as for {@link wordDistance}.
 */
export function outlineCorrelation(first: Fingerprint, second: Fingerprint, offset: number): number {
  const samples = first.positive.length * 32;
  let best = 0;
  for (let lag = (offset - 1) * outlineSamplesPerHop; lag <= (offset + 1) * outlineSamplesPerHop; lag++) {
    // The second is read shifted by the lag, 32 samples at a time.
    let same = 0;
    let opposite = 0;
    let inFirst = 0;
    let inSecond = 0;
    const begin = Math.max(0, Math.ceil(lag / 32));
    const end = Math.min(samples, second.positive.length * 32 + lag) >> 5;
    for (let at = begin; at < end; at++) {
      const from = at * 32 - lag;
      const p = first.positive[at];
      const n = first.negative[at];
      const q = bitsAt(second.positive, from);
      const m = bitsAt(second.negative, from);
      same += bitsSet(p & q) + bitsSet(n & m);
      opposite += bitsSet(p & m) + bitsSet(n & q);
      inFirst += bitsSet(p | n);
      inSecond += bitsSet(q | m);
    }
    const scale = Math.sqrt(inFirst * inSecond);
    if (scale > 0) best = Math.max(best, Math.abs(same - opposite) / scale);
  }
  return best;
}

/** 32 bits from any bit on; beyond the end there are none. */
function bitsAt(bits: Uint32Array, from: number): number {
  const word = from >> 5;
  const shift = from & 31;
  if (shift === 0) return bits[word];
  const next = word + 1 < bits.length ? bits[word + 1] : 0;
  return (bits[word] >>> shift) | (next << (32 - shift));
}

function bitsSet(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
