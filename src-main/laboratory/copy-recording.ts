/** Copies of a dataset's recordings: whole or absent. */
import { access, constants, copyFile, rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { sha256File } from '../audio/hash.ts';
import { unreadable } from '../audio/input.ts';
import { ensureFolder, unwritable } from '../base/files.ts';

/**
 * @param name of the copy, by its SHA-256
 * @returns the SHA-256 of the copy: the recording itself may change meanwhile
 * @throws UserFacingError `missing`, `unreadable` for the recording, `unwritable` for the copy
 */
export async function copyRecording(from: string, folder: string, name: (sha256: string) => string): Promise<string> {
  const inHand = join(folder, `.${randomUUID()}.partial`);
  try {
    await ensureFolder(folder);
    await copyFile(from, inHand);
    const sha256 = await sha256File(inHand);
    await rename(inHand, join(folder, name(sha256)));
    return sha256;
  } catch (error) {
    await rm(inHand, { force: true }).catch(() => undefined);
    const isThere = await access(from, constants.R_OK).then(
      () => true,
      () => false,
    );
    throw isThere ? unwritable(folder, error) : unreadable(from, error);
  }
}
