/** What a case's database defines, compared with what Earwitness makes. */
import Database from 'better-sqlite3';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import { migrations } from './migrations/index.ts';

/** Without its tables a database cannot even be looked at; other differences are for those who verify. */
export function requireTables(path: string, db: Database.Database): void {
  const difference = schemaDifferences(db).find((sentence) => sentence.startsWith('the table '));
  if (difference === undefined) return;
  throw new UserFacingError('damaged', `${path} is damaged: ${difference}.`, {
    path,
    advice: 'Restore the case from an export or a copy; leave the damaged one as it is until then.',
  });
}

interface SchemaObject {
  type: string;
  name: string;
  tbl_name: string;
  sql: string | null;
}

/** Every object that a database defines, whatever its name. By this name of the table, which no other object can take. */
function schemaOf(db: Database.Database): SchemaObject[] {
  return db.prepare<[], SchemaObject>('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid').all();
}

/** A database as it is made anew in a format, without a row. */
export function freshDatabase(path: string, format: number): Database.Database {
  const db = new Database(path);
  // At once: on its own, each statement would be written through to the disk.
  db.transaction(() => {
    for (const sql of migrations.slice(0, format)) db.exec(sql);
  })();
  return db;
}

const expectedSchemas = new Map<number, SchemaObject[]>();

function expectedSchema(format: number): SchemaObject[] {
  let expected = expectedSchemas.get(format);
  if (!expected) {
    const fresh = freshDatabase(':memory:', format);
    expectedSchemas.set(format, (expected = schemaOf(fresh)));
    fresh.close();
  }
  return expected;
}

/**
 * What in a database is not as Earwitness builds it: guards taken away, tables or triggers changed or added, whatever they are called.
 * @param format of the database; the newest if it is not given
 */
export function schemaDifferences(db: Database.Database, format = migrations.length): string[] {
  const differences: string[] = [];
  const found = new Map<string, SchemaObject>();
  for (const object of schemaOf(db)) {
    if (found.has(object.name)) differences.push(`there are two objects ${shownName(object.name)}`);
    found.set(object.name, object);
  }
  const expected = expectedSchema(format);
  for (const { name, type, tbl_name, sql } of expected) {
    const there = found.get(name);
    found.delete(name);
    if (!there) differences.push(`the ${type} ${name} is missing`);
    else if (there.type !== type || there.sql !== sql || there.tbl_name !== tbl_name) {
      differences.push(`the ${type} ${name} is not as it was made`);
    }
  }
  for (const { name, type } of found.values()) {
    differences.push(`there is a ${shownName(type)} ${shownName(name)} that does not belong there`);
  }
  return differences;
}

/** A name that someone else chose. */
function shownName(name: string): string {
  return visibleName(String(name).slice(0, 100));
}
