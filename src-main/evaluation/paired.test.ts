import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { pairedDifference } from './paired.ts';
import type { PairedTrial } from './paired.ts';
import { bootstrap } from './bootstrap.ts';
import { clusteredTrials } from './testing.ts';

const set = clusteredTrials({
  seed: 4,
  sources: 20,
  speakersPerSource: 2,
  filesPerSpeaker: 10,
  sourceDeviation: 1,
  separation: 1.5,
});

/** Each recording as it is, and with noise on its score. */
function pairs(deviation: number, shift = 0): PairedTrial[] {
  const random = new Random(9);
  return set.map(({ bonafide, speaker, source, score }) => ({
    bonafide,
    speaker: speaker ?? null,
    source: source ?? null,
    before: score,
    after: score + shift + deviation * random.normal(),
  }));
}

it('says zero, and nothing about it, where nothing changed but the scale', () => {
  const found = pairedDifference(pairs(0, 3));
  expect(found.difference).toBe(0);
  expect(found.interval).toEqual([0, 0]);
  expect(found.units.levels).toEqual(['sources', 'speakers', 'files']);
});

it('has the error rates and the interval of the bootstrap of each side', () => {
  const trials = pairs(2);
  const found = pairedDifference(trials, { replicates: 400, seed: 1 });
  const after = set.map((trial, index) => ({ ...trial, score: trials[index].after }));
  const alone = bootstrap(after, { replicates: 400, seed: 2 }).intervals.eer!;
  expect(found.after).toBeGreaterThan(found.before);
  expect(found.difference).toBe(found.after - found.before);
  for (const end of [0, 1]) expect(found.afterInterval![end]).toBeCloseTo(alone[end], 1);
});

it('knows a small loss better than two separate measurements do', () => {
  const { interval, afterInterval, difference } = pairedDifference(pairs(0.2), { replicates: 500 });
  const width = ([low, high]: [number, number]): number => high - low;
  expect(width(interval!)).toBeLessThan(0.7 * width(afterInterval!));
  expect(interval![0]).toBeLessThanOrEqual(difference);
  expect(interval![1]).toBeGreaterThanOrEqual(difference);
});

it('gives the same for the same seed, and no interval without draws', () => {
  expect(pairedDifference(pairs(1), { seed: 3 })).toEqual(pairedDifference(pairs(1), { seed: 3 }));
  expect(pairedDifference(pairs(1), { replicates: 0 })).toMatchObject({ interval: null, afterInterval: null });
});
