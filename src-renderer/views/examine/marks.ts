import type { Mark } from '../../../src-common/schemas/evidence.ts';
import { lengthOf } from './time-window.ts';
import type { Span } from './time-window.ts';

/** A mark in the lane below the spectrogram. Places in pixels. */
export interface PlacedMark {
  mark: Mark;
  left: number;
  /** Of a span; 0 for a point. */
  width: number;
  /** -1: there is no room for its text. */
  row: number;
}

const gap = 4;

/** Marks in sight, in rows that keep their texts apart. */
export function placeMarks(
  marks: readonly Mark[],
  window: Span,
  width: number,
  options: { rows: number; textWidth: (mark: Mark) => number },
): PlacedMark[] {
  const ends = new Array<number>(options.rows).fill(-Infinity);
  const scale = width / lengthOf(window);
  return marks
    .filter(
      ({ startSeconds, endSeconds }) => startSeconds <= window.end && (endSeconds ?? startSeconds) >= window.start,
    )
    .sort((one, other) => one.startSeconds - other.startSeconds || one.id - other.id)
    .map((mark) => {
      const left = Math.max(0, (mark.startSeconds - window.start) * scale);
      const right = mark.endSeconds === null ? left : Math.min(width, (mark.endSeconds - window.start) * scale);
      const free = ends.findIndex((end) => end <= left);
      if (free >= 0) ends[free] = Math.max(right, left + options.textWidth(mark)) + gap;
      return { mark, left, width: Math.max(0, right - left), row: free };
    });
}
