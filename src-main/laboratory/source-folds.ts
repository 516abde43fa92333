import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';

type Foldable = Pick<DatasetItem, 'id' | 'label' | 'speaker' | 'source'>;

/** What of a recording must not stand in two folds. */
export function foldKey({ source, speaker, id }: Foldable): string {
  return source ?? speaker ?? id;
}

/**
 * Divides recordings into folds so that no source stands in two of them (where a source is unknown its speaker, where
 * both are the recording itself), the folds alike in both classes as far as the sources allow. Every recording is in
 * one fold; a fold may be empty where there are fewer sources than folds, and is left out then.
 * @param count folds wanted, at least two
 * @param keyOf what must not stand in two folds, where it is another than that
 */
export function sourceFolds<Item extends Foldable>(
  items: readonly Item[],
  count: number,
  seed: number,
  keyOf: (item: Item) => string = foldKey,
): Item[][] {
  const groups = Map.groupBy(items, keyOf);
  const totals = { bonafide: 0, spoof: 0 };
  for (const { label } of items) totals[label]++;
  const shareOf = (group: readonly Item[], label: 'bonafide' | 'spoof'): number =>
    totals[label] === 0 ? 0 : group.filter((item) => item.label === label).length / totals[label];
  const measured = new Random([seed, 7]).shuffle([...groups.values()]).map((group) => ({
    group,
    bonafide: shareOf(group, 'bonafide'),
    spoof: shareOf(group, 'spoof'),
  }));
  // Largest first, each to the fold that it leaves fullest the least: the usual greedy packing.
  measured.sort((one, other) => other.bonafide + other.spoof - (one.bonafide + one.spoof));
  const folds = Array.from({ length: count }, () => ({ items: [] as Item[], bonafide: 0, spoof: 0 }));
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
