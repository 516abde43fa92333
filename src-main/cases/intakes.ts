import { beginWork, endWork, hasBegun } from './begun-work.ts';
import { sha256Hex } from './canonical.ts';
import type { CaseCore } from './core.ts';

/** A row of `intakes`. */
interface IntakeRow {
  id: number;
  started_at: string;
  request: string;
}

/** What tells an intake from another one under the same number. */
function workOf({ started_at, request }: Omit<IntakeRow, 'id'>): string {
  return `intake ${started_at} ${sha256Hex(request)}`;
}

/** Intakes that were begun, so that they go on after a crash. */
export class Intakes {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  begin(request: unknown): number {
    const row = { started_at: this.#core.now(), request: JSON.stringify(request) };
    return beginWork(this.#core, workOf(row), () => {
      const insert = this.#core.prepare('INSERT INTO intakes VALUES (NULL, ?, ?)');
      return Number(insert.run(row.started_at, row.request).lastInsertRowid);
    });
  }

  unfinished(): { id: number; request: unknown }[] {
    return this.#core.read(() =>
      this.#rows()
        .filter((row) => hasBegun(this.#core, workOf(row)))
        .map(({ id, request }) => ({ id, request: JSON.parse(request) as unknown })),
    );
  }

  end(id: number): void {
    this.#core.write(() => {
      for (const row of this.#rows()) if (row.id === id) endWork(this.#core, workOf(row));
      this.#delete(id);
    });
  }

  /** Inside a transaction: ends what was not begun here. @returns what was */
  dropForeign(): string[] {
    return this.#rows().flatMap((row) => {
      const work = workOf(row);
      if (hasBegun(this.#core, work)) return [work];
      this.#delete(row.id);
      return [];
    });
  }

  #delete(id: number): void {
    this.#core.prepare('DELETE FROM intakes WHERE id = ?').run(id);
  }

  #rows(): IntakeRow[] {
    return this.#core.prepare<[], IntakeRow>('SELECT id, started_at, request FROM intakes ORDER BY id').all();
  }
}
