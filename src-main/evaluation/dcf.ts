import { operatingPoint, type OperatingPoint, type ThresholdSweep } from './sweep.ts';

/** Prior and costs of a detection cost function. */
export interface DcfCosts {
  /** Prior probability of a spoof, inside (0, 1). */
  priorSpoof: number;
  /** Cost of rejecting bona fide speech. */
  costMiss: number;
  /** Cost of accepting a spoof. */
  costFalseAccept: number;
}

/** Those of the ASVspoof 5 evaluation plan, track 1. */
export const asvspoof5Costs: DcfCosts = { priorSpoof: 0.05, costMiss: 1, costFalseAccept: 10 };

/** A detection cost, over that of the better of accepting and rejecting everything, and its threshold. */
export interface DetectionCost {
  cost: number;
  threshold: number;
}

/** A least detection cost and the operating point that has it. */
export interface LeastCost extends OperatingPoint {
  cost: number;
}

/** @throws RangeError for a prior outside (0, 1) or a cost that is not above zero. */
export function checkCosts({ priorSpoof, costMiss, costFalseAccept }: DcfCosts): void {
  if (!(priorSpoof > 0 && priorSpoof < 1)) throw new RangeError(`The prior ${priorSpoof} is not inside (0, 1).`);
  for (const cost of [costMiss, costFalseAccept]) {
    if (!(cost > 0 && cost < Infinity)) throw new RangeError(`The cost ${cost} is not above zero.`);
  }
}

/** Normalised minimum DCF as ASVspoof 5's `compute_mindcf`. */
export function minimumDcf(sweep: ThresholdSweep, costs: DcfCosts): LeastCost {
  const { misses, falseAccepts } = sweep;
  const weights = dcfWeights(costs);
  const perMiss = weights.miss / sweep.positives;
  const perFalseAccept = weights.falseAccept / sweep.negatives;
  let least = Infinity;
  let best = 0;
  for (let i = 0; i < misses.length; i++) {
    const cost = perMiss * misses[i] + perFalseAccept * falseAccepts[i];
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return { cost: least, ...operatingPoint(sweep, best) };
}

/**
 * Normalised actual DCF as ASVspoof 5's `compute_actDCF`: the cost of deciding at the Bayes threshold, the scores
 * being natural-log likelihood ratios.
 */
export function actualDcf(sweep: ThresholdSweep, costs: DcfCosts): DetectionCost {
  const threshold = bayesThreshold(costs);
  return { cost: dcfAt(sweep, costs, threshold), threshold };
}

/** Normalised DCF of accepting what scores at least a threshold. */
export function dcfAt(sweep: ThresholdSweep, costs: DcfCosts, threshold: number): number {
  const point = firstAtLeast(sweep.thresholds, threshold);
  const { miss, falseAccept } = dcfWeights(costs);
  return (miss * sweep.misses[point]) / sweep.positives + (falseAccept * sweep.falseAccepts[point]) / sweep.negatives;
}

/** The natural-log likelihood ratio from which accepting costs less than rejecting. */
export function bayesThreshold({ priorSpoof, costMiss, costFalseAccept }: DcfCosts): number {
  return Math.log((costFalseAccept * priorSpoof) / (costMiss * (1 - priorSpoof)));
}

function dcfWeights({ priorSpoof, costMiss, costFalseAccept }: DcfCosts): { miss: number; falseAccept: number } {
  const miss = costMiss * (1 - priorSpoof);
  const falseAccept = costFalseAccept * priorSpoof;
  const normaliser = Math.min(miss, falseAccept);
  return { miss: miss / normaliser, falseAccept: falseAccept / normaliser };
}

/** Index of the first of ascending values that is at least `value`; their number where none is. */
export function firstAtLeast(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
