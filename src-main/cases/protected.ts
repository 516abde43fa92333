/**
 * What an output may never take the place of, however it is asked for: the data folder's own files, models, a case's database and
 * copies, and every item of every case that this installation knows.
 */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { databaseName, databasePath, openDatabaseForReading } from './database.ts';
import { keyName } from './keys.ts';
import { Library } from './library.ts';
import { lockName } from './lock.ts';

/** Of the data folder: what is not made to be written over. */
const ownFiles = new Set([keyName, 'settings.json', 'window.json', 'recent-datasets.json', 'library.sqlite']);
const ownFolders = new Set(['models', 'uploads', 'trainings', 'evaluations', 'deleted-cases', 'logs']);
const ofDatabase = /-(?:wal|shm|journal)$/;
const caseFolders = new Set(['evidence', 'derived']);
const modelFile = /^(?:card\.json|selftest\.json|.*\.(?:onnx|safetensors))$/;

/** Where writing to a path would lead, links followed as far as they go. */
function destination(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const folder = dirname(absolute);
    return folder === absolute ? absolute : join(destination(folder), basename(absolute));
  }
}

/**
 * @param path of an output, whether or not something stands there
 * @throws UserFacingError `protected` where it would take the place of what must stay
 */
export function mustNotReplace(path: string, home: string = dataFolder()): void {
  const place = destination(path);
  const what = ofDataFolder(place, destination(home)) ?? ofCaseOrModel(place) ?? itemAt(resolve(path), place, home);
  if (what === null) return;
  throw new UserFacingError('protected', `${path} is ${what}: an output is never written over it.`, {
    path,
    advice: 'Choose another place.',
  });
}

function ofDataFolder(place: string, home: string): string | null {
  const [first, ...rest] = relative(home, place).split(sep);
  if (first === '..' || first === '') return null;
  if (rest.length === 0 && ownFiles.has(first.replace(ofDatabase, ''))) return `a file of Earwitness's data folder`;
  return rest.length > 0 && ownFolders.has(first) ? `inside ${join(home, first)}, which Earwitness keeps` : null;
}

function ofCaseOrModel(place: string): string | null {
  const name = basename(place);
  if (modelFile.test(name) && existsSync(join(dirname(place), 'card.json'))) return 'a file of a model';
  const bare = name.replace(ofDatabase, '');
  if ((bare === databaseName || bare === lockName) && existsSync(place)) return 'the database of a case';
  for (let folder = dirname(place); dirname(folder) !== folder; folder = dirname(folder)) {
    if (!existsSync(databasePath(folder))) continue;
    const [first] = relative(folder, place).split(sep);
    if (caseFolders.has(first)) return `inside the case in ${folder}`;
    if (bare === databaseName || bare === lockName) return 'the database of a case';
  }
  return null;
}

/** The item whose file this is, by its path or, where a file stands there, by being the same file. */
function itemAt(absolute: string, place: string, home: string): string | null {
  if (!existsSync(join(home, 'library.sqlite'))) return null;
  const found = statSync(place, { bigint: true, throwIfNoEntry: false });
  const library = Library.open(home);
  try {
    for (const { folder, number } of library.list()) {
      const name = itemOf(folder, [absolute, place], found ?? null);
      if (name !== null) return `${name}, an item of the case ${number}`;
    }
    return null;
  } finally {
    library.close();
  }
}

/** A database that is damaged names no items. */
function readable(folder: string): ReturnType<typeof openDatabaseForReading> | null {
  try {
    return openDatabaseForReading(databasePath(folder));
  } catch (error) {
    if (error instanceof UserFacingError) return null;
    throw error;
  }
}

type Status = { dev: bigint; ino: bigint; size: bigint };

function itemOf(folder: string, paths: readonly string[], found: Status | null): string | null {
  const reading = existsSync(databasePath(folder)) ? readable(folder) : null;
  if (reading === null) return null;
  const { db, close } = reading;
  try {
    const atPath = db
      .prepare<string[], string>(`SELECT name FROM evidence WHERE path IN (?, ?) AND removed_at IS NULL`)
      .pluck();
    const name = atPath.get(...paths);
    if (name !== undefined || found === null) return name ?? null;
    const ofSize = db.prepare<[bigint], { name: string; path: string }>(
      'SELECT name, path FROM evidence WHERE size_bytes = ? AND removed_at IS NULL',
    );
    for (const item of ofSize.iterate(found.size)) {
      const other = statSync(item.path, { bigint: true, throwIfNoEntry: false });
      if (other?.dev === found.dev && other.ino === found.ino) return item.name;
    }
    return null;
  } finally {
    close();
  }
}
