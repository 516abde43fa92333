import { describe, expect, it } from 'vitest';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { settingsSchema } from '../../src-common/schemas/settings.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseStore } from '../cases/store.ts';
import { addFiles, testCase } from '../cases/testing.ts';
import type { ReportSurroundings } from './issue-report.ts';
import { partOfCase, partsOfItems, reportParts } from './report-batch.ts';

function made(items: number): { store: CaseStore; request: ReportRequest; surroundings: ReportSurroundings } {
  const { store, session } = testCase();
  addFiles(store, items);
  const texts = { authorisedBy: 'A. Uthoriser', method: '', departures: '', opinions: '', amendment: '' };
  const surroundings = {
    application: 'earwitness test',
    home: session.library.home,
    settings: settingsSchema.parse({}),
  };
  const request = { caseId: store.id, evidenceIds: [], amends: null, form: 'short' as const, ...texts };
  return { store, request, surroundings };
}

describe('reports one after the other', () => {
  it('have numbers of their own; one that cannot be written is named, and the others are made', async () => {
    const { store, request, surroundings } = made(3);
    const parts = partsOfItems(store, [3, 1, 2, 3], false);
    expect(parts.map(({ evidenceIds, fileName }) => [evidenceIds, fileName])).toEqual(
      [1, 2, 3].map((id) => [[id], `report-2026-1-item-${id}.pdf`]),
    );
    const problems: string[] = [];
    const files: string[] = [];
    const progress: number[] = [];
    const written = await reportParts(store, parts, request, surroundings, {
      draft: false,
      onProgress: (done) => progress.push(done),
      onProblem: (subject, message) => problems.push(`${subject}: ${message}`),
      write: ({ fileName }, { pdf, json, number }) => {
        if (fileName.includes('item-2'))
          throw new UserFacingError('unwritable', 'The drive is full.', { advice: 'Make room.' });
        expect(Buffer.from(pdf.subarray(0, 5)).toString()).toBe('%PDF-');
        const { items } = JSON.parse(Buffer.from(json).toString()) as { items: unknown[] };
        files.push(`${fileName} ${number} ${items.length}`);
        return Promise.resolve();
      },
    });
    expect(written).toBe(2);
    expect(files).toEqual(['report-2026-1-item-1.pdf 2026/1/1 1', 'report-2026-1-item-3.pdf 2026/1/3 1']);
    expect(problems).toEqual([
      'item 2 of 2026/1, voice-1.wav: The report 2026/1/2 was issued, but: The drive is full. Make room.',
    ]);
    expect(progress).toEqual(progress.toSorted((one, other) => one - other));
    expect([progress[0], progress.at(-1)]).toEqual([0, 3]);
    expect(store.reports.list().map(({ number }) => number)).toEqual(['2026/1/1', '2026/1/2', '2026/1/3']);
  });

  it('end when they are cancelled: what was issued until then stays', async () => {
    const { store, request, surroundings } = made(2);
    const controller = new AbortController();
    const running = reportParts(store, partsOfItems(store, [], false), request, surroundings, {
      ...{ draft: false, signal: controller.signal, onProblem: () => undefined },
      write: () => Promise.resolve(controller.abort()),
    });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(store.reports.list().map(({ number }) => number)).toEqual(['2026/1/1']);
  });

  it('are drafts where these are asked for, of which nothing is kept', async () => {
    const { store, request, surroundings } = made(1);
    const numbers: (string | null)[] = [];
    const written = await reportParts(store, [partOfCase(store, true)], request, surroundings, {
      ...{ draft: true, onProblem: (_subject, message) => expect.unreachable(message) },
      write: ({ fileName }, { number }) => {
        expect(fileName).toBe('report-2026-1-draft.pdf');
        return Promise.resolve(void numbers.push(number));
      },
    });
    expect([written, numbers, store.reports.list()]).toEqual([1, [null], []]);
  });

  it('are of items that are there', () => {
    const { store } = made(0);
    expect(() => partsOfItems(store, [], false)).toThrow('holds no item');
    expect(() => partsOfItems(store, [7], false)).toThrow(UserFacingError);
  });
});
