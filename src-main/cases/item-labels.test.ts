import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EvidenceWhere } from '../../src-common/schemas/evidence-filter.ts';
import { evidenceFor, testCase, testFolder, testSession, addFiles, analysisFor } from './testing.ts';
import { verifyCase } from './verify.ts';

const everything = { filter: '', findings: [], order: { by: 'id' as const, descending: false } };
const wave = {
  container: 'wav',
  codec: 'pcm_s16le',
  sampleRateHz: 16_000,
  channels: 1,
  bitsPerSample: 16,
  audioStreams: 1,
};
const audio = { ...wave, stream: 0, decoder: 'wav' as const, decoderVersion: '1', durationSeconds: 3 };

describe('tags and reviews', () => {
  it('are put to many items at once, found, undone, and hold', async () => {
    const home = join(testFolder(), 'home');
    const { store, folder } = testCase(testSession(home));
    const { ids } = addFiles(store, 4);
    expect(await store.evidence.label(ids.slice(0, 3), { addTags: ['Caller', 'to do'], reviewed: true })).toBe(3);
    expect(await store.evidence.label([ids[0]], { removeTags: ['to do'], addTags: ['Caller'] })).toBe(1);
    expect(await store.evidence.label([ids[0]], { addTags: ['Caller'], reviewed: true })).toBe(0);
    expect(store.evidence.get(ids[0])).toMatchObject({ tags: ['Caller'], reviewedBy: 'Ada Examiner' });
    expect(store.evidence.update(ids[3], { tags: ['noise'], notes: 'hum', reviewed: false })).toMatchObject({
      ...{ tags: ['noise'], notes: 'hum', reviewedAt: null },
    });
    const found = (where: EvidenceWhere, filter = '') => store.evidence.ids({ ...everything, filter, where });
    expect(await found({ tags: ['to do'] })).toEqual([ids[1], ids[2]]);
    expect(await found({ tags: ['to do', 'noise'] })).toEqual(ids.slice(1));
    expect(await found({ tags: ['to'] })).toEqual([]);
    expect(await found({ reviewed: true })).toEqual(ids.slice(0, 3));
    expect(await found({ reviewed: false })).toEqual([ids[3]]);
    expect(await found({}, 'CALLER')).toEqual(ids.slice(0, 3));
    expect((await store.evidence.facets()).tags).toEqual([
      { value: 'Caller', count: 3 },
      { value: 'to do', count: 2 },
      { value: 'noise', count: 1 },
    ]);
    for (let left = 2; left > 0; left--) await store.undo();
    expect(store.evidence.get(ids[0]).tags).toEqual(['Caller', 'to do']);
    await store.undo();
    expect(await found({ reviewed: true })).toEqual([]);
    await store.redo();
    const { rows } = store.log.rows({ evidenceId: ids[1], offset: 0, limit: 3 });
    expect(rows.map(({ summary }) => summary.replace(/row \d+/, 'row'))).toEqual([
      'Did again row: Changed tags and the review of voice-1.wav.',
      'Undid row: Changed tags and the review of voice-1.wav.',
      'Changed tags and the review of voice-1.wav.',
    ]);
    store.close();
    const { checks } = await verifyCase({ folder, home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });
});

describe('many items', () => {
  it('are labelled, and that undone at one stroke, while others have their turns; an edit meanwhile is undone by itself', async () => {
    const home = join(testFolder(), 'home');
    const { store, folder } = testCase(testSession(home));
    const { paths } = addFiles(store, 1);
    const name = (index: number) => evidenceFor(paths[0], { name: `voice ${index}.wav` });
    const ids = store.evidence.add(Array.from({ length: 600 }, (_, index) => name(index)));
    const tagged = async (tag: string): Promise<number> =>
      (await store.evidence.ids({ ...everything, where: { tags: [tag] } })).length;
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const work = store.evidence.label(ids, { addTags: ['all'] });
    await new Promise((resolve) => setImmediate(resolve));
    const meanwhile = await tagged('all');
    expect(meanwhile).toBeGreaterThan(0);
    expect(meanwhile).toBeLessThan(600);
    expect(await work).toBe(600);
    expect(store.history.undo).toMatch(/ And 599 more\.$/);

    const undone = store.undo();
    await expect(store.undo()).rejects.toMatchObject({ code: 'changed' });
    await new Promise((resolve) => setImmediate(resolve));
    store.evidence.update(ids[0], { notes: 'hum' });
    await undone;
    clearInterval(counting);
    expect(turns).toBeGreaterThan(4);
    expect(await tagged('all')).toBe(0);
    expect(store.history).toMatchObject({ undo: expect.stringContaining('notes') as unknown, redo: null });
    await store.undo();
    expect(store.evidence.get(ids[0]).notes).toBe('');
    await expect(store.evidence.label([ids[0], 99_999], { addTags: ['no'] })).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await tagged('no')).toBe(0);
    store.close();
    const { checks } = await verifyCase({ folder, home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });
});

describe('the table of evidence', () => {
  it('is narrowed by codec, rate, length, date and flag', async () => {
    const { store } = testCase();
    const { paths } = addFiles(store, 1);
    const add = (name: string, changes: object, at = '2026-01-01T12:00:00.000Z'): number =>
      store.evidence.add([
        evidenceFor(paths[0], { name, audio: { ...audio, ...changes }, modifiedTime: at, receivedAt: at.slice(0, 10) }),
      ])[0];
    const short = add('short.wav', { durationSeconds: 2 });
    const mp3 = add(
      'song.mp3',
      { codec: 'mp3', sampleRateHz: 44_100, durationSeconds: 200 },
      '2026-03-05T12:00:00.000Z',
    );
    const phone = add(
      'call.wav',
      { sampleRateHz: 8000, durationSeconds: 60, told: ['truncated'] },
      '2026-03-06T12:00:00.000Z',
    );
    const found = (where: EvidenceWhere) => store.evidence.ids({ ...everything, where });
    expect(await found({ codecs: ['mp3'] })).toEqual([mp3]);
    expect(await found({ codecs: ['mp3', 'pcm_s16le'], sampleRatesHz: [8000, 44_100] })).toEqual([mp3, phone]);
    expect(await found({ minSeconds: 60 })).toEqual([mp3, phone]);
    expect(await found({ minSeconds: 3, maxSeconds: 60 })).toEqual([phone]);
    expect(await found({ flags: ['truncated'] })).toEqual([phone]);
    expect(await found({ date: 'modified', from: '2026-03-05', to: '2026-03-05' })).toEqual([mp3]);
    expect(await found({ date: 'received', from: '2026-03-06' })).toEqual([phone]);
    expect(await found({ date: 'received', to: '2026-03-05' })).toEqual([short, mp3]);
    expect(await found({ from: '2000-01-01', to: '2000-01-02' })).toEqual([]);
    store.analyses.add(analysisFor(store, mp3, { reasons: [{ code: 'noisy', sentence: 'Noisy.', blocking: false }] }));
    expect(await found({ flags: ['noisy', 'truncated'] })).toEqual([mp3, phone]);
    expect(await store.evidence.facets()).toMatchObject({
      codecs: [
        { value: 'pcm_s16le', count: 2 },
        { value: 'mp3', count: 1 },
      ],
      sampleRatesHz: [{ value: 8000 }, { value: 16_000 }, { value: 44_100 }],
    });
    expect((await store.evidence.rows({ ...everything, where: { codecs: ['mp3'] }, offset: 0, limit: 5 })).total).toBe(
      1,
    );
  });
});
