/** What was edited in a case since it was opened, to be undone and done again. The log keeps both: each is a row of its own. */
import type { CaseHistory } from '../../src-common/schemas/case.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseCore } from './core.ts';

/** One record that an edit changed. */
export interface RecordEdit {
  /** Of the row of the log that says so. */
  position: number;
  /** Of that row. */
  summary: string;
  /** Null: the case itself. */
  evidenceId: number | null;
  /**
   * Puts the record back as it was before the edit, or as it became, inside a transaction.
   * @returns what the row of the log says of the record as it is then
   */
  put: (side: 'before' | 'after') => Record<string, unknown>;
}

/** Records that were changed at one stroke. */
type Edit = readonly RecordEdit[];

/** An edit that was undone or done again. */
export interface EditMade {
  /** Of the row of the log that told of it first, by which it is asked for again. */
  row: number;
  /** In the words of the log. */
  summary: string;
}

const mostEdits = 500;

/** In memory: an edit of another day, or of another person, is not undone by a key. */
export class EditHistory {
  readonly #core: CaseCore;
  #done: Edit[] = [];
  #undone: Edit[] = [];

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** What would be undone and done again next, in the words of the log. */
  get next(): CaseHistory {
    const last = (edits: readonly Edit[]): string | null => {
      const edit = edits.at(-1);
      return edit === undefined ? null : summaryOf(edit);
    };
    return { undo: last(this.#done), redo: last(this.#undone) };
  }

  /** Keeps an edit whose transaction has ended. What was undone before it is not done again. */
  add(edit: Edit): void {
    if (edit.length === 0) return;
    this.#done = [...this.#done, edit].slice(-mostEdits);
    this.#undone = [];
  }

  /** Items were taken out of the case: what was edited of them stays as it is. */
  forget(evidenceIds: readonly number[]): void {
    const gone = new Set<number | null>(evidenceIds);
    const isLeft = (edit: Edit): boolean => !edit.some(({ evidenceId }) => gone.has(evidenceId));
    this.#done = this.#done.filter(isLeft);
    this.#undone = this.#undone.filter(isLeft);
  }

  /** The row of the latest edit that is not undone; null: there is none. */
  get latestRow(): number | null {
    return this.#done.at(-1)?.[0].position ?? null;
  }

  /**
   * @param row only if the latest edit is that of this row
   * @returns what was undone; null where nothing is left
   * @throws UserFacingError `changed` where it is another one; as `CaseCore.write`
   */
  undo(row?: number): EditMade | null {
    const edit = asked(this.#done, row);
    if (edit === null) return null;
    this.#put([...edit].reverse(), 'before');
    this.#done = this.#done.slice(0, -1);
    this.#undone = [...this.#undone, edit];
    return madeOf(edit);
  }

  /** The same for what was undone. */
  redo(row?: number): EditMade | null {
    const edit = asked(this.#undone, row);
    if (edit === null) return null;
    this.#put(edit, 'after');
    this.#undone = this.#undone.slice(0, -1);
    this.#done = [...this.#done, edit];
    return madeOf(edit);
  }

  #put(edit: Edit, side: 'before' | 'after'): void {
    const [action, words] = side === 'before' ? ['undone', 'Undid'] : ['redone', 'Did again'];
    this.#core.write(
      () => {
        for (const { position, summary, evidenceId, put } of edit) {
          this.#core.append(action, evidenceId, `${words} row ${position}: ${summary}`, {
            row: position,
            ...put(side),
          });
        }
      },
      () => edit.flatMap(({ evidenceId }) => evidenceId ?? []),
    );
  }
}

function asked(edits: readonly Edit[], row: number | undefined): Edit | null {
  const edit = edits.at(-1);
  if (row !== undefined && edit?.[0].position !== row) {
    throw new UserFacingError('changed', 'Something else was edited, undone or done again since.', {
      advice: 'Undo and Redo above say which edit they are for; Ctrl+Z goes back step by step.',
    });
  }
  return edit ?? null;
}

function madeOf(edit: Edit): EditMade {
  return { row: edit[0].position, summary: summaryOf(edit) };
}

function summaryOf(edit: Edit): string {
  return edit.length === 1 ? edit[0].summary : `${edit[0].summary} And ${edit.length - 1} more.`;
}
