/** Files packed into one, as zip. */
import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { unwritable } from './files.ts';

/** What goes into an archive under a name: a file, or bytes. */
export interface Packed {
  name: string;
  path?: string;
  bytes?: Uint8Array;
  /** False for what would not become smaller; true by default. */
  compress?: boolean;
}

/** Fixed, so that the same files give the same archive. */
const mtime = new Date(1980, 0, 1);

/**
 * Writes an archive; the file is whole only when this returns.
 * @throws UserFacingError `unwritable`; what reading the files throws.
 */
export async function writeArchive(path: string, files: readonly Packed[], signal?: AbortSignal): Promise<void> {
  const zip = new yazl.ZipFile();
  const failed = new Promise<never>((_, reject) => zip.on('error', reject));
  failed.catch(() => undefined);
  for (const { name, path: file, bytes, compress = true } of files) {
    const options = { mtime, mode: 0o100644, compress };
    if (file !== undefined) zip.addFile(file, name, options);
    else zip.addBuffer(Buffer.from(bytes ?? []), name, options);
  }
  zip.end();
  const written = pipeline(zip.outputStream, createWriteStream(path), { ...(signal ? { signal } : {}) });
  try {
    await Promise.race([written, failed]);
  } catch (error) {
    throw unwritable(path, error);
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
