/** What a scan has done so far, on disk, so that it can go on after a stop. */
import { createHash } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable } from '../base/files.ts';
import { provenanceSchema } from '../../src-common/schemas/analysis.ts';
import type { Card } from '../detector/card.ts';
import type { ScanProvenance } from '../reports/scan-results.ts';
import type { ScanResult } from './scan-files.ts';
import type { KnownFile, ScoreRequest } from './score.ts';

/** Choices that decide what a file's result is. */
export type ScanSettings = Record<string, string | number | boolean>;

const headerSchema = z.object({
  journal: z.literal('earwitness scan'),
  format: z.literal(1),
  made: provenanceSchema.omit({ ffmpeg: true }),
  /** The card holds what turns a score into a finding. */
  cardSha256: z.string(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Whether the output may take the place of a file that stands there. */
  replaces: z.boolean().default(false),
});
type Header = z.infer<typeof headerSchema>;

/** A line after the first: a file that is done. Its name as base64 where it is not UTF-8. */
interface Entry extends ScanResult {
  name?: string;
}

/** Where a file's latest line lies in the journal, and what is to be compared before it is used again. */
interface Place {
  offset: number;
  length: number;
  known: KnownFile | null;
  /** A result of this run, or one from before that has been found to hold. */
  valid: boolean;
}

/** The disk is reported to keep what was written this often. */
const flushMilliseconds = 1000;
const readBytes = 1024 * 1024;
const newline = 0x0a;
/** How every journal begins. */
const beginning = Buffer.from('{"journal":"earwitness scan"');

/** Where the journal of a scan lies: beside its output. */
export function journalPath(out: string): string {
  return `${out}.partial`;
}

function keyOf({ path, nameBytes }: Pick<ScoreRequest, 'path' | 'nameBytes'>): string {
  return nameBytes === null ? `=${path}` : `#${Buffer.from(nameBytes).toString('base64')}`;
}

/** What differs between two headers, in words; the time may. */
function differences(before: Header, now: Header): string[] {
  const found: string[] = [];
  const compare = (what: string, then: string, today: string): void => {
    if (then !== today) found.push(`${what} (${then} then, ${today} now)`);
  };
  const model = ({ made }: Header): string => `${made.model.name} ${made.model.onnxSha256.slice(0, 12)}`;
  compare('the model', model(before), model(now));
  if (found.length === 0) compare("the model's card", before.cardSha256.slice(0, 12), now.cardSha256.slice(0, 12));
  compare('the application', before.made.application, now.made.application);
  compare('the backend', before.made.backend, now.made.backend);
  compare('the platform', before.made.platform, now.made.platform);
  for (const name of new Set([...Object.keys(before.settings), ...Object.keys(now.settings)])) {
    const text = (settings: ScanSettings): string => String(settings[name] ?? 'not set');
    compare(`the setting ${name}`, text(before.settings), text(now.settings));
  }
  return found;
}

/**
 * The journal of a scan, beside its output: a header, then one line of JSON for each file that is done, in the order in
 * which they were done. A scan that was interrupted goes on from it; at the end the output is written from it, so that
 * no scan is held in memory. Key of a result: the file's hash, the model, the settings.
 */
export class ScanJournal {
  /** What made the results, as of the scan's first run. */
  readonly made: ScanProvenance;
  /** Whether the output may take the place of a file that stands there, as the scan's first run was reported. */
  readonly replaces: boolean;
  /** The machines that scored something, where that was done through a queue. */
  readonly workers = new Set<string>();
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #places: Map<string, Place>;
  #end: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #flushed = 0;

  private constructor(
    path: string,
    handle: FileHandle,
    header: Header,
    places: Map<string, Place>,
    end: number,
    workers: Iterable<string> = [],
  ) {
    this.made = header.made;
    this.replaces = header.replaces;
    this.#path = path;
    this.#handle = handle;
    this.#places = places;
    this.#end = end;
    for (const worker of workers) this.workers.add(worker);
  }

  /**
   * Begins a journal, or goes on with the one that is there.
   * @param resume go on, where there is something to go on from
   * @param overwrite begin anew, and let the output replace a file that stands there
   * @throws UserFacingError `usage` where a journal is there and neither is wanted, or it belongs to another scan, or something else is there;
   * `unwritable`.
   */
  static async open(
    path: string,
    scan: { made: ScanProvenance; card: Card; settings: ScanSettings },
    { resume, overwrite }: { resume: boolean; overwrite: boolean },
  ): Promise<ScanJournal> {
    const header: Header = {
      journal: 'earwitness scan',
      format: 1,
      made: scan.made,
      cardSha256: createHash('sha256').update(JSON.stringify(scan.card)).digest('hex'),
      settings: scan.settings,
      replaces: overwrite,
    };
    const handle = await openJournal(path, { resume, overwrite });
    try {
      if (resume && !overwrite) {
        const journal = await ScanJournal.#goOn(path, handle, header);
        if (journal) return journal;
      }
      const line = Buffer.from(`${JSON.stringify(header)}\n`);
      await handle.truncate(0);
      await writeAt(handle, line, 0);
      await handle.datasync();
      return new ScanJournal(path, handle, header, new Map(), line.length);
    } catch (error) {
      await handle.close();
      throw unwritable(path, error);
    }
  }

  /** @returns null where not even the header was written. */
  static async #goOn(path: string, handle: FileHandle, now: Header): Promise<ScanJournal | null> {
    let header: Header | null = null;
    const places = new Map<string, Place>();
    const workers = new Set<string>();
    let end = 0;
    for await (const { text, offset, length } of linesOf(handle)) {
      if (header === null) {
        header = parsedHeader(text, path);
      } else {
        const entry = parsedEntry(text);
        if (entry) {
          const { path: name, sha256, file } = entry;
          const key = entry.name === undefined ? `=${name}` : `#${entry.name}`;
          const known = entry.analysis && sha256 && file ? { ...file, sha256 } : null;
          places.set(key, { offset, length, known, valid: false });
          if (entry.worker !== undefined) workers.add(entry.worker);
        }
      }
      end = offset + length;
    }
    if (header === null) return null;
    const differ = differences(header, now);
    if (differ.length > 0) {
      throw new UserFacingError('usage', `${path} is of a scan that differs from this one in ${differ.join(', ')}.`, {
        path,
        advice: 'Scan with what it was begun with, or add --overwrite instead of --resume to begin anew.',
      });
    }
    // A last line that was torn is cut off.
    await handle.truncate(end);
    return new ScanJournal(path, handle, header, places, end, workers);
  }

  /** Results from before that will be taken over if their files are the same. */
  get reusable(): number {
    let count = 0;
    for (const { known } of this.#places.values()) if (known !== null) count++;
    return count;
  }

  /** What is known of a file that was scored before the interruption. */
  known(request: ScoreRequest): KnownFile | null {
    return this.#places.get(keyOf(request))?.known ?? null;
  }

  /**
   * Writes a file's result down, or that the one from before holds.
   * @throws UserFacingError `unwritable`
   */
  async add(request: ScoreRequest, result: ScanResult): Promise<void> {
    const key = keyOf(request);
    const place = this.#places.get(key);
    if (result.unchanged && place) {
      place.valid = true;
      return;
    }
    if (result.passedOver) {
      this.#places.delete(key);
      return;
    }
    if (result.worker !== undefined) this.workers.add(result.worker);
    const name = request.nameBytes === null ? {} : { name: Buffer.from(request.nameBytes).toString('base64') };
    const line = `${JSON.stringify({ ...result, ...name } satisfies Entry)}\n`;
    const length = Buffer.byteLength(line);
    this.#places.set(key, { offset: this.#end + this.#waitingBytes, length, known: null, valid: true });
    this.#waiting.push(line);
    this.#waitingBytes += length;
    await (this.#writing = this.#writing.then(() => this.#write()));
  }

  /** Writes what waits, in one piece. */
  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.from(this.#waiting.join(''));
    const at = this.#end;
    this.#waiting = [];
    this.#waitingBytes = 0;
    // Others that are added meanwhile come after it.
    this.#end += bytes.length;
    try {
      await writeAt(this.#handle, bytes, at);
      if (performance.now() - this.#flushed > flushMilliseconds) {
        this.#flushed = performance.now();
        await this.#handle.datasync();
      }
    } catch (error) {
      throw unwritable(this.#path, error);
    }
  }

  /** The results of the requests in their order, those passed over left out. */
  async *results(requests: readonly ScoreRequest[]): AsyncGenerator<ScanResult> {
    for (const request of requests) {
      const place = this.#places.get(keyOf(request));
      if (!place?.valid) continue;
      const bytes = Buffer.alloc(place.length);
      await this.#handle.read(bytes, 0, place.length, place.offset);
      yield JSON.parse(bytes.toString('utf8')) as Entry;
    }
  }

  /** Lets go of the journal, which stays where it is. */
  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#handle.close();
  }

  /** Removes the journal: its scan is finished. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }
}

async function openJournal(path: string, wish: { resume: boolean; overwrite: boolean }): Promise<FileHandle> {
  try {
    await ensureFolder(dirname(path));
    if (wish.overwrite) {
      await requireJournal(path);
      return await open(path, 'w+');
    }
    if (wish.resume) {
      const handle = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (handle) return handle;
    }
    return await open(path, 'wx+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isFile(path))) throw unwritable(path, error);
    throw new UserFacingError('usage', `${path} is left from a scan that was interrupted.`, {
      path,
      advice: 'Add --resume to go on with it, or --overwrite to begin anew.',
    });
  }
}

/** @throws UserFacingError `usage` where what stands there was never a journal. */
async function requireJournal(path: string): Promise<void> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!handle) return;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(beginning.length), 0, beginning.length, 0);
    // Of one that was interrupted at once, not even its beginning may be there.
    if (buffer.subarray(0, bytesRead).equals(beginning.subarray(0, bytesRead))) return;
  } finally {
    await handle.close();
  }
  throw new UserFacingError('usage', `${path} is no journal of a scan: it is not written over.`, {
    path,
    advice: 'Move it away, or choose another --out.',
  });
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** The whole lines of a file with where they lie; what follows the last line break is left out. */
async function* linesOf(handle: FileHandle): AsyncGenerator<{ text: string; offset: number; length: number }> {
  let held = Buffer.alloc(0);
  let heldAt = 0;
  const block = Buffer.alloc(readBytes);
  while (true) {
    const { bytesRead } = await handle.read(block, 0, readBytes, heldAt + held.length);
    if (bytesRead === 0) return;
    let searched = held.length;
    held = Buffer.concat([held, block.subarray(0, bytesRead)]);
    let from = 0;
    for (let at = held.indexOf(newline, searched); at >= 0; at = held.indexOf(newline, searched)) {
      yield { text: held.toString('utf8', from, at), offset: heldAt + from, length: at + 1 - from };
      from = searched = at + 1;
    }
    heldAt += from;
    held = held.subarray(from);
  }
}

function parsedHeader(text: string, path: string): Header {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserFacingError('usage', `${path} is no journal of a scan that this version can go on with.`, {
      path,
      advice: 'Add --overwrite instead of --resume to begin anew, or choose another --out.',
      cause: error,
    });
  }
}

/** A line that a failing disk has spoilt is as good as none: its file is scored again. */
function parsedEntry(text: string): Entry | null {
  try {
    const entry = JSON.parse(text) as Entry;
    return typeof entry.path === 'string' ? entry : null;
  } catch {
    return null;
  }
}
