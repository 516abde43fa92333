import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { displayPath } from './display-path.ts';
import { UserFacingError } from './errors.ts';

/** A file by its path; for a name that is not UTF-8, its bytes are in `nameBytes`. */
export interface NamedFile {
  path: string;
  nameBytes: Uint8Array | null;
}

/**
 * Hands over a path under which every function and child process can open a file, one whose name is not UTF-8 too (on Linux only).
 * @throws what `use` throws, the file called by its own name.
 */
export async function withOpenablePath<T>(file: NamedFile, use: (path: string) => Promise<T>): Promise<T> {
  if (file.nameBytes === null) return use(file.path);
  // Without waiting: it may be a pipe.
  const handle = await open(Buffer.from(file.nameBytes), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const path = `/proc/${process.pid}/fd/${handle.fd}`;
  try {
    return await use(path);
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    const message = error.message.replaceAll(path, displayPath(file));
    throw new UserFacingError(error.code, message, { ...(error.advice ? { advice: error.advice } : {}), cause: error });
  } finally {
    await handle.close();
  }
}
