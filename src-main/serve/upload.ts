import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable } from '../base/files.ts';

/** An upload leaves this much room on the disk. */
const reserveBytes = 512 * 1024 * 1024;

/**
 * A file name that is safe on every platform and as near as can be to the one given: no folders, no characters that Windows or a
 * terminal takes for something else, at most 200 bytes with its extension kept.
 */
export function safeFileName(given: string): string {
  const last = given.normalize('NFC').split(/[\\/]/).at(-1) ?? '';
  // eslint-disable-next-line no-control-regex
  let name = last.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"|?*]/g, '_');
  name = name.replace(/[. ]+$/, '').replace(/^\.+/, '_');
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)) name = `_${name}`;
  const extension = /\.[^.]{1,16}$/.exec(name)?.[0] ?? '';
  let stem = name.slice(0, name.length - extension.length);
  while (Buffer.byteLength(stem + extension) > 200) stem = [...stem].slice(0, -1).join('');
  return stem + extension || 'upload';
}

/** Counts bytes and ends the stream beyond the limit. */
function limited(limitBytes: number, path: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(tooLarge(path));
      else done(null, chunk);
    },
  });
}

function tooLarge(path: string): UserFacingError {
  return new UserFacingError('disk-full', `There is no room on the disk for ${path}.`, {
    path,
    advice: 'Make room where the data folder is, and upload it again.',
  });
}

/**
 * Streams a request's body into a folder of its own below `<home>/uploads`; what breaks off leaves nothing behind.
 * @returns the file's path
 * @throws UserFacingError `disk-full`, `unwritable`, `incomplete`
 */
export async function receiveUpload(request: IncomingMessage, home: string, givenName: string): Promise<string> {
  const folder = join(home, 'uploads', randomBytes(16).toString('hex'));
  const path = join(folder, safeFileName(givenName));
  const beside = `${path}.partial`;
  try {
    await ensureFolder(join(home, 'uploads'));
    const { bavail, bsize } = await statfs(home);
    const limitBytes = Math.max(0, bavail * bsize - reserveBytes);
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > limitBytes) throw tooLarge(path);
    await mkdir(folder, { mode: 0o700 });
    await pipeline(
      request,
      limited(limitBytes, path),
      createWriteStream(beside, { flags: 'wx', mode: 0o600, flush: true }),
    );
    await rename(beside, path);
    return path;
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    if (!(error instanceof UserFacingError) && request.errored) {
      throw new UserFacingError('incomplete', `The upload of ${givenName} broke off.`, { cause: error });
    }
    throw unwritable(path, error);
  }
}
