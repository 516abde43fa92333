/** Which of an encoder's layers, with which statistics and strength, its head is fitted on: chosen on sources that the head has not heard. */
import type { DatasetItem } from '../datasets/types.ts';
import { fitLogistic, logitOf } from '../detector/logistic.ts';
import type { LogisticModel } from '../detector/logistic.ts';
import { exampleWeights } from '../training/sampling.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { sourceFolds } from './source-folds.ts';

/** What a head looks at. */
export interface HeadChoice {
  /** Of the encoder's layers, from 0. */
  layers: number[];
  pooling: 'mean' | 'mean and deviation';
  /** scikit-learn's C. */
  strength: number;
}

/** An embedding's make: layer after layer its means and its deviations. */
export interface EmbeddingShape {
  layers: number;
  width: number;
}

const choosingFolds = 5;
const strengths = [1e-4, 1e-3, 1e-2];
const firstStrength = 1e-3;
/** From each layer on so many are tried together. */
const spans = [1, 3];

/** Places of an embedding that a choice looks at. */
export function placesOf({ layers, pooling }: HeadChoice, { width }: EmbeddingShape): number[] {
  const count = pooling === 'mean' ? width : 2 * width;
  return layers.flatMap((layer) => Array.from({ length: count }, (_, place) => 2 * width * layer + place));
}

/**
 * Of a fit's weight the share that originals have beside their copies, however many these are: chosen on sources left out, where
 * half of it loses on originals and all of it on copies.
 */
const originalsShare = 0.75;

/** A generator counts by the root of its clips: on folds and dev as good as once each, and nearer to engines that many clips are of. */
const spoofPower = -0.5;

/** How much each recording counts where those from `originals` on are copies of those before. */
export function copiesWeighted(weights: Float64Array, originals: number): Float64Array {
  if (originals === weights.length) return weights;
  const sumOf = (part: Float64Array): number => part.reduce((sum, weight) => sum + weight, 0);
  const share = sumOf(weights.subarray(0, originals)) / weights.length;
  return weights.map((weight, at) =>
    at < originals ? (weight * originalsShare) / share : (weight * (1 - originalsShare)) / (1 - share),
  );
}

/**
 * A head on some places of values brought to mean nought and deviation one; folded back, so that it takes all values as they come.
 * @param of `places` of the values, all by default; `originals`: the recordings from there on are copies of those before
 */
export function fitHead(
  rows: readonly Float32Array[],
  items: readonly DatasetItem[],
  strength: number,
  of: { places?: readonly number[] | undefined; originals?: number } = {},
): LogisticModel {
  const { places = [...rows[0].keys()], originals = rows.length } = of;
  const size = places.length;
  const mean = new Float64Array(size);
  const scale = new Float64Array(size);
  for (const row of rows) for (let i = 0; i < size; i++) mean[i] += row[places[i]] / rows.length;
  for (const row of rows) for (let i = 0; i < size; i++) scale[i] += (row[places[i]] - mean[i]) ** 2 / rows.length;
  for (let i = 0; i < size; i++) scale[i] = 1 / Math.sqrt(Math.max(scale[i], 1e-12));
  const features = new Float32Array(rows.length * size);
  rows.forEach((row, at) => {
    for (let i = 0; i < size; i++) features[at * size + i] = (row[places[i]] - mean[i]) * scale[i];
  });
  const labels = Uint8Array.from(items, ({ label }) => Number(label === 'bonafide'));
  const { kernel, bias } = fitLogistic(
    { features, labels, weights: copiesWeighted(exampleWeights(items, spoofPower), originals) },
    strength,
  );
  const folded = new Float64Array(rows[0].length);
  let offset = bias;
  for (let i = 0; i < size; i++) {
    folded[places[i]] = kernel[i] * scale[i];
    offset -= folded[places[i]] * mean[i];
  }
  return { kernel: folded, bias: offset };
}

/** AUC of heads on sources that they were not fitted on. */
function outOfFoldAuc(
  rows: readonly Float32Array[],
  items: readonly DatasetItem[],
  folds: readonly DatasetItem[][],
  choice: HeadChoice,
  shape: EmbeddingShape,
): number {
  const places = placesOf(choice, shape);
  const trials = folds.flatMap((held) => {
    const without = new Set(held);
    const kept = [...items.keys()].filter((index) => !without.has(items[index]));
    const head = fitHead(
      kept.map((index) => rows[index]),
      kept.map((index) => items[index]),
      choice.strength,
      { places },
    );
    return [...items.keys()]
      .filter((index) => without.has(items[index]))
      .map((index) => ({
        file: items[index].id,
        bonafide: items[index].label === 'bonafide',
        score: logitOf(head, rows[index]),
        attack: null,
      }));
  });
  return detectionMetrics(trials).auc;
}

/**
 * Layers first, one or three in a row, then the statistics, then the strength: each by the AUC on sources left out, in five groups.
 * @param rows embeddings, [recordings][layers · 2 · width]
 */
export function chooseHead(
  rows: readonly Float32Array[],
  items: readonly DatasetItem[],
  shape: EmbeddingShape,
  seed: number,
): HeadChoice {
  const folds = sourceFolds(items, choosingFolds, seed).filter((fold) => fold.length < items.length);
  let best: HeadChoice = { layers: [0], pooling: 'mean and deviation', strength: firstStrength };
  // With one source only nothing can be left out.
  if (folds.length < 2) return { ...best, layers: [...Array(shape.layers).keys()] };
  let bestAuc = -Infinity;
  const tryAll = (choices: HeadChoice[]): void => {
    for (const choice of choices) {
      const auc = outOfFoldAuc(rows, items, folds, choice, shape);
      if (auc > bestAuc) [best, bestAuc] = [choice, auc];
    }
  };
  tryAll(
    spans.flatMap((span) =>
      Array.from({ length: Math.max(0, shape.layers - span + 1) }, (_, from) => ({
        ...best,
        layers: Array.from({ length: span }, (__, index) => from + index),
      })),
    ),
  );
  tryAll([{ ...best, pooling: 'mean' }]);
  tryAll(strengths.filter((strength) => strength !== firstStrength).map((strength) => ({ ...best, strength })));
  return best;
}
