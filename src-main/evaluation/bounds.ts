import type { CountedUnits } from './units.ts';

/** Natural-log likelihood ratios beyond which the validation data do not reach. */
export interface LlrBounds {
  /** At most zero. */
  lowerLlr: number;
  /** At least zero. */
  upperLlr: number;
}

/** log10, as in the paper's and the reference implementation's plots. */
const step = 0.01;
/** What is further out than this is taken for this, infinite ones too. */
const mostLog10 = 9;

/**
 * Empirical lower and upper bounds (Vergeer et al., Science & Justice 56, 2016, 482-491; as `elub` of the Netherlands
 * Forensic Institute's `lir`, one misleading observation added to either class): the range around one in which
 * deciding by the likelihood ratios costs less than deciding without them, in steps of 0.01 of log10.
 *
 * Every unit counts once: a trial weighs one over the number of trials in its unit, and the misleading observation
 * that is added weighs as much as a whole unit. With every file a unit of its own this is the published method.
 * @param trials `llr`: natural logarithms.
 */
export function empiricalBounds(trials: readonly { bonafide: boolean; llr: number }[], units: CountedUnits): LlrBounds {
  const sizes = new Map<number, number>();
  for (const unit of units.of) sizes.set(unit, (sizes.get(unit) ?? 0) + 1);
  const values = trials.map(({ bonafide, llr }, index) => ({
    bonafide,
    log10: Math.min(mostLog10, Math.max(-mostLog10, llr / Math.LN10)),
    weight: 1 / (sizes.get(units.of[index]) ?? 1),
  }));
  const accepted = [true, false].map((bonafide) => weightAbove(values.filter((value) => value.bonafide === bonafide)));
  const least = values.reduce((lowest, { log10 }) => Math.min(lowest, log10), Infinity);
  const most = values.reduce((highest, { log10 }) => Math.max(highest, log10), -Infinity);
  const from = Math.min(0, Math.floor(Math.max(least, -Math.log10(units.bonafide + 1)) / step));
  const to = Math.max(0, Math.floor(Math.min(most, Math.log10(units.spoof + 1)) / step) + 1);

  /** Whether the likelihood ratios do worse than none at a threshold, each error at the cost that makes it Bayes'. */
  const worseThanNone = (k: number): boolean => {
    const threshold = k * step;
    const ratio = 10 ** threshold;
    const missRate = 1 - accepted[0](threshold) / (units.bonafide + 1);
    const falseAcceptRate = (accepted[1](threshold) + 1) / (units.spoof + 1);
    const withoutAny = threshold < 0 ? ratio : 1;
    return withoutAny < missRate + ratio * falseAcceptRate;
  };
  let lower = from;
  for (let k = 0; k >= from; k--) {
    if (!worseThanNone(k)) continue;
    lower = Math.min(0, k + 1);
    break;
  }
  let upper = to;
  for (let k = 0; k <= to; k++) {
    if (!worseThanNone(k)) continue;
    upper = Math.max(0, k - 1);
    break;
  }
  return { lowerLlr: lower * step * Math.LN10, upperLlr: upper * step * Math.LN10 };
}

/** Weight of the values above a threshold, as a function of it. */
function weightAbove(values: readonly { log10: number; weight: number }[]): (threshold: number) => number {
  const sorted = [...values].sort((one, other) => other.log10 - one.log10);
  const cumulated = new Float64Array(sorted.length + 1);
  sorted.forEach(({ weight }, k) => (cumulated[k + 1] = cumulated[k] + weight));
  return (threshold) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle].log10 > threshold) low = middle + 1;
      else high = middle;
    }
    return cumulated[low];
  };
}

/** An LLR inside the bounds, and which of them held it. */
export function limitLlr(llr: number, bounds: LlrBounds | null): { llr: number; limited: 'lower' | 'upper' | null } {
  if (bounds && llr < bounds.lowerLlr) return { llr: bounds.lowerLlr, limited: 'lower' };
  if (bounds && llr > bounds.upperLlr) return { llr: bounds.upperLlr, limited: 'upper' };
  return { llr, limited: null };
}
