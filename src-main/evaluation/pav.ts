import type { ThresholdSweep } from './sweep.ts';

/** Blocks of adjacent scores whose likelihood ratio rises from block to block. */
export interface PavBlocks {
  count: number;
  /** Positives and negatives in each of the first `count` blocks, from low scores to high. */
  positives: Float64Array;
  negatives: Float64Array;
}

/**
 * The best non-decreasing mapping of scores to likelihood ratios: isotonic regression of the labels by pooling
 * adjacent violators (Brümmer and du Preez, 2006).
 * @param into scratch space of at least as many blocks as the sweep has points.
 */
export function poolAdjacentViolators(sweep: ThresholdSweep, into?: PavBlocks): PavBlocks {
  const { misses, falseAccepts } = sweep;
  const blocks = into ?? {
    count: 0,
    positives: new Float64Array(misses.length),
    negatives: new Float64Array(misses.length),
  };
  const { positives, negatives } = blocks;
  let top = -1;
  for (let i = 1; i < misses.length; i++) {
    top++;
    positives[top] = misses[i] - misses[i - 1];
    negatives[top] = falseAccepts[i - 1] - falseAccepts[i];
    while (top > 0 && positives[top] * negatives[top - 1] <= positives[top - 1] * negatives[top]) {
      positives[top - 1] += positives[top];
      negatives[top - 1] += negatives[top];
      top--;
    }
  }
  blocks.count = top + 1;
  return blocks;
}

/** Cllr in bits after that mapping: what is left when calibration is perfect. */
export function minimumCllr(sweep: ThresholdSweep, into?: PavBlocks): number {
  const blocks = poolAdjacentViolators(sweep, into);
  let positiveCost = 0;
  let negativeCost = 0;
  for (let block = 0; block < blocks.count; block++) {
    const positives = blocks.positives[block];
    const negatives = blocks.negatives[block];
    // The block's likelihood ratio; a block of one class costs that class nothing.
    const ratio = positives / sweep.positives / (negatives / sweep.negatives);
    if (positives > 0) positiveCost += positives * Math.log2(1 + 1 / ratio);
    if (negatives > 0) negativeCost += negatives * Math.log2(1 + ratio);
  }
  return (positiveCost / sweep.positives + negativeCost / sweep.negatives) / 2;
}
