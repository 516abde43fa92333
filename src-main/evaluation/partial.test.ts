import { describe, expect, it } from 'vitest';
import { compareWithMean, contrast, poissonInterval, regionFigures, regionsBelow, segmentEer } from './partial.ts';
import type { SplicedFile } from './partial.ts';

const frameSeconds = 0.02;

/** A file of 4 s with a part from 1 to 2 s whose frames score as given, the others likewise. */
function file(spoof: boolean, inside: number, outside: number, source = 'a'): SplicedFile {
  const frames = Float64Array.from({ length: 200 }, (_, frame) => (frame >= 50 && frame < 100 ? inside : outside));
  return { spoof, source, startSeconds: 1, endSeconds: 2, frames, mean: (inside + 3 * outside) / 4 };
}

describe('segmentEer', () => {
  it('is zero where all spoofed frames are lower, a half where the scores say nothing', () => {
    const files = [file(true, -1, 1), file(false, 0.5, 1)];
    expect(segmentEer(files, frameSeconds, 1).eer).toBe(0);
    expect(segmentEer(files, frameSeconds, 8).eer).toBe(0);
    expect(segmentEer([file(true, 1, 1), file(false, 1, 1)], frameSeconds, 1).eer).toBeCloseTo(0.5, 9);
  });

  it('takes a segment for spoofed where more than half of it is', () => {
    // Segments of 0.96 s over 1 to 2 s: the second (0.96 to 1.92) alone, whose two frames before the part score high.
    const { eer } = segmentEer([file(true, -1, 1), file(false, -0.9, -0.9)], frameSeconds, 48);
    expect(eer).toBe(0);
  });

  it('counts the part of a bona fide recording as bona fide', () => {
    expect(segmentEer([file(false, -1, 1), file(true, 0, 1)], frameSeconds, 1).eer).toBeGreaterThan(0.05);
  });
});

describe('regions', () => {
  it('are stretches of 0.2 s at least', () => {
    const frames = new Float64Array(100).fill(1);
    frames.fill(-1, 10, 20);
    frames.fill(-1, 40, 49);
    frames.fill(-1, 90, 100);
    expect(regionsBelow(frames, frameSeconds, 0)).toEqual([
      { startSeconds: 0.2, endSeconds: 0.4 },
      { startSeconds: 1.8, endSeconds: 2 },
    ]);
  });

  it('are found where they share half of what they cover with the part, with the distance of their ends', () => {
    const shifted = file(true, -1, 1);
    shifted.frames.fill(1).fill(-1, 60, 110);
    const far = file(true, -1, 1);
    far.frames.fill(1).fill(-1, 80, 130);
    const figures = regionFigures([shifted, far, file(false, -1, 1), file(false, 1, 1)], frameSeconds, 0);
    expect(figures).toMatchObject({ parts: 2, found: 1, falseRegions: 1 });
    expect(figures.boundarySeconds).toBeCloseTo(0.2, 9);
    expect(figures.falsePerHour).toBeCloseTo(1 / (8 / 3600), 6);
    expect(figures.falsePerHourInterval[0]).toBeLessThan(figures.falsePerHour);
  });

  it('have the exact interval of a Poisson count', () => {
    // Garwood's table, as R's poisson.test gives it.
    expect(poissonInterval(0)[0]).toBe(0);
    expect(poissonInterval(0)[1]).toBeCloseTo(3.6889, 3);
    expect(poissonInterval(10)[0]).toBeCloseTo(4.7954, 3);
    expect(poissonInterval(10)[1]).toBeCloseTo(18.3904, 3);
    expect(poissonInterval(1000)[0]).toBeCloseTo(938.97, 1);
  });
});

describe('compareWithMean', () => {
  it('is sure that a contrast tells more where they do', () => {
    // Means say nothing: the hosts differ; the part alone tells.
    const files = Array.from({ length: 40 }, (_, index) => {
      const host = (index * 7) % 10;
      return file(index % 2 === 0, index % 2 === 0 ? -1 : host, host, `source ${index % 8}`);
    });
    const found = compareWithMean(files, contrast, 1);
    expect(found.eer).toBeLessThan(found.meanEer - 0.2);
    expect(found.interval[1]).toBeLessThan(0);
  });

  it('is not sure where they are the same', () => {
    const files = Array.from({ length: 40 }, (_, index) =>
      file(index % 2 === 0, index % 5, index % 5, `source ${index % 8}`),
    );
    const found = compareWithMean(files, contrast, 1);
    expect(found.difference).toBe(0);
    expect(found.interval).toEqual([0, 0]);
  });

  it('a contrast leaves out what is added to all of a file', () => {
    expect(contrast(file(true, -1, 1))).toBe(-2);
    expect(contrast(file(true, 4, 6))).toBe(-2);
  });
});
