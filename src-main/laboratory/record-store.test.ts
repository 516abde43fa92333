import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { RecordStore } from './record-store.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-records-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const schema = z.object({ id: z.string(), at: z.string(), value: z.number() });
type Thing = z.infer<typeof schema>;
const open = (onUnreadable?: (path: string, error: unknown) => void): Promise<RecordStore<Thing>> =>
  RecordStore.open({
    home,
    kind: 'thing',
    schema,
    about: ({ id, at }) => ({ id, since: at }),
    onUnreadable,
  });
const pathOf = (id: string): string => join(home, 'things', id, 'thing.json');

it('keeps records for later, the latest first, and removes them with what lies beside them', async () => {
  const store = await open();
  expect(store.list()).toEqual([]);
  await store.add({ id: 'a', at: '2026-01-01', value: 1 });
  await store.add({ id: 'b', at: '2026-01-02', value: 2 });
  writeFileSync(join(store.place('a'), 'model'), '');
  const again = await open();
  expect(again.list().map(({ id }) => id)).toEqual(['b', 'a']);
  expect(again.get('a')).toEqual({ id: 'a', at: '2026-01-01', value: 1 });
  await again.remove('a');
  expect(again.get('a')).toBeUndefined();
  expect(readdirSync(join(home, 'things'))).toEqual(['b']);
});

it('tells of records that it cannot read, leaves them as they are, and reads the others', async () => {
  const store = await open();
  for (const id of ['a', 'b', 'c', 'd']) await store.add({ id, at: '', value: 1 });
  writeFileSync(pathOf('a'), '{"id":"a"');
  writeFileSync(pathOf('b'), '{"id":"b","at":"","value":"one"}');
  writeFileSync(pathOf('c'), '{"id":"d","at":"","value":1}');
  // None of these was meant as one.
  writeFileSync(join(home, 'things', '.DS_Store'), '');
  mkdirSync(join(home, 'things', 'empty'));
  const unreadable: string[] = [];
  const again = await open((path, error) => {
    expect(error).toBeInstanceOf(Error);
    unreadable.push(path);
  });
  expect(again.list().map(({ id }) => id)).toEqual(['d']);
  expect(unreadable.sort()).toEqual([pathOf('a'), pathOf('b'), pathOf('c')]);
  expect(readFileSync(pathOf('a'), 'utf8')).toBe('{"id":"a"');
});

it('writes one state after the other, and nothing of what was removed', async () => {
  const store = await open();
  const record = { id: 'a', at: '', value: 0 };
  await store.add(record);
  const saves = [1, 2, 3].map((value) => {
    record.value = value;
    return store.save(record);
  });
  await Promise.all(saves);
  expect(JSON.parse(readFileSync(pathOf('a'), 'utf8'))).toMatchObject({ value: 3 });
  await Promise.all([store.save(record), store.remove('a'), store.save(record)]);
  expect(existsSync(store.place('a'))).toBe(false);
});

it('does not hold what it could not write', async () => {
  writeFileSync(join(home, 'things'), 'a file where the folder would be');
  const store = await open();
  await expect(store.add({ id: 'a', at: '', value: 1 })).rejects.toMatchObject({ code: 'unwritable' });
  expect(store.list()).toEqual([]);
});
