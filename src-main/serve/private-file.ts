import { open, rename, rm } from 'node:fs/promises';
import { unwritable } from '../base/files.ts';

/** Writes a file that nobody but this user can read at any moment; it is whole or absent. @throws UserFacingError `unwritable` */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const beside = `${path}.${process.pid}.partial`;
  try {
    await rm(beside, { force: true });
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}
