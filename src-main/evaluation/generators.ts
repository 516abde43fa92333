/** Each generator's spoofs against bona fide speech of all and of the same sources. */
import { leastRecordings } from '../../src-common/interval-rule.ts';
import type { Trial } from './trials.ts';
import { independentRecordings } from './units.ts';

/** A generator's spoofs against all bona fide trials, and against those of the sources that it shares with them. */
interface GeneratorComparison {
  generator: string;
  all: SpoofComparison;
  /** What its spoofs and the bona fide trials amount to, whichever is less ({@link independentRecordings}). */
  units: number;
  /** Null where none of its sources holds bona fide speech. */
  sameSource: { sources: string[]; comparison: SpoofComparison; units: number } | null;
}

/** Whether so few independent recordings are compared that only their counts are reported. */
export function tooFew(comparison: { units: number }): boolean {
  return comparison.units < leastRecordings;
}

/**
 * Each generator, by name, set against bona fide speech. "The same source" is the union of the sources that hold both
 * spoofs of the generator and bona fide speech, with the generator's spoofs of those sources only. Spoofs without a
 * named generator are in none.
 */
export class GeneratorComparisons {
  readonly list: GeneratorComparison[];
  readonly #groups: BonafideGroup[];

  /** @param sorted trials in ascending order of their scores. */
  constructor(sorted: readonly Trial[]) {
    const spoofs = new Map<string, number[]>();
    const bonafide: number[] = [];
    const bonafideSources = new Set<string>();
    sorted.forEach(({ bonafide: real, attack, source }, index) => {
      if (real) {
        bonafide.push(index);
        if (source) bonafideSources.add(source);
      } else if (attack !== null) {
        const members = spoofs.get(attack);
        if (members) members.push(index);
        else spoofs.set(attack, [index]);
      }
    });
    const scores = Float64Array.from(sorted, ({ score }) => score);
    const unitsOf = (members: readonly number[]): number =>
      independentRecordings(members.map((index) => sorted[index]));
    const everything = new BonafideGroup(scores, bonafide);
    const allBonafide = unitsOf(bonafide);
    const groups = new Map<string, BonafideGroup>();
    const groupOf = (sources: readonly string[]): BonafideGroup => {
      const key = JSON.stringify(sources);
      const known = groups.get(key);
      if (known) return known;
      const wanted = new Set<string | null | undefined>(sources);
      const group = new BonafideGroup(
        scores,
        bonafide.filter((index) => wanted.has(sorted[index].source)),
      );
      groups.set(key, group);
      return group;
    };
    this.list = [...spoofs]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([generator, members]) => {
        const sources = new Set<string>();
        const shared = members.filter((index) => {
          const { source } = sorted[index];
          if (!source || !bonafideSources.has(source)) return false;
          sources.add(source);
          return true;
        });
        const named = [...sources].sort();
        const group = shared.length === 0 ? null : groupOf(named);
        return {
          generator,
          all: new SpoofComparison(everything, members),
          units: Math.min(unitsOf(members), allBonafide),
          sameSource: group && {
            sources: named,
            comparison: new SpoofComparison(group, shared),
            units: Math.min(unitsOf(shared), unitsOf([...group.members])),
          },
        };
      });
    this.#groups = [everything, ...groups.values()];
  }

  /** Takes every trial as often as `weights` (in the sorted order) says, until the next call. */
  weigh(weights: Uint16Array): void {
    for (const group of this.#groups) group.weigh(weights);
  }
}

/** Some of the bona fide trials, shared by the generators that are compared with them. */
class BonafideGroup {
  readonly scores: Float64Array;
  readonly members: Int32Array;
  /** `cumulated[k]` is the weight of the `k` lowest. */
  readonly cumulated: Float64Array;
  /** The nearest count from `k` down, and up, that does not part equal scores. */
  readonly down: Int32Array;
  readonly up: Int32Array;
  weights: Uint16Array = new Uint16Array(0);

  constructor(scores: Float64Array, members: readonly number[]) {
    this.scores = scores;
    this.members = Int32Array.from(members);
    const { length } = members;
    this.cumulated = new Float64Array(length + 1);
    this.down = new Int32Array(length + 1);
    this.up = new Int32Array(length + 1).fill(length);
    const parts = (k: number): boolean => k > 0 && k < length && scores[members[k - 1]] === scores[members[k]];
    for (let k = 1; k <= length; k++) this.down[k] = parts(k) ? this.down[k - 1] : k;
    for (let k = length - 1; k >= 0; k--) this.up[k] = parts(k) ? this.up[k + 1] : k;
  }

  weigh(weights: Uint16Array): void {
    this.weights = weights;
    let sum = 0;
    for (let k = 0; k < this.members.length; k++) {
      sum += weights[this.members[k]];
      this.cumulated[k + 1] = sum;
    }
  }
}

/** Some spoofs against a group of bona fide trials, for any weights; costs the number of spoofs, not of bona fide. */
class SpoofComparison {
  readonly bonafide: number;
  readonly spoofs: number;
  readonly #group: BonafideGroup;
  readonly #members: Int32Array;
  /** Of each distinct score of the spoofs: where its members end, and how many bona fide lie below and up to it. */
  readonly #ends: Int32Array;
  readonly #below: Int32Array;
  readonly #upTo: Int32Array;

  constructor(group: BonafideGroup, members: readonly number[]) {
    this.#group = group;
    this.#members = Int32Array.from(members);
    this.bonafide = group.members.length;
    this.spoofs = members.length;
    const ends: number[] = [];
    const below: number[] = [];
    const upTo: number[] = [];
    let low = 0;
    let high = 0;
    members.forEach((member, k) => {
      const score = group.scores[member];
      if (k + 1 < members.length && group.scores[members[k + 1]] === score) return;
      while (low < this.bonafide && group.scores[group.members[low]] < score) low++;
      while (high < this.bonafide && group.scores[group.members[high]] <= score) high++;
      ends.push(k + 1);
      below.push(low);
      upTo.push(high);
    });
    this.#ends = Int32Array.from(ends);
    this.#below = Int32Array.from(below);
    this.#upTo = Int32Array.from(upTo);
  }

  /** As `equalErrorRate` of a sweep; NaN where the weights leave either side empty. */
  eer(): number {
    const { cumulated, down, up } = this.#group;
    const positives = cumulated[this.bonafide];
    const negatives = this.#weight(0, this.spoofs);
    if (positives === 0 || negatives === 0) return NaN;
    let accepted = negatives;
    let member = 0;
    // The last point at which fewer bona fide are rejected than spoofs accepted, as rates.
    let before = -Infinity;
    let beforeMean = 0;
    for (let value = 0; ; value++) {
      const falseAccept = accepted / negatives;
      // Between two scores of spoofs only misses grow.
      const first = value === 0 ? 0 : this.#upTo[value - 1];
      const last = value === this.#ends.length ? this.bonafide : this.#below[value];
      if (cumulated[last] / positives - falseAccept >= 0) {
        let low = first;
        let high = last;
        while (low < high) {
          const middle = (low + high) >> 1;
          if (cumulated[middle] / positives - falseAccept >= 0) high = middle;
          else low = middle + 1;
        }
        const crossed = up[low];
        const miss = cumulated[crossed] / positives;
        if (low > first) {
          const missBefore = cumulated[down[low - 1]] / positives;
          before = missBefore - falseAccept;
          beforeMean = (missBefore + falseAccept) / 2;
        }
        return -before <= miss - falseAccept ? beforeMean : (miss + falseAccept) / 2;
      }
      const miss = cumulated[last] / positives;
      before = miss - falseAccept;
      beforeMean = (miss + falseAccept) / 2;
      accepted -= this.#weight(member, this.#ends[value]);
      member = this.#ends[value];
    }
  }

  /** Area under the ROC, equal scores counting half; NaN where the weights leave either side empty. */
  auc(): number {
    const { cumulated } = this.#group;
    const positives = cumulated[this.bonafide];
    let pairs = 0;
    let member = 0;
    this.#ends.forEach((end, value) => {
      const rejected = (cumulated[this.#below[value]] + cumulated[this.#upTo[value]]) / 2;
      pairs += this.#weight(member, end) * (positives - rejected);
      member = end;
    });
    return pairs / (positives * this.#weight(0, this.spoofs));
  }

  #weight(from: number, to: number): number {
    const { weights } = this.#group;
    let sum = 0;
    for (let k = from; k < to; k++) sum += weights[this.#members[k]];
    return sum;
  }
}
