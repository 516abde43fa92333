import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFully, checkQuickly } from './states.ts';
import { addFiles, analysisFor, evidenceFor, testCase, thrown } from './testing.ts';

const firstPage = {
  filter: '',
  findings: [],
  order: { by: 'id' as const, descending: false },
  offset: 0,
  limit: 100,
};

describe('evidence', () => {
  it('is listed with hashes of the sender compared, filtered, sorted and paged', async () => {
    const { store } = testCase();
    const { paths } = addFiles(store, 3);
    const { sha256, md5 } = evidenceFor(paths[0]);
    const [right, wrong, byMd5] = store.evidence.add([
      evidenceFor(paths[0], { name: 'Right.wav', senderHash: ` ${sha256.toUpperCase()}` }),
      evidenceFor(paths[0], { name: 'Wrong.wav', senderHash: 'f'.repeat(64) }),
      evidenceFor(paths[0], { name: 'md5.wav', senderHash: md5 }),
    ]);
    expect(store.evidence.get(right).senderHashMatches).toBe(true);
    expect(store.evidence.get(byMd5).senderHashMatches).toBe(true);
    expect(store.evidence.get(wrong).senderHashMatches).toBe(false);
    expect(store.evidence.get(1).senderHashMatches).toBeNull();
    store.analyses.add(analysisFor(store, right, { score: 2, finding: 'supports bona fide' }));
    store.analyses.add(analysisFor(store, 2, { score: -2 }));
    const reasons = [{ code: 'clipped', sentence: 'It is clipped.', blocking: true }];
    store.analyses.add(analysisFor(store, 3, { score: 0, finding: 'not assessable', reasons }));
    const failed = { code: 'undecodable', message: 'It cannot be decoded.' };
    store.analyses.add(analysisFor(store, 1, { score: null, finding: null, fileSha256: null, error: failed }));

    const ids = async (query: Partial<typeof firstPage> & object): Promise<number[]> =>
      (await store.evidence.rows({ ...firstPage, ...query })).rows.map(({ id }) => id);
    expect(await ids({ order: { by: 'score', descending: true } as never })).toEqual([4, 3, 2, 6, 5, 1]);
    expect((await ids({ order: { by: 'score', descending: false } as never })).slice(0, 3)).toEqual([2, 3, 4]);
    expect((await ids({ order: { by: 'name', descending: false } as never }))[0]).toBe(byMd5);
    expect(await ids({ filter: 'SPOOF voice' })).toEqual([2]);
    // Of a screening model, found by the words that people read.
    store.analyses.add(analysisFor(store, wrong, { score: -1, finding: 'looks-spoof' }));
    store.analyses.add(analysisFor(store, byMd5, { score: 1, finding: 'looks-bona-fide' }));
    expect(await ids({ filter: 'looks synthetic' })).toEqual([wrong]);
    expect(await ids({ findings: ['looks-bona-fide', 'supports spoof'] as never })).toEqual([2, byMd5]);
    expect(await ids({ order: { by: 'finding', descending: false } as never })).toEqual([2, wrong, 3, right, byMd5, 1]);
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0].summary).toMatch(/ looks bona fide\.$/);
    expect(await ids({ filter: 'clipp' })).toEqual([3]);
    expect(await ids({ findings: ['failed', 'not assessable'] as never })).toEqual([1, 3]);
    expect(await ids({ findings: ['none'] as never })).toEqual([]);
    expect(await store.evidence.rows({ ...firstPage, offset: 4, limit: 1 })).toMatchObject({
      total: 6,
      rows: [{ id: 5 }],
    });
    expect(await store.evidence.ids({ ...firstPage, filter: 'right' })).toEqual([4]);
    expect(store.view().counts).toEqual({
      bonafide: 1,
      spoof: 1,
      looksBonafide: 1,
      looksSpoof: 1,
      inconclusive: 0,
      withStretches: 0,
      notAssessable: 1,
      failed: 1,
      notScanned: 0,
      changed: 0,
      fresh: 0,
      flagged: 2,
    });
    expect(await ids({ findings: ['flagged'] as never })).toEqual([1, wrong]);
    expect((await ids({ order: { by: 'alarms', descending: true } as never })).slice(0, 2)).toEqual([wrong, 1]);
    expect(await ids({ filter: 'sender' })).toEqual([wrong]);
    expect(store.evidence.rowsOf([1, wrong]).map(({ alarms }) => alarms)).toEqual([
      ['scan-failed'],
      ['sender-hash-differs'],
    ]);
    expect(store.evidence.rowsOf([1])[0]).toMatchObject({
      scan: 'failed',
      error: 'It cannot be decoded.',
      finding: null,
    });
  });

  it('that changed is shown as changed at once, its results stale but there, and well again when it is', async () => {
    const { store } = testCase();
    const { ids, paths } = addFiles(store, 2);
    store.analyses.add(analysisFor(store, ids[0]));
    const { mtime, atime } = statSync(paths[0]);
    writeFileSync(paths[0], 'Recording 0');
    // Whoever puts the times back does not hide it.
    utimesSync(paths[0], atime, mtime);
    rmSync(paths[1]);
    await checkQuickly(store, ids, 1e6);
    expect(store.evidence.rowsOf(ids).map(({ state, stale }) => [state, stale])).toEqual([
      ['changed', true],
      ['missing', false],
    ]);
    expect(store.evidence.get(ids[0]).analyses).toMatchObject([{ stale: true, finding: 'supports spoof' }]);
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'evidence-changed',
      evidenceId: 1,
    });
    expect(store.view().counts).toMatchObject({ changed: 1, flagged: 2, fresh: 1 });
    expect(store.evidence.rowsOf(ids).map(({ alarms }) => alarms)).toEqual([['file-changed'], ['file-missing']]);
    const flagged = { ...firstPage, findings: ['flagged' as const] };
    expect(await store.evidence.ids({ ...flagged, order: { by: 'alarms', descending: true } })).toEqual(ids);
    expect(await store.evidence.ids({ ...flagged, filter: 'MISSING' })).toEqual([ids[1]]);
    // What was tampered with is nothing new, scanned before or not.
    expect(store.scans.idsToScan('new', 'f'.repeat(64))).toEqual([ids[1]]);
    writeFileSync(paths[0], 'recording 0');
    expect(await checkFully(store, ids[0])).toBe('unchanged');
    expect(store.evidence.rowsOf([ids[0]])[0]).toMatchObject({ state: 'unchanged', stale: false });
    const { rows: before } = store.head;
    await checkQuickly(store, [ids[0]], 0);
    expect(store.evidence.rowsOf([ids[0]])[0].state).toBe('unchanged');
    expect(store.head.rows).toBe(before);
  });

  it('of another size is changed without being read, and one that was only touched is not', async () => {
    const { store } = testCase();
    const { ids, paths } = addFiles(store, 2);
    writeFileSync(paths[0], 'longer than it was');
    writeFileSync(paths[1], 'recording 1');
    expect(await checkQuickly(store, ids, 0)).toEqual([ids[1]]);
    expect(store.evidence.rowsOf(ids).map(({ state }) => state)).toEqual(['changed', 'unchecked']);
    expect(await checkQuickly(store, ids, 100)).toEqual([]);
    expect(store.evidence.rowsOf(ids).map(({ state }) => state)).toEqual(['changed', 'unchanged']);
  });

  it('is taken out of the case with a trace, and its description changed with one', () => {
    const { store } = testCase();
    const { ids } = addFiles(store, 2);
    expect(store.evidence.update(ids[0], { description: 'A voice message' }).description).toBe('A voice message');
    store.evidence.remove([ids[1]], 'of another case');
    expect(store.evidence.allIds()).toEqual([ids[0]]);
    expect(thrown(() => store.evidence.get(ids[1])).code).toBe('not-found');
    const { rows } = store.log.rows({ evidenceId: ids[1], offset: 0, limit: 10 });
    expect(rows[0]).toMatchObject({ action: 'evidence-removed', details: { reason: 'of another case' } });
  });

  it('of an upload has no original path and no times', () => {
    const { store } = testCase();
    const { paths } = addFiles(store, 1);
    const [id] = store.evidence.add([evidenceFor(paths[0], { uploaded: true, copyPath: 'evidence/abc-voice.wav' })]);
    expect(store.evidence.get(id)).toMatchObject({
      uploaded: true,
      copied: true,
      originalPath: null,
      createdTime: null,
      modifiedTime: null,
      path: join(store.folder, 'evidence', 'abc-voice.wav'),
    });
  });
});
