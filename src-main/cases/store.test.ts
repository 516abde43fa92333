import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { UserFacingError } from '../base/errors.ts';
import { migrate, openDatabase, openDatabaseForReading, schemaDifferences, telling } from './database.ts';
import { deleteCase } from './delete.ts';
import { installationKey, keyName } from './keys.ts';
import { checkFully, checkQuickly } from './states.ts';
import { CaseStore, peekCase } from './store.ts';
import { addFiles, analysisFor, evidenceFor, testCase, testFolder, testSession } from './testing.ts';

const firstPage = {
  filter: '',
  findings: [],
  order: { by: 'id' as const, descending: false },
  offset: 0,
  limit: 100,
};

function thrown(use: () => unknown): UserFacingError {
  try {
    use();
  } catch (error) {
    return error as UserFacingError;
  }
  throw new Error('nothing was thrown');
}

describe('a case', () => {
  it('keeps its details, its state and what was changed when', () => {
    const { store, session, folder } = testCase();
    store.update({ question: 'Is it a human voice?', title: 'Another call', number: undefined });
    store.setState('archived');
    expect(store.details()).toMatchObject({
      number: '2026/1',
      title: 'Another call',
      question: 'Is it a human voice?',
    });
    const { head } = store;
    store.close();
    const again = CaseStore.open(folder, session);
    expect(again.view()).toMatchObject({ title: 'Another call', state: 'archived', items: 0, problem: null });
    expect(again.head.rows).toBe(head.rows + 1);
    const { rows } = again.log({ offset: 0, limit: 10 });
    expect(rows.map(({ action }) => action)).toEqual(['opened', 'state-changed', 'case-updated', 'case-created']);
    expect(rows[2].details['changes']).toEqual({
      title: { from: 'A call', to: 'Another call' },
      question: { from: '', to: 'Is it a human voice?' },
    });
    expect(rows[1].actor).toBe('Ada Examiner');
    again.close();
  });

  it('needs a number and a title, and a folder of its own', () => {
    const session = testSession();
    const folder = testFolder();
    writeFileSync(join(folder, 'note.txt'), 'mine');
    expect(thrown(() => CaseStore.create(folder, { number: '1', title: 'x' }, session)).code).toBe('exists');
    const place = join(folder, 'new');
    expect(thrown(() => CaseStore.create(place, { number: '1' }, session)).code).toBe('usage');
    expect(existsSync(place)).toBe(false);
  });

  it('has one writer; a second is told who that is, and readers are not kept out', () => {
    const { store, session, folder } = testCase();
    const error = thrown(() => CaseStore.open(folder, session));
    expect(error.code).toBe('case-busy');
    expect(error.message).toContain(`process ${process.pid}`);
    expect(peekCase(folder).number).toBe('2026/1');
    store.close();
    CaseStore.open(folder, session).close();
  });

  it('of a newer version is left alone', () => {
    const { store, session, folder } = testCase();
    store.close();
    const path = join(folder, 'case.sqlite');
    const db = new Database(path);
    db.pragma('user_version = 99');
    db.close();
    const before = readFileSync(path);
    expect(thrown(() => CaseStore.open(folder, session)).code).toBe('newer-version');
    expect(thrown(() => CaseStore.read(folder)).code).toBe('newer-version');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('that is damaged, no case or not there is said to be that', () => {
    const session = testSession();
    const folder = testFolder();
    expect(thrown(() => CaseStore.open(folder, session)).code).toBe('missing');
    writeFileSync(join(folder, 'case.sqlite'), 'no database at all, whatever its name says');
    expect(thrown(() => CaseStore.open(folder, session)).code).toBe('damaged');
    rmSync(join(folder, 'case.sqlite'));
    const db = new Database(join(folder, 'case.sqlite'));
    db.exec('CREATE TABLE other (id INTEGER)');
    db.close();
    expect(thrown(() => CaseStore.open(folder, session)).code).toBe('damaged');
  });

  it('is deleted only by its number, leaves a trace and whatever is not its own', async () => {
    const { store, session, folder } = testCase();
    writeFileSync(join(folder, 'recording.wav'), 'evidence in place');
    await expect(deleteCase(store, session, { confirmNumber: '2026/2', reason: '' })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(session.library.list()).toHaveLength(1);
    await deleteCase(store, session, { confirmNumber: '2026/1', reason: 'closed by the court' });
    expect(existsSync(join(folder, 'case.sqlite'))).toBe(false);
    expect(readFileSync(join(folder, 'recording.wav'), 'utf8')).toBe('evidence in place');
    expect(session.library.list()).toHaveLength(0);
    const { readdirSync } = await import('node:fs');
    const traces = join(session.library.home, 'deleted-cases');
    const trace = JSON.parse(readFileSync(join(traces, readdirSync(traces)[0]), 'utf8')) as Record<string, unknown>;
    expect(trace).toMatchObject({ number: '2026/1', reason: 'closed by the court', actor: 'Ada Examiner' });
    expect(trace['head']).toMatchObject({ rows: 2 });
  });
});

describe('the database', () => {
  it('is migrated one step in a transaction each, with a backup before each', () => {
    const path = join(testFolder(), 'case.sqlite');
    const db = new Database(path);
    migrate(path, db, ['CREATE TABLE one (a TEXT) STRICT']);
    db.exec(`INSERT INTO one VALUES ('kept')`);
    const steps = ['CREATE TABLE one (a TEXT) STRICT', 'CREATE TABLE two (b TEXT) STRICT', 'CREATE TABLE two (b TEXT)'];
    expect(() => migrate(path, db, steps)).toThrow(/already exists/);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    expect(db.prepare('SELECT a FROM one').pluck().get()).toBe('kept');
    db.close();
    const backup = new Database(`${path}.format-1.backup`, { readonly: true });
    expect(backup.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'two'`).pluck().get()).toBe(0);
    expect(backup.prepare('SELECT a FROM one').pluck().get()).toBe('kept');
    backup.close();
    expect(existsSync(`${path}.format-2.backup`)).toBe(true);
  });

  it('is flushed to disk with every transaction, in WAL mode, with strict tables', () => {
    const path = join(testFolder(), 'case.sqlite');
    const db = openDatabase(path, { create: true });
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    const strict = db.pragma('table_list') as { name: string; strict: number; schema: string }[];
    expect(strict.filter(({ name, strict: is }) => !name.startsWith('sqlite_') && is !== 1)).toEqual([]);
    expect(schemaDifferences(db)).toEqual([]);
    db.close();
    openDatabaseForReading(path).close();
  });

  it('says that the disk is full, and keeps what was there', () => {
    const path = join(testFolder(), 'case.sqlite');
    const db = openDatabase(path, { create: true });
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages + 2}`);
    const write = (): unknown => db.prepare(`INSERT INTO intakes VALUES (NULL, '', ?)`).run('x'.repeat(100_000));
    const error = thrown(() => telling(path, write));
    expect(error.code).toBe('disk-full');
    expect(db.prepare('SELECT count(*) FROM intakes').pluck().get()).toBe(0);
    db.close();
  });

  it('refuses to change or delete rows of the log, results, reports and evidence', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    store.addAnalysis(analysisFor(store, id));
    const db = store.database;
    expect(() => db.exec(`UPDATE custody_log SET actor = 'x' WHERE position = 1`)).toThrow(/append-only/);
    expect(() => db.exec('DELETE FROM custody_log WHERE position = 3')).toThrow(/append-only/);
    expect(() => db.exec('INSERT OR REPLACE INTO custody_log SELECT * FROM custody_log WHERE position = 1')).toThrow(
      /append-only/,
    );
    expect(() => db.exec(`UPDATE analyses SET result = '{}'`)).toThrow(/kept/);
    expect(() => db.exec('DELETE FROM analyses')).toThrow(/kept/);
    expect(() => db.exec('DELETE FROM evidence')).toThrow(/not deleted/);
  });
});

describe('the key of the installation', () => {
  it('is for its owner alone, and stays the same', () => {
    const home = join(testFolder(), 'deep', 'home');
    const { publicKey } = installationKey(home, { make: true });
    const path = join(home, keyName);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    expect(installationKey(home, { make: true }).publicKey).toBe(publicKey);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    writeFileSync(path, 'nonsense');
    expect(thrown(() => installationKey(home, { make: true })).code).toBe('key');
  });
});

describe('evidence', () => {
  it('is listed with hashes of the sender compared, filtered, sorted and paged', () => {
    const { store } = testCase();
    const { paths } = addFiles(store, 3);
    const { sha256, md5 } = evidenceFor(paths[0]);
    const [right, wrong, byMd5] = store.addEvidence([
      evidenceFor(paths[0], { name: 'Right.wav', senderHash: ` ${sha256.toUpperCase()}` }),
      evidenceFor(paths[0], { name: 'Wrong.wav', senderHash: 'f'.repeat(64) }),
      evidenceFor(paths[0], { name: 'md5.wav', senderHash: md5 }),
    ]);
    expect(store.evidence(right).senderHashMatches).toBe(true);
    expect(store.evidence(byMd5).senderHashMatches).toBe(true);
    expect(store.evidence(wrong).senderHashMatches).toBe(false);
    expect(store.evidence(1).senderHashMatches).toBeNull();
    store.addAnalysis(analysisFor(store, right, { score: 2, finding: 'supports bona fide' }));
    store.addAnalysis(analysisFor(store, 2, { score: -2 }));
    const reasons = [{ code: 'clipped', sentence: 'It is clipped.', blocking: true }];
    store.addAnalysis(analysisFor(store, 3, { score: 0, finding: 'not assessable', reasons }));
    const failed = { code: 'undecodable', message: 'It cannot be decoded.' };
    store.addAnalysis(analysisFor(store, 1, { score: null, finding: null, fileSha256: null, error: failed }));

    const ids = (query: Partial<typeof firstPage> & object): number[] =>
      store.rows({ ...firstPage, ...query }).rows.map(({ id }) => id);
    expect(ids({ order: { by: 'score', descending: true } as never })).toEqual([4, 3, 2, 6, 5, 1]);
    expect(ids({ order: { by: 'score', descending: false } as never }).slice(0, 3)).toEqual([2, 3, 4]);
    expect(ids({ order: { by: 'name', descending: false } as never })[0]).toBe(byMd5);
    expect(ids({ filter: 'SPOOF voice' })).toEqual([2]);
    // Of a screening model, found by the words that people read.
    store.addAnalysis(analysisFor(store, wrong, { score: -1, finding: 'looks-spoof' }));
    store.addAnalysis(analysisFor(store, byMd5, { score: 1, finding: 'looks-bona-fide' }));
    expect(ids({ filter: 'looks synthetic' })).toEqual([wrong]);
    expect(ids({ findings: ['looks-bona-fide', 'supports spoof'] as never })).toEqual([2, byMd5]);
    expect(ids({ order: { by: 'finding', descending: false } as never })).toEqual([2, wrong, 3, right, byMd5, 1]);
    expect(store.log({ offset: 0, limit: 1 }).rows[0].summary).toMatch(/ looks bona fide\.$/);
    expect(ids({ filter: 'clipp' })).toEqual([3]);
    expect(ids({ findings: ['failed', 'not assessable'] as never })).toEqual([1, 3]);
    expect(ids({ findings: ['none'] as never })).toEqual([]);
    expect(store.rows({ ...firstPage, offset: 4, limit: 1 })).toMatchObject({ total: 6, rows: [{ id: 5 }] });
    expect(store.ids({ ...firstPage, filter: 'right' })).toEqual([4]);
    expect(store.view().counts).toEqual({
      bonafide: 1,
      spoof: 1,
      looksBonafide: 1,
      looksSpoof: 1,
      inconclusive: 0,
      notAssessable: 1,
      failed: 1,
      notScanned: 0,
      changed: 0,
      fresh: 0,
      flagged: 2,
    });
    expect(ids({ findings: ['flagged'] as never })).toEqual([1, wrong]);
    expect(ids({ order: { by: 'alarms', descending: true } as never }).slice(0, 2)).toEqual([wrong, 1]);
    expect(ids({ filter: 'sender' })).toEqual([wrong]);
    expect(store.rowsOf([1, wrong]).map(({ alarms }) => alarms)).toEqual([['scan-failed'], ['sender-hash-differs']]);
    expect(store.rowsOf([1])[0]).toMatchObject({ scan: 'failed', error: 'It cannot be decoded.', finding: null });
  });

  it('that changed is shown as changed at once, its results stale but there, and well again when it is', async () => {
    const { store } = testCase();
    const { ids, paths } = addFiles(store, 2);
    store.addAnalysis(analysisFor(store, ids[0]));
    const { mtime, atime } = statSync(paths[0]);
    writeFileSync(paths[0], 'Recording 0');
    // Whoever puts the times back does not hide it.
    const { utimesSync } = await import('node:fs');
    utimesSync(paths[0], atime, mtime);
    rmSync(paths[1]);
    await checkQuickly(store, ids, 1e6);
    expect(store.rowsOf(ids).map(({ state, stale }) => [state, stale])).toEqual([
      ['changed', true],
      ['missing', false],
    ]);
    expect(store.evidence(ids[0]).analyses).toMatchObject([{ stale: true, finding: 'supports spoof' }]);
    expect(store.log({ offset: 0, limit: 1 }).rows[0]).toMatchObject({ action: 'evidence-changed', evidenceId: 1 });
    expect(store.view().counts).toMatchObject({ changed: 1, flagged: 2, fresh: 1 });
    expect(store.rowsOf(ids).map(({ alarms }) => alarms)).toEqual([['file-changed'], ['file-missing']]);
    const flagged = { ...firstPage, findings: ['flagged' as const] };
    expect(store.ids({ ...flagged, order: { by: 'alarms', descending: true } })).toEqual(ids);
    expect(store.ids({ ...flagged, filter: 'MISSING' })).toEqual([ids[1]]);
    // What was tampered with is nothing new, scanned before or not.
    expect(store.idsToScan('new', 'f'.repeat(64))).toEqual([ids[1]]);
    writeFileSync(paths[0], 'recording 0');
    expect(await checkFully(store, ids[0])).toBe('unchanged');
    expect(store.rowsOf([ids[0]])[0]).toMatchObject({ state: 'unchanged', stale: false });
    const { rows: before } = store.head;
    await checkQuickly(store, [ids[0]], 0);
    expect(store.rowsOf([ids[0]])[0].state).toBe('unchanged');
    expect(store.head.rows).toBe(before);
  });

  it('of another size is changed without being read, and one that was only touched is not', async () => {
    const { store } = testCase();
    const { ids, paths } = addFiles(store, 2);
    writeFileSync(paths[0], 'longer than it was');
    writeFileSync(paths[1], 'recording 1');
    expect(await checkQuickly(store, ids, 0)).toEqual([ids[1]]);
    expect(store.rowsOf(ids).map(({ state }) => state)).toEqual(['changed', 'unchecked']);
    expect(await checkQuickly(store, ids, 100)).toEqual([]);
    expect(store.rowsOf(ids).map(({ state }) => state)).toEqual(['changed', 'unchanged']);
  });

  it('is taken out of the case with a trace, and its description changed with one', () => {
    const { store } = testCase();
    const { ids } = addFiles(store, 2);
    expect(store.updateEvidence(ids[0], { description: 'A voice message' }).description).toBe('A voice message');
    store.removeEvidence([ids[1]], 'of another case');
    expect(store.allIds()).toEqual([ids[0]]);
    expect(thrown(() => store.evidence(ids[1])).code).toBe('not-found');
    const { rows } = store.log({ evidenceId: ids[1], offset: 0, limit: 10 });
    expect(rows[0]).toMatchObject({ action: 'evidence-removed', details: { reason: 'of another case' } });
  });

  it('of an upload has no original path and no times', () => {
    const { store } = testCase();
    const { paths } = addFiles(store, 1);
    const [id] = store.addEvidence([evidenceFor(paths[0], { uploaded: true, copyPath: 'evidence/abc-voice.wav' })]);
    expect(store.evidence(id)).toMatchObject({
      uploaded: true,
      copied: true,
      originalPath: null,
      createdTime: null,
      modifiedTime: null,
      path: join(store.folder, 'evidence', 'abc-voice.wav'),
    });
  });
});

describe('marks', () => {
  it('are kept, changed and removed, each with a row of the log', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    const mark = store.addMark(id, { startSeconds: 1.5, endSeconds: null, text: 'a click', inReport: true });
    expect(store.updateMark(id, mark.id, { text: 'two clicks', endSeconds: 2 })).toMatchObject({
      startSeconds: 1.5,
      endSeconds: 2,
      text: 'two clicks',
    });
    expect(store.evidence(id).marks).toHaveLength(1);
    store.removeMark(id, mark.id);
    expect(store.evidence(id).marks).toEqual([]);
    expect(thrown(() => store.updateMark(id, mark.id, {})).code).toBe('not-found');
    const actions = store.log({ evidenceId: id, offset: 0, limit: 3 }).rows.map(({ action }) => action);
    expect(actions).toEqual(['mark-removed', 'mark-updated', 'mark-added']);
  });
});

describe('all sound in a file', () => {
  it('is another reading: marks and results say which they are of, and so does the log', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    store.addMark(id, { startSeconds: 1, endSeconds: 2, text: 'here', inReport: true });
    const mark = { startSeconds: 7, endSeconds: 8, text: 'behind its length', inReport: true, readAll: true };
    store.addMark(id, mark);
    store.addAnalysis(analysisFor(store, id, { settings: { readAll: true } }));
    store.addAnalysis(analysisFor(store, id));
    store.examined(id);
    store.examined(id, true);
    store.examined(id, true);
    const { marks, analyses } = store.evidence(id);
    expect(marks.map(({ readAll }) => readAll)).toEqual([false, true]);
    expect(analyses.map(({ readAll }) => readAll)).toEqual([true, false]);
    expect(store.analysesOf(id).map(({ readAll }) => readAll)).toEqual([true, false]);
    const { rows } = store.log({ evidenceId: id, offset: 0, limit: 6 });
    const told = rows.map(({ summary }) => summary.includes('with all sound in its file read'));
    expect(rows.map(({ action }, index) => [action, told[index]])).toEqual([
      ['examined', true],
      ['examined', false],
      ['scanned', false],
      ['scanned', true],
      ['mark-added', true],
      ['mark-added', false],
    ]);
  });
});

describe('reports', () => {
  it('are kept with all that makes them again, under numbers that are given once', () => {
    const { store } = testCase();
    expect(store.nextReportNumber()).toBe('2026/1/1');
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
    store.addReport(report);
    expect(store.report('2026/1/1')).toEqual(report);
    expect(thrown(() => store.addReport(report)).code).toBe('exists');
    expect(store.nextReportNumber()).toBe('2026/1/2');
    expect(store.log({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'report-issued',
      details: { number: '2026/1/1', sha256: 'a'.repeat(64), logPosition: 1 },
    });
  });
});

describe('a scan', () => {
  const request = { model: null, modelName: 'm', modelSha256: 'b'.repeat(64), channel: 'mix' as const, stream: null };

  it('keeps what it has to do across a restart, and takes no result twice', () => {
    const { store, session, folder } = testCase();
    const { ids } = addFiles(store, 4);
    const { scanId, queued } = store.beginScan(request, [...ids, 999]);
    expect(queued).toBe(4);
    expect(store.rowsOf(ids).map(({ scan }) => scan)).toEqual(['queued', 'queued', 'queued', 'queued']);
    store.finishItems(scanId, [{ evidenceId: ids[0], analyses: [analysisFor(store, ids[0])] }]);
    store.close();
    const again = CaseStore.open(folder, session);
    expect(again.openScans()).toMatchObject([{ id: scanId, total: 4, left: 3, modelSha256: 'b'.repeat(64) }]);
    expect(again.queuedFor(scanId)).toEqual(ids.slice(1));
    again.finishItems(scanId, [
      { evidenceId: ids[0], analyses: [analysisFor(again, ids[0])] },
      { evidenceId: ids[1], analyses: [analysisFor(again, ids[1])] },
    ]);
    expect(again.analysesOf(ids[0])).toHaveLength(1);
    again.endScan(scanId, 'cancelled');
    expect(again.openScans()).toEqual([]);
    expect(again.rowsOf(ids).map(({ scan }) => scan)).toEqual(['done', 'done', 'none', 'none']);
    expect(again.idsToScan('new', request.modelSha256)).toEqual(ids.slice(2));
    expect(again.idsToScan('new', 'c'.repeat(64))).toEqual(ids);
    again.close();
  });

  it('shows, of channels scored on their own, what speaks against the recording', () => {
    const { store } = testCase();
    const { ids } = addFiles(store, 1);
    const { scanId } = store.beginScan({ ...request, channel: 'each' }, ids);
    const left = analysisFor(store, ids[0], { channel: 1, finding: 'supports bona fide', score: 3 });
    const right = analysisFor(store, ids[0], { channel: 2, finding: 'supports spoof', score: -3 });
    store.finishItems(scanId, [{ evidenceId: ids[0], analyses: [left, right] }]);
    expect(store.rowsOf(ids)[0]).toMatchObject({ finding: 'supports spoof', score: -3 });
    expect(store.evidence(ids[0]).analyses).toHaveLength(2);
  });

  it('of a stretch leaves the finding of the whole as it is', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    store.addAnalysis(analysisFor(store, id));
    const stretch = { startSeconds: 1, endSeconds: 2 };
    const kept = store.addAnalysis(analysisFor(store, id, { stretch, score: 9, finding: 'supports bona fide' }));
    expect(store.analysis(kept.id)).toMatchObject({ stretch, score: 9, stale: false });
    expect(store.rowsOf([id])[0]).toMatchObject({ finding: 'supports spoof', score: -1.5 });
    expect(store.log({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'stretch-analysed',
      details: { analysisId: kept.id, resultSha256: kept.resultSha256 },
    });
  });
});

describe('a copy of a case that was in use', () => {
  it('opens with everything that was committed', () => {
    const { store, session, folder } = testCase();
    addFiles(store, 3);
    // As a power cut would leave it: the log of changes is not folded in.
    const copy = join(testFolder(), 'copy');
    cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('-shm') && !path.includes('case.lock') });
    store.close();
    const opened = CaseStore.open(copy, session);
    expect(opened.allIds()).toHaveLength(3);
    expect(opened.broken).toBeNull();
    opened.close();
  });
});
