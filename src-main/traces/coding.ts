/**
 * What lossy coding leaves in samples: taken apart by the coder's own filter bank, frame for frame where the coder's frames began, many
 * lines are nought but for rounding, because the coder had rounded them to nought; one sample further they are not. After Herre and
 * Schug, "Analysis of decompressed audio: the inverse decoder", AES Convention 109, 2000, and Yang, Qu and Huang, "Detecting digital audio
 * forgeries by checking frame offsets", ACM Workshop on Multimedia and Security, 2008.
 */
import type { CodingRun, TraceCurve } from '../../src-common/schemas/traces.ts';
import { Mp3Bank, MdctBank, kaiserBesselWindow, sineWindow, vorbisWindow } from './filter-banks.ts';
import type { FilterBank } from './filter-banks.ts';
import { meanOf } from './statistics.ts';

/** Looked at as one; long enough for some forty frames at 8 kHz. */
const stretchSeconds = 10;
/** Frames in which a first search looks for where frames begin: the one with the most treble of each second. */
const searchedFrames = 10;
/** Starts that the first search hands on, of each filter bank. */
const candidates = 3;
/** Other frames that decide. */
const decidingFrames = 60;
/** After so many, a start that does not stand out is given up. */
const earlyFrames = 20;
const leastEarly = 1.5;
/** No frame says more than so many standard deviations, and none differ by less. */
const mostClarity = 8;
const leastSpread = 0.002;
/** Compared with starts so many samples away: nearer ones share low lines, farther ones other sound. */
const neighbours = [-10, -7, -4, 4, 7, 10];
const reach = 16;
/** Squares of lines below this, in steps of 16 bits, are rounding. */
const floor = 0.1;
/** A line that vanishes is smaller, in steps of 16 bits. */
const vanishing = 1;
/** How many standard errors a start stands out by to be found, and to be found again. */
export const leastScore = 6;
const leastScoreAgain = 4;
/** Frames softer than this, in steps of 16 bits (root mean square of second differences), hold nothing but rounding. */
const leastTreble = 4;
/** Runs of one start with such a gap are one. */
const longestGapSeconds = 30;
/** A band edge is where the mean spectrum falls so much from one to the next few groups of lines. */
const leastEdgeDb = 18;
/** Lower, voices themselves fall so steeply. */
const lowestEdgeHz = 2500;
const edgeLines = 8;
const edgeSide = 3;
/** Secondary starts of one grid lie so many samples aside, and are less than half as deep. */
const sharedBands = 32;

interface Shape {
  bank: FilterBank;
  family: CodingRun['family'];
  name: string;
}

/** A filter bank, and where its frames begin, modulo their length. */
interface Grid {
  shape: Shape;
  offset: number;
}

interface Found extends Grid {
  score: number;
  /** Share of the lines that vanish there, and at the neighbours. */
  vanished: number;
  vanishedElsewhere: number;
  /** By how much lines lie lower than at the neighbours, as a mean natural logarithm. */
  depth: number;
  /** Mean of what frames say, each in standard deviations of its neighbours. */
  clarity: number;
}

interface Open extends CodingRun {
  grid: Found;
}

export interface Coding {
  runs: CodingRun[];
  /** How much the start that stands out the most does, in standard errors, for each stretch. */
  strength: TraceCurve;
  /** Where the spectrum ends, in Hz; null where it has no edge. */
  bandEdgeHz: number | null;
  /** In which frames with enough sound were found. */
  assessedSeconds: number;
}

/** Takes mono sound in blocks of any length; holds twenty seconds of it. */
export class CodingMeter {
  readonly #rateHz: number;
  readonly #length: number;
  readonly #searched: readonly Shape[];
  readonly #others: readonly Shape[];
  readonly #ahead: number;
  readonly #samples: Float64Array;
  /** Of the recording, the sample with which `#samples` begins. */
  #first = 0;
  #filled = 0;
  #stretch = 0;
  readonly #known: Grid[] = [];
  #open: Open[] = [];
  readonly #runs: Open[] = [];
  readonly #strength: TraceCurve = { timesSeconds: [], values: [] };
  readonly #power = new Float64Array(1024);
  #assessedSeconds = 0;

  constructor(sampleRateHz: number) {
    this.#rateHz = sampleRateHz;
    this.#length = stretchSeconds * sampleRateHz;
    const aac = (window: Float64Array, name: string): Shape => ({ bank: new MdctBank(window), family: 'aac', name });
    const other = (window: Float64Array, name: string): Shape => ({
      bank: new MdctBank(window),
      family: 'other',
      name,
    });
    this.#searched = [
      { bank: new Mp3Bank(), family: 'mp3', name: 'hybrid filter bank' },
      aac(sineWindow(2048), 'sine window'),
      aac(kaiserBesselWindow(2048), 'Kaiser-Bessel-derived window'),
    ];
    this.#others = [
      other(sineWindow(1024), 'sine window'),
      other(sineWindow(4096), 'sine window'),
      other(vorbisWindow(1024), 'Vorbis window'),
      other(vorbisWindow(2048), 'Vorbis window'),
    ];
    this.#ahead =
      Math.max(...[...this.#searched, ...this.#others].map(({ bank }) => bank.frame + bank.span)) + 2 * reach;
    this.#samples = new Float64Array(2 * this.#length + this.#ahead);
  }

  push(block: Float32Array): void {
    for (let done = 0; done < block.length;) {
      const part = block.subarray(done, done + this.#samples.length - this.#filled);
      for (let i = 0; i < part.length; i++) this.#samples[this.#filled + i] = 32_768 * part[i];
      this.#filled += part.length;
      done += part.length;
      const end = (this.#stretch + 1) * this.#length;
      if (this.#first + this.#filled < end + this.#ahead) continue;
      this.#examine(end - this.#length, end);
      // The stretch before this one is no longer needed.
      const kept = Math.max(0, end - this.#length - this.#first);
      this.#samples.copyWithin(0, kept, this.#filled);
      this.#filled -= kept;
      this.#first += kept;
    }
  }

  /** Of all that was pushed. */
  finish(): Coding {
    const total = this.#first + this.#filled;
    for (let from = this.#stretch * this.#length; from < total; from += this.#length) {
      this.#examine(from, Math.min(total, from + this.#length));
    }
    for (const run of this.#open) this.#runs.push({ ...run, endSeconds: total / this.#rateHz });
    return {
      runs: joined(this.#runs),
      strength: this.#strength,
      bandEdgeHz: this.#bandEdge(),
      assessedSeconds: this.#assessedSeconds,
    };
  }

  #examine(from: number, to: number): void {
    const tried = new Map<string, Found | null>();
    const tryGrid = (grid: Grid): Found | null => {
      const key = keyOf(grid);
      if (!tried.has(key)) tried.set(key, this.#decide(grid, from, to));
      return tried.get(key) ?? null;
    };
    const again = this.#known.flatMap((grid) => tryGrid(grid) ?? []).filter(({ score }) => score >= leastScoreAgain);
    const begun = this.#searched
      .flatMap((shape) => this.#search(shape, from, to))
      .flatMap((grid) => tryGrid(grid) ?? [])
      .filter((found) => found.score >= leastScore && !again.includes(found));
    const found = apart([
      ...again,
      ...apart(begun).map((one) => (one.shape.family === 'aac' ? this.#named(one, from, to) : one)),
    ]);
    const scores = [...found, ...tried.values()].flatMap((one) => one?.score ?? []);
    this.#strength.timesSeconds.push((from + to) / 2 / this.#rateHz);
    this.#strength.values.push(scores.length === 0 ? null : Math.max(0, ...scores));
    if (scores.length > 0) this.#assessedSeconds += (to - from) / this.#rateHz;
    this.#addPower(from, to);
    this.#follow(found, from, to);
    this.#stretch++;
  }

  /** Runs go on, begin and end. */
  #follow(found: readonly Found[], from: number, to: number): void {
    const before = Math.max(this.#first, from - this.#length);
    const going: Open[] = [];
    for (const one of found) {
      const { score, vanished, vanishedElsewhere } = one;
      const run = this.#open.find(({ grid }) => keyOf(grid) === keyOf(one));
      if (run) {
        if (score > run.score) Object.assign(run, { score, vanished, vanishedElsewhere, grid: one });
        going.push(run);
        continue;
      }
      const { bank, family, name } = one.shape;
      const start = this.#extent(one, before, to).from;
      if (!this.#known.some((grid) => keyOf(grid) === keyOf(one)))
        this.#known.push({ shape: one.shape, offset: one.offset });
      going.push({
        ...{ family, window: name, frameSamples: bank.frame, offset: one.offset, score, vanished, vanishedElsewhere },
        startSeconds: start / this.#rateHz,
        endSeconds: to / this.#rateHz,
        grid: one,
      });
    }
    for (const run of this.#open) {
      if (going.includes(run)) continue;
      this.#runs.push({ ...run, endSeconds: this.#extent(run.grid, before, to).to / this.#rateHz });
    }
    this.#open = going;
  }

  /** Starts of frames at which the most lines vanish. */
  #search(shape: Shape, from: number, to: number): Grid[] {
    const { bank } = shape;
    const places = this.#searchPlaces(bank, from, to);
    if (places.length === 0) return [];
    const levels = new Float64Array(bank.frame + 2 * reach);
    for (const place of places) {
      const at = place - reach - this.#first;
      bank.everyStart(this.#samples, at, levels.length, (start, lines) => {
        levels[start - at] += levelOf(lines);
      });
    }
    const dips = Array.from({ length: bank.frame }, (_, i) => levels[reach + i] - around(levels, reach + i));
    const order = [...dips.keys()].sort((one, other) => dips[one] - dips[other]);
    const chosen: number[] = [];
    for (const i of order) {
      if (chosen.length === candidates) break;
      if (chosen.every((other) => Math.abs(other - i) > 2)) chosen.push(i);
    }
    return chosen.map((offset) => ({ shape, offset }));
  }

  /** Multiples of a frame's length: of each tenth of the stretch the one with the most treble. */
  #searchPlaces({ frame, span }: FilterBank, from: number, to: number): number[] {
    const best = new Map<number, { place: number; treble: number }>();
    for (
      let place = Math.ceil((from + reach) / frame) * frame;
      this.#holds(place + frame + reach + span) && place < to;
      place += frame
    ) {
      const treble = this.#treble(place + span / 2, frame);
      const part = Math.floor((searchedFrames * (place - from)) / this.#length);
      if (treble >= leastTreble && treble > (best.get(part)?.treble ?? 0)) best.set(part, { place, treble });
    }
    return [...best.values()].map(({ place }) => place);
  }

  #holds(end: number): boolean {
    return end <= this.#first + this.#filled;
  }

  /** Root mean square of the second differences of so many samples. */
  #treble(from: number, length: number): number {
    let sum = 0;
    for (let i = Math.max(2, from - this.#first); i < from - this.#first + length; i++) {
      sum += (this.#samples[i] - 2 * this.#samples[i - 1] + this.#samples[i - 2]) ** 2;
    }
    return Math.sqrt(sum / length);
  }

  /** Whether a start stands out in frames in which it was not searched for; null where there are too few. */
  #decide(grid: Grid, from: number, to: number): Found | null {
    const { bank } = grid.shape;
    const searched = this.#searchPlaces(bank, from, to);
    const frames = this.#frames(grid, from, to)
      .filter(({ at }) => !searched.some((place) => at > place - bank.frame && at < place + bank.frame))
      .sort((one, other) => other.treble - one.treble)
      .slice(0, decidingFrames);
    if (frames.length < earlyFrames / 2) return null;
    const depths: number[] = [];
    const clarities: number[] = [];
    let [vanished, elsewhere] = [0, 0];
    for (const { at } of frames) {
      const dip = this.#dip(bank, at);
      depths.push(dip.depth);
      clarities.push(dip.clarity);
      vanished += dip.vanished / frames.length;
      elsewhere += dip.elsewhere / frames.length;
      if (clarities.length === earlyFrames && scoreOf(clarities) < leastEarly) break;
    }
    return { ...grid, score: scoreOf(clarities), vanished, vanishedElsewhere: elsewhere, depth: meanOf(depths), clarity: meanOf(clarities) }; // prettier-ignore
  }

  /** Frames with enough sound that begin where the grid says. */
  #frames({ shape: { bank }, offset }: Grid, from: number, to: number): { at: number; treble: number }[] {
    const frames: { at: number; treble: number }[] = [];
    const first = offset + Math.ceil((from - offset) / bank.frame) * bank.frame;
    for (let at = first; at < to && this.#holds(at + bank.span + reach); at += bank.frame) {
      if (at - reach < this.#first) continue;
      const treble = this.#treble(at + bank.span / 2 - bank.frame / 2, bank.frame);
      if (treble >= leastTreble) frames.push({ at, treble });
    }
    return frames;
  }

  /** How much lower the lines lie than those of frames that begin some samples before and after. */
  #dip(bank: FilterBank, at: number): { depth: number; clarity: number; vanished: number; elsewhere: number } {
    const lines = bank.linesAt(this.#samples, at - this.#first);
    const level = levelOf(lines);
    const vanished = vanishedOf(lines);
    const others: number[] = [];
    let elsewhere = 0;
    for (const neighbour of neighbours) {
      const there = bank.linesAt(this.#samples, at + neighbour - this.#first);
      others.push(levelOf(there));
      elsewhere += vanishedOf(there) / neighbours.length;
    }
    const depth = meanOf(others) - level;
    const spread = Math.sqrt(
      others.reduce((sum, other) => sum + (other - level - depth) ** 2, 0) / (others.length - 1),
    );
    const deviations = depth / (spread + leastSpread) / Math.sqrt(1 + 1 / others.length);
    return { depth, clarity: Math.max(-mostClarity, Math.min(mostClarity, deviations)), vanished, elsewhere };
  }

  /** From where to where, within two stretches, frames of a grid fit. */
  #extent(grid: Found, from: number, to: number): { from: number; to: number } {
    const { bank } = grid.shape;
    const dips = this.#frames(grid, from, to).map(({ at }) => ({ at, clarity: this.#dip(bank, at).clarity }));
    // The piece whose frames, less a quarter of what is usual, add up to the most.
    let [best, sum, begin] = [0, 0, 0];
    let piece = { from, to: from };
    for (const [i, { at, clarity }] of dips.entries()) {
      if (sum <= 0) [sum, begin] = [0, i];
      sum += clarity - grid.clarity / 4;
      if (sum > best) [best, piece] = [sum, { from: dips[begin].at, to: at }];
    }
    const middle = (bank.span - bank.frame) / 2;
    return { from: piece.from + middle, to: Math.min(to, piece.to + middle + bank.frame) };
  }

  /** Other codecs have frames of other lengths and windows; what fits one of them better is not AAC. */
  #named(found: Found, from: number, to: number): Found {
    let best = found;
    for (const shape of this.#others) {
      const { frame, span } = shape.bank;
      // Windows of other lengths lie about the same middle, or an eighth of a frame aside.
      const first = found.offset + found.shape.bank.span / 2 - span / 2;
      const offsets = new Set(Array.from({ length: 8 }, (_, k) => (((first + 128 * k) % frame) + frame) % frame));
      for (const offset of offsets) {
        const other = this.#decide({ shape, offset }, from, to);
        if (other && other.score >= leastScore && other.depth > best.depth) best = other;
      }
    }
    return best;
  }

  #addPower(from: number, to: number): void {
    const [, { bank }] = this.#searched;
    for (const place of this.#searchPlaces(bank, from, to)) {
      const lines = bank.linesAt(this.#samples, place - this.#first);
      for (let k = 0; k < lines.length; k++) this.#power[k] += lines[k] ** 2;
    }
  }

  /** Where the mean spectrum falls the most from a few groups of lines to the next. */
  #bandEdge(): number | null {
    const groups = Array.from(
      { length: this.#power.length / edgeLines },
      (_, group) =>
        10 * Math.log10(meanOf([...this.#power.subarray(group * edgeLines, (group + 1) * edgeLines)]) + 1e-6),
    );
    let [edge, most] = [0, leastEdgeDb];
    const hertz = (group: number): number => (group * edgeLines * this.#rateHz) / 2 / this.#power.length;
    for (let group = edgeSide; group + edgeSide <= groups.length; group++) {
      const fall = meanOf(groups.slice(group - edgeSide, group)) - meanOf(groups.slice(group, group + edgeSide));
      if (fall > most && hertz(group) >= lowestEdgeHz) [edge, most] = [group, fall];
    }
    return edge === 0 ? null : hertz(edge);
  }
}

function keyOf({ shape, offset }: Grid): string {
  return `${shape.family} ${shape.name} ${shape.bank.frame} ${offset}`;
}

/** Mean logarithm of the lines' squares. */
function levelOf(lines: Float64Array): number {
  let sum = 0;
  // One logarithm for sixteen of them.
  for (let i = 0; i < lines.length; i += 16) {
    let product = 1;
    for (let k = i; k < i + 16; k++) product *= lines[k] * lines[k] + floor;
    sum += Math.log(product);
  }
  return sum / lines.length;
}

function vanishedOf(lines: Float64Array): number {
  let count = 0;
  for (let i = 0; i < lines.length; i++) if (Math.abs(lines[i]) < vanishing) count++;
  return count / lines.length;
}

/** Mean of the levels about one. */
function around(levels: Float64Array, at: number): number {
  return neighbours.reduce((sum, neighbour) => sum + levels[at + neighbour], 0) / neighbours.length;
}

/** Without those that a stronger one casts aside of itself. */
function apart(found: readonly Found[]): Found[] {
  const kept: Found[] = [];
  for (const one of [...found].sort((first, second) => second.depth - first.depth)) {
    const isKnown = kept.some((other) => {
      if ((one.shape.family === 'mp3') !== (other.shape.family === 'mp3')) return false;
      const distance = Math.abs(one.offset - other.offset);
      const round = Math.min(distance, one.shape.bank.frame - distance);
      return round <= 2 || ((round <= reach || distance % sharedBands === 0) && one.depth < other.depth / 2);
    });
    if (!isKnown) kept.push(one);
  }
  return kept;
}

/** In order; what one start was lost for a while in is one run. */
function joined(runs: readonly Open[]): CodingRun[] {
  const all: Open[] = [];
  for (const run of [...runs].sort((one, other) => one.startSeconds - other.startSeconds)) {
    const last = all.findLast(({ grid }) => keyOf(grid) === keyOf(run.grid));
    if (!last || run.startSeconds - last.endSeconds > longestGapSeconds) {
      all.push({ ...run });
      continue;
    }
    last.endSeconds = Math.max(last.endSeconds, run.endSeconds);
    if (run.score > last.score) {
      const { score, vanished, vanishedElsewhere } = run;
      Object.assign(last, { score, vanished, vanishedElsewhere });
    }
  }
  return all.map(({ grid: _, ...run }) => run);
}

/** Their mean in standard errors, of values that follow Student's distribution of five degrees of freedom where nothing is. */
function scoreOf(clarities: readonly number[]): number {
  return (meanOf(clarities) * Math.sqrt(clarities.length)) / Math.sqrt(5 / 3);
}
