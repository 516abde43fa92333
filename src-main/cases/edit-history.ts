/** What was edited in a case since it was opened, to be undone and done again. The log keeps both: each is a row of its own. */
import type { CaseHistory } from '../../src-common/schemas/case.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseCore } from './core.ts';
import { writeInSlices } from './slices.ts';

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
  /** Something is being undone or done again, which takes several turns for many records. */
  #running = false;

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
   * @throws UserFacingError `changed` where it is another one, or something is being undone; as `CaseCore.write`
   */
  async undo(row?: number): Promise<EditMade | null> {
    return this.#take('before', row);
  }

  /** The same for what was undone. */
  async redo(row?: number): Promise<EditMade | null> {
    return this.#take('after', row);
  }

  async #take(side: 'before' | 'after', row: number | undefined): Promise<EditMade | null> {
    if (this.#running) {
      throw new UserFacingError('changed', 'Something else is still being undone or done again.', {
        advice: 'Wait until it is done.',
      });
    }
    const edit = asked(side === 'before' ? this.#done : this.#undone, row);
    if (edit === null) return null;
    this.#running = true;
    const put: RecordEdit[] = [];
    try {
      await this.#put(side === 'before' ? [...edit].reverse() : edit, side, put);
    } finally {
      this.#running = false;
      this.#move(side, edit, put);
    }
    return madeOf(edit);
  }

  /** An edit changes sides, or the part of it that was put before something went wrong. Others may have come in meanwhile. */
  #move(side: 'before' | 'after', edit: Edit, put: readonly RecordEdit[]): void {
    const moved = new Set(put.length < edit.length ? put : []);
    const [kept, now] =
      put.length === edit.length
        ? [[], edit]
        : [edit.filter((record) => !moved.has(record)), edit.filter((record) => moved.has(record))];
    const rest = (edits: readonly Edit[]): Edit[] =>
      edits.flatMap((one) => (one !== edit ? [one] : kept.length > 0 ? [kept] : []));
    const others = side === 'before' ? this.#done : this.#undone;
    const isLast = others.at(-1) === edit;
    if (side === 'before') {
      this.#done = rest(this.#done);
      // What was undone before another edit is not done again.
      if (isLast && now.length > 0) this.#undone = [...this.#undone, now];
    } else {
      this.#undone = rest(this.#undone);
      if (now.length > 0) this.#done = [...this.#done, now];
    }
  }

  async #put(records: readonly RecordEdit[], side: 'before' | 'after', done: RecordEdit[]): Promise<void> {
    const [action, words] = side === 'before' ? ['undone', 'Undid'] : ['redone', 'Did again'];
    await writeInSlices(
      this.#core,
      records,
      (record) => {
        const { position, summary, evidenceId, put } = record;
        this.#core.append(action, evidenceId, `${words} row ${position}: ${summary}`, {
          row: position,
          ...put(side),
        });
        return record;
      },
      {
        touched: (put) => put.flatMap(({ evidenceId }) => evidenceId ?? []),
        onDone: (put) => {
          for (const record of put) done.push(record);
        },
      },
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
