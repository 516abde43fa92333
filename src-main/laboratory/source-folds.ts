import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';

/** What of a recording must not stand in two folds. */
export function foldKey({ source, speaker, id }: DatasetItem): string {
  return source ?? speaker ?? id;
}

/**
 * Divides recordings into folds so that no source stands in two of them (where a source is unknown its speaker, where
 * both are the recording itself), the folds alike in both classes as far as the sources allow. Every recording is in
 * one fold; a fold may be empty where there are fewer sources than folds, and is left out then.
 * @param count folds wanted, at least two
 */
export function sourceFolds(items: readonly DatasetItem[], count: number, seed: number): DatasetItem[][] {
  const groups = Map.groupBy(items, foldKey);
  const totals = { bonafide: 0, spoof: 0 };
  for (const { label } of items) totals[label]++;
  const shareOf = (group: readonly DatasetItem[], label: 'bonafide' | 'spoof'): number =>
    totals[label] === 0 ? 0 : group.filter((item) => item.label === label).length / totals[label];
  const measured = new Random([seed, 7]).shuffle([...groups.values()]).map((group) => ({
    group,
    bonafide: shareOf(group, 'bonafide'),
    spoof: shareOf(group, 'spoof'),
  }));
  // Largest first, each to the fold that it leaves fullest the least: the usual greedy packing.
  measured.sort((one, other) => other.bonafide + other.spoof - (one.bonafide + one.spoof));
  const folds = Array.from({ length: count }, () => ({ items: [] as DatasetItem[], bonafide: 0, spoof: 0 }));
  for (const { group, bonafide, spoof } of measured) {
    const fullness = (fold: { bonafide: number; spoof: number }): number =>
      (fold.bonafide + bonafide) ** 2 + (fold.spoof + spoof) ** 2 - fold.bonafide ** 2 - fold.spoof ** 2;
    const chosen = folds.reduce((best, fold) => (fullness(fold) < fullness(best) ? fold : best));
    chosen.items.push(...group);
    chosen.bonafide += bonafide;
    chosen.spoof += spoof;
  }
  return folds.map((fold) => fold.items).filter((fold) => fold.length > 0);
}
