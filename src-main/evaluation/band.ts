import { z } from 'zod';
import { upperRateBound } from './statistics.ts';
import type { Trial } from './trials.ts';
import { effectiveCount } from './units.ts';

/** What the band must keep to. */
export interface BandSettings {
  /** The most that either rate of wrong findings may be, at its upper bound; 0.05 if not given. */
  maximumRate?: number;
  /** Of the upper bound; 0.95 if not given. */
  confidence?: number;
}

/** A rate of wrong findings on the validation data, and what it may be at most. */
export const boundedRateSchema = z.object({
  rate: z.number(),
  upper: z.number(),
  count: z.int(),
  /** Independent observations that the count amounts to. */
  effectiveCount: z.number(),
});
type BoundedRate = z.infer<typeof boundedRateSchema>;

/** Between the thresholds a finding is inconclusive; null where no threshold keeps the rate: then it always is. */
export interface InconclusiveBand {
  /** Natural-log likelihood ratio up to which the finding supports spoof. */
  lowerLlr: number | null;
  /** From which on it supports bona fide. */
  upperLlr: number | null;
  maximumRate: number;
  confidence: number;
  /** Bona fide speech at or below `lowerLlr`. */
  falseSpoof: BoundedRate | null;
  /** Spoofs at or above `upperLlr`. */
  falseBonafide: BoundedRate | null;
  /** Shares of the validation data that the band leaves inconclusive. */
  inconclusiveBonafide: number;
  inconclusiveSpoof: number;
}

/**
 * The narrowest band around a likelihood ratio of one outside of which both rates of wrong findings keep to
 * `maximumRate` at their upper confidence bound: bona fide speech that is said to be spoof, and spoofs that are said
 * to be bona fide, each among its own class.
 *
 * The bound is Clopper and Pearson's on the counts over the design effect, as Korn and Graubard (1998) do for surveys:
 * clips of one source or speaker are not independent ({@link effectiveCount}).
 * @param trials with the natural-log likelihood ratio as score.
 * @returns `band` null where neither side can be had; `reason` says why a side is missing.
 */
export function inconclusiveBand(
  trials: readonly Trial[],
  settings: BandSettings = {},
): { band: InconclusiveBand | null; reason: string | null } {
  const { maximumRate = 0.05, confidence = 0.95 } = settings;
  // Turned over, so that both sides look for a threshold above the errors.
  const sides = [
    { wrong: 'spoof', right: 'bona fide', sign: 1, errors: false },
    { wrong: 'bona fide', right: 'spoof', sign: -1, errors: true },
  ].map(({ wrong, right, sign, errors }) => {
    const members = trials.filter((trial) => trial.bonafide === errors);
    const values = Float64Array.from(members, ({ score }) => sign * score);
    const effective = effectiveCount(members, values);
    const descending = values.slice().sort().reverse();
    const boundOf = (errorCount: number): number =>
      upperRateBound((errorCount / members.length) * effective, effective, confidence);
    const needed = Math.log(1 - confidence) / Math.log(1 - maximumRate);
    const found = (threshold: number | null, reason: string | null) => {
      const errorCount = threshold === null ? 0 : values.filter((value) => value >= threshold).length;
      const rate =
        threshold === null
          ? null
          : {
              rate: errorCount / members.length,
              upper: boundOf(errorCount),
              count: members.length,
              effectiveCount: effective,
            };
      return { threshold: threshold === null ? null : sign * threshold, rate, reason };
    };
    if (boundOf(0) > maximumRate) {
      return found(
        null,
        `No finding can support ${right}: the ${members.length} ${wrong} recordings of the validation data count as ` +
          `${Math.floor(effective)} independent ones, and without a single error ${Math.ceil(needed)} are needed.`,
      );
    }
    let allowed = 0;
    while (allowed + 1 <= members.length && boundOf(allowed + 1) <= maximumRate) allowed++;
    const highest = descending[allowed] ?? -Infinity;
    const others = trials.filter((trial) => trial.bonafide !== errors).map(({ score }) => sign * score);
    const threshold = Math.max(0, justAbove(highest, [...descending, ...others]));
    if (!others.some((value) => value >= threshold && value > 0)) {
      return found(
        null,
        `No finding can support ${right}: from the threshold that keeps false ones below ${100 * maximumRate} % on, ` +
          `there is no ${right} recording in the validation data.`,
      );
    }
    return found(threshold, null);
  });
  const [upper, lower] = sides;
  const reason = [upper.reason, lower.reason].filter((text) => text !== null).join(' ') || null;
  if (upper.threshold === null && lower.threshold === null) return { band: null, reason };
  const between = (bonafide: boolean): number => {
    const members = trials.filter((trial) => trial.bonafide === bonafide);
    const inside = members.filter(({ score }) => supportOf(score, lower.threshold, upper.threshold) === 'neither');
    return inside.length / members.length;
  };
  const band: InconclusiveBand = {
    lowerLlr: lower.threshold,
    upperLlr: upper.threshold,
    maximumRate,
    confidence,
    falseSpoof: lower.rate,
    falseBonafide: upper.rate,
    inconclusiveBonafide: between(true),
    inconclusiveSpoof: between(false),
  };
  return { band, reason };
}

/** What an LLR supports, given the thresholds; a ratio of one supports nothing. */
export function supportOf(
  llr: number,
  lowerLlr: number | null,
  upperLlr: number | null,
): 'bonafide' | 'spoof' | 'neither' {
  if (upperLlr !== null && llr >= upperLlr && llr > 0) return 'bonafide';
  if (lowerLlr !== null && llr <= lowerLlr && llr < 0) return 'spoof';
  return 'neither';
}

/** Halfway from a value to the next higher one of a list; a little above the value where there is none. */
function justAbove(value: number, list: readonly number[]): number {
  const next = list.reduce((least, other) => (other > value && other < least ? other : least), Infinity);
  if (value === -Infinity) return -Infinity;
  const halfway = value / 2 + next / 2;
  if (next === Infinity) return value + Math.max(1e-9, Math.abs(value) * 1e-9);
  return halfway > value ? halfway : next;
}
