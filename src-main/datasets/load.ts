import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { loadAsvspoof2019 } from './asvspoof2019.ts';
import { loadFolder } from './folder.ts';
import { loadFor } from './for.ts';
import { loadManifest } from './manifest.ts';
import type { Dataset, DatasetItem, Layout, LoadedItems } from './types.ts';
import { unreadable } from './walk.ts';
import { bySplit, knownSplit, plural } from './words.ts';

const layouts: Record<Layout, { form: string; of: 'folder' | 'file'; load: (path: string) => Promise<LoadedItems> }> = {
  asvspoof2019: { form: 'asvspoof2019:DIR', of: 'folder', load: loadAsvspoof2019 },
  for: { form: 'for:DIR', of: 'folder', load: loadFor },
  folder: { form: 'folder:DIR', of: 'folder', load: loadFolder },
  manifest: { form: 'manifest:FILE.csv', of: 'file', load: loadManifest },
};

/** The forms that a dataset's spec can have, for help texts and errors. */
const specForms = Object.values(layouts)
  .map(({ form }) => form)
  .join(', ');

/**
 * Lists a dataset's recordings with what is known of each; opens none of them.
 * @param spec `asvspoof2019:DIR`, `for:DIR`, `folder:DIR` or `manifest:FILE.csv`; a path may begin with `~/`.
 * @throws UserFacingError `dataset`: unknown kind, nothing there, another layout than named, a line that cannot be read;
 * the message says what was looked for and where.
 */
export async function loadDataset(spec: string): Promise<Dataset> {
  const colon = spec.indexOf(':');
  const kind = spec.slice(0, Math.max(0, colon));
  if (!Object.hasOwn(layouts, kind)) {
    throw new UserFacingError('dataset', `"${spec}" names no kind of dataset.`, {
      advice: `Write one of ${specForms}.`,
    });
  }
  const layout = kind as Layout;
  const { form, of, load } = layouts[layout];
  const written = spec.slice(colon + 1);
  if (written === '') {
    throw new UserFacingError('dataset', `"${spec}" names no ${of}.`, { advice: `Write ${form}.` });
  }
  // A shell leaves ~ alone in the middle of a word.
  const path = resolve(written.replace(/^~(?=$|[\\/])/, () => homedir()));
  const is = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error, of);
  });
  if (of === 'folder' ? !is.isDirectory() : !is.isFile()) {
    throw new UserFacingError('dataset', `${path} is no ${of}.`, { path, advice: `Expected is ${form}.` });
  }

  const { root, items, notes } = await load(path);
  if (items.length === 0) {
    throw new UserFacingError('dataset', `No audio files in ${root}.`, { path: root, advice: 'Is the copy complete?' });
  }
  for (const [label, called] of [
    ['bonafide', 'bona fide speech'],
    ['spoof', 'spoofed speech'],
  ] as const) {
    if (!items.some((item) => item.label === label)) notes.push(`There is no recording of ${called}.`);
  }
  const withoutSplit = items.filter((item) => item.split === null).length;
  if (withoutSplit > 0 && withoutSplit < items.length) {
    notes.push(`In no split: ${plural(withoutSplit, 'recording')} of ${items.length}.`);
  }
  return { spec, layout, root, items, notes };
}

/**
 * The recordings of one split, in the dataset's order.
 * @param split `train`, `dev`, `test`, an alias of one (`training`, `development`, `validation`, `valid`, `val`, `testing`,
 * `eval`, `evaluation`), another split's name, or `all` for every recording.
 * @throws UserFacingError `dataset` that names the splits there are.
 */
export function selectSplit(dataset: Dataset, split: string): DatasetItem[] {
  const wanted = knownSplit(split) ?? split;
  const chosen = dataset.items.filter((item) => item.split === wanted);
  if (chosen.length > 0) return chosen;
  if (wanted === 'all') return [...dataset.items];
  const there = [...new Set(dataset.items.map((item) => item.split))].filter((name) => name !== null).sort(bySplit);
  throw new UserFacingError('dataset', `${dataset.spec} has no split "${split}".`, {
    path: dataset.root,
    advice:
      there.length > 0
        ? `Its splits are ${there.join(', ')}; "all" takes every recording.`
        : 'It has no splits; "all" takes every recording.',
  });
}
