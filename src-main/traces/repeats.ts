/**
 * Stretches that occur twice in a recording. The same samples: windows at places that the samples themselves choose are told by a rolling
 * hash, as in Karp and Rabin, "Efficient randomized pattern-matching algorithms", IBM Journal of Research and Development 31(2), 1987, and
 * compared beyond it by their hashes in order. The same sound, coded anew or louder: bits of how band energies change from frame to frame,
 * after Haitsma and Kalker, "A highly robust audio fingerprinting system", ISMIR 2002.
 */
import type { Repeat } from '../../src-common/schemas/traces.ts';
import { Resampler } from '../audio/resample.ts';
import { transform } from '../sound/fft.ts';

/** Samples of a window whose hash is kept. */
const windowSamples = 512;
/** Of windows a second, so many are kept: those whose hash begins with zeros. */
const keptPerSecond = 40;
/** A window in which fewer values occur is silence or a constant: those are alike everywhere. */
const leastChanges = 128;
const factor = 0x01000193;
/** Shorter ones are those of clicks and of what devices play. */
const leastSameSeconds = 0.2;

interface Anchor {
  at: number;
  hash: number;
  check: number;
}

/** Finds samples that stand twice; keeps some forty places a second. */
export class SameSamples {
  readonly #rateHz: number;
  readonly #keptBits: number;
  /** Of the samples as they are, as whole numbers of their 24 leading bits. */
  readonly #ring = new Int32Array(windowSamples);
  readonly #changes = new Uint8Array(windowSamples);
  #changed = 0;
  #last = 0;
  #hash = 0;
  #check = 0;
  #count = 0;
  readonly #anchors: Anchor[] = [];
  readonly #power = powerOf(factor);
  readonly #checkPower = powerOf(checkFactor);

  constructor(sampleRateHz: number) {
    this.#rateHz = sampleRateHz;
    this.#keptBits = Math.floor(Math.log2(sampleRateHz / keptPerSecond));
  }

  push(block: Float32Array): void {
    for (let i = 0; i < block.length; i++) {
      const value = Math.round(block[i] * 0x800000) | 0;
      const slot = this.#count % windowSamples;
      const gone = this.#ring[slot];
      this.#hash = (Math.imul(this.#hash, factor) + value - Math.imul(gone, this.#power)) | 0;
      this.#check = (Math.imul(this.#check, checkFactor) + value - Math.imul(gone, this.#checkPower)) | 0;
      this.#ring[slot] = value;
      const isChange = value === this.#last ? 0 : 1;
      this.#changed += isChange - this.#changes[slot];
      this.#changes[slot] = isChange;
      this.#last = value;
      this.#count++;
      if (this.#count < windowSamples || this.#changed < leastChanges) continue;
      // Low bits of the product alone would be those of the last samples.
      const mixed = Math.imul(this.#hash ^ (this.#hash >>> 15), 0x2c1b3c6d);
      if (mixed >>> (32 - this.#keptBits) !== 0) continue;
      this.#anchors.push({ at: this.#count - windowSamples, hash: this.#hash, check: this.#check });
    }
  }

  /** Stretches of 0.2 s and more. */
  finish(): Repeat[] {
    const groups = new Map<string, number[]>();
    for (const { at, hash, check } of this.#anchors) {
      const key = `${hash} ${check}`;
      const group = groups.get(key);
      if (group) group.push(at);
      else groups.set(key, [at]);
    }
    // Pairs of the same distance, one after the other.
    const pairs: { at: number; lag: number }[] = [];
    for (const group of groups.values()) {
      // What stands many times is a tone or a test signal.
      if (group.length > mostAlike) continue;
      for (let i = 1; i < group.length; i++) pairs.push({ at: group[i - 1], lag: group[i] - group[i - 1] });
    }
    pairs.sort((one, other) => one.lag - other.lag || one.at - other.at);
    const isKept = new Set(this.#anchors.map(({ at }) => at));
    const anchors = [...isKept].sort((one, other) => one - other);
    const found: Repeat[] = [];
    for (let first = 0; first < pairs.length;) {
      let last = first;
      // Between two of a run there is no window that was kept and is not in it.
      while (
        last + 1 < pairs.length &&
        pairs[last + 1].lag === pairs[first].lag &&
        nextOf(anchors, pairs[last].at) === pairs[last + 1].at
      ) {
        last++;
      }
      const samples = pairs[last].at + windowSamples - pairs[first].at;
      const { at, lag } = pairs[first];
      if (samples / this.#rateHz >= leastSameSeconds && lag >= samples) {
        found.push({
          firstSeconds: at / this.#rateHz,
          secondSeconds: (at + lag) / this.#rateHz,
          lengthSeconds: samples / this.#rateHz,
          isSame: true,
          agreement: 1,
        });
      }
      first = last + 1;
    }
    return found.sort((one, other) => one.firstSeconds - other.firstSeconds);
  }
}

const checkFactor = 0x0019660d;
const mostAlike = 8;

/** What the oldest sample of a window was multiplied by. */
function powerOf(base: number): number {
  let power = 1;
  for (let i = 0; i < windowSamples; i++) power = Math.imul(power, base);
  return power;
}

/** The first place after one, of ascending ones. */
function nextOf(places: readonly number[], place: number): number | undefined {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle] <= place) low = middle + 1;
    else high = middle;
  }
  return places[low];
}

const printRateHz = 5500;
const printSize = 2048;
/** A frame of 0.37 s every 23 ms. */
const printHop = 128;
const printBands = 33;
const lowestHz = 300;
const highestHz = 2000;
/** Frames compared at a time: 3 s. */
const blockFrames = 128;
/** Ends are where so many frames, 0.5 s, agree no longer. */
const endFrames = 22;
/** Lags that differ less are of one repetition. */
const sameLagFrames = 8;
/** Of the bits, fewer than so many differ in what is alike (Haitsma and Kalker: 0.35; less, since there are no others to compare with). */
const mostErrors = 0.3;
/** Nearer repetitions are those of the speech itself, or of a tone. */
const leastLagSeconds = 5;
/** Quieter frames have no print. */
const leastPower = 1e-9;
/** A tone is alike everywhere: of a frame's power, so much lies aside from its strongest band. */
const leastAside = 0.001;
/** Of a code that stands more often, none is followed: it is that of noise or silence. */
const mostOfCode = 40;

interface Block {
  from: number;
  to: number;
  lag: number;
  agreement: number;
}

/** Finds the same sound twice; keeps 32 bits for every 23 ms. */
export class SameSound {
  readonly #resampler: Resampler;
  readonly #window = Float64Array.from(
    { length: printSize },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / printSize),
  );
  readonly #edges = Array.from({ length: printBands + 1 }, (_, band) =>
    Math.round((lowestHz * (highestHz / lowestHz) ** (band / printBands)) / (printRateHz / printSize)),
  );
  readonly #buffer = new Float64Array(printSize + 64 * printHop);
  #filled = 0;
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
    const samples = this.#resampler.process(block);
    for (let done = 0; done < samples.length;) {
      const part = samples.subarray(done, done + this.#buffer.length - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      let start = 0;
      for (; start + printSize + printHop <= this.#filled; start += 2 * printHop) this.#print(start);
      this.#buffer.copyWithin(0, start, this.#filled);
      this.#filled -= start;
    }
  }

  /** Two frames, which are transformed as one. */
  #print(start: number): void {
    const [re, im] = [this.#re, this.#im];
    for (let i = 0; i < printSize; i++) {
      re[i] = this.#buffer[start + i] * this.#window[i];
      im[i] = this.#buffer[start + printHop + i] * this.#window[i];
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
      const codes = new Uint32Array(2 * this.#count);
      const sounds = new Uint8Array(2 * this.#count);
      codes.set(this.#codes);
      sounds.set(this.#isSound);
      [this.#codes, this.#isSound] = [codes, sounds];
    }
    this.#codes[this.#count] = code;
    this.#isSound[this.#count++] = isSound ? 1 : 0;
  }

  /** Stretches of three seconds and more, apart from one another and at least five seconds apart. */
  finish(): Repeat[] {
    const codes = this.#codes.subarray(0, this.#count);
    const leastLag = Math.round((leastLagSeconds * printRateHz) / printHop);
    const order = Uint32Array.from(codes.keys()).sort((one, other) => codes[one] - codes[other] || one - other);
    // Votes for a lag from a place on: codes that agree altogether.
    const tried = new Set<number>();
    const found: Block[] = [];
    for (let first = 0; first < order.length;) {
      let end = first + 1;
      while (end < order.length && codes[order[end]] === codes[order[first]]) end++;
      if (end - first > 1 && end - first <= mostOfCode) {
        for (let i = first; i < end; i++) {
          for (let k = i + 1; k < end; k++) this.#try(order[i], order[k], leastLag, tried, found);
        }
      }
      first = end;
    }
    return merged(found).flatMap((block) => {
      const { from, to, lag, agreement } = this.#trimmed(block);
      if (to - from < blockFrames / 2) return [];
      // A frame's middle stands for it.
      const middle = printSize / 2;
      return [
        {
          firstSeconds: (from * printHop + middle) / printRateHz,
          secondSeconds: ((from + lag) * printHop + middle) / printRateHz,
          lengthSeconds: ((to - from) * printHop) / printRateHz,
          isSame: false,
          agreement,
        },
      ];
    });
  }

  /** Blocks reach beyond what is alike. */
  #trimmed({ from, to, lag, agreement }: Block): Block {
    const errorsAt = (first: number): number => {
      let errors = 0;
      for (let i = first; i < first + endFrames; i++) errors += bitsIn(this.#codes[i] ^ this.#codes[i + lag]);
      return errors / (32 * endFrames);
    };
    while (to - from > endFrames && errorsAt(from) > mostErrors) from++;
    while (to - from > endFrames && errorsAt(to - endFrames) > mostErrors) to--;
    return { from, to, lag, agreement };
  }

  #try(one: number, other: number, leastLag: number, tried: Set<number>, found: Block[]): void {
    const lag = other - one;
    if (lag < leastLag || this.#isSound[one] === 0 || this.#isSound[other] === 0) return;
    const from = Math.max(0, one - blockFrames / 2);
    const key = lag * 65_536 + Math.floor(from / (blockFrames / 2));
    if (tried.has(key)) return;
    if (from + lag + blockFrames > this.#count) return;
    const codes = this.#codes;
    let errors = 0;
    let sounding = 0;
    const most = mostErrors * 32 * blockFrames;
    for (let i = 0; i < blockFrames; i++) {
      errors += bitsIn(codes[from + i] ^ codes[from + lag + i]);
      sounding += this.#isSound[from + i] & this.#isSound[from + lag + i];
      if (errors > most) return;
    }
    if (sounding < blockFrames / 2) return;
    tried.add(key);
    found.push({ from, to: from + blockFrames, lag, agreement: 1 - errors / (32 * blockFrames) });
  }
}

/** Power aside from the strongest band and its neighbours. */
function aside(energies: Float64Array): number {
  const strongest = energies.reduce((best, energy, band) => (energy > energies[best] ? band : best), 0);
  return energies.reduce((sum, energy, band) => (Math.abs(band - strongest) > 1 ? sum + energy : sum), 0);
}

function bitsIn(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Blocks of about the same lag that touch are one stretch. */
function merged(blocks: readonly Block[]): Block[] {
  const sorted = [...blocks].sort((one, other) => one.from - other.from);
  const joined: Block[] = [];
  for (const block of sorted) {
    const same = joined.find(({ to, lag }) => block.from <= to && Math.abs(lag - block.lag) <= sameLagFrames);
    if (!same) joined.push({ ...block });
    else {
      same.to = Math.max(same.to, block.to);
      if (block.agreement > same.agreement) [same.agreement, same.lag] = [block.agreement, block.lag];
    }
  }
  return joined;
}

/** Both, without those of like sound that are the same samples. */
export function allRepeats(same: readonly Repeat[], alike: readonly Repeat[]): Repeat[] {
  const isKnown = (repeat: Repeat): boolean =>
    same.some(
      (other) =>
        Math.abs(other.secondSeconds - other.firstSeconds - (repeat.secondSeconds - repeat.firstSeconds)) < 0.25 &&
        other.firstSeconds < repeat.firstSeconds + repeat.lengthSeconds &&
        repeat.firstSeconds < other.firstSeconds + other.lengthSeconds,
    );
  return [...same, ...alike.filter((repeat) => !isKnown(repeat))].sort(
    (one, other) => one.firstSeconds - other.firstSeconds,
  );
}
