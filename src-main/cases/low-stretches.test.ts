/** The stretches that results point out, in the table of evidence: counted when they are kept, and in cases of an earlier format. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { databasePath, migrate } from './database.ts';
import { schemaDifferences } from './database-schema.ts';
import { evidenceList } from './evidence-list.ts';
import { CaseStore } from './store.ts';
import { addFiles, analysisFor, testCase, testFolder, testSession } from './testing.ts';
import { verifyCase } from './verify.ts';

const firstPage = { filter: '', findings: [], order: { by: 'id' as const, descending: false }, offset: 0, limit: 100 };
const window = (startSeconds: number, score: number) => ({ startSeconds, endSeconds: startSeconds + 3, score });
const reason = (code: string, blocking: boolean) => ({ code, sentence: `${code}.`, blocking });

/** A case whose items differ in what their results point out. */
function caseWithStretches() {
  const home = join(testFolder(), 'home');
  const { store, folder } = testCase(testSession(home));
  const { ids } = addFiles(store, 7);
  const thresholds = {
    ...analysisFor(store, ids[0]).thresholds,
    localisation: -1,
    falseAlarmsPerHour: 4,
    falseAlarmsPerHourAtMost: 7,
  };
  const windows = [window(0, 1), window(1.5, -2), window(3, -1.2), window(6.1, -1.5), window(12, -1)];
  const random = new Random(7);
  const many = Array.from({ length: 400 }, (_, i) => window(1.5 * i + (i % 50 === 0 ? 4 : 0) * 0.1, random.normal()));
  const add = (id: number, changes: Parameters<typeof analysisFor>[2]): void =>
    void store.analyses.add(
      analysisFor(store, id, { finding: 'inconclusive', score: 0, windows, thresholds, ...changes }),
    );
  add(ids[0], {});
  add(ids[1], { thresholds: { ...thresholds, localisation: null } });
  add(ids[2], { finding: 'not assessable', reasons: [reason('noisy', true), reason('length', true)] });
  add(ids[3], { finding: 'not assessable', reasons: [reason('length', true), reason('long', false)] });
  add(ids[4], { windows: [window(0, 1)] });
  add(ids[5], { windows: many });
  return { store, home, folder, ids };
}

const stretchesOf = async (store: CaseStore) =>
  (await store.evidence.rows(firstPage as never)).rows.map(({ stretches }) => stretches);

describe('low stretches in the table', () => {
  it('are counted, sorted by, filtered and listed as CSV', async () => {
    const { store, ids } = caseWithStretches();
    const [first, second, third, fourth, fifth, sixth, last] = await stretchesOf(store);
    // The third lies 0.1 s behind the end of the one before it.
    expect(first).toEqual({ count: 2, longestSeconds: 4.5 });
    expect([second, third, last]).toEqual([null, null, null]);
    expect(fourth).toEqual(first);
    expect(fifth).toEqual({ count: 0, longestSeconds: 0 });
    expect(sixth!.count).toBeGreaterThan(20);
    const order = { by: 'stretches', descending: true };
    expect(await store.evidence.ids({ ...firstPage, order } as never)).toEqual(
      [5, 3, 0, 4, 6, 2, 1].map((index) => ids[index]),
    );
    expect(await store.evidence.ids({ ...firstPage, findings: ['stretches'] } as never)).toEqual([
      ids[0],
      ids[3],
      ids[5],
    ]);
    let csv = '';
    for await (const part of evidenceList(store, ids, 'csv')) csv += part;
    const rows = parse<Record<string, string>>(csv, { columns: true });
    expect(rows.map((row) => [row.low_stretches, row.longest_low_stretch_seconds]).slice(0, 2)).toEqual([
      ['2', '4.5'],
      ['', ''],
    ]);
  });

  it('are counted in a case of the format before, as they would have been, and hold', async () => {
    const { store, home, folder } = caseWithStretches();
    const before = await stretchesOf(store);
    store.close();
    const path = databasePath(folder);
    const db = new Database(path);
    db.exec(`DROP INDEX evidence_by_id; DROP INDEX evidence_by_review; DROP INDEX evidence_by_tags;
      DROP INDEX evidence_by_stretches; ALTER TABLE evidence DROP COLUMN longest_stretch;
      ALTER TABLE evidence DROP COLUMN stretch_count; ALTER TABLE marks DROP COLUMN channel; DROP TABLE view_settings;
      ALTER TABLE marks DROP COLUMN category; ALTER TABLE marks DROP COLUMN colour;
      ALTER TABLE evidence DROP COLUMN tags; ALTER TABLE evidence DROP COLUMN reviewed_at;
      ALTER TABLE evidence DROP COLUMN reviewed_by; ALTER TABLE evidence DROP COLUMN known_in;
      ALTER TABLE scans DROP COLUMN queue; DROP TABLE milestones; DROP INDEX custody_log_by_action; DROP INDEX evidence_by_alarm; PRAGMA user_version = 3`);
    migrate(path, db);
    expect(schemaDifferences(db)).toEqual([]);
    db.close();
    const again = CaseStore.read(folder);
    expect(await stretchesOf(again)).toEqual(before);
    again.close();
    const { intact, checks } = await verifyCase({ folder, home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
    expect(intact).toBe(true);
    expect(existsSync(`${path}.format-3.backup`)).toBe(true);
  });
});
