/**
 * From the place of a sample among all that were decoded to its time in the recording, and back. Gaps are intervals: however
 * long they are, they take no memory.
 */
import type { Gap, TimelineNotes } from './types.ts';

export class Timeline {
  readonly startSeconds: number;
  readonly gaps: readonly Gap[];
  /** How much sound lies before each gap. */
  readonly #soundBefore: number[] = [];

  constructor({ startSeconds, gaps }: Pick<TimelineNotes, 'startSeconds' | 'gaps'>) {
    this.startSeconds = startSeconds;
    this.gaps = gaps;
    let missing = startSeconds;
    for (const { fromSeconds, toSeconds } of gaps) {
      this.#soundBefore.push(fromSeconds - missing);
      missing += toSeconds - fromSeconds;
    }
  }

  /** Sound begins at the beginning and goes on to the end. */
  get unbroken(): boolean {
    return this.startSeconds === 0 && this.gaps.length === 0;
  }

  /** Seconds of all gaps. */
  get gapSeconds(): number {
    return this.gaps.reduce((sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds, 0);
  }

  /**
   * The time at which a sample sounds that has so many seconds of sound before it.
   * @param side where a gap lies just there: the time before it (for ends), or after it (for beginnings)
   */
  timeOf(soundSeconds: number, side: 'before' | 'after' = 'after'): number {
    if (soundSeconds <= 0 && side === 'before') return 0;
    const passed = this.#gapsBefore(soundSeconds, side);
    if (passed === 0) return this.startSeconds + soundSeconds;
    return this.gaps[passed - 1].toSeconds + soundSeconds - this.#soundBefore[passed - 1];
  }

  /** How many seconds of sound lie before a time. */
  soundBefore(timeSeconds: number): number {
    const next = firstAbove(this.gaps.length, (index) => this.gaps[index].fromSeconds > timeSeconds);
    if (next === 0) return Math.max(0, timeSeconds - this.startSeconds);
    return this.#soundBefore[next - 1] + Math.max(0, timeSeconds - this.gaps[next - 1].toSeconds);
  }

  /** Seconds of a span of time that lie in gaps or before the beginning. */
  missingWithin(fromSeconds: number, toSeconds: number): number {
    return toSeconds - fromSeconds - (this.soundBefore(toSeconds) - this.soundBefore(fromSeconds));
  }

  /** The gaps between two places in the sound, each with how much sound lies before it. */
  gapsBetween(fromSound: number, toSound: number): { soundSeconds: number; gap: Gap }[] {
    const between: { soundSeconds: number; gap: Gap }[] = [];
    for (let index = this.#gapsBefore(fromSound, 'after'); index < this.gaps.length; index++) {
      const soundSeconds = this.#soundBefore[index];
      if (soundSeconds >= toSound) break;
      between.push({ soundSeconds, gap: this.gaps[index] });
    }
    return between;
  }

  #gapsBefore(soundSeconds: number, side: 'before' | 'after'): number {
    // Sums of rounded seconds: less than a sample of any rate.
    const limit = side === 'after' ? soundSeconds + tolerance : soundSeconds - tolerance;
    return firstAbove(this.gaps.length, (index) => this.#soundBefore[index] > limit);
  }
}

const tolerance = 1e-7;

/** The first of ascending things that is above something, else how many there are. */
function firstAbove(count: number, above: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (above(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
