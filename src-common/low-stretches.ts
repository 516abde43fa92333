/** Which windows of a result may be judged, and the stretches of neighbouring ones that score low enough to be pointed out. */
import type { Analysis } from './schemas/analysis.ts';

type WindowScore = Pick<Analysis['windows'][number], 'startSeconds' | 'endSeconds' | 'score'>;

/** A stretch of a recording whose windows all score below the threshold for pointing out. */
export interface LowStretch {
  startSeconds: number;
  endSeconds: number;
  windows: number;
  /** Uncalibrated. */
  lowestScore: number;
}

/** The stretches of neighbouring windows below a threshold; windows that do not touch are no neighbours. */
export function stretchesBelow(windows: readonly WindowScore[], threshold: number): LowStretch[] {
  const stretches: LowStretch[] = [];
  let last: LowStretch | null = null;
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

/** The one reason that is of the whole recording alone: its windows are as long as any. */
const ofTheWholeOnly = 'length';

/**
 * Whether the windows of a result may be judged at all. What makes a recording not assessable makes its windows so, too, but for its
 * length: a long recording's windows are of the length that the model was measured on.
 */
export function windowsAssessable({ finding, reasons }: Pick<Analysis, 'finding' | 'reasons'>): boolean {
  return finding !== null && !reasons.some(({ code, blocking }) => blocking && code !== ofTheWholeOnly);
}

/** What of a result says where to listen. */
export type LocatingResult = Pick<Analysis, 'finding' | 'reasons' | 'windows'> & {
  thresholds: Pick<Analysis['thresholds'], 'localisation'>;
};

/** The stretches that a result points out; null where it may give no times: by its model's card, or as its windows are not assessable. */
export function pointedOut(result: LocatingResult): LowStretch[] | null {
  const { localisation } = result.thresholds;
  if (localisation === null || !windowsAssessable(result)) return null;
  return stretchesBelow(result.windows, localisation);
}

/** Where within an extent a result has nothing to be judged by: all of it where its windows are not assessable, else what no window covers. */
export function unassessable(
  result: Pick<Analysis, 'finding' | 'reasons'> & { windows: readonly WindowScore[] },
  { startSeconds, endSeconds }: { startSeconds: number; endSeconds: number },
): { fromSeconds: number; toSeconds: number }[] {
  if (!windowsAssessable(result)) return [{ fromSeconds: startSeconds, toSeconds: endSeconds }];
  const places: { fromSeconds: number; toSeconds: number }[] = [];
  let covered = startSeconds;
  for (const window of result.windows) {
    if (window.startSeconds > covered) places.push({ fromSeconds: covered, toSeconds: window.startSeconds });
    covered = Math.max(covered, window.endSeconds);
  }
  if (covered < endSeconds) places.push({ fromSeconds: covered, toSeconds: endSeconds });
  return places;
}

/** How many stretches would be pointed out in so much bona fide speech. */
export function expectedIn(seconds: number, perHour: number): string {
  const expected = (seconds / 3600) * perHour;
  return expected < 10 ? String(Number(expected.toPrecision(1))) : expected.toFixed(0);
}

/** Stretches in two figures. */
export interface StretchSummary {
  count: number;
  /** 0 where there is none. */
  longestSeconds: number;
}

export function summaryOf(stretches: readonly Pick<LowStretch, 'startSeconds' | 'endSeconds'>[]): StretchSummary {
  return {
    count: stretches.length,
    longestSeconds: stretches.reduce(
      (most, { startSeconds, endSeconds }) => Math.max(most, endSeconds - startSeconds),
      0,
    ),
  };
}
