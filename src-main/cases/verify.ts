/** Checks a case as a whole: log, signature, database, every file, every result, every report. */
import type { Verification } from '../../src-common/schemas/custody.ts';
import { sha256File } from '../audio/hash.ts';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import { absence } from './absence.ts';
import { emptyHead } from './custody.ts';
import { gathered } from './checks.ts';
import type { Check, VerifyRequest } from './checks.ts';
import { isSignerCheck } from './verify-log.ts';
import type { RecordFindings } from './verify-records.ts';

/** What of a verification is reported while it goes on. */
export interface VerifyProgress {
  onProgress?: (done: number, total: number) => void;
  /** Gets each item with whether its file is what was taken in. */
  onFile?: (id: number, holds: boolean) => void;
  signal?: AbortSignal;
}

/** Files hashed side by side. */
const lanes = 2;

/**
 * Checks a case as a whole. The database is read in a thread of its own, beside whoever has it open.
 * @throws UserFacingError `missing`, `newer-version` and the like where it cannot be opened; the signal's reason. A database that is
 * damaged is a check that does not hold.
 */
export async function verifyCase(request: VerifyRequest, progress: VerifyProgress = {}): Promise<Verification> {
  const { signal } = progress;
  let records: RecordFindings;
  try {
    const pooled = { worker: 'cases/verify-worker', signal };
    records = await withPool(pooled, (pool: WorkerPool<VerifyRequest, RecordFindings>) => pool.run(request));
  } catch (error) {
    if (!(error instanceof UserFacingError && error.code === 'damaged')) throw error;
    const check: Check = { subject: 'database', name: 'structure', holds: false, sentence: error.message };
    const signer = {
      verdict: 'unsigned' as const,
      fingerprint: null,
      sentence: 'It cannot be told who signed, since the database cannot be read.',
    };
    return {
      intact: false,
      integrity: false,
      signer,
      time: new Date().toISOString(),
      head: emptyHead,
      anchored: null,
      checks: [check],
    };
  }
  return withFiles(records, progress);
}

/** Hashes the files of a case whose records were checked. @throws the signal's reason. */
export async function withFiles(records: RecordFindings, progress: VerifyProgress = {}): Promise<Verification> {
  const { signal, onProgress, onFile } = progress;
  const { files, head, signer, anchored } = records;
  const time = new Date().toISOString();
  const fileChecks: Check[] = new Array<Check>(files.length);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < files.length) {
      const at = next++;
      const file = files[at];
      const { sha256, sentence } = await hashed(file, signal);
      const holds = sha256 === file.sha256;
      onFile?.(file.id, holds);
      fileChecks[at] = { subject: 'evidence', name: file.name, holds, sentence };
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const checks = [
    ...records.checks,
    ...gathered('evidence', fileChecks, (count) => ({
      subject: 'evidence',
      name: 'files',
      holds: true,
      sentence: `${count} files are what was taken in.`,
    })),
  ];
  const integrity = checks.every((check) => check.holds || isSignerCheck(check));
  return { intact: integrity && signer.verdict === 'known', integrity, signer, time, head, anchored, checks };
}

async function hashed(
  file: RecordFindings['files'][number],
  signal?: AbortSignal,
): Promise<{ sha256: string | null; sentence: string }> {
  try {
    const sha256 = await withOpenablePath(file, (path) => sha256File(path, signal));
    const holds = sha256 === file.sha256;
    return { sha256, sentence: `${file.name} ${holds ? 'is' : 'is no longer'} what was taken in.` };
  } catch (error) {
    signal?.throwIfAborted();
    const failure = unreadable(file.path, error);
    if (!(failure instanceof UserFacingError)) throw error;
    return { sha256: null, sentence: await absence(file, failure) };
  }
}
