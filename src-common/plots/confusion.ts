/** Decisions at any threshold, counted from the scores that an evaluation keeps. */
import type { EvaluationResult } from '../schemas/evaluation.ts';

/** A rate with its count and 95 % interval. */
export interface Rate {
  count: number;
  of: number;
  /** Null where there is nothing to count in. */
  rate: number | null;
  interval: [low: number, high: number] | null;
}

/** What scores at least the threshold is taken for bona fide, the positive class. */
export interface Confusion {
  threshold: number;
  /** True positives. */
  bonafideAccepted: number;
  /** False negatives. */
  bonafideRejected: number;
  /** False positives. */
  spoofAccepted: number;
  /** True negatives. */
  spoofRejected: number;
  accuracy: Rate;
  /** Mean of the shares of either class that are right, so that the more frequent class does not weigh more. */
  balancedAccuracy: number;
  missRate: Rate;
  falseAcceptRate: Rate;
  precisionBonafide: Rate;
  precisionSpoof: Rate;
  /** The counts are scaled up from a part of the scores. */
  approximate: boolean;
}

/** Counts the decisions of a model at a threshold. */
export function confusionAt(
  result: Pick<EvaluationResult, 'bonafide' | 'spoof' | 'scores'>,
  threshold: number,
): Confusion {
  const { bonafide, spoof, scores } = result;
  const bonafideAccepted = accepted(scores.bonafide, bonafide, threshold);
  const spoofAccepted = accepted(scores.spoof, spoof, threshold);
  const bonafideRejected = bonafide - bonafideAccepted;
  const spoofRejected = spoof - spoofAccepted;
  return {
    threshold,
    bonafideAccepted,
    bonafideRejected,
    spoofAccepted,
    spoofRejected,
    accuracy: rateOf(bonafideAccepted + spoofRejected, bonafide + spoof),
    balancedAccuracy: (bonafideAccepted / bonafide + spoofRejected / spoof) / 2,
    missRate: rateOf(bonafideRejected, bonafide),
    falseAcceptRate: rateOf(spoofAccepted, spoof),
    precisionBonafide: rateOf(bonafideAccepted, bonafideAccepted + spoofAccepted),
    precisionSpoof: rateOf(spoofRejected, spoofRejected + bonafideRejected),
    approximate: scores.bonafide.length < bonafide || scores.spoof.length < spoof,
  };
}

/** How many of `total` score at least the threshold, by the share of the ascending scores that do. */
function accepted(ascending: readonly number[], total: number, threshold: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] >= threshold) high = middle;
    else low = middle + 1;
  }
  return ascending.length === 0 ? 0 : Math.round(((ascending.length - low) / ascending.length) * total);
}

function rateOf(count: number, of: number): Rate {
  return { count, of, rate: of === 0 ? null : count / of, interval: of === 0 ? null : wilsonInterval(count, of) };
}

/** 95 % interval of a share (Wilson, 1927), which takes the observations for independent. */
export function wilsonInterval(count: number, of: number): [low: number, high: number] {
  const z = 1.959963984540054;
  const share = count / of;
  const middle = share + (z * z) / (2 * of);
  const spread = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return [Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)];
}
