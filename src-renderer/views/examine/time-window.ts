/** Which part of a recording is in sight, and how it is moved. Times in seconds. */

export interface Span {
  start: number;
  end: number;
}

/** What can be zoomed to. */
export const shortestSeconds = 0.01;

export const lengthOf = ({ start, end }: Span): number => end - start;

/** A window of a length that a recording can have, within it. */
export function clampWindow({ start, end }: Span, duration: number): Span {
  const length = Math.min(Math.max(end - start, Math.min(shortestSeconds, duration)), duration);
  const from = Math.min(Math.max(start, 0), duration - length);
  return { start: from, end: from + length };
}

/** Zooms by a factor (above 1: closer) so that what is at `at` stays where it is. */
export function zoomAt(window: Span, factor: number, at: number, duration: number): Span {
  const before = lengthOf(window);
  const length = Math.min(Math.max(before / factor, Math.min(shortestSeconds, duration)), duration);
  const start = at - ((at - window.start) / before) * length;
  return clampWindow({ start, end: start + length }, duration);
}

/** Moves the window by seconds. */
export function pan(window: Span, seconds: number, duration: number): Span {
  const length = lengthOf(window);
  const start = Math.min(Math.max(window.start + seconds, 0), duration - length);
  return { start, end: start + length };
}

/** The window with a span in it, with a little on both sides. */
export function windowAround({ start, end }: Span, duration: number): Span {
  const room = 0.08 * (end - start);
  return clampWindow({ start: start - room, end: end + room }, duration);
}

/** The window moved, by whole windows, so that a time lies in it. */
export function windowWith(window: Span, time: number, duration: number): Span {
  if (time >= window.start && time <= window.end) return window;
  const length = lengthOf(window);
  // What comes next is of more interest than what was.
  return clampWindow({ start: time - 0.05 * length, end: time + 0.95 * length }, duration);
}

/** A span from any two times. */
export function spanOf(one: number, other: number): Span {
  return { start: Math.min(one, other), end: Math.max(one, other) };
}
