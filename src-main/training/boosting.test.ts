import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { fitTrees } from './boosting.ts';
import { readSafetensors, writeSafetensors } from '../detector/safetensors.ts';
import { averaged, readTrees, scoreOfTrees, writeTrees } from '../detector/trees.ts';

const options = { trees: 40, leaves: 4, learningRate: 0.1, penalty: 1, leastInLeaf: 10, valuesShare: 1, seed: 1 };

/** Label 1 where the first two values lie on the same side of nought, which no single value tells; the third is noise. */
function examples(count: number, seed: number) {
  const random = new Random(seed);
  const rows = Array.from({ length: count }, () => Float32Array.from({ length: 3 }, () => random.normal()));
  const labels = Uint8Array.from(rows, ([one, other]) => Number(one > 0 === other > 0));
  return { rows, labels, weights: new Float64Array(count).fill(1) };
}

const share = (of: boolean[]): number => of.filter(Boolean).length / of.length;

describe('boosted trees', () => {
  const data = examples(800, 1);
  const model = fitTrees(data, { ...options, leaves: 8, trees: 80 });

  it('learn what only values together tell, and tell it of rows that they have not seen', () => {
    const { rows, labels } = examples(500, 2);
    const right = rows.map((row, at) => scoreOfTrees(model, row) > 0 === (labels[at] === 1));
    expect(share(right)).toBeGreaterThan(0.9);
  });

  it('are the same of the same data and seed, others of another seed', () => {
    const some = { ...options, valuesShare: 0.4 };
    expect(fitTrees(data, some)).toEqual(fitTrees(data, some));
    expect(fitTrees(data, { ...some, seed: 2 })).not.toEqual(fitTrees(data, some));
  });

  it('count examples by their weights', () => {
    const weights = data.weights.map((_, at) => (data.labels[at] === 1 ? 9 : 1));
    const counted = fitTrees({ ...data, weights }, { ...options, trees: 1, learningRate: 0 });
    const [ones, noughts] = [9 * data.labels.reduce((sum, one) => sum + one, 0), data.labels.filter((one) => one === 0).length]; // prettier-ignore
    expect(counted.bias).toBeCloseTo(Math.log(ones / noughts), 9);
  });

  it('have no leaf of fewer examples than asked, and no split where nothing is gained', () => {
    const one = fitTrees(data, { ...options, trees: 1, leaves: 2, leastInLeaf: 350 });
    const [value, limit] = [one.trees[0].values[0], one.trees[0].limits[0]];
    if (value >= 0) {
      const left = data.rows.filter((row) => row[value] <= limit).length;
      expect(Math.min(left, data.rows.length - left)).toBeGreaterThanOrEqual(350);
    }
    const flat = { ...data, rows: data.rows.map(() => Float32Array.of(1, 1, 1)) };
    expect(fitTrees(flat, options).trees.every(({ values }) => values.length === 1)).toBe(true);
  });

  it('score as before once they were written and read, and as the mean where several are one', () => {
    const other = fitTrees(data, { ...options, seed: 3, valuesShare: 0.4 });
    const both = readTrees(writeTrees(averaged([model, other])), 3, 'trees');
    for (const row of data.rows.slice(0, 20)) {
      expect(scoreOfTrees(both, row)).toBeCloseTo((scoreOfTrees(model, row) + scoreOfTrees(other, row)) / 2, 4);
    }
  });

  it.each([
    [
      'ask for a value that is not there',
      'values',
      (list: Float32Array) => list.map((value) => (value >= 0 ? 3 : value)),
    ],
    ['lead back to their root', 'lefts', (list: Float32Array) => list.fill(0)],
    ['lead out of their tree', 'lefts', (list: Float32Array) => list.fill(1e6)],
    ['hold what is no number', 'outputs', (list: Float32Array) => list.fill(NaN)],
    ['are of unlike lengths', 'limits', (list: Float32Array) => list.subarray(1)],
    ['begin nowhere', 'starts', () => new Float32Array(0)],
  ])('that %s are refused', (_, name, change) => {
    const { arrays } = readSafetensors(writeTrees(model), 'trees');
    arrays.set(name, change(Float32Array.from(arrays.get(name) ?? [])));
    expect(() => readTrees(writeSafetensors(arrays), 3, 'trees.safetensors')).toThrow('holds no trees on 3 values');
  });
});
