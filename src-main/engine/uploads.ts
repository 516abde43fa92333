/** Files that a browser handed over: they go with the intake or the import that takes them in; the case keeps its own copy. */
import { readFile, readdir, realpath, rm } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';

export function uploadsFolder(home: string): string {
  return join(home, 'uploads');
}

/** The name of each upload's folder, which nobody can guess. */
const uploadName = /^[0-9a-f]{32}$/;

/** The uploads that are there, by the names of their folders. */
export async function presentUploads(home: string): Promise<string[]> {
  return (await readdir(uploadsFolder(home)).catch(() => [])).filter((name) => uploadName.test(name));
}

async function remove(home: string, names: Iterable<string>): Promise<void> {
  for (const name of names) {
    await rm(join(uploadsFolder(home), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Removes the uploads that paths lie in. Never fails. */
export async function removeUploads(home: string, paths: readonly string[]): Promise<void> {
  const uploads = uploadsFolder(home);
  const folders = [uploads, await realpath(uploads).catch(() => uploads)];
  const names = folders.flatMap((folder) => paths.map((path) => relative(folder, resolve(path)).split(sep)[0]));
  await remove(home, new Set(names.filter((name) => uploadName.test(name))));
}

/**
 * Removes uploads that an engine before this one left and nothing takes in any more. Never fails.
 * @param present those that were there when this engine started
 * @param pending what goes on or is remembered, as far as it may name uploads
 */
export async function clearUploads(
  home: string,
  present: readonly string[],
  pending: readonly unknown[],
): Promise<void> {
  const recent = await readFile(join(home, 'recent-datasets.json'), 'utf8').catch(() => '');
  const named = JSON.stringify([...pending, recent]);
  await remove(
    home,
    present.filter((name) => !named.includes(name)),
  );
}
