import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetItem, Label, LoadedItems } from './types.ts';
import { findFolders, unreadable } from './walk.ts';
import { plural, someOf } from './words.ts';

const protocolFolder = 'ASVspoof2019_LA_cm_protocols';

const parts = [
  { split: 'train', protocol: 'ASVspoof2019.LA.cm.train.trn.txt', audio: 'ASVspoof2019_LA_train' },
  { split: 'dev', protocol: 'ASVspoof2019.LA.cm.dev.trl.txt', audio: 'ASVspoof2019_LA_dev' },
  { split: 'test', protocol: 'ASVspoof2019.LA.cm.eval.trl.txt', audio: 'ASVspoof2019_LA_eval' },
];

/** One line of a countermeasure protocol. */
interface ProtocolEntry {
  /** From 1. */
  line: number;
  speaker: string | null;
  /** Name of the recording, without extension. */
  file: string;
  /** `A01` to `A19`; null for bona fide speech. */
  attack: string | null;
  label: Label;
}

/**
 * Reads a countermeasure protocol of ASVspoof 2019 LA: five columns separated by white space, speaker, file, `-`, attack
 * (or `-`) and `bonafide` or `spoof` (the corpus's own README.LA.txt). Lines that say the same twice are all returned.
 * @param name the file's name or path, for errors.
 * @throws UserFacingError `dataset` with file and line where a line does not follow this or nothing is there.
 */
export function parseAsvspoof2019Protocol(text: string, name: string): ProtocolEntry[] {
  const entries: ProtocolEntry[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.forEach((content, index) => {
    if (content.trim() === '') return;
    const line = index + 1;
    const fail = (what: string) =>
      new UserFacingError('dataset', `${name}, line ${line}: ${what}.`, {
        path: name,
        advice: 'Expected are five columns: speaker, file, -, attack or -, bonafide or spoof.',
      });
    const columns = content.trim().split(/\s+/);
    if (columns.length !== 5) throw fail(plural(columns.length, 'column'));
    const [speaker, file, , attack, key] = columns;
    if (key !== 'bonafide' && key !== 'spoof') throw fail(`the fifth column is "${key}"`);
    if (key === 'bonafide' && attack !== '-') throw fail(`bona fide, but with the attack "${attack}"`);
    if (key === 'spoof' && attack === '-') throw fail('a spoof without an attack');
    if (/[\\/]/.test(file)) throw fail(`the file "${file}" is a path and not a name`);
    entries.push({
      line,
      speaker: speaker === '-' ? null : speaker,
      file,
      attack: attack === '-' ? null : attack,
      label: key,
    });
  });
  if (entries.length === 0) {
    throw new UserFacingError('dataset', `${name} holds no line of a protocol.`, {
      path: name,
      advice: 'Is the copy complete?',
    });
  }
  return entries;
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
  const items: DatasetItem[] = [];
  const notes: string[] = [];
  const places = new Map<string, { entry: ProtocolEntry; protocol: string }>();
  let protocols = 0;

  for (const { split, protocol, audio } of parts) {
    const path = join(root, protocolFolder, protocol);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, error, 'file');
      notes.push(`No protocol ${protocol}: the split ${split} is left out.`);
      continue;
    }
    protocols++;
    const flac = join(root, audio, 'flac');
    const onDisk = await namesIn(flac);
    if (onDisk === null) notes.push(`No folder ${audio}/flac: every recording of the split ${split} is missing.`);

    let repeated = 0;
    let missing = 0;
    const named = new Set<string>();
    for (const entry of parseAsvspoof2019Protocol(text, path)) {
      const before = places.get(entry.file);
      if (before) {
        const { entry: first } = before;
        const same =
          before.protocol === protocol &&
          first.speaker === entry.speaker &&
          first.attack === entry.attack &&
          first.label === entry.label;
        if (!same) {
          throw new UserFacingError(
            'dataset',
            `${path}, line ${entry.line}: ${entry.file} stands differently in ${before.protocol}, line ${first.line}.`,
            { path, advice: 'Remove the wrong one of the two lines.' },
          );
        }
        repeated++;
        continue;
      }
      places.set(entry.file, { entry, protocol });
      const name = `${entry.file}.flac`;
      named.add(name);
      if (onDisk && !onDisk.has(name)) missing++;
      items.push({
        path: join(flac, name),
        id: entry.file,
        label: entry.label,
        split,
        generator: entry.attack,
        speaker: entry.speaker,
        source: null,
      });
    }
    if (repeated > 0) notes.push(`${protocol}: ignored as repeating an earlier one: ${plural(repeated, 'line')}.`);
    if (missing > 0) notes.push(`${audio}/flac lacks ${missing} of the ${named.size} files that its protocol names.`);
    const unnamed = onDisk ? [...onDisk].filter((name) => !named.has(name)).length : 0;
    if (unnamed > 0) {
      notes.push(
        `${audio}/flac: ignored ${plural(unnamed, 'file')} that the protocol does not name ` +
          `(the official copy holds recordings for speaker verification there).`,
      );
    }
  }
  if (protocols === 0) {
    const wanted = parts.map(({ protocol }) => protocol).join(', ');
    throw new UserFacingError('dataset', `No protocol in ${join(root, protocolFolder)}: looked for ${wanted}.`, {
      path: root,
      advice: `Is the copy in ${basename(root)} complete?`,
    });
  }
  return { root, items, notes };
}

/** Names of a folder's files but for hidden ones; null where there is no such folder. One listing, no look at each file. */
async function namesIn(folder: string): Promise<Set<string> | null> {
  try {
    return new Set((await readdir(folder)).filter((name) => !name.startsWith('.')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(folder, error, 'folder');
  }
}
