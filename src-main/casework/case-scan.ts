/** Scores the items of a case that are queued for a scan, and keeps each result as it comes. */
import { UserFacingError } from '../base/errors.ts';
import type { CaseStore } from '../cases/store.ts';
import type { NewAnalysis } from '../cases/analyses.ts';
import type { StoredModel } from '../detector/store.ts';
import { keptAnalyses, madeBy } from './case-analysis.ts';
import { SpreadScan } from './spread-scan.ts';
import type { CaseQueue } from './spread-scan.ts';
import { scanAsDone } from '../scanning/scan-files.ts';
import type { ScoredBy } from '../scanning/queue/facts.ts';
import type { ScanResult } from '../scanning/scan-files.ts';
import type { ScoreRequest } from '../scanning/score.ts';

export interface CaseScanOptions {
  /** Files at a time; as many as cores if not given. */
  jobs?: number;
  /** A file is given up after this long; by its size if not given. */
  limitSeconds?: number;
  signal?: AbortSignal;
  /** `done` counts from the items that were left when this run began. */
  onProgress?: (done: number, total: number) => void;
  /** Gets each item that failed. */
  onProblem?: (name: string, message: string) => void;
  waitWhilePaused?: () => Promise<void>;
  /** Asked when it is interrupted: true where it is to go on later, as when the engine closes; else it is cancelled. */
  goesOnLater?: () => boolean;
  /** Has them scored by its workers; by this machine if not given. */
  queue?: CaseQueue;
}

/** What a scan has come to. */
export interface CaseScanOutcome {
  scored: number;
  failed: number;
}

const commitItems = 64;
const commitMilliseconds = 100;

/** Gathers results for one transaction each tenth of a second: a disk is flushed once for many. */
class Committer {
  readonly #store: CaseStore;
  readonly #scanId: number;
  #waiting: { evidenceId: number; analyses: NewAnalysis[] }[] = [];
  #timer: NodeJS.Timeout | null = null;
  #failure: unknown = null;

  constructor(store: CaseStore, scanId: number) {
    this.#store = store;
    this.#scanId = scanId;
  }

  /** @throws what a transaction before has failed with. */
  add(evidenceId: number, analyses: NewAnalysis[]): void {
    if (this.#failure !== null) throw this.#failure as Error;
    this.#waiting.push({ evidenceId, analyses });
    if (this.#waiting.length >= commitItems) this.flush();
    else this.#timer ??= setTimeout(() => this.#attempt(), commitMilliseconds);
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const done = this.#waiting;
    this.#waiting = [];
    if (done.length > 0) this.#store.scans.finishItems(this.#scanId, done);
  }

  /** Lets go of what waits: it is still queued. */
  drop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #attempt(): void {
    try {
      this.flush();
    } catch (error) {
      this.#failure = error;
    }
  }
}

/** What makes an item's requests and results belong together. */
interface QueuedItem {
  evidenceId: number;
  name: string;
  intakeSha256: string;
}

/**
 * Scores what a scan has yet to score, on all cores or by the workers of a queue. Results, log and queue change together, so that after a crash the same call
 * goes on where it was and scores nothing twice; at most the last tenth of a second is scored again.
 * @throws the signal's reason when it fires; UserFacingError `model-changed` where the model is not the one that the scan was
 * begun with, `queue`; what the case throws where it cannot be written.
 */
export async function runCaseScan(
  store: CaseStore,
  scanId: number,
  model: StoredModel,
  program: string,
  options: CaseScanOptions = {},
): Promise<CaseScanOutcome> {
  const scan = store.scans.unfinished().find(({ id }) => id === scanId);
  if (!scan) throw new UserFacingError('not-found', 'This scan has ended already.');
  if (scan.modelSha256 !== model.onnxSha256) {
    store.scans.end(scanId, 'failed', 'The model is not the one that the scan was begun with.');
    throw new UserFacingError('model-changed', 'The model is not the one that this scan was begun with.', {
      advice: 'Start the scan anew.',
    });
  }
  const { signal, waitWhilePaused } = options;
  const made = madeBy(model, program);
  const items = new Map<ScoreRequest, QueuedItem>();
  const reading = {
    ...(scan.stream === null ? {} : { stream: scan.stream }),
    ...(scan.channel === 'mix' ? {} : { channel: scan.channel }),
    ...(scan.readAll ? { readAll: true } : {}),
  };
  for (const evidenceId of store.scans.queuedFor(scanId)) {
    const { path, nameBytes, name, sha256 } = store.evidence.intake(evidenceId);
    items.set({ path, nameBytes, found: false, reading }, { evidenceId, name, intakeSha256: sha256 });
  }
  const committer = new Committer(store, scanId);
  const outcome: CaseScanOutcome = { scored: 0, failed: 0 };
  const total = items.size;
  options.onProgress?.(0, total);
  const spread = options.queue && total > 0 ? await SpreadScan.over(options.queue, made) : null;
  const onResult = async (request: ScoreRequest, result: ScanResult, by?: ScoredBy): Promise<void> => {
    const item = items.get(request) as QueuedItem;
    const analyses = await keptAnalyses(model, spread?.madeBy(by) ?? made, item, scan, result);
    committer.add(item.evidenceId, analyses);
    if (result.error) {
      outcome.failed++;
      options.onProblem?.(item.name, result.error.message);
    } else {
      outcome.scored++;
    }
    noteState(store, item, result);
    options.onProgress?.(outcome.scored + outcome.failed, total);
    await waitWhilePaused?.();
  };
  try {
    const requests = [...items.keys()];
    const common = {
      ...(options.limitSeconds === undefined ? {} : { limitSeconds: options.limitSeconds }),
      ...(signal ? { signal } : {}),
      // Asked for each file as it is begun.
      known: (request: ScoreRequest) => {
        const item = items.get(request);
        if (item) store.evidence.setRunning(item.evidenceId, true);
        return null;
      },
    };
    if (spread) await spread.run(model, requests, onResult, common);
    else
      await scanAsDone(model, requests, onResult, {
        ...common,
        ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      });
    committer.flush();
    spread?.note(store);
    store.scans.end(scanId, 'done');
    return outcome;
  } catch (error) {
    if (!signal?.aborted && !isOfQueue(error)) throw error;
    committer.flush();
    spread?.note(store);
    if (!signal?.aborted) throw error;
    if (!options.goesOnLater?.()) store.scans.end(scanId, 'cancelled');
    throw error;
  } finally {
    committer.drop();
    store.evidence.clearRunning();
  }
}

function isOfQueue(error: unknown): boolean {
  return error instanceof UserFacingError && error.code === 'queue';
}

/** What scoring told of an item's file. */
function noteState(store: CaseStore, { evidenceId, intakeSha256 }: QueuedItem, { sha256, error }: ScanResult): void {
  try {
    if (error?.code === 'missing') store.evidence.setState(evidenceId, 'missing');
    else if (sha256 !== null && sha256 !== intakeSha256) {
      store.evidence.setState(evidenceId, 'changed', { sha256, fingerprint: '' });
    } else if (sha256 !== null && !store.evidence.intake(evidenceId).changed) {
      store.evidence.setState(evidenceId, 'unchanged');
    }
  } catch (thrown) {
    // It was taken out of the case meanwhile.
    if (!(thrown instanceof UserFacingError && thrown.code === 'not-found')) throw thrown;
  }
}
