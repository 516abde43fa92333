/** A pool of worker threads that answer requests in turn, and the workers' side of it. */
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import type { Transferable } from 'node:worker_threads';
import { UserFacingError } from './errors.ts';
import { dataFolder } from './home.ts';
import './no-telemetry.ts';
import { onWorkerSettings, setWorkerSettings } from './worker-settings.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { workerFile } from './workers.ts';

interface ErrorMessage {
  name: string;
  message: string;
  stack: string | undefined;
  code: string | undefined;
  path: string | undefined;
  advice: string | undefined;
}

type FromWorker<Response> = { id: number; response: Response } | { id: number; error: ErrorMessage };
type ToWorker<Request> = { id: number; request: Request } | { abort: true } | { settings: WorkerSettings };

interface Task<Request, Response> {
  id: number;
  request: Request;
  limitMilliseconds: number | undefined;
  short: boolean;
  timer: NodeJS.Timeout | undefined;
  resolve: (response: Response) => void;
  reject: (error: unknown) => void;
}

/** How long an aborted worker may take to let go of what it holds (an ffmpeg child, say) before it is ended. */
const abortGraceMilliseconds = 1000;

/** What is large here are typed arrays, outside the heap: more room for young objects holds 10 MB a worker and saves no time. */
const maxYoungGenerationSizeMb = 12;

/** A worker with what it was given, in that order; the first is what it is at. */
interface Lane<Request, Response> {
  worker: Worker;
  tasks: Task<Request, Response>[];
}

/** Short requests that a worker is given at once: it can read for the next one while it computes for the first. */
const shortAtOnce = 2;

/**
 * A fixed number of worker threads that answer one request at a time each (short ones two), first come first served. A worker
 * that dies, or takes longer than a request may, fails the request that it was at, and is replaced.
 */
export class WorkerPool<Request, Response> {
  readonly #file: URL;
  readonly #workerData: unknown;
  readonly #waiting: Task<Request, Response>[] = [];
  readonly #lanes = new Set<Lane<Request, Response>>();
  readonly #unfollow: () => void;
  #nextId = 1;
  #closed = false;
  #rests = false;

  /** @param workerData what every worker finds in its `workerData`. */
  constructor(file: URL, count: number, workerData: unknown) {
    this.#file = file;
    this.#workerData = workerData;
    for (let i = 0; i < count; i++) this.#start();
    // Messages keep their order: what a worker is asked after the change is done with it.
    this.#unfollow = onWorkerSettings((settings) => {
      for (const { worker } of this.#lanes) worker.postMessage({ settings } satisfies ToWorker<Request>);
    });
  }

  /**
   * @param limitMilliseconds how long a worker may be at it; the time that it waits for one does not count.
   * @param short that it is done at once: a worker may get it while it is at another such, and must then see to it itself
   * that they do not get into one another's way.
   * @throws DOMException `TimeoutError` after that, `AbortError` when the pool is closed; what the worker throws.
   */
  run(request: Request, limitMilliseconds?: number, short = false): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      if (this.#closed) {
        reject(new Error('the pool is closed'));
        return;
      }
      const task = { id: this.#nextId++, request, limitMilliseconds, short, timer: undefined, resolve, reject };
      this.#waiting.push(task);
      this.#assign();
    });
  }

  /** While it rests, its workers keep no process alive. */
  rest(rests: boolean): void {
    this.#rests = rests;
    for (const { worker } of this.#lanes) {
      if (rests) worker.unref();
      else worker.ref();
    }
  }

  /** Ends the workers; what they were at is aborted and fails. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unfollow();
    const lanes = [...this.#lanes];
    const busy = lanes.filter(({ tasks }) => tasks.length > 0);
    const failed = [...this.#waiting, ...lanes.flatMap(({ tasks }) => tasks)];
    this.#waiting.length = 0;
    this.#lanes.clear();
    for (const task of failed) {
      clearTimeout(task.timer);
      task.reject(new DOMException('The work was stopped.', 'AbortError'));
    }
    if (busy.length > 0) {
      const quiet = Promise.all(busy.map(({ worker, tasks }) => answered(worker, tasks.length)));
      for (const { worker } of busy) worker.postMessage({ abort: true } satisfies ToWorker<Request>);
      await Promise.race([quiet, new Promise((resolve) => setTimeout(resolve, abortGraceMilliseconds))]);
    }
    await Promise.all(lanes.map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const worker = new Worker(this.#file, {
      workerData: this.#workerData,
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    if (this.#rests) worker.unref();
    const lane: Lane<Request, Response> = { worker, tasks: [] };
    worker.on('message', (message: FromWorker<Response>) => {
      const place = lane.tasks.findIndex(({ id }) => id === message.id);
      if (!this.#lanes.has(lane) || place < 0) return;
      const [task] = lane.tasks.splice(place, 1);
      clearTimeout(task.timer);
      this.#limitFirst(lane);
      if ('error' in message) task.reject(revive(message.error));
      else task.resolve(message.response);
      this.#assign();
    });
    const died = (error: unknown): void => this.#replace(lane, error);
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`a worker ended with status ${code}`)));
    this.#lanes.add(lane);
  }

  /** Fails what a lane's worker is at, lets others do what it was given besides, and puts another in its place. */
  #replace(lane: Lane<Request, Response>, error: unknown): void {
    if (!this.#lanes.delete(lane)) return;
    const [first, ...others] = lane.tasks;
    clearTimeout(first?.timer);
    this.#waiting.unshift(...others);
    this.#start();
    this.#assign();
    first?.reject(error);
  }

  /** Gives the first of a lane's tasks its time. */
  #limitFirst(lane: Lane<Request, Response>): void {
    const task = lane.tasks.at(0);
    if (task?.limitMilliseconds === undefined || task.timer !== undefined) return;
    task.timer = setTimeout(() => {
      this.#replace(lane, new DOMException('The work took too long.', 'TimeoutError'));
      lane.worker.postMessage({ abort: true } satisfies ToWorker<Request>);
      setTimeout(() => void lane.worker.terminate(), abortGraceMilliseconds);
    }, task.limitMilliseconds);
  }

  /** The lane with the least to do that can take this task, too. */
  #laneFor(task: Task<Request, Response>): Lane<Request, Response> | undefined {
    let best: Lane<Request, Response> | undefined;
    for (const lane of this.#lanes) {
      const count = lane.tasks.length;
      const free = count === 0 || (count < shortAtOnce && task.short && lane.tasks[0].short);
      if (free && count < (best?.tasks.length ?? Infinity)) best = lane;
    }
    return best;
  }

  #assign(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#laneFor(this.#waiting[0]);
      if (lane === undefined) return;
      const task = this.#waiting.shift() as Task<Request, Response>;
      lane.tasks.push(task);
      this.#limitFirst(lane);
      lane.worker.postMessage({ id: task.id, request: task.request } satisfies ToWorker<Request>);
    }
  }
}

interface PoolOptions {
  /** As `workerFile` takes it. */
  worker: string;
  /** Threads, one by default. */
  count?: number;
  workerData?: unknown;
  signal?: AbortSignal | undefined;
}

/**
 * Gives a pool to what uses it, and closes it afterwards, or when the signal fires.
 * @throws the signal's reason when it fires; what `use` throws
 */
export async function withPool<Request, Response, Result>(
  { worker, count = 1, workerData = null, signal }: PoolOptions,
  use: (pool: WorkerPool<Request, Response>) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  const pool = new WorkerPool<Request, Response>(workerFile(worker), count, workerData);
  try {
    return await usePool(pool, signal, use);
  } finally {
    await pool.close();
  }
}

/** So long a worker that takes long to load is kept for who needs it next. */
const restMilliseconds = 30_000;
const resting = new Map<string, { pool: WorkerPool<unknown, unknown>; timer: NodeJS.Timeout }>();

/**
 * As {@link withPool} with one thread, which is kept for a while after its use: who needs it next finds it loaded. After an error it is closed.
 * @throws the signal's reason when it fires; what `use` throws
 */
export async function withKeptPool<Request, Response, Result>(
  { worker, signal }: Pick<PoolOptions, 'worker' | 'signal'>,
  use: (pool: WorkerPool<Request, Response>) => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  // Of its environment a worker knows what held when it was started.
  const key = JSON.stringify([worker, dataFolder()]);
  const pool = takeResting<Request, Response>(key) ?? new WorkerPool<Request, Response>(workerFile(worker), 1, null);
  try {
    const result = await usePool(pool, signal, use);
    // Else it is closed.
    if (!signal?.aborted) letRest(key, pool);
    return result;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function takeResting<Request, Response>(key: string): WorkerPool<Request, Response> | undefined {
  const found = resting.get(key);
  if (found === undefined) return undefined;
  resting.delete(key);
  clearTimeout(found.timer);
  found.pool.rest(false);
  return found.pool as WorkerPool<Request, Response>;
}

function letRest<Request, Response>(key: string, pool: WorkerPool<Request, Response>): void {
  if (resting.has(key)) {
    void pool.close();
    return;
  }
  pool.rest(true);
  const end = (): void => {
    resting.delete(key);
    void pool.close();
  };
  resting.set(key, { pool: pool as WorkerPool<unknown, unknown>, timer: setTimeout(end, restMilliseconds).unref() });
}

/** @throws the signal's reason when it fires, which closes the pool; what `use` throws */
async function usePool<Request, Response, Result>(
  pool: WorkerPool<Request, Response>,
  signal: AbortSignal | undefined,
  use: (pool: WorkerPool<Request, Response>) => Promise<Result>,
): Promise<Result> {
  const stop = (): void => void pool.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await use(pool);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** When a worker has sent so many messages. */
function answered(worker: Worker, count: number): Promise<void> {
  return new Promise((resolve) => {
    worker.on('message', () => {
      if (--count === 0) resolve();
    });
  });
}

function revive(error: ErrorMessage): Error {
  if (error.code !== undefined) {
    return new UserFacingError(error.code, error.message, {
      ...(error.path === undefined ? {} : { path: error.path }),
      ...(error.advice === undefined ? {} : { advice: error.advice }),
    });
  }
  const revived = new Error(error.message);
  revived.name = error.name;
  if (error.stack) revived.stack = error.stack;
  return revived;
}

/**
 * The worker's side: answers each request by `handle`, whose signal fires when the pool is closed.
 * @param handle returns the response and what of it is handed over instead of copied.
 */
export function serveRequests<Request, Response>(
  handle: (request: Request, signal: AbortSignal) => Promise<{ response: Response; transfer?: Transferable[] }>,
): void {
  if (isMainThread || parentPort === null) throw new Error('serveRequests belongs in a worker');
  const port = parentPort;
  const controller = new AbortController();
  port.on('message', (message: ToWorker<Request>) => {
    if ('abort' in message) {
      controller.abort();
      return;
    }
    if ('settings' in message) {
      setWorkerSettings(message.settings);
      return;
    }
    const { id, request } = message;
    handle(request, controller.signal).then(
      ({ response, transfer }) => port.postMessage({ id, response } satisfies FromWorker<Response>, transfer ?? []),
      (thrown: unknown) => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        const user = error instanceof UserFacingError ? error : undefined;
        port.postMessage({
          id,
          error: {
            name: error.name,
            message: error.message,
            stack: error.stack,
            code: user?.code,
            path: user?.path,
            advice: user?.advice,
          },
        } satisfies FromWorker<Response>);
      },
    );
  });
}
