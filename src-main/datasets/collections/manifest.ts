import { entryFilterSchema } from '../../../src-common/schemas/collection.ts';
import { manifestText } from '../manifest.ts';
import { furtherColumns } from './add.ts';
import { Collection } from './collection.ts';
import type { UsedRow } from './collection.ts';
import { itemsOf, namedList } from './use.ts';

/**
 * A collection as a manifest that is to be saved as `file`, with consent, retention and hashes.
 * @param name as in a spec: `NAME[@VERSION][?expired]`
 * @param placeOf the path that the manifest names of a recording
 */
export async function collectionManifest(
  name: string,
  file: string,
  placeOf: (row: UsedRow, done: number, total: number) => Promise<string>,
): Promise<{ text: string; recordings: number; leftOut: string[] }> {
  const { rows, path, leftOut } = namedList(name);
  const collection = Collection.open(path);
  let entries;
  try {
    entries = new Map(collection.entries(entryFilterSchema.parse({})).map((entry) => [entry.id, entry]));
  } finally {
    collection.close();
  }
  const placed: UsedRow[] = [];
  for (const row of rows) placed.push({ ...row, path: await placeOf(row, placed.length, rows.length) });
  const text = manifestText(file, itemsOf(placed), [
    ...furtherColumns.map(({ field, column }) => ({
      column,
      values: rows.map(({ id }) => entries.get(id)?.[field] ?? null),
    })),
    { column: 'sha256', values: rows.map(({ sha256 }) => sha256) },
  ]);
  return { text, recordings: rows.length, leftOut };
}
