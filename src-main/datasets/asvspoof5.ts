import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { flacNames, parseProtocol, ProtocolItems, readProtocol, type ProtocolEntry } from './protocols.ts';
import type { LoadedItems } from './types.ts';
import { findFolders } from './walk.ts';
import { someOf } from './words.ts';

const protocolFolder = 'ASVspoof5_protocols';

const parts = [
  { split: 'train', protocol: 'ASVspoof5.train.tsv', audio: 'flac_T' },
  { split: 'dev', protocol: 'ASVspoof5.dev.track_1.tsv', audio: 'flac_D' },
  { split: 'test', protocol: 'ASVspoof5.eval.track_1.tsv', audio: 'flac_E_eval' },
];

/**
 * Reads a protocol of ASVspoof 5, track 1: ten columns separated by white space in spite of the name, speaker, file, gender,
 * codec, its quality and seed, tag of the attack, attack (`bonafide` where there is none), key, `-` (the corpus's README).
 * @param name the file's name or path, for errors.
 * @throws UserFacingError `dataset` with file and line.
 */
function parseAsvspoof5Protocol(text: string, name: string): ProtocolEntry[] {
  return parseProtocol(text, name, {
    columns: 10,
    expected:
      'Expected are ten columns: speaker, file, gender, codec, quality, seed, tag, attack or bonafide, key (bonafide or spoof), -.',
    speaker: 0,
    file: 1,
    codec: 3,
    attack: 7,
    key: 8,
    noAttack: ['-', 'bonafide'],
  });
}

/**
 * ASVspoof 5, track 1, in its official layout: `ASVspoof5_protocols` beside `flac_T`, `flac_D` and `flac_E_eval`, at the
 * folder or up to two folders below it. A split whose recordings are not there at all is left out, if another's are: few
 * have unpacked all 100 GB.
 */
export async function loadAsvspoof5(folder: string): Promise<LoadedItems> {
  const found = await findFolders(folder, 2, (_, subfolders) => subfolders.includes(protocolFolder));
  if (found.length !== 1) {
    throw new UserFacingError(
      'dataset',
      found.length === 0
        ? `No ASVspoof 5 in ${folder}: looked for the folder ${protocolFolder} there and up to two folders below.`
        : `Several copies of ASVspoof 5 in ${folder}: ${someOf(found)}.`,
      {
        path: folder,
        advice:
          found.length === 0
            ? `Name the folder that holds ${protocolFolder}, ${parts.map(({ audio }) => audio).join(', ')}.`
            : 'Name one of them.',
      },
    );
  }
  const root = found[0];
  const gathered = new ProtocolItems();
  const read = [];
  for (const { split, protocol, audio } of parts) {
    const path = join(root, protocolFolder, protocol);
    const text = await readProtocol(path);
    if (text === null) {
      gathered.notes.push(`No protocol ${protocol}: the split ${split} is left out.`);
      continue;
    }
    const flac = join(root, audio);
    read.push({ split, protocol, audio, path, text, flac, listing: await flacNames([flac]) });
  }
  for (const { split, protocol, audio, path, text, flac, listing } of read) {
    if (!listing && read.some((other) => other.listing)) {
      gathered.notes.push(`No folder ${audio}: the split ${split} is left out.`);
      continue;
    }
    if (!listing) gathered.notes.push(`No folder ${audio}: every recording of the split ${split} is missing.`);
    gathered.add(parseAsvspoof5Protocol(text, path), {
      path,
      name: protocol,
      folders: [flac],
      folderName: audio,
      splitOf: () => split,
      listing,
    });
  }
  if (gathered.items.length === 0) {
    const wanted = parts.map(({ protocol }) => protocol).join(', ');
    throw new UserFacingError('dataset', `No protocol in ${join(root, protocolFolder)}: looked for ${wanted}.`, {
      path: root,
      advice: 'Is the copy complete?',
    });
  }
  return { root, items: gathered.items, notes: gathered.notes };
}
