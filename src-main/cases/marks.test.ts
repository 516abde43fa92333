import { describe, expect, it } from 'vitest';
import { addFiles, analysisFor, testCase, thrown } from './testing.ts';

describe('marks', () => {
  it('are kept, changed and removed, each with a row of the log', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    const mark = store.marks.add(id, { startSeconds: 1.5, endSeconds: null, text: 'a click', inReport: true });
    expect(store.marks.update(id, mark.id, { text: 'two clicks', endSeconds: 2 })).toMatchObject({
      startSeconds: 1.5,
      endSeconds: 2,
      text: 'two clicks',
    });
    expect(store.evidence.get(id).marks).toHaveLength(1);
    store.marks.remove(id, mark.id);
    expect(store.evidence.get(id).marks).toEqual([]);
    expect(thrown(() => store.marks.update(id, mark.id, {})).code).toBe('not-found');
    const actions = store.log.rows({ evidenceId: id, offset: 0, limit: 3 }).rows.map(({ action }) => action);
    expect(actions).toEqual(['mark-removed', 'mark-updated', 'mark-added']);
  });

  it('are added and removed many at a time, all or none, with a row of the log each', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    const spans = [0, 5, 9].map((startSeconds) => ({
      startSeconds,
      endSeconds: startSeconds + 3,
      text: 'low',
      inReport: true,
    }));
    const added = store.marks.addAll(id, spans);
    expect(store.marks.of(id)).toEqual(added);
    const ids = added.map(({ id: markId }) => markId);
    expect(thrown(() => store.marks.removeAll(id, [...ids, 99])).code).toBe('not-found');
    expect(store.marks.of(id)).toHaveLength(3);
    store.marks.removeAll(id, ids);
    expect(store.marks.of(id)).toEqual([]);
    const { rows } = store.log.rows({ evidenceId: id, offset: 0, limit: 6 });
    expect(rows.map(({ action }) => action)).toEqual([
      ...['mark-removed', 'mark-removed', 'mark-removed'],
      ...['mark-added', 'mark-added', 'mark-added'],
    ]);
  });
});

describe('one edit of many marks', () => {
  it('changes those that differ, all or none, and is undone at one stroke', async () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    const span = { startSeconds: 1, endSeconds: 2, text: '', inReport: true };
    const ids = ['SPEAKER_00', 'SPEAKER_00', 'Anna'].map((category) => store.marks.add(id, { ...span, category }).id);
    const categories = (): string[] => store.marks.of(id).map(({ category }) => category);
    expect(thrown(() => store.marks.updateAll(id, [...ids, 99], { category: 'Anna' })).code).toBe('not-found');
    expect(categories()).toEqual(['SPEAKER_00', 'SPEAKER_00', 'Anna']);
    const before = store.log.rows({ offset: 0, limit: 1 }).total;
    const changed = store.marks.updateAll(id, ids, { category: 'Anna' });
    expect(changed).toEqual(store.marks.of(id));
    expect(categories()).toEqual(['Anna', 'Anna', 'Anna']);
    // The third had that name already.
    expect(store.log.rows({ offset: 0, limit: 1 }).total).toBe(before + 2);
    await store.undo();
    expect(categories()).toEqual(['SPEAKER_00', 'SPEAKER_00', 'Anna']);
    await store.redo();
    expect(categories()).toEqual(['Anna', 'Anna', 'Anna']);
  });
});

describe('marks of a channel', () => {
  it('keep it, move to another and to the mix, and say so in the log', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    const place = { startSeconds: 1, endSeconds: 2, text: 'a cough', inReport: true };
    expect(store.marks.add(id, place).channel).toBeNull();
    const { id: markId } = store.marks.add(id, { ...place, channel: 2 });
    expect(store.log.rows({ evidenceId: id, offset: 0, limit: 1 }).rows[0].summary).toContain('of channel 2 of ');
    expect(store.marks.update(id, markId, { text: 'a sneeze' }).channel).toBe(2);
    expect(store.marks.update(id, markId, { channel: 1 }).channel).toBe(1);
    expect(store.marks.update(id, markId, { channel: null }).channel).toBeNull();
    expect(store.evidence.get(id).marks.map(({ channel }) => channel)).toEqual([null, null]);
  });
});

describe('all sound in a file', () => {
  it('is another reading: marks and results say which they are of, and so does the log', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    store.marks.add(id, { startSeconds: 1, endSeconds: 2, text: 'here', inReport: true });
    const mark = { startSeconds: 7, endSeconds: 8, text: 'behind its length', inReport: true, readAll: true };
    store.marks.add(id, mark);
    store.analyses.add(analysisFor(store, id, { settings: { readAll: true } }));
    store.analyses.add(analysisFor(store, id));
    store.evidence.examined(id);
    store.evidence.examined(id, true);
    store.evidence.examined(id, true);
    const { marks, analyses } = store.evidence.get(id);
    expect(marks.map(({ readAll }) => readAll)).toEqual([false, true]);
    expect(analyses.map(({ readAll }) => readAll)).toEqual([true, false]);
    expect(store.analyses.of(id).map(({ readAll }) => readAll)).toEqual([true, false]);
    const { rows } = store.log.rows({ evidenceId: id, offset: 0, limit: 6 });
    const mentions = rows.map(({ summary }) => summary.includes('with all sound in its file read'));
    expect(rows.map(({ action }, index) => [action, mentions[index]])).toEqual([
      ['examined', true],
      ['examined', false],
      ['scanned', false],
      ['scanned', true],
      ['mark-added', true],
      ['mark-added', false],
    ]);
  });
});
