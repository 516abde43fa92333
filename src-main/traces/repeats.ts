/**
 * Stretches that occur twice in a recording. The same samples: windows at places that the samples themselves choose are told by a rolling
 * hash, as in Karp and Rabin, "Efficient randomized pattern-matching algorithms", IBM Journal of Research and Development 31(2), 1987, and
 * compared beyond it by their hashes in order. The same sound, coded anew or louder: by its fingerprint.
 */
import type { Repeat } from '../../src-common/schemas/traces.ts';
import { Fingerprinter, bitsIn, secondsOfCode, secondsPerCode } from './fingerprint.ts';

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
/** Of a code that stands more often, none is followed: it is that of noise or silence. */
const mostOfCode = 40;

interface Block {
  from: number;
  to: number;
  lag: number;
  agreement: number;
}

/** Finds the same sound twice, by its fingerprint. */
export class SameSound {
  readonly #printer: Fingerprinter;
  #codes: Uint32Array = new Uint32Array(0);
  #isSound: Uint8Array = new Uint8Array(0);

  constructor(sampleRateHz: number) {
    this.#printer = new Fingerprinter(sampleRateHz);
  }

  push(block: Float32Array): void {
    this.#printer.push(block);
  }

  /** Stretches of three seconds and more, apart from one another and at least five seconds apart. */
  finish(): Repeat[] {
    const { codes, isSound } = this.#printer.finish();
    [this.#codes, this.#isSound] = [codes, isSound];
    const leastLag = Math.round(leastLagSeconds / secondsPerCode);
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
      return [
        {
          firstSeconds: secondsOfCode(from),
          secondSeconds: secondsOfCode(from + lag),
          lengthSeconds: (to - from) * secondsPerCode,
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
    if (from + lag + blockFrames > this.#codes.length) return;
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
