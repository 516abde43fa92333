import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { entryFilterSchema } from '../../../src-common/schemas/collection.ts';
import { sha256 } from '../../base/sha256.ts';
import { loadDataset, selectSplit, specKeys } from '../load.ts';
import { plant } from '../testing.ts';
import { Collection } from './collection.ts';
import type { NewEntry } from './collection.ts';
import { listCollections } from './known.ts';
import { collectionPath, noteElsewhere } from './places.ts';
import { pinned } from './use.ts';

let root: string;
let collection: Collection;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'earwitness-collection-'));
  vi.stubEnv('EARWITNESS_HOME', join(root, 'home'));
  collection = Collection.create(collectionPath('mobile'), { note: 'Calls', by: 'A. Anders' });
});
afterEach(() => {
  collection.close();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const by = 'A. Anders';
const all = entryFilterSchema.parse({});

/** An entry of a file that holds its own name. */
function entry(name: string, rest: Partial<NewEntry> = {}): NewEntry {
  plant(root, { [name]: name });
  return {
    path: join(root, name),
    label: 'bonafide',
    sha256: sha256(name),
    sizeBytes: name.length,
    seconds: 3,
    sampleRateHz: 8000,
    bandwidthHz: 3400,
    levelDbfs: -20,
    format: 'wav',
    ...rest,
  };
}

describe('entries', () => {
  it('are entered once, whatever their path, and found again where they moved', () => {
    expect(collection.add([entry('a.wav'), entry('b.wav', { label: 'spoof' })], { by })).toEqual({
      added: 2,
      known: 0,
      moved: 0,
    });
    renameSync(join(root, 'a.wav'), join(root, 'elsewhere.wav'));
    const moved = { ...entry('a.wav'), path: join(root, 'elsewhere.wav') };
    rmSync(join(root, 'a.wav'));
    expect(collection.add([moved], { by })).toEqual({ added: 0, known: 1, moved: 1 });
    expect(collection.entries(all).map(({ path }) => path)).toEqual([join(root, 'elsewhere.wav'), join(root, 'b.wav')]);
  });

  it('are found again where their files were numbered anew, at each other’s places', () => {
    const [one, two, three] = ['1.wav', '2.wav', '3.wav'].map((name) => entry(name));
    collection.add([one, two, three], { by });
    const swapped = [
      { ...two, path: one.path },
      { ...one, path: two.path },
    ];
    expect(collection.add(swapped, { by })).toEqual({ added: 0, known: 2, moved: 2 });
    expect(collection.entries(all).map(({ path }) => path)).toEqual([two.path, one.path, three.path]);
    // The third lies where the first did, whose sound is nowhere.
    rmSync(three.path);
    expect(() => collection.add([{ ...three, path: two.path }], { by })).toThrow(
      /2\.wav has changed since it was added to mobile as entry 1\. Nothing was added/,
    );
    expect(collection.entries(all).map(({ path }) => path)).toEqual([two.path, one.path, three.path]);
  });

  it('are refused under another label, and where their file has changed; then none is added', () => {
    collection.add([entry('a.wav')], { by });
    expect(() => collection.add([entry('new.wav'), entry('a.wav', { label: 'spoof' })], { by })).toThrow(
      /a\.wav is entry 1 of mobile already, as bonafide/,
    );
    expect(() => collection.add([entry('a.wav', { sha256: sha256('other') })], { by })).toThrow(/has changed since/);
    expect(collection.count()).toBe(1);
  });

  it('are chosen by values, by having none, by retention, consent and words', () => {
    collection.add(
      [
        entry('a.wav', { language: 'de', speaker: 'S1', retainUntil: '2000-01-31', consentKind: 'written' }),
        entry('b.wav', { language: 'en', speaker: 'S2', retainUntil: '2999-12-31' }),
        entry('c.wav', { label: 'spoof', speaker: 'S3' }),
      ],
      { by },
    );
    const chosen = (filter: object) => collection.ids(entryFilterSchema.parse(filter));
    expect(chosen({ values: { language: ['de', null] } })).toEqual([1, 3]);
    expect(chosen({ values: { language: ['de'], label: ['spoof'] } })).toEqual([]);
    expect(chosen({ retention: 'past' })).toEqual([1]);
    expect(chosen({ retention: 'kept' })).toEqual([2, 3]);
    expect(chosen({ consent: 'missing' })).toEqual([2, 3]);
    expect(chosen({ text: 's2' })).toEqual([2]);
    collection.edit([3], { speaker: 'Özdemir' }, { by });
    expect(chosen({ text: 'Özdem' })).toEqual([3]);
    expect(collection.entries(all, { offset: 1, limit: 1 }).map(({ id }) => id)).toEqual([2]);
    expect(collection.values('language')).toContainEqual({ value: null, entries: 1 });
  });
});

describe('edits', () => {
  beforeEach(() => {
    collection.add([entry('a.wav', { speaker: 'S1' }), entry('b.wav', { speaker: 'S1' }), entry('c.wav')], { by });
  });

  it('are made alike, taken back and done again', () => {
    expect(collection.edit([1, 2], { language: 'de', chain: 'GSM handset' }, { by })).toBe(2);
    expect(collection.edit([2, 3], { language: 'de' }, { by })).toBe(1);
    expect(collection.undo()).toBe('1 entry: language: de');
    expect(collection.undo()).toBe('2 entries: language: de, chain: GSM handset');
    expect(collection.undo()).toBeNull();
    expect(collection.summary()).toMatchObject({
      latestEdit: null,
      latestUndone: '2 entries: language: de, chain: GSM handset',
    });
    expect(collection.entries(all).map(({ language }) => language)).toEqual([null, null, null]);
    expect(collection.redo()).toContain('GSM handset');
    expect(collection.entries(all).map(({ chain }) => chain)).toEqual(['GSM handset', 'GSM handset', null]);
    collection.edit([3], { note: 'x' }, { by });
    expect(collection.redo()).toBeNull();
    expect(collection.summary()).toMatchObject({ latestEdit: '1 entry: note: x', latestUndone: null });
  });

  it('are forgotten with their last entry, and count those that are left', () => {
    collection.edit([1, 2], { language: 'de' }, { by });
    collection.edit([1], { note: 'Frau Muster' }, { by });
    collection.remove([1], { by, reason: 'Consent withdrawn' });
    expect(collection.latestEdit()).toBe('1 entry: language: de');
    expect(collection.undo()).toBe('1 entry: language: de');
    expect(collection.undo()).toBeNull();
  });

  it('never put a speaker into two splits unless it is meant, and then it is shown', () => {
    collection.edit([1, 2], { split: 'train' }, { by });
    expect(() => collection.edit([2], { split: 'test' }, { by })).toThrow(
      /1 speaker or source would stand in several splits: speaker S1 \(train, test\)\. Nothing was changed/,
    );
    expect(collection.entries(all)[1].split).toBe('train');
    collection.edit([2], { split: 'test' }, { by, sharing: true });
    expect(collection.summary().shared).toEqual([{ by: 'speaker', name: 'S1', splits: ['train', 'test'] }]);
    // What stands so already is in nobody's way.
    expect(collection.edit([3], { split: 'dev' }, { by })).toBe(1);
  });
});

describe('versions', () => {
  it('stay as they were frozen, whatever is edited, and their hash says what they hold', () => {
    collection.add([entry('a.wav'), entry('b.wav', { label: 'spoof', generator: 'VITS' })], { by });
    const first = collection.freeze({ by });
    expect(first).toMatchObject({ name: '1', entries: 2, removed: 0 });
    expect(() => collection.freeze({ by })).toThrow(/Version 1 of mobile has this list already/);
    collection.edit([2], { generator: 'Tacotron' }, { by });
    const second = collection.freeze({ name: 'final', by });
    expect(second.sha256).not.toBe(first.sha256);
    expect(collection.list('1').rows[1].generator).toBe('VITS');
    expect(collection.list('final').rows[1].generator).toBe('Tacotron');
    collection.edit([2], { generator: 'VITS' }, { by });
    expect(collection.list(null).sha256).toBe(first.sha256);
    expect(() => collection.list('2')).toThrow(/no version 2\.$/);
    expect(() => collection.freeze({ name: 'a b', by })).toThrow(/can be no name of a version/);
  });

  it('say so where somebody changed them', () => {
    collection.add([entry('a.wav')], { by });
    collection.freeze({ by });
    const db = new Database(collection.path);
    expect(() => db.exec(`UPDATE version_rows SET row = '{}'`)).toThrow(/not changed/);
    db.exec(`DROP TRIGGER version_rows_stay; UPDATE version_rows SET row = replace(row, 'bonafide', 'spoof')`);
    db.close();
    expect(() => collection.list('1')).toThrow(/Version 1 of mobile is not as it was frozen: entry 1 was altered/);
  });

  it('lose what is removed, but not their hash; a row says what was removed and why', () => {
    collection.add([entry('a.wav', { speaker: 'Frau Muster' }), entry('b.wav')], { by });
    const version = collection.freeze({ by });
    collection.edit([1], { note: 'Frau Muster again' }, { by });
    expect(() => collection.remove([1], { by, reason: ' ' })).toThrow(/needs a reason/);
    collection.remove([1], { by, reason: 'Consent withdrawn' });
    const { rows, sha256: hash, removed } = collection.list('1');
    expect([rows.map(({ id }) => id), hash]).toEqual([[2], version.sha256]);
    expect(removed).toMatchObject([{ entryId: 1, reason: 'Consent withdrawn', removedBy: by, label: 'bonafide' }]);
    expect(collection.versions()[0].removed).toBe(1);
    collection.close();
    const db = new Database(collectionPath('mobile'));
    const left = ['entries', 'version_rows', 'edits', 'edited_rows', 'removals'].map((table) =>
      JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all()),
    );
    db.close();
    expect(left.join()).not.toContain('Muster');
    collection = Collection.open(collectionPath('mobile'));
  });
});

describe('as a dataset', () => {
  beforeEach(() => {
    collection.add(
      [
        entry('one/a.wav', { split: 'train', speaker: 'S1', source: 'M1', language: 'de', chain: 'GSM handset' }),
        entry('one/b.wav', { split: 'dev', label: 'spoof', generator: 'VITS', retainUntil: '2000-01-31' }),
        entry('two/c.wav', { split: 'dev', quality: 'noisy', codec: 'AMR' }),
      ],
      { by },
    );
    collection.freeze({ by });
  });

  it('brings splits, speakers, sources and conditions, and the hash of its list', async () => {
    const { sha256: hash } = collection.list('1');
    const dataset = await loadDataset('collection:mobile@1');
    expect(dataset.spec).toBe(`collection:mobile@1#${hash}`);
    expect(dataset.root).toBe(root);
    expect(selectSplit(dataset, 'train')).toEqual([
      {
        ...{ path: join(root, 'one/a.wav'), id: '1/a.wav', label: 'bonafide', split: 'train' },
        ...{ speaker: 'S1', source: 'M1', generator: null, language: 'de', chain: 'GSM handset' },
      },
    ]);
    expect(selectSplit(dataset, 'dev').map(({ quality, codec }) => [quality, codec])).toEqual([['noisy', 'AMR']]);
    expect(specKeys('collection:mobile@1')).toEqual(specKeys(dataset.spec));
    expect(specKeys('collection:mobile')).not.toEqual(specKeys('collection:mobile@1'));
  });

  it('leaves out what is past retention, and names it, unless it is asked for', async () => {
    const { leftOut } = await loadDataset('collection:mobile@1');
    expect(leftOut).toEqual([
      expect.stringMatching(/^mobile@1: left out, .* 1 recording, 2\/b\.wav \(2000-01-31\)\.$/),
    ]);
    const whole = await loadDataset('collection:mobile@1?expired');
    expect([whole.items.length, whole.leftOut]).toEqual([3, []]);
  });

  it('names recordings that have changed or are missing', async () => {
    appendFileSync(join(root, 'one/a.wav'), 'x');
    rmSync(join(root, 'two/c.wav'));
    await expect(loadDataset('collection:mobile')).rejects.toThrow(
      /^2 recordings of mobile are not as catalogued: .*a\.wav is not what was catalogued, .*c\.wav is missing\.$/,
    );
  });

  it('is held to the hash that a record names', () => {
    const { spec } = pinned('bonafide:collection:mobile');
    expect(spec).toMatch(/^bonafide:collection:mobile#[0-9a-f]{64}$/);
    collection.edit([1], { language: 'en' }, { by });
    expect(() => pinned(spec)).toThrow(/The list of mobile is not what it was/);
    expect(pinned('collection:mobile@1').spec).toBe(pinned('collection:mobile@1').spec);
  });
});

describe('files', () => {
  it('that are no collection, are newer, are not there or stand there already say so', () => {
    const other = join(root, 'other.sqlite');
    new Database(other).exec('CREATE TABLE x (y)').close();
    expect(() => Collection.open(other)).toThrow(/is no collection of Earwitness/);
    writeFileSync(other, 'no database at all, and longer than a header would be'.repeat(9));
    expect(() => Collection.open(other)).toThrow(/damaged or no database/);
    expect(() => Collection.open(join(root, 'none.sqlite'))).toThrow(/There is no collection at/);
    expect(() => Collection.create(collection.path, { by })).toThrow(/exists/);
    expect(() => collectionPath('a@b')).toThrow(/can be no name of a collection/);
    const db = new Database(collection.path);
    db.pragma('user_version = 99');
    db.close();
    expect(() => Collection.open(collection.path)).toThrow(/newer version/);
  });

  it('that another program writes to say so', () => {
    const other = new Database(collection.path);
    other.exec('BEGIN IMMEDIATE');
    const begun = performance.now();
    expect(() => collection.add([entry('a.wav')], { by })).toThrow(/in use by another program/);
    expect(performance.now() - begun).toBeGreaterThan(4000);
    other.close();
  }, 15_000);

  it('are listed by name, and by path where they lie elsewhere; a broken one says why', async () => {
    collection.add([entry('a.wav')], { by });
    collection.freeze({ by });
    const elsewhere = join(root, 'lab', 'line.sqlite');
    Collection.create(elsewhere, { by }).close();
    await noteElsewhere(elsewhere);
    writeFileSync(collectionPath('broken'), 'x'.repeat(500));
    expect(await listCollections()).toMatchObject([
      { place: 'broken', problem: expect.stringContaining('no database') as string },
      { place: 'mobile', name: 'mobile', entries: 1, versions: [{ name: '1', entries: 1 }], problem: null },
      { place: elsewhere, name: 'line', entries: 0, problem: null },
    ]);
  });
});
