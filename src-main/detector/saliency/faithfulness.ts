/**
 * Whether a saliency map shows what a score rests on: the cells that it names are taken out of the sound (deletion), or all but them
 * (insertion), and the score must move more than with other regions of the same size and shape (Petsiuk et al., "RISE", BMVC 2018; Hooker et al., 2019, on
 * why chance has to be measured). Regions for comparison are the map itself, moved about in time and frequency.
 */
import type { Advantage, Faithfulness } from '../../../src-common/schemas/saliency.ts';
import { Random } from '../../base/random.ts';
import { cellCount } from './cells.ts';
import type { CellGrid } from './cells.ts';

/** Shares of the cells that are taken out or left. */
const shares = [0.1, 0.2, 0.4];

/** Scores a window's sound without the cells of a mask, one score for each mask. */
type ScoreMasks = (masks: Uint8Array[]) => Promise<number[]>;

/** How much more the map's regions move a window's score than each of the regions compared with: means over the shares. */
export interface Advantages {
  deletion: Float64Array;
  insertion: Float64Array;
}

/** Cells by falling value. */
function ranked(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((one, other) => values[other] - values[one] || one - other);
}

function maskOf(cells: readonly number[], count: number, inverted: boolean): Uint8Array {
  const mask = new Uint8Array(count).fill(inverted ? 1 : 0);
  for (const cell of cells) mask[cell] = inverted ? 0 : 1;
  return mask;
}

/** Moves cells about, around the edges of the grid. */
function moved(cells: readonly number[], { columns, rows }: CellGrid, byRows: number, byColumns: number): number[] {
  return cells.map((cell) => {
    const row = (Math.floor(cell / columns) + byRows) % rows;
    return row * columns + ((cell + byColumns) % columns);
  });
}

/** The masks of one order of cells: for each share one without them, then one without all others. */
function masksOf(order: readonly number[], count: number): Uint8Array[] {
  return shares.flatMap((share) => {
    const cells = order.slice(0, Math.max(1, Math.round(share * count)));
    return [maskOf(cells, count, false), maskOf(cells, count, true)];
  });
}

/** Changed sounds that the test of a map on one window scores. */
export function testedSounds(draws: number): number {
  return (1 + draws) * 2 * shares.length;
}

/**
 * Tests a map on one window.
 * @param map for each cell how much it speaks for bona fide
 * @param direction 1 where the map is to explain a high score, -1 where a low one
 * @param draws regions to compare with
 */
export async function windowAdvantages(
  map: Float64Array,
  grid: CellGrid,
  direction: 1 | -1,
  draws: number,
  seed: readonly number[],
  score: ScoreMasks,
): Promise<Advantages> {
  const count = cellCount(grid);
  const order = ranked(map.map((value) => direction * value));
  const random = new Random([...seed]);
  const orders = [order];
  for (let draw = 0; draw < draws; draw++) {
    // Never by nothing.
    const shift = 1 + random.below(count - 1);
    orders.push(moved(order, grid, Math.floor(shift / grid.columns), shift % grid.columns));
  }
  const scores = await score(orders.flatMap((one) => masksOf(one, count)));
  const perOrder = 2 * shares.length;
  // What is left after deletion should be low, what is left after insertion high, seen in the direction of the score.
  const means = orders.map((_, index) => {
    let deletion = 0;
    let insertion = 0;
    for (let share = 0; share < shares.length; share++) {
      deletion -= (direction * scores[index * perOrder + 2 * share]) / shares.length;
      insertion += (direction * scores[index * perOrder + 2 * share + 1]) / shares.length;
    }
    return { deletion, insertion };
  });
  const [own, ...others] = means;
  return {
    deletion: Float64Array.from(others, (other) => own.deletion - other.deletion),
    insertion: Float64Array.from(others, (other) => own.insertion - other.insertion),
  };
}

function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

function advantageOf(values: Float64Array, mean?: number): Advantage {
  const sorted = values.toSorted();
  return {
    mean: mean ?? values.reduce((sum, value) => sum + value, 0) / values.length,
    interval: [quantile(sorted, 0.025), quantile(sorted, 0.975)],
  };
}

/**
 * The test on one recording: the means over its windows, with the interval over the regions compared with. It lies above zero where
 * the map does better than nearly all of them.
 */
export function recordingFaithfulness(windows: readonly Advantages[]): Faithfulness {
  const meanOver = (of: (one: Advantages) => Float64Array): Float64Array =>
    of(windows[0]).map((_, draw) => windows.reduce((sum, one) => sum + of(one)[draw], 0) / windows.length);
  const deletion = meanOver((one) => one.deletion);
  const insertion = meanOver((one) => one.insertion);
  return {
    deletion: advantageOf(deletion),
    insertion: advantageOf(insertion),
    both: advantageOf(deletion.map((value, draw) => (value + insertion[draw]) / 2)),
  };
}

/** Draws of the bootstrap over sources. */
const replicates = 2000;

/** A mean over recordings, with its interval by drawing their sources anew; a recording without one stands by itself. */
function overSources(values: readonly number[], sources: readonly (string | null)[], seed: number): Advantage {
  const bySource = new Map<string, number[]>();
  values.forEach((value, index) => {
    const source = sources[index];
    const key = source === null ? `recording ${index}` : `source ${source}`;
    bySource.set(key, [...(bySource.get(key) ?? []), value]);
  });
  const groups = [...bySource.values()].map((group) => ({
    sum: group.reduce((sum, value) => sum + value, 0),
    count: group.length,
  }));
  const random = new Random(seed);
  const means = new Float64Array(replicates);
  for (let draw = 0; draw < replicates; draw++) {
    let sum = 0;
    let count = 0;
    for (let pick = 0; pick < groups.length; pick++) {
      const group = groups[random.below(groups.length)];
      sum += group.sum;
      count += group.count;
    }
    means[draw] = sum / count;
  }
  return advantageOf(means, values.reduce((sum, value) => sum + value, 0) / values.length);
}

/** The test on many recordings, one window of each, with intervals over their sources. */
export function corpusFaithfulness(
  recordings: readonly { source: string | null; advantages: Advantages }[],
  seed: number,
): Faithfulness {
  const sources = recordings.map(({ source }) => source);
  const each = recordings.map(({ advantages }) => recordingFaithfulness([advantages]));
  const of = (part: keyof Faithfulness): Advantage =>
    overSources(
      each.map((one) => one[part].mean),
      sources,
      seed,
    );
  return { deletion: of('deletion'), insertion: of('insertion'), both: of('both') };
}

/** Whether regions of the map move the score more than chance. */
export function isFaithful({ both }: Faithfulness): boolean {
  return both.interval[0] > 0;
}
