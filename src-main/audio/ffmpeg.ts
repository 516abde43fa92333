/** Finds ffmpeg, starts it caged, and takes its decoded sound, timestamps and complaints apart. */
import type { ChildProcessByStdio, ExecFileException } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { constants as constantsOfSystem } from 'node:os';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { isPackaged, mendAdvice } from '../base/installation.ts';
import { UserFacingError } from '../base/errors.ts';
import { workerSettings } from '../base/worker-settings.ts';
import { askCaged, cageFor, killCaged, spawnCaged, type Cage } from './cage.ts';
import { InputBuffer, type ByteSource } from './input.ts';
import { Clock } from './clock.ts';
import { acceptedDemuxers, refusedDemuxers } from './demuxers.ts';
import type { HeaderNotes } from './header-notes.ts';
import { trackTimes } from './edit-list.ts';
import type { TrackTimes } from './edit-list.ts';
import { MatroskaReader } from './matroska.ts';
import { OnceMore } from './once-more.ts';
import type { BlockMemory } from './block-memory.ts';
import { leastUnreadSeconds } from './unread.ts';
import { noNotes } from './types.ts';
import type { AudioInfo, NativeBlock, NativeDecoder } from './types.ts';

const stderrHeadCharacters = 32 * 1024;
const stderrTailCharacters = 8 * 1024;
const largestAllocation = 256 * 1024 * 1024;
const mostBlockFrames = 65536;
const mostBlockBytes = 4 * 1024 * 1024;
/** A shorter end is not called missing. */
const leastMissingSeconds = 0.1;
/** Added to all timestamps: Matroska takes none below zero, and delays of codecs begin there. */
const stampOffsetSeconds = 1000;

interface Ffmpeg {
  path: string;
  /** As its version line names it, `5.1.9-0+deb12u1` for instance. */
  version: string;
  /** Path, size, time and number of the file: another one in its place is another ffmpeg. */
  identity: string;
  cage: Cage;
}

const known = new Map<string, Promise<Ffmpeg>>();

/**
 * The ffmpeg to use: the one chosen in the settings, else what `EARWITNESS_FFMPEG` names, else the binary that set-up brought, else the one on PATH. Each is started
 * once to learn its version.
 * @param environment where to look for variables; the process's own by default.
 * @param bundled the binary that set-up brought, or null for none; by default where the package `ffmpeg-static` keeps it.
 * @throws UserFacingError `ffmpeg-missing`.
 */
export async function findFfmpeg(
  environment: NodeJS.ProcessEnv = process.env,
  bundled?: string | null,
): Promise<Ffmpeg> {
  const { ffmpeg: chosen } = workerSettings();
  if (chosen !== '') {
    if (await isProgram(chosen)) return version(chosen);
    throw new UserFacingError('ffmpeg-missing', `The settings name ${chosen} as ffmpeg, which is no program.`, {
      path: chosen,
      advice: 'Choose the full path of ffmpeg in the settings, or none to use the one that is found.',
    });
  }
  const named = environment.EARWITNESS_FFMPEG;
  if (named) {
    if (await isProgram(named)) return version(named);
    throw new UserFacingError('ffmpeg-missing', `EARWITNESS_FFMPEG names ${named}, which is no program.`, {
      path: named,
      advice: 'Set it to the full path of ffmpeg, or remove it.',
    });
  }
  const brought = bundled === undefined ? await bundledFfmpeg() : bundled;
  if (brought && (await isProgram(brought))) return version(brought);
  // Not left to the operating system, which on Windows looks into the working folder first.
  const name = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  const search = environment.PATH ?? environment.Path ?? '';
  for (const folder of search.split(delimiter)) {
    const candidate = join(folder, name);
    if (isAbsolute(folder) && (await isProgram(candidate))) return version(candidate);
  }
  throw new UserFacingError('ffmpeg-missing', 'This recording needs ffmpeg, which is not installed.', {
    advice: isPackaged()
      ? 'Install ffmpeg, or set EARWITNESS_FFMPEG to the full path of one.'
      : 'Run `npm run setup` in the folder of Earwitness, or set EARWITNESS_FFMPEG to the full path of an ffmpeg.',
  });
}

async function bundledFfmpeg(): Promise<string | null> {
  try {
    // Its type says a module; what it exports is the path.
    const { default: path } = (await import('ffmpeg-static')) as unknown as { default: string | null };
    return path;
  } catch {
    return null;
  }
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function version(path: string): Promise<Ffmpeg> {
  const { size, mtimeMs, ino } = await stat(path);
  const identity = `${path} ${size} ${mtimeMs} ${ino}`;
  let found = known.get(identity);
  if (!found) {
    found = askVersion(path, identity);
    known.set(identity, found);
    found.catch(() => known.delete(identity));
  }
  return found;
}

async function askVersion(path: string, identity: string): Promise<Ffmpeg> {
  try {
    const line = /^ffmpeg version (\S+)/;
    const answer = await cageFor(path, ['-hide_banner', '-version'], (output) => line.test(output));
    if (answer) return { path, identity, version: line.exec(answer.output)![1], cage: answer.cage };
  } catch (error) {
    const { code, signal, killed } = error as ExecFileException;
    if (!killed && (signal || outOfResources.has(String(code)))) throw decoderDied(path, signal ?? String(code), error);
    throw new UserFacingError('ffmpeg-missing', `${path} cannot be run as ffmpeg.`, {
      path,
      advice: `${mendAdvice()} Or set EARWITNESS_FFMPEG to one that runs.`,
      cause: error,
    });
  }
  throw new UserFacingError('ffmpeg-missing', `${path} is not ffmpeg.`, {
    path,
    advice: 'Set EARWITNESS_FFMPEG to the full path of ffmpeg, or remove it.',
  });
}

/** System errors on starting a program that say nothing of the program or of what it is to read. */
const outOfResources = new Set(['ENOMEM', 'EAGAIN', 'EMFILE', 'ENFILE', 'ENOSPC']);

/** Of a process that ended by a signal inside another one, which tells it as 128 and the signal's number. */
const fatalSignals = new Map(
  (['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGXCPU', 'SIGSYS'] as const)
    .filter((name) => name in constantsOfSystem.signals)
    .map((name) => [128 + constantsOfSystem.signals[name], name]),
);

// Its own lines begin at their beginning; what a file says of itself (a title, say) is indented.
const machineFailure =
  /^\S.*?(Cannot allocate memory|No space left on device|Resource temporarily unavailable|received signal \d+)\.?$/m;

/** That ffmpeg ended in a way that says nothing of the recording. */
function decoderDied(path: string, how: string, cause?: unknown): UserFacingError {
  return new UserFacingError('decoder-died', `${path} was not decoded: ffmpeg ended before its time (${how}).`, {
    path,
    advice:
      'That is no fault of the recording as far as can be told: see to it that this machine has memory and disk space, then try again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

interface FfmpegOptions {
  signal?: AbortSignal;
  timeLimitSeconds: number;
  stream: number;
  /** Also what an edit list hides, and what lies behind the declared length of coded WAV. */
  readAll?: boolean;
  /** What was read of the headers beside it. */
  headers?: HeaderNotes;
}

/**
 * Decodes an audio stream of a file (counted from 0) by an ffmpeg of its own, at its native rate with all its channels, as
 * floats through a pipe that holds it back when nobody reads. One that dies is started once more, and its sound goes on where
 * it broke off.
 * @throws UserFacingError `no-audio`, `no-stream`, `undecodable` (naming a codec that this ffmpeg lacks), `timeout`, `ffmpeg-missing`,
 * or `decoder-died` where ffmpeg was killed or found no memory twice, on opening or while blocks are read.
 */
export function openWithFfmpeg(path: string, options: FfmpegOptions): Promise<NativeDecoder> {
  return OnceMore.open(() => openOnce(path, options));
}

async function openOnce(path: string, options: FfmpegOptions): Promise<NativeDecoder> {
  const ffmpeg = await findFfmpeg();
  const decoder = await openDecoder(ffmpeg, path, options, null);
  // ffmpeg's own decoder of AMR knows no pauses in transmission, as telephones make them, and leaves them out.
  if (decoder.info.codec !== 'amr_nb' || !(await hasDecoder(ffmpeg, wholeAmr))) return decoder;
  await decoder.close();
  return openDecoder(ffmpeg, path, options, wholeAmr);
}

const wholeAmr = 'libopencore_amrnb';
const decoderLists = new Map<string, Promise<string>>();

async function hasDecoder({ path, identity, cage }: Ffmpeg, name: string): Promise<boolean> {
  let list = decoderLists.get(identity);
  if (!list) {
    list = askCaged(cage, path, ['-hide_banner', '-decoders']).catch(() => '');
    decoderLists.set(identity, list);
  }
  return (await list).includes(` ${name} `);
}

async function openDecoder(
  ffmpeg: Ffmpeg,
  path: string,
  options: FfmpegOptions,
  decoder: string | null,
): Promise<NativeDecoder> {
  options.signal?.throwIfAborted();
  const times = await trackTimes(path, options.stream);
  const child = new Child(ffmpeg, path, options, decoder, options.readAll === true && (times?.hiddenSeconds ?? 0) > 0);
  try {
    // The header comes with the first sound.
    const sound = await MatroskaReader.open(new InputBuffer(child));
    if (!sound) throw await child.failure();
    await child.inputDescribed();
    const version = decoder === null ? ffmpeg.version : `${ffmpeg.version}, ${decoder}`;
    return new FfmpegDecoder(child, sound, ffmpeg.cage, version, times, options);
  } catch (error) {
    await child.close();
    const { weaker } = ffmpeg.cage;
    if (weaker && child.notCaged) return openDecoder({ ...ffmpeg, cage: weaker }, path, options, decoder);
    throw error;
  }
}

class FfmpegDecoder implements NativeDecoder {
  readonly info: AudioInfo;
  readonly notes = noNotes();
  readonly #child: Child;
  readonly #sound: MatroskaReader;
  /** When the sound ends as the header says: the audio stream's own length, not that of a video beside it; null if unknown. */
  readonly #endSeconds: number | null;

  readonly #headers: HeaderNotes;
  readonly #readAll: boolean;

  constructor(
    child: Child,
    sound: MatroskaReader,
    cage: Cage,
    decoderVersion: string,
    times: TrackTimes | null,
    { headers = {}, readAll = false }: FfmpegOptions,
  ) {
    this.#child = child;
    this.#headers = headers;
    this.#readAll = readAll;
    this.#sound = sound;
    const { sampleRateHz, channels } = sound;
    const described = child.describe();
    const { streamSeconds, alone } = child.times();
    const declared = times && (child.editsIgnored ? times.mediaSeconds : times.endSeconds);
    this.#endSeconds = declared ?? streamSeconds ?? (alone ? described.durationSeconds : null);
    this.info = {
      ...described,
      durationSeconds: this.#endSeconds ?? described.durationSeconds,
      sampleRateHz,
      channels,
      decoder: 'ffmpeg',
      decoderVersion,
      heldBy: [...cage.held],
    };
    if (child.editsIgnored) this.notes.furtherSeconds = times?.hiddenSeconds ?? 0;
    else if (times) this.notes.hiddenSeconds = times.hiddenSeconds;
    this.notes.contradictions.push(...(headers.contradictions ?? []));
    this.notes.truncated = headers.coded !== undefined && headers.coded.thereBytes < headers.coded.declaredBytes;
    if (/^amr(nb|wb)$/.test(this.info.container)) {
      this.notes.contradictions.push(
        `It has no header: ffmpeg takes it for ${this.info.codec} by the pattern of its bytes alone.`,
      );
    }
  }

  async *blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined> {
    const sound = this.#sound;
    const { containerSeconds, beginsAtSeconds } = this.#child.times();
    const clock = new Clock(sound.sampleRateHz, containerSeconds);
    let frames = 0;
    let block = this.#emptyBlock(memory);
    for (let packet = await sound.nextPacket(); packet; packet = await sound.nextPacket()) {
      const gapSeconds = clock.packet(packet.timeSeconds - stampOffsetSeconds - beginsAtSeconds, packet.frames);
      if (gapSeconds > 0) {
        if (block.length > 0) yield block;
        Object.assign(this.notes, clock.notes);
        block = { ...this.#emptyBlock(memory), gapSeconds };
      }
      for (let left = packet.frames; left > 0;) {
        const count = await sound.read(block.channels, block.length, Math.min(left, this.#blockFrames - block.length));
        if (count === 0) break;
        left -= count;
        frames += count;
        block.length += count;
        if (block.length < this.#blockFrames) continue;
        yield block;
        block = this.#emptyBlock(memory);
      }
    }
    if (block.length > 0) yield block;
    const failed = await this.#child.failed();
    if (frames === 0 && failed) throw await this.#child.failure();
    Object.assign(this.notes, clock.notes);
    this.notes.damaged = this.#child.skipped;
    this.#tellEnd(clock.seconds, failed);
    this.#tellExactly(frames);
    this.#tellSurplus(frames / sound.sampleRateHz);
  }

  /** Far more sound than is declared: a length that is not so, or data of another codec than the one named. */
  #tellSurplus(decodedSeconds: number): void {
    const declared = this.#endSeconds;
    if (declared === null || decodedSeconds - declared <= Math.max(1, declared / 2)) return;
    this.notes.contradictions.push(
      `Its header says ${declared.toFixed(2)} s of sound, but ${decodedSeconds.toFixed(2)} s were decoded as ${this.info.codec}: the length or the codec that it names may be wrong.`,
    );
  }

  /** Whether the end is missing: containers round, and codecs have delays; where ffmpeg misses something, less is enough. */
  #tellEnd(endSeconds: number, failed: boolean): void {
    const { notes } = this;
    const declared = this.#endSeconds;
    const missing = declared === null ? 0 : declared - endSeconds;
    const { statements, endsEarly } = this.#child.complaints;
    notes.statements = statements;
    notes.truncated = failed || endsEarly || missing > Math.max(0.5, 0.02 * (declared ?? 0));
    if ((notes.truncated || statements.length > 0) && missing > leastMissingSeconds) {
      notes.truncated = true;
      notes.missingSeconds = missing;
    }
  }

  /** What exact lengths in headers say is missing, against what was decoded; it goes before what the container rounds. */
  #tellExactly(decodedFrames: number): void {
    const { coded, sound, behindBytes = 0 } = this.#headers;
    const decoded = decodedFrames / this.#sound.sampleRateHz;
    let missing = 0;
    if (coded && coded.thereBytes < coded.declaredBytes && coded.thereBytes > 0) {
      missing = (decoded * (coded.declaredBytes - coded.thereBytes)) / coded.thereBytes;
    }
    if (sound && sound.frames - decodedFrames > sound.tolerance) {
      missing = sound.frames / this.#sound.sampleRateHz - decoded;
    }
    if (missing > 0) Object.assign(this.notes, { truncated: true, missingSeconds: missing });
    if (!coded || behindBytes === 0) return;
    // By the bytes that what was decoded took.
    const behind = (decoded * behindBytes) / (coded.thereBytes + (this.#readAll ? behindBytes : 0));
    if (behind < leastUnreadSeconds) return;
    if (this.#readAll) this.notes.furtherSeconds = behind;
    else this.notes.unread.push({ kind: 'after-length', seconds: behind });
  }

  get #blockFrames(): number {
    return Math.max(1, Math.min(mostBlockFrames, Math.floor(mostBlockBytes / (4 * this.info.channels))));
  }

  #emptyBlock(memory?: BlockMemory): NativeBlock {
    const frames = this.#blockFrames;
    const channel = (_: unknown, index: number): Float32Array =>
      memory?.channel(index, frames) ?? new Float32Array(frames);
    return { channels: Array.from({ length: this.info.channels }, channel), length: 0 };
  }

  close(): Promise<void> {
    return this.#child.close();
  }
}

/** The running ffmpeg, as the source of the bytes that it writes. */
class Child implements ByteSource {
  readonly size = null;
  readonly editsIgnored: boolean;
  readonly #path: string;
  readonly #version: string;
  readonly #stream: number;
  readonly #signal: AbortSignal | undefined;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #described: Promise<void>;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #abort = () => this.#kill();
  #left: Uint8Array = new Uint8Array(0);
  readonly #words = new Words();
  #stderrHead = '';
  #stderrTail = '';
  #remainingMs: number;
  #timedOut = false;
  #killedByUs = false;
  #startError: NodeJS.ErrnoException | null = null;

  constructor(ffmpeg: Ffmpeg, path: string, options: FfmpegOptions, decoder: string | null, editsIgnored: boolean) {
    this.#path = path;
    this.editsIgnored = editsIgnored;
    this.#version = ffmpeg.version;
    this.#stream = options.stream;
    this.#signal = options.signal;
    this.#remainingMs = options.timeLimitSeconds * 1000;
    const child = spawnCaged(
      ffmpeg.cage,
      ffmpeg.path,
      [
        ...['-nostdin', '-hide_banner', '-nostats', '-max_alloc', String(largestAllocation), '-threads', '1'],
        // Timestamps as they stand in the file.
        '-copyts',
        ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', acceptedDemuxers.join(',')],
        ...(decoder === null ? [] : ['-c:a', decoder]),
        ...(editsIgnored ? ['-ignore_editlist', '1'] : []),
        ...(options.readAll && options.headers?.behindBytes ? ['-ignore_length', '1'] : []),
        ...['-i', `file:${resolve(path)}`],
        ...['-map', `0:a:${options.stream}`, '-vn', '-sn', '-dn', '-map_metadata', '-1', '-c:a', 'pcm_f32le'],
        ...['-bitexact', '-output_ts_offset', String(stampOffsetSeconds), '-f', 'matroska', 'pipe:1'],
      ],
      [path],
    );
    this.#process = child;
    this.#ended = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#startError ??= error;
        resolve({ code: null, signal: null });
      });
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.#words.take(text);
      if (this.#stderrHead.length < stderrHeadCharacters) this.#stderrHead += text;
      else this.#stderrTail = (this.#stderrTail + text).slice(-stderrTailCharacters);
    });
    child.stderr.on('error', () => undefined);
    this.#described = new Promise((resolve) => {
      const look = (): void => {
        if (/^(Stream mapping:|Output #0)/m.test(this.#stderrHead) || this.#stderrTail !== '') resolve();
      };
      child.stderr.on('data', look);
      child.stderr.on('close', resolve);
      child.on('error', () => resolve());
    });
    this.#chunks = (child.stdout as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
  }

  async read(target: Uint8Array): Promise<number> {
    if (this.#left.length === 0) {
      const next = await this.#within(this.#chunks.next());
      if (next.done) return 0;
      this.#left = next.value;
    }
    const part = this.#left.subarray(0, target.length);
    target.set(part);
    this.#left = this.#left.subarray(part.length);
    return part.length;
  }

  /** Waits for ffmpeg within what is left of its time; kills it when that is over. */
  async #within<T>(waiting: Promise<T>): Promise<T> {
    const began = performance.now();
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#kill();
    }, this.#remainingMs);
    try {
      return await waiting;
    } finally {
      clearTimeout(timer);
      this.#remainingMs = Math.max(0, this.#remainingMs - (performance.now() - began));
      this.#signal?.throwIfAborted();
      if (this.#timedOut) this.#throwTimeout();
    }
  }

  #throwTimeout(): never {
    throw new UserFacingError('timeout', `${this.#path} was given up: ffmpeg took too long to decode it.`, {
      path: this.#path,
      advice: 'It may be damaged. Convert it to WAV or FLAC by other means, and try that.',
    });
  }

  /** Waits until it has said all of its input: its sound may arrive before its words. */
  async inputDescribed(): Promise<void> {
    await this.#within(this.#described);
  }

  #kill(): void {
    this.#killedByUs = true;
    killCaged(this.#process);
  }

  /** Waits for its end: whether it went wrong with the recording. @throws UserFacingError `decoder-died` */
  async failed(): Promise<boolean> {
    const { code } = await this.#within(this.#ended);
    const death = await this.#death();
    if (death) throw death;
    return code !== 0;
  }

  /** Whether the machine is why it ended, or why parts are missing: a signal that was not ours, no memory, no space. */
  async #death(): Promise<UserFacingError | null> {
    const { code, signal } = await this.#ended;
    if (this.#killedByUs) return null;
    const inner = signal ?? fatalSignals.get(code ?? 0);
    if (inner !== undefined) return decoderDied(this.#path, inner);
    const said = machineFailure.exec(this.#stderr())?.[1];
    if (said !== undefined) return decoderDied(this.#path, said);
    const start = this.#startError;
    return start && outOfResources.has(String(start.code)) ? decoderDied(this.#path, String(start.code), start) : null;
  }

  /** Whether the cage could not be built around this recording, so that ffmpeg never ran. */
  get notCaged(): boolean {
    return /^bwrap: /.test(this.#stderr());
  }

  /** Whether it passed over packets that it could not decode. */
  get skipped(): boolean {
    return this.#words.skipped;
  }

  /** What it said is wrong with the file, and whether that the file ends too early. */
  get complaints(): { statements: string[]; endsEarly: boolean } {
    return { statements: [...this.#words.statements], endsEarly: this.#words.endsEarly };
  }

  /** Why nothing came. */
  async failure(): Promise<UserFacingError> {
    await this.#within(this.#ended);
    const death = await this.#death();
    if (death) return death;
    const path = this.#path;
    if (this.#startError) {
      return new UserFacingError(
        'undecodable',
        `ffmpeg could not be started for ${path}: ${this.#startError.message}.`,
        {
          path,
          cause: this.#startError,
        },
      );
    }
    const stderr = this.#stderr();
    if (/^Stream map '0:a:\d+' matches no streams/m.test(stderr)) {
      const audioStreams = inputAudio(stderr).length;
      if (audioStreams > 0) return noStream(path, this.#stream, audioStreams);
      return new UserFacingError('no-audio', `${path} holds no sound.`, {
        path,
        advice: 'Name a recording, or a video that has a sound track.',
      });
    }
    const refused = refusedFormat(stderr, path);
    if (refused) return refused;
    const codec = missingCodec(stderr, this.#stream);
    if (codec !== null) {
      const other = knownStream(stderr, this.#stream);
      const which = inputAudio(stderr).length > 1 ? `the codec of audio stream ${this.#stream}` : 'its codec';
      return new UserFacingError(
        'undecodable',
        `${path} cannot be decoded: ffmpeg ${this.#version} has no decoder for ${which}, ${codec}.`,
        {
          path,
          advice:
            other === null
              ? 'Convert it to WAV or FLAC with a program that knows this codec, or install another ffmpeg.'
              : `Audio stream ${other.stream} (${other.codec}) can be read: choose it with --stream ${other.stream}. For the other one, convert it with a program that knows its codec.`,
        },
      );
    }
    const line = lastSensibleLine(stderr);
    return new UserFacingError('undecodable', `${path} cannot be decoded${line ? ` (ffmpeg: ${line})` : ''}.`, {
      path,
      advice: 'It may be damaged or no recording. Get it again from where it came from.',
    });
  }

  /** What ffmpeg says of the input; the rate and the channels come with the sound. */
  describe(): Omit<AudioInfo, 'sampleRateHz' | 'channels' | 'decoder' | 'decoderVersion' | 'heldBy'> {
    const stderr = this.#stderr();
    const streams = inputAudio(stderr);
    const stream = streams.at(this.#stream);
    const time = /^ {2}Duration: (\d+):(\d\d):(\d\d\.\d+)/m.exec(stderr);
    const estimated = stderr.includes('Estimating duration from bitrate');
    return {
      container: /^Input #0, (.+), from /m.exec(stderr)?.[1] ?? 'unknown',
      codec: stream?.codec ?? 'unknown',
      bitsPerSample: stream ? bitsPerSample(stream.codec, stream.rest) : null,
      audioStreams: Math.max(streams.length, this.#stream + 1),
      stream: this.#stream,
      durationSeconds: time && !estimated ? secondsOf(time) : null,
    };
  }

  /**
   * How long the container says that the file and the audio stream are, whether that is all that the file holds, and at which
   * timestamp it begins (a codec's delay before 0 is no time).
   */
  times(): {
    containerSeconds: number | null;
    streamSeconds: number | null;
    alone: boolean;
    beginsAtSeconds: number;
  } {
    const stderr = this.#stderr();
    const begin = /^ {2}Duration: [^\n]*?, start: (-?\d+\.\d+)/m.exec(stderr);
    const streams = inputAudio(stderr);
    const tag = /^ {6}DURATION +: (\d+):(\d\d):(\d\d\.\d+)$/m.exec(streams.at(this.#stream)?.tags ?? '');
    return {
      containerSeconds: this.describe().durationSeconds,
      streamSeconds: tag ? secondsOf(tag) : null,
      alone: streams.length === 1 && !/^ {2,}Stream #0:\d+[^\n]*?: Video: (?![^\n]*\(attached pic\))/m.test(stderr),
      beginsAtSeconds: begin ? Math.max(0, Number(begin[1])) : 0,
    };
  }

  /** Its messages without the file's name, which may hold anything. */
  #stderr(): string {
    return `${this.#stderrHead}\n${this.#stderrTail}`.replaceAll(`file:${resolve(this.#path)}`, 'file');
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#kill();
    this.#process.stdout.destroy();
    await this.#ended;
  }
}

/** The audio streams that ffmpeg says the input has, in order. */
function inputAudio(stderr: string): { codec: string; rest: string; tags: string }[] {
  // The output's stream follows, described alike.
  const input = stderr.split(/^(?:Output #0|Stream mapping:)/m, 1)[0];
  return [...input.matchAll(audioStream)].map(([, codec, rest, tags]) => ({ codec, rest, tags }));
}

const audioStream = /^ {2,}Stream #0:\d+[^\n]*?: Audio: ([^\s,]+)([^\n]*)((?:\n {4,}[^\n]*)*)/gm;

function secondsOf([, hours, minutes, seconds]: RegExpExecArray): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** Listens to what ffmpeg says, line by line, and keeps what matters however much it is. */
class Words {
  skipped = false;
  endsEarly = false;
  readonly statements = new Set<string>();
  #line = '';

  take(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(-longestLine);
    for (const line of lines) this.#hear(line);
  }

  #hear(line: string): void {
    // Its own lines begin at their beginning; what a file says of itself (a title, say) is indented.
    if (line.startsWith(' ')) return;
    if (skippedPacket.test(line)) this.skipped = true;
    const complaint = complaints.find(({ pattern }) => pattern.test(line));
    if (!complaint) return;
    this.statements.add(complaint.statement);
    if (complaint.endsEarly) this.endsEarly = true;
  }
}

const longestLine = 2048;

const complaints = [
  { pattern: /File ended prematurely/, statement: 'File ended prematurely', endsEarly: true },
  { pattern: /partial file$/, statement: 'partial file', endsEarly: true },
  { pattern: /Truncating packet of size/, statement: 'Truncating packet', endsEarly: true },
  { pattern: /Packet corrupt|corrupt input packet/, statement: 'Packet corrupt', endsEarly: false },
];

// Until version 5, and from 6 on.
const skippedPacket =
  /^(Error while decoding stream|(\[[^\]\n]*\] )+(Error submitting packet to decoder|Decoding error))/m;

/** That we do not let ffmpeg read such a container, if that is what went wrong; the file may be as it should. */
function refusedFormat(stderr: string, path: string): UserFacingError | null {
  const named = /^\[(\S+) @ [^\]]*\] Format not on whitelist/m.exec(stderr);
  if (!named) return null;
  const names = named[1].split(',');
  const reason = names.map((name) => refusedDemuxers.get(name)).find((found) => found !== undefined);
  return new UserFacingError(
    'refused-format',
    `${path} is not read: Earwitness refuses the format that ffmpeg takes it for (${named[1]}): ${reason ?? 'it has not yet been reviewed'}.`,
    {
      path,
      advice: 'Nothing is said against the file. Where it is a recording, convert it to WAV or FLAC, and add that.',
    },
  );
}

/** An audio stream other than this that ffmpeg knows, counted from 0. */
function knownStream(stderr: string, but: number): { stream: number; codec: string } | null {
  const streams = inputAudio(stderr).map(({ codec }, stream) => ({ stream, codec }));
  return streams.find(({ stream, codec }) => stream !== but && codec !== 'none') ?? null;
}

/** The codec for which this ffmpeg has no decoder, if that is what went wrong. */
function missingCodec(stderr: string, stream: number): string | null {
  // Until version 5, and from 6 on.
  const named =
    /^Decoder \(codec (\S+)\) not found/m.exec(stderr) ??
    /Decoding requested, but no decoder found for: (\S+)/.exec(stderr);
  if (!named) return null;
  if (named[1] !== 'none') return named[1];
  // One that ffmpeg does not even know by name has a number in the container.
  const tag = /\((?:[^()]*? \/ )(0x[0-9A-Fa-f]+)\)/.exec(inputAudio(stderr).at(stream)?.rest ?? '');
  return tag ? `number ${tag[1]}, which it does not know` : 'which it does not know';
}

/** That a file has no audio stream of that number. */
export function noStream(path: string, stream: number, audioStreams: number): UserFacingError {
  const there = audioStreams === 1 ? 'one audio stream, number 0' : `audio streams 0 to ${audioStreams - 1}`;
  return new UserFacingError('no-stream', `${path} has ${there}, and so no stream ${stream}.`, {
    path,
    advice: 'Choose a stream that is there; they are counted from 0.',
  });
}

// Of other codecs it is the decoder's choice.
const lossless = /^(pcm_|flac|alac|ape|wavpack|tta|tak|shorten|mlp|truehd|als)/;

function bitsPerSample(codec: string, rest: string): number | null {
  if (!lossless.test(codec)) return null;
  const match = /\((\d+) bit\)/.exec(rest) ?? /, (?:u|s|flt|dbl)(8|16|24|32|64)?p?\b/.exec(rest);
  if (!match) return null;
  if (match[1]) return Number(match[1]);
  return match[0].includes('dbl') ? 64 : 32;
}

function lastSensibleLine(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^\[[^\]]*\]\s*/, '').trim())
    .filter(
      (line) =>
        line !== '' && !/^(Conversion failed|Error opening (in|out)put files?|Output #|Stream mapping)/.test(line),
    );
  return (lines.at(-1) ?? '')
    .replace(/^file: /, '')
    .replace(/\.$/, '')
    .slice(0, 200);
}
