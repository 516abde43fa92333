/** A case from elsewhere is not believed: what its database says is read row by row and written into one that is made here. */
import { rmSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { derivedColumns, nameKeyOf, storedAudio } from './evidence-table.ts';
import { telling } from '../base/sqlite.ts';
import { alteredDatabase, createDatabase, openUntrusted } from './database.ts';
import { rowSchemas, workingTables } from './rows.ts';

/** The one table of SQLite's own that a case has: the highest id that was given in each table. */
const sequenceTable = 'sqlite_sequence';

type Row = Record<string, unknown>;

/** What a case says of itself, read from a database that is not trusted. */
export interface UntrustedIdentity {
  caseId: string;
  number: string;
}

/**
 * Reads every known table of a database that others wrote, checks each row, and writes a fresh database from them. Objects, columns and
 * working tables that it brings along stay behind: scans and intakes that were under way elsewhere do not go on here.
 * @param source read only, also beside its writer
 * @param target a new file
 * @param shown the path that errors name
 * @throws UserFacingError `damaged` naming the first thing that does not belong there, `newer-version`; the target is gone then.
 */
export function rebuildDatabase(source: string, target: string, shown = source): UntrustedIdentity {
  const { db: from, format } = openUntrusted(source);
  let to: Database.Database | null = null;
  try {
    to = createDatabase(target, format);
    const fresh = to;
    const identity = telling(shown, () =>
      from.transaction(() => {
        fresh.exec('BEGIN IMMEDIATE');
        for (const table of tablesOf(fresh)) if (!workingTables.has(table)) copyTable(shown, table, from, fresh);
        restore(shown, from, fresh);
        fresh.exec('COMMIT');
        return identityOf(shown, fresh);
      })(),
    );
    fresh.close();
    return identity;
  } catch (error) {
    to?.close();
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(target + end, { force: true });
    throw error;
  } finally {
    from.close();
  }
}

function tablesOf(db: Database.Database): string[] {
  const sql = `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> '${sequenceTable}' ORDER BY rowid`;
  return db.prepare<[], string>(sql).pluck().all();
}

function columnsOf(db: Database.Database, table: string): string[] {
  return db.prepare<[string], string>('SELECT name FROM pragma_table_info(?) ORDER BY cid').pluck().all(table);
}

function copyTable(shown: string, table: string, from: Database.Database, to: Database.Database): void {
  const columns = columnsOf(to, table);
  const list = columns.join(', ');
  const insert = to.prepare(`INSERT INTO ${table} (${list}) VALUES (${columns.map(() => '?').join(', ')})`);
  // The log takes its rows in order only.
  const order = table === 'custody_log' ? 'position' : 'rowid';
  let count = 0;
  // Not by an index, which may say something else than the table.
  for (const row of from.prepare<[], Row>(`SELECT ${list} FROM ${table} NOT INDEXED ORDER BY ${order}`).iterate()) {
    count++;
    const wrong = columns.find((column) => !rowSchemas[table][column].safeParse(row[column]).success);
    if (wrong !== undefined) {
      throw alteredDatabase(shown, `row ${count} of its table ${table} holds in ${wrong} what cannot be there`);
    }
    insert.run(columns.map((column) => row[column]));
  }
}

/** What follows from the rows, and what was under way. */
function restore(shown: string, from: Database.Database, to: Database.Database): void {
  to.exec(`UPDATE evidence SET scan = CASE WHEN latest_analysis IS NULL THEN 'none' WHEN error IS NOT NULL THEN 'failed'
             ELSE 'done' END WHERE scan = 'queued'`);
  const names = to.prepare<[], { id: number; name: string; latest_analysis: number | null; audio: string | null }>(
    'SELECT id, name, latest_analysis, audio FROM evidence LEFT JOIN evidence_metadata ON evidence_id = id',
  );
  const update = to.prepare('UPDATE evidence SET name_key = ? WHERE id = ?');
  const search = to.prepare('UPDATE evidence SET search_text = ? WHERE id = ?');
  for (const { id, name, latest_analysis, audio } of names.all()) {
    update.run(nameKeyOf(name), id);
    if (latest_analysis === null) search.run(derivedColumns(name, null, storedAudio(audio)).search_text, id);
  }
  if (to.prepare('PRAGMA foreign_key_check').get() !== undefined) {
    throw alteredDatabase(shown, 'some of its rows refer to what is not there');
  }
  restoreSequence(shown, from, to);
}

/** Ids are never given twice, also of what was taken out; each was logged, so there cannot be more of them than rows of the log. */
function restoreSequence(shown: string, from: Database.Database, to: Database.Database): void {
  const rows = to.prepare<[], number>('SELECT count(*) FROM custody_log').pluck().get() as number;
  const highest = from.prepare<[string], unknown>(`SELECT seq FROM ${sequenceTable} WHERE name = ?`).pluck();
  for (const table of ['evidence', 'analyses', 'marks', 'scans']) {
    const given = highest.get(table) ?? 0;
    if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < 0 || given > rows) {
      throw alteredDatabase(shown, `the count of its table ${table} is none that its log accounts for`);
    }
    const own = to.prepare<[], number | null>(`SELECT max(rowid) FROM ${table}`).pluck().get() ?? 0;
    to.prepare(`DELETE FROM ${sequenceTable} WHERE name = ?`).run(table);
    to.prepare(`INSERT INTO ${sequenceTable} VALUES (?, ?)`).run(table, Math.max(given, own));
  }
}

function identityOf(shown: string, db: Database.Database): UntrustedIdentity {
  const row = db.prepare<[], UntrustedIdentity>('SELECT case_id AS caseId, number FROM case_details').get();
  if (!row) throw alteredDatabase(shown, 'it holds no case');
  return row;
}
