/** Everything that intake wants to know of one file: hashes, times, container and codec; and its copy, where one is wanted. */
import { createHash, randomBytes } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { chmod, open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { mediaInfoFactory } from 'mediainfo.js';
import type { MediaInfo } from 'mediainfo.js';
import type { Evidence } from '../../src-common/schemas/evidence.ts';
import { openAudio } from '../audio/decode.ts';
import { openWithFfmpeg } from '../audio/ffmpeg.ts';
import { sha256File } from '../audio/hash.ts';
import { openRegularFile } from '../audio/input.ts';
import { sniff } from '../audio/sniff.ts';
import type { AudioInfo } from '../audio/types.ts';
import { displayPath } from '../base/display-path.ts';
import { UserFacingError, describeError } from '../base/errors.ts';
import { ensureFolder, unwritable } from '../base/files.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { NamedFile } from '../base/openable-path.ts';
import { fileFingerprint } from '../cases/fingerprint.ts';
import { noteReasons } from '../detector/reason.ts';
import { accessTimeName } from './access-time.ts';

type Metadata = Evidence['metadata'];

export interface FileRequest extends NamedFile {
  /** True for a file that a folder held: what is no recording is passed over. */
  found: boolean;
  /** The folder that a copy is put in; null for none. */
  copyTo: string | null;
  /** Container and codec data; false after a parser did not come to an end. */
  parse: boolean;
}

/** What was found; null where the file was passed over. */
export type FileFindings = {
  sizeBytes: number;
  sha256: string;
  md5: string;
  createdTime: string | null;
  modifiedTime: string;
  /** Of the copy, where one was made. */
  fingerprint: string;
  /** The copy's name in its folder. */
  copyName: string | null;
  metadata: Metadata;
  audio: Evidence['audio'];
} | null;

const blockBytes = 1024 ** 2;
/** Parsers read a file's beginning, its end and tables; a file that makes them read more, or take longer, is not worth it. */
const mostParsedBytes = 256 * 1024 ** 2;
const mostParsingMilliseconds = 10_000;
/** Most headers fit; more is copied in vain. */
const parsedAtOnceBytes = 32 * 1024;
const mostFields = 400;
/** No codec takes less than one bit for a second of sound: a longer duration is a length field that was never filled in. */
const mostSecondsForByte = 8;
/** What MediaInfo works out from a duration. */
const fromDuration = new Set(['Duration', 'SamplingCount', 'FrameCount', 'StreamSize', 'OverallBitRate']);
const longestValue = 2000;
const probeLimitSeconds = 20;
/** MediaInfo gives durations in milliseconds. */
const durationToleranceSeconds = 0.002;

/**
 * Looks at one file, opened for reading only.
 * @throws UserFacingError `missing`, `unreadable`, `no-audio` for a file that was named and is no recording, `changed` where it was
 * written to meanwhile, `unwritable` where the copy cannot be made.
 */
export async function inspectFile(request: FileRequest, signal: AbortSignal): Promise<FileFindings> {
  return withOpenablePath(request, async (path) => {
    const shown = displayPath(request);
    // Before anything reads it, for systems that keep no reading from touching it. In whole numbers, since Node rounds others up.
    const accessed = await stat(path, { bigint: true }).then(
      ({ atime }) => atime.toISOString(),
      () => null,
    );
    if ((await sniff(path)) === 'none') {
      if (request.found) return null;
      throw new UserFacingError('no-audio', `${shown} is no recording.`, {
        path: shown,
        advice: 'Name a file that holds sound, or its folder.',
      });
    }
    const { handle } = await openRegularFile(path);
    try {
      const before = await handle.stat({ bigint: true });
      const copy = request.copyTo === null ? null : await Copy.begin(request.copyTo);
      let sha256: string;
      let md5: string;
      let copied: { name: string; fingerprint: string } | null = null;
      try {
        [sha256, md5] = await hashes(handle, copy, signal);
        const after = fileFingerprint(await stat(path, { bigint: true }));
        if (after !== fileFingerprint(before)) {
          throw new UserFacingError('changed', `${shown} changed while it was read.`, {
            path: shown,
            advice: 'Add it again when nothing writes to it.',
          });
        }
        copied = (await copy?.finish(sha256, basename(shown), signal)) ?? null;
      } finally {
        await copy?.discard();
      }
      const described = request.parse
        ? await describe(path, shown, handle, Number(before.size), signal)
        : { metadata: [problem('mediainfo', 'It took too long to read the container.')], audio: null };
      return {
        sizeBytes: Number(before.size),
        sha256,
        md5,
        createdTime: before.birthtimeMs > 0n ? before.birthtime.toISOString() : null,
        modifiedTime: before.mtime.toISOString(),
        fingerprint: copied?.fingerprint ?? fileFingerprint(before),
        copyName: copied?.name ?? null,
        ...described,
        metadata: accessed === null ? described.metadata : [accessRow(accessed), ...described.metadata],
      };
    } finally {
      await handle.close();
    }
  });
}

async function hashes(handle: FileHandle, copy: Copy | null, signal: AbortSignal): Promise<[string, string]> {
  const all: [Hash, Hash] = [createHash('sha256'), createHash('md5')];
  const block = new Uint8Array(blockBytes);
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(block, 0, blockBytes, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const part = block.subarray(0, bytesRead);
    for (const hash of all) hash.update(part);
    await copy?.write(part);
  }
  return [all[0].digest('hex'), all[1].digest('hex')];
}

/** A copy of evidence that is whole, verified and read-only, or absent. */
class Copy {
  readonly #folder: string;
  readonly #beside: string;
  readonly #handle: FileHandle;
  #open = true;

  private constructor(folder: string, beside: string, handle: FileHandle) {
    this.#folder = folder;
    this.#beside = beside;
    this.#handle = handle;
  }

  static async begin(folder: string): Promise<Copy> {
    const beside = join(folder, `.${randomBytes(8).toString('hex')}.partial`);
    try {
      await ensureFolder(folder);
      return new Copy(folder, beside, await open(beside, 'wx', 0o600));
    } catch (error) {
      throw unwritable(beside, error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        done += (await this.#handle.write(bytes, done, bytes.length - done)).bytesWritten;
      }
    } catch (error) {
      throw unwritable(this.#beside, error);
    }
  }

  async finish(sha256: string, name: string, signal: AbortSignal): Promise<{ name: string; fingerprint: string }> {
    const copyName = `${sha256.slice(0, 16)}-${safeName(name)}`;
    const target = join(this.#folder, copyName);
    try {
      await this.#handle.sync();
      await this.#close();
      // The same file may have been copied before.
      const held = await sha256File(target, signal).catch(() => null);
      if (held !== sha256) {
        await chmod(this.#beside, 0o400);
        await rename(this.#beside, target);
        if ((await sha256File(target, signal)) !== sha256) {
          throw new UserFacingError('changed', `The copy ${target} is not what was copied.`, {
            path: target,
            advice: 'Check the drive of the case.',
          });
        }
      }
      return { name: copyName, fingerprint: fileFingerprint(await stat(target, { bigint: true })) };
    } catch (error) {
      signal.throwIfAborted();
      throw unwritable(target, error);
    }
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#beside, { force: true });
  }

  async #close(): Promise<void> {
    if (this.#open) await this.#handle.close();
    this.#open = false;
  }
}

/** A name that every file system takes, as like the given one as can be. */
function safeName(name: string): string {
  const plain = name.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._ ()+,=@-]/gu, '_');
  const extension = extname(plain).slice(0, 12);
  const bare = plain.slice(0, plain.length - extname(plain).length).slice(0, 60);
  return `${bare}${extension}`.replace(/^[. ]+|[. ]+$/g, '_') || '_';
}

function accessRow(value: string): Metadata[number] {
  return { parser: 'earwitness', track: 'General', name: accessTimeName, value };
}

function problem(parser: string, sentence: string): Metadata[number] {
  return { parser, track: 'General', name: 'Problem', value: sentence.slice(0, longestValue) };
}

async function describe(
  path: string,
  shown: string,
  handle: FileHandle,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<{ metadata: Metadata; audio: Evidence['audio'] }> {
  const metadata = await mediaInfo(handle, sizeBytes, signal);
  let audio: Awaited<ReturnType<typeof opened>> | null = null;
  let askFfmpeg = false;
  const sentenceOf = (error: unknown): string => describeError(error).replaceAll(path, shown);
  try {
    audio = await opened(path, signal);
    askFfmpeg = audio.decoder !== 'ffmpeg' && !(audio.told === undefined && agree(audio, metadata));
    metadata.push(...rowsOf(audio));
  } catch (error) {
    signal.throwIfAborted();
    metadata.push(problem('earwitness', sentenceOf(error)));
  }
  if (askFfmpeg) {
    try {
      const decoder = await openWithFfmpeg(path, { signal, timeLimitSeconds: probeLimitSeconds, stream: 0 });
      await decoder.close();
      metadata.push(...rowsOf(decoder.info));
    } catch (error) {
      signal.throwIfAborted();
      metadata.push(problem('ffmpeg', sentenceOf(error)));
    }
  }
  return { metadata, audio };
}

/** What the recording is, and what its headers tell of sound that is missing or will not be read. */
async function opened(path: string, signal: AbortSignal): Promise<Evidence['audio'] & AudioInfo> {
  const stream = await openAudio(path, { signal });
  await stream.close();
  const codes = [...new Set(noteReasons(stream.statistics).map(({ code }) => code))];
  return codes.length > 0 ? { ...stream.info, told: codes } : stream.info;
}

/**
 * Whether MediaInfo says the same of the sound as our own reader: only where it does not, or sound is missing, is a third parser asked, whose
 * start takes longer than all else that intake does with a clip.
 */
function agree({ sampleRateHz, channels, bitsPerSample, durationSeconds }: AudioInfo, metadata: Metadata): boolean {
  const said = (name: string): number | null => {
    const row = metadata.find((one) => one.track === 'Audio' && one.name === name);
    return row === undefined ? null : Number(row.value);
  };
  const duration = said('Duration');
  return (
    said('SamplingRate') === sampleRateHz &&
    said('Channels') === channels &&
    (bitsPerSample === null || said('BitDepth') === bitsPerSample) &&
    duration !== null &&
    durationSeconds !== null &&
    Math.abs(duration - durationSeconds) <= durationToleranceSeconds
  );
}

function rowsOf(info: AudioInfo): Metadata {
  const parser = info.decoder === 'ffmpeg' ? `ffmpeg ${info.decoderVersion}` : `earwitness ${info.decoder}`;
  const fields: [string, string, string | number | null][] = [
    ['General', 'Container', info.container],
    ['General', 'Audio streams', info.audioStreams],
    ['General', 'Duration (s)', info.durationSeconds],
    ['Audio', 'Codec', info.codec],
    ['Audio', 'Sampling rate (Hz)', info.sampleRateHz],
    ['Audio', 'Channels', info.channels],
    ['Audio', 'Bits per sample', info.bitsPerSample],
  ];
  return fields.flatMap(([track, name, value]) =>
    value === null ? [] : [{ parser, track, name, value: String(value) }],
  );
}

let loaded: Promise<MediaInfo<'object'>> | null = null;

/** What MediaInfo says of a file; what goes wrong is a row of it. */
async function mediaInfo(handle: FileHandle, sizeBytes: number, signal: AbortSignal): Promise<Metadata> {
  loaded ??= mediaInfoFactory({ format: 'object', chunkSize: parsedAtOnceBytes });
  const parser = 'mediainfo';
  const block = new Uint8Array(parsedAtOnceBytes);
  let readBytes = 0;
  const began = performance.now();
  try {
    const info = await loaded;
    const result = await info.analyzeData(sizeBytes, async (size, offset) => {
      signal.throwIfAborted();
      if (readBytes > mostParsedBytes || performance.now() - began > mostParsingMilliseconds) {
        throw new UserFacingError('timeout', 'It took too long to read the container.');
      }
      const wanted = Math.min(size, block.length, Math.max(0, sizeBytes - offset));
      const { bytesRead } = await handle.read(block, 0, wanted, offset);
      readBytes += bytesRead;
      return block.subarray(0, bytesRead);
    });
    const rows: Metadata = [];
    const tracks: Record<string, unknown>[] = (result.media?.track ?? []).map((track) => ({ ...track }));
    for (const [index, { '@type': type, ...fields }] of tracks.entries()) {
      const alike = tracks.filter((other) => other['@type'] === type);
      const number =
        alike.length > 1 ? ` ${tracks.slice(0, index + 1).filter((other) => other['@type'] === type).length}` : '';
      addTrack(rows, `${String(type)}${number}`, fields, sizeBytes);
    }
    if (result.creatingLibrary?.version) {
      const name = `${parser} ${result.creatingLibrary.version}`;
      return rows.map((row) => ({ ...row, parser: name }));
    }
    return rows;
  } catch (error) {
    signal.throwIfAborted();
    // What is left of it may be in any state.
    loaded = null;
    return [problem(parser, describeError(error))];
  }
}

/** A track's fields: a duration that the file cannot hold is not repeated, and what is only MediaInfo's view is said to be so. */
function addTrack(rows: Metadata, track: string, fields: Record<string, unknown>, sizeBytes: number): void {
  const state = (value: string): void => {
    rows.push({ parser: 'mediainfo', track, name: 'Statement', value });
  };
  const { extra, ...rest } = fields;
  const { IsTruncated: truncated, ...others } = { ...(typeof extra === 'object' ? extra : null) } as Record<
    string,
    unknown
  >;
  if (truncated === 'Yes') {
    state('MediaInfo says that the file is truncated. Whether sound is missing is reported where it is decoded.');
  }
  const impossible = Number(rest.Duration) > mostSecondsForByte * sizeBytes;
  if (impossible) state('MediaInfo gives a duration that a file of this size cannot hold; it is not repeated.');
  const kept = Object.entries({ ...rest, extra: others }).filter(([name]) => !impossible || !fromDuration.has(name));
  addFields(rows, track, '', Object.fromEntries(kept));
}

function addFields(rows: Metadata, track: string, prefix: string, fields: object): void {
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (rows.length >= mostFields) return;
    if (typeof value === 'object' && value !== null) addFields(rows, track, `${prefix}${name}.`, value);
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      rows.push({ parser: 'mediainfo', track, name: `${prefix}${name}`, value: String(value).slice(0, longestValue) });
    }
  }
}
