/** Scores one file: hash, decoding, all channels that were asked for. */
import { hash } from 'node:crypto';
import { closeSync, readSync, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sha256File } from '../audio/hash.ts';
import { openRegularFileSync, padBytes, unreadable } from '../audio/input.ts';
import { headBytes, sniffBytes } from '../audio/sniff.ts';
import { displayPath } from '../base/display-path.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { Card } from '../detector/card.ts';
import { areSides, measureSides } from '../audio/sides.ts';
import type { AudioSource, Channel } from '../audio/types.ts';
import type { DetectorAnalysis, Detector } from '../detector/detector.ts';
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

/**
 * Which of a file's channels are scored; `each`: every one on its own; `auto`: each, where the two of a recording are the sides of a
 * conversation (`areSides`), else the mix.
 */
export type ChannelChoice = Channel | 'each' | 'auto';

/** What of a file is scored. */
export interface FileReading {
  /** Counted from 0; by default the first audio stream. */
  stream?: number;
  /** By default the mix. */
  channel?: ChannelChoice;
  /** Also the sound that the headers do not count in; by default not. */
  readAll?: boolean;
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
  /** The recording, where it lies in memory and no file stands at the path. */
  bytes?: Uint8Array;
}

/** What became of it: an analysis, an error, or (both null) passed over, or the same as before. */
export interface ScoreOutcome {
  sha256: string | null;
  analysis: DetectorAnalysis | null;
  /** Where each channel was scored on its own: those after the first, which is `analysis`. */
  further?: DetectorAnalysis[];
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
export type Analyser = Pick<Detector, 'analyse' | 'cardOf'>;

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
  { stream, channel = 'mix', readAll }: FileReading,
  signal: AbortSignal,
): Promise<DetectorAnalysis[]> {
  const chosen = { ...(stream === undefined ? {} : { stream }), ...(readAll ? { readAll } : {}) };
  let why = '';
  if (channel !== 'each') {
    const analysis = await detector.analyse(source, signal, {
      ...chosen,
      channel: channel === 'auto' ? 'mix' : channel,
    });
    // Only then is it known how many channels there are: opening a file first would cost most of them more.
    if (channel !== 'auto' || analysis.audio.channels !== 2) return [analysis];
    const measures = await measureSides(source, { ...chosen, signal });
    if (measures === null || !areSides(measures)) return [analysis];
    const share = Math.floor(100 * (measures.alone[0] + measures.alone[1]));
    why = ` The two channels are the sides of a conversation: ${share} % of the time that one is active, the other is quiet, and the correlation between them is ${measures.correlation.toFixed(2)}.`;
  }
  const analyses: DetectorAnalysis[] = [];
  let channels = 1;
  for (let number = 1; number <= channels; number++) {
    const analysis = await detector.analyse(source, signal, { ...chosen, channel: number });
    channels = analysis.audio.channels;
    const code = `channel ${number} of ${channels}`;
    const reason = { code, sentence: `This is ${code}, scored on its own.${why}`, blocking: false };
    analyses.push({ ...analysis, reasons: [...analysis.reasons, reason] });
  }
  return analyses;
}

/** Memory of small files, used again for the next: as many as are read beside one another. */
const spares: Uint8Array[] = [];
const mostSpares = 2;

function takeMemory(length: number): Uint8Array {
  if (length > readBlockBytes) return new Uint8Array(length);
  return spares.pop() ?? new Uint8Array(readBlockBytes);
}

function giveBack(memory: Uint8Array): void {
  if (memory.length === readBlockBytes && spares.length < mostSpares) spares.push(memory);
}

/** As much of a file as its size says; what is written to it afterwards, its size and time tell. */
async function readWhole(
  descriptor: number,
  size: number,
  memory: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  let filled = 0;
  while (filled < size) {
    const count = readSync(descriptor, memory, filled, Math.min(size - filled, readBlockBytes), filled);
    if (count === 0) break;
    filled += count;
    // Between the blocks of a large file, to hear whether to stop.
    if (filled < size) await nextTurn();
    signal.throwIfAborted();
  }
  return memory.subarray(0, filled);
}

/** Whether an open file is certainly no recording. */
function isForeign(descriptor: number): boolean {
  const head = new Uint8Array(headBytes);
  return sniffBytes(head.subarray(0, readSync(descriptor, head, 0, headBytes, 0))) === 'none';
}

async function scoreBytes(
  detector: Analyser,
  path: string,
  bytes: Uint8Array,
  reading: FileReading,
  signal: AbortSignal,
): Promise<ScoreOutcome> {
  const [analysis, ...further] = await analyseReading(detector, { path, bytes }, reading, signal);
  const sha256 = hash('sha256', bytes);
  return { ...nothing, sha256, analysis, ...(further.length > 0 || reading.channel === 'each' ? { further } : {}) };
}

async function scoreFile(
  detector: Analyser | null,
  path: string,
  { known, found, reading = {} }: ScoreRequest,
  signal: AbortSignal,
): Promise<ScoreOutcome> {
  const { descriptor, status: before } = openRegularFileSync(path);
  let memory: Uint8Array | null = null;
  try {
    if (found && isForeign(descriptor)) return { ...nothing, passedOver: true };
    const { size } = before;
    if (size > 0 && size <= readOnceBytes) memory = takeMemory(size + padBytes);
    const file = { size, mtimeMs: before.mtimeMs };
    const maybeKnown = known?.size === file.size && known.mtimeMs === file.mtimeMs;
    const bytes = memory && (await readWhole(descriptor, size, memory, signal));
    const sha256 = bytes ? hash('sha256', bytes) : await sha256File(path, signal);
    if (maybeKnown && known.sha256 === sha256) return { ...nothing, sha256, file, unchanged: true };
    if (detector === null) return { ...nothing, sha256, file };
    const analyses = await analyseReading(detector, bytes ? { path, bytes } : path, reading, signal);
    // What was read from the path, and not from the bytes that were hashed, is hashed again.
    if ((bytes === null || analyses[0].audio.decoder === 'ffmpeg') && (await sha256File(path, signal)) !== sha256) {
      throw changed(path);
    }
    const after = statSync(path);
    if (after.ino !== before.ino || after.size !== size || after.mtimeMs !== before.mtimeMs) throw changed(path);
    const [analysis, ...further] = analyses.map((one) =>
      wasTrainedOn(detector.cardOf(one), sha256) ? trainedOn(one) : one,
    );
    return {
      ...nothing,
      sha256,
      file,
      analysis,
      ...(further.length > 0 || reading.channel === 'each' ? { further } : {}),
    };
  } finally {
    closeSync(descriptor);
    if (memory) giveBack(memory);
  }
}

/**
 * Scores one file; whatever is wrong with it is in the outcome.
 * @param detector null to go only as far as can be gone without: hash and state, or that there is nothing to score
 * @throws only what `signal` throws, and bugs.
 */
export async function score(
  detector: Analyser | null,
  request: ScoreRequest,
  signal: AbortSignal,
): Promise<ScoreOutcome> {
  try {
    const { path, bytes, reading = {} } = request;
    if (bytes && detector) return await scoreBytes(detector, path, bytes, reading, signal);
    return await withOpenablePath(request, (path) => scoreFile(detector, path, request, signal));
  } catch (error) {
    signal.throwIfAborted();
    const failure = unreadable(displayPath(request), error);
    if (!(failure instanceof UserFacingError)) throw failure;
    // What a folder held has become a pipe or the like.
    if (request.found && failure.code === 'not-a-file') return { ...nothing, passedOver: true };
    return { ...nothing, error: { code: failure.code, message: failure.sentence } };
  }
}
