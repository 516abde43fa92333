/** Where collections lie: in the data folder, by their names, or in files that a person names. */
import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { UserFacingError } from '../../base/errors.ts';
import { writeFileWhole } from '../../base/files.ts';
import { dataFolder } from '../../base/home.ts';

const extension = '.sqlite';

function collectionsFolder(home = dataFolder()): string {
  return join(home, 'collections');
}

/** Whether a text is a path to a collection's file, and no name. */
export function isPlacePath(place: string): boolean {
  return /[/\\]/.test(place) || place.endsWith(extension);
}

/** @throws UserFacingError `usage` for what can be no name of a collection */
export function mustBeName(name: string): void {
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,59}$/u.test(name) && !name.endsWith('.') && !name.endsWith(' ')) return;
  throw new UserFacingError('usage', `“${name}” can be no name of a collection.`, {
    advice:
      'It is made of at most 60 letters, digits, spaces, points, lines and underscores, and begins with a letter or digit.',
  });
}

/** The file of a collection by its name or path, absolute. @throws UserFacingError `usage` */
export function collectionPath(place: string, home = dataFolder()): string {
  if (isPlacePath(place)) return resolve(place.replace(/^~(?=$|[\\/])/, () => homedir()));
  mustBeName(place);
  return resolve(collectionsFolder(home), `${place}${extension}`);
}

/** What a collection is called: its file's name. */
export function collectionName(path: string): string {
  return basename(path, extension);
}

const elsewherePath = (home: string): string => join(home, 'collections-elsewhere.json');

async function elsewhere(home: string): Promise<string[]> {
  const text = await readFile(elsewherePath(home), 'utf8').catch(() => '[]');
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

/** Remembers (or forgets) a collection that lies outside the data folder, so that lists name it. */
export async function noteElsewhere(path: string, { forget = false } = {}, home = dataFolder()): Promise<void> {
  if (resolve(path, '..') === resolve(collectionsFolder(home))) return;
  const known = await elsewhere(home);
  const next = [...known.filter((one) => one !== path), ...(forget ? [] : [path])];
  if (next.length !== known.length) await writeFileWhole(elsewherePath(home), JSON.stringify(next), { mode: 0o600 });
}

/** Every collection that is known here, as a spec names it: by name, or by path where it lies elsewhere. */
export async function knownPlaces(home = dataFolder()): Promise<string[]> {
  const files = await readdir(collectionsFolder(home)).catch(() => []);
  const names = files.filter((name) => name.endsWith(extension)).map((name) => name.slice(0, -extension.length));
  return [...names.sort(), ...(await elsewhere(home)).sort()];
}
