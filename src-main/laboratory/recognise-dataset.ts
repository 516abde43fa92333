/** What kind of dataset lies in a folder. */
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { datasetKinds } from '../../src-common/dataset-spec.ts';
import { UserFacingError } from '../base/errors.ts';
import { loadDataset } from '../datasets/load.ts';
import type { Dataset } from '../datasets/types.ts';

export interface DatasetGuess {
  spec: string;
  layout: string;
  sentence: string;
}

/** Named layouts first: a folder in a published corpus' layout may also load as plain folders. */
const folderLayouts = datasetKinds.filter((kind) => !['manifest', 'bonafide', 'collection'].includes(kind));
/** Tables that are tried in a folder. */
const mostTables = 10;

function describe({ items }: Dataset): string {
  const bonafide = items.filter(({ label }) => label === 'bonafide').length;
  const splits = [...new Set(items.map(({ split }) => split))].filter((split) => split !== null);
  const where = splits.length > 0 ? `splits ${splits.join(', ')}` : 'no splits';
  return `${bonafide} bona fide and ${items.length - bonafide} spoofed recordings, ${where}.`;
}

async function tried(spec: string): Promise<DatasetGuess | null> {
  try {
    const dataset = await loadDataset(spec);
    return { spec, layout: dataset.layout, sentence: describe(dataset) };
  } catch (error) {
    if (error instanceof UserFacingError) return null;
    throw error;
  }
}

/**
 * Every spec by which a folder or a table loads, the likeliest first; as bona fide speech only where it loads as nothing else.
 * Recordings are listed, none is opened.
 * @throws UserFacingError `missing` where there is nothing at the path.
 */
export async function* recogniseDataset(path: string): AsyncGenerator<DatasetGuess> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UserFacingError('missing', `There is nothing at ${path}.`, { path, cause: error });
  });
  if (!found.isDirectory()) {
    const one = await tried(`${extname(path) === '.sqlite' ? 'collection' : 'manifest'}:${path}`);
    if (one) yield one;
    return;
  }
  let any = false;
  const names = (await readdir(path).catch(() => [])).filter((name) => extname(name).toLowerCase() === '.csv').sort();
  const specs = [
    ...folderLayouts.map((layout) => `${layout}:${path}`),
    ...names.slice(0, mostTables).map((name) => `manifest:${join(path, name)}`),
  ];
  for (const spec of specs) {
    const one = await tried(spec);
    if (!one) continue;
    any = true;
    yield one;
  }
  if (any) return;
  const speech = await tried(`bonafide:${path}`);
  if (speech) yield speech;
}
