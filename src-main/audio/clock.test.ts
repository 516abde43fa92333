import { describe, expect, it } from 'vitest';
import { Clock } from './clock.ts';

const rateHz = 1000;

/** Packets of 0.1 s at these times; what the clock makes of them. */
function notesOf(times: number[], durationSeconds: number | null = 100): Clock['notes'] & { endSeconds: number } {
  const clock = new Clock(rateHz, durationSeconds);
  for (const time of times) clock.packet(time, 100);
  return { ...clock.notes, endSeconds: clock.seconds };
}

/** Times of packets one after the other. */
function run(from: number, packets: number): number[] {
  return Array.from({ length: packets }, (_, index) => from + 0.1 * index);
}

describe('clock of a recording', () => {
  it('finds nothing missing where packets follow one another, though times tremble', () => {
    const times = run(0, 50).map((time, index) => time + (index % 3) * 0.02);
    const notes = notesOf(times);
    expect(notes).toMatchObject({ startSeconds: 0, gaps: [], overlapSeconds: 0, uncertainFromSeconds: null });
    expect(notes.endSeconds).toBeCloseTo(5, 9);
    // Delays of codecs, on either side.
    expect(notesOf(run(0.046, 5)).startSeconds).toBe(0);
    expect(notesOf(run(-0.08, 5))).toMatchObject({ startSeconds: 0, gaps: [], overlapSeconds: 0 });
  });

  it('keeps a late start and gaps, each with its length', () => {
    const { startSeconds, gaps, endSeconds } = notesOf([...run(5, 10), ...run(9, 10), ...run(90, 5)]);
    expect(startSeconds).toBe(5);
    expect(gaps.map(({ fromSeconds, toSeconds }) => [fromSeconds, toSeconds].map((x) => Math.round(1000 * x)))).toEqual(
      [
        [6000, 9000],
        [10_000, 90_000],
      ],
    );
    expect(endSeconds).toBeCloseTo(90.5, 9);
  });

  it('takes up what grows little by little as a gap once it has grown', () => {
    const times = run(0, 100).map((time, index) => time + 0.002 * index);
    const { gaps, endSeconds } = notesOf(times);
    expect(gaps.length).toBe(1);
    expect(Math.abs(endSeconds - (times[99] + 0.1))).toBeLessThan(0.1);
  });

  it('tells overlaps once, and drops nothing', () => {
    const notes = notesOf([...run(0, 9), ...[0.82, 0.84, 0.86, 0.88, 0.9], ...run(1, 6)]);
    expect(Math.abs(notes.overlapSeconds - 0.4)).toBeLessThan(0.11);
    expect(notes.endSeconds).toBeCloseTo(2, 9);
    expect(notes.gaps).toEqual([]);
    expect(notes.uncertainFromSeconds).toBeNull();
  });

  it('goes on as decoded from a reset, and says from where on times are uncertain', () => {
    // What ffmpeg hands on of timestamps that begin anew: the last one, again and again.
    const notes = notesOf([...run(0, 30), ...Array<number>(20).fill(2.9)]);
    expect(notes.uncertainFromSeconds).toBeCloseTo(3, 9);
    expect(notes).toMatchObject({ gaps: [], overlapSeconds: 0 });
    expect(notes.endSeconds).toBeCloseTo(5, 9);
  });

  it('believes no jump beyond the duration of the file, and keeps what follows together', () => {
    const wrap = 2 ** 33 / 90_000;
    const notes = notesOf([...run(0, 30), ...run(wrap, 20), ...run(wrap + 4, 5)], 10);
    expect(notes.uncertainFromSeconds).toBeCloseTo(3, 9);
    expect(notes.gaps.length).toBe(1);
    expect(notes.gaps[0].toSeconds - notes.gaps[0].fromSeconds).toBeCloseTo(2, 3);
    expect(notes.endSeconds).toBeCloseTo(7.5, 3);
    // The first packet, too.
    expect(notesOf(run(wrap, 5), 10)).toMatchObject({ startSeconds: 0, uncertainFromSeconds: 0 });
    expect(notesOf([...run(0, 5), ...run(200 * 3600, 5)], null).uncertainFromSeconds).toBeCloseTo(0.5, 9);
  });
});
