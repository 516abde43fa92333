import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { telling } from '../base/sqlite.ts';
import { leaveWal, migrate, openDatabase, openDatabaseForReading } from './database.ts';
import { schemaDifferences } from './database-schema.ts';
import { addFiles, analysisFor, testCase, testFolder, thrown } from './testing.ts';

describe('the database', () => {
  it('is migrated one step in a transaction each, with a backup before each', () => {
    const path = join(testFolder(), 'case.sqlite');
    const db = new Database(path);
    migrate(path, db, ['CREATE TABLE one (a TEXT) STRICT']);
    db.exec(`INSERT INTO one VALUES ('kept')`);
    const steps = ['CREATE TABLE one (a TEXT) STRICT', 'CREATE TABLE two (b TEXT) STRICT', 'CREATE TABLE two (b TEXT)'];
    expect(() => migrate(path, db, steps)).toThrow(/already exists/);
    expect(db.pragma('user_version', { simple: true })).toBe(2);
    expect(db.prepare('SELECT a FROM one').pluck().get()).toBe('kept');
    db.close();
    const backup = new Database(`${path}.format-1.backup`, { readonly: true });
    expect(backup.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'two'`).pluck().get()).toBe(0);
    expect(backup.prepare('SELECT a FROM one').pluck().get()).toBe('kept');
    backup.close();
    expect(existsSync(`${path}.format-2.backup`)).toBe(true);
  });

  it('leaves WAL mode once those who read it have closed it', async () => {
    const path = join(testFolder(), 'case.sqlite');
    openDatabase(path, { create: true }).close();
    const reader = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
      const db = new (require('better-sqlite3'))(workerData, { readonly: true });
      db.prepare('SELECT count(*) FROM evidence').get();
      parentPort.postMessage('reading');
      setTimeout(() => db.close(), 300);`,
      { eval: true, workerData: path },
    );
    await once(reader, 'message');
    const db = new Database(path);
    leaveWal(db);
    expect(db.pragma('journal_mode', { simple: true })).toBe('delete');
    db.close();
    await once(reader, 'exit');
  });

  it('is flushed to disk with every transaction, in WAL mode, with strict tables', () => {
    const path = join(testFolder(), 'case.sqlite');
    const db = openDatabase(path, { create: true });
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    const strict = db.pragma('table_list') as { name: string; strict: number; schema: string }[];
    expect(strict.filter(({ name, strict: is }) => !name.startsWith('sqlite_') && is !== 1)).toEqual([]);
    expect(schemaDifferences(db)).toEqual([]);
    db.close();
    openDatabaseForReading(path).close();
  });

  it('says that the disk is full, and keeps what was there', () => {
    const path = join(testFolder(), 'case.sqlite');
    const db = openDatabase(path, { create: true });
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages + 2}`);
    const write = (): unknown => db.prepare(`INSERT INTO intakes VALUES (NULL, '', ?)`).run('x'.repeat(100_000));
    const error = thrown(() => telling(path, write));
    expect(error.code).toBe('disk-full');
    expect(db.prepare('SELECT count(*) FROM intakes').pluck().get()).toBe(0);
    db.close();
  });

  it('refuses to change or delete rows of the log, results, reports and evidence', () => {
    const { store } = testCase();
    const [id] = addFiles(store, 1).ids;
    store.analyses.add(analysisFor(store, id));
    const db = store.database;
    expect(() => db.exec(`UPDATE custody_log SET actor = 'x' WHERE position = 1`)).toThrow(/append-only/);
    expect(() => db.exec('DELETE FROM custody_log WHERE position = 3')).toThrow(/append-only/);
    expect(() => db.exec('INSERT OR REPLACE INTO custody_log SELECT * FROM custody_log WHERE position = 1')).toThrow(
      /append-only/,
    );
    expect(() => db.exec(`UPDATE analyses SET result = '{}'`)).toThrow(/kept/);
    expect(() => db.exec('DELETE FROM analyses')).toThrow(/kept/);
    expect(() => db.exec('DELETE FROM evidence')).toThrow(/not deleted/);
  });
});
