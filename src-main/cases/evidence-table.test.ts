import { expect, it } from 'vitest';
import Database from 'better-sqlite3';
import { databasePath } from './database.ts';
import { EvidenceTable } from './evidence-table.ts';
import type { EvidenceQuery } from './evidence-table.ts';
import { addFiles, analysisFor, evidenceFor, testCase } from './testing.ts';

type By = EvidenceQuery['order']['by'];
const orders: Record<By, (id: number) => number | string | null> = {
  id: (id) => id,
  added: (id) => id,
  name: (id) => (id === 1 ? 'voice-1.wav' : `voice ${id}.wav`),
  size: () => 11,
  score: (id) => (id % 3 === 0 ? null : id % 4),
  llr: () => null,
  duration: (id) => (id % 3 === 0 ? null : 3),
  finding: (id) => (id % 3 === 0 ? 5 : 0),
  flags: () => 0,
  stretches: () => null,
  alarms: (id) => (id === 4 || id === 7 ? 1 : 0),
  tags: (id) => (id % 4 === 0 ? 'caller' : null),
  reviewed: () => null,
};

it('is paged in every order, what has no value last, and none of all items is sorted for it', async () => {
  const { store, folder } = testCase();
  const { paths } = addFiles(store, 1);
  const senderHash = (id: number): string | null => (id === 4 || id === 7 ? 'f'.repeat(64) : null);
  for (let id = 2; id <= 9; id++)
    store.evidence.add([evidenceFor(paths[0], { name: `voice ${id}.wav`, senderHash: senderHash(id) })]);
  const all = store.evidence.allIds();
  for (const id of all.filter((one) => one % 3 !== 0))
    store.analyses.add(analysisFor(store, id, { score: id % 4, llr: null, windows: [] }));
  await store.evidence.label([4, 8], { addTags: ['caller'] });

  const db = new Database(databasePath(folder), { readonly: true });
  const asked = new Set<string>();
  const prepare = db.prepare.bind(db);
  db.prepare = (sql: string) => (asked.add(sql), prepare(sql));
  const table = new EvidenceTable(db, new Map());
  for (const by of Object.keys(orders) as By[]) {
    for (const descending of [false, true]) {
      const order = { by, descending };
      const sign = descending ? -1 : 1;
      const expected = all.toSorted((a, b) => {
        const [one, other] = [orders[by](a), orders[by](b)];
        if ((one === null) !== (other === null)) return one === null ? 1 : -1;
        return sign * (one === other ? a - b : (one as number) < (other as number) ? -1 : 1);
      });
      expect(table.sorted(order, null), by).toEqual(expected);
      const pages = [0, 2, 4, 6, 8, 10].flatMap((offset) => table.page({ order, offset, limit: 2 }, null));
      expect(
        pages.map(({ id }) => id),
        by,
      ).toEqual(expected);
      const some = [2, 3, 4, 8];
      const chosen = expected.filter((id) => some.includes(id));
      expect(table.sorted(order, some), by).toEqual(chosen);
      expect(
        table.page({ order, offset: 1, limit: 9 }, some).map(({ id }) => id),
        by,
      ).toEqual(chosen.slice(1));
    }
  }
  const sorting = [...asked].filter(
    (sql) =>
      sql.includes('LIMIT') &&
      !sql.includes('alarm_rank') &&
      !sql.includes('json_each') &&
      prepare<[number, number], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all(1, 0)
        .some(({ detail }) => detail.includes('TEMP B-TREE')),
  );
  expect(sorting).toEqual([]);
  db.close();
});
