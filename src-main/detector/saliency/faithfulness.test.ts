import { describe, expect, it } from 'vitest';
import { Random } from '../../base/random.ts';
import { cellCount, cellGrid } from './cells.ts';
import { corpusFaithfulness, isFaithful, recordingFaithfulness, windowAdvantages } from './faithfulness.ts';

const grid = cellGrid(3, [70, 7400]);
const count = cellCount(grid);

/** A model that looks at some cells: the score is the sum of the values of those that are there. */
const truth = Float64Array.from({ length: count }, (_, cell) => (cell % 7 === 0 ? 1 : 0.1 * Math.sin(cell)));
const score = (masks: Uint8Array[]): Promise<number[]> =>
  Promise.resolve(masks.map((mask) => truth.reduce((sum, value, cell) => sum + (mask[cell] === 1 ? 0 : value), 0)));

/** A map that knows nothing. */
function guess(seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: count }, () => random.uniform());
}

describe('windowAdvantages', () => {
  it('finds a map faithful that shows what the score rests on', async () => {
    const advantages = await windowAdvantages(truth, grid, 1, 40, [1], score);
    const found = recordingFaithfulness([advantages]);
    expect(isFaithful(found)).toBe(true);
    // Of 120 cells, 18 weigh 1: 12 of them in the first share, and 18 in either other, against one in seven by chance.
    expect(found.deletion.mean).toBeGreaterThan(9);
    expect(found.insertion.mean).toBeGreaterThan(9);
  });

  it('explains a low score by what lowers it', async () => {
    const low = (masks: Uint8Array[]): Promise<number[]> => score(masks).then((scores) => scores.map((one) => -one));
    const map = truth.map((value) => -value);
    expect(isFaithful(recordingFaithfulness([await windowAdvantages(map, grid, -1, 40, [1], low)]))).toBe(true);
    expect(isFaithful(recordingFaithfulness([await windowAdvantages(truth, grid, -1, 40, [1], low)]))).toBe(false);
  });

  it('finds a map that knows nothing no better than chance, about as often as its interval says', async () => {
    let faithful = 0;
    for (let seed = 0; seed < 40; seed++) {
      const advantages = await windowAdvantages(guess(seed), grid, 1, 40, [seed], score);
      if (isFaithful(recordingFaithfulness([advantages]))) faithful++;
    }
    expect(faithful).toBeLessThanOrEqual(4);
  });

  it('draws the same regions for the same seed', async () => {
    const [one, other] = [
      await windowAdvantages(truth, grid, 1, 5, [3], score),
      await windowAdvantages(truth, grid, 1, 5, [3], score),
    ];
    expect(one).toEqual(other);
  });
});

it('over many recordings the interval is of their sources, not of their number', async () => {
  const good = await windowAdvantages(truth, grid, 1, 5, [1], score);
  const bad = { deletion: good.deletion.map((value) => -value), insertion: good.insertion.map((value) => -value) };
  const many = (sources: (index: number) => string) =>
    Array.from({ length: 60 }, (_, index) => ({ source: sources(index), advantages: index < 40 ? good : bad }));
  // Forty good and twenty bad ones: sure with sixty sources, not with three.
  expect(isFaithful(corpusFaithfulness(many(String), 1))).toBe(true);
  expect(
    isFaithful(
      corpusFaithfulness(
        many((index) => String(index % 20 === 0 ? 0 : index < 20 ? 1 : index < 40 ? 2 : 3)),
        1,
      ),
    ),
  ).toBe(false);
  const { both } = corpusFaithfulness(many(String), 1);
  expect(both.interval[0]).toBeLessThan(both.mean);
  expect(both.interval[1]).toBeGreaterThan(both.mean);
});
