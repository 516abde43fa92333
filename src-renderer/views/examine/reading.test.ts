import { expect, it } from 'vitest';
import type { AnalysisSummary } from '../../../src-common/schemas/analysis.ts';
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import { hasReadings, latestOf, readingOf } from './reading.ts';

const stretch = { startSeconds: 1, endSeconds: 2 };
const analysis = (id: number, readAll: boolean, of: AnalysisSummary['stretch'] = null): AnalysisSummary =>
  ({ id, readAll, stretch: of }) as AnalysisSummary;
const item = (changes: Partial<Evidence>): Evidence =>
  ({ flags: [], audio: null, analyses: [], marks: [], ...changes }) as unknown as Evidence;

it('is a choice where a file holds sound that its headers do not count in, or where something is of the other reading', () => {
  expect(hasReadings(item({ flags: ['noisy'] }))).toBe(false);
  expect(hasReadings(item({ flags: ['unread'] }))).toBe(true);
  expect(hasReadings(item({ flags: ['hidden'] }))).toBe(true);
  expect(hasReadings(item({ audio: { told: ['unread'] } as Evidence['audio'] }))).toBe(true);
  expect(hasReadings(item({ analyses: [analysis(1, true)] }))).toBe(true);
  expect(hasReadings(item({ marks: [{ readAll: true }] as Evidence['marks'] }))).toBe(true);
});

it('is that of the latest result of the whole recording, until a person chooses', () => {
  expect(readingOf([])).toBe(false);
  expect(readingOf([analysis(1, false), analysis(2, true)])).toBe(true);
  expect(readingOf([analysis(1, true), analysis(2, false)])).toBe(false);
  expect(readingOf([analysis(1, false), analysis(2, true, stretch)])).toBe(false);
  expect(latestOf([analysis(3, true, stretch), analysis(2, true, stretch)])).toBe(3);
});
