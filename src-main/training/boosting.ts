/**
 * Boosted regression trees for a logistic loss: each tree fits what those before it leave (Friedman, "Greedy function approximation: a gradient
 * boosting machine", 2001), grown leaf by leaf on binned values with Newton steps, as XGBoost (Chen and Guestrin, 2016) and LightGBM (Ke et al., 2017) do.
 */
import { Random } from '../base/random.ts';
import { scoreOfTrees } from '../detector/trees.ts';
import type { Tree, TreesModel } from '../detector/trees.ts';

export interface BoostingOptions {
  trees: number;
  leaves: number;
  learningRate: number;
  /** Added to the sum of second derivatives of a leaf. */
  penalty: number;
  /** Recordings in a leaf, at least. */
  leastInLeaf: number;
  /** Of the values, that each split looks at. */
  valuesShare: number;
  seed: number;
}

export interface BoostingData {
  /** Values, [recordings][values]. */
  rows: readonly Float32Array[];
  /** 1: bona fide. */
  labels: Uint8Array;
  weights: Float64Array;
}

const mostBins = 64;

/** Between which values splits can lie: quantiles of the rows, ascending, without doubles. */
function edgesOf(rows: readonly Float32Array[], value: number): Float64Array {
  const sorted = Float32Array.from(rows, (row) => row[value]).sort();
  const edges: number[] = [];
  for (let bin = 1; bin < mostBins; bin++) {
    const at = Math.floor((bin * sorted.length) / mostBins);
    if (at === 0 || sorted[at - 1] === sorted[at]) continue;
    const edge = (sorted[at - 1] + sorted[at]) / 2;
    if (edges.length === 0 || edge > edges[edges.length - 1]) edges.push(edge);
  }
  return Float64Array.from(edges);
}

function binOf(edges: Float64Array, value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > edges[middle]) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Split {
  value: number;
  bin: number;
  gain: number;
}

interface Leaf {
  rows: Int32Array;
  gradient: number;
  curvature: number;
  best: Split | null;
  /** Its place in the tree. */
  node: number;
}

/**
 * Fits trees. The same data, options and machine give the same trees; sums are of doubles in the order of the rows.
 * @returns what scores high for label 1, in log odds
 */
export function fitTrees({ rows, labels, weights }: BoostingData, options: BoostingOptions): TreesModel {
  const count = rows.length;
  const size = rows[0].length;
  const edges = Array.from({ length: size }, (_, value) => edgesOf(rows, value));
  const bins = edges.map((ofValue, value) => Uint8Array.from(rows, (row) => binOf(ofValue, row[value])));
  const usable = [...edges.keys()].filter((value) => edges[value].length > 0);
  let [ones, all] = [0, 0];
  for (let row = 0; row < count; row++) {
    ones += weights[row] * labels[row];
    all += weights[row];
  }
  const bias = Math.log(ones / (all - ones));
  const scores = new Float64Array(count).fill(bias);
  const gradients = new Float64Array(count);
  const curvatures = new Float64Array(count);
  const random = new Random(options.seed);
  const grower = new TreeGrower(bins, edges, usable, { gradients, curvatures, random, ...options });
  const trees: Tree[] = [];
  for (let step = 0; step < options.trees; step++) {
    for (let row = 0; row < count; row++) {
      const chance = 1 / (1 + Math.exp(-scores[row]));
      gradients[row] = weights[row] * (chance - labels[row]);
      curvatures[row] = weights[row] * chance * (1 - chance);
    }
    const tree = grower.grow(count);
    trees.push(tree);
    for (let row = 0; row < count; row++) scores[row] += scoreOfTrees({ bias: 0, trees: [tree] }, rows[row]);
  }
  return { bias, trees };
}

type GrowerOptions = BoostingOptions & { gradients: Float64Array; curvatures: Float64Array; random: Random };

class TreeGrower {
  readonly #bins: readonly Uint8Array[];
  readonly #edges: readonly Float64Array[];
  readonly #usable: readonly number[];
  readonly #options: GrowerOptions;
  readonly #sums = new Float64Array(3 * mostBins);

  constructor(
    bins: readonly Uint8Array[],
    edges: readonly Float64Array[],
    usable: readonly number[],
    options: GrowerOptions,
  ) {
    this.#bins = bins;
    this.#edges = edges;
    this.#usable = usable;
    this.#options = options;
  }

  /** The leaf that gains most is split, until there are as many as may be. */
  grow(count: number): Tree {
    const { leaves: most, learningRate, penalty } = this.#options;
    const tree: Tree = { values: [-1], limits: [0], lefts: [0], outputs: [0] };
    const leaves = [
      this.#leaf(
        Int32Array.from({ length: count }, (_, row) => row),
        0,
      ),
    ];
    while (leaves.length < most) {
      const [next] = leaves.filter(({ best }) => best !== null).sort((one, other) => (other.best?.gain ?? 0) - (one.best?.gain ?? 0)); // prettier-ignore
      if (!next?.best) break;
      const { value, bin } = next.best;
      const bins = this.#bins[value];
      const left = tree.values.length;
      tree.values[next.node] = value;
      tree.limits[next.node] = Math.fround(this.#edges[value][bin]);
      tree.lefts[next.node] = left;
      for (const list of [tree.limits, tree.lefts, tree.outputs]) list.push(0, 0);
      tree.values.push(-1, -1);
      leaves.splice(leaves.indexOf(next), 1, this.#leaf(next.rows.filter((row) => bins[row] <= bin), left), this.#leaf(next.rows.filter((row) => bins[row] > bin), left + 1)); // prettier-ignore
    }
    for (const { node, gradient, curvature } of leaves) {
      tree.outputs[node] = Math.fround((-learningRate * gradient) / (curvature + penalty));
    }
    return tree;
  }

  #leaf(rows: Int32Array, node: number): Leaf {
    const { gradients, curvatures } = this.#options;
    let [gradient, curvature] = [0, 0];
    for (const row of rows) {
      gradient += gradients[row];
      curvature += curvatures[row];
    }
    return { rows, node, gradient, curvature, best: this.#bestSplit(rows, gradient, curvature) };
  }

  #bestSplit(rows: Int32Array, gradient: number, curvature: number): Split | null {
    const { penalty, leastInLeaf, valuesShare, random, gradients, curvatures } = this.#options;
    if (rows.length < 2 * leastInLeaf) return null;
    const asked = random
      .shuffle([...this.#usable])
      .slice(0, Math.max(1, Math.round(valuesShare * this.#usable.length)));
    const whole = gradient ** 2 / (curvature + penalty);
    let best: Split | null = null;
    for (const value of asked) {
      const sums = this.#sums.fill(0);
      const bins = this.#bins[value];
      for (const row of rows) {
        const at = 3 * bins[row];
        sums[at] += gradients[row];
        sums[at + 1] += curvatures[row];
        sums[at + 2]++;
      }
      let [g, h, n] = [0, 0, 0];
      for (let bin = 0; bin < this.#edges[value].length; bin++) {
        g += sums[3 * bin];
        h += sums[3 * bin + 1];
        n += sums[3 * bin + 2];
        if (n < leastInLeaf || rows.length - n < leastInLeaf) continue;
        const gain = g ** 2 / (h + penalty) + (gradient - g) ** 2 / (curvature - h + penalty) - whole;
        if (gain > 1e-12 && (best === null || gain > best.gain)) best = { value, bin, gain };
      }
    }
    return best;
  }
}
