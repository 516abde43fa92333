/** A scan of a case that is spread over a queue: what made each result, and what the log says of it. */
import type { Allowable } from '../../src-common/queue.ts';
import { describeWorker, machineName, madeHere } from '../scanning/queue/facts.ts';
import type { ScoredBy, Made as MadeHere } from '../scanning/queue/facts.ts';
import type { QueueAddress } from '../scanning/queue/address.ts';
import { scanOverQueue } from '../scanning/queue/spread.ts';
import type { Present, SpreadOptions } from '../scanning/queue/spread.ts';
import type { CaseStore } from '../cases/store.ts';
import type { StoredModel } from '../detector/store.ts';
import type { ScoreRequest } from '../scanning/score.ts';
import type { Made } from './case-analysis.ts';

/** Whose workers score a case's items, and how. */
export interface CaseQueue {
  address: QueueAddress;
  /** In what workers may differ from this machine. */
  allow: readonly Allowable[];
  /** Results name the machine that made them also where it is this one. */
  nameWorkers: boolean;
  /** As of `SpreadOptions`. */
  onNotice: (text: string) => void;
  onPresent?: (present: Present) => void;
}

export class SpreadScan {
  readonly #queue: CaseQueue;
  readonly #here: MadeHere;
  readonly #made: Made;
  /** Items by the machine that scored them. */
  readonly #scored = new Map<string, number>();
  /** Why, by the worker that took no part. */
  readonly #refused = new Map<string, string>();

  private constructor(queue: CaseQueue, here: MadeHere, made: Made) {
    this.#queue = queue;
    this.#here = here;
    this.#made = made;
  }

  /** @param made what makes results on this machine */
  static async over(queue: CaseQueue, made: Made): Promise<SpreadScan> {
    return new SpreadScan(queue, await madeHere(), made);
  }

  /** As `scanOverQueue`. */
  async run(
    model: StoredModel,
    requests: readonly ScoreRequest[],
    onResult: Parameters<typeof scanOverQueue>[3],
    options: Pick<SpreadOptions, 'limitSeconds' | 'known'> & { signal?: AbortSignal },
  ): Promise<void> {
    const { address, allow, onNotice, onPresent } = this.#queue;
    await scanOverQueue(address, model, requests, onResult, {
      ...options,
      ...{ made: this.#here, allow, onNotice },
      signal: options.signal ?? new AbortController().signal,
      onPresent: (present) => {
        for (const { worker, why } of present.refused) this.#refused.set(worker, why);
        onPresent?.(present);
      },
    });
  }

  /** What made a result, by the worker that it came from; counts it. */
  madeBy(by: ScoredBy | undefined): Made {
    if (by === undefined) return this.#made;
    const { application, backend, ffmpeg, platform, worker } = by;
    this.#scored.set(worker, (this.#scored.get(worker) ?? 0) + 1);
    const named = this.#queue.nameWorkers || worker !== describeWorker(machineName(), this.#here);
    return { ...this.#made, application, backend, ffmpeg, platform, ...(named ? { worker } : {}) };
  }

  /** Has the log say by whom items were scored, and who took no part. */
  note(store: CaseStore): void {
    const { kept } = this.#queue.address;
    const scored = [...this.#scored].map(([worker, items]) => ({ worker, items }));
    const refused = [...this.#refused].map(([worker, why]) => ({ worker, why }));
    const items = scored.reduce((sum, one) => sum + one.items, 0);
    const by = scored.length === 0 ? '' : ` by ${scored.length} ${scored.length === 1 ? 'machine' : 'machines'}`;
    const refusal = refused.map(({ worker, why }) => ` ${nameOf(worker)} took no part: ${why}`).join('');
    store.log.note(
      'scan-spread',
      `${items} ${items === 1 ? 'item was' : 'items were'} scored over the queue ${kept}${by}.${refusal}`,
      { queue: kept, allowed: this.#queue.allow, workers: scored, refused },
    );
  }
}

/** A machine's name, of how it describes itself. */
function nameOf(worker: string): string {
  return worker.slice(0, worker.indexOf(':'));
}
