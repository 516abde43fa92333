/** Which resolution of peaks and of the spectrogram to draw from, and which parts of it. */
import type { Sound } from '../../../src-common/schemas/sound.ts';
import type { Span } from './time-window.ts';

/** The coarsest level with at least one peak to a pixel; the finest where none has. */
export function peakLevelFor(peaks: Sound['peaks'], samplesPerPixel: number): number {
  let best = 0;
  for (const [level, { samplesPerPeak }] of peaks.entries()) {
    if (samplesPerPeak <= samplesPerPixel) best = level;
  }
  return best;
}

/** The coarsest level with at least one column to a pixel; the finest where none has. */
export function tileLevelFor({ levels }: Sound['spectrogram'], secondsPerPixel: number): number {
  let best = 0;
  for (const [level, { secondsPerColumn }] of levels.entries()) {
    // Rounding of the rate must not cost a level.
    if (secondsPerColumn <= secondsPerPixel * 1.001) best = level;
  }
  return best;
}

/** Parts of equal length that a span touches: the first, and the one after the last. */
export function partsOf({ start, end }: Span, partLength: number, count: number): { first: number; end: number } {
  const first = Math.min(Math.max(Math.floor(start / partLength), 0), count);
  return { first, end: Math.min(Math.max(Math.ceil(end / partLength), first), count) };
}

/** Numbers from the middle outwards: what is asked for first. */
export function fromMiddle(first: number, end: number): number[] {
  const middle = (first + end - 1) / 2;
  return Array.from({ length: end - first }, (_, i) => first + i).sort(
    (one, other) => Math.abs(one - middle) - Math.abs(other - middle) || one - other,
  );
}
