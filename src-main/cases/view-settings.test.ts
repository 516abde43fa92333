import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { defaultSpectrogram } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrogramSettings } from '../../src-common/schemas/spectrogram.ts';
import { databasePath, migrate } from './database.ts';
import { schemaDifferences } from './database-schema.ts';
import { exportCase } from './export.ts';
import { importCase } from './import.ts';
import { CaseStore } from './store.ts';
import { testCase, testFolder, testSession } from './testing.ts';
import { verifyCase } from './verify.ts';

const chosen: SpectrogramSettings = {
  ...defaultSpectrogram,
  window: 'blackman-harris',
  windowMs: 64,
  overlap: 0.875,
  scale: 'log',
  topHz: 12_000,
  ceilingDb: -17,
};

describe('how spectrograms of a case are shown', () => {
  it('is kept without a row of the log, and forgotten', async () => {
    const { store, session, folder } = testCase();
    const { head } = store;
    expect(store.spectrogram).toBeNull();
    expect(store.view().spectrogram).toEqual(defaultSpectrogram);
    store.spectrogram = defaultSpectrogram;
    store.spectrogram = chosen;
    expect(store.head).toEqual(head);
    store.close();
    const { intact } = await verifyCase({ folder, home: session.library.home });
    expect(intact).toBe(true);
    const again = CaseStore.open(folder, session);
    expect(again.view().spectrogram).toEqual(chosen);
    again.spectrogram = null;
    expect(again.spectrogram).toBeNull();
    again.close();
  });

  it('goes with the case to another installation', async () => {
    const { store } = testCase();
    store.spectrogram = chosen;
    const archive = join(testFolder(), 'a.earwitness-case.zip');
    await exportCase(store, archive, {});
    const other = testSession();
    const taken = await importCase(archive, join(other.library.home, 'cases'), other);
    expect(taken.spectrogram).toEqual(chosen);
    taken.close();
  });

  it('has its place in a case of the format before', () => {
    const { store, session, folder } = testCase();
    store.close();
    const path = databasePath(folder);
    const db = new Database(path);
    db.exec(`DROP INDEX evidence_by_id; DROP INDEX evidence_by_review; DROP INDEX evidence_by_tags;
      DROP TABLE view_settings; ALTER TABLE marks DROP COLUMN category; ALTER TABLE marks DROP COLUMN colour;
      ALTER TABLE evidence DROP COLUMN tags; ALTER TABLE evidence DROP COLUMN reviewed_at;
      ALTER TABLE evidence DROP COLUMN reviewed_by; ALTER TABLE evidence DROP COLUMN known_in;
      ALTER TABLE scans DROP COLUMN queue; DROP TABLE milestones; DROP INDEX custody_log_by_action; DROP INDEX evidence_by_alarm; PRAGMA user_version = 5`);
    migrate(path, db);
    expect(schemaDifferences(db)).toEqual([]);
    db.close();
    expect(existsSync(`${path}.format-5.backup`)).toBe(true);
    const again = CaseStore.open(folder, session);
    expect(again.spectrogram).toBeNull();
    again.close();
  });
});
