/** Lists files and scores them one after the other, whatever some of them are. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve, sep } from 'node:path';
import { describeError } from '../base/errors.ts';
import { WorkerPool } from '../base/pool.ts';
import { workerFile } from '../base/workers.ts';
import type { RunnableModel } from '../detector/store.ts';
import { displayPath } from '../base/display-path.ts';
import { pathsReadAs } from '../base/lossy-name.ts';
import type { KnownFile, ScoreOutcome, ScoreRequest } from './score.ts';

function joined(folder: Buffer, name: Buffer): Buffer {
  const separator = folder.at(-1) === sep.charCodeAt(0) ? [] : [Buffer.from(sep)];
  return Buffer.concat([folder, ...separator, name]);
}

function requestFor(bytes: Buffer, found: boolean): ScoreRequest {
  const path = bytes.toString('utf8');
  const whole = Buffer.from(path).equals(bytes);
  return { path, nameBytes: whole ? null : bytes, found };
}

/** What a search for recordings found. */
export interface ScanListing {
  requests: ScoreRequest[];
  /** Folders that could not be read, with the reason. */
  unreadable: { path: string; why: string }[];
  /** Folders below those named that were left out, because the search did not go below. */
  leftOutFolders: number;
}

/**
 * Lists the files to scan: those named, and those in folders (with `recursive` also below them), sorted by their bytes.
 * Links are followed once; pipes, devices and sockets in folders are left out.
 */
export async function listFiles(paths: readonly string[], recursive: boolean): Promise<ScanListing> {
  const listing: ScanListing = { requests: [], unreadable: [], leftOutFolders: 0 };
  const visited = new Set<string>();
  const walk = async (folder: Buffer, depth: number): Promise<void> => {
    // A link back up the tree would never end.
    const real = (await realpath(folder, 'buffer')).toString('latin1');
    if (visited.has(real)) return;
    visited.add(real);
    const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
    entries.sort((one, other) => Buffer.compare(one.name, other.name));
    for (const entry of entries) {
      const path = joined(folder, entry.name);
      let kind: { isFile(): boolean; isDirectory(): boolean } = entry;
      if (entry.isSymbolicLink()) {
        const target = await stat(path).catch(() => null);
        if (target === null) continue;
        kind = target;
      }
      if (kind.isFile()) listing.requests.push(requestFor(path, true));
      else if (kind.isDirectory()) {
        if (recursive) await walkSafely(path, depth + 1);
        else listing.leftOutFolders++;
      }
    }
  };
  const walkSafely = async (folder: Buffer, depth: number): Promise<void> => {
    try {
      await walk(folder, depth);
    } catch (error) {
      const { path } = requestFor(folder, true);
      listing.unreadable.push({ path, why: describeError(error) });
    }
  };
  const take = async (bytes: Buffer, kind: { isDirectory(): boolean } | null): Promise<void> => {
    if (kind?.isDirectory()) await walkSafely(bytes, 0);
    else listing.requests.push(requestFor(bytes, false));
  };
  const read = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(path);
    const found = await stat(absolute).catch(() => null);
    const meant = found === null ? await pathsReadAs(absolute) : [];
    if (meant.length === 0) await take(Buffer.from(absolute), found);
    // Several names may have come to read alike: all of them were meant, each once.
    if (meant.length > 0 && read.has(absolute)) continue;
    read.add(absolute);
    for (const bytes of meant) await take(bytes, await stat(bytes).catch(() => null));
  }
  return listing;
}

/** A file with what became of it. */
export interface ScanResult extends ScoreOutcome {
  /** As `displayPath` gives it. */
  path: string;
  /** The machine that scored it, where it was done through a queue. */
  worker?: string;
}

/** How files are scored. */
export interface ScanOptions {
  /** Worker threads; as many as cores if not given. */
  jobs?: number;
  /** A file is given up after this long; by its size if not given. */
  limitSeconds?: number;
  signal?: AbortSignal;
}

/** Requests given to the workers and not yet answered, for each worker: enough that none waits. */
export const requestsAhead = 4;
/** Results that wait for slower ones before them, for each worker: bounded, so that a huge folder does not fill the memory. */
const resultsAhead = 64;
/** A file that is not done after this long, and a second for each so many bytes, is given up: about a tenth of real time
 * on the slowest machine for the densest codec. */
const shortestLimitSeconds = 600;
const slowestBytesPerSecond = 50_000;

/** A worker gets the next file while it is at one of up to this size: it is soon done. */
const smallFileBytes = 2 * 1024 ** 2;

/** 0 where there is none. */
async function sizeOf(request: ScoreRequest): Promise<number> {
  const path = request.nameBytes === null ? request.path : Buffer.from(request.nameBytes);
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

/** Workers that score files; whatever goes wrong with a file is its result. */
export class Scorer {
  readonly jobs: number;
  readonly #pool: WorkerPool<ScoreRequest, ScoreOutcome>;
  readonly #options: ScanOptions;
  #closed = false;
  readonly #stop = (): void => void this.#pool.close();

  constructor(model: RunnableModel, files: number, options: ScanOptions) {
    options.signal?.throwIfAborted();
    this.#options = options;
    this.jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), files));
    this.#pool = new WorkerPool(workerFile('scanning/score-worker'), this.jobs, model);
    options.signal?.addEventListener('abort', this.#stop, { once: true });
  }

  /** @throws the signal's reason when it fires. */
  async score(request: ScoreRequest): Promise<ScanResult> {
    const path = displayPath(request);
    try {
      const size = await sizeOf(request);
      const limitSeconds = this.#options.limitSeconds ?? shortestLimitSeconds + size / slowestBytesPerSecond;
      return { path, ...(await this.#pool.run(request, 1000 * limitSeconds, size <= smallFileBytes)) };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (this.#closed) throw error;
      return { path, ...failedOutcome(path, error) };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.signal?.removeEventListener('abort', this.#stop);
    await this.#pool.close();
  }
}

function failedOutcome(path: string, error: unknown): ScoreOutcome {
  const failed = { sha256: null, analysis: null, passedOver: false, file: null, unchanged: false };
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    const message = `${path} was given up: it took too long. It may be damaged, or its drive does not answer.`;
    return { ...failed, error: { code: 'timeout', message } };
  }
  // A worker that dies (a fault in native code, say) costs the file that it was at, not the scan.
  return {
    ...failed,
    error: { code: 'internal', message: `Earwitness failed on this file: ${describeError(error)}.` },
  };
}

/**
 * Scores files on all cores and yields the results in the order of the requests, as early as that order allows.
 * @param options `onDone` is called as each file is done, in whatever order
 * @throws the signal's reason when it fires; the workers are ended then
 */
export async function* scanFiles(
  model: RunnableModel,
  requests: readonly ScoreRequest[],
  options: ScanOptions & { onDone?: (result: ScanResult) => void } = {},
): AsyncGenerator<ScanResult> {
  if (requests.length === 0) return;
  const scorer = new Scorer(model, requests.length, options);
  try {
    const pending: Promise<ScanResult>[] = [];
    let next = 0;
    const start = (): void => {
      const result = scorer.score(requests[next++]).then((done) => {
        options.onDone?.(done);
        return done;
      });
      result.catch(() => undefined);
      pending.push(result);
    };
    while (next < requests.length || pending.length > 0) {
      while (next < requests.length && pending.length < scorer.jobs * resultsAhead) start();
      yield await (pending.shift() as Promise<ScanResult>);
    }
  } finally {
    await scorer.close();
  }
}

/**
 * Scores files on all cores and hands each result over as it is done, in whatever order; no result is kept, and none
 * waits for another.
 * @param onResult gets the request and its result; while it is at work, fewer files are begun
 * @throws the signal's reason when it fires, and what `onResult` throws; the workers are ended then
 */
export async function scanAsDone(
  model: RunnableModel,
  requests: readonly ScoreRequest[],
  onResult: (request: ScoreRequest, result: ScanResult) => Promise<void>,
  options: ScanOptions & { known?: (request: ScoreRequest) => KnownFile | null } = {},
): Promise<void> {
  if (requests.length === 0) return;
  const scorer = new Scorer(model, requests.length, options);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < requests.length) {
      const request = requests[next++];
      const known = options.known?.(request) ?? null;
      await onResult(request, await scorer.score(known === null ? request : { ...request, known }));
    }
  };
  const lanes = Array.from({ length: scorer.jobs * requestsAhead }, lane);
  try {
    await Promise.all(lanes);
  } finally {
    await scorer.close();
    await Promise.allSettled(lanes);
  }
}
