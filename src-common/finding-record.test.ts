import { expect, it } from 'vitest';
import { rateText, recordCaveat, recordCounts, tellingRecord } from './finding-record.ts';
import type { FindingRate, FindingRecord } from './schemas/finding-record.ts';

const rate = (count: number, of: number, units: number): FindingRate => ({
  count,
  of,
  interval: null,
  unit: 'sources',
  units,
});
const counts = { bonafide: 0, spoof: 0, inconclusive: 0, notAssessable: 0, failed: 0 };

function record(split: string, units: number, calibratedOn = false): FindingRecord {
  const none = rate(0, 0, units);
  return {
    ...{
      dataset: 'clips',
      split,
      calibratedOn,
      bonafide: counts,
      spoof: counts,
      falseSpoof: none,
      falseBonafide: none,
    },
    rightBonafide: rate(82, 100, units),
    rightSpoof: rate(0, 0, units),
    inconclusive: rate(147, 415, units),
    notAssessable: none,
  };
}

it('the record that says most is that of most sources, and never one that the calibration was fitted on', () => {
  const records = [record('dev', 31), record('test', 5), record('fresh', 42), record('all', 90, true)];
  expect(tellingRecord(records)?.split).toBe('fresh');
  expect(tellingRecord([record('all', 90, true)])).toBeNull();
});

it('a rate is all or none only of all and none', () => {
  const of = (count: number): string => rateText({ ...rate(count, 300, 9), interval: [0, 1] });
  expect([0, 1, 2, 298, 299, 300].map((count) => of(count).split(' (')[0])).toEqual([
    '0 of 300, 0 %',
    '1 of 300, under 1 %',
    '2 of 300, 1 %',
    '298 of 300, 99 %',
    '299 of 300, over 99 %',
    '300 of 300, 100 %',
  ]);
});

it('counts are said in the words of the model’s status', () => {
  expect(recordCounts(record('fresh', 42), 'screening')).toBe(
    'On fresh, “looks synthetic” was right in 0 of 0, “looks bona fide” in 82 of 100; inconclusive were 147 of 415.',
  );
  expect(recordCounts(record('fresh', 42), 'validated')).toContain('“supports bona fide” in 82 of 100');
});

it('of a recording beyond the limit of distance it is said that the record does not speak for it, where there is a finding', () => {
  expect(recordCaveat('looks-spoof', ['long', 'unusual'])).toMatch(/^This recording lies beyond the limit/);
  expect(recordCaveat('supports bona fide', ['unusual'])).not.toBeNull();
  expect(recordCaveat('looks-spoof', ['long'])).toBeNull();
  for (const none of ['inconclusive', 'not assessable'] as const) expect(recordCaveat(none, ['unusual'])).toBeNull();
});
