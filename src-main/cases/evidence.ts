/** The items of evidence of a case: taken in, listed, described, looked at, taken out. Nothing here touches their files. */
import type { CaseView } from '../../src-common/schemas/case.ts';
import type { EvidenceFacets } from '../../src-common/schemas/evidence-filter.ts';
import type { Evidence, EvidenceRow } from '../../src-common/schemas/evidence.ts';
import type { Analyses } from './analyses.ts';
import { analysisSummary } from './analyses.ts';
import { copyPlace } from './copies.ts';
import type { CaseCore } from './core.ts';
import type { EditHistory, RecordEdit } from './edit-history.ts';
import { changesOf, changesTo, definedOf, listed } from './edits.ts';
import type { Changes } from './edits.ts';
import { evidenceSha256, storedEvidence, storedMetadata } from './evidence-record.ts';
import { EvidenceTable, evidenceRowOf, linesOf, unscanned } from './evidence-table.ts';
import type { EvidenceFilter, EvidenceQuery } from './evidence-table.ts';
import { FacetCounts } from './evidence-where.ts';
import { addEvidence } from './add-evidence.ts';
import type { NewEvidence } from './add-evidence.ts';
import type { Marks } from './marks.ts';
import { evidenceFileOf } from './records.ts';
import type { EvidenceFile, StoredEvidence } from './records.ts';
import { turn, writeInSlices } from './slices.ts';

type EvidenceState = EvidenceRow['state'];

const editable = [
  ['description', 'description'],
  ['conditionOnReceipt', 'condition_on_receipt'],
  ['receivedAt', 'received_at'],
  ['receivedFrom', 'received_from'],
  ['notes', 'notes'],
  ['tags', 'tags'],
  ['reviewedAt', 'reviewed_at'],
  ['reviewedBy', 'reviewed_by'],
  ['knownIn', 'known_in'],
] as const;

/** What of an item a person writes. */
type Text = 'description' | 'conditionOnReceipt' | 'receivedAt' | 'receivedFrom' | 'notes';
/** What of an item a person may change. */
export type EvidenceEdit = Partial<Pick<Evidence, Text | 'tags'>> & { reviewed?: boolean };

/** Columns that an edit changes, by the names that the log gives them. */
type EditedColumns = Partial<Record<(typeof editable)[number][0], string | null>>;

/** Items that are counted before others get a turn. */
const facetsAtOnce = 1000;

/** What was noted of an item's file at intake, to tell whether it is still that. */
export interface EvidenceIntake extends EvidenceFile {
  name: string;
  sha256: string;
  sizeBytes: number;
  fingerprint: string;
  changed: boolean;
}

export class EvidenceItems {
  readonly #core: CaseCore;
  readonly #marks: Marks;
  readonly #analyses: Analyses;
  readonly #history: EditHistory;
  readonly #table: EvidenceTable;
  /** What was seen of items' files since the case was opened. */
  readonly #states = new Map<number, EvidenceState>();
  readonly #examined = new Set<string>();
  /** Items that a worker is at. */
  readonly running = new Set<number>();

  constructor(core: CaseCore, history: EditHistory, marks: Marks, analyses: Analyses) {
    this.#core = core;
    this.#history = history;
    this.#marks = marks;
    this.#analyses = analyses;
    this.#table = new EvidenceTable(core.db, this.#states);
  }

  async rows({ order, offset, limit, ...filter }: EvidenceQuery): Promise<{ total: number; rows: EvidenceRow[] }> {
    const ids = await this.#matching(filter);
    return this.#core.read(() => ({
      total: ids?.length ?? this.#table.count({ filter: '', findings: [] }),
      rows: this.#table.page({ order, offset, limit }, ids).map((row) => this.#rowOf(row)),
    }));
  }

  /** Ids of all that match, in order. */
  async ids({ order, ...filter }: EvidenceFilter): Promise<number[]> {
    const ids = await this.#matching(filter);
    return this.#core.read(() => this.#table.sorted(order, ids));
  }

  async #matching(filter: Omit<EvidenceFilter, 'order'>): Promise<number[] | null> {
    try {
      return await this.#table.matching(filter);
    } catch (error) {
      return this.#core.read(() => {
        throw error;
      });
    }
  }

  /** Ids of all items that were not taken out. */
  allIds(): number[] {
    const sql = 'SELECT id FROM evidence WHERE removed_at IS NULL ORDER BY id';
    return this.#core.read(() => this.#core.prepare<[], number>(sql).pluck().all());
  }

  /** Rows of the items that are there, in the order of the ids. */
  rowsOf(ids: readonly number[]): EvidenceRow[] {
    return this.#core.read(() => {
      const find = this.#core.prepare<[number], StoredEvidence>(
        'SELECT * FROM evidence WHERE id = ? AND removed_at IS NULL',
      );
      return ids.flatMap((id) => {
        const row = find.get(id);
        return row ? [this.#rowOf(row)] : [];
      });
    });
  }

  /** What is known of items' files since the case was opened; of those that nobody looked at, nothing. */
  statesOf(ids: readonly number[]): Map<number, EvidenceState> {
    return new Map(
      ids.flatMap((id) => {
        const state = this.#states.get(id);
        return state === undefined ? [] : [[id, state] as const];
      }),
    );
  }

  /** Whether the case holds no items. */
  isEmpty(): boolean {
    const sql = 'SELECT 1 FROM evidence WHERE removed_at IS NULL LIMIT 1';
    return this.#core.read(() => this.#core.prepare<[]>(sql).get() === undefined);
  }

  /** The models whose results the table shows, that of most results first. */
  models(): { name: string; sha256: string; results: number }[] {
    const sql = `SELECT model_name AS name, model_sha256 AS sha256, count(*) AS results FROM evidence
      WHERE removed_at IS NULL AND model_sha256 IS NOT NULL AND error IS NULL GROUP BY model_sha256 ORDER BY results DESC, name`;
    return this.#core.read(() => this.#core.prepare<[], { name: string; sha256: string; results: number }>(sql).all());
  }

  /** How many items there are of each kind. */
  counts(): CaseView['counts'] {
    interface Group {
      scan: StoredEvidence['scan'];
      finding: StoredEvidence['finding'];
      changed: number;
      count: number;
    }
    const groupsSql =
      'SELECT scan, finding, changed, count(*) AS count FROM evidence WHERE removed_at IS NULL GROUP BY scan, finding, changed';
    const freshSql = `SELECT count(*) FROM evidence WHERE removed_at IS NULL AND changed = 0 AND (${unscanned})`;
    return this.#core.read(() => {
      const groups = this.#core.prepare<[], Group>(groupsSql).all();
      const total = (which: (group: Group) => boolean): number =>
        groups.filter(which).reduce((sum, { count }) => sum + count, 0);
      const found = (finding: Group['finding']): number =>
        total((group) => group.finding === finding && group.scan !== 'failed');
      return {
        bonafide: found('supports bona fide'),
        spoof: found('supports spoof'),
        looksBonafide: found('looks-bona-fide'),
        looksSpoof: found('looks-spoof'),
        inconclusive: found('inconclusive'),
        notAssessable: found('not assessable'),
        failed: total(({ scan }) => scan === 'failed'),
        notScanned: total(({ finding, scan }) => finding === null && scan !== 'failed'),
        changed: total(({ changed }) => changed === 1),
        fresh: this.#core.prepare<[], number>(freshSql).pluck().get() as number,
        flagged: this.#table.flagged(),
        withStretches: this.#table.count({ filter: '', findings: ['stretches'] }),
      };
    });
  }

  /** @throws UserFacingError `not-found` */
  get(id: number): Evidence {
    return this.#core.read(() => {
      const row = storedEvidence(this.#core, id);
      const { metadata, audio } = storedMetadata(this.#core, id);
      return {
        ...this.#rowOf(row),
        description: row.description,
        conditionOnReceipt: row.condition_on_receipt,
        receivedAt: row.received_at,
        receivedFrom: row.received_from,
        notes: row.notes,
        sha256: row.sha256,
        md5: row.md5,
        senderHash: row.sender_hash,
        senderHashMatches: row.sender_hash_matches === null ? null : row.sender_hash_matches === 1,
        originalPath: row.uploaded === 1 ? null : row.path,
        uploaded: row.uploaded === 1,
        createdTime: row.created_time,
        modifiedTime: row.modified_time,
        metadata: JSON.parse(metadata) as Evidence['metadata'],
        audio: audio === null ? null : (JSON.parse(audio) as Evidence['audio']),
        analyses: this.#analyses.of(id).map(analysisSummary),
        marks: this.#marks.of(id),
      };
    });
  }

  /** Where an item's bytes lie. @throws UserFacingError `not-found` */
  file(id: number): EvidenceFile {
    return evidenceFileOf(this.#core.folder, storedEvidence(this.#core, id));
  }

  /** @throws UserFacingError `not-found` */
  intake(id: number): EvidenceIntake {
    const row = storedEvidence(this.#core, id);
    const { name, sha256, size_bytes: sizeBytes, fingerprint, changed } = row;
    return { ...evidenceFileOf(this.#core.folder, row), name, sha256, sizeBytes, fingerprint, changed: changed === 1 };
  }

  /** Whether an item was taken in from this path, and looked alike then. */
  isKnown(path: string, fingerprint: string): boolean {
    const sql = 'SELECT 1 FROM evidence WHERE path = ? AND fingerprint = ? AND removed_at IS NULL AND uploaded = 0';
    return this.#core.read(() => this.#core.prepare(sql).get(path, fingerprint) !== undefined);
  }

  /** Whether an item with this content was taken in from this path. */
  isHeld(path: string, sha256: string): boolean {
    const sql = 'SELECT 1 FROM evidence WHERE path = ? AND sha256 = ? AND removed_at IS NULL AND uploaded = 0';
    return this.#core.read(() => this.#core.prepare(sql).get(path, sha256) !== undefined);
  }

  /** Takes items in, all or none. @returns their ids */
  add(items: readonly NewEvidence[]): number[] {
    return addEvidence(this.#core, items, (id) => this.#states.set(id, 'unchanged'));
  }

  update(id: number, edit: EvidenceEdit): Evidence {
    const record = this.#core.write(
      () => this.#edited(id, (row) => this.#columnsOf(row, edit)),
      (edited) => (edited === null ? [] : [id]),
    );
    if (record !== null) this.#history.add([record]);
    return this.get(id);
  }

  /**
   * Puts tags to items and takes tags from them, and says whether they are reviewed; all of it is undone at one stroke.
   * @returns how many that changed
   * @throws UserFacingError `not-found`, before anything is changed
   */
  async label(
    ids: readonly number[],
    { addTags = [], removeTags = [], reviewed }: { addTags?: string[]; removeTags?: string[]; reviewed?: boolean },
  ): Promise<number> {
    const present = new Set(this.allIds());
    for (const id of ids) if (!present.has(id)) storedEvidence(this.#core, id);
    await turn();
    return this.#editEach(ids, (row) => {
      const left = linesOf(row.tags).filter((tag) => !removeTags.includes(tag));
      return this.#columnsOf(row, {
        tags: [...left, ...addTags],
        ...(reviewed === undefined ? {} : { reviewed }),
      });
    });
  }

  /**
   * These items, and no others, are known in a list of hashes.
   * @param file that it was read from, for the log; null: the list is taken away
   * @returns how many items that changed
   */
  async setKnown(
    list: string,
    ids: ReadonlySet<number>,
    file: { name: string; sha256: string; hashes: number; lines: number } | null,
  ): Promise<number> {
    const sql = 'SELECT id, known_in FROM evidence WHERE removed_at IS NULL';
    const items = this.#core.read(() => this.#core.prepare<[], { id: number; known_in: string }>(sql).all());
    const knownIn = (id: number, column: string): string => {
      const others = linesOf(column).filter((name) => name !== list);
      return (ids.has(id) ? [...others, list].sort() : others).join('\n');
    };
    // What stays as it is is not read once more: a case may have tens of thousands of items.
    const changing = items.filter((item) => knownIn(item.id, item.known_in) !== item.known_in).map(({ id }) => id);
    const summary = file
      ? `Compared the hashes of ${items.length} items with the list ${list} (${file.name}): ${ids.size} are in it.`
      : `Took the list of known hashes ${list} away.`;
    const told = { list, ...(file ? { ...file, known: ids.size } : { removed: true }) };
    return this.#editEach(
      changing,
      (row) => ({ knownIn: knownIn(row.id, row.known_in ?? '') }),
      () => this.#core.append('hash-list', null, summary, told),
    );
  }

  /** How often each codec, rate, flag, tag and list of hashes is there; others get their turn meanwhile. */
  async facets(): Promise<EvidenceFacets> {
    const facets = new FacetCounts();
    const ids = this.allIds();
    for (let at = 0; at < ids.length; at += facetsAtOnce) {
      if (at > 0) await turn();
      const last = ids[Math.min(at + facetsAtOnce, ids.length) - 1];
      this.#core.read(() => facets.count(this.#core.db, ids[at], last));
    }
    return facets.sorted();
  }

  /** Ids of items by their hashes, SHA-256 and MD5 in lower-case hexadecimal. */
  idsByHash(): Map<string, number[]> {
    const byHash = new Map<string, number[]>();
    const sql = 'SELECT id, sha256, md5 FROM evidence WHERE removed_at IS NULL';
    const rows = this.#core.read(() => this.#core.prepare<[], { id: number; sha256: string; md5: string }>(sql).all());
    for (const { id, sha256, md5 } of rows) {
      for (const hash of [sha256, md5]) byHash.set(hash, [...(byHash.get(hash) ?? []), id]);
    }
    return byHash;
  }

  #columnsOf(row: StoredEvidence, { tags, reviewed, ...written }: EvidenceEdit): EditedColumns {
    const isReviewed = (row.reviewed_at ?? null) !== null;
    const review =
      reviewed === undefined || reviewed === isReviewed
        ? {}
        : reviewed
          ? { reviewedAt: this.#core.now(), reviewedBy: this.#core.actor() }
          : { reviewedAt: null, reviewedBy: null };
    return {
      ...definedOf(written),
      ...(tags === undefined ? {} : { tags: [...new Set(tags)].join('\n') }),
      ...review,
    };
  }

  /**
   * Changes items, with a row of the log for each that it changes; all are undone at one stroke.
   * @param first notes something before them
   * @returns how many that are
   */
  async #editEach(
    ids: readonly number[],
    columnsOf: (row: StoredEvidence) => EditedColumns,
    first: (() => unknown) | null = null,
  ): Promise<number> {
    const records: RecordEdit[] = [];
    try {
      await writeInSlices(this.#core, ids, (id) => this.#edited(id, columnsOf), {
        first,
        touched: (done) => done.flatMap((edit) => edit?.evidenceId ?? []),
        onDone: (done) => {
          for (const edit of done) if (edit !== null) records.push(edit);
        },
      });
    } finally {
      this.#history.add(records);
    }
    return records.length;
  }

  /** Inside of a transaction: changes an item. @returns null where it stays as it is */
  #edited(id: number, columnsOf: (row: StoredEvidence) => EditedColumns): RecordEdit | null {
    const stored = storedEvidence(this.#core, id);
    const old = editableOf(stored);
    const changes = changesOf(old, { ...old, ...columnsOf(stored) });
    if (Object.keys(changes).length === 0) return null;
    const summary = `${wordsOf(changes)} ${stored.name}.`;
    const position = this.#core.append('evidence-updated', id, summary, this.#put(id, changes));
    return this.#recordOf({ position, summary, evidenceId: id }, changes);
  }

  /** By itself, so that what is kept of tens of thousands of edits does not keep the items' rows as well. */
  #recordOf(edit: Omit<RecordEdit, 'put'> & { evidenceId: number }, changes: Changes): RecordEdit {
    return { ...edit, put: (side) => this.#put(edit.evidenceId, changesTo(side, changes)) };
  }

  /** Changes columns of an item. @returns what its row of the log says */
  #put(id: number, changes: Changes): Record<string, unknown> {
    for (const [name, column] of editable) {
      if (name in changes)
        this.#core.prepare(`UPDATE evidence SET ${column} = ? WHERE id = ?`).run(changes[name].to, id);
    }
    return { changes, recordSha256: evidenceSha256(this.#core, id) };
  }

  /** Takes items out of the case; their files and what was found of them stay where they are. */
  remove(ids: readonly number[], reason: string): void {
    const core = this.#core;
    core.write(
      () => {
        for (const id of ids) {
          const { name } = storedEvidence(core, id);
          core.prepare('UPDATE evidence SET removed_at = ? WHERE id = ?').run(core.now(), id);
          core.prepare('DELETE FROM scan_queue WHERE evidence_id = ?').run(id);
          core.append('evidence-removed', id, `Took ${name} out of the case.`, {
            reason,
            recordSha256: evidenceSha256(core, id),
          });
        }
      },
      () => null,
    );
    this.#history.forget(ids);
  }

  /**
   * Notes once for each time that the case is open that an item was looked at or listened to.
   * @param readAll with all sound in its file
   */
  examined(id: number, readAll = false): void {
    const key = `${id} ${readAll}`;
    if (!this.#core.writable || this.#examined.has(key)) return;
    const { name } = storedEvidence(this.#core, id);
    const sentence = readAll ? `Examined ${name} with all sound in its file read.` : `Examined ${name}.`;
    this.#core.write(() => this.#core.append('examined', id, sentence, readAll ? { readAll } : {}));
    this.#examined.add(key);
  }

  /** Whether an item's file was looked at since the case was opened. */
  isChecked(id: number): boolean {
    return (this.#states.get(id) ?? 'unchecked') !== 'unchecked';
  }

  /**
   * Keeps what a look at an item's file gave.
   * @param found its hash where it was taken, and what tells the file as it is now
   */
  setState(
    id: number,
    state: EvidenceState,
    found: { sha256: string | null; fingerprint: string } | null = null,
  ): void {
    const row = storedEvidence(this.#core, id);
    const before = this.#states.get(id);
    this.#states.set(id, state);
    if (this.#core.writable) {
      const news = row.changed === 0 || (found?.sha256 && found.sha256 !== row.found_sha256);
      if (state === 'changed' && news) this.#noteChanged(row, found?.sha256 ?? null);
      else if (state === 'unchanged' && found) this.#noteUnchanged(row, found.fingerprint);
    }
    if (before !== state) this.#core.onChange({ evidence: [id] });
  }

  /** Items that a worker is at, for the table. */
  setRunning(id: number, running: boolean): void {
    if (running) this.running.add(id);
    else this.running.delete(id);
    this.#core.onChange({ evidence: [id] });
  }

  /** No item is worked on any more. */
  clearRunning(): void {
    const ids = [...this.running];
    this.running.clear();
    if (ids.length > 0) this.#core.onChange({ evidence: ids });
  }

  #noteChanged({ id, name, sha256 }: StoredEvidence, sha256Now: string | null): void {
    this.#write(id, () => {
      this.#core.prepare('UPDATE evidence SET changed = 1, found_sha256 = ? WHERE id = ?').run(sha256Now, id);
      const summary = `The file of ${name} is no longer what was taken in.`;
      this.#core.append('evidence-changed', id, summary, { sha256AtIntake: sha256, sha256Now });
    });
  }

  #noteUnchanged(row: StoredEvidence, fingerprint: string): void {
    const { id, name, sha256 } = row;
    if (row.changed === 1) {
      this.#write(id, () => {
        this.#core
          .prepare('UPDATE evidence SET changed = 0, found_sha256 = NULL, fingerprint = ? WHERE id = ?')
          .run(fingerprint, id);
        this.#core.append('evidence-restored', id, `The file of ${name} is again what was taken in.`, { sha256 });
      });
    } else if (fingerprint !== row.fingerprint) {
      const update = this.#core.prepare('UPDATE evidence SET fingerprint = ? WHERE id = ?');
      this.#core.write(() => update.run(fingerprint, id));
    }
  }

  /** A transaction that changes one item. */
  #write(id: number, change: () => void): void {
    this.#core.write(change, () => [id]);
  }

  #rowOf(row: StoredEvidence): EvidenceRow {
    return evidenceRowOf(row, {
      path: row.copy_path === null ? row.path : copyPlace(this.#core.folder, row.copy_path),
      state: this.#states.get(row.id) ?? (row.changed === 1 ? 'changed' : 'unchecked'),
      running: this.running.has(row.id),
    });
  }
}

/** What of an item a person may change, as it is. */
function editableOf(row: StoredEvidence): Record<string, unknown> {
  const columns = row as unknown as Record<string, unknown>;
  return Object.fromEntries(editable.map(([name, column]) => [name, columns[column] ?? null]));
}

/** What an edit did, before the name of the item. */
function wordsOf(changes: Changes): string {
  const { reviewedAt, reviewedBy: _, knownIn, ...rest } = changes;
  const others = { ...rest, ...(knownIn ? { theListsOfKnownHashes: knownIn } : {}) };
  if (!reviewedAt) return `Changed ${listed(Object.keys(others))} of`;
  const reviewed = reviewedAt.to === null ? 'Took back the review of' : 'Reviewed';
  return Object.keys(others).length === 0 ? reviewed : `Changed ${listed(Object.keys(others))} and the review of`;
}
