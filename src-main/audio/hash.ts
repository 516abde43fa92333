import { createHash } from 'node:crypto';
import { openRegularFile, unreadable } from './input.ts';

/**
 * SHA-256 of a file's content in lower-case hexadecimal, read in blocks of 1 MiB.
 * @throws UserFacingError `missing`, `unreadable` or `not-a-file`; the signal's reason when aborted.
 */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const { handle, size } = await openRegularFile(path);
  try {
    const hash = createHash('sha256');
    const block = new Uint8Array(Math.min(Math.max(size, 1), 1024 * 1024));
    while (true) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(block, 0, block.length, null);
      if (bytesRead === 0) break;
      hash.update(block.subarray(0, bytesRead));
    }
    return hash.digest('hex');
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await handle.close();
  }
}
