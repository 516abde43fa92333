/** What was edited in a case since it was opened, to be undone and done again. The log keeps both: each is a row of its own. */
import type { CaseHistory } from '../../src-common/schemas/case.ts';
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

  /** @returns what was undone, in the words of the log; null where nothing is left @throws UserFacingError as `CaseCore.write` */
  undo(): string | null {
    const edit = this.#done.at(-1);
    if (edit === undefined) return null;
    this.#put([...edit].reverse(), 'before');
    this.#done = this.#done.slice(0, -1);
    this.#undone = [...this.#undone, edit];
    return summaryOf(edit);
  }

  /** The same for what was undone. */
  redo(): string | null {
    const edit = this.#undone.at(-1);
    if (edit === undefined) return null;
    this.#put(edit, 'after');
    this.#undone = this.#undone.slice(0, -1);
    this.#done = [...this.#done, edit];
    return summaryOf(edit);
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

function summaryOf(edit: Edit): string {
  return edit.length === 1 ? edit[0].summary : `${edit[0].summary} And ${edit.length - 1} more.`;
}
