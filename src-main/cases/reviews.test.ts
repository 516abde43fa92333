import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NewReview } from '../../src-common/schemas/report.ts';
import { exportCase } from './export.ts';
import { importCase } from './import.ts';
import type { CaseStore } from './store.ts';
import { addFiles, testCase, testFolder, testSession, thrown } from './testing.ts';
import { verifyRecords } from './verify-records.ts';

const review = (changes: Partial<NewReview> = {}): NewReview => ({
  ...{ reviewer: ' R. Eviewer ', qualification: 'MSc', remarks: '', report: null, ...changes },
});

function issue(store: CaseStore, amends: string | null = null): string {
  const number = store.reports.nextNumber();
  const told = { authorisedBy: '', method: '', departures: '', opinions: '' };
  const amended = amends === null ? '' : 'The receipt was corrected.';
  store.reports.add({
    number,
    issuedAt: '2026-01-03T00:00:00.000Z',
    logPosition: store.head.rows,
    sha256: String(store.head.rows % 10).repeat(64),
    pages: 3,
    amends,
    request: {
      ...{ caseId: store.id, evidenceIds: [], ...told, amends, amendment: amended },
      ...(amends === null ? {} : { amendmentReason: 'It was misread.' }),
    },
    data: '{}',
  });
  return number;
}

describe('a technical review', () => {
  it('is a row of the log with the head that was reviewed, for the next report', () => {
    const { store } = testCase();
    const before = store.head;
    const signed = store.reviews.add(review());
    expect(signed).toMatchObject({ reviewer: 'R. Eviewer', position: before.rows + 1, ...before, laterRows: 0 });
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'technical-review',
      details: { reviewer: 'R. Eviewer', qualification: 'MSc', ...before },
    });
    // What vouches for the log is no work on the case.
    store.log.note('anchored', 'A stamp.', {});
    store.log.note('countersigned', 'A signature.', {});
    addFiles(store, 1);
    expect(store.reviews.forNextReport()).toMatchObject([{ reviewer: 'R. Eviewer', laterRows: 1 }]);
    const number = issue(store);
    expect(store.reviews.forNextReport()).toEqual([]);
    store.reviews.add(review({ report: number, remarks: 'Well done.' }));
    expect(store.reviews.forNextReport()).toEqual([]);
    expect(store.reviews.list()).toHaveLength(2);
  });

  it('says what was checked, and its remarks are answered by rows of the log that are no work on the case', () => {
    const { store } = testCase();
    const checks = [{ point: 'Hashes were compared.', outcome: 'met' as const, note: '' }];
    const { position } = store.reviews.add(review({ remarks: 'Say why.', checks, role: ' Second examiner ' }));
    const answered = store.reviews.answer({ review: position, by: ' Ada ', answer: ' It is said now. ' });
    expect(answered).toMatchObject({ checks, role: 'Second examiner', laterRows: 0 });
    expect(answered.answers).toMatchObject([{ position: position + 1, by: 'Ada', answer: 'It is said now.' }]);
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'review-answered',
      details: { review: position, by: 'Ada', answer: 'It is said now.' },
    });
    const { rows } = store.head;
    expect(thrown(() => store.reviews.answer({ review: position, by: 'Ada', answer: ' ' })).code).toBe('usage');
    expect(thrown(() => store.reviews.answer({ review: 1, by: 'Ada', answer: 'So.' }))).toMatchObject({
      code: 'not-found',
      advice: `Reviews are in the rows ${position}.`,
    });
    expect(store.head.rows).toBe(rows);
  });

  it('is by somebody who is named and did not examine, of a report that there is', () => {
    const { store } = testCase();
    store.update({ examiner: 'Ada Examiner' });
    const { rows } = store.head;
    expect(thrown(() => store.reviews.add(review({ reviewer: ' ' }))).code).toBe('usage');
    expect(thrown(() => store.reviews.add(review({ reviewer: 'ada examiner ' }))).code).toBe('usage');
    expect(thrown(() => store.reviews.add(review({ report: '2026/1/7' }))).code).toBe('not-found');
    expect(store.head.rows).toBe(rows);
  });
});

describe('reviews and amendments', () => {
  it('hold in a case that was exported and taken in elsewhere', async () => {
    const { store } = testCase();
    store.reviews.add(review());
    const first = issue(store);
    const second = issue(store, first);
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'report-amended',
      details: { number: second, amends: first, changed: 'The receipt was corrected.', why: 'It was misread.' },
    });
    const { position } = store.reviews.add(review({ reviewer: 'S. Econd', report: second, remarks: 'Why?' }));
    store.reviews.answer({ review: position, by: 'Ada', answer: 'Because.' });
    expect(store.reviews.ofReport(second)).toMatchObject([{ reviewer: 'S. Econd', answers: [{ by: 'Ada' }] }]);
    expect(store.reports.amendments()).toMatchObject([
      { position: 5, number: second, amends: first, changed: 'The receipt was corrected.', why: 'It was misread.' },
    ]);
    const archive = join(testFolder(), 'case.zip');
    await exportCase(store, archive);
    store.close();
    const elsewhere = testSession();
    const taken = await importCase(archive, join(testFolder(), 'cases'), elsewhere);
    const { folder } = taken;
    expect(taken.reviews.list().map(({ reviewer }) => reviewer)).toEqual(['R. Eviewer', 'S. Econd']);
    taken.close();
    const { checks } = verifyRecords({ folder, home: elsewhere.library.home });
    const ofReports = checks.filter(({ subject }) => subject === 'report');
    expect(ofReports.map(({ holds, sentence }) => [holds, sentence])).toEqual([
      [true, `The report ${first} is kept as it was issued.`],
      [true, `The report ${second} is kept as it was issued.`],
      [true, `The report ${second} replaces the report ${first}, as row 5 says.`],
      [true, 'R. Eviewer signed off the case in row 2, by the log up to row 1.'],
      [true, `S. Econd signed off ${second} in row 6, by the log up to row 5.`],
      [true, 'Ada answered the technical review of row 6 in row 7.'],
    ]);
  });

  it('are found out where they name what is not there', () => {
    const { store, session, folder } = testCase();
    const first = issue(store);
    const { rows } = store.head;
    store.log.note('technical-review', 'forged', { ...review({ report: '9/9' }), ...store.head });
    store.log.note('technical-review', 'forged', { ...review(), rows, hash: 'e'.repeat(64) });
    store.log.note('technical-review', 'forged', {});
    store.log.note('report-amended', 'forged', { number: first, amends: '9/9', replacedSha256: null });
    store.log.note('review-answered', 'forged', { review: 99, by: 'Ada', answer: 'So.' });
    store.log.note('review-answered', 'forged', {});
    expect(store.reviews.list()).toHaveLength(2);
    store.close();
    const { checks } = verifyRecords({ folder, home: session.library.home });
    const wrong = checks.filter(({ holds }) => !holds).map(({ sentence }) => sentence);
    expect(wrong).toEqual([
      'Row 6 tells of an amendment that is not among the reports.',
      'The technical review in row 3 is of the report 9/9, which is not there.',
      `The technical review in row 4 is of another log: its row ${rows} has another hash.`,
      'Row 5 is no sign-off that can be read.',
      'Row 7 answers a technical review in row 99, which is not there.',
      'Row 8 is no answer to a technical review that can be read.',
    ]);
  });
});
