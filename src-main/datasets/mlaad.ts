import { readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { readTable } from './table.ts';
import type { LoadedItems } from './types.ts';
import { collectItems, findFolders, subfoldersOf, unreadable } from './walk.ts';
import { plural, someOf } from './words.ts';

/**
 * MLAAD (Müller et al., 2024): `fake/LANGUAGE/MODEL/*.wav`, in each folder of a model a `meta.csv` separated by `|` (path,
 * original_file, language, model_name and more), at the folder or up to two folders below it. `meta.csv` names the
 * generator, the language and, in newer versions, the speaker that was cloned (reference_speaker); where there is none, the
 * folders' names do. The corpus is spoof only: its bona fide counterpart is added as another spec.
 */
export async function loadMlaad(folder: string): Promise<LoadedItems> {
  const found = await findFolders(folder, 2, async (candidate, subfolders) => {
    if (!subfolders.includes('fake')) return false;
    const languages = await subfoldersOf(join(candidate, 'fake'));
    return languages.some((name) => /^[a-z]{2,3}([-_][A-Za-z]+)?$/.test(name));
  });
  if (found.length !== 1) {
    throw new UserFacingError(
      'dataset',
      found.length === 0
        ? `No MLAAD in ${folder}: looked for fake with a folder for each language (fake/de, fake/en) there and up to two folders below.`
        : `Several copies of MLAAD in ${folder}: ${someOf(found)}.`,
      { path: folder, advice: found.length === 0 ? 'Name the folder that holds fake.' : 'Name one of them.' },
    );
  }
  const root = found[0];
  const loaded = await collectItems(
    root,
    (folders) =>
      folders[0] === 'fake' && folders.length >= 3
        ? { label: 'spoof', split: null, generator: folders[2], language: folders[1] }
        : null,
    'fake/LANGUAGE/MODEL',
  );

  // What meta.csv says of a folder's files, by name.
  const folders = Map.groupBy(loaded.items, ({ path }) => dirname(path));
  let without = 0;
  for (const [place, members] of folders) {
    const said = await metaOf(join(place, 'meta.csv'));
    if (!said) without++;
    for (const item of members) {
      const row = said?.get(posix.basename(item.id));
      if (!row) continue;
      item.generator = row.model_name ?? item.generator;
      item.language = row.language ?? item.language;
      item.speaker = row.reference_speaker ?? null;
    }
  }
  if (without > 0) {
    loaded.notes.push(
      `Without a meta.csv: ${plural(without, 'folder')} of ${folders.size}; the folders' names are used.`,
    );
  }
  return loaded;
}

const wanted = ['language', 'model_name', 'reference_speaker'] as const;
type Meta = Partial<Record<(typeof wanted)[number], string>>;

async function metaOf(path: string): Promise<Map<string, Meta> | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, error, 'file');
  }
  // Transcripts hold lone quotes.
  const { header, rows } = readTable(bytes, path, {
    delimiter: '|',
    quote: null,
    needs: 'The first line must name the columns, with | between them.',
  });
  const file = header.indexOf('path');
  if (file < 0) {
    throw new UserFacingError('dataset', `${path}, line 1: there is no column path among ${someOf(header, 12)}.`, {
      path,
      advice: 'Is it the meta.csv of MLAAD?',
    });
  }
  const said = new Map<string, Meta>();
  for (const { record } of rows) {
    const meta: Meta = {};
    for (const name of wanted) {
      const value = record[header.indexOf(name)];
      if (value !== undefined && value !== '' && value !== '-') meta[name] = value;
    }
    said.set(posix.basename(record[file].replaceAll('\\', '/')), meta);
  }
  return said;
}
