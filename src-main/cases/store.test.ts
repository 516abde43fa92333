import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { deleteCase } from './delete.ts';
import { CaseStore, peekCase } from './store.ts';
import { addFiles, testCase, testFolder, testSession, thrown } from './testing.ts';

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
    const { rows } = again.log.rows({ offset: 0, limit: 10 });
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

  it('has one writer; a second is reported who that is, and readers are not kept out', () => {
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
    const traces = join(session.library.home, 'deleted-cases');
    const trace = JSON.parse(readFileSync(join(traces, readdirSync(traces)[0]), 'utf8')) as Record<string, unknown>;
    expect(trace).toMatchObject({ number: '2026/1', reason: 'closed by the court', actor: 'Ada Examiner' });
    expect(trace['head']).toMatchObject({ rows: 2 });
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
    expect(opened.evidence.allIds()).toHaveLength(3);
    expect(opened.broken).toBeNull();
    opened.close();
  });
});
