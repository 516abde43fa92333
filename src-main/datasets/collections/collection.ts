/** A laboratory's labelled recordings as a catalogue: entries and their edits, splits, versions that stay, removals that leave a row. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import { filterFields } from '../../../src-common/collection-fields.ts';
import type { FilterField } from '../../../src-common/collection-fields.ts';
import { entryFields, entryMeasuresSchema } from '../../../src-common/schemas/collection.ts';
import type {
  CollectionEntry,
  CollectionRemoval,
  CollectionSummary,
  CollectionVersion,
  EntryEdit,
  EntryField,
  EntryFilter,
  EntryMeasures,
} from '../../../src-common/schemas/collection.ts';
import { canonicalJson } from '../../base/canonical.ts';
import { UserFacingError } from '../../base/errors.ts';
import { unwritable } from '../../base/files.ts';
import { sha256 } from '../../base/sha256.ts';
import { telling } from '../../base/sqlite.ts';
import { bySplit, plural, someOf } from '../words.ts';
import { createFile, openFile } from './format.ts';
import { collectionName } from './places.ts';

/** An entry as a version keeps it: the recording by its hash, and what is stated and measured of it. */
const frozenFields = [
  ...(['sha256', 'seconds', 'sampleRateHz', 'bandwidthHz', 'format'] as const),
  ...(['label', 'split', 'generator', 'speaker', 'source', 'chain', 'codec'] as const),
  ...(['language', 'quality', 'year', 'kind', 'transmission'] as const),
] satisfies (keyof CollectionEntry)[];
type FrozenRow = Pick<CollectionEntry, (typeof frozenFields)[number]>;

/** A row of a list that is used, with where its recording lies and until when it may be used. */
export interface UsedRow extends FrozenRow {
  id: number;
  path: string;
  retainUntil: string | null;
}

/** A list of entries: of a version, or as they are now. */
export interface UsedList {
  rows: UsedRow[];
  sha256: string;
  /** Of a version: what was removed from the collection since, by its reason. */
  removed: CollectionRemoval[];
}

export type NewEntry = EntryMeasures & Partial<EntryEdit> & Pick<CollectionEntry, 'path' | 'label'>;

export interface Added {
  added: number;
  /** Recordings that are in the collection already; those that have moved are found at their new places from now on. */
  known: number;
  moved: number;
}

const column = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const selected = (fields: readonly string[]): string =>
  fields.map((field) => (column(field) === field ? field : `${column(field)} AS ${field}`)).join(', ');

const measures = Object.keys(entryMeasuresSchema.shape) as (keyof EntryMeasures)[];
const entryColumns = ['id', 'path', ...measures, ...entryFields, 'addedAt', 'addedBy'];
const entrySql = `SELECT ${selected(entryColumns)} FROM entries`;

/** Of the file that lies there; null where none can be found. */
function sizeOf(path: string): number | null {
  try {
    return statSync(path).size;
  } catch {
    return null;
  }
}

/** Today, as days of retention are written. */
function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** The hash of a list: of its rows' hashes, sorted, one a line. */
function listHash(rowHashes: readonly string[]): string {
  return sha256([...rowHashes].sort().join('\n'));
}

function frozen(row: FrozenRow): string {
  return canonicalJson(Object.fromEntries(frozenFields.map((field) => [field, row[field]])));
}

/** A filter as a condition on `entries` and its parameters. */
function whereOf({ values, retention, consent, text }: EntryFilter): { sql: string; given: string[] } {
  const parts: string[] = [];
  const given: string[] = [];
  for (const field of filterFields) {
    const wanted = values[field];
    if (wanted === undefined || wanted.length === 0) continue;
    const named = wanted.filter((value) => value !== null);
    const choices = [
      ...(named.length > 0 ? [`${field} IN (${named.map(() => '?').join(', ')})`] : []),
      ...(named.length < wanted.length ? [`${field} IS NULL`] : []),
    ];
    parts.push(`(${choices.join(' OR ')})`);
    given.push(...named);
  }
  if (retention !== undefined) {
    parts.push(retention === 'past' ? 'retain_until < ?' : '(retain_until IS NULL OR retain_until >= ?)');
    given.push(today());
  }
  if (consent !== undefined) parts.push(`consent_kind IS ${consent === 'missing' ? '' : 'NOT '}NULL`);
  if (text.trim() !== '') {
    const places = ['path', 'speaker', 'source', 'generator', 'consent_reference', 'note'];
    parts.push(`(${places.map((place) => `instr(lower_case(${place}), ?) > 0`).join(' OR ')})`);
    given.push(...places.map(() => text.trim().toLowerCase()));
  }
  return { sql: parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`, given };
}

interface Shared {
  by: 'speaker' | 'source';
  name: string;
  splits: string[];
}

const sharedWords = (shared: readonly Shared[]): string =>
  someOf(
    shared.map(({ by, name, splits }) => `${by} ${name} (${splits.join(', ')})`),
    3,
  );

export class Collection {
  readonly path: string;
  readonly #db: Database.Database;

  private constructor(path: string, db: Database.Database) {
    this.path = path;
    this.#db = db;
  }

  /** @throws UserFacingError `exists`, `unwritable` */
  static create(path: string, { note = '', by }: { note?: string; by: string }): Collection {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw unwritable(path, error);
    }
    return new Collection(path, createFile(path, { note, at: new Date().toISOString(), by }));
  }

  /** @throws UserFacingError `missing`, `damaged`, `newer-version`, `collection-busy` */
  static open(path: string): Collection {
    return new Collection(path, openFile(path));
  }

  close(): void {
    this.#db.close();
  }

  get name(): string {
    return collectionName(this.path);
  }

  #telling<T>(use: () => T): T {
    return telling(this.path, use, 'collection');
  }

  /** Whole or not at all, and by one program at a time. */
  #writing<T>(use: () => T): T {
    return this.#telling(() => this.#db.transaction(use).immediate());
  }

  #wrong(message: string, advice: string): UserFacingError {
    return new UserFacingError('collection', message, { path: this.path, advice });
  }

  entries(filter: EntryFilter, page?: { offset: number; limit: number }): CollectionEntry[] {
    const { sql, given } = whereOf(filter);
    const { offset, limit } = page ?? { offset: 0, limit: -1 };
    return this.#telling(
      () =>
        this.#db
          .prepare(`${entrySql}${sql} ORDER BY id LIMIT ? OFFSET ?`)
          .all(...given, limit, offset) as CollectionEntry[],
    );
  }

  /** How many entries there are, of all or of those that a filter chooses. */
  count(filter?: EntryFilter): number {
    const { sql, given } = filter ? whereOf(filter) : { sql: '', given: [] };
    return this.#telling(
      () =>
        this.#db
          .prepare(`SELECT count(*) FROM entries${sql}`)
          .pluck()
          .get(...given) as number,
    );
  }

  ids(filter: EntryFilter): number[] {
    const { sql, given } = whereOf(filter);
    return this.#telling(
      () =>
        this.#db
          .prepare(`SELECT id FROM entries${sql} ORDER BY id`)
          .pluck()
          .all(...given) as number[],
    );
  }

  /** The values that a field has, with how many entries have each, the most frequent first. */
  values(field: FilterField): { value: string | null; entries: number }[] {
    const sql = `SELECT ${field} AS value, count(*) AS entries FROM entries GROUP BY ${field} ORDER BY entries DESC, value`;
    return this.#telling(() => this.#db.prepare(sql).all() as { value: string | null; entries: number }[]);
  }

  #shared(): Shared[] {
    return (['speaker', 'source'] as const).flatMap((by) => {
      const sql = `SELECT ${by} AS name, json_group_array(DISTINCT split) AS splits FROM entries
        WHERE ${by} IS NOT NULL AND split IS NOT NULL GROUP BY ${by} HAVING count(DISTINCT split) > 1 ORDER BY ${by}`;
      const found = this.#db.prepare(sql).all() as { name: string; splits: string }[];
      return found.map(({ name, splits }) => ({ by, name, splits: (JSON.parse(splits) as string[]).sort(bySplit) }));
    });
  }

  /** Runs a change. @throws UserFacingError `shared-split` where it puts a speaker or a source into several splits that stood in one */
  #keepingApart<T>(sharing: boolean, change: () => T): T {
    if (sharing) return change();
    const key = ({ by, name, splits }: Shared): string => JSON.stringify([by, name, splits]);
    const before = new Set(this.#shared().map(key));
    const result = change();
    const shared = this.#shared().filter((one) => !before.has(key(one)));
    if (shared.length === 0) return result;
    throw new UserFacingError(
      'shared-split',
      `${plural(shared.length, 'speaker or source', 'speakers and sources')} would stand in several splits: ${sharedWords(shared)}. Nothing was changed.`,
      {
        path: this.path,
        advice: 'Put all of their recordings into one split, or say that it is meant (--shared on the command line).',
      },
    );
  }

  /**
   * Adds entries, all or none.
   * @param options.sharing whether speakers and sources may come to stand in several splits
   * @throws UserFacingError `collection` for a recording that is catalogued with another label, or has changed; `shared-split`
   */
  add(entries: readonly NewEntry[], { by, sharing = false }: { by: string; sharing?: boolean }): Added {
    const fields = ['path', ...measures, ...entryFields, 'addedAt', 'addedBy'];
    return this.#writing(() =>
      this.#keepingApart(sharing, () => {
        const insert = this.#db.prepare(
          `INSERT INTO entries (${fields.map(column).join(', ')}) VALUES (${fields.map(() => '?').join(', ')})`,
        );
        const bySha256 = this.#db.prepare<[string], Pick<CollectionEntry, 'id' | 'path' | 'label' | 'sizeBytes'>>(
          'SELECT id, path, label, size_bytes AS sizeBytes FROM entries WHERE sha256 = ?',
        );
        const byPath = this.#db.prepare<[string], number>('SELECT id FROM entries WHERE path = ?').pluck();
        const move = this.#db.prepare('UPDATE entries SET path = ? WHERE id = ?');
        const changed = (path: string, id: number): UserFacingError =>
          this.#wrong(
            `${path} has changed since it was added to ${this.name} as entry ${id}. Nothing was added.`,
            'Bring the recording back as it was, or remove that entry first.',
          );
        const found = new Map(entries.map(({ path, sha256: hash }) => [path, hash]));
        const moves = new Map<number, string>();
        for (const { path, sha256: hash } of entries) {
          const same = bySha256.get(hash);
          if (!same || same.path === path || moves.has(same.id)) continue;
          const heard = found.get(same.path);
          const isThere = heard === undefined ? sizeOf(same.path) === same.sizeBytes : heard === hash;
          if (!isThere) moves.set(same.id, path);
        }
        // Files that were numbered anew stand at each other's places: all leave theirs before one takes another's.
        for (const id of moves.keys()) move.run(`moving ${id}`, id);
        for (const [id, path] of moves) {
          const there = byPath.get(path);
          if (there !== undefined) throw changed(path, there);
          move.run(path, id);
        }
        const made = { addedAt: new Date().toISOString(), addedBy: by };
        const count: Added = { added: 0, known: 0, moved: moves.size };
        for (const entry of entries) {
          const same = bySha256.get(entry.sha256);
          if (same && same.label !== entry.label) {
            throw this.#wrong(
              `${entry.path} is entry ${same.id} of ${this.name} already, as ${same.label}. Nothing was added.`,
              `Edit that entry's label, or leave the recording out.`,
            );
          }
          if (same) {
            count.known++;
            continue;
          }
          const there = byPath.get(entry.path);
          if (there !== undefined) throw changed(entry.path, there);
          const row: Record<string, unknown> = { ...entry, ...made };
          insert.run(...fields.map((field) => row[field] ?? null));
          count.added++;
        }
        return count;
      }),
    );
  }

  /** Makes changes as one edit, which can be undone. @returns how many entries are others than before */
  #edit(
    changes: Iterable<[number, Partial<EntryEdit>]>,
    options: { what: string; by: string; sharing: boolean },
  ): number {
    return this.#writing(() =>
      this.#keepingApart(options.sharing, () => {
        const read = this.#db.prepare<[number], CollectionEntry>(`${entrySql} WHERE id = ?`);
        const edited: { id: number; before: Partial<EntryEdit>; after: Partial<EntryEdit> }[] = [];
        for (const [id, wanted] of changes) {
          const entry = read.get(id);
          if (!entry) {
            throw this.#wrong(
              `${this.name} has no entry ${id}. Nothing was changed.`,
              '“collection show” lists its entries.',
            );
          }
          const fields = (Object.keys(wanted) as EntryField[]).filter((field) => wanted[field] !== entry[field]);
          if (fields.length === 0) continue;
          const of = (from: Partial<EntryEdit>): Partial<EntryEdit> =>
            Object.fromEntries(fields.map((field) => [field, from[field] ?? null]));
          edited.push({ id, before: of(entry), after: of(wanted) });
        }
        if (edited.length === 0) return 0;
        // What was undone cannot be done again beside what comes now.
        this.#db.exec(
          'DELETE FROM edited_rows WHERE edit_id IN (SELECT id FROM edits WHERE undone_at IS NOT NULL); DELETE FROM edits WHERE undone_at IS NOT NULL;',
        );
        const { lastInsertRowid } = this.#db
          .prepare('INSERT INTO edits (at, by, what) VALUES (?, ?, ?)')
          .run(new Date().toISOString(), options.by, `${plural(edited.length, 'entry', 'entries')}: ${options.what}`);
        const keep = this.#db.prepare('INSERT INTO edited_rows VALUES (?, ?, ?, ?)');
        for (const { id, before, after } of edited) {
          this.#set(id, after);
          keep.run(lastInsertRowid, id, JSON.stringify(before), JSON.stringify(after));
        }
        return edited.length;
      }),
    );
  }

  #set(id: number, values: Partial<EntryEdit>): void {
    const fields = Object.keys(values) as EntryField[];
    this.#db
      .prepare(`UPDATE entries SET ${fields.map((field) => `${column(field)} = ?`).join(', ')} WHERE id = ?`)
      .run(...fields.map((field) => values[field]), id);
  }

  /**
   * Edits entries alike, as one edit.
   * @throws UserFacingError `collection` for an entry that is not there; `shared-split`
   */
  edit(
    ids: readonly number[],
    values: Partial<EntryEdit>,
    { by, sharing = false }: { by: string; sharing?: boolean },
  ): number {
    const what = (Object.keys(values) as EntryField[]).map(
      (field) => `${column(field).replaceAll('_', ' ')}: ${values[field] ?? 'nothing'}`,
    );
    return this.#edit(
      ids.map((id) => [id, values]),
      { what: what.join(', '), by, sharing },
    );
  }

  /** Puts entries into splits, as one edit. @throws UserFacingError `shared-split` */
  assignSplits(
    splits: ReadonlyMap<number, string | null>,
    { by, sharing = false }: { by: string; sharing?: boolean },
  ): number {
    return this.#edit(
      [...splits].map(([id, split]) => [id, { split }]),
      { what: 'splits', by, sharing },
    );
  }

  /** Takes back the latest edit. @returns what it was; null where there is none */
  undo(): string | null {
    return this.#turn('SELECT id, what FROM edits WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1', 'before');
  }

  /** Does again what was undone last. @returns what it was; null where there is none */
  redo(): string | null {
    return this.#turn('SELECT id, what FROM edits WHERE undone_at IS NOT NULL ORDER BY id LIMIT 1', 'after');
  }

  #turn(sql: string, to: 'before' | 'after'): string | null {
    return this.#writing(() => {
      const edit = this.#db.prepare<[], { id: number; what: string }>(sql).get();
      if (!edit) return null;
      const rows = this.#db
        .prepare<[number], { entry_id: number; before: string; after: string }>(
          'SELECT * FROM edited_rows WHERE edit_id = ?',
        )
        .all(edit.id);
      for (const row of rows) this.#set(row.entry_id, JSON.parse(row[to]) as Partial<EntryEdit>);
      const undoneAt = to === 'before' ? new Date().toISOString() : null;
      this.#db.prepare('UPDATE edits SET undone_at = ? WHERE id = ?').run(undoneAt, edit.id);
      return edit.what;
    });
  }

  /**
   * Removes entries: a row stays that says what was removed and why; versions keep the hashes of their rows, and nothing else of them. The
   * recordings themselves are not touched.
   * @throws UserFacingError `usage` without a reason; `collection` for an entry that is not there
   */
  remove(ids: readonly number[], { by, reason }: { by: string; reason: string }): number {
    if (reason.trim() === '') throw new UserFacingError('usage', 'What is removed needs a reason.');
    return this.#writing(() => {
      const at = new Date().toISOString();
      const leave = this.#db.prepare(
        'INSERT INTO removals SELECT id, path, sha256, label, ?, ?, ? FROM entries WHERE id = ?',
      );
      const forget = [
        'UPDATE version_rows SET row = NULL WHERE entry_id = ? AND row IS NOT NULL',
        'DELETE FROM edited_rows WHERE entry_id = ?',
        'DELETE FROM entries WHERE id = ?',
      ].map((sql) => this.#db.prepare(sql));
      for (const id of ids) {
        if (leave.run(at, by, reason.trim(), id).changes === 0) {
          throw this.#wrong(
            `${this.name} has no entry ${id}. Nothing was removed.`,
            '“collection show” lists its entries.',
          );
        }
        for (const statement of forget) statement.run(id);
      }
      this.#forgetEdits();
      return ids.length;
    });
  }

  /** An edit of which no entry is left goes, since its name says what was stated; another's name counts those that are left. */
  #forgetEdits(): void {
    this.#db.exec('DELETE FROM edits WHERE id NOT IN (SELECT edit_id FROM edited_rows)');
    const left = this.#db
      .prepare<[], { id: number; what: string; entries: number }>(
        'SELECT id, what, (SELECT count(*) FROM edited_rows WHERE edit_id = id) AS entries FROM edits',
      )
      .all();
    const name = this.#db.prepare('UPDATE edits SET what = ? WHERE id = ?');
    for (const { id, what, entries } of left) {
      name.run(what.replace(/^\d+ entr(?:y|ies)/, plural(entries, 'entry', 'entries')), id);
    }
  }

  /**
   * Freezes the entries as they are: what is edited later leaves the version as it is.
   * @param name the next number if it is not given
   * @throws UserFacingError `usage` for the name, `collection` where there is nothing to freeze, or a version has this list
   */
  freeze({ name, note = '', by }: { name?: string; note?: string; by: string }): CollectionVersion {
    if (name !== undefined && !/^[\p{L}\p{N}_-]{1,40}$/u.test(name)) {
      throw new UserFacingError('usage', `“${name}” can be no name of a version.`, {
        advice: 'It is made of at most 40 letters, digits, lines and underscores.',
      });
    }
    return this.#writing(() => {
      const versions = this.versions();
      const { rows, sha256: hash } = this.list(null);
      if (rows.length === 0) throw this.#wrong(`${this.name} holds no entries to freeze.`, 'Add recordings first.');
      const same = versions.find((version) => version.sha256 === hash);
      if (same) throw this.#wrong(`Version ${same.name} of ${this.name} has this list already.`, 'Use that one.');
      const numbers = versions.map((version) => (/^\d+$/.test(version.name) ? Number(version.name) : 0));
      const called = name ?? String(Math.max(0, ...numbers) + 1);
      if (versions.some((version) => version.name === called)) {
        throw this.#wrong(
          `${this.name} has a version ${called} already: a version stays as it is.`,
          'Choose another name, or leave it out for the next number.',
        );
      }
      const { lastInsertRowid } = this.#db
        .prepare('INSERT INTO versions (name, sha256, note, made_at, made_by) VALUES (?, ?, ?, ?, ?)')
        .run(called, hash, note, new Date().toISOString(), by);
      const insert = this.#db.prepare('INSERT INTO version_rows VALUES (?, ?, ?, ?)');
      for (const row of rows) {
        const text = frozen(row);
        insert.run(lastInsertRowid, row.id, text, sha256(text));
      }
      return this.versions().find((version) => version.name === called) as CollectionVersion;
    });
  }

  /** What the latest edit was, which can be undone; null where there is none. */
  latestEdit(): string | null {
    const sql = 'SELECT what FROM edits WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1';
    return this.#telling(() => (this.#db.prepare(sql).pluck().get() as string | undefined) ?? null);
  }

  /** What the edit was that `redo` makes again; null where there is none. */
  latestUndone(): string | null {
    const sql = 'SELECT what FROM edits WHERE undone_at IS NOT NULL ORDER BY id LIMIT 1';
    return this.#telling(() => (this.#db.prepare(sql).pluck().get() as string | undefined) ?? null);
  }

  versions(): CollectionVersion[] {
    return this.#telling(
      () =>
        this.#db
          .prepare(
            `SELECT name, sha256, note, made_at AS madeAt, made_by AS madeBy,
              (SELECT count(*) FROM version_rows WHERE version_id = versions.id) AS entries,
              (SELECT count(*) FROM version_rows WHERE version_id = versions.id AND row IS NULL) AS removed
            FROM versions ORDER BY id`,
          )
          .all() as CollectionVersion[],
    );
  }

  /**
   * The entries of a version, or (null) as they are now.
   * @throws UserFacingError `collection` where there is no such version; `damaged` where it is not as it was frozen
   */
  list(version: string | null): UsedList {
    return this.#telling(() => {
      if (version === null) {
        const rows = this.#db
          .prepare(`SELECT id, path, ${selected(frozenFields)}, retain_until AS retainUntil FROM entries ORDER BY id`)
          .all() as UsedRow[];
        return { rows, sha256: listHash(rows.map((row) => sha256(frozen(row)))), removed: [] };
      }
      const of = this.#db
        .prepare<[string], { id: number; sha256: string }>('SELECT id, sha256 FROM versions WHERE name = ?')
        .get(version);
      if (!of) {
        const names = this.versions().map(({ name }) => name);
        throw this.#wrong(
          `${this.name} has no version ${version}.`,
          names.length === 0 ? '“collection freeze” makes one.' : `Its versions are ${someOf(names, 12)}.`,
        );
      }
      interface Kept {
        id: number;
        row: string | null;
        sha256: string;
        path: string | null;
        retainUntil: string | null;
      }
      const kept = this.#db
        .prepare<[number], Kept>(
          `SELECT entry_id AS id, row, version_rows.sha256, path, retain_until AS retainUntil
          FROM version_rows LEFT JOIN entries ON entries.id = entry_id WHERE version_id = ? ORDER BY entry_id`,
        )
        .all(of.id);
      const altered = kept.find((one) => one.row !== null && (one.path === null || sha256(one.row) !== one.sha256));
      if (altered || listHash(kept.map((one) => one.sha256)) !== of.sha256) {
        throw new UserFacingError(
          'damaged',
          `Version ${version} of ${this.name} is not as it was frozen${altered ? `: entry ${altered.id} was altered` : ''}.`,
          { path: this.path, advice: 'Somebody changed it by other means. Restore the collection from a copy.' },
        );
      }
      const gone = new Set(kept.filter(({ row }) => row === null).map(({ id }) => id));
      return {
        rows: kept.flatMap(({ id, row, path, retainUntil }) =>
          row === null ? [] : [{ id, path: path as string, retainUntil, ...(JSON.parse(row) as FrozenRow) }],
        ),
        sha256: of.sha256,
        removed: this.removals().filter(({ entryId }) => gone.has(entryId)),
      };
    });
  }

  removals(): CollectionRemoval[] {
    return this.#telling(
      () =>
        this.#db
          .prepare(
            'SELECT entry_id AS entryId, path, sha256, label, removed_at AS removedAt, removed_by AS removedBy, reason FROM removals ORDER BY removed_at, entry_id',
          )
          .all() as CollectionRemoval[],
    );
  }

  summary(): CollectionSummary {
    return this.#telling(() => {
      const about = this.#db
        .prepare('SELECT note, created_at AS createdAt, created_by AS createdBy FROM collection')
        .get() as Pick<CollectionSummary, 'note' | 'createdAt' | 'createdBy'>;
      const counts = this.#db
        .prepare(
          `SELECT split, label, count(*) AS entries, count(DISTINCT speaker) AS speakers, count(DISTINCT source) AS sources,
            total(seconds) AS seconds FROM entries GROUP BY split, label`,
        )
        .all() as CollectionSummary['counts'];
      counts.sort((a, b) => bySplit(a.split, b.split) || (a.label < b.label ? -1 : 1));
      const { rows, sha256: hash } = this.list(null);
      return {
        name: this.name,
        path: this.path,
        ...about,
        entries: rows.length,
        pastRetention: rows.filter(isPast).length,
        counts,
        shared: this.#shared(),
        sha256: hash,
        versions: this.versions(),
        removals: this.removals(),
        latestEdit: this.latestEdit(),
        latestUndone: this.latestUndone(),
      };
    });
  }
}

/** Whether the last day on which a recording may be used is over. */
export function isPast({ retainUntil }: { retainUntil: string | null }): boolean {
  return retainUntil !== null && retainUntil < today();
}
