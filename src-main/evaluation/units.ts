import { leastRecordings, leastUnits } from '../../src-common/interval-rule.ts';
import type { Trial } from './trials.ts';

/** What counts as one independent observation. */
export const unitNames = ['sources', 'speakers', 'files'] as const;
export type UnitName = (typeof unitNames)[number];

/** Trials gathered into the units that count. */
export interface CountedUnits {
  unit: UnitName;
  /** Number of the unit of each trial; bona fide and spoofs of one source are two units. */
  of: Int32Array;
  bonafide: number;
  spoof: number;
}

type Named = Pick<Trial, 'bonafide' | 'speaker' | 'source'>;

/**
 * Gathers the trials of each class by source where both classes name two sources at least, else by speaker likewise,
 * else lets every file count. Those that do not name theirs are one unit together, so that clips of unknown origin
 * add one to the count at most.
 * @param unit takes this one whatever is named.
 */
export function countUnits(trials: readonly Named[], unit?: UnitName): CountedUnits {
  if (unit === undefined) {
    for (const name of unitNames) {
      const counted = countUnits(trials, name);
      if (name === 'files' || (namedUnits(trials, name, true) >= 2 && namedUnits(trials, name, false) >= 2)) {
        return counted;
      }
    }
  }
  const numbers = new Map<string, number>();
  const counts = { bonafide: 0, spoof: 0 };
  const of = Int32Array.from(trials, (trial, index) => {
    const key = JSON.stringify([trial.bonafide, unit === 'files' ? index : nameOf(trial, unit ?? 'files')]);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    counts[trial.bonafide ? 'bonafide' : 'spoof']++;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
  return { unit: unit ?? 'files', of, ...counts };
}

/**
 * How many independent units recordings are from, whatever their class: sources where any is named, else speakers, else
 * the files themselves. Those that do not name theirs are one unit together.
 */
export function independentUnits(trials: readonly Omit<Named, 'bonafide'>[]): { unit: UnitName; count: number } {
  for (const unit of ['sources', 'speakers'] as const) {
    const names = new Set(trials.map((trial) => nameOf(trial, unit)));
    if (names.size > 1 || (names.size === 1 && !names.has(null))) return { unit, count: names.size };
  }
  return { unit: 'files', count: trials.length };
}

/** A speaker is one of a source: the same number in two corpora is two people. */
function nameOf({ speaker, source }: Omit<Named, 'bonafide'>, unit: UnitName): string | null {
  if (unit === 'sources') return source || null;
  return speaker ? JSON.stringify([source ?? null, speaker]) : null;
}

function namedUnits(trials: readonly Named[], unit: UnitName, bonafide: boolean): number {
  return new Set(trials.flatMap((trial) => (trial.bonafide === bonafide ? (nameOf(trial, unit) ?? []) : []))).size;
}

/**
 * How many independent observations a class amounts to: its number over the design effect `1 + (m - 1) ρ`, where `ρ`
 * is the intraclass correlation of its values (one-way analysis of variance) and `m` the mean size of the unit that a
 * trial is in (Kish, 1965). By sources and by speakers, whichever leaves less; a single unit counts as one.
 */
export function effectiveCount(trials: readonly Named[], values: Float64Array): number {
  let least = trials.length;
  for (const unit of ['sources', 'speakers'] as const) {
    // A trial without a name stands for itself here: nothing is known to tie it to another.
    const groups = Map.groupBy(values, (_, index) => nameOf(trials[index], unit) ?? `trial ${index}`);
    least = Math.min(least, trials.length / designEffect([...groups.values()]));
  }
  return least;
}

/**
 * How many independent recordings some trials amount to, for {@link leastRecordings}: as {@link effectiveCount},
 * but what all of them share, one source or one speaker, does not count against them, since nothing shows how much it
 * matters. Their figures are then of that source or speaker.
 */
export function independentRecordings(trials: readonly (Named & Pick<Trial, 'score'>)[]): number {
  const shared = (unit: 'sources' | 'speakers') => new Set(trials.map((trial) => nameOf(trial, unit))).size === 1;
  const [oneSource, oneSpeaker] = [shared('sources'), shared('speakers')];
  const named = trials.map(({ bonafide, source, speaker }) => ({
    bonafide,
    source: oneSource ? null : source,
    speaker: oneSpeaker ? null : speaker,
  }));
  return effectiveCount(
    named,
    Float64Array.from(trials, ({ score }) => score),
  );
}

/**
 * Whether a class is too small for intervals of figures over all trials: it has fewer recordings than {@link leastRecordings}, or they
 * amount to fewer than {@link leastUnits}.
 */
export function tooFewOverall(trials: readonly (Named & Pick<Trial, 'score'>)[]): boolean {
  return [true, false].some((bonafide) => {
    const own = trials.filter((trial) => trial.bonafide === bonafide);
    return own.length < leastRecordings || independentRecordings(own) < leastUnits;
  });
}

function designEffect(groups: readonly number[][]): number {
  const sizes = groups.map((group) => group.length);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const squares = sizes.reduce((sum, size) => sum + size * size, 0);
  if (groups.length === 1) return all;
  if (groups.length === all) return 1;
  const mean = groups.flat().reduce((sum, value) => sum + value, 0) / all;
  let between = 0;
  let within = 0;
  for (const group of groups) {
    const own = group.reduce((sum, value) => sum + value, 0) / group.length;
    between += group.length * (own - mean) ** 2;
    for (const value of group) within += (value - own) ** 2;
  }
  between /= groups.length - 1;
  within /= all - groups.length;
  const size = (all - squares / all) / (groups.length - 1);
  const spread = between + (size - 1) * within;
  const correlation = spread > 0 ? Math.min(1, Math.max(0, (between - within) / spread)) : 0;
  return 1 + (squares / all - 1) * correlation;
}
