import { describe, expect, it } from 'vitest';
import { CaseStore } from './store.ts';
import { addFiles, analysisFor, testCase } from './testing.ts';

describe('a scan', () => {
  const request = { model: null, modelName: 'm', modelSha256: 'b'.repeat(64), channel: 'mix' as const, stream: null };

  it('keeps what it has to do across a restart, and takes no result twice', () => {
    const { store, session, folder } = testCase();
    const { ids } = addFiles(store, 4);
    const { scanId, queued } = store.scans.begin(request, [...ids, 999]);
    expect(queued).toBe(4);
    expect(store.evidence.rowsOf(ids).map(({ scan }) => scan)).toEqual(['queued', 'queued', 'queued', 'queued']);
    store.scans.finishItems(scanId, [{ evidenceId: ids[0], analyses: [analysisFor(store, ids[0])] }]);
    store.close();
    const again = CaseStore.open(folder, session);
    expect(again.scans.unfinished()).toMatchObject([{ id: scanId, total: 4, left: 3, modelSha256: 'b'.repeat(64) }]);
    expect(again.scans.queuedFor(scanId)).toEqual(ids.slice(1));
    again.scans.finishItems(scanId, [
      { evidenceId: ids[0], analyses: [analysisFor(again, ids[0])] },
      { evidenceId: ids[1], analyses: [analysisFor(again, ids[1])] },
    ]);
    expect(again.analyses.of(ids[0])).toHaveLength(1);
    again.scans.end(scanId, 'cancelled');
    expect(again.scans.unfinished()).toEqual([]);
    expect(again.evidence.rowsOf(ids).map(({ scan }) => scan)).toEqual(['done', 'done', 'none', 'none']);
    expect(again.scans.idsToScan('new', request.modelSha256)).toEqual(ids.slice(2));
    expect(again.scans.idsToScan('new', 'c'.repeat(64))).toEqual(ids);
    again.close();
  });

  it('is not begun in a case without recordings, and the log says nothing of it', () => {
    const { store } = testCase();
    const head = store.head;
    expect(() => store.scans.begin(request, [])).toThrow(/holds no recordings/);
    expect(store.head).toEqual(head);
    const { ids } = addFiles(store, 1);
    store.evidence.remove(ids, 'a mistake');
    expect(() => store.scans.begin(request, ids)).toThrow(/holds no recordings/);
    expect(store.scans.unfinished()).toEqual([]);
  });

  it('shows, of channels scored on their own, what speaks against the recording', () => {
    const { store } = testCase();
    const { ids } = addFiles(store, 1);
    const { scanId } = store.scans.begin({ ...request, channel: 'each' }, ids);
    const left = analysisFor(store, ids[0], { channel: 1, finding: 'supports bona fide', score: 3 });
    const right = analysisFor(store, ids[0], { channel: 2, finding: 'supports spoof', score: -3 });
    store.scans.finishItems(scanId, [{ evidenceId: ids[0], analyses: [left, right] }]);
    expect(store.evidence.rowsOf(ids)[0]).toMatchObject({ finding: 'supports spoof', score: -3 });
    expect(store.evidence.get(ids[0]).analyses).toHaveLength(2);
  });
});
