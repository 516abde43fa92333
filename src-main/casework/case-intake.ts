/** Takes recordings into a case: looks at files on all cores, keeps what was found in the case, batch by batch. */
import { realpath, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { displayPath } from '../base/display-path.ts';
import { UserFacingError, describeError } from '../base/errors.ts';
import { WorkerPool } from '../base/pool.ts';
import { workerFile } from '../base/workers.ts';
import { copiesFolder } from '../cases/copies.ts';
import { databaseName } from '../cases/database.ts';
import { lockName } from '../cases/lock.ts';
import { fileFingerprint } from '../cases/fingerprint.ts';
import type { CaseStore } from '../cases/store.ts';
import type { NewEvidence } from '../cases/add-evidence.ts';
import type { z } from 'zod';
import type { intakeSchema } from '../../src-preload/contract/evidence.ts';
import { accessTimeName } from './access-time.ts';
import type { FileFindings, FileRequest } from './inspect-file.ts';
import { listFiles } from '../scanning/scan-files.ts';
import type { ScoreRequest } from '../scanning/score.ts';

/** What is taken in and how. */
export type IntakeRequest = Omit<z.infer<typeof intakeSchema>, 'caseId'>;

export interface IntakeOptions {
  /** The data folder, whose `uploads` are reported from files that lay on the machine. */
  home: string;
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number | null; doing: string }) => void;
  /** Gets what could not be taken in, and files whose hash is not the sender's. */
  onProblem?: (path: string, message: string) => void;
  waitWhilePaused?: () => Promise<void>;
}

/** What became of an intake. */
export interface IntakeOutcome {
  added: number[];
  /** Files of folders that are no recordings. */
  passedOver: number;
  /** Those that the case has from the same place already. */
  already: number;
  failed: number;
  /** Taken in though their hash is not the one that the sender gave. */
  mismatched: number;
}

const batchItems = 500;
const batchMilliseconds = 300;
/** Files given to the workers and not yet kept, for each worker. */
const ahead = 8;
const shortestLimitMilliseconds = 60_000;
const slowestBytesPerMillisecond = 5_000;

/** Databases that this process may hold open: closing another descriptor of one would let go of its locks. */
const ownFiles = new Set([databaseName, lockName, 'library.sqlite']);

function isOwn(path: string): boolean {
  return ownFiles.has(basename(path).replace(/-(wal|shm|journal)$/, ''));
}

interface Looked {
  request: ScoreRequest;
  findings: FileFindings;
  already: boolean;
  error: unknown;
}

/** Looks at files in worker threads. */
class Inspector {
  readonly jobs: number;
  readonly #pool: WorkerPool<FileRequest, FileFindings>;
  readonly #store: CaseStore;
  readonly #request: IntakeRequest;
  readonly #uploads: string | null;

  constructor(store: CaseStore, request: IntakeRequest, files: number, uploads: string | null) {
    this.jobs = Math.max(1, Math.min(availableParallelism(), files));
    this.#pool = new WorkerPool(workerFile('casework/intake-worker'), this.jobs, null);
    this.#store = store;
    this.#request = request;
    this.#uploads = uploads;
  }

  isUpload(path: string): boolean {
    return this.#uploads !== null && path.startsWith(this.#uploads + sep);
  }

  /** Never throws: what goes wrong is in the answer. */
  async look(request: ScoreRequest, signal: AbortSignal | undefined): Promise<Looked> {
    const looked: Looked = { request, findings: null, already: false, error: null };
    try {
      signal?.throwIfAborted();
      const status = await stat(request.nameBytes === null ? request.path : Buffer.from(request.nameBytes), {
        bigint: true,
      }).catch(() => null);
      const shown = displayPath(request);
      if (status && this.#store.evidence.isKnown(shown, fileFingerprint(status))) return { ...looked, already: true };
      const upload = this.isUpload(request.path);
      const wanted: FileRequest = {
        path: request.path,
        nameBytes: request.nameBytes,
        found: request.found,
        copyTo: this.#request.copy || upload ? join(this.#store.folder, copiesFolder) : null,
        parse: true,
      };
      const limit = shortestLimitMilliseconds + Number(status?.size ?? 0n) / slowestBytesPerMillisecond;
      const findings = await this.#pool.run(wanted, limit).catch((error: unknown) => {
        // A parser that never ends, or falls over: the file is taken in without what it would have said.
        if (error instanceof UserFacingError || signal?.aborted) throw error;
        return this.#pool.run({ ...wanted, parse: false }, limit);
      });
      if (findings && !upload && this.#store.evidence.isHeld(shown, findings.sha256))
        return { ...looked, already: true };
      return { ...looked, findings };
    } catch (error) {
      return { ...looked, error };
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

function newEvidence(
  store: CaseStore,
  { request, findings }: Looked,
  intake: IntakeRequest,
  uploaded: boolean,
): NewEvidence {
  const found = findings as NonNullable<FileFindings>;
  const path = displayPath(request);
  const name = path.slice(Math.max(path.lastIndexOf('/'), sep === '\\' ? path.lastIndexOf('\\') : -1) + 1);
  return {
    name,
    path,
    nameBytes: request.nameBytes,
    uploaded,
    copyPath: found.copyName === null ? null : `${copiesFolder}/${found.copyName}`,
    sizeBytes: found.sizeBytes,
    sha256: found.sha256,
    md5: found.md5,
    senderHash: intake.senderHashes[path] ?? intake.senderHashes[name] ?? null,
    createdTime: found.createdTime,
    modifiedTime: found.modifiedTime,
    receivedAt: intake.receivedAt,
    receivedFrom: intake.receivedFrom,
    conditionOnReceipt: intake.conditionOnReceipt,
    // An upload's is that of our own copy.
    metadata: uploaded ? found.metadata.filter(({ name: row }) => row !== accessTimeName) : found.metadata,
    audio: found.audio,
    fingerprint: found.fingerprint,
  };
}

/**
 * Takes files and the recordings in folders into a case, in the order of their paths. Files are opened for reading only. What a folder
 * holds besides recordings, by content, is counted; what the case has already is left alone, so that an intake can be repeated.
 * @throws the signal's reason (what was kept by then stays), UserFacingError where the case cannot be written.
 */
export async function takeIn(store: CaseStore, request: IntakeRequest, options: IntakeOptions): Promise<IntakeOutcome> {
  const { signal, onProgress, onProblem } = options;
  const outcome: IntakeOutcome = { added: [], passedOver: 0, already: 0, failed: 0, mismatched: 0 };
  const fail = (path: string, message: string): void => {
    outcome.failed++;
    onProblem?.(path, message);
  };
  onProgress?.({ done: 0, total: null, doing: 'Looking for files' });
  const listing = await listFiles(request.paths, request.recursive);
  for (const { path, why } of listing.unreadable) fail(path, why);
  const files = withoutOwn(store, listing.requests, outcome);
  const total = files.length;

  const uploads = await realpath(join(options.home, 'uploads')).catch(() => null);
  const inspector = new Inspector(store, request, Math.max(1, total), uploads);
  const stop = (): void => void inspector.close();
  signal?.addEventListener('abort', stop, { once: true });
  let batch: NewEvidence[] = [];
  let flushed = performance.now();
  const flush = (): void => {
    for (const item of batch) {
      if (item.senderHash === null) continue;
      const given = item.senderHash.trim().toLowerCase();
      if (given === item.sha256 || given === item.md5) continue;
      outcome.mismatched++;
      onProblem?.(item.path, 'Its hash is not the one that the sender gave. It was taken in all the same.');
    }
    for (const id of store.evidence.add(batch)) outcome.added.push(id);
    batch = [];
    flushed = performance.now();
  };
  try {
    const pending: Promise<Looked>[] = [];
    let next = 0;
    let done = 0;
    while (next < total || pending.length > 0) {
      while (next < total && pending.length < inspector.jobs * ahead)
        pending.push(inspector.look(files[next++], signal));
      const looked = await (pending.shift() as Promise<Looked>);
      signal?.throwIfAborted();
      if (looked.already) outcome.already++;
      else if (looked.error !== null) fail(displayPath(looked.request), describeError(looked.error));
      else if (looked.findings === null) outcome.passedOver++;
      else batch.push(newEvidence(store, looked, request, inspector.isUpload(looked.request.path)));
      onProgress?.({ done: ++done, total, doing: 'Hashing files' });
      if (batch.length >= batchItems || performance.now() - flushed > batchMilliseconds) {
        flush();
        await options.waitWhilePaused?.();
      }
    }
    flush();
  } catch (error) {
    flush();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await inspector.close();
  }
  const { added, ...counts } = outcome;
  store.log.note('intake', intakeSummary(outcome), {
    paths: request.paths.slice(0, 100),
    added: added.length,
    ...counts,
  });
  return outcome;
}

/** In words: how many were taken in, and what became of the others. */
export function intakeSummary({ added, passedOver, already, failed, mismatched }: IntakeOutcome): string {
  const parts = [`Took in ${added.length} ${added.length === 1 ? 'recording' : 'recordings'}`];
  if (already > 0) parts.push(`${already} were there already`);
  if (passedOver > 0) parts.push(`${passedOver} other ${passedOver === 1 ? 'file' : 'files'} passed over`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (mismatched > 0) parts.push(`${mismatched} with another hash than the sender's`);
  return `${parts.join('; ')}.`;
}

/** Each file once, and nothing of the case itself. */
function withoutOwn(store: CaseStore, requests: readonly ScoreRequest[], outcome: IntakeOutcome): ScoreRequest[] {
  const seen = new Set<string>();
  return requests.filter((request) => {
    const key = displayPath(request);
    const inside = relative(store.folder, request.path);
    const ofCase = !inside.startsWith('..') && /^(evidence|derived)[/\\]/.test(inside);
    if (seen.has(key)) return false;
    seen.add(key);
    if (ofCase || isOwn(request.path)) {
      outcome.passedOver++;
      return false;
    }
    return true;
  });
}
