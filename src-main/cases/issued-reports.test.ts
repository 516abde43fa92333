import { describe, expect, it } from 'vitest';
import { testCase, thrown } from './testing.ts';

describe('reports', () => {
  it('are kept with all that makes them again, under numbers that are given once', () => {
    const { store } = testCase();
    expect(store.reports.nextNumber()).toBe('2026/1/1');
    const report = {
      number: '2026/1/1',
      issuedAt: '2026-01-03T00:00:00.000Z',
      logPosition: store.head.rows,
      sha256: 'a'.repeat(64),
      pages: 4,
      amends: null,
      request: {
        caseId: store.id,
        evidenceIds: [],
        authorisedBy: '',
        method: '',
        departures: '',
        opinions: '',
        amends: null,
        amendment: '',
      },
      data: '{"as":  "given"}',
    };
    store.reports.add(report);
    expect(store.reports.get('2026/1/1')).toEqual(report);
    expect(thrown(() => store.reports.add(report)).code).toBe('exists');
    expect(store.reports.nextNumber()).toBe('2026/1/2');
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'report-issued',
      details: { number: '2026/1/1', sha256: 'a'.repeat(64), logPosition: 1 },
    });
  });
});
