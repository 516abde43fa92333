import { basename, join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { flacNames, parseProtocol, ProtocolItems, readProtocol, type ProtocolEntry } from './protocols.ts';
import type { LoadedItems } from './types.ts';
import { findFolders } from './walk.ts';
import { someOf } from './words.ts';

const protocolFolder = 'ASVspoof2019_LA_cm_protocols';

const parts = [
  { split: 'train', protocol: 'ASVspoof2019.LA.cm.train.trn.txt', audio: 'ASVspoof2019_LA_train' },
  { split: 'dev', protocol: 'ASVspoof2019.LA.cm.dev.trl.txt', audio: 'ASVspoof2019_LA_dev' },
  { split: 'test', protocol: 'ASVspoof2019.LA.cm.eval.trl.txt', audio: 'ASVspoof2019_LA_eval' },
];

/**
 * Reads a countermeasure protocol of ASVspoof 2019 LA: five columns separated by white space, speaker, file, `-`, attack
 * (or `-`) and `bonafide` or `spoof` (the corpus's own README.LA.txt). Lines that say the same twice are all returned.
 * @param name the file's name or path, for errors.
 * @throws UserFacingError `dataset` with file and line where a line does not follow this or nothing is there.
 */
export function parseAsvspoof2019Protocol(text: string, name: string): ProtocolEntry[] {
  return parseProtocol(text, name, {
    columns: 5,
    expected: 'Expected are five columns: speaker, file, -, attack or -, bonafide or spoof.',
    speaker: 0,
    file: 1,
    attack: 3,
    key: 4,
    noAttack: ['-'],
  });
}

/**
 * ASVspoof 2019 logical access in its official layout, at the folder or up to two folders below it (Kaggle's copy unpacks
 * to `LA/LA`). Items come in the protocols' order; those whose file is missing are kept, and noted.
 */
export async function loadAsvspoof2019(folder: string): Promise<LoadedItems> {
  const found = await findFolders(folder, 2, (_, subfolders) => subfolders.includes(protocolFolder));
  if (found.length === 0) {
    throw new UserFacingError(
      'dataset',
      `No ASVspoof 2019 LA in ${folder}: looked for the folder ${protocolFolder} there and up to two folders below.`,
      { path: folder, advice: `Name the folder that holds ${protocolFolder}, ${parts[0].audio} and the others.` },
    );
  }
  if (found.length > 1) {
    throw new UserFacingError('dataset', `Several copies of ASVspoof 2019 LA in ${folder}: ${someOf(found)}.`, {
      path: folder,
      advice: 'Name one of them.',
    });
  }
  const root = found[0];
  const gathered = new ProtocolItems();
  for (const { split, protocol, audio } of parts) {
    const path = join(root, protocolFolder, protocol);
    const text = await readProtocol(path);
    if (text === null) {
      gathered.notes.push(`No protocol ${protocol}: the split ${split} is left out.`);
      continue;
    }
    const flac = join(root, audio, 'flac');
    const listing = await flacNames([flac]);
    if (!listing) {
      gathered.notes.push(`No folder ${audio}/flac: every recording of the split ${split} is missing.`);
    }
    gathered.add(parseAsvspoof2019Protocol(text, path), {
      path,
      name: protocol,
      folders: [flac],
      folderName: `${audio}/flac`,
      splitOf: () => split,
      listing,
      unnamedAre: 'the official copy holds recordings for speaker verification there',
    });
  }
  if (gathered.items.length === 0) {
    const wanted = parts.map(({ protocol }) => protocol).join(', ');
    throw new UserFacingError('dataset', `No protocol in ${join(root, protocolFolder)}: looked for ${wanted}.`, {
      path: root,
      advice: `Is the copy in ${basename(root)} complete?`,
    });
  }
  return { root, items: gathered.items, notes: gathered.notes };
}
