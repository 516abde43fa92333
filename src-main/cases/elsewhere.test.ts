import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import Database from 'better-sqlite3';
import { beforeEach, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import { exportCase } from './export.ts';
import { importCase } from './import.ts';
import { sha256Hex } from './canonical.ts';
import { CustodyWriter, lastRow } from './custody.ts';
import { migrations } from './migrations/index.ts';
import { deleteCase } from './delete.ts';
import { rebuildDatabase } from './rebuild.ts';
import { evidenceRecordSha256 } from './records.ts';
import type { StoredEvidence, StoredMetadata } from './records.ts';
import { rowSchemas, workingTables } from './rows.ts';
import { CaseStore } from './store.ts';
import type { Session } from './session.ts';
import { addFiles, analysisFor, evidenceFor, testCase, testFolder, testSession } from './testing.ts';
import { verifyRecords } from './verify-records.ts';
import { withFiles } from './verify.ts';

const copy = 'evidence/0123456789abcdef-voice.wav';

let session: Session;
let folder: string;

/** A case with an item in place, a copy, results and a mark, closed. */
beforeEach(() => {
  const made = testCase();
  ({ session, folder } = made);
  const { store } = made;
  const { ids, paths } = addFiles(store, 1);
  mkdirSync(join(folder, 'evidence'));
  copyFileSync(paths[0], join(folder, copy));
  const [copied] = store.evidence.add([evidenceFor(paths[0], { copyPath: copy })]);
  for (const id of [...ids, copied]) store.analyses.add(analysisFor(store, id));
  store.marks.add(copied, { startSeconds: 1, endSeconds: null, text: 'a cough', inReport: true });
  store.close();
});

const database = (): string => join(folder, 'case.sqlite');

/** Changes the database as someone would who knows SQLite well, and leaves no trace of it in its schema. */
function forge(change: (db: Database.Database) => void, path = database()): void {
  const db = new Database(path);
  db.unsafeMode(true);
  db.pragma('foreign_keys = OFF');
  const triggers = db
    .prepare<[], { name: string; sql: string }>(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
    .all();
  for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
  for (const { sql } of triggers) db.exec(sql);
  change(db);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

/** The same for rows that the triggers would guard. */
function forgeRows(change: (db: Database.Database) => void, path = database()): void {
  const db = new Database(path);
  db.pragma('foreign_keys = OFF');
  const triggers = db
    .prepare<[], { name: string; sql: string }>(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
    .all();
  for (const { name } of triggers) db.exec(`DROP TRIGGER "${name}"`);
  change(db);
  for (const { sql } of triggers) db.exec(sql);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

function inSchema(db: Database.Database, sql: string): void {
  db.pragma('writable_schema = ON');
  db.exec(sql);
  const version = db.pragma('schema_version', { simple: true }) as number;
  db.pragma(`schema_version = ${version + 1}`);
  db.pragma('writable_schema = OFF');
}

/** Everything that lies in a folder, with the hash of each file, but for what only says who has it open. */
function contents(of: string): Record<string, string> {
  const entries = readdirSync(of, { withFileTypes: true, recursive: true });
  const own = entries.filter((entry) => entry.isFile() && !/^case\.(lock|sqlite-shm)$/.test(entry.name));
  const files = own.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.sort().map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

/** Rebuilding must fail, and leave nothing. */
function refusedRebuild(): string {
  const target = join(testFolder(), 'rebuilt.sqlite');
  let message = '';
  try {
    rebuildDatabase(database(), target);
  } catch (error) {
    expect((error as { code?: string }).code).toBe('damaged');
    ({ message } = error as Error);
  }
  expect(message).not.toBe('');
  expect(existsSync(target)).toBe(false);
  return message;
}

describe('a database that others wrote', () => {
  it('is built anew from its rows, with everything that they say', () => {
    const target = join(testFolder(), 'case.sqlite');
    const before = CaseStore.read(folder);
    const { caseId, number } = rebuildDatabase(database(), target);
    expect({ caseId, number }).toEqual({ caseId: before.id, number: '2026/1' });
    const all = (path: string): unknown[] => {
      const db = new Database(path, { readonly: true });
      const tables = Object.keys(rowSchemas).map((table) => db.prepare(`SELECT * FROM ${table} ORDER BY 1`).all());
      db.close();
      return tables;
    };
    expect(all(target)).toEqual(all(database()));
    before.close();
  });

  it('has a schema for every column of every table', () => {
    const db = new Database(':memory:');
    for (const sql of migrations) db.exec(sql);
    const tables = db.prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all();
    for (const table of tables.filter((name) => name !== 'sqlite_sequence' && !workingTables.has(name))) {
      const columns = db.prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?)').pluck().all(table);
      expect([table, Object.keys(rowSchemas[table]).sort()]).toEqual([table, columns.sort()]);
    }
    db.close();
  });

  const schemas: Record<string, (db: Database.Database) => void> = {
    'a trigger that rewrites the log': (db) =>
      db.exec(`CREATE TRIGGER more AFTER INSERT ON custody_log BEGIN UPDATE evidence SET name = 'x'; END`),
    'a trigger with a name of SQLite': (db) => {
      db.exec(`CREATE TRIGGER more AFTER INSERT ON evidence BEGIN UPDATE evidence SET name = 'x'; END`);
      inSchema(
        db,
        `UPDATE sqlite_master SET name = 'sqlite_more', sql = replace(sql, 'TRIGGER more', 'TRIGGER sqlite_more') WHERE name = 'more'`,
      );
    },
    'one of its triggers under another name': (db) =>
      inSchema(
        db,
        `UPDATE sqlite_master SET name = 'sqlite_x', sql = replace(sql, name, 'sqlite_x') WHERE name = 'analyses_are_not_updated'`,
      ),
    'a trigger that does nothing in the place of a guard': (db) =>
      inSchema(
        db,
        `UPDATE sqlite_master SET sql = replace(sql, 'RAISE(ABORT, ''the custody log is append-only'')', '1') WHERE name = 'custody_log_is_not_updated'`,
      ),
    'a view': (db) => db.exec('CREATE VIEW more AS SELECT * FROM evidence'),
    'an index': (db) => db.exec('CREATE INDEX more ON evidence (notes)'),
    'a table': (db) => db.exec('CREATE TABLE more (a)'),
    'a table of statistics': (db) => db.exec('ANALYZE'),
    'a table with a name of SQLite': (db) => {
      db.exec('CREATE TABLE more (a)');
      inSchema(
        db,
        `UPDATE sqlite_master SET name = 'sqlite_more', tbl_name = 'sqlite_more', sql = 'CREATE TABLE sqlite_more (a)' WHERE name = 'more'`,
      );
    },
    'a table that hides the schema': (db) => {
      // A database that says of itself, under that name, that it is as it should be.
      db.exec('CREATE TABLE more (type TEXT, name TEXT, tbl_name TEXT, rootpage INT, sql TEXT)');
      db.exec('INSERT INTO more SELECT * FROM sqlite_master WHERE name <> ' + `'more'`);
      db.exec(`CREATE TRIGGER bad AFTER INSERT ON evidence BEGIN UPDATE evidence SET name = 'x'; END`);
      inSchema(
        db,
        `UPDATE sqlite_master SET name = 'sqlite_schema', tbl_name = 'sqlite_schema', sql = replace(sql, 'TABLE more', 'TABLE sqlite_schema') WHERE name = 'more'`,
      );
    },
    'a generated column': (db) =>
      db.exec(`ALTER TABLE marks ADD COLUMN trick TEXT GENERATED ALWAYS AS (upper(text)) VIRTUAL`),
    'a column with a default that computes': (db) =>
      inSchema(
        db,
        `UPDATE sqlite_master SET sql = replace(sql, 'notes TEXT NOT NULL', 'notes TEXT NOT NULL DEFAULT (hex(randomblob(9)))') WHERE name = 'case_details'`,
      ),
    'a view in the place of a table': (db) => {
      db.exec('ALTER TABLE marks RENAME TO hidden');
      db.exec('CREATE VIEW marks AS SELECT * FROM hidden');
    },
    'a table that lacks its guard': (db) => db.exec('DROP TRIGGER evidence_is_not_deleted'),
  };
  it.each(Object.keys(schemas))('is refused that holds %s', async (name) => {
    forge(schemas[name]);
    const why = refusedRebuild();
    expect(why).toMatch(/damaged/);
    // Nor is it taken in from an archive or opened where nobody knows it, and nothing is changed.
    const other = testSession();
    const before = contents(folder);
    expect(() => CaseStore.open(folder, other)).toThrow(/damaged/);
    expect(contents(folder)).toEqual(before);
    expect(other.library.list()).toEqual([]);
    // Where it is known, its log is not written any more; and verify tells.
    const { checks } = await withFiles(verifyRecordsOrDamage());
    expect(checks.some(({ subject, holds }) => subject === 'database' && !holds)).toBe(true);
  });

  function verifyRecordsOrDamage(): ReturnType<typeof verifyRecords> {
    const request = { folder, home: session.library.home };
    try {
      return verifyRecords(request);
    } catch (error) {
      expect((error as { code?: string }).code).toBe('damaged');
      const check = {
        subject: 'database' as const,
        name: 'structure',
        holds: false,
        sentence: (error as Error).message,
      };
      const signer = { verdict: 'unsigned' as const, fingerprint: null, sentence: '' };
      return {
        caseId: '',
        head: { rows: 0, hash: '' },
        publicKey: null,
        anchored: null,
        signer,
        checks: [check],
        files: [],
      };
    }
  }

  const rows: [string, string, string][] = [
    ['a copy above the case', 'copy_path', `UPDATE evidence SET copy_path = '../../../etc/passwd' WHERE id = 2`],
    ['a copy anywhere', 'copy_path', `UPDATE evidence SET copy_path = '/etc/passwd' WHERE id = 2`],
    ['a copy by a way round', 'copy_path', `UPDATE evidence SET copy_path = 'evidence/../case.sqlite' WHERE id = 2`],
    ['a copy by way of a backslash', 'copy_path', `UPDATE evidence SET copy_path = 'evidence\\..\\x' WHERE id = 2`],
    ['a copy below a folder', 'copy_path', `UPDATE evidence SET copy_path = 'evidence/a/b' WHERE id = 2`],
    ['a hash that is none', 'sha256', `UPDATE evidence SET sha256 = 'x' WHERE id = 1`],
    ['a finding that nobody made', 'finding', `UPDATE evidence SET finding = 'certainly fake' WHERE id = 1`],
    ['a result that is none', 'result', `UPDATE analyses SET result = '{}' WHERE id = 1`],
    ['a result that is no JSON', 'result', `UPDATE analyses SET result = '{' WHERE id = 1`],
    ['metadata of another kind', 'metadata', `UPDATE evidence_metadata SET metadata = '{"a":1}'`],
    ['a time that is none', 'time', `UPDATE custody_log SET time = 'yesterday' WHERE position = 2`],
    ['an action that steers terminals', 'action', `UPDATE custody_log SET action = 'x' || char(27) WHERE position = 2`],
    ['details that are no object', 'details', `UPDATE custody_log SET details = '[1]' WHERE position = 2`],
    ['a number that is none', 'number', `UPDATE case_details SET number = ''`],
    ['a count beyond its log', 'count', `UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'marks'`],
    ['rows that refer to nothing', 'refer', `UPDATE evidence SET latest_analysis = 77 WHERE id = 1`],
    ['a mark of no item', 'refer', `UPDATE marks SET evidence_id = 77`],
  ];
  it.each(rows)('is refused that holds %s', (_, named, sql) => {
    forgeRows((db) => db.exec(sql));
    expect(refusedRebuild()).toContain(named);
    const other = testSession();
    const before = contents(folder);
    expect(() => CaseStore.open(folder, other)).toThrow(/damaged/);
    expect(contents(folder)).toEqual(before);
    // Where it is known, it can still be looked at, and nothing of it ends the program.
    const store = CaseStore.open(folder, session);
    expect(store.broken?.code).toBe('custody-broken');
    store.close();
  });

  it('is refused that holds text where a number belongs', () => {
    forge((db) => {
      inSchema(db, `UPDATE sqlite_master SET sql = replace(sql, ') STRICT', ')') WHERE name = 'marks'`);
    });
    const db = new Database(database());
    db.unsafeMode(true);
    db.exec(`UPDATE marks SET start_seconds = 'soon'`);
    inSchema(db, `UPDATE sqlite_master SET sql = sql || ' STRICT' WHERE name = 'marks'`);
    db.close();
    expect(refusedRebuild()).toMatch(/marks holds in start_seconds/);
  });

  it('is refused where it is a link, or copies of evidence are', () => {
    const outside = join(testFolder(), 'outside');
    mkdirSync(outside);
    const place = join(testFolder(), 'link');
    mkdirSync(place);
    symlinkSync(database(), join(place, 'case.sqlite'));
    expect(() => CaseStore.open(place, testSession())).toThrow(/is a link/);
    expect(readdirSync(place)).toEqual(['case.sqlite']);
    rmSync(join(folder, copy));
    writeFileSync(join(outside, 'secret'), 'of someone else');
    symlinkSync(join(outside, 'secret'), join(folder, copy));
    expect(() => CaseStore.open(folder, testSession())).toThrow(/leads out of its folder/);
    // A case of ours, whose copy was replaced: told, and the copy is not opened.
    const store = CaseStore.open(folder, session);
    expect(() => store.evidence.file(2)).toThrow(/leads out of its folder/);
    store.close();
    const { checks } = verifyRecords({ folder, home: session.library.home });
    expect(checks.some(({ subject, holds }) => subject === 'evidence' && !holds)).toBe(true);
    rmSync(join(folder, 'evidence'), { recursive: true });
    symlinkSync(outside, join(folder, 'evidence'));
    expect(() => CaseStore.open(folder, testSession())).toThrow(/a link that leads elsewhere/);
    // Also of a case of ours, whose evidence someone put on another drive: what to do is said.
    expect(() => CaseStore.open(folder, session)).toThrow(
      expect.objectContaining({
        code: 'damaged',
        advice: expect.stringMatching(/whole folder.*without copying/) as string,
      }),
    );
    // The folder itself lies behind a link: that is where the case is.
    rmSync(join(folder, 'evidence'));
    const elsewhere = join(testFolder(), 'drive');
    symlinkSync(folder, elsewhere);
    CaseStore.open(elsewhere, session).close();
  });
});

describe('a drive on which files are numbered anew', () => {
  /** The same bytes under another number, as on a share that is connected again. */
  function renumber(): void {
    copyFileSync(database(), `${database()}.new`);
    renameSync(`${database()}.new`, database());
  }

  function rebuilds(): number {
    const store = CaseStore.open(folder, session);
    const { rows } = store.log.rows({ offset: 0, limit: 1000 });
    store.close();
    return rows.filter(({ action }) => action === 'rebuilt').length;
  }

  it('has its case built anew once, and then told by its content', () => {
    expect(rebuilds()).toBe(0);
    for (let time = 0; time < 3; time++) {
      renumber();
      expect(rebuilds()).toBe(1);
    }
    // What was changed past the log is found as before.
    forge((db) => db.exec(`UPDATE evidence SET scan = 'queued'`));
    renumber();
    expect(rebuilds()).toBe(2);
    forge((db) => db.exec(`UPDATE evidence SET notes = 'forged'`));
    renumber();
    const store = CaseStore.open(folder, session);
    expect(store.broken?.code).toBe('custody-broken');
    store.close();
  });

  it('is reported from a copy that was put in the place of an open case', () => {
    const store = CaseStore.open(folder, session);
    expect(store.lost()).toBeNull();
    renumber();
    expect(store.lost()).toMatchObject({ code: 'missing' });
    store.close();
  });
});

describe('work', () => {
  const foreign = `
    INSERT INTO scans VALUES (2, '2026-01-01T00:00:00.000Z', NULL, '${'b'.repeat(64)}', '"mix"', NULL, 2, 'running', 0, NULL);
    INSERT INTO scan_queue SELECT id, 2 FROM evidence;
    UPDATE evidence SET scan = 'queued';
    INSERT INTO intakes VALUES (3, '2026-01-01T00:00:00.000Z', '{"paths":["/etc"],"recursive":true}');
    INSERT INTO intakes VALUES (4, '2026-01-01T00:00:00.000Z', 'no JSON');`;

  it('that a case brings along does not start', () => {
    forgeRows((db) => db.exec(foreign));
    // A case that is as this installation left it but for that, and the same where nobody knows it.
    for (const who of [session, testSession()]) {
      const store = CaseStore.open(folder, who);
      expect(store.broken).toBeNull();
      expect([store.intakes.unfinished(), store.scans.unfinished(), store.scans.queuedFor(2)]).toEqual([[], [], []]);
      expect(store.evidence.rowsOf([1, 2]).map(({ scan }) => scan)).toEqual(['done', 'done']);
      expect(who.library.hasWork(store.id)).toBe(false);
      store.close();
    }
  });

  it('put into an open case goes when it is opened again, malformed or not', () => {
    const store = CaseStore.open(folder, session);
    forgeRows((db) => db.exec(foreign));
    expect([store.intakes.unfinished(), store.scans.unfinished()]).toEqual([[], []]);
    store.close();
    const again = CaseStore.open(folder, session);
    expect(again.broken).toBeNull();
    expect([again.intakes.unfinished(), again.scans.unfinished()]).toEqual([[], []]);
    again.close();
  });

  it('that was begun here goes on', () => {
    const store = CaseStore.open(folder, session);
    store.intakes.begin({ paths: ['/there'] });
    const request = { model: null, modelName: 'm', modelSha256: 'b'.repeat(64), channel: 'mix' as const, stream: null };
    const { scanId } = store.scans.begin(request, [1, 2]);
    expect(session.library.hasWork(store.id)).toBe(true);
    store.close();
    const again = CaseStore.open(folder, session);
    expect(again.intakes.unfinished()).toMatchObject([{ request: { paths: ['/there'] } }]);
    expect(again.scans.unfinished()).toMatchObject([{ id: scanId, left: 2, channel: 'mix' }]);
    again.scans.end(scanId, 'done');
    again.intakes.end(again.intakes.unfinished()[0].id);
    expect(session.library.hasWork(again.id)).toBe(false);
    again.close();
  });
});

describe('the highest row', () => {
  const request = (): { folder: string; home: string } => ({ folder, home: session.library.home });
  const highest = (of = request()): { holds: boolean; sentence: string } | undefined =>
    verifyRecords(of).checks.find(({ name }) => name === 'highest row seen here');

  it('is known by the case, wherever its folder lies: an older copy is reported', async () => {
    const older = join(testFolder(), 'copy');
    cpSync(folder, older, { recursive: true });
    const store = CaseStore.open(folder, session);
    store.update({ notes: 'more' });
    // With every transaction, not only when it is closed.
    expect(session.library.head(store.id)).toMatchObject(store.head);
    expect(highest({ ...request(), folder: older })).toMatchObject({ holds: false });
    store.close();
    expect(highest({ ...request(), folder: older })?.sentence).toContain('older copy');
    const opened = CaseStore.open(older, session);
    expect(opened.broken?.message).toContain('older copy');
    expect(() => opened.update({ notes: 'other' })).toThrow(/not intact/);
    opened.close();
    expect(highest()).toMatchObject({ holds: true });
  });

  it('tells two copies that went different ways', () => {
    const second = join(testFolder(), 'copy');
    cpSync(folder, second, { recursive: true });
    const other = testSession(undefined, 'Ben Other');
    const theirs = CaseStore.open(second, other);
    theirs.update({ notes: 'theirs' });
    theirs.update({ notes: 'theirs, and more' });
    theirs.close();
    CaseStore.open(folder, session).close();
    expect(highest({ ...request(), folder: second })?.sentence).toContain('went another way');
    const opened = CaseStore.open(second, session);
    expect(opened.broken?.message).toContain('went another way');
    opened.close();
  });

  it('tells a write-ahead log that was torn', () => {
    const store = CaseStore.open(folder, session);
    store.update({ notes: 'one' });
    store.update({ notes: 'two' });
    const torn = join(testFolder(), 'torn');
    cpSync(folder, torn, { recursive: true });
    const wal = join(torn, 'case.sqlite-wal');
    truncateSync(wal, Math.floor(readFileSync(wal).length / 2));
    rmSync(join(torn, 'case.sqlite-shm'), { force: true });
    store.close();
    expect(highest({ ...request(), folder: torn })).toMatchObject({ holds: false });
    const opened = CaseStore.open(torn, session);
    expect(opened.broken?.message).toContain('latest transactions were lost');
    opened.close();
  });

  it('is not kept of a transaction that failed', () => {
    const store = CaseStore.open(folder, session);
    const { head } = store;
    expect(() => store.evidence.add([{ ...evidenceFor(database()), sha256: null as unknown as string }])).toThrow();
    expect(store.head).toEqual(head);
    expect(session.library.head(store.id)).toMatchObject(head);
    store.close();
  });

  it('of a case that another installation went on with is taken over, after all of it was checked', () => {
    const other = testSession(undefined, 'Ben Other');
    const theirs = CaseStore.open(folder, other);
    theirs.update({ notes: 'theirs' });
    theirs.close();
    // Here, their key is not known.
    const back = CaseStore.open(folder, session);
    expect(back.broken?.message).toContain('none of those that this case was signed with');
    back.close();
  });
});

describe('an archive', () => {
  async function archiveOf(changes: object = {}, path = database()): Promise<string> {
    const store = CaseStore.read(folder);
    const { id, head } = store;
    store.close();
    const files = { 'case.sqlite': readFileSync(path), [copy]: readFileSync(join(folder, copy)) };
    const manifest = {
      archive: 'earwitness case',
      format: 1,
      application: 'earwitness 0.0.0',
      time: '2026-01-01T00:00:00.000Z',
      caseId: id,
      number: '2026/1',
      head,
      files: Object.entries(files).map(([name, bytes]) => ({
        path: name,
        sizeBytes: bytes.length,
        sha256: sha256Hex(bytes),
      })),
      ...changes,
    };
    const zip = new yazl.ZipFile();
    zip.addBuffer(Buffer.from(JSON.stringify(manifest)), 'manifest.json');
    for (const [name, bytes] of Object.entries(files)) zip.addBuffer(bytes, name);
    zip.end();
    const out = join(testFolder(), 'case.zip');
    await pipeline(zip.outputStream, createWriteStream(out));
    return out;
  }

  /** It is refused, and neither list, folders nor what is known of logs has changed. */
  async function refusal(archive: string, who = testSession()): Promise<string> {
    const cases = join(who.library.home, 'cases');
    const before = { known: who.library.list(), files: existsSync(cases) ? contents(cases) : null };
    const head = (id: string): unknown => who.library.head(id);
    const read = CaseStore.read(folder);
    const { id } = read;
    read.close();
    const headBefore = head(id);
    const error = await importCase(archive, cases, who).then(
      (store) => {
        store.close();
        return new Error('it was taken in');
      },
      (thrown: Error) => thrown,
    );
    expect({ known: who.library.list(), files: existsSync(cases) ? contents(cases) : null }).toEqual(before);
    expect(head(id)).toEqual(headBefore);
    return error.message;
  }

  it('whose manifest says other than its database, or what steers terminals, is refused', async () => {
    const other = '3b241101-e2bb-4255-8caf-4136c566a962';
    expect(await refusal(await archiveOf({ caseId: other }))).toContain('names another case');
    expect(await refusal(await archiveOf({ number: '2026/2' }))).toContain('names another case');
    const read = CaseStore.read(folder);
    const { head } = read;
    read.close();
    expect(await refusal(await archiveOf({ head: { ...head, rows: head.rows - 1 } }))).toContain('another head');
    expect(await refusal(await archiveOf({ application: 'earwitness\u001b[31m' }))).toContain('no exported case');
    expect(await refusal(await archiveOf({ time: 'now\u202e' }))).toContain('no exported case');
  });

  it('whose database was altered is refused', async () => {
    forge((db) => db.exec(`CREATE TRIGGER more AFTER INSERT ON evidence BEGIN UPDATE evidence SET name = 'x'; END`));
    expect(await refusal(await archiveOf())).toContain('does not belong there');
  });

  it('of a case that is here already under an id that its manifest hides is refused', async () => {
    const archive = await archiveOf({ caseId: '3b241101-e2bb-4255-8caf-4136c566a962' });
    expect(await refusal(archive, session)).toContain('names another case');
  });

  it('that is older than what is known here is taken in only when that is asked for, and the log says so', async () => {
    const store = CaseStore.open(folder, session);
    const archive = join(testFolder(), 'case.zip');
    await exportCase(store, archive);
    store.update({ notes: 'after the export' });
    const { head, id } = store;
    store.close();
    rmSync(folder, { recursive: true });
    const cases = join(session.library.home, 'cases');
    await expect(importCase(archive, cases, session)).rejects.toMatchObject({ code: 'older' });
    expect(session.library.head(id)).toMatchObject(head);
    const taken = await importCase(archive, cases, session, { older: true });
    expect(taken.broken).toBeNull();
    expect(taken.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({
      action: 'imported',
      summary: expect.stringContaining('lacks rows') as string,
      details: { lacking: head },
    });
    taken.close();
  });

  it('of a case that was deleted here is taken in, and the log tells of the deletion', async () => {
    const store = CaseStore.open(folder, session);
    const archive = join(testFolder(), 'case.zip');
    await exportCase(store, archive);
    await deleteCase(store, session, { confirmNumber: '2026/1', reason: 'a test' });
    const taken = await importCase(archive, join(session.library.home, 'cases'), session);
    expect(taken.log.rows({ offset: 0, limit: 1 }).rows[0].summary).toContain('It was deleted here on');
    taken.update({ notes: 'goes on' });
    taken.close();
    const { checks } = verifyRecords({ folder: taken.folder, home: session.library.home });
    expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  });
});

it('verify ties an item to the row of its intake, also against whoever has the key', () => {
  const db = new Database(database());
  db.pragma('foreign_keys = OFF');
  const row = db.prepare<[], StoredEvidence>('SELECT * FROM evidence WHERE id = 1').get() as StoredEvidence;
  const metadata = db
    .prepare<[], StoredMetadata>('SELECT metadata, audio FROM evidence_metadata WHERE evidence_id = 1')
    .get() as StoredMetadata;
  const caseId = db.prepare<[], string>('SELECT case_id FROM case_details').pluck().get() as string;
  const swapped = { ...row, name: 'other.wav', sha256: 'c'.repeat(64), size_bytes: 5 };
  db.prepare('UPDATE evidence SET name = $name, sha256 = $sha256, size_bytes = $size_bytes WHERE id = 1').run({
    name: swapped.name,
    sha256: swapped.sha256,
    size_bytes: 5,
  });
  db.transaction(() => {
    const writer = new CustodyWriter(db, caseId, session.library.key);
    const details = { changes: {}, recordSha256: evidenceRecordSha256(swapped, metadata) };
    const entry = { time: new Date().toISOString(), actor: 'Ada', action: 'evidence-updated', evidenceId: 1 };
    writer.sign(writer.append(lastRow(db), { ...entry, summary: 'Changed notes of other.wav.', details }));
  })();
  db.close();
  const { checks } = verifyRecords({ folder, home: session.library.home });
  const sentences = checks.filter(({ holds }) => !holds).map(({ sentence }) => sentence);
  expect(sentences).toContain(`Of item 1, the log's intake has another name, sizeBytes, sha256.`);
});

describe('a database under an open case', () => {
  it('that is deleted or replaced is reported at the next write, which is not made', () => {
    const store = CaseStore.open(folder, session);
    const aside = join(testFolder(), 'aside.sqlite');
    cpSync(database(), aside);
    rmSync(database());
    expect(() => store.update({ notes: 'lost' })).toThrow(/was deleted or moved away/);
    expect(store.summary().problem).toMatchObject({ code: 'missing' });
    cpSync(aside, database());
    expect(() => store.update({ notes: 'lost' })).toThrow(/replaced by another/);
    store.close();
  });
});

describe('the key of the installation', () => {
  const key = (): string => join(session.library.home, 'installation-key.pem');

  it('that is gone is reported; none is made in silence, and verify needs none and writes nothing', async () => {
    const { home } = session.library;
    session.library.close();
    rmSync(key());
    const before = [contents(home), contents(folder)];
    const { intact, signer } = await withFiles(verifyRecords({ folder, home }));
    expect([intact, signer.verdict]).toEqual([true, 'known']);
    expect([contents(home), contents(folder)]).toEqual(before);
    const again = testSession(home);
    expect(() => CaseStore.open(folder, again)).toThrow(/is gone/);
    expect(existsSync(key())).toBe(false);
    again.library.replaceKey();
    const store = CaseStore.open(folder, again);
    expect(store.broken).toBeNull();
    expect(store.log.rows({ offset: 0, limit: 3 }).rows.map(({ action }) => action)).toContain('signer-changed');
    store.close();
  });

  it('that was exchanged or damaged is reported', () => {
    const { home } = session.library;
    session.library.close();
    copyFileSync(join(otherHome(), 'installation-key.pem'), key());
    expect(() => testSession(home).library.key).toThrow(/is another key/);
    writeFileSync(key(), 'no key');
    expect(() => testSession(home).library.key).toThrow(/does not hold the key/);
  });

  function otherHome(): string {
    const { library } = testSession();
    expect(library.key.publicKey).not.toBe('');
    return library.home;
  }
});

it('a list of cases that is damaged is reported as that', () => {
  const { home } = session.library;
  session.library.close();
  writeFileSync(join(home, 'library.sqlite'), 'no database, but long enough to be taken for one'.repeat(100));
  rmSync(join(home, 'library.sqlite-wal'), { force: true });
  expect(() => testSession(home)).toThrow(/The list of cases, .* is damaged/);
  expect(() => verifyRecords({ folder, home })).toThrow(/The list of cases, .* is damaged/);
});

it('a new case has no backups of formats that it never had', () => {
  expect(readdirSync(folder).filter((name) => name.includes('backup'))).toEqual([]);
});
