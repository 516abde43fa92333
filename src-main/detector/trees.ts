/** Boosted trees: sums of small decision trees over the values of a front end. */
import { UserFacingError } from '../base/errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** Nodes in a row, the first is the root; a node's right child lies behind its left one. */
export interface Tree {
  /** Which value a node asks for; -1: it is a leaf. */
  values: number[];
  /** At most that: left. */
  limits: number[];
  lefts: number[];
  /** Of leaves, in log odds. */
  outputs: number[];
}

export interface TreesModel {
  bias: number;
  trees: readonly Tree[];
}

/** In log odds of bona fide. */
export function scoreOfTrees({ bias, trees }: TreesModel, row: ArrayLike<number>): number {
  let score = bias;
  for (const { values, limits, lefts, outputs } of trees) {
    let node = 0;
    while (values[node] >= 0) node = lefts[node] + (row[values[node]] <= limits[node] ? 0 : 1);
    score += outputs[node];
  }
  return score;
}

/** The mean of several models as one. */
export function averaged(models: readonly TreesModel[]): TreesModel {
  const share = 1 / models.length;
  return {
    bias: models.reduce((sum, { bias }) => sum + bias * share, 0),
    trees: models.flatMap(({ trees }) =>
      trees.map((tree) => ({ ...tree, outputs: tree.outputs.map((output) => output * share) })),
    ),
  };
}

/** Numbers up to here are whole in 32-bit floats. */
const mostNodes = 2 ** 24;

export function writeTrees({ bias, trees }: TreesModel): Uint8Array {
  let nodes = 0;
  const starts = trees.map((tree) => (nodes += tree.values.length) - tree.values.length);
  const all = (of: (tree: Tree) => number[]): Float32Array => Float32Array.from(trees.flatMap(of));
  return writeSafetensors(
    new Map([
      ['bias', Float32Array.of(bias)],
      ['starts', Float32Array.from(starts)],
      ['values', all((tree) => tree.values)],
      ['limits', all((tree) => tree.limits)],
      ['lefts', all((tree) => tree.lefts)],
      ['outputs', all((tree) => tree.outputs)],
    ]),
  );
}

/**
 * @param size how many values there are to ask for
 * @throws UserFacingError `model` for trees that cannot be walked through
 */
export function readTrees(bytes: Uint8Array, size: number, path: string): TreesModel {
  const { arrays } = readSafetensors(bytes, path);
  const [bias, starts, values, limits, lefts, outputs] = ['bias', 'starts', 'values', 'limits', 'lefts', 'outputs'].map(
    (name) => arrays.get(name) ?? new Float32Array(0),
  );
  const nodes = values.length;
  const ends = [...starts.subarray(1), nodes];
  const inOrder = starts.length > 0 && starts[0] === 0 && ends.every((end, tree) => end > starts[tree]);
  const isWhole = [limits, lefts, outputs].every((list) => list.length === nodes && list.every(Number.isFinite));
  const model = {
    bias: bias[0],
    trees: ends.map((end, tree): Tree => {
      const part = (list: Float32Array): number[] => [...list.subarray(starts[tree], end)];
      return { values: part(values), limits: part(limits), lefts: part(lefts), outputs: part(outputs) };
    }),
  };
  // A child lies behind its parent, so that every walk ends.
  const canBeWalked = model.trees.every(
    (tree) =>
    tree.values.every((value, node) => value === -1 || (Number.isInteger(value) && value >= 0 && value < size && Number.isInteger(tree.lefts[node]) && tree.lefts[node] > node && tree.lefts[node] + 1 < tree.values.length)), // prettier-ignore
  );
  if (!inOrder || !isWhole || !canBeWalked || nodes > mostNodes || !Number.isFinite(model.bias)) {
    throw new UserFacingError('model', `${path} holds no trees on ${size} values.`, {
      path,
      advice: 'Restore the model from a copy, or train it again.',
    });
  }
  return model;
}
