import { expect, it } from 'vitest';
import type { IssuedReport, TechnicalReview } from '../../../src-common/schemas/report.ts';
import { reviewersOf, reviewersOfNext } from './reviews.ts';

const report = (number: string, logPosition: number): IssuedReport => ({
  ...{ number, logPosition, issuedAt: '2026-01-01T00:00:00.000Z', sha256: 'a'.repeat(64), pages: 4, amends: null },
});
const review = (reviewer: string, position: number, of: string | null = null): TechnicalReview => ({
  ...{ reviewer, position, report: of, qualification: '', remarks: '', time: '', actor: '', hash: 'b'.repeat(64) },
  ...{ rows: position - 1, laterRows: 0 },
});

it('reviews belong to the report that names them, or that they are of', () => {
  const issued = [report('1/1', 10), report('1/2', 20)];
  const reviews = [review('Ada', 5), review('Bea', 15), review('Cem', 25, '1/1'), review('Dot', 26), review('Dot', 27)];
  expect(reviewersOf(issued[0], reviews, issued)).toEqual(['Ada', 'Cem']);
  expect(reviewersOf(issued[1], reviews, issued)).toEqual(['Bea']);
  expect(reviewersOfNext(reviews, issued)).toEqual(['Dot']);
  expect(reviewersOfNext(reviews, [])).toEqual(['Ada', 'Bea', 'Dot']);
});
