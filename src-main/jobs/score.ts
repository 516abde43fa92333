import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { sha256File } from '../audio/hash.ts';
import { openRegularFile, padBytes, unreadable } from '../audio/input.ts';
import { sniff } from '../audio/sniff.ts';
import { displayPath } from '../base/display-path.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { Card } from '../detector/card.ts';
import type { AudioSource, Channel } from '../audio/types.ts';
import type { Analysis, Detector } from '../detector/detector.ts';
import { trainedOn } from '../detector/finding.ts';

/** Files up to this size are read once, so that the bytes that are hashed are those that are scored. */
const readOnceBytes = 64 * 1024 ** 2;
const readBlockBytes = 1024 ** 2;

/** What tells without reading a file that it is probably the same as before. */
interface FileState {
  size: number;
  mtimeMs: number;
}

/** A file that was scored before. */
export interface KnownFile extends FileState {
  sha256: string;
}

/** What of a file is scored; `each`: every channel on its own. */
export interface FileReading {
  /** Counted from 0; by default the first audio stream. */
  stream?: number;
  /** By default the mix. */
  channel?: Channel | 'each';
}

/** A file to score. */
export interface ScoreRequest {
  /** As the system knows it; for a name that is not UTF-8, its bytes are in `nameBytes`. */
  path: string;
  nameBytes: Uint8Array | null;
  /** True for a file that a folder held: what is no recording is passed over. */
  found: boolean;
  /** What is known of it from an interrupted scan: if it is still that (its hash too), it is not scored again. */
  known?: KnownFile;
  reading?: FileReading;
}

/** What became of it: an analysis, an error, or (both null) passed over, or the same as before. */
export interface ScoreOutcome {
  sha256: string | null;
  analysis: Analysis | null;
  /** Where each channel was asked for: those after the first, which is `analysis`. */
  further?: Analysis[];
  error: { code: string; message: string } | null;
  passedOver: boolean;
  /** As it was when it was scored; null where it was not. */
  file: FileState | null;
  /** True for the file that the request calls `known`: its analysis is not repeated here. */
  unchanged: boolean;
}

/** What an outcome holds unless it says otherwise. */
const nothing: ScoreOutcome = {
  sha256: null,
  analysis: null,
  error: null,
  passedOver: false,
  file: null,
  unchanged: false,
};

function changed(path: string): UserFacingError {
  return new UserFacingError('changed', `${path} changed while it was read.`, {
    path,
    advice: 'Scan it again when nothing writes to it.',
  });
}

/** The detector's part that scoring needs. */
export type Analyser = Pick<Detector, 'analyse' | 'card'>;

const trainingFiles = new WeakMap<Card, Set<string>>();

/** Whether a model was trained on the file of this hash. */
function wasTrainedOn(card: Card, sha256: string): boolean {
  let hashes = trainingFiles.get(card);
  if (!hashes) trainingFiles.set(card, (hashes = new Set(card.training.fileSha256)));
  return hashes.has(sha256);
}

/** One analysis, or one for each channel, said in its reasons. */
async function analyseReading(
  detector: Analyser,
  source: AudioSource,
  { stream, channel = 'mix' }: FileReading,
  signal: AbortSignal,
): Promise<Analysis[]> {
  const chosen = stream === undefined ? {} : { stream };
  if (channel !== 'each') return [await detector.analyse(source, signal, { ...chosen, channel })];
  const analyses: Analysis[] = [];
  let channels = 1;
  for (let number = 1; number <= channels; number++) {
    const analysis = await detector.analyse(source, signal, { ...chosen, channel: number });
    channels = analysis.audio.channels;
    const code = `channel ${number} of ${channels}`;
    const reason = { code, sentence: `This is ${code}, scored on its own.`, blocking: false };
    analyses.push({ ...analysis, reasons: [...analysis.reasons, reason] });
  }
  return analyses;
}

/** As much of a file as its size says; what is written to it afterwards, its size and time tell. */
async function readWhole(handle: FileHandle, size: number, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(size + padBytes);
  let filled = 0;
  while (filled < size) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(bytes, filled, Math.min(size - filled, readBlockBytes), filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function scoreFile(
  detector: Analyser,
  path: string,
  { known, reading = {} }: ScoreRequest,
  signal: AbortSignal,
): Promise<ScoreOutcome> {
  const { handle, status: before } = await openRegularFile(path);
  try {
    const file = { size: before.size, mtimeMs: before.mtimeMs };
    const maybeKnown = known?.size === file.size && known.mtimeMs === file.mtimeMs;
    let bytes: Uint8Array | null = null;
    let sha256: string;
    if (before.size > 0 && before.size <= readOnceBytes) {
      bytes = await readWhole(handle, before.size, signal).catch((error: unknown) => {
        throw unreadable(path, error);
      });
      sha256 = createHash('sha256').update(bytes).digest('hex');
    } else {
      sha256 = await sha256File(path, signal);
    }
    if (maybeKnown && known.sha256 === sha256) return { ...nothing, sha256, file, unchanged: true };
    const analyses = await analyseReading(detector, bytes ? { path, bytes } : path, reading, signal);
    // What was read from the path, and not from the bytes that were hashed, is hashed again.
    if ((bytes === null || analyses[0].audio.decoder === 'ffmpeg') && (await sha256File(path, signal)) !== sha256) {
      throw changed(path);
    }
    const after = await stat(path).catch((error: unknown) => {
      throw unreadable(path, error);
    });
    if (after.ino !== before.ino || after.size !== before.size || after.mtimeMs !== before.mtimeMs) throw changed(path);
    const trained = wasTrainedOn(detector.card, sha256);
    const [analysis, ...further] = analyses.map((one) => (trained ? trainedOn(one) : one));
    return { ...nothing, sha256, file, analysis, ...(reading.channel === 'each' ? { further } : {}) };
  } finally {
    await handle.close();
  }
}

/** Scores one file; whatever is wrong with it is in the outcome. @throws only what `signal` throws, and bugs. */
export async function score(detector: Analyser, request: ScoreRequest, signal: AbortSignal): Promise<ScoreOutcome> {
  try {
    return await withOpenablePath(request, async (path) => {
      if (request.found && (await sniff(path)) === 'none') return { ...nothing, passedOver: true };
      return scoreFile(detector, path, request, signal);
    });
  } catch (error) {
    signal.throwIfAborted();
    const told = unreadable(displayPath(request), error);
    if (!(told instanceof UserFacingError)) throw told;
    return { ...nothing, error: { code: told.code, message: told.sentence } };
  }
}
