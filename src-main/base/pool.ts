import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import type { Transferable } from 'node:worker_threads';
import { UserFacingError } from './errors.ts';
import './no-telemetry.ts';

interface ErrorMessage {
  name: string;
  message: string;
  stack: string | undefined;
  code: string | undefined;
  path: string | undefined;
  advice: string | undefined;
}

type FromWorker<Response> = { id: number; response: Response } | { id: number; error: ErrorMessage };
type ToWorker<Request> = { id: number; request: Request } | { abort: true };

interface Task<Request, Response> {
  id: number;
  request: Request;
  limitMilliseconds: number | undefined;
  timer: NodeJS.Timeout | undefined;
  resolve: (response: Response) => void;
  reject: (error: unknown) => void;
}

/** How long an aborted worker may take to let go of what it holds (an ffmpeg child, say) before it is ended. */
const abortGraceMilliseconds = 1000;

/**
 * A fixed number of worker threads that answer one request at a time each, first come first served. A worker that
 * dies, or takes longer than a request may, fails the request that it was at, and is replaced.
 */
export class WorkerPool<Request, Response> {
  readonly #file: URL;
  readonly #workerData: unknown;
  readonly #waiting: Task<Request, Response>[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task<Request, Response>>();
  #nextId = 1;
  #closed = false;

  /** @param workerData what every worker finds in its `workerData`. */
  constructor(file: URL, count: number, workerData: unknown) {
    this.#file = file;
    this.#workerData = workerData;
    for (let i = 0; i < count; i++) this.#start();
  }

  /**
   * @param limitMilliseconds how long a worker may be at it; the time that it waits for one does not count.
   * @throws DOMException `TimeoutError` after that, `AbortError` when the pool is closed; what the worker throws.
   */
  run(request: Request, limitMilliseconds?: number): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      if (this.#closed) {
        reject(new Error('the pool is closed'));
        return;
      }
      this.#waiting.push({ id: this.#nextId++, request, limitMilliseconds, timer: undefined, resolve, reject });
      this.#assign();
    });
  }

  /** Ends the workers; what they were at is aborted and fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    const failed = [...this.#waiting, ...this.#busy.values()];
    const wasBusy = this.#busy.size > 0;
    this.#waiting.length = 0;
    this.#idle.length = 0;
    for (const task of failed) {
      clearTimeout(task.timer);
      task.reject(new DOMException('The work was stopped.', 'AbortError'));
    }
    if (wasBusy) {
      const quiet = Promise.all(
        [...this.#busy.keys()].map((worker) => new Promise((resolve) => worker.once('message', resolve))),
      );
      for (const worker of this.#busy.keys()) worker.postMessage({ abort: true } satisfies ToWorker<Request>);
      await Promise.race([quiet, new Promise((resolve) => setTimeout(resolve, abortGraceMilliseconds))]);
    }
    this.#busy.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #start(): void {
    const worker = new Worker(this.#file, { workerData: this.#workerData });
    worker.on('message', (message: FromWorker<Response>) => {
      const task = this.#busy.get(worker);
      if (task?.id !== message.id) return;
      clearTimeout(task.timer);
      this.#busy.delete(worker);
      this.#idle.push(worker);
      if ('error' in message) task.reject(revive(message.error));
      else task.resolve(message.response);
      this.#assign();
    });
    const died = (error: unknown): void => {
      const task = this.#busy.get(worker);
      const idleAt = this.#idle.indexOf(worker);
      this.#busy.delete(worker);
      if (idleAt >= 0) this.#idle.splice(idleAt, 1);
      clearTimeout(task?.timer);
      task?.reject(error);
      if (this.#closed || (!task && idleAt < 0)) return;
      this.#start();
      this.#assign();
    };
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`a worker ended with status ${code}`)));
    this.#idle.push(worker);
  }

  #giveUp(worker: Worker, task: Task<Request, Response>): void {
    this.#busy.delete(worker);
    task.reject(new DOMException('The work took too long.', 'TimeoutError'));
    worker.postMessage({ abort: true } satisfies ToWorker<Request>);
    setTimeout(() => void worker.terminate(), abortGraceMilliseconds);
    this.#start();
    this.#assign();
  }

  #assign(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.pop() as Worker;
      const task = this.#waiting.shift() as Task<Request, Response>;
      this.#busy.set(worker, task);
      if (task.limitMilliseconds !== undefined) {
        task.timer = setTimeout(() => this.#giveUp(worker, task), task.limitMilliseconds);
      }
      worker.postMessage({ id: task.id, request: task.request } satisfies ToWorker<Request>);
    }
  }
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
