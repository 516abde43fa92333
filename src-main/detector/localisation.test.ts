import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { stretchesBelow } from '../../src-common/low-stretches.ts';
import { localisationStatement, localisationThreshold } from './localisation.ts';

/** Stretches below a threshold in clips of windows that touch, by the function that scans use. */
function alarms(clips: number[][], threshold: number): number {
  const count = (scores: number[]): number =>
    stretchesBelow(
      scores.map((score, index) => ({ startSeconds: index, endSeconds: index + 2, score })),
      threshold,
    ).length;
  return clips.reduce((sum, clip) => sum + count(clip), 0);
}

describe('localisationThreshold', () => {
  it('counts stretches, not windows', () => {
    // Two stretches below 0: three windows of the first clip, one of the second.
    const clips = [
      [5, -1, -2, -3, 9, 1, 9],
      [-4, 3, 4],
    ];
    const found = localisationThreshold(clips, [1800, 1800], 2);
    // From 1 on a third stretch would begin; windows at the threshold itself are not below it.
    expect(found?.threshold).toBe(1);
    expect(found?.falseAlarms).toBe(2);
    expect(found?.falseAlarmsPerHour).toBe(2);
    expect(alarms(clips, 1)).toBe(2);
  });

  it('is the highest threshold with no more alarms than wanted, at it and at all below', () => {
    const random = new Random(4);
    const clips = Array.from({ length: 40 }, () =>
      Array.from({ length: 1 + random.below(30) }, () => Math.round(10 * random.normal()) / 4),
    );
    const seconds = clips.map((clip) => clip.length + 1);
    const hours = seconds.reduce((sum, value) => sum + value) / 3600;
    for (const target of [20, 100, 250]) {
      const found = localisationThreshold(clips, seconds, target);
      if (!found) throw new Error('no threshold');
      const candidates = [...new Set(clips.flat())].sort((one, other) => one - other);
      const first = candidates.findIndex((candidate) => alarms(clips, candidate) > target * hours);
      expect(found.threshold).toBe(candidates[first - 1]);
      expect(found.falseAlarms).toBe(alarms(clips, found.threshold));
      expect(found.bonafideHours).toBeCloseTo(hours, 12);
    }
  });

  it('bounds the rate from above as far as the audio goes', () => {
    // The rule of three: no alarm in one hour may well be three an hour.
    const none = localisationThreshold([[0, 1, 2]], [3600], 0.5);
    expect(none).toMatchObject({ threshold: 0, falseAlarms: 0, falseAlarmsPerHour: 0 });
    expect(none?.falseAlarmsPerHourAtMost).toBeCloseTo(2.9957, 3);
    // Garwood's table: 10 counted, 16.96 at most.
    const clips = Array.from({ length: 11 }, (_, index) => [index]);
    const ten = localisationThreshold(
      clips,
      clips.map(() => 3600 / 11),
      10.5,
    );
    expect(ten?.falseAlarms).toBe(10);
    expect(ten?.falseAlarmsPerHourAtMost).toBeCloseTo(16.962, 2);
    expect(localisationStatement(ten!)).toMatch(/10 false alarms per hour, at most 17 with 95 %/);
  });

  it('has nothing to say without windows, and refuses nonsense', () => {
    expect(localisationThreshold([[], []], [1, 2], 1)).toBeNull();
    expect(() => localisationThreshold([[1]], [1, 2], 1)).toThrow(RangeError);
    expect(() => localisationThreshold([[NaN]], [1], 1)).toThrow(RangeError);
    expect(() => localisationThreshold([[1]], [1], 0)).toThrow(RangeError);
  });
});
