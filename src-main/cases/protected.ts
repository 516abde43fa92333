/**
 * What an output may never take the place of, however it is asked for: the data folder's own files, models, a case's database and
 * copies, and every item of every case that this installation knows.
 */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { reached, standing } from '../base/standing.ts';
import { databaseName, databasePath, openDatabaseForReading } from './database.ts';
import { keyName } from './keys.ts';
import { Library } from './library.ts';
import { lockName } from './lock.ts';

/** Of the data folder: what is not made to be written over. */
const ownFiles = new Set([
  keyName,
  'settings.json',
  'window.json',
  'recent-datasets.json',
  'laboratories.json',
  'authorities.json',
  'people.json',
  'library.sqlite',
  'engine.lock',
  'serve.json',
  'open-earwitness.html',
]);
const ownFolders = new Set([
  'models',
  'encoders',
  'uploads',
  'outputs',
  'unfinished',
  'trainings',
  'evaluations',
  'selftests',
  'deleted-cases',
  'logs',
  'window',
]);
const ofDatabase = /-(?:wal|shm|journal)$/;
/** The copy that is made of a database before its format changes. */
const backup = /^case\.sqlite\.format-\d+\.backup$/;
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

/** What is known of an output. */
interface Wish {
  /** It is a file of a model that a command was asked to make, where one may stand already. */
  ofModel?: boolean;
  /** Folders of cases that may not be on the list. */
  cases?: readonly string[];
}

/**
 * @param path of an output, whether or not something stands there
 * @throws UserFacingError `protected` where it would take the place of what must stay
 */
export function mustNotReplace(path: string, home: string = dataFolder(), wish: Wish = {}): void {
  const absolute = resolve(path);
  // Where the bytes would go, and what would be replaced: of a link, the link itself.
  const places = [...new Set([destination(path), join(destination(dirname(absolute)), basename(absolute))])];
  let what: string | null = null;
  for (const place of places) what ??= ofDataFolder(place, destination(home), wish) ?? ofCaseOrModel(place, wish);
  what ??= itemAt([...new Set([absolute, ...places])], home, wish.cases ?? []);
  if (what === null) return;
  throw new UserFacingError('protected', `${path} is ${what}: an output is never written over it.`, {
    path,
    advice: 'Choose another place.',
  });
}

function ofDataFolder(place: string, home: string, { ofModel = false }: Wish): string | null {
  const [name, ...rest] = relative(home, place).split(sep);
  if (name === '..' || name === '') return null;
  // Some file systems take one case for the other.
  const first = name.toLowerCase();
  if (rest.length === 0) {
    const own = ownFiles.has(first.replace(ofDatabase, '')) || standing(place)?.isFile();
    return own ? `a file of Earwitness's data folder` : null;
  }
  if (ofModel && first === 'models' && rest.length > 1) return null;
  return ownFolders.has(first) ? `inside ${join(home, name)}, which Earwitness keeps` : null;
}

function ofCaseOrModel(place: string, { ofModel = false }: Wish): string | null {
  const name = basename(place).toLowerCase();
  if (!ofModel && modelFile.test(name) && existsSync(join(dirname(place), 'card.json'))) return 'a file of a model';
  const bare = name.replace(ofDatabase, '');
  if ((bare === databaseName || bare === lockName) && existsSync(place)) return 'the database of a case';
  for (let folder = dirname(place); dirname(folder) !== folder; folder = dirname(folder)) {
    if (!existsSync(databasePath(folder))) continue;
    const [first] = relative(folder, place).split(sep);
    if (caseFolders.has(first.toLowerCase())) return `inside the case in ${folder}`;
    if (bare === databaseName || bare === lockName || backup.test(name)) return 'the database of a case';
  }
  return null;
}

/** The item whose file this is, by its path or, where a file stands there, by being the same file. */
function itemAt(paths: readonly string[], home: string, further: readonly string[]): string | null {
  const found = reached(paths[0]) ?? null;
  for (const { folder, named } of [...listed(home), ...further.map((folder) => ({ folder, named: `in ${folder}` }))]) {
    const name = itemOf(folder, paths, found);
    if (name !== null) return `${name}, an item of the case ${named}`;
  }
  return null;
}

function listed(home: string): { folder: string; named: string }[] {
  if (!existsSync(join(home, 'library.sqlite'))) return [];
  const library = Library.open(home);
  try {
    return library.list().map(({ folder, number }) => ({ folder, named: number }));
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
      .prepare<string[], string>(
        `SELECT name FROM evidence WHERE path IN (${paths.map(() => '?').join(', ')}) AND removed_at IS NULL`,
      )
      .pluck();
    const name = atPath.get(...paths);
    if (name !== undefined || found === null) return name ?? null;
    const ofSize = db.prepare<[bigint], { name: string; path: string }>(
      'SELECT name, path FROM evidence WHERE size_bytes = ? AND removed_at IS NULL',
    );
    for (const item of ofSize.iterate(found.size)) {
      const other = reached(item.path);
      if (other?.dev === found.dev && other.ino === found.ino) return item.name;
    }
    return null;
  } finally {
    close();
  }
}
