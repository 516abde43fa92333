import { readdir, realpath, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve, sep } from 'node:path';
import { describeError } from '../base/errors.ts';
import { WorkerPool } from '../base/pool.ts';
import { workerFile } from '../base/workers.ts';
import type { StoredModel } from '../detector/store.ts';
import type { ScoreOutcome, ScoreRequest } from './score.ts';

/** A path for people and tables: bytes that are no UTF-8 as `\xHH`. */
export function displayPath(request: Pick<ScoreRequest, 'path' | 'nameBytes'>): string {
  if (request.nameBytes === null) return request.path;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const bytes = Buffer.from(request.nameBytes);
  let text = '';
  for (let at = 0; at < bytes.length;) {
    // The longest valid character of up to four bytes, else one escaped byte.
    let length = 1;
    let character: string | undefined;
    for (; length <= 4 && at + length <= bytes.length; length++) {
      try {
        character = decoder.decode(bytes.subarray(at, at + length));
        break;
      } catch {
        continue;
      }
    }
    if (character === undefined) {
      text += `\\x${bytes[at].toString(16).toUpperCase().padStart(2, '0')}`;
      at++;
    } else {
      text += character;
      at += length;
    }
  }
  return text;
}

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
}

/**
 * Lists the files to scan: those named, and those in folders (with `recursive` also below them), sorted by their bytes.
 * Links are followed once; pipes, devices and sockets in folders are left out.
 */
export async function listFiles(paths: readonly string[], recursive: boolean): Promise<ScanListing> {
  const listing: ScanListing = { requests: [], unreadable: [] };
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
      else if (kind.isDirectory() && recursive) await walkSafely(path, depth + 1);
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
  for (const path of paths) {
    const absolute = resolve(path);
    const found = await stat(absolute).catch(() => null);
    if (found?.isDirectory()) await walkSafely(Buffer.from(absolute), 0);
    else listing.requests.push({ path: absolute, nameBytes: null, found: false });
  }
  return listing;
}

/** A file with what became of it. */
export interface ScanResult extends ScoreOutcome {
  /** As `displayPath` gives it. */
  path: string;
}

/** Requests given to the workers and not yet answered, for each worker: enough that none waits. */
const requestsAhead = 4;

/**
 * Scores files on all cores and yields the results in the order of the requests, as early as that order allows.
 * @param jobs worker threads; as many as cores if not given
 * @param onDone called as each file is done, in whatever order
 * @throws the signal's reason when it fires; the workers are ended then
 */
export async function* scanFiles(
  model: StoredModel,
  requests: readonly ScoreRequest[],
  options: { jobs?: number; signal?: AbortSignal; onDone?: (result: ScanResult) => void } = {},
): AsyncGenerator<ScanResult> {
  const { signal } = options;
  const jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), requests.length));
  if (requests.length === 0) return;
  signal?.throwIfAborted();
  const pool = new WorkerPool<ScoreRequest, ScoreOutcome>(workerFile('jobs/score-worker'), jobs, {
    card: model.card,
    onnx: model.onnx,
  });
  const stop = (): void => void pool.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const pending: Promise<ScanResult>[] = [];
    let next = 0;
    const start = (): void => {
      const request = requests[next++];
      const result = pool.run(request).then(
        (outcome) => ({ path: displayPath(request), ...outcome }),
        (error: unknown) => {
          signal?.throwIfAborted();
          // A worker that dies (a fault in native code, say) costs the file that it was at, not the scan.
          const message = `Earwitness failed on this file: ${describeError(error)}.`;
          return {
            path: displayPath(request),
            sha256: null,
            analysis: null,
            error: { code: 'internal', message },
            passedOver: false,
          };
        },
      );
      pending.push(
        result.then((done) => {
          options.onDone?.(done);
          return done;
        }),
      );
      pending.at(-1)?.catch(() => undefined);
    };
    // Results wait for slower ones before them; a bounded number, so that a huge folder does not fill the memory.
    const limit = jobs * requestsAhead * 16;
    while (next < requests.length || pending.length > 0) {
      while (next < requests.length && pending.length < limit) start();
      yield await (pending.shift() as Promise<ScanResult>);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await pool.close();
  }
}
