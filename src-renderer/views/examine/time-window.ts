/** Which part of a recording is in sight, and how it is moved. Times in seconds. */

export interface Span {
  start: number;
  end: number;
}

/** What can be zoomed to. */
export const shortestSeconds = 0.01;

export const lengthOf = ({ start, end }: Span): number => end - start;

/** From the beginning to the end of a recording. */
export const wholeOf = (duration: number): Span => ({ start: 0, end: duration });

/** The same span so much later. */
export const shifted = ({ start, end }: Span, seconds: number): Span => ({
  start: start + seconds,
  end: end + seconds,
});

/** What lies in both; of no length where nothing does. */
export function overlap(one: Span, other: Span): Span {
  const start = Math.max(one.start, other.start);
  return { start, end: Math.max(start, Math.min(one.end, other.end)) };
}

/** A window of a length that its extent allows, within it. */
export function clampWindow({ start, end }: Span, extent: Span): Span {
  const most = lengthOf(extent);
  const length = Math.min(Math.max(end - start, Math.min(shortestSeconds, most)), most);
  const from = Math.min(Math.max(start, extent.start), extent.end - length);
  return { start: from, end: from + length };
}

/** Zooms by a factor (above 1: closer) so that what is at `at` stays where it is. */
export function zoomAt(window: Span, factor: number, at: number, extent: Span): Span {
  const before = lengthOf(window);
  const most = lengthOf(extent);
  const length = Math.min(Math.max(before / factor, Math.min(shortestSeconds, most)), most);
  const start = at - ((at - window.start) / before) * length;
  return clampWindow({ start, end: start + length }, extent);
}

/** Moves the window by seconds. */
export function pan(window: Span, seconds: number, extent: Span): Span {
  const length = lengthOf(window);
  const start = Math.min(Math.max(window.start + seconds, extent.start), extent.end - length);
  return { start, end: start + length };
}

/** The window with a span in it, with a little on both sides. */
export function windowAround({ start, end }: Span, extent: Span): Span {
  const room = 0.08 * (end - start);
  return clampWindow({ start: start - room, end: end + room }, extent);
}

/** The window moved, by whole windows, so that a time lies in it. */
export function windowWith(window: Span, time: number, extent: Span): Span {
  if (time >= window.start && time <= window.end) return window;
  const length = lengthOf(window);
  // What comes next is of more interest than what was.
  return clampWindow({ start: time - 0.05 * length, end: time + 0.95 * length }, extent);
}

/** A span from any two times. */
export function spanOf(one: number, other: number): Span {
  return { start: Math.min(one, other), end: Math.max(one, other) };
}
