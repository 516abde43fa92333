import { join, relative } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { flacNames, parseProtocol, ProtocolItems, readProtocol, type ProtocolEntry } from './protocols.ts';
import type { LoadedItems } from './types.ts';
import { findFolders } from './walk.ts';
import { knownSplit, someOf } from './words.ts';

type Track = 'LA' | 'DF';

const tracks: readonly Track[] = ['LA', 'DF'];

/** Both tracks begin alike; DF has five columns more (kind of vocoder, and the task, team, gender and language of VCC). */
const form = {
  speaker: 0,
  file: 1,
  codec: 2,
  attack: 4,
  key: 5,
  split: 7,
  noAttack: ['-', 'bonafide'],
};

/**
 * Reads the keys of ASVspoof 2021, `trial_metadata.txt`: speaker, file, codec, transmission (LA) or source corpus (DF),
 * attack, key, `trim` or `notrim`, subset (the README in the organisers' keys).
 * @param name the file's name or path, for errors.
 * @throws UserFacingError `dataset` with file and line.
 */
function parseAsvspoof2021Keys(text: string, name: string, track: Track): ProtocolEntry[] {
  return parseProtocol(
    text,
    name,
    track === 'LA'
      ? {
          ...form,
          columns: 8,
          transmission: 3,
          expected: 'Expected are eight columns: speaker, file, codec, transmission, attack, key, trim, subset.',
        }
      : {
          ...form,
          columns: 13,
          expected:
            'Expected are thirteen columns: speaker, file, codec, source, attack, key, trim, subset, vocoder and four more.',
        },
  );
}

/**
 * ASVspoof 2021 LA and DF with the keys published after the challenge: `keys/LA/CM/trial_metadata.txt` or the same with DF,
 * at the folder or up to two folders below it. The recordings lie beside `keys`, in `flac`, in `ASVspoof2021_LA_eval/flac` (or
 * DF), or in the parts in which DF is published (`ASVspoof2021_DF_eval_part00/ASVspoof2021_DF_eval/flac` and so on). The
 * subset `eval` is the split test; `progress` and `hidden` (trimmed recordings) keep their names. A track of whose
 * recordings none is there is left out, if there are some of the other.
 */
export async function loadAsvspoof2021(folder: string): Promise<LoadedItems> {
  const found = await findFolders(folder, 2, async (candidate, subfolders) => {
    if (!subfolders.includes('keys')) return false;
    return (await keysOf(candidate)).length > 0;
  });
  if (found.length !== 1) {
    throw new UserFacingError(
      'dataset',
      found.length === 0
        ? `No keys of ASVspoof 2021 in ${folder}: looked for keys/LA/CM/trial_metadata.txt and keys/DF/CM/trial_metadata.txt there and up to two folders below.`
        : `Several copies of ASVspoof 2021 in ${folder}: ${someOf(found)}.`,
      {
        path: folder,
        advice:
          found.length === 0
            ? 'Unpack LA-keys-full.tar.gz or DF-keys-full.tar.gz from asvspoof.org beside the recordings.'
            : 'Name one of them.',
      },
    );
  }
  const root = found[0];
  const audio = await findFolders(root, 3, (_, subfolders) => subfolders.includes('flac'));
  const folders = audio.map((place) => join(place, 'flac'));

  const read = [];
  for (const { track, path, text } of await keysOf(root)) {
    const entries = parseAsvspoof2021Keys(text, path, track);
    const other = track === 'LA' ? /_DF_eval/ : /_LA_eval/;
    const own = folders.filter((place) => !other.test(relative(root, place)));
    const listing = await flacNames(own);
    const some = listing !== null && entries.some((entry) => listing.has(`${entry.file}.flac`));
    read.push({ track, path, entries, own, listing, some });
  }
  const gathered = new ProtocolItems();
  for (const { track, path, entries, own, listing, some } of read) {
    if (!some && read.some((other) => other.some)) {
      gathered.notes.push(`No recording of the ${track} track is there: it is left out.`);
      continue;
    }
    if (!listing) gathered.notes.push(`No folder flac: every recording of the ${track} track is missing.`);
    gathered.add(entries, {
      path,
      name: relative(root, path),
      folders: own.length > 0 ? own : [join(root, 'flac')],
      folderName: own.map((place) => relative(root, place)).join(', '),
      splitOf: ({ split }) => knownSplit(split ?? '') ?? split ?? 'test',
      listing,
    });
  }
  return { root, items: gathered.items, notes: gathered.notes };
}

/** The keys in a folder. The first packages held one track's without a folder of its name: its recordings' names tell. */
async function keysOf(folder: string): Promise<{ track: Track; path: string; text: string }[]> {
  const keys: { track: Track; path: string; text: string }[] = [];
  for (const track of tracks) {
    const path = join(folder, 'keys', track, 'CM', 'trial_metadata.txt');
    const text = await readProtocol(path);
    if (text !== null) keys.push({ track, path, text });
  }
  const path = join(folder, 'keys', 'CM', 'trial_metadata.txt');
  const text = keys.length === 0 ? await readProtocol(path) : null;
  if (text !== null) keys.push({ track: /^\S+\s+DF_/.test(text) ? 'DF' : 'LA', path, text });
  return keys;
}
