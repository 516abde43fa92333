import { UserFacingError } from '../base/errors.ts';
import type { LoadedItems } from './types.ts';
import { collectItems, subfoldersOf } from './walk.ts';
import { knownSplit, labelOf, labelWords, someOf } from './words.ts';

/**
 * Plain folders, one per label, with or without split folders directly above or below them, in any case:
 * `LABEL/…`, `SPLIT/LABEL/…` or `LABEL/SPLIT/…`. Below that, a spoof's generator is the name of the first folder, if there
 * is one (`fake/VITS/clip.wav`); deeper folders, and all folders below a bona fide one, say nothing.
 */
export async function loadFolder(folder: string): Promise<LoadedItems> {
  const loaded = await collectItems(
    folder,
    (folders) => {
      let split = folders.length > 1 ? knownSplit(folders[0]) : null;
      let labelAt = split !== null && labelOf(folders[1]) !== null ? 1 : 0;
      const label = folders.length > labelAt ? labelOf(folders[labelAt]) : null;
      if (label === null) return null;
      if (labelAt === 0) {
        split = folders.length > 1 ? knownSplit(folders[1]) : null;
        if (split !== null) labelAt = 1;
      }
      return { label, split, generator: label === 'spoof' ? (folders[labelAt + 1] ?? null) : null };
    },
    'a bona fide or spoof folder',
  );
  if (loaded.items.length === 0) {
    const there = await subfoldersOf(folder);
    throw new UserFacingError(
      'dataset',
      `No labelled audio files in ${folder}: looked for folders named ${labelWords.bonafide}, and ${labelWords.spoof}, ` +
        'there or in train, dev and test folders.',
      { path: folder, advice: there.length > 0 ? `The folders there are: ${someOf(there)}.` : 'It holds no folders.' },
    );
  }
  return loaded;
}

/** A folder all of whose recordings are bona fide speech, for corpora of spoofs that come without any. No splits. */
export function loadBonafide(folder: string): Promise<LoadedItems> {
  return collectItems(folder, () => ({ label: 'bonafide', split: null, generator: null }), 'the folder');
}
