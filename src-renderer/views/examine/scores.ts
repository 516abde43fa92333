/** Window scores of an analysis as the strip, the curve and the inspector show them. Scores are uncalibrated. */
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Span } from './time-window.ts';

type Window = Analysis['windows'][number];
type Thresholds = Analysis['thresholds'];

/** A window's share of the time axis: windows overlap, and each speaks for the time about its middle. */
export interface Cell extends Span {
  score: number;
  /** Nothing was scored between the cell before and this one. */
  gap: boolean;
}

/** Windows in the order of time, side by side. */
export function cellsOf(windows: readonly Window[]): Cell[] {
  const middle = ({ startSeconds, endSeconds }: Window): number => (startSeconds + endSeconds) / 2;
  return windows.map((window, index) => {
    const before = windows[index - 1];
    const after = windows[index + 1];
    const touchesBefore = before !== undefined && window.startSeconds <= before.endSeconds;
    const touchesAfter = after !== undefined && after.startSeconds <= window.endSeconds;
    return {
      start: touchesBefore ? (middle(before) + middle(window)) / 2 : window.startSeconds,
      end: touchesAfter ? (middle(window) + middle(after)) / 2 : window.endSeconds,
      score: window.score,
      gap: !touchesBefore,
    };
  });
}

/** Index of the first cell that ends after a time. */
export function firstCellAfter(cells: readonly Cell[], time: number): number {
  let low = 0;
  let high = cells.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cells[middle].end <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a score leans to: -1 far on the spoof side, 0 between, 1 far on the bona fide side. */
export function leaning(score: number, thresholds: Thresholds, range: { low: number; high: number }): number {
  const [low, high] = thresholds.inconclusive ?? [thresholds.score, thresholds.score];
  if (score >= high) return 0.35 + 0.65 * share(score - high, range.high - high);
  if (score < low) return -0.35 - 0.65 * share(low - score, low - range.low);
  return 0;
}

const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 1);

/** The scores' axis: all windows and thresholds, with a little room. */
export function scoreRange(windows: readonly Window[], thresholds: Thresholds): { low: number; high: number } {
  const lines = [thresholds.score, ...(thresholds.inconclusive ?? [])];
  let low = Math.min(...lines);
  let high = Math.max(...lines);
  for (const { score } of windows) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const room = Math.max(0.08 * (high - low), 0.05);
  return { low: low - room, high: high + room };
}

/** Mean of the windows whose middle lies in a span; null where there is none. */
export function meanScore(windows: readonly Window[], { start, end }: Span): { mean: number; count: number } | null {
  let sum = 0;
  let count = 0;
  for (const { startSeconds, endSeconds, score } of windows) {
    const middle = (startSeconds + endSeconds) / 2;
    if (middle < start || middle > end) continue;
    sum += score;
    count++;
  }
  return count === 0 ? null : { mean: sum / count, count };
}

/** The window that scores lowest. */
export function lowestWindow(windows: readonly Window[]): Window | null {
  let lowest: Window | null = null;
  for (const window of windows) if (lowest === null || window.score < lowest.score) lowest = window;
  return lowest;
}

/** How much of a recording its cells cover. */
export function coveredSeconds(cells: readonly Span[]): number {
  return cells.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** The score at a time; null where there is none. */
export function scoreAt(cells: readonly Cell[], time: number): number | null {
  const cell = cells.at(firstCellAfter(cells, time));
  return cell !== undefined && cell.start <= time && time < cell.end ? cell.score : null;
}
