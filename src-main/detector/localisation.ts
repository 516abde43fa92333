import { z } from 'zod';

/**
 * The window score below which a stretch of a recording is pointed out, with how often that happens in bona fide speech:
 * window scores are uncalibrated, and the lowest of thousands is low whatever the recording is.
 */
export const localisationSchema = z.object({
  threshold: z.number(),
  /** Stretches pointed out in the bona fide audio that it was measured on. */
  falseAlarms: z.int().nonnegative(),
  bonafideHours: z.number().positive(),
  falseAlarmsPerHour: z.number().nonnegative(),
  /** Upper 95 % confidence bound of that rate (exact, Poisson; clips taken as independent). */
  falseAlarmsPerHourAtMost: z.number().positive(),
});
export type Localisation = z.infer<typeof localisationSchema>;

const confidence = 0.95;

/**
 * The upper confidence bound of the mean of a Poisson count (Garwood, "Fiducial limits for the Poisson distribution",
 * 1936), found by halving.
 */
function poissonUpperBound(count: number): number {
  const probabilityAtMost = (mean: number): number => {
    let term = Math.exp(-mean);
    let sum = term;
    for (let i = 1; i <= count; i++) sum += term *= mean / i;
    return sum;
  };
  let low = 0;
  let high = count + 10 * Math.sqrt(count + 1);
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (probabilityAtMost(middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * The highest window-score threshold up to which bona fide recordings give no more false alarms than wanted. A false
 * alarm is a stretch of neighbouring windows that all score below the threshold.
 * @param windowScoresPerClip scores of each bona fide clip's windows, in order; clips without windows may be among them
 * @param secondsPerClip their durations
 * @param targetPerHour false alarms wanted at most, as measured (see the bound for what the audio can support)
 * @returns null where there is no window
 * @throws RangeError where the lengths differ, the target is not positive or a score is not finite
 */
export function localisationThreshold(
  windowScoresPerClip: readonly (readonly number[])[],
  secondsPerClip: readonly number[],
  targetPerHour: number,
): Localisation | null {
  if (windowScoresPerClip.length !== secondsPerClip.length) throw new RangeError('a duration for each clip is needed');
  if (!(targetPerHour > 0)) throw new RangeError('the target must be above zero');
  const hours = secondsPerClip.reduce((sum, seconds) => sum + seconds, 0) / 3600;
  // One list of windows, with a gap between clips, so that stretches do not reach over.
  const scores = windowScoresPerClip.flatMap((clip) => [...clip, Infinity]);
  const order = scores.flatMap((score, index) => (score === Infinity ? [] : [index]));
  if (order.length === 0 || hours === 0) return null;
  if (!order.every((index) => Number.isFinite(scores[index]))) throw new RangeError('every score must be finite');
  order.sort((one, other) => scores[one] - scores[other]);

  // Thresholds in ascending order: each takes in the windows that score below it.
  const below = new Uint8Array(scores.length);
  let stretches = 0;
  let threshold = scores[order[0]];
  let falseAlarms = 0;
  for (let at = 0; at < order.length;) {
    const score = scores[order[at]];
    for (; at < order.length && scores[order[at]] === score; at++) {
      const index = order[at];
      stretches += 1 - (index > 0 ? below[index - 1] : 0) - below[index + 1];
      below[index] = 1;
    }
    // Stretches grow together as the threshold rises: the first one with too many ends the search all the same.
    if (stretches > targetPerHour * hours || at === order.length) break;
    threshold = scores[order[at]];
    falseAlarms = stretches;
  }
  return {
    threshold,
    falseAlarms,
    bonafideHours: hours,
    falseAlarmsPerHour: falseAlarms / hours,
    falseAlarmsPerHourAtMost: poissonUpperBound(falseAlarms) / hours,
  };
}

/** A stretch of a recording whose windows all score below the threshold for localisation. */
export interface Stretch {
  startSeconds: number;
  endSeconds: number;
  windows: number;
  /** Uncalibrated. */
  lowestScore: number;
}

/** The stretches of neighbouring windows below a threshold; windows that do not touch are no neighbours. */
export function stretchesBelow(
  windows: readonly { startSeconds: number; endSeconds: number; score: number }[],
  threshold: number,
): Stretch[] {
  const stretches: Stretch[] = [];
  let last: Stretch | null = null;
  for (const { startSeconds, endSeconds, score } of windows) {
    if (!(score < threshold)) {
      last = null;
    } else if (last && startSeconds <= last.endSeconds) {
      last.endSeconds = endSeconds;
      last.windows++;
      last.lowestScore = Math.min(last.lowestScore, score);
    } else {
      last = { startSeconds, endSeconds, windows: 1, lowestScore: score };
      stretches.push(last);
    }
  }
  return stretches;
}

/** What the threshold is worth, in a sentence. */
export function localisationStatement(localisation: Localisation): string {
  const { threshold, falseAlarms, falseAlarmsPerHour, falseAlarmsPerHourAtMost, bonafideHours } = localisation;
  const hours = bonafideHours.toPrecision(2);
  return (
    `Stretches whose windows score below ${threshold.toFixed(3)} (uncalibrated). In ${hours} h of bona fide audio that it was not trained on ` +
    `there were ${falseAlarms}: ${falseAlarmsPerHour.toPrecision(2)} false alarms per hour, at most ` +
    `${falseAlarmsPerHourAtMost.toPrecision(2)} with 95 % confidence. They say where to listen, and are no evidence by themselves.`
  );
}
