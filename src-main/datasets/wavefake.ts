import { UserFacingError } from '../base/errors.ts';
import type { LoadedItems } from './types.ts';
import { collectItems, findFolders, subfoldersOf } from './walk.ts';
import { someOf } from './words.ts';

/** The voices of which WaveFake's folders are made, by how their names begin. Each is one speaker. */
const voices = [
  { prefix: 'ljspeech_', name: 'LJSpeech', language: 'en' },
  { prefix: 'jsut_', name: 'JSUT', language: 'ja' },
  { prefix: 'common_voices_', name: 'LJSpeech', language: 'en' },
];

const voiceOf = (folder: string) => voices.find(({ prefix }) => folder.toLowerCase().startsWith(prefix));

/** Originals that many put beside the vocoders' folders: bona fide. */
const originals = [
  { begins: 'ljspeech-1.', name: 'LJSpeech', language: 'en' },
  { begins: 'jsut_ver', name: 'JSUT', language: 'ja' },
];

const originalOf = (folder: string) => originals.find(({ begins }) => folder.toLowerCase().startsWith(begins));

/**
 * WaveFake (Frank and Schönherr, 2021): a folder per voice and vocoder (`ljspeech_melgan`, `jsut_parallel_wavegan`), at the
 * folder or up to two folders below it (the download unpacks to `generated_audio`). The folder names the generator, its
 * beginning the speaker. The corpus is spoof only: LJSpeech (`LJSpeech-1.1`) and JSUT (`jsut_ver1.1`) are bona fide where they
 * stand beside those folders; else they are added as another spec.
 */
export async function loadWavefake(folder: string): Promise<LoadedItems> {
  const isVocoder = (name: string) => voiceOf(name) !== undefined && originalOf(name) === undefined;
  const found = await findFolders(folder, 2, (_, subfolders) => subfolders.some(isVocoder));
  if (found.length !== 1) {
    const there = found.length === 0 ? await subfoldersOf(folder) : [];
    throw new UserFacingError(
      'dataset',
      found.length === 0
        ? `No WaveFake in ${folder}: looked for folders such as ljspeech_melgan there and up to two folders below.`
        : `Several copies of WaveFake in ${folder}: ${someOf(found)}.`,
      {
        path: folder,
        advice:
          found.length > 1
            ? 'Name one of them.'
            : there.length > 0
              ? `The folders there are: ${someOf(there)}.`
              : 'Name the folder that holds a folder for each vocoder.',
      },
    );
  }
  const loaded = await collectItems(
    found[0],
    ([first]) => {
      if (first === undefined) return null;
      const original = originalOf(first);
      const voice = original ?? voiceOf(first);
      if (voice === undefined) return null;
      return {
        label: original ? 'bonafide' : 'spoof',
        split: null,
        generator: original ? null : first,
        speaker: voice.name,
        source: voice.name,
        language: voice.language,
      };
    },
    'the folders of vocoders (ljspeech_…, jsut_…, common_voices_…)',
  );
  return loaded;
}
