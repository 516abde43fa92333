import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addFiles, testCase, testFolder, testSession } from '../cases/testing.ts';
import { verifyCase } from '../cases/verify.ts';
import { applyHashList } from './hash-list.ts';

function caseWithItems() {
  const home = join(testFolder(), 'home');
  const made = testCase(testSession(home));
  const { ids } = addFiles(made.store, 4);
  const items = ids.map((id) => made.store.evidence.get(id));
  const file = (name: string, text: string | Buffer): string => {
    const path = join(testFolder(), name);
    writeFileSync(path, text);
    return path;
  };
  const knownIn = () => ids.map((id) => made.store.evidence.get(id).knownIn);
  return { ...made, home, ids, items, file, knownIn };
}

describe('lists of known hashes', () => {
  it('mark the items that are in them, whatever else their lines hold, and are applied anew and taken away', async () => {
    const { store, home, folder, items, file, knownIn } = caseWithItems();
    const csv = `sha256,name\r\n${items[0].sha256.toUpperCase()},a.wav\r\n${'f'.repeat(64)},b.wav\r\n`;
    expect(await applyHashList(store, file('list.csv', csv), 'Known')).toMatchObject({ lines: 3, hashes: 2, known: 1 });
    const nsrl = `"SHA-1","MD5","CRC32","FileName"\n"${'a'.repeat(40)}","${items[1].md5.toUpperCase()}","00000000","x.wav"\n`;
    expect(await applyHashList(store, file('NSRLFile.txt', nsrl), 'NSRL')).toMatchObject({ hashes: 1, known: 1 });
    const sums = `${items[0].sha256}  a.wav\n${items[2].sha256} *c.wav\n`;
    expect(await applyHashList(store, file('sums', sums), 'NSRL')).toMatchObject({ known: 2 });
    expect(knownIn()).toEqual([['Known', 'NSRL'], [], ['NSRL'], []]);
    expect((await store.evidence.facets()).hashLists).toEqual([
      { value: 'NSRL', count: 2 },
      { value: 'Known', count: 1 },
    ]);
    const query = { filter: '', findings: [], order: { by: 'id' as const, descending: false } };
    expect(await store.evidence.ids({ ...query, where: { known: true } })).toEqual([1, 3]);
    expect(await store.evidence.ids({ ...query, where: { known: false } })).toEqual([2, 4]);
    await store.undo();
    expect(knownIn()).toEqual([['Known'], ['NSRL'], [], []]);
    expect(await store.evidence.setKnown('NSRL', new Set(), null)).toBe(1);
    expect(knownIn()).toEqual([['Known'], [], [], []]);
    const { rows } = store.log.rows({ offset: 0, limit: 100 });
    const lists = rows.filter(({ action }) => action === 'hash-list').map(({ details }) => details);
    expect(lists).toMatchObject([{ removed: true }, { known: 2 }, { known: 1 }, { list: 'Known', name: 'list.csv' }]);
    store.close();
    const { checks } = await verifyCase({ folder, home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });

  it('that hold no hash of a kind that is known, or no text, are refused', async () => {
    const { store, file } = caseWithItems();
    const refused = (path: string) => expect(applyHashList(store, path, 'X')).rejects;
    await refused(file('a.csv', 'name\na.wav\n')).toThrow('a.csv holds no SHA-256 and no MD5: none of its lines');
    await refused(file('b.csv', `${'a'.repeat(40)}\n`)).toThrow('such as SHA-1');
    await refused(file('c.db', Buffer.from('one\n\0\0two\n'))).toThrow('c.db, line 2: this is no text');
    await refused(file('d.img', Buffer.alloc(200_000, 97))).toThrow('d.img: this is no text');
    await refused('/nowhere.csv').toThrow('does not exist');
  });
});
