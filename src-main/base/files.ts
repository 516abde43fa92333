import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserFacingError } from './errors.ts';

/**
 * Writes a file that is whole or absent: beside its place, flushed, then renamed over it.
 * @throws UserFacingError `unwritable` when the folder cannot be written to or the disk is full.
 */
export async function writeFileWhole(path: string, data: string | Uint8Array): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.partial`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(beside, 'wx');
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

/** A system error on writing, as a person should read it. */
export function unwritable(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const why: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
    EROFS: 'the file system is read-only',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is a file',
    EEXIST: 'a part of the path is a file',
    ENAMETOOLONG: 'the name is too long',
  };
  if (code === undefined || !(code in why)) return error;
  return new UserFacingError('unwritable', `Cannot write ${path}: ${why[code]}.`, {
    path,
    advice: 'Choose another place or make room, and try again.',
    cause: error,
  });
}
