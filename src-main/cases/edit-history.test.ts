import { describe, expect, it } from 'vitest';
import { addFiles, testCase, testSession, testFolder, thrown } from './testing.ts';
import { verifyCase } from './verify.ts';
import { CaseStore } from './store.ts';
import { join } from 'node:path';

const mark = { startSeconds: 1, endSeconds: 2, text: 'a cough', inReport: true, readAll: false, channel: null };

/** A case with one item, and all that is edited of it: marks, notes, the case's title. */
function editedCase() {
  const home = join(testFolder(), 'home');
  const session = testSession(home);
  const { store, folder } = testCase(session);
  const [id] = addFiles(store, 1).ids;
  const seen = (): unknown => {
    const { notes, description, marks } = store.evidence.get(id);
    return { notes, description, marks, title: store.details().title };
  };
  const states = [seen()];
  const does = (edit: () => unknown): void => {
    edit();
    states.push(seen());
  };
  does(() => store.marks.add(id, mark));
  does(() => store.marks.update(id, 1, { text: 'a sneeze', endSeconds: null, channel: 2 }));
  does(() => store.marks.addAll(id, [mark, { ...mark, startSeconds: 4, endSeconds: 5 }]));
  does(() => store.evidence.update(id, { notes: 'hum', description: 'the call' }));
  does(() => store.marks.removeAll(id, [1, 3]));
  does(() => store.update({ title: 'Two calls' }));
  return { store, session, home, folder, id, states, seen };
}

describe('what was edited', () => {
  it('is undone step by step and done again, with a row of the log each, and all holds', async () => {
    const { store, home, folder, states, seen } = editedCase();
    const before = store.head.rows;
    for (const state of states.slice(0, -1).reverse()) {
      expect(await store.undo()).not.toBeNull();
      expect(seen()).toEqual(state);
    }
    expect(await store.undo()).toBeNull();
    expect(store.history).toEqual({ undo: null, redo: expect.stringContaining('Marked 1.00 s') as unknown });
    for (const state of states.slice(1)) {
      expect(await store.redo()).not.toBeNull();
      expect(seen()).toEqual(state);
    }
    expect(await store.redo()).toBeNull();
    expect(store.history).toEqual({ undo: 'Changed title of the case.', redo: null });
    // Eight records were changed by six edits; what was logged before stays.
    expect(store.head.rows).toBe(before + 16);
    const { rows } = store.log.rows({ offset: 0, limit: 16 });
    expect(rows.map(({ action }) => action)).toEqual([
      ...Array<string>(8).fill('redone'),
      ...Array<string>(8).fill('undone'),
    ]);
    expect(rows[15]).toMatchObject({
      summary: expect.stringMatching(/^Undid row \d+: Changed title of the case\.$/) as unknown,
      details: { row: before, changes: { title: { from: 'Two calls', to: 'A call' } } },
    });
    store.close();
    const { checks } = await verifyCase({ folder, home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });

  it('holds where a mark is left undone, and where its removal is', async () => {
    const { store, home, folder } = editedCase();
    for (let left = 5; left > 0; left--) await store.undo();
    store.close();
    const { checks } = await verifyCase({ folder, home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });

  it('is not done again once something else was edited, nor undone in another sitting', async () => {
    const { store, session, folder, id } = editedCase();
    await store.undo();
    store.evidence.update(id, { notes: 'no hum' });
    expect(await store.redo()).toBeNull();
    expect(store.history.undo).toContain('notes');
    store.close();
    const again = CaseStore.open(folder, session);
    expect(again.history).toEqual({ undo: null, redo: null });
    again.close();
  });

  it('is undone and done again by its row of the log only while no other edit came after it', async () => {
    const { store, id } = editedCase();
    const row = store.latestEdit!;
    store.evidence.update(id, { notes: 'no hum' });
    await expect(store.undo(row)).rejects.toMatchObject({ code: 'changed' });
    expect(store.evidence.get(id).notes).toBe('no hum');
    await store.undo(store.latestEdit!);
    expect(await store.undo(row)).toEqual({ row, summary: 'Changed title of the case.' });
    await expect(store.redo(row + 1)).rejects.toMatchObject({ code: 'changed' });
    expect(await store.redo(row)).toMatchObject({ row });
    expect(store.latestEdit).toBe(row);
  });

  it('stays as it is for an item that was taken out', async () => {
    const { store, id } = editedCase();
    store.evidence.remove([id], 'not asked for');
    expect(store.history.undo).toBe('Changed title of the case.');
    await store.undo();
    expect(await store.undo()).toBeNull();
    expect(thrown(() => store.marks.add(id, mark)).code).toBe('not-found');
  });
});
