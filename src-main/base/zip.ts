/** Files packed into one, as zip, and what of such a file is taken in again: one set of limits for all that comes from elsewhere. */
import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import yauzl from 'yauzl';
import yazl from 'yazl';
import { UserFacingError } from './errors.ts';
import { unwritable } from './files.ts';
import { Hashing } from './hashing.ts';

/** What goes into an archive under a name: a file, bytes, or a stream. */
export interface Packed {
  name: string;
  path?: string;
  bytes?: Uint8Array;
  /** Opened when its turn comes; its error is the archive's. */
  stream?: { sizeBytes: number; open: () => Readable };
  /** False for what would not become smaller; true by default. */
  compress?: boolean;
}

/** Fixed, so that the same files give the same archive. */
const mtime = new Date(1980, 0, 1);

const signatures = { end: 0x06054b50, entry: 0x02014b50 } as const;

/**
 * Gives the entries of an archive that a library packed the time that those of ours have: the same content, the same bytes.
 * @param archive whole, without a comment behind it; it is changed in its place
 * @throws RangeError for what is no such archive
 */
export function fixTimes(archive: Buffer): void {
  const end = archive.length - 22;
  if (archive.readUInt32LE(end) !== signatures.end) throw new RangeError('The archive does not end as it should.');
  // Two bytes of the time, two of the date: midnight, 1 January 1980.
  const at = (place: number): unknown => archive.writeUInt32LE(0x21_0000, place);
  let entry = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(entry) !== signatures.entry) throw new RangeError('The archive has no such entry.');
    at(entry + 12);
    at(archive.readUInt32LE(entry + 42) + 10);
    const lengths = [28, 30, 32].map((place) => archive.readUInt16LE(entry + place));
    entry += 46 + lengths.reduce((sum, length) => sum + length);
  }
}

interface ArchiveOptions {
  signal?: AbortSignal | undefined;
  /** How the file is made, `{ flags: 'wx' }` for instance. */
  file?: Parameters<typeof createWriteStream>[1];
  /** The path that errors name. */
  shown?: string;
}

/**
 * Writes an archive; the file is whole only when this returns.
 * @returns its SHA-256 and size
 * @throws UserFacingError `unwritable`; what reading the files throws.
 */
export async function writeArchive(
  path: string,
  files: readonly Packed[],
  { signal, file: how, shown = path }: ArchiveOptions = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const zip = new yazl.ZipFile();
  const failed = new Promise<never>((_, reject) => zip.on('error', reject));
  failed.catch(() => undefined);
  const opened: Readable[] = [];
  for (const { name, path: file, bytes, stream, compress = true } of files) {
    const options = { mtime, mode: 0o100644, compress };
    if (file !== undefined) zip.addFile(file, name, options);
    else if (!stream) zip.addBuffer(Buffer.from(bytes ?? []), name, options);
    else {
      zip.addReadStreamLazy(name, { ...options, size: stream.sizeBytes }, (give) => {
        const content = stream.open();
        opened.push(content.on('error', (error) => zip.emit('error', error)));
        give(null, content);
      });
    }
  }
  zip.end();
  // What fails in reading would leave the file open: the writing is stopped, and waited for.
  const stop = new AbortController();
  failed.catch(() => stop.abort());
  const signals = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
  const hashing = new Hashing();
  try {
    await pipeline(zip.outputStream, hashing, createWriteStream(path, how), { signal: signals });
    return { sha256: hashing.sha256, sizeBytes: hashing.sizeBytes };
  } catch (error) {
    signal?.throwIfAborted();
    // The reason, not the abort that followed from it.
    throw unwritable(shown, await Promise.race([failed, Promise.resolve(error)]).catch((reason: unknown) => reason));
  } finally {
    for (const content of opened) content.destroy();
  }
}

/** All files below a folder, named by their path from it with `/`, sorted. */
export async function filesBelow(folder: string): Promise<Packed[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, name: relative(folder, path).split(sep).join('/') }));
}

/** No more than so many files in what comes from elsewhere. */
const mostEntries = 2_000_000;
/** A zip that claims to grow more than this is a bomb: databases shrink to a tenth, weights and recordings hardly. */
const mostGrowth = 200;
const smallBytes = 64 * 1024 ** 2;

/** An archive that comes from elsewhere, and how it is refused. */
export interface ForeignArchive {
  path: string;
  refuse: (why: string, cause?: unknown) => UserFacingError;
}

/** @throws UserFacingError `missing`, `unreadable`; what `refuse` makes of a file that is no zip */
export async function openArchive({ path, refuse }: ForeignArchive): Promise<yauzl.ZipFile> {
  // Damaged central directories, names with `..`, drives or back slashes: refused by the library.
  return promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open)(path, {
    lazyEntries: true,
    autoClose: false,
    strictFileNames: true,
    validateEntrySizes: true,
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      throw new UserFacingError('missing', `${path} does not exist.`, { path, advice: 'Check the name.' });
    }
    if (error.code !== undefined) {
      throw new UserFacingError('unreadable', `${path} cannot be read.`, { path, advice: 'Check the drive.' });
    }
    throw refuse(`it is no zip archive, or a damaged one (${error.message})`, error);
  });
}

/**
 * The entries of an archive by name, none of them hostile.
 * @param mostBytes how large a file of this name may be; null where none belongs there
 * @throws what `refuse` makes of one that is hostile or damaged
 */
export async function archiveEntries(
  zip: yauzl.ZipFile,
  { refuse }: ForeignArchive,
  mostBytes: (name: string) => number | null,
): Promise<Map<string, yauzl.Entry>> {
  const entries = new Map<string, yauzl.Entry>();
  const folded = new Set<string>();
  let [total, compressed] = [0, 0];
  /** @returns why the archive is refused because of an entry */
  const fault = (entry: yauzl.Entry): string | null => {
    const { fileName } = entry;
    const shown = JSON.stringify(fileName.slice(0, 200));
    const most = mostBytes(fileName);
    const kind = (entry.externalFileAttributes >>> 16) & 0o170000;
    total += entry.uncompressedSize;
    compressed += entry.compressedSize;
    if (most === null) return `it holds ${shown}, which does not belong there`;
    if (folded.has(fileName.normalize('NFC').toLowerCase())) return `it holds ${shown} twice`;
    if (kind !== 0 && kind !== 0o100000) return `${shown} in it is no file`;
    if (entry.isEncrypted()) return 'it is encrypted';
    if (entry.uncompressedSize > most) return `its ${fileName} would take ${Math.ceil(entry.uncompressedSize / 1024 ** 2)} MiB`; // prettier-ignore
    if (compressed > zip.fileSize || total > Math.max(smallBytes, mostGrowth * zip.fileSize)) {
      return 'it claims to hold far more than it can';
    }
    return null;
  };
  if (zip.entryCount > mostEntries) throw refuse(`it has ${zip.entryCount} files`);
  await new Promise<void>((done, reject) => {
    zip.on('error', (error: Error) => reject(refuse(`it is damaged (${error.message})`, error)));
    zip.on('end', done);
    zip.on('entry', (entry: yauzl.Entry) => {
      const why = fault(entry);
      if (why !== null) return reject(refuse(why));
      folded.add(entry.fileName.normalize('NFC').toLowerCase());
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
  return entries;
}

/** @throws what `refuse` makes of an entry that is damaged */
export async function entryStream(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  { refuse }: ForeignArchive,
): Promise<Readable> {
  return new Promise((give, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(refuse(`its ${entry.fileName} is damaged (${error.message})`, error));
      else give(stream);
    });
  });
}
