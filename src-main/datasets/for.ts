import { join, relative } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import type { Label, LoadedItems } from './types.ts';
import { collectItems, findFolders, subfoldersOf } from './walk.ts';

const splitFolders: Record<string, string> = { training: 'train', validation: 'dev', testing: 'test' };
const labelFolders: Record<string, Label> = { real: 'bonafide', fake: 'spoof' };

/**
 * Fake-or-Real (Reimao and Tzerpos, 2019) in any of its versions (for-original, for-norm, for-2sec, for-rerec):
 * `training|validation|testing` / `real|fake`, at the folder or up to two folders below it, as Kaggle's copy puts it
 * (`for-2sec/for-2seconds`).
 *
 * The corpus names no generators. Copies that were added to do, as `NAME (123).wav`, the way in which file managers number
 * a batch: there NAME is taken as a spoof's generator. The corpus's own `file123…` says nothing.
 */
export async function loadFor(folder: string): Promise<LoadedItems> {
  const found = await findFolders(folder, 2, async (candidate, subfolders) => {
    for (const name of subfolders.filter((name) => Object.hasOwn(splitFolders, name.toLowerCase()))) {
      const below = await subfoldersOf(join(candidate, name));
      if (below.some((label) => Object.hasOwn(labelFolders, label.toLowerCase()))) return true;
    }
    return false;
  });
  if (found.length === 0) {
    throw new UserFacingError(
      'dataset',
      `No Fake-or-Real corpus in ${folder}: looked for training, validation or testing with real or fake in it, ` +
        'there and up to two folders below.',
      { path: folder, advice: 'Name the folder of one version, for-2sec for instance.' },
    );
  }
  if (found.length > 1) {
    const versions = found.map((path) => relative(folder, path));
    throw new UserFacingError(
      'dataset',
      `${folder} holds several versions of the Fake-or-Real corpus: ${versions.join(', ')}.`,
      { path: folder, advice: `Name one of them, as in for:${found[0]}.` },
    );
  }
  const loaded = await collectItems(
    found[0],
    (folders, name) => {
      const [first, second] = folders.map((part) => part.toLowerCase());
      if (folders.length < 2 || !Object.hasOwn(splitFolders, first) || !Object.hasOwn(labelFolders, second))
        return null;
      const label = labelFolders[second];
      return { label, split: splitFolders[first], generator: label === 'spoof' ? generatorOf(name) : null };
    },
    'training, validation and testing with real and fake in them',
  );
  const splits = new Set(loaded.items.map((item) => item.split));
  for (const [name, split] of Object.entries(splitFolders)) {
    if (!splits.has(split)) loaded.notes.push(`No recordings in ${name}: there is no split ${split}.`);
  }
  return loaded;
}

function generatorOf(name: string): string | null {
  const prefix = /^(.+) \(\d+\)\.[^.]+$/.exec(name)?.[1];
  return prefix === undefined || /^file\d*$/i.test(prefix) ? null : prefix;
}
