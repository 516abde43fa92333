import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { namedRows } from './table.ts';
import type { DatasetItem, LoadedItems } from './types.ts';
import { fileIn, findFolders, unreadable } from './walk.ts';
import { labelOf, plural, someOf } from './words.ts';

/**
 * In-the-Wild (Müller et al., 2022): `meta.csv` (file, speaker, label `bona-fide` or `spoof`) beside its recordings, at the
 * folder or up to two folders below it. It has no splits and names no generators.
 */
export async function loadInTheWild(folder: string): Promise<LoadedItems> {
  const found = await findFolders(folder, 2, (candidate) => fileIn(candidate, 'meta.csv'));
  if (found.length !== 1) {
    throw new UserFacingError(
      'dataset',
      found.length === 0
        ? `No In-the-Wild in ${folder}: looked for meta.csv there and up to two folders below.`
        : `Several folders with a meta.csv in ${folder}: ${someOf(found)}.`,
      {
        path: folder,
        advice: found.length === 0 ? 'Name the folder that holds meta.csv and the recordings.' : 'Name one of them.',
      },
    );
  }
  const root = found[0];
  const path = join(root, 'meta.csv');
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(path, error, 'file');
  }
  const items = new Map<string, DatasetItem>();
  const notes: string[] = [];
  let repeated = 0;
  for (const { line, values } of namedRows(bytes, path, ['file', 'speaker', 'label'])) {
    const { file, speaker, label: word } = values;
    const fail = (what: string, advice: string) =>
      new UserFacingError('dataset', `${path}, line ${line}: ${what}.`, { path, advice });
    const label = labelOf(word);
    if (label === null) throw fail(`the label is "${word}"`, 'A label is bona-fide or spoof.');
    if (file === '' || /[\\/\0]/.test(file)) {
      throw fail(`the file "${file}" is no name of a file`, 'Recordings lie beside meta.csv.');
    }
    const item: DatasetItem = {
      path: join(root, file),
      id: file,
      label,
      split: null,
      generator: null,
      speaker: speaker === '' ? null : speaker,
      source: null,
    };
    const before = items.get(file);
    if (before && JSON.stringify(before) !== JSON.stringify(item)) {
      throw fail(`${file} stands differently before`, 'Remove the wrong one of the two lines.');
    }
    if (before) repeated++;
    items.set(file, item);
  }
  if (repeated > 0) notes.push(`meta.csv: ignored as repeating an earlier one: ${plural(repeated, 'line')}.`);
  return { root, items: [...items.values()], notes };
}
