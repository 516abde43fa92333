import { logOnePlusExp } from './calibration.ts';
import { poolAdjacentViolators } from './pav.ts';
import type { ThresholdSweep } from './sweep.ts';
import type { Trial } from './trials.ts';

/** Empirical cross-entropy in bits over the prior odds of bona fide speech. */
export interface CrossEntropy {
  log10PriorOdds: Float64Array;
  /** Of the likelihood ratios as they are; at prior odds of one it is Cllr. */
  given: Float64Array;
  /** After the best non-decreasing mapping; at prior odds of one it is min Cllr. */
  calibrated: Float64Array;
  /** Of a likelihood ratio of one for every trial: the entropy of the prior. */
  neutral: Float64Array;
}

const points = 101;
const mostLog10 = 2.5;

/**
 * Empirical cross-entropy (Ramos and Gonzalez-Rodriguez, 2013; Brümmer and du Preez, 2006): what is missing, on
 * average, to know whether speech is bona fide, after a likelihood ratio has changed the prior.
 * @param trials of both classes, with the natural-log likelihood ratio as score; infinite ones may be wrong at an
 *   infinite cost.
 * @param sweep of the same trials.
 */
export function empiricalCrossEntropy(trials: readonly Trial[], sweep: ThresholdSweep): CrossEntropy {
  const log10PriorOdds = Float64Array.from(
    { length: points },
    (_, k) => (mostLog10 * (2 * k - (points - 1))) / (points - 1),
  );
  const bonafide = trials.filter((trial) => trial.bonafide).map(({ score }) => score);
  const spoof = trials.filter((trial) => !trial.bonafide).map(({ score }) => score);
  const blocks = poolAdjacentViolators(sweep);
  const blockLlrs = Array.from({ length: blocks.count }, (_, k) =>
    Math.log(blocks.positives[k] / sweep.positives / (blocks.negatives[k] / sweep.negatives)),
  );
  /** Mean costs of both classes, weighed by the prior. */
  const entropy = (logOdds: number, bonafideCost: number, spoofCost: number): number => {
    const prior = 1 / (1 + Math.exp(-logOdds));
    return (prior * bonafideCost + (1 - prior) * spoofCost) / Math.LN2;
  };
  const meanCost = (llrs: readonly number[], cost: (llr: number) => number): number => {
    let sum = 0;
    for (const llr of llrs) sum += cost(llr);
    return sum / llrs.length;
  };
  const blockCost = (counts: Float64Array, total: number, cost: (llr: number) => number): number => {
    let sum = 0;
    // A class that a block does not hold costs it nothing, however certain the block is.
    blockLlrs.forEach((llr, k) => (sum += counts[k] > 0 ? counts[k] * cost(llr) : 0));
    return sum / total;
  };
  const logOdds = log10PriorOdds.map((value) => value * Math.LN10);
  return {
    log10PriorOdds,
    given: logOdds.map((odds) =>
      entropy(
        odds,
        meanCost(bonafide, (llr) => logOnePlusExp(-llr - odds)),
        meanCost(spoof, (llr) => logOnePlusExp(llr + odds)),
      ),
    ),
    calibrated: logOdds.map((odds) =>
      entropy(
        odds,
        blockCost(blocks.positives, sweep.positives, (llr) => logOnePlusExp(-llr - odds)),
        blockCost(blocks.negatives, sweep.negatives, (llr) => logOnePlusExp(llr + odds)),
      ),
    ),
    neutral: logOdds.map((odds) => entropy(odds, logOnePlusExp(-odds), logOnePlusExp(odds))),
  };
}
