import { chmod, link, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserFacingError } from './errors.ts';

/** Makes a folder and those above it. (Node's own `recursive` never ends where `/proc` refuses one.) */
export async function ensureFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path && !(await stat(dirname(path)).catch(() => null))) {
      await ensureFolder(dirname(path));
      await mkdir(path);
    } else if (!(await stat(path).catch(() => null))?.isDirectory()) {
      throw error;
    }
  }
}

/** Eight hexadecimal digits. (Of Web Crypto: to load `node:crypto` would take a sixth of the time of a command's start.) */
function randomName(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString('hex');
}

/**
 * Writes a file that is whole or absent: beside its place, flushed, then renamed over it.
 * @param data all of it, or its parts as they come
 * @param options.replace whether what stands at the place, or comes to stand there meanwhile, may be replaced
 * @param options.mode its rights, whatever the process's mask; without it what the mask leaves of reading and writing for all
 * @throws UserFacingError `unwritable` when the folder cannot be written to or the disk is full; `exists`.
 */
export async function writeFileWhole(
  path: string,
  data: string | Uint8Array | AsyncIterable<string>,
  { replace = true, mode }: { replace?: boolean; mode?: number } = {},
): Promise<void> {
  // The steps of a path are taken as they are written, here as where it was looked at: `link/..` is where the link stands.
  const place = resolve(path);
  const beside = join(dirname(place), `.${basename(place)}.${randomName()}.partial`);
  try {
    await ensureFolder(dirname(place));
    const handle = await open(beside, 'wx', mode);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (replace) await rename(beside, place);
    else await moveToFreePlace(beside, place);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

/**
 * Moves a finished file to a place at which nothing stands.
 * @throws UserFacingError `exists`; the file stays where it was then. Errors of the system as they are.
 */
export async function moveToFreePlace(from: string, to: string): Promise<void> {
  try {
    // Unlike a renaming, a link is refused where something stands.
    await link(from, to);
    await rm(from);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || (await lstat(to).catch(() => null)) !== null) {
      throw new UserFacingError('exists', `${to} exists.`, {
        path: to,
        advice: 'Nothing was written over it: choose another name.',
        cause: error,
      });
    }
    // A file system without links.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
    await rename(from, to);
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
    ENOENT: 'the folder cannot be made',
  };
  if (code === undefined || !(code in why)) return error;
  return new UserFacingError('unwritable', `Cannot write ${path}: ${why[code]}.`, {
    path,
    advice: 'Choose another place or make room, and try again.',
    cause: error,
  });
}

/** Makes a folder that is for nobody else's eyes; one that stands stays as it is. @throws UserFacingError `unwritable` */
export async function privateFolder(folder: string): Promise<void> {
  if (await stat(folder).catch(() => null)) return;
  try {
    await ensureFolder(folder);
    await chmod(folder, 0o700);
  } catch (error) {
    throw unwritable(folder, error);
  }
}
