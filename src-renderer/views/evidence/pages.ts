/**
 * Which rows of a long ordered list are loaded: pages of a fixed size, fetched when they come into sight and kept by index. Plain
 * data without reactivity; what shows it is reported by `changed`.
 */
export interface PageAnswer<Row> {
  total: number;
  rows: Row[];
}

export const pageSize = 200;

function pagesOf(from: number, to: number): number[] {
  const first = Math.floor(from / pageSize);
  return Array.from({ length: Math.floor(to / pageSize) - first + 1 }, (_, index) => first + index);
}

export class Pages<Row extends { id: number }> {
  #rows = new Map<number, Row>();
  #indexOf = new Map<number, number>();
  #loading = new Set<number>();
  /** Rows that changed while something was on its way, which may have been read before the change. */
  #late = new Map<number, Row>();
  #generation = 0;
  #seen: [number, number] = [0, 0];
  total = 0;

  readonly #load: (offset: number, limit: number) => Promise<PageAnswer<Row>>;
  readonly #changed: () => void;
  readonly #failed: (error: unknown) => void;

  constructor(options: {
    load: (offset: number, limit: number) => Promise<PageAnswer<Row>>;
    /** Rows or the total are others than before. */
    changed: () => void;
    failed: (error: unknown) => void;
  }) {
    this.#load = options.load;
    this.#changed = options.changed;
    this.#failed = options.failed;
  }

  rowAt(index: number): Row | undefined {
    return this.#rows.get(index);
  }

  /** Whether every row is loaded, so that one that is not is new. */
  get isWhole(): boolean {
    return this.#rows.size >= this.total;
  }

  /** Where a row is, if it is loaded; -1 if not. */
  indexOf(id: number): number {
    return this.#indexOf.get(id) ?? -1;
  }

  /** Rows from `from` to `to` are in sight: loads the pages that are missing. */
  need(from: number, to: number): void {
    this.#seen = [from, to];
    for (const page of pagesOf(from, to)) {
      if (!this.#loading.has(page) && !this.#rows.has(page * pageSize)) void this.#fetch([page], false);
    }
  }

  /** @param anew what is there is forgotten when the answers are there */
  async #fetch(pages: readonly number[], anew: boolean): Promise<void> {
    const generation = this.#generation;
    for (const page of pages) this.#loading.add(page);
    try {
      const answers = await Promise.all(pages.map((page) => this.#load(page * pageSize, pageSize)));
      if (generation !== this.#generation) return;
      if (anew) {
        this.#rows.clear();
        this.#indexOf.clear();
      }
      answers.forEach((answer, index) => this.#put(pages[index], answer));
      this.#changed();
    } catch (error) {
      if (generation === this.#generation) this.#failed(error);
    } finally {
      if (generation === this.#generation) {
        for (const page of pages) this.#loading.delete(page);
        this.#forgetLate();
      }
    }
  }

  #put(page: number, answer: PageAnswer<Row>): void {
    this.total = answer.total;
    answer.rows.forEach((row, offset) => {
      this.#rows.set(page * pageSize + offset, this.#late.get(row.id) ?? row);
      this.#indexOf.set(row.id, page * pageSize + offset);
    });
  }

  /**
   * Asks for what is in sight anew and forgets the rest; what is shown stays until the answer is there. Resolves when it is, also
   * where it failed (which `failed` was reported). `fromStart`: what is in sight will be the first rows.
   */
  async refresh(fromStart = false): Promise<void> {
    this.#generation += 1;
    this.#loading.clear();
    await this.#fetch(fromStart ? [0] : pagesOf(...this.#seen), true);
  }

  #forgetLate(): void {
    if (this.#loading.size === 0) this.#late.clear();
  }

  /** Puts changed rows in their place; true where one of them is not loaded. Does not call `changed`. */
  update(rows: readonly Row[]): boolean {
    let isMissing = false;
    for (const row of rows) {
      if (this.#loading.size > 0) this.#late.set(row.id, row);
      const index = this.#indexOf.get(row.id);
      if (index === undefined) {
        isMissing = true;
      } else {
        this.#rows.set(index, row);
      }
    }
    return isMissing;
  }

  /** Forgets everything, also what is on its way. */
  clear(): void {
    this.#generation += 1;
    this.#rows.clear();
    this.#indexOf.clear();
    this.#loading.clear();
    this.#late.clear();
    this.#seen = [0, 0];
    this.total = 0;
  }
}
