/** From a collection to the recordings of a dataset: what may be used, and whether it is as it was catalogued. */
import { basename, dirname } from 'node:path';
import { collectionReference, collectionText, partOf, specParts } from '../../../src-common/dataset-spec.ts';
import type { CollectionReference } from '../../../src-common/dataset-spec.ts';
import { sha256File } from '../../audio/hash.ts';
import { UserFacingError } from '../../base/errors.ts';
import type { DatasetItem, LoadedItems } from '../types.ts';
import { commonFolder } from '../walk.ts';
import { plural, someOf } from '../words.ts';
import { Collection, isPast } from './collection.ts';
import type { UsedList, UsedRow } from './collection.ts';
import { collectionName, collectionPath } from './places.ts';

/** Files hashed at a time. */
const lanes = 8;

/** What is wrong with a recording. */
export interface Fault {
  id: number;
  path: string;
  what: 'changed' | 'missing';
}

/**
 * Hashes recordings and compares them with what was catalogued.
 * @throws the signal's reason; UserFacingError `unreadable` for a file that is there and cannot be read
 */
export async function faultsOf(
  rows: readonly Pick<UsedRow, 'id' | 'path' | 'sha256'>[],
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void } = {},
): Promise<Fault[]> {
  const faults: Fault[] = [];
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < rows.length) {
      const { id, path, sha256 } = rows[next++];
      const found = await sha256File(path, options.signal).catch((error: unknown) => {
        if (error instanceof UserFacingError && error.code !== 'unreadable') return null;
        throw error;
      });
      if (found !== sha256) faults.push({ id, path, what: found === null ? 'missing' : 'changed' });
      options.onProgress?.(++done, rows.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return faults.sort((a, b) => a.id - b.id);
}

/** What a spec names of a collection. */
interface Named extends UsedList {
  /** Where it lies, what it is called, and the part of the spec with the hash of its list. */
  path: string;
  title: string;
  pinned: CollectionReference;
  /** What is left out, as sentences. */
  leftOut: string[];
}

/**
 * The list that a spec names, without looking at recordings.
 * @throws UserFacingError as `Collection.list`; `collection` where its hash is another than the spec's, or nothing may be used
 */
export function namedList(text: string): Named {
  const reference = collectionReference(text);
  const path = collectionPath(reference.place);
  const { version, expired } = reference;
  const title = `${collectionName(path)}${version === null ? '' : `@${version}`}`;
  const collection = Collection.open(path);
  let list: UsedList;
  try {
    list = collection.list(version);
  } finally {
    collection.close();
  }
  if (reference.sha256 !== null && reference.sha256 !== list.sha256) {
    throw new UserFacingError(
      'collection',
      `The list of ${title} is not what it was: its hash is ${list.sha256}, and ${reference.sha256} was named.`,
      {
        path,
        advice:
          version === null
            ? 'The collection was edited since. Freeze a version to work on what stays, or leave the hash out.'
            : 'The version is of another collection, or one that was made anew.',
      },
    );
  }
  const past = expired ? [] : list.rows.filter(isPast);
  const rows = expired ? list.rows : list.rows.filter((row) => !isPast(row));
  const leftOut: string[] = [];
  if (past.length > 0) {
    const named = past.map((row) => `${itemId(row)} (${row.retainUntil ?? ''})`);
    leftOut.push(
      `${title}: left out, being past the day until which they may be kept: ${plural(past.length, 'recording')}, ${someOf(named)}.`,
    );
  }
  if (list.removed.length > 0) {
    const reasons = [...new Set(list.removed.map(({ reason }) => reason))];
    leftOut.push(
      `${title}: removed from the collection since the version was frozen: ${plural(list.removed.length, 'recording')} (${someOf(reasons, 3)}).`,
    );
  }
  if (rows.length === 0) {
    throw new UserFacingError('collection', `${title} holds no recording that may be used.`, {
      path,
      advice:
        past.length > 0
          ? 'All are past retention; ?expired behind its name takes them still.'
          : 'Add recordings to it.',
    });
  }
  return { ...list, rows, path, title, pinned: { ...reference, sha256: list.sha256 }, leftOut };
}

/** Its number in the collection, and its file's name. */
function itemId({ id, path }: Pick<UsedRow, 'id' | 'path'>): string {
  return `${id}/${basename(path)}`;
}

function itemOf(row: UsedRow): DatasetItem {
  const { path, label, split, generator, speaker, source } = row;
  const stated = Object.fromEntries(
    (['codec', 'transmission', 'language', 'year', 'kind', 'chain', 'quality'] as const).flatMap((field) =>
      row[field] === null ? [] : [[field, row[field]]],
    ),
  );
  const base = { path, id: itemId(row), label, split, speaker, source };
  return { ...base, generator: label === 'spoof' ? generator : null, ...stated };
}

/** Entries as a dataset's recordings. */
export function itemsOf(rows: readonly UsedRow[]): DatasetItem[] {
  return rows.map(itemOf);
}

/** Faults as one error that names them. */
function faulty(title: string, path: string, faults: readonly Fault[]): UserFacingError {
  const named = faults.map(
    ({ path: file, what }) => `${file} is ${what === 'missing' ? 'missing' : 'not what was catalogued'}`,
  );
  return new UserFacingError(
    'collection',
    `${plural(faults.length, 'recording')} of ${title} ${faults.length === 1 ? 'is' : 'are'} not as catalogued: ${someOf(named)}.`,
    {
      path,
      advice:
        '“collection verify” names all. Bring them back as they were; where files have moved, add their new folder (“collection add”); or remove their entries.',
    },
  );
}

/** A collection's recordings, each compared with its hash. @throws UserFacingError `collection` naming what has changed or is missing */
export async function loadCollection(text: string): Promise<LoadedItems> {
  const { rows, path, title, leftOut } = namedList(text);
  const faults = await faultsOf(rows);
  if (faults.length > 0) throw faulty(title, path, faults);
  const root = commonFolder([...new Set(rows.map((row) => dirname(row.path)))]);
  return { root, items: itemsOf(rows), notes: leftOut };
}

/**
 * A spec with the hash of each collection's list in it, which records then name and later loading insists on, and what is left out.
 * @throws UserFacingError as {@link namedList}
 */
export function pinned(spec: string): { spec: string; leftOut: string[] } {
  const leftOut: string[] = [];
  const pin = (part: string): string => {
    const { kind, path } = partOf(part);
    if (kind === 'bonafide' && partOf(path).kind !== null) return `bonafide:${pin(path)}`;
    if (kind !== 'collection') return part;
    const named = namedList(path);
    leftOut.push(...named.leftOut);
    return `collection:${collectionText(named.pinned)}`;
  };
  return { spec: specParts(spec).map(pin).join('+'), leftOut };
}
