import type { Mark } from '../../src-common/schemas/evidence.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseCore } from './core.ts';
import { changesOf, definedOf, spanText } from './edits.ts';
import { storedEvidence } from './evidence-record.ts';
import { markOf, markRecordSha256 } from './records.ts';
import type { StoredMark } from './records.ts';

type NewMark = Omit<Mark, 'id' | 'createdAt' | 'readAll' | 'channel'> & Partial<Pick<Mark, 'readAll' | 'channel'>>;

const ofChannel = (channel: number | null): string => (channel === null ? '' : `channel ${channel} of `);

/** Marks on recordings. */
export class Marks {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** Those of an item, in the order of their times. */
  of(evidenceId: number): Mark[] {
    const sql = 'SELECT * FROM marks WHERE evidence_id = ? ORDER BY start_seconds, id';
    return this.#core.read(() => this.#core.prepare<[number], StoredMark>(sql).all(evidenceId).map(markOf));
  }

  /**
   * @param mark.readAll its times are of the recording with all sound in its file; by default not
   * @param mark.channel by default not of one of several
   * @throws UserFacingError `not-found`
   */
  add(evidenceId: number, mark: NewMark): Mark {
    return this.addAll(evidenceId, [mark])[0];
  }

  /** All or none. @throws UserFacingError `not-found` */
  addAll(evidenceId: number, marks: readonly NewMark[]): Mark[] {
    const { name } = storedEvidence(this.#core, evidenceId);
    return this.#core.write(
      () => marks.map((mark) => this.#insert(evidenceId, name, mark)),
      () => [evidenceId],
    );
  }

  #insert(evidenceId: number, name: string, { channel = null, ...mark }: NewMark): Mark {
    const { lastInsertRowid } = this.#core
      .prepare('INSERT INTO marks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        evidenceId,
        mark.startSeconds,
        mark.endSeconds,
        mark.text,
        mark.inReport ? 1 : 0,
        this.#core.now(),
        mark.readAll ? 1 : 0,
        channel,
      );
    const row = this.#row(evidenceId, Number(lastInsertRowid));
    const summary = `Marked ${spanText(mark)} of ${ofChannel(channel)}${name}${mark.readAll ? ' with all sound in its file read' : ''}.`;
    const details = {
      markId: row.id,
      ...mark,
      ...(channel === null ? {} : { channel }),
      recordSha256: markRecordSha256(row),
    };
    this.#core.append('mark-added', evidenceId, summary, details);
    return markOf(row);
  }

  /** @throws UserFacingError `not-found` */
  update(evidenceId: number, markId: number, edit: Partial<Omit<Mark, 'id' | 'createdAt' | 'readAll'>>): Mark {
    const { name } = storedEvidence(this.#core, evidenceId);
    const { id, createdAt, ...before } = markOf(this.#row(evidenceId, markId));
    const after = { ...before, ...definedOf(edit) };
    const changes = changesOf(before, after);
    if (Object.keys(changes).length > 0) {
      this.#core.write(
        () => {
          this.#core
            .prepare(
              'UPDATE marks SET start_seconds = ?, end_seconds = ?, text = ?, in_report = ?, channel = ? WHERE id = ?',
            )
            .run(after.startSeconds, after.endSeconds, after.text, after.inReport ? 1 : 0, after.channel, markId);
          this.#core.append('mark-updated', evidenceId, `Changed the mark at ${spanText(after)} of ${name}.`, {
            markId,
            changes,
            recordSha256: markRecordSha256(this.#row(evidenceId, markId)),
          });
        },
        () => [evidenceId],
      );
    }
    return { id, ...after, createdAt };
  }

  /** @throws UserFacingError `not-found` */
  remove(evidenceId: number, markId: number): void {
    this.removeAll(evidenceId, [markId]);
  }

  /** All or none. @throws UserFacingError `not-found` */
  removeAll(evidenceId: number, markIds: readonly number[]): void {
    const { name } = storedEvidence(this.#core, evidenceId);
    const marks = markIds.map((id) => markOf(this.#row(evidenceId, id)));
    this.#core.write(
      () => {
        for (const mark of marks) {
          this.#core.prepare('DELETE FROM marks WHERE id = ?').run(mark.id);
          this.#core.append('mark-removed', evidenceId, `Removed the mark at ${spanText(mark)} of ${name}.`, {
            markId: mark.id,
            text: mark.text,
            recordSha256: null,
          });
        }
      },
      () => [evidenceId],
    );
  }

  #row(evidenceId: number, markId: number): StoredMark {
    const sql = 'SELECT * FROM marks WHERE id = ? AND evidence_id = ?';
    const row = this.#core.read(() => this.#core.prepare<[number, number], StoredMark>(sql).get(markId, evidenceId));
    if (!row) throw new UserFacingError('not-found', `There is no mark ${markId} on this item.`);
    return row;
  }
}
