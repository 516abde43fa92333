/** What changes in the engine, for everyone who looks: at most ten a second of each kind of change to each thing. */
import type { Change } from '../../src-preload/contract/system.ts';

const everyMilliseconds = 100;
/** Changes that wait for a subscriber who does not take them, beyond which the oldest sentence is dropped. */
const mostWaiting = 1000;

type EngineStart = Omit<Extract<Change, { type: 'engine' }>, 'type'>;

/** Two changes of the same key can be told as one. */
function keyOf(change: Change): string {
  switch (change.type) {
    case 'job':
      return `job ${change.job.id}`;
    case 'evidence':
    case 'head':
      return `${change.type} ${change.caseId}`;
    case 'training':
      return `training ${change.jobId}`;
    case 'notice':
      return `notice ${change.sentence}`;
    default:
      return change.type;
  }
}

/** The later of two changes of the same key, with what the earlier one said besides. */
function merged(before: Change | undefined, change: Change): Change {
  if (before?.type !== 'evidence' || change.type !== 'evidence') return change;
  if (before.rows === null || change.rows === null) return { ...change, rows: null };
  const rows = new Map(before.rows.map((row) => [row.id, row]));
  for (const row of change.rows) rows.set(row.id, row);
  // So many that asking anew is cheaper.
  return { ...change, rows: rows.size > 1000 ? null : [...rows.values()] };
}

class Subscriber {
  readonly #waiting = new Map<string, Change>();
  #wake: (() => void) | null = null;

  push(key: string, change: Change): void {
    const next = merged(this.#waiting.get(key), change);
    // Told in the order of the latest.
    this.#waiting.delete(key);
    this.#waiting.set(key, next);
    if (this.#waiting.size > mostWaiting) this.#waiting.delete([...this.#waiting.keys()][0]);
    this.wake();
  }

  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }

  async take(signal: AbortSignal): Promise<Change[]> {
    if (this.#waiting.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
    const changes = [...this.#waiting.values()];
    this.#waiting.clear();
    return changes;
  }
}

export class ChangeFeed {
  readonly #start: EngineStart;
  readonly #subscribers = new Set<Subscriber>();
  readonly #held = new Map<string, { timer: NodeJS.Timeout; next: Change | null }>();

  constructor(start: EngineStart) {
    this.#start = start;
  }

  /** Tells everyone now, or where the same thing changed less than a tenth of a second ago, after that, once. */
  publish(change: Change): void {
    const key = keyOf(change);
    const held = this.#held.get(key);
    if (held) {
      held.next = merged(held.next ?? undefined, change);
      return;
    }
    this.#tell(key, change);
  }

  #tell(key: string, change: Change): void {
    for (const subscriber of this.#subscribers) subscriber.push(key, change);
    const timer = setTimeout(() => {
      const next = this.#held.get(key)?.next ?? null;
      this.#held.delete(key);
      if (next) this.#tell(key, next);
    }, everyMilliseconds);
    // Nobody waits for what there is nothing to tell of.
    timer.unref();
    this.#held.set(key, { timer, next: null });
  }

  /** Everything from now on, first of all which engine this is; ends when the signal fires. */
  async *subscribe(signal: AbortSignal): AsyncGenerator<Change, void> {
    const subscriber = new Subscriber();
    const wake = (): void => subscriber.wake();
    this.#subscribers.add(subscriber);
    signal.addEventListener('abort', wake);
    try {
      yield { type: 'engine', ...this.#start };
      while (!signal.aborted) yield* await subscriber.take(signal);
    } finally {
      signal.removeEventListener('abort', wake);
      this.#subscribers.delete(subscriber);
    }
  }
}
