/** From a spec to the recordings of a dataset. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { collectionReference, partOf, specParts } from '../../src-common/dataset-spec.ts';
import type { DatasetKind } from '../../src-common/dataset-spec.ts';
import { UserFacingError } from '../base/errors.ts';
import { loadAsvspoof2019 } from './asvspoof2019.ts';
import { loadAsvspoof2021 } from './asvspoof2021.ts';
import { loadAsvspoof5 } from './asvspoof5.ts';
import { collectionPath } from './collections/places.ts';
import { loadCollection, pinned } from './collections/use.ts';
import { loadBonafide, loadFolder } from './folder.ts';
import { loadFor } from './for.ts';
import { loadInTheWild } from './in-the-wild.ts';
import { loadManifest } from './manifest.ts';
import { loadMlaad } from './mlaad.ts';
import type { Dataset, DatasetItem, LoadedItems } from './types.ts';
import { commonFolder, unreadable } from './walk.ts';
import { loadWavefake } from './wavefake.ts';
import { bySplit, knownSplit, plural } from './words.ts';

const layouts: Record<
  DatasetKind,
  { form: string; of: 'folder' | 'file'; load: (path: string) => Promise<LoadedItems> }
> = {
  asvspoof2019: { form: 'asvspoof2019:DIR', of: 'folder', load: loadAsvspoof2019 },
  for: { form: 'for:DIR', of: 'folder', load: loadFor },
  folder: { form: 'folder:DIR', of: 'folder', load: loadFolder },
  manifest: { form: 'manifest:FILE.csv', of: 'file', load: loadManifest },
  asvspoof2021: { form: 'asvspoof2021:DIR', of: 'folder', load: loadAsvspoof2021 },
  asvspoof5: { form: 'asvspoof5:DIR', of: 'folder', load: loadAsvspoof5 },
  'in-the-wild': { form: 'in-the-wild:DIR', of: 'folder', load: loadInTheWild },
  wavefake: { form: 'wavefake:DIR', of: 'folder', load: loadWavefake },
  mlaad: { form: 'mlaad:DIR', of: 'folder', load: loadMlaad },
  bonafide: { form: 'bonafide:DIR', of: 'folder', load: loadBonafide },
  collection: { form: 'collection:NAME[@VERSION]', of: 'file', load: loadCollection },
};

/** The forms that a dataset's spec can have, for help texts and errors. */
const specForms = Object.values(layouts)
  .map(({ form }) => form)
  .join(', ');

/** Whether a text begins as a spec does. */
export const isSpec = (text: string) => partOf(text).kind !== null;

/**
 * The spec of a dataset together with bona fide recordings from elsewhere, for corpora that hold spoofs only.
 * @param bonafide a spec, of which spoofs are left out, or a folder all of whose recordings are bona fide; undefined leaves
 * the spec as it is.
 */
export function withBonafide(spec: string, bonafide: string | undefined): string {
  if (bonafide === undefined) return spec;
  const parts = isSpec(bonafide) ? specParts(bonafide) : [bonafide];
  return [spec, ...parts.map((part) => (part.startsWith('bonafide:') ? part : `bonafide:${part}`))].join('+');
}

/**
 * The folders and files that a spec names, absolute.
 * @param bonafide as for {@link withBonafide}.
 * @throws UserFacingError `dataset` for what names no kind of dataset.
 */
export function specPaths(spec: string, bonafide?: string): string[] {
  return specParts(withBonafide(spec, bonafide)).map((part) => located(part).path);
}

/** What a spec leads to, comparable with that of another: paths, and of collections the version or the hash of the list. */
export function specKeys(spec: string): string[] {
  return specParts(spec).map((part) => {
    const { layout, path, named } = located(part);
    if (layout !== 'collection') return path;
    const { version, sha256 } = collectionReference(named);
    return `${path}@${version ?? sha256 ?? ''}`;
  });
}

/**
 * Lists a dataset's recordings with what is known of each; opens none of them.
 * @param written one of `asvspoof2019:DIR`, `asvspoof2021:DIR`, `asvspoof5:DIR`, `for:DIR`, `in-the-wild:DIR`, `wavefake:DIR`,
 * `mlaad:DIR`, `folder:DIR`, `bonafide:DIR` and `manifest:FILE.csv`, or several joined by `+`; a path may begin with `~/`.
 * `bonafide:` before one of the others leaves its spoofs out.
 *
 * Of several, each recording keeps its split, source and speaker, its id is prefixed by the part's kind (and number, where a
 * kind comes twice), and a file in two parts is taken once. Recordings of a part without splits stay in no split: beside parts
 * with splits they are chosen by `all` only, and a note says so.
 *
 * Of a collection (`collection:NAME[@VERSION]`) each recording is compared with its hash, and the dataset's spec names the hash of the list.
 * @throws UserFacingError `dataset`: unknown kind, nothing there, another layout than named, a line that cannot be read, one
 * file with two labels; the message says what was looked for and where. `collection` for recordings that are not as catalogued.
 */
export async function loadDataset(written: string): Promise<Dataset> {
  const { spec, leftOut } = pinned(written);
  const parts = specParts(spec);
  if (parts.length === 0) throw noKind(spec);
  const loaded: (LoadedItems & { layout: DatasetKind })[] = [];
  for (const part of parts) loaded.push(await loadPart(part));
  const { root, items, notes } = loaded.length === 1 ? loaded[0] : combined(parts, loaded);
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
  return { spec, layout: loaded.length === 1 ? loaded[0].layout : 'combined', root, items, notes, leftOut };
}

const noKind = (spec: string) =>
  new UserFacingError('dataset', `"${spec}" names no kind of dataset.`, {
    advice: `Write one of ${specForms}, or several joined by +.`,
  });

/** A single spec taken apart, its path absolute; `named`: what its loader gets. */
function located(spec: string): { layout: DatasetKind; path: string; named: string; bonafideOnly: boolean } {
  const { kind: layout, path: written } = partOf(spec);
  if (layout === null) throw noKind(spec);
  const { form, of } = layouts[layout];
  if (layout === 'bonafide' && isSpec(written)) return { ...located(written), bonafideOnly: true };
  if (written === '') {
    throw new UserFacingError('dataset', `"${spec}" names no ${of}.`, { advice: `Write ${form}.` });
  }
  if (layout === 'collection') {
    return { layout, path: collectionPath(collectionReference(written).place), named: written, bonafideOnly: false };
  }
  // A shell leaves ~ alone in the middle of a word.
  const path = resolve(written.replace(/^~(?=$|[\\/])/, () => homedir()));
  return { layout, path, named: path, bonafideOnly: layout === 'bonafide' };
}

/**
 * A spec that leads to the same place whichever folder a program works in, for records: a relative path would be another's elsewhere.
 * @throws UserFacingError as {@link specPaths}
 */
export function absoluteSpec(spec: string): string {
  const placed = (part: string): string => {
    const { kind, path } = partOf(part);
    if (kind === 'collection') return part;
    return kind === 'bonafide' && isSpec(path) ? `bonafide:${placed(path)}` : `${kind ?? ''}:${located(part).path}`;
  };
  return specParts(spec).map(placed).join('+');
}

async function loadPart(spec: string): Promise<LoadedItems & { layout: DatasetKind }> {
  const { layout, path, named, bonafideOnly } = located(spec);
  const { form, of, load } = layouts[layout];
  const is = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error, of);
  });
  if (of === 'folder' ? !is.isDirectory() : !is.isFile()) {
    throw new UserFacingError('dataset', `${path} is no ${of}.`, { path, advice: `Expected is ${form}.` });
  }
  const found = await load(named);
  if (found.items.length === 0) {
    throw new UserFacingError('dataset', `No audio files in ${found.root}.`, {
      path: found.root,
      advice: 'Is the copy complete?',
    });
  }
  if (!bonafideOnly) return { ...found, layout };
  const items = found.items.filter(({ label }) => label === 'bonafide');
  const spoofs = found.items.length - items.length;
  if (items.length === 0) {
    throw new UserFacingError('dataset', `${spec} holds no bona fide recording.`, { path: found.root });
  }
  const notes =
    spoofs === 0 ? found.notes : [...found.notes, `Left out, being spoofs: ${plural(spoofs, 'recording')}.`];
  return { ...found, items, notes, layout };
}

/** Several datasets as one. */
function combined(specs: readonly string[], parts: readonly (LoadedItems & { layout: DatasetKind })[]): LoadedItems {
  const items = new Map<string, DatasetItem>();
  const notes: string[] = [];
  const names = new Map<DatasetKind, number>();
  let twice = 0;
  parts.forEach((part, index) => {
    const count = (names.get(part.layout) ?? 0) + 1;
    names.set(part.layout, count);
    const several = parts.filter(({ layout }) => layout === part.layout).length > 1;
    const prefix = several ? `${part.layout}-${count}` : part.layout;
    for (const item of part.items) {
      const before = items.get(item.path);
      if (!before) {
        items.set(item.path, { ...item, id: `${prefix}/${item.id}` });
        continue;
      }
      if (before.label !== item.label || before.split !== item.split) {
        const what = ({ label, split }: DatasetItem) =>
          `${label === 'spoof' ? 'a spoof' : 'bona fide'}${split === null ? '' : ` in ${split}`}`;
        throw new UserFacingError(
          'dataset',
          `${item.path} is ${what(before)} in one of the datasets and ${what(item)} in ${specs[index]}.`,
          { path: item.path, advice: 'Leave it out of one of them.' },
        );
      }
      twice++;
    }
    notes.push(...part.notes.map((note) => `${prefix}: ${note}`));
  });
  if (twice > 0) notes.push(`Taken once, standing in two of the datasets: ${plural(twice, 'recording')}.`);
  const all = [...items.values()];
  return { root: commonFolder(parts.map(({ root }) => root)), items: all, notes };
}

/** The recordings of several splits, each once, whatever splits name it twice. @throws UserFacingError as {@link selectSplit} */
export function selectSplits(dataset: Dataset, splits: readonly string[]): DatasetItem[] {
  return [...new Set(splits.flatMap((split) => selectSplit(dataset, split)))];
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
