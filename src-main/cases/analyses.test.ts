import { expect, it } from 'vitest';
import { addFiles, analysisFor, testCase } from './testing.ts';

it('an analysis of a stretch leaves the finding of the whole as it is', () => {
  const { store } = testCase();
  const [id] = addFiles(store, 1).ids;
  store.analyses.add(analysisFor(store, id));
  const stretch = { startSeconds: 1, endSeconds: 2 };
  const kept = store.analyses.add(analysisFor(store, id, { stretch, score: 9, finding: 'supports bona fide' }));
  expect(store.analyses.get(kept.id)).toMatchObject({ stretch, score: 9, stale: false });
  expect(store.evidence.rowsOf([id])[0]).toMatchObject({ finding: 'supports spoof', score: -1.5 });
  expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
    action: 'stretch-analysed',
    details: { analysisId: kept.id, resultSha256: kept.resultSha256 },
  });
});
