import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src-common/schemas/settings.ts';
import {
  clock,
  datasetText,
  decimal,
  grouped,
  idList,
  interpretation,
  propositions,
  signed,
  timeText,
} from './wording.ts';

const scale = settingsSchema.parse({}).verbalScale;
const given = { bonafide: 'A', spoof: 'B' };
const verbal = (ratio: number): string => interpretation(Math.log(ratio), null, scale, given).verbal;

describe('interpretation', () => {
  it('follows the verbal scale, mirrored below one', () => {
    expect(verbal(1.4)).toBe('The findings do not support one proposition over the other.');
    expect(verbal(2)).toContain('weak support for the proposition that A');
    expect(verbal(10)).toContain('weak support');
    expect(verbal(12)).toContain('moderate support');
    expect(verbal(1000)).toContain('moderately strong');
    expect(verbal(9_000)).toContain(': strong support');
    expect(verbal(900_000)).toContain('very strong');
    expect(verbal(2e6)).toContain('extremely strong');
    expect(verbal(1 / 50)).toContain('moderate support for the proposition that B, rather than that A');
  });

  it('takes the words of the laboratory', () => {
    const own = [{ upTo: null, words: 'some support' }];
    expect(interpretation(Math.log(50), null, own, given).verbal).toContain('some support');
  });

  it('tells an interval that reaches over one', () => {
    const { interval } = interpretation(Math.log(3), [Math.log(0.5), Math.log(20)], scale, given);
    expect(interval).toContain('from 2 times more probable if B to 20 times more probable if A');
    expect(interval).toContain('−0.30 to +1.30');
  });

  it('says it in a line, too', () => {
    const brief = (ratio: number): string => interpretation(Math.log(ratio), null, scale, given).brief;
    expect(brief(1 / 50)).toBe('about 50 times more probable under proposition 2 (spoof): moderate support');
    expect(brief(1.5)).toBe('neither proposition is supported over the other');
  });

  it('says so where the findings are as probable under both', () => {
    expect(interpretation(0, null, scale, given).sentence).toBe(
      'The findings are about as probable if A as if B, given systems like those validated.',
    );
  });
});

describe('texts', () => {
  it('writes numbers and times', () => {
    expect(decimal(-0.001, 2)).toBe('0.00');
    expect(signed(-1.234, 2)).toBe('−1.23');
    expect(signed(1.2, 1)).toBe('+1.2');
    expect(clock(3723.456)).toBe('1:02:03.46');
    expect(clock(59.999)).toBe('1:00.00');
    expect(grouped(1234567)).toBe('1,234,567');
    expect(timeText('2026-11-24T03:12:05.123Z')).toBe('2026-11-24 03:12:05 UTC');
    expect(timeText('last week')).toBe('last week');
  });

  it('lists items by ranges, and many of them in short', () => {
    expect(idList([3, 1, 2, 7, 9, 10])).toBe('1 to 3, 7, 9, 10');
    expect(idList([1, 3, 5, 7], 2)).toBe('1, 3 and 2 more');
  });

  it('calls labelled recordings by the folder or list that they are in', () => {
    expect(datasetText('manifest:../shared/corpus/manifest.csv+manifest:../engines/manifest.csv')).toBe(
      '“corpus” and “engines”',
    );
    expect(datasetText('folder:ours')).toBe('“ours”');
    expect(datasetText('mlaad:/data/x+bonafide:manifest:y.csv')).toBe('“x” and “y.csv”');
    expect(datasetText('for:C:\\data\\for-norm')).toBe('“for-norm”');
  });

  it('puts propositions into a sentence', () => {
    const details = { propositionBonafide: 'The speech was spoken.', propositionSpoof: 'ACME made it. ' };
    expect(propositions(details)).toEqual({ bonafide: 'the speech was spoken', spoof: 'ACME made it' });
    expect(propositions(null).spoof).toContain('machine');
  });
});
