/** Where a recording holds no sound, as lanes and inspector show it. Times in seconds. */
import type { Sound } from '../../../src-common/schemas/sound.ts';
import { lengthOf } from './time-window.ts';
import type { Span } from './time-window.ts';

type Timeline = Sound['timeline'];

/** A stretch that is drawn: before the sound begins, one gap, or several that would share a pixel. Places in pixels. */
interface MissingPlace extends Span {
  kind: 'late' | 'gap';
  left: number;
  width: number;
  count: number;
}

/** All stretches without sound, in the order of time. */
export function missingSpans({ startSeconds, gaps }: Timeline): (Span & { kind: MissingPlace['kind'] })[] {
  return [
    ...(startSeconds > 0 ? [{ kind: 'late' as const, start: 0, end: startSeconds }] : []),
    ...gaps.map(({ fromSeconds, toSeconds }) => ({ kind: 'gap' as const, start: fromSeconds, end: toSeconds })),
  ];
}

/** Those in sight, each at least a pixel wide so that a short one does not vanish; what touches is drawn as one. */
export function placeMissing(timeline: Timeline, window: Span, width: number): MissingPlace[] {
  const scale = width / lengthOf(window);
  const places: MissingPlace[] = [];
  for (const { kind, start, end } of missingSpans(timeline)) {
    if (end < window.start || start > window.end || width <= 0) continue;
    const left = Math.min(width - 1, Math.max(0, (start - window.start) * scale));
    const right = Math.max(left + 1, Math.min(width, (end - window.start) * scale));
    const last = places.at(-1);
    if (last !== undefined && left <= last.left + last.width) {
      last.width = Math.max(last.width, right - last.left);
      last.end = end;
      last.count++;
    } else places.push({ kind, start, end, left, width: right - left, count: 1 });
  }
  return places;
}

/** Whether there is no sound at a time. */
export function isMissingAt(timeline: Timeline, time: number): boolean {
  return missingSpans(timeline).some(({ start, end }) => time >= start && time < end);
}
