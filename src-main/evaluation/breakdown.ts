import { areaUnderRoc, equalErrorRate, sweepSorted } from './sweep.ts';

/** A scored recording with what it is counted under; null where that is not known. */
export interface GroupedTrial {
  bonafide: boolean;
  score: number;
  /** By the name of the grouping: source, year, kind and so on. */
  groups: Readonly<Record<string, string | null>>;
}

/** One group of recordings. */
export interface GroupFigures {
  by: string;
  value: string;
  bonafide: number;
  spoof: number;
  /** Bona fide taken for spoofs, and spoofs for bona fide, at the model's threshold. */
  rejected: number;
  accepted: number;
  /** `group`: within the group, which holds both classes; `all`: its spoofs against all bona fide; null for bona fide alone. */
  against: 'group' | 'all' | null;
  eer: number | null;
  auc: number | null;
}

function sorted(trials: readonly GroupedTrial[]): Float64Array {
  return Float64Array.from(trials, ({ score }) => score).sort();
}

/**
 * Figures by every grouping that the trials name, groups in the order of their names.
 * @param threshold what scores at least this is taken for bona fide
 */
export function breakdown(trials: readonly GroupedTrial[], threshold: number): GroupFigures[] {
  const all = trials.filter(({ bonafide }) => bonafide);
  const groupings = [...new Set(trials.flatMap(({ groups }) => Object.keys(groups)))];
  return groupings.flatMap((by) => {
    const members = Map.groupBy(trials, ({ groups }) => groups[by] ?? null);
    return [...members]
      .flatMap(([value, group]) => (value === null ? [] : [[value, group] as const]))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([value, group]) => ({ by, value, ...figuresOf(group, all, threshold) }));
  });
}

function figuresOf(
  group: readonly GroupedTrial[],
  all: readonly GroupedTrial[],
  threshold: number,
): Omit<GroupFigures, 'by' | 'value'> {
  const human = group.filter(({ bonafide }) => bonafide);
  const spoofs = group.filter(({ bonafide }) => !bonafide);
  const against = spoofs.length === 0 ? null : human.length > 0 ? 'group' : all.length > 0 ? 'all' : null;
  const sweep = against && sweepSorted(sorted(against === 'group' ? human : all), sorted(spoofs));
  return {
    bonafide: human.length,
    spoof: spoofs.length,
    rejected: human.filter(({ score }) => score < threshold).length,
    accepted: spoofs.filter(({ score }) => score >= threshold).length,
    against,
    eer: sweep && equalErrorRate(sweep).eer,
    auc: sweep && areaUnderRoc(sweep),
  };
}
