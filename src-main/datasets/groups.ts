/** Which of some things belong together, told pair by pair (Tarjan's disjoint sets). */
export class Groups {
  readonly #parents: Int32Array;

  constructor(count: number) {
    this.#parents = Int32Array.from({ length: count }, (_, index) => index);
  }

  join(first: number, second: number): void {
    const [a, b] = [this.#rootOf(first), this.#rootOf(second)];
    // The smaller place stays the root, so that groups come in the order of their first members.
    if (a !== b) this.#parents[Math.max(a, b)] = Math.min(a, b);
  }

  #rootOf(index: number): number {
    const parents = this.#parents;
    while (parents[index] !== index) {
      parents[index] = parents[parents[index]];
      index = parents[index];
    }
    return index;
  }

  /** Every group with its members in order, those of one member too. */
  all(): number[][] {
    return [...Map.groupBy(this.#parents.keys(), (index) => this.#rootOf(index)).values()];
  }
}
