import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { sha256File } from '../audio/hash.ts';
import { sniff } from '../audio/sniff.ts';
import { UserFacingError } from '../base/errors.ts';
import type { Analysis, Detector } from '../detector/detector.ts';

/** Files up to this size are read once, so that the bytes that are hashed are those that are scored. */
const readOnceBytes = 64 * 1024 ** 2;

/** A file to score. */
export interface ScoreRequest {
  /** As the system knows it; for a name that is not UTF-8, its bytes are in `nameBytes`. */
  path: string;
  nameBytes: Uint8Array | null;
  /** True for a file that a folder held: what is no recording is passed over. */
  found: boolean;
}

/** What became of it: an analysis, an error, or (both null) passed over. */
export interface ScoreOutcome {
  sha256: string | null;
  analysis: Analysis | null;
  error: { code: string; message: string } | null;
  passedOver: boolean;
}

/** A path under which every function and child process can open a file whose name is not UTF-8 (Linux only). */
async function withOpenablePath<T>(request: ScoreRequest, use: (path: string) => Promise<T>): Promise<T> {
  if (request.nameBytes === null) return use(request.path);
  const handle = await open(Buffer.from(request.nameBytes), 'r');
  try {
    return await use(`/proc/${process.pid}/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}

async function scoreFile(
  detector: Detector,
  path: string,
  signal: AbortSignal,
): Promise<{ sha256: string; analysis: Analysis }> {
  const before = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const small = before?.isFile() === true && before.size > 0 && before.size <= readOnceBytes;
  const bytes = small ? await readFile(path, { signal }).catch(() => null) : null;
  // Whatever is wrong with the path, decoding says it in a person's words.
  const analysis = await detector.analyse(bytes ? { path, bytes } : path, signal);
  const sha256 = bytes ? createHash('sha256').update(bytes).digest('hex') : await sha256File(path, signal);
  const after = await stat(path);
  if (before === null || after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
    throw new UserFacingError('changed', 'The file changed while it was read.', {
      path,
      advice: 'Scan it again when nothing writes to it.',
    });
  }
  return { sha256, analysis };
}

/** Scores one file; whatever is wrong with it is in the outcome. @throws only what `signal` throws, and bugs. */
export async function score(detector: Detector, request: ScoreRequest, signal: AbortSignal): Promise<ScoreOutcome> {
  try {
    return await withOpenablePath(request, async (path) => {
      if (request.found && (await sniff(path)) === 'none') {
        return { sha256: null, analysis: null, error: null, passedOver: true };
      }
      return { ...(await scoreFile(detector, path, signal)), error: null, passedOver: false };
    });
  } catch (error) {
    signal.throwIfAborted();
    const failed = { sha256: null, analysis: null, passedOver: false };
    if (error instanceof UserFacingError) return { ...failed, error: { code: error.code, message: error.sentence } };
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { ...failed, error: { code: 'unreadable', message: `The file cannot be read: ${message}.` } };
  }
}
