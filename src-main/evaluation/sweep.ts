/**
 * Every distinct operating point of a detector, from which all threshold figures and curves follow.
 *
 * Point `i` accepts as bona fide what scores at least `thresholds[i]`; the last point, at +Infinity, accepts nothing.
 * Equal scores are one point: they move together, so that no figure depends on the order of the trials.
 */
export interface ThresholdSweep {
  /** Distinct scores, ascending, then +Infinity. */
  thresholds: Float64Array;
  /** Positives (bona fide, or an ASV system's targets) that point `i` rejects. */
  misses: Float64Array;
  /** Negatives (spoofs, or nontargets) that point `i` accepts. */
  falseAccepts: Float64Array;
  positives: number;
  negatives: number;
}

/** Builds the sweep of scores that are each sorted ascending and hold no NaN. */
export function sweepSorted(positives: Float64Array, negatives: Float64Array): ThresholdSweep {
  const most = positives.length + negatives.length + 1;
  const thresholds = new Float64Array(most);
  const misses = new Float64Array(most);
  const falseAccepts = new Float64Array(most);
  let count = 0;
  let p = 0;
  let n = 0;
  while (p < positives.length || n < negatives.length) {
    const value =
      n === negatives.length || (p < positives.length && positives[p] <= negatives[n]) ? positives[p] : negatives[n];
    thresholds[count] = value;
    misses[count] = p;
    falseAccepts[count] = negatives.length - n;
    count++;
    while (p < positives.length && positives[p] === value) p++;
    while (n < negatives.length && negatives[n] === value) n++;
  }
  thresholds[count] = Infinity;
  misses[count] = positives.length;
  count++;
  return {
    thresholds: thresholds.slice(0, count),
    misses: misses.slice(0, count),
    falseAccepts: falseAccepts.slice(0, count),
    positives: positives.length,
    negatives: negatives.length,
  };
}

/** Where an operating point of a sweep lies. */
export interface OperatingPoint {
  /** Its index in the sweep. */
  point: number;
  /**
   * The threshold as the ASVspoof organisers name it: the highest score that the point rejects (the lowest score less
   * 0.001 where it rejects none). Whoever accepts from it on decides otherwise than the point does.
   */
  threshold: number;
  /**
   * To decide by: what scores at least this is what the point accepts. About halfway between the highest score that it
   * rejects and the lowest that it accepts, in as few digits as lie between them, seven at least.
   */
  decisionThreshold: number;
}

export function operatingPoint({ thresholds }: ThresholdSweep, point: number): OperatingPoint {
  const rejected = point === 0 ? thresholds[0] - 0.001 : thresholds[point - 1];
  return { point, threshold: rejected, decisionThreshold: thresholdBetween(rejected, thresholds[point]) };
}

/** A number above `rejected` and at most `accepted`, which is +Infinity where nothing is accepted. */
function thresholdBetween(rejected: number, accepted: number): number {
  // Halves are added, since the sum of two large scores may overflow.
  const halfway = accepted === Infinity ? rejected + 0.001 : rejected / 2 + accepted / 2;
  for (let digits = 7; digits <= 17; digits++) {
    const rounded = Number(halfway.toPrecision(digits));
    if (rounded > rejected && rounded <= accepted) return rounded;
  }
  return accepted;
}

/** An equal error rate and where it lies. */
export interface EqualErrorRate extends OperatingPoint {
  /** Mean of the two error rates where they differ least. */
  eer: number;
}

/**
 * EER as the ASVspoof organisers' `compute_eer`: the point where miss and false-accept rate differ least (the lowest
 * threshold of several), the mean of both there. Their code walks through equal scores one by one, those of the
 * positives first; here they move together, which gives the same wherever the crossing is not inside a tie.
 */
export function equalErrorRate(sweep: ThresholdSweep): EqualErrorRate {
  const { misses, falseAccepts, positives, negatives } = sweep;
  const difference = (i: number): number => misses[i] / positives - falseAccepts[i] / negatives;
  // It grows from -1 at the first point to 1 at the last.
  let low = 0;
  let best = misses.length - 1;
  while (low < best) {
    const middle = (low + best) >> 1;
    if (difference(middle) >= 0) best = middle;
    else low = middle + 1;
  }
  if (best > 0 && -difference(best - 1) <= difference(best)) best--;
  return {
    eer: (misses[best] / positives + falseAccepts[best] / negatives) / 2,
    ...operatingPoint(sweep, best),
  };
}

/**
 * Area under the ROC: the share of pairs in which the positive scores higher, equal ones counting half
 * (Mann-Whitney; scikit-learn's `roc_auc_score`).
 */
export function areaUnderRoc(sweep: ThresholdSweep): number {
  const { misses, falseAccepts, positives, negatives } = sweep;
  let pairs = 0;
  for (let i = 1; i < misses.length; i++) {
    const tiedPositives = misses[i] - misses[i - 1];
    pairs += tiedPositives * (negatives - falseAccepts[i - 1] + (falseAccepts[i - 1] - falseAccepts[i]) / 2);
  }
  return pairs / (positives * negatives);
}

/** Points of a curve, one after the other. */
export interface CurvePoints {
  x: Float64Array;
  y: Float64Array;
}

/** ROC: false-accept rate (x) and true-accept rate (y), from the strictest threshold to the most lenient. */
export function rocPoints(sweep: ThresholdSweep): CurvePoints {
  const last = sweep.thresholds.length - 1;
  return {
    x: Float64Array.from(sweep.falseAccepts, (_, i) => sweep.falseAccepts[last - i] / sweep.negatives),
    y: Float64Array.from(sweep.misses, (_, i) => 1 - sweep.misses[last - i] / sweep.positives),
  };
}

/** DET: false-accept rate (x) and miss rate (y) as fractions, from the most lenient threshold to the strictest. */
export function detPoints(sweep: ThresholdSweep): CurvePoints {
  return {
    x: sweep.falseAccepts.map((count) => count / sweep.negatives),
    y: sweep.misses.map((count) => count / sweep.positives),
  };
}

/**
 * Recall (x) and precision (y) of either class, from the strictest threshold for it to the most lenient, beginning at
 * recall 0 and precision 1 as scikit-learn's `precision_recall_curve` ends.
 */
export function precisionRecallPoints(sweep: ThresholdSweep, of: 'bonafide' | 'spoof'): CurvePoints {
  const { misses, falseAccepts, positives, negatives } = sweep;
  const length = misses.length;
  const x = new Float64Array(length);
  const y = new Float64Array(length);
  y[0] = 1;
  for (let step = 1; step < length; step++) {
    const i = of === 'bonafide' ? length - 1 - step : step;
    const right = of === 'bonafide' ? positives - misses[i] : negatives - falseAccepts[i];
    const wrong = of === 'bonafide' ? falseAccepts[i] : misses[i];
    x[step] = right / (of === 'bonafide' ? positives : negatives);
    y[step] = right / (right + wrong);
  }
  return { x, y };
}

/**
 * Average precision of either class: precision weighted by the gain in recall, without interpolation (scikit-learn's
 * `average_precision_score`).
 */
export function averagePrecision(sweep: ThresholdSweep, of: 'bonafide' | 'spoof'): number {
  const { misses, falseAccepts, positives, negatives } = sweep;
  const last = misses.length - 1;
  let sum = 0;
  for (let step = 1; step <= last; step++) {
    const i = of === 'bonafide' ? last - step : step;
    const gain = of === 'bonafide' ? misses[i + 1] - misses[i] : falseAccepts[i - 1] - falseAccepts[i];
    if (gain === 0) continue;
    const right = of === 'bonafide' ? positives - misses[i] : negatives - falseAccepts[i];
    const wrong = of === 'bonafide' ? falseAccepts[i] : misses[i];
    sum += (gain * right) / (right + wrong);
  }
  return sum / (of === 'bonafide' ? positives : negatives);
}
