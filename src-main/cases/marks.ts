/** Marks of a case: places and stretches of its recordings that a person named; each change is a row of the log, and can be undone. */
import type { Mark } from '../../src-common/schemas/evidence.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseCore } from './core.ts';
import type { EditHistory, RecordEdit } from './edit-history.ts';
import { changesOf, definedOf, spanText } from './edits.ts';
import { storedEvidence } from './evidence-record.ts';
import { markOf, markRecordSha256 } from './records.ts';
import type { StoredMark } from './records.ts';

type Optional = 'readAll' | 'channel' | 'category' | 'colour';
type NewMark = Omit<Mark, 'id' | 'createdAt' | Optional> & Partial<Pick<Mark, Optional>>;

type MarkEdit = Partial<Omit<Mark, 'id' | 'createdAt' | 'readAll'>>;

/** A file that marks were read from, for the log. */
export interface MarksFile {
  name: string;
  sha256: string;
  format: string;
}

const ofChannel = (channel: number | null): string => (channel === null ? '' : `channel ${channel} of `);

/** Marks on recordings. */
export class Marks {
  readonly #core: CaseCore;
  readonly #history: EditHistory;

  constructor(core: CaseCore, history: EditHistory) {
    this.#core = core;
    this.#history = history;
  }

  /** Those of an item, in the order of their times. */
  of(evidenceId: number): Mark[] {
    const sql = 'SELECT * FROM marks WHERE evidence_id = ? ORDER BY start_seconds, id';
    return this.#core.read(() => this.#core.prepare<[number], StoredMark>(sql).all(evidenceId).map(markOf));
  }

  /** The categories of all marks of the case in the order of the alphabet, with the colour of the latest mark of each. */
  categories(): { category: string; colour: Mark['colour'] }[] {
    const sql = `SELECT category, colour FROM marks WHERE id IN
      (SELECT max(id) FROM marks WHERE category <> '' GROUP BY category) ORDER BY category`;
    return this.#core.read(() => this.#core.prepare<[], { category: string; colour: Mark['colour'] }>(sql).all());
  }

  /**
   * @param mark.readAll its times are of the recording with all sound in its file; by default not
   * @param mark.channel by default not of one of several
   * @throws UserFacingError `not-found`
   */
  add(evidenceId: number, mark: NewMark): Mark {
    return this.addAll(evidenceId, [mark])[0];
  }

  /**
   * All or none.
   * @param file that they were read from
   * @throws UserFacingError `not-found`
   */
  addAll(evidenceId: number, marks: readonly NewMark[], file: MarksFile | null = null): Mark[] {
    const { name } = storedEvidence(this.#core, evidenceId);
    const added: Mark[] = [];
    this.#edit(evidenceId, () => {
      if (file) {
        const summary = `Read ${marks.length} ${marks.length === 1 ? 'mark' : 'marks'} of ${name} from ${file.name}.`;
        this.#core.append('marks-imported', evidenceId, summary, { ...file, marks: marks.length });
      }
      return marks.map((mark) => {
        const { record, after } = this.#insert(evidenceId, name, mark);
        added.push(markOf(after));
        return record;
      });
    });
    return added;
  }

  #insert(
    evidenceId: number,
    name: string,
    { channel = null, category = '', colour = null, ...mark }: NewMark,
  ): { record: RecordEdit; after: StoredMark } {
    const row = {
      evidence_id: evidenceId,
      start_seconds: mark.startSeconds,
      end_seconds: mark.endSeconds,
      text: mark.text,
      in_report: mark.inReport ? 1 : 0,
      created_at: this.#core.now(),
      read_all: mark.readAll ? 1 : 0,
      channel,
      category,
      colour,
    };
    const after = this.#row(evidenceId, this.#insertRow(row));
    const summary = `Marked ${spanText(mark)} of ${ofChannel(channel)}${name}${mark.readAll ? ' with all sound in its file read' : ''}.`;
    const details = {
      markId: after.id,
      ...mark,
      ...(channel === null ? {} : { channel }),
      ...(category === '' ? {} : { category }),
      ...(colour === null ? {} : { colour }),
      recordSha256: markRecordSha256(after),
    };
    const position = this.#core.append('mark-added', evidenceId, summary, details);
    return { record: this.#record({ position, summary, evidenceId }, null, after), after };
  }

  /** @returns its id */
  #insertRow(row: Partial<StoredMark>): number {
    const columns = Object.keys(row);
    const sql = `INSERT INTO marks (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
    return Number(this.#core.prepare(sql).run(...Object.values<unknown>({ ...row })).lastInsertRowid);
  }

  /** @throws UserFacingError `not-found` */
  update(evidenceId: number, markId: number, edit: MarkEdit): Mark {
    return this.updateAll(evidenceId, [markId], edit)[0];
  }

  /** The same edit of many, all or none. @throws UserFacingError `not-found` */
  updateAll(evidenceId: number, markIds: readonly number[], edit: MarkEdit): Mark[] {
    const { name } = storedEvidence(this.#core, evidenceId);
    const edited = markIds.map((markId) => {
      const stored = this.#row(evidenceId, markId);
      const before = markOf(stored);
      const after = { ...before, ...definedOf(edit) };
      return { stored, after, changes: changesOf(before, after) };
    });
    const changed = edited.filter(({ changes }) => Object.keys(changes).length > 0);
    if (changed.length > 0) {
      this.#edit(evidenceId, () =>
        changed.map(({ stored, after, changes }) => {
          this.#updateRow(after);
          const row = this.#row(evidenceId, after.id);
          const summary = `Changed the mark at ${spanText(after)} of ${name}.`;
          const details = { markId: after.id, changes, recordSha256: markRecordSha256(row) };
          const position = this.#core.append('mark-updated', evidenceId, summary, details);
          return this.#record({ position, summary, evidenceId }, stored, row);
        }),
      );
    }
    return edited.map(({ after }) => after);
  }

  #updateRow({ id, startSeconds, endSeconds, text, inReport, channel, category, colour }: Mark): void {
    this.#core
      .prepare(
        `UPDATE marks SET start_seconds = ?, end_seconds = ?, text = ?, in_report = ?, channel = ?, category = ?, colour = ?
          WHERE id = ?`,
      )
      .run(startSeconds, endSeconds, text, inReport ? 1 : 0, channel, category, colour, id);
  }

  /** @throws UserFacingError `not-found` */
  remove(evidenceId: number, markId: number): void {
    this.removeAll(evidenceId, [markId]);
  }

  /** All or none. @throws UserFacingError `not-found` */
  removeAll(evidenceId: number, markIds: readonly number[]): void {
    const { name } = storedEvidence(this.#core, evidenceId);
    const rows = markIds.map((id) => this.#row(evidenceId, id));
    this.#edit(evidenceId, () =>
      rows.map((row) => {
        const { id, createdAt: _, ...mark } = markOf(row);
        this.#core.prepare('DELETE FROM marks WHERE id = ?').run(id);
        const summary = `Removed the mark at ${spanText(mark)} of ${name}.`;
        const details = { markId: id, text: mark.text, recordSha256: null };
        const position = this.#core.append('mark-removed', evidenceId, summary, details);
        return this.#record({ position, summary, evidenceId }, row, null);
      }),
    );
  }

  /** A transaction that changes marks of an item, as one edit. */
  #edit(evidenceId: number, change: () => RecordEdit[]): void {
    this.#history.add(this.#core.write(change, () => [evidenceId]));
  }

  #record(of: Omit<RecordEdit, 'put'>, before: StoredMark | null, after: StoredMark | null): RecordEdit {
    return {
      ...of,
      put: (side) => {
        const row = side === 'before' ? before : after;
        const { id } = (before ?? after) as StoredMark;
        this.#core.prepare('DELETE FROM marks WHERE id = ?').run(id);
        if (row === null) return { markId: id, recordSha256: null };
        this.#insertRow(row);
        const { id: markId, createdAt: _, ...mark } = markOf(row);
        return { markId, ...mark, recordSha256: markRecordSha256(row) };
      },
    };
  }

  #row(evidenceId: number, markId: number): StoredMark {
    const sql = 'SELECT * FROM marks WHERE id = ? AND evidence_id = ?';
    const row = this.#core.read(() => this.#core.prepare<[number, number], StoredMark>(sql).get(markId, evidenceId));
    if (!row) throw new UserFacingError('not-found', `There is no mark ${markId} on this item.`);
    return row;
  }
}
