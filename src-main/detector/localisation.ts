/** Whether places within a recording may be pointed out, and which. */
import type { Localisation, PartialRecord } from './localisation-card.ts';

/** A card as far as it says where to listen. */
interface Localising {
  localisation?: Localisation | null | undefined;
  partialSpoofs?: PartialRecord[] | undefined;
}

/**
 * Where to listen, where that was shown to be of use: recordings with a spoof put in must be told from those that were only spliced better by
 * their contrast (the lowest score less the median) than by their mean, with an interval that excludes zero. Else why no times are given; both null where the model has no threshold.
 */
export function localisationShown(
  { localisation, partialSpoofs = [] }: Localising,
  window: PartialRecord['window'],
): { shown: Localisation | null; withheld: string | null } {
  if (!localisation) return { shown: null, withheld: null };
  const why = whyNoTimes(partialSpoofs, window);
  return why === null ? { shown: localisation, withheld: null } : { shown: null, withheld: why };
}

/** The record by which windows shorter than those of scans give places, under the same rule; else why they give none. */
export function shortWindowsShown(
  { partialSpoofs = [] }: Pick<Localising, 'partialSpoofs'>,
  window: PartialRecord['window'],
): { record: PartialRecord; withheld: null } | { record: null; withheld: string } {
  const withheld = whyNoTimes(partialSpoofs, window);
  if (withheld !== null) return { record: null, withheld };
  return { record: ofWindow(partialSpoofs, window)[0], withheld: null };
}

function ofWindow(records: readonly PartialRecord[], window: PartialRecord['window']): PartialRecord[] {
  return records.filter(
    (record) => record.window.seconds === window.seconds && record.window.hopSeconds === window.hopSeconds,
  );
}

/** Why windows of that kind give no times; null where they may. */
function whyNoTimes(records: readonly PartialRecord[], window: PartialRecord['window']): string | null {
  const own = ofWindow(records, window);
  const what = `windows of ${window.seconds} s`;
  if (own.length === 0) {
    return `No times are given: whether ${what} tell where a spoof was put into a recording was not measured.`;
  }
  const failed = own.find(({ files }) => !(files.interval[1] < 0));
  if (failed === undefined) return null;
  const { files, recordings, split } = failed;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    `No times are given: on ${recordings} spliced recordings of ${split} the contrast of ${what} told a spoof that was put in from bona fide speech put in ` +
    `no better than the mean over the recording (EER ${percent(files.eer)} against ${percent(files.meanEer)}, difference ${percent(files.interval[0])} to ${percent(files.interval[1])}).`
  );
}

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
