/** Prepared sound is a cache: it can be made again from the evidence, so what was used longest ago makes room for more. */
import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** Has the time when the sound was last opened. */
export const summaryFile = 'sound.json';

const preparedName = /^[0-9a-f]{64}(-all)?(-channel-\d+)?$/;

interface Prepared {
  name: string;
  bytes: number;
  usedMs: number;
}

/** Notes that prepared sound was opened. Never fails. */
export async function noteUse(folder: string, now = new Date()): Promise<void> {
  // Another user's, or a drive that cannot be written to: it counts as older than it is.
  await utimes(join(folder, summaryFile), now, now).catch(() => undefined);
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0;
  }
  return bytes;
}

async function preparedIn(folder: string): Promise<Prepared[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => preparedName.test(name));
  return Promise.all(
    names.map(async (name) => ({
      name,
      bytes: await bytesBelow(join(folder, name)),
      usedMs: (await stat(join(folder, name, summaryFile)).catch(() => null))?.mtimeMs ?? 0,
    })),
  );
}

/** Bytes of all prepared sound in a folder. */
export async function preparedBytes(folder: string): Promise<number> {
  return (await preparedIn(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Removes the prepared sound that was used longest ago until the rest fits, but none that is in use: so a recording that alone is
 * larger stays while it is examined.
 * @param folder holds the folders of prepared sound
 * @returns how many bytes are left
 */
export async function keepWithin(
  folder: string,
  limitBytes: number,
  isInUse: (name: string) => boolean,
): Promise<number> {
  const found = (await preparedIn(folder)).sort((a, b) => a.usedMs - b.usedMs);
  let bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  for (const one of found) {
    if (bytes <= limitBytes) break;
    if (isInUse(one.name)) continue;
    const going = join(folder, `${one.name}.${randomBytes(4).toString('hex')}.partial`);
    try {
      // Whole or absent, wherever this is interrupted.
      await rename(join(folder, one.name), going);
      bytes -= one.bytes;
      await rm(going, { recursive: true, force: true });
    } catch {
      // Another user's, or held open: it goes another time.
    }
  }
  return bytes;
}
