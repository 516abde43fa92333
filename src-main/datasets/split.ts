import { Random } from '../base/random.ts';
import type { RepeatedSound } from './check.ts';
import { Groups } from './groups.ts';
import type { DatasetItem, Label } from './types.ts';

/** The splits that are made, in the order of their shares. */
export const splitNames = ['train', 'dev', 'test'] as const;

/** What must not stand in two splits. */
export type SplitKey = 'speaker' | 'source' | 'generator';

export interface SplitResult {
  items: DatasetItem[];
  /** Sets of recordings that belong together, and how many of all recordings the largest holds. */
  components: number;
  largest: number;
}

const labels: readonly Label[] = ['bonafide', 'spoof'];
/** Orders tried; fewer where there are very many components. */
const attempts = 200;
const mostPlacements = 4e6;

/**
 * Deals a dataset's recordings to train, dev and test so that no speaker, source or repeated sound stands in two of them: what is
 * joined by any of these, directly or through others, goes as one. Both classes come as near to the shares as the sizes
 * allow: components are placed where they lessen the squared distance most, the largest first, in many seeded orders, of
 * which the best is kept.
 * @param options.shares of train, dev and test, as parts of their sum; 0 leaves a split out.
 * @param options.by the names that hold recordings together; unknown ones (null) hold nothing.
 * @param options.repeated sounds whose recordings belong together.
 * @returns new items in the dataset's order.
 */
export function splitItems(
  items: readonly DatasetItem[],
  options: { shares: readonly number[]; by: readonly SplitKey[]; repeated: readonly RepeatedSound[]; seed: number },
): SplitResult {
  const { shares, by, repeated, seed } = options;
  const groups = new Groups(items.length);
  for (const key of by) {
    const firsts = new Map<string, number>();
    items.forEach((item, index) => {
      const name = item[key];
      if (name === null) return;
      const first = firsts.get(name);
      if (first === undefined) firsts.set(name, index);
      else groups.join(first, index);
    });
  }
  const places = new Map(items.map((item, index) => [item.id, index]));
  for (const { members } of repeated) {
    const known = members.map(({ id }) => places.get(id)).filter((place) => place !== undefined);
    for (const place of known) groups.join(known[0], place);
  }
  const components = groups.all().map((members) => ({
    members,
    counts: labels.map((label) => members.filter((index) => items[index].label === label).length),
  }));

  const totals = labels.map((_, label) => components.reduce((sum, { counts }) => sum + counts[label], 0));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const wanted = shares.map((share) => totals.map((total) => (share / whole) * total));
  const random = new Random([seed, 31]);
  let best: Int8Array | null = null;
  let bestCost = Infinity;
  const tries = Math.max(1, Math.min(attempts, Math.floor(mostPlacements / components.length)));
  for (let attempt = 0; attempt < tries; attempt++) {
    // The largest first, among which chance decides: sizes are stretched by up to a third.
    const order = components
      .map(({ members }, index) => ({ index, rank: members.length * (1 + random.uniform() / 3) }))
      .sort((a, b) => b.rank - a.rank);
    const left = wanted.map((counts) => [...counts]);
    const placed = new Int8Array(components.length);
    for (const { index } of order) {
      const { counts } = components[index];
      let chosen = -1;
      let least = Infinity;
      for (let split = 0; split < shares.length; split++) {
        if (shares[split] === 0) continue;
        const change = costOf(left[split], totals, shares[split], counts) - costOf(left[split], totals, shares[split]);
        if (change < least - 1e-12) {
          least = change;
          chosen = split;
        }
      }
      placed[index] = chosen;
      counts.forEach((count, label) => (left[chosen][label] -= count));
    }
    const cost = left.reduce((sum, counts, split) => sum + costOf(counts, totals, shares[split]), 0);
    if (cost < bestCost - 1e-12) {
      bestCost = cost;
      best = placed;
    }
  }

  const splits = new Array<string>(items.length);
  components.forEach(({ members }, component) => {
    for (const index of members) splits[index] = splitNames[best?.[component] ?? 0];
  });
  return {
    items: items.map((item, index) => ({ ...item, split: splits[index] })),
    components: components.length,
    largest: components.reduce((most, { members }) => Math.max(most, members.length), 0),
  };
}

/** How far a split is from what it should hold, in parts of its share, so that a small split counts as much as a large one. */
function costOf(
  left: readonly number[],
  totals: readonly number[],
  share: number,
  less: readonly number[] = [],
): number {
  if (share === 0) return 0;
  let cost = 0;
  for (let label = 0; label < totals.length; label++) {
    if (totals[label] > 0) cost += ((left[label] - (less[label] ?? 0)) / totals[label]) ** 2 / share;
  }
  return cost;
}
