/**
 * Parts of a recording's sound, fetched as they come into sight and kept up to a limit. Few requests run at once; those that nobody
 * waits for any more are dropped or stopped.
 */
export class PartCache<Part> {
  readonly #load: (key: string, signal: AbortSignal) => Promise<Part>;
  readonly #limit: number;
  readonly #concurrency: number;
  readonly #onArrival: () => void;
  readonly #onFailure: (error: unknown) => void;
  /** The least lately used first. */
  readonly #kept = new Map<string, Part>();
  readonly #failed = new Set<string>();
  readonly #running = new Map<string, AbortController>();
  #wanted: readonly string[] = [];
  #closed = false;

  constructor(options: {
    load: (key: string, signal: AbortSignal) => Promise<Part>;
    limit: number;
    concurrency: number;
    onArrival: () => void;
    onFailure: (error: unknown) => void;
  }) {
    this.#load = options.load;
    this.#limit = options.limit;
    this.#concurrency = options.concurrency;
    this.#onArrival = options.onArrival;
    this.#onFailure = options.onFailure;
  }

  /** A part that is there. */
  get(key: string): Part | undefined {
    const part = this.#kept.get(key);
    if (part !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, part);
    }
    return part;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Nothing is asked for or on its way. */
  get idle(): boolean {
    return this.#running.size === 0 && this.#wanted.length === 0;
  }

  /** Says which parts are wanted now, the most urgent first: in place of what was wanted before. */
  want(keys: readonly string[]): void {
    const wanted = new Set(keys);
    for (const [key, controller] of this.#running) if (!wanted.has(key)) controller.abort();
    this.#wanted = keys.filter((key) => !this.#kept.has(key) && !this.#running.has(key) && !this.#failed.has(key));
    this.#fill();
  }

  /** Tries again what failed. */
  forgetFailures(): void {
    this.#failed.clear();
  }

  close(): void {
    this.#closed = true;
    this.#wanted = [];
    for (const controller of this.#running.values()) controller.abort();
    this.#kept.clear();
  }

  #fill(): void {
    while (!this.#closed && this.#wanted.length > 0 && this.#running.size < this.#concurrency) {
      const [key, ...rest] = this.#wanted;
      this.#wanted = rest;
      void this.#fetch(key);
    }
  }

  async #fetch(key: string): Promise<void> {
    const controller = new AbortController();
    this.#running.set(key, controller);
    try {
      const part = await this.#load(key, controller.signal);
      if (this.#closed) return;
      this.#kept.set(key, part);
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= this.#limit) break;
        this.#kept.delete(oldest);
      }
      this.#onArrival();
    } catch (error) {
      if (!controller.signal.aborted) {
        this.#failed.add(key);
        this.#onFailure(error);
      }
    } finally {
      this.#running.delete(key);
      this.#fill();
    }
  }
}
