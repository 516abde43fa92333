import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Every file and link below a folder, with forward slashes, in the same order everywhere. */
export async function filesBelow(folder: string, at = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
    const path = at === '' ? entry.name : `${at}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await filesBelow(folder, path)));
    else found.push(path);
  }
  return at === '' ? found.sort() : found;
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Copies a file, and makes the folders that it wants. */
export async function copyTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

/** Copies what is wanted of a folder. @returns how many bytes were copied */
export async function copyFiles(from: string, to: string, wanted: (path: string) => boolean): Promise<number> {
  let bytes = 0;
  for (const path of (await filesBelow(from)).filter(wanted)) {
    await copyTo(join(from, path), join(to, path));
    bytes += (await lstat(join(to, path))).size;
  }
  return bytes;
}
