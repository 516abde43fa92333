import { describe, expect, it } from 'vitest';
import { leastUnits } from '../../src-common/interval-rule.ts';
import { rateText, recordSentences } from '../../src-common/finding-record.ts';
import { findingTableSchema } from '../../src-common/schemas/finding-record.ts';
import { Random } from '../base/random.ts';
import { findingTable, type FoundRecording } from './finding-table.ts';
import { rateInterval, studentQuantile } from './statistics.ts';
import { independentUnits } from './units.ts';

type Found = FoundRecording['finding'];

function recordings(bonafide: boolean, finding: Found, count: number, sources: number | null = 10): FoundRecording[] {
  return Array.from({ length: count }, (_, index) => ({
    bonafide,
    finding,
    speaker: null,
    source: sources === null ? null : `s${index % sources}`,
  }));
}

describe('the table of findings', () => {
  const table = findingTable([
    ...recordings(true, 'looks-bona-fide', 40),
    ...recordings(true, 'looks-spoof', 10),
    ...recordings(true, 'inconclusive', 30),
    ...recordings(true, 'not assessable', 5),
    ...recordings(false, 'supports spoof', 50),
    ...recordings(false, 'supports bona fide', 20),
    ...recordings(false, 'inconclusive', 30),
    ...recordings(false, null, 7),
  ]);

  it('counts three ways by class, and apart what was not assessed or not read', () => {
    expect(table.bonafide).toEqual({ bonafide: 40, spoof: 10, inconclusive: 30, notAssessable: 5, failed: 0 });
    expect(table.spoof).toEqual({ bonafide: 20, spoof: 50, inconclusive: 30, notAssessable: 0, failed: 7 });
    expect(findingTableSchema.parse(table)).toEqual(table);
  });

  it('takes each rate of the recordings that it is a rate of', () => {
    expect(table.rightBonafide).toMatchObject({ count: 40, of: 60, unit: 'sources', units: 10 });
    expect(table.rightSpoof).toMatchObject({ count: 50, of: 60 });
    expect(table.falseSpoof).toMatchObject({ count: 10, of: 80 });
    expect(table.falseBonafide).toMatchObject({ count: 20, of: 100 });
    expect(table.inconclusive).toMatchObject({ count: 60, of: 180 });
    expect(table.notAssessable).toMatchObject({ count: 5, of: 185 });
    for (const { count, of, interval } of [table.rightBonafide, table.falseSpoof, table.inconclusive]) {
      expect(interval?.[0]).toBeLessThan(count / of);
      expect(interval?.[1]).toBeGreaterThan(count / of);
    }
  });

  it('gives counts alone below a number of sources, and nothing of nothing', () => {
    const few = findingTable(recordings(true, 'looks-bona-fide', 400, leastUnits - 1));
    expect(few.rightBonafide).toEqual({ count: 400, of: 400, interval: null, unit: 'sources', units: leastUnits - 1 });
    expect(rateText(few.rightBonafide)).toBe('400 of 400 (4 sources: too few for a rate)');
    expect(few.rightSpoof).toMatchObject({ count: 0, of: 0, interval: null });
    expect(rateText(few.rightSpoof)).toBe('none');
    const enough = findingTable(recordings(true, 'looks-bona-fide', 400, leastUnits)).rightBonafide;
    // Without a single error, five sources are five observations: Clopper and Pearson's of 5 of 5.
    expect(enough.interval?.[0]).toBeCloseTo(0.025 ** (1 / 5), 6);
    expect(enough.interval?.[1]).toBe(1);
  });

  it('takes speakers, and then files, where no source is named', () => {
    expect(independentUnits([{ speaker: 'a' }, { speaker: 'b' }, { speaker: 'a' }])).toEqual({
      unit: 'speakers',
      count: 2,
    });
    expect(independentUnits([{}, {}, {}])).toEqual({ unit: 'files', count: 3 });
    expect(independentUnits([{ source: 'x' }, {}, {}])).toEqual({ unit: 'sources', count: 2 });
    expect(independentUnits([])).toEqual({ unit: 'files', count: 0 });
  });

  it('holds the true rate about as often as it says, also where sources differ', () => {
    const random = new Random(5);
    let held = 0;
    const rounds = 400;
    for (let round = 0; round < rounds; round++) {
      // Rates of the sources are spread evenly from 0.4 to 1: on the whole 0.7.
      const all = Array.from({ length: 8 }, (_, source) => {
        const rate = 0.4 + 0.6 * random.uniform();
        return Array.from({ length: 25 }, (): FoundRecording => ({
          bonafide: random.uniform() < rate,
          finding: 'looks-bona-fide',
          speaker: null,
          source: `s${source}`,
        }));
      }).flat();
      const interval = findingTable(all).rightBonafide.interval;
      if (interval && interval[0] <= 0.7 && interval[1] >= 0.7) held++;
    }
    expect(held / rounds).toBeGreaterThan(0.92);
  });

  it('is reported beside a finding: how often such ones were right, and how many were inconclusive', () => {
    const record = { ...table, dataset: 'folder:ours', split: 'test', calibratedOn: false };
    const [sentence] = recordSentences('looks-spoof', [record]);
    expect(sentence).toMatch(
      /^On test, “looks synthetic” was right in 50 of 60, 83 % \(95 % interval \d+ to \d+ %\); inconclusive were 60 of 180, 33 % \(/,
    );
    expect(recordSentences('inconclusive', [record])[0]).toMatch(/^On test, inconclusive were 60 of 180/);
    expect(recordSentences('not assessable', [record])).toEqual([]);
    expect(recordSentences('looks-spoof', [{ ...record, calibratedOn: true }])[0]).toContain('elsewhere it errs more');
  });
});

it('intervals and quantiles agree with the tables', () => {
  // R: binom.test(7, 20)$conf.int; qt(.975, c(1, 4, 30)).
  expect(rateInterval(7, 20, 0.95).map((end) => end.toFixed(5))).toEqual(['0.15391', '0.59219']);
  expect(rateInterval(0, 20, 0.95)[0]).toBe(0);
  expect([1, 4, 30].map((degrees) => studentQuantile(0.975, degrees).toFixed(4))).toEqual([
    '12.7062',
    '2.7764',
    '2.0423',
  ]);
});
