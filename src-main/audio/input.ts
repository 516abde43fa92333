/** Bytes of a file, read once, in pieces, without touching its times. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { UserFacingError } from '../base/errors.ts';

/** Where bytes come from: a file, memory or a pipe. */
export interface ByteSource {
  /** Everything at once, where it lies in memory. */
  readonly bytes?: Uint8Array;
  /** Null for a pipe, which reads on in order whatever position is asked for. */
  readonly size: number | null;
  /** Reads into the target; 0 at the end. Without waiting where it can. */
  read(target: Uint8Array, position: number): number | Promise<number>;
  close(): Promise<void>;
}

/** An error of the file system on reading, as a person should read it; anything else unchanged. */
export function unreadable(path: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const system: NodeJS.ErrnoException = error;
  switch (system.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return new UserFacingError('missing', `${path} does not exist.`, {
        path,
        advice: 'Check the name, and that the drive is connected.',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new UserFacingError('unreadable', `${path} cannot be read: permission is denied.`, {
        path,
        advice: 'Ask its owner for permission to read it, or work on a copy.',
        cause: error,
      });
    case 'ELOOP':
      return new UserFacingError('unreadable', `${path} cannot be read: its symbolic links lead in a circle.`, {
        path,
        advice: 'Name the file itself.',
        cause: error,
      });
    case 'EISDIR':
      return notAFile(path, 'a folder');
    case 'ENXIO':
      return notAFile(path, 'a named pipe, a socket or a device');
    default:
      // Errors of the operating system have a number; an invalid argument from Node itself has none and is a bug.
      if (system.errno === undefined) return error;
      return new UserFacingError('unreadable', `${path} cannot be read: ${system.message}.`, {
        path,
        advice: 'Check the drive, or work on a copy.',
        cause: error,
      });
  }
}

function notAFile(path: string, what: string): UserFacingError {
  return new UserFacingError('not-a-file', `${path} is ${what}, not a file.`, {
    path,
    advice: 'Name a recording that is stored in a file.',
  });
}

function mustBeRegular(path: string, status: Stats): void {
  if (status.isDirectory()) throw notAFile(path, 'a folder');
  if (!status.isFile()) throw notAFile(path, 'a named pipe, a socket or a device');
}

/** A file may be exchanged after it was looked at: opening must not wait, and what was opened is looked at again. */
const withoutWaiting = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Reading leaves no trace in the file's access time, where the system lets its owner (or root) ask for that. */
const withoutTrace = withoutWaiting | ((constants as { O_NOATIME?: number }).O_NOATIME ?? 0);

const notItsOwner = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EPERM';

/** Opens for reading as evidence is opened: without waiting, and without a trace where that can be. @throws as `open` */
export async function openUntouched(path: string): Promise<FileHandle> {
  try {
    return await open(path, withoutTrace);
  } catch (error) {
    if (!notItsOwner(error)) throw error;
    return open(path, withoutWaiting);
  }
}

function openUntouchedSync(path: string): number {
  try {
    return openSync(path, withoutTrace);
  } catch (error) {
    if (!notItsOwner(error)) throw error;
    return openSync(path, withoutWaiting);
  }
}

/**
 * Opens a regular file for reading; never waits on a pipe or a device.
 * @throws UserFacingError `missing`, `unreadable` or `not-a-file`.
 */
export async function openRegularFile(path: string): Promise<{ handle: FileHandle; size: number; status: Stats }> {
  try {
    mustBeRegular(path, await stat(path));
    const handle = await openUntouched(path);
    try {
      const status = await handle.stat();
      mustBeRegular(path, status);
      return { handle, size: status.size, status };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * The same at once, for small files in a worker: five calls of the system cost far less than to hand each of them to another thread.
 * @returns a descriptor that the caller closes.
 */
export function openRegularFileSync(path: string): { descriptor: number; status: Stats } {
  try {
    mustBeRegular(path, statSync(path));
    const descriptor = openUntouchedSync(path);
    try {
      const status = fstatSync(descriptor);
      mustBeRegular(path, status);
      return { descriptor, status };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** A regular file as a source of bytes. Errors as `openRegularFile`, on reading too. */
export async function openFileSource(path: string): Promise<ByteSource> {
  const { handle, size } = await openRegularFile(path);
  return {
    size,
    async read(target, position) {
      try {
        return (await handle.read(target, 0, target.length, position)).bytesRead;
      } catch (error) {
        throw unreadable(path, error);
      }
    },
    close: () => handle.close(),
  };
}

/** Bytes in memory as a source. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    bytes,
    size: bytes.length,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    close: async () => undefined,
  };
}

const windowBytes = 256 * 1024;
/** Readers of bits and headers look so far past the end. Bytes with as much room behind them in their buffer are not copied. */
export const padBytes = 16;

/** A window over a source that parsers read from: `bytes[start]` to `bytes[end - 1]` is what lies ready. */
export class InputBuffer {
  bytes: Uint8Array;
  view: DataView;
  start = 0;
  end = 0;
  /** The source has no more bytes than lie ready. */
  ended = false;
  readonly source: ByteSource;
  // The position in the source of bytes[0].
  #base = 0;

  constructor(source: ByteSource) {
    this.source = source;
    const { bytes } = source;
    const padded = bytes ? bytes.length + padBytes : Infinity;
    if (bytes && bytes.byteOffset + padded <= bytes.buffer.byteLength) {
      this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, padded);
      this.end = bytes.length;
      this.ended = true;
    } else {
      this.bytes = new Uint8Array(Math.min(source.size ?? windowBytes, windowBytes) + padBytes);
    }
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  }

  get available(): number {
    return this.end - this.start;
  }

  /** Of the next byte in the source. */
  get position(): number {
    return this.#base + this.start;
  }

  /** Makes `wanted` bytes lie ready, fewer only where the source ends. Callers keep `wanted` within bounds. */
  async fill(wanted: number): Promise<boolean> {
    if (this.ended) return this.available >= wanted;
    if (this.start + wanted + padBytes > this.bytes.length) {
      const kept = this.bytes.subarray(this.start, this.end);
      if (wanted + padBytes > this.bytes.length) {
        this.bytes = new Uint8Array(Math.max(wanted, windowBytes) + padBytes);
        this.view = new DataView(this.bytes.buffer);
        this.bytes.set(kept);
      } else {
        this.bytes.copyWithin(0, this.start, this.end);
      }
      this.#base += this.start;
      this.end -= this.start;
      this.start = 0;
    }
    while (this.available < wanted && !this.ended) {
      const target = this.bytes.subarray(this.end, this.bytes.length - padBytes);
      const reading = this.source.read(target, this.#base + this.end);
      const count = typeof reading === 'number' ? reading : await reading;
      this.end += count;
      const size = this.source.size;
      if (count === 0 || (size !== null && this.#base + this.end >= size)) this.ended = true;
    }
    return this.available >= wanted;
  }

  /** Goes to a position in the source: any in a file or memory, a later one in a pipe. False where it ends before. */
  async seek(position: number): Promise<boolean> {
    const offset = position - this.#base;
    if (offset >= 0 && offset <= this.end) {
      this.start = offset;
      return true;
    }
    const size = this.source.size;
    if (size !== null) {
      const inside = position <= size;
      this.#base = Math.min(position, size);
      this.start = this.end = 0;
      this.ended = this.#base >= size;
      return inside;
    }
    while (this.position < position) {
      this.start = this.end;
      if (!(await this.fill(1))) return false;
      this.start += Math.min(this.available, position - this.position);
    }
    return true;
  }
}
