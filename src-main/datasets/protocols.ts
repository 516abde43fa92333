/** Reads the protocol files of ASVspoof and finds their recordings. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetItem, Label } from './types.ts';
import { unreadable } from './walk.ts';
import { plural } from './words.ts';

/** One line of a countermeasure protocol of an ASVspoof corpus. */
export interface ProtocolEntry {
  /** From 1. */
  line: number;
  speaker: string | null;
  /** Name of the recording, without extension. */
  file: string;
  /** `A01` for instance; null for bona fide speech. */
  attack: string | null;
  label: Label;
  /** The line's own split, where the protocol names one. */
  split?: string;
  codec?: string;
  transmission?: string;
}

/** Where in a line of words each value stands, from 0. */
interface ProtocolForm {
  columns: number;
  /** For the advice, as a sentence. */
  expected: string;
  speaker: number;
  file: number;
  attack: number;
  key: number;
  split?: number;
  codec?: number;
  transmission?: number;
  /** What the attack's column holds for bona fide speech. */
  noAttack: readonly string[];
}

const ordinals = 'first second third fourth fifth sixth seventh eighth ninth tenth'.split(' ');

/**
 * Reads a protocol: a line for each recording, its values separated by white space. Lines that say the same twice are all
 * returned.
 * @param name the file's name or path, for errors.
 * @throws UserFacingError `dataset` with file and line where a line does not follow the form or nothing is there.
 */
export function parseProtocol(text: string, name: string, form: ProtocolForm): ProtocolEntry[] {
  const entries: ProtocolEntry[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.forEach((content, index) => {
    if (content.trim() === '') return;
    const line = index + 1;
    const fail = (what: string) =>
      new UserFacingError('dataset', `${name}, line ${line}: ${what}.`, { path: name, advice: form.expected });
    const columns = content.trim().split(/\s+/);
    if (columns.length !== form.columns) throw fail(plural(columns.length, 'column'));
    const value = (place: number | undefined) =>
      place === undefined || columns[place] === '-' ? undefined : columns[place];
    const file = columns[form.file];
    const key = columns[form.key];
    const attack = form.noAttack.includes(columns[form.attack]) ? null : columns[form.attack];
    if (key !== 'bonafide' && key !== 'spoof') throw fail(`the ${ordinals[form.key]} column is "${key}"`);
    if (key === 'bonafide' && attack !== null) throw fail(`bona fide, but with the attack "${attack}"`);
    if (key === 'spoof' && attack === null) throw fail('a spoof without an attack');
    if (/[\\/]/.test(file)) throw fail(`the file "${file}" is a path and not a name`);
    const split = value(form.split);
    const codec = value(form.codec);
    const transmission = value(form.transmission);
    entries.push({
      line,
      speaker: value(form.speaker) ?? null,
      file,
      attack,
      label: key,
      ...(split === undefined ? {} : { split }),
      ...(codec === undefined ? {} : { codec }),
      ...(transmission === undefined ? {} : { transmission }),
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

/** A protocol's text; null where there is no such file. */
export async function readProtocol(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, error, 'file');
  }
}

/** Gathers the items of one corpus from its protocols; those whose file is missing are kept, and noted. */
export class ProtocolItems {
  readonly items: DatasetItem[] = [];
  readonly notes: string[] = [];
  readonly #places = new Map<string, { entry: ProtocolEntry; protocol: string }>();

  /**
   * Adds what a protocol names.
   * @param options.name the protocol's, for notes.
   * @param options.folders that hold its FLAC files; the first is where a missing file is expected.
   * @param options.folderName of them, for notes.
   * @param options.splitOf the split of an entry.
   * @param options.listing what {@link flacNames} gave for the folders; null where none of them is there.
   * @param options.unnamedAre said of files that the protocol does not name.
   * @throws UserFacingError `dataset` where two lines contradict one another.
   */
  add(
    entries: readonly ProtocolEntry[],
    options: {
      path: string;
      name: string;
      folders: readonly string[];
      folderName: string;
      splitOf: (entry: ProtocolEntry) => string;
      listing: Map<string, string> | null;
      unnamedAre?: string;
    },
  ): void {
    const { path, name: protocol, folders, folderName, listing } = options;
    let repeated = 0;
    let missing = 0;
    const named = new Set<string>();
    for (const entry of entries) {
      const before = this.#places.get(entry.file);
      if (before) {
        const sameLine = { ...entry, line: before.entry.line };
        if (before.protocol !== protocol || JSON.stringify(before.entry) !== JSON.stringify(sameLine)) {
          throw new UserFacingError(
            'dataset',
            `${path}, line ${entry.line}: ${entry.file} stands differently in ${before.protocol}, line ${before.entry.line}.`,
            { path, advice: 'Remove the wrong one of the two lines.' },
          );
        }
        repeated++;
        continue;
      }
      this.#places.set(entry.file, { entry, protocol });
      const name = `${entry.file}.flac`;
      named.add(name);
      const folder = listing?.get(name);
      if (listing && folder === undefined) missing++;
      this.items.push({
        path: join(folder ?? folders[0], name),
        id: entry.file,
        label: entry.label,
        split: options.splitOf(entry),
        generator: entry.attack,
        speaker: entry.speaker,
        source: null,
        ...(entry.codec === undefined ? {} : { codec: entry.codec }),
        ...(entry.transmission === undefined ? {} : { transmission: entry.transmission }),
      });
    }
    if (repeated > 0) this.notes.push(`${protocol}: ignored as repeating an earlier one: ${plural(repeated, 'line')}.`);
    if (missing > 0) {
      this.notes.push(`${folderName} lacks ${missing} of the ${named.size} files that its protocol names.`);
    }
    const unnamed = listing ? [...listing.keys()].filter((name) => !named.has(name)).length : 0;
    if (unnamed > 0 && options.unnamedAre !== undefined) {
      this.notes.push(
        `${folderName}: ignored ${plural(unnamed, 'file')} that the protocol does not name (${options.unnamedAre}).`,
      );
    }
  }
}

/**
 * The folder of each file in some folders, by name, hidden ones left out; null where none of the folders is there. One
 * listing, no look at each file.
 */
export async function flacNames(folders: readonly string[]): Promise<Map<string, string> | null> {
  const names = new Map<string, string>();
  let there = false;
  for (const folder of folders) {
    try {
      for (const name of await readdir(folder)) if (!name.startsWith('.')) names.set(name, folder);
      there = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(folder, error, 'folder');
    }
  }
  return there ? names : null;
}
