/** Reads score files as ASVspoof and others write them, with their keys. */
import { createReadStream } from 'node:fs';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserFacingError } from '../base/errors.ts';
import type { SubsetName } from './subsets.ts';
import type { AsvScores, Trial } from './trials.ts';

/** More than any published score file by far; bounds what a hostile gzip file can claim. */
const maximumBytes = 400 * 1024 * 1024;

/** Trials of a score file, and how often a file name came again (each line is a trial of its own all the same). */
export interface ParsedScores {
  trials: Trial[];
  repeatedFiles: number;
  /** What was taken of a key that names subsets, and how many trials each has in it; null for other keys. */
  subset: { taken: SubsetName; trials: Record<string, number> } | null;
}

/** What a key protocol says of a file. */
interface KeyEntry {
  bonafide: boolean;
  attack: string | null;
  speaker: string | null;
  /** Of the ASVspoof 2021 keys. */
  subset: string | null;
  line: number;
}

/** Where a form of protocol or score file keeps what; columns count from 0. */
interface Columns {
  file: number;
  key?: number;
  score?: number;
  attack?: number;
  speaker?: number;
  subset?: number;
}

/** Names of the columns in a first line that names them, as the ASVspoof 5 evaluation package and ours write them. */
const columnNames: Record<keyof Columns, readonly string[]> = {
  file: ['filename', 'file', 'utterance', 'trial', 'id'],
  key: ['cm-label', 'label', 'key'],
  score: ['cm-score', 'score'],
  attack: ['attack', 'attack-label', 'generator'],
  speaker: ['speaker'],
  subset: ['subset'],
};

const formsOfScores =
  'A line holds "speaker file - attack key score", "file attack key score" or, with a key protocol, "file score"; a first ' +
  'line may name the columns (filename, cm-score).';
const formWithKey =
  'With --key, a line holds "file score"; a score file that carries its own key is read without --key.';
const formsOfKeys =
  'A line holds "speaker file - attack key" (ASVspoof 2019), "file attack key", "file key", ' +
  'or the columns of the ASVspoof 2021 or ASVspoof 5 key files; a first line may name the columns (filename, cm-label).';

/**
 * Reads countermeasure scores: lines of six columns (speaker, file, `-`, attack or `-`, key, score: the form of
 * ASVspoof 2019), of four (file, attack, key, score) or, with a key, of two (file, score), separated by blanks or
 * tabs; where tabs alone separate, names may hold blanks. A first line that names the columns (`filename`, `cm-score`,
 * `cm-label`, as in ASVspoof 5) says where they are. The key is `bonafide` or `spoof`. Gzip is recognised by content.
 * @param keyPath the protocol that tells bona fide from spoof, for two columns and only then.
 * @param subset of a key that names subsets (ASVspoof 2021): `eval` if not given; scores of the others are passed over.
 * @throws UserFacingError naming file and line: `unreadable`, `malformed` (columns, keys, scores that are no finite
 *   number), `empty`, `key-mismatch` (a file missing on either side, or scored twice), `usage` (a subset of what has none).
 */
export async function readScoreFile(path: string, keyPath?: string, subset?: SubsetName): Promise<ParsedScores> {
  const text = await readText(path);
  if (keyPath !== undefined) {
    const key = takenOf(parseKey(await readText(keyPath), keyPath), keyPath, subset);
    return scoresWithKey(text, path, key, keyPath);
  }
  if (subset !== undefined) throw withoutSubsets(path);
  return parseScores(text, path);
}

/**
 * Reads the scores of a speaker verification system: source, key (`target`, `nontarget`, `spoof`) and score.
 * @throws UserFacingError as {@link readScoreFile}, and `one-class` when one of the three kinds is missing.
 */
export async function readAsvScoreFile(path: string): Promise<AsvScores> {
  const text = await readText(path);
  const lists: Record<string, number[]> = { target: [], nontarget: [], spoof: [] };
  for (const { line, columns } of rowsOf(text)) {
    if (columns.length !== 3) {
      throw malformed(path, line, `${columns.length} columns`, 'A line holds "source key score".');
    }
    const list = Object.hasOwn(lists, columns[1]) ? lists[columns[1]] : undefined;
    if (!list) throw malformed(path, line, `the key ${quoted(columns[1])}`, 'It is target, nontarget or spoof.');
    list.push(parseScore(columns[2], path, line));
  }
  for (const [key, list] of Object.entries(lists)) {
    if (list.length > 0) continue;
    throw new UserFacingError('one-class', `The ASV score file ${path} holds no ${key} trial.`, {
      path,
      advice: 'The t-DCF needs target, nontarget and spoof trials.',
    });
  }
  return {
    targets: Float64Array.from(lists['target']),
    nontargets: Float64Array.from(lists['nontarget']),
    spoofs: Float64Array.from(lists['spoof']),
  };
}

function parseScores(text: string, path: string): ParsedScores {
  const trials: Trial[] = [];
  const seen = new Set<string>();
  const { rows, places, width } = tableOf(text, path, columnsOfScores, formsOfScores);
  if (places.key === undefined) {
    throw new UserFacingError('usage', `${path} holds files and scores only, not which are bona fide.`, {
      path,
      advice: 'Name the protocol that says so, with --key PROTOCOL.',
    });
  }
  for (const { line, columns } of rows) {
    checkWidth(columns, width, path, line, formsOfScores);
    const { bonafide, attack, speaker } = parseKeyEntry(columns, places, path, line);
    const file = columns[places.file];
    seen.add(file);
    trials.push({ file, bonafide, score: parseScore(columns[places.score ?? width - 1], path, line), attack, speaker });
  }
  if (trials.length === 0) throw empty(path);
  return { trials, repeatedFiles: trials.length - seen.size, subset: null };
}

/** Those entries of a key that were asked for, and all of them, to tell a file of another subset from an unknown one. */
interface TakenKey {
  all: Map<string, KeyEntry>;
  taken: Map<string, KeyEntry>;
  subset: ParsedScores['subset'];
}

function takenOf(all: Map<string, KeyEntry>, path: string, wanted: SubsetName | undefined): TakenKey {
  const trials: Record<string, number> = {};
  for (const { subset } of all.values()) if (subset !== null) trials[subset] = (trials[subset] ?? 0) + 1;
  const names = Object.keys(trials);
  if (names.length === 0) {
    if (wanted !== undefined) throw withoutSubsets(path);
    return { all, taken: all, subset: null };
  }
  const taken = wanted ?? 'eval';
  // The organisers' scripts call the hidden subset a track.
  const isTaken = ({ subset }: KeyEntry): boolean =>
    taken === 'all' || subset === taken || (taken === 'hidden' && subset === 'hidden_track');
  const entries = new Map([...all].filter(([, entry]) => isTaken(entry)));
  if (entries.size === 0) {
    throw new UserFacingError('usage', `${path} names no trial of the subset ${taken}: it has ${names.join(', ')}.`, {
      path,
      advice: 'Choose another with --subset, or all.',
    });
  }
  return { all, taken: entries, subset: { taken, trials } };
}

function scoresWithKey(text: string, path: string, key: TakenKey, keyPath: string): ParsedScores {
  const trials: Trial[] = [];
  const missing = new Map(key.taken);
  const seen = new Set<string>();
  const { rows, places, width } = tableOf(text, path, columnsWithKey, formWithKey);
  for (const { line, columns } of rows) {
    checkWidth(columns, width, path, line, formWithKey);
    const file = columns[places.file];
    const entry = key.all.get(file);
    if (!entry) {
      throw new UserFacingError('key-mismatch', `${path}, line ${line}: ${quoted(file)} is not in ${keyPath}.`, {
        path,
        advice: 'Use the protocol of the same trials; names must agree, extensions included.',
      });
    }
    if (seen.has(file)) {
      throw new UserFacingError('key-mismatch', `${path}, line ${line}: ${quoted(file)} is scored a second time.`, {
        path,
        advice: 'Leave one score for each file.',
      });
    }
    seen.add(file);
    const score = parseScore(columns[places.score ?? 1], path, line);
    if (!missing.delete(file)) continue;
    const { bonafide, attack, speaker } = entry;
    trials.push({ file, bonafide, score, attack, speaker });
  }
  if (seen.size === 0) throw empty(path);
  if (missing.size > 0) {
    const [[first, { line }]] = missing;
    throw new UserFacingError(
      'key-mismatch',
      `${path} has no score for ${missing.size} of the ${key.taken.size} files in ${keyPath} (the first: ${quoted(first)}, line ${line}).`,
      { path, advice: 'Score every file of the protocol, or take those lines out of it.' },
    );
  }
  return { trials, repeatedFiles: 0, subset: key.subset };
}

function parseKey(text: string, path: string): Map<string, KeyEntry> {
  const entries = new Map<string, KeyEntry>();
  const { rows, places, width } = tableOf(text, path, columnsOfKey, formsOfKeys);
  for (const { line, columns } of rows) {
    checkWidth(columns, width, path, line, formsOfKeys);
    const file = columns[places.file];
    const before = entries.get(file);
    if (before) {
      throw malformed(path, line, `${quoted(file)} again, after line ${before.line}`, 'A protocol names a file once.');
    }
    entries.set(file, parseKeyEntry(columns, places, path, line));
  }
  if (entries.size === 0) throw empty(path);
  return entries;
}

type Form = (columns: readonly string[]) => Columns | undefined;

/** The form of a score file that carries its key, or of one that needs a protocol, by the number of its columns. */
const columnsOfScores: Form = ({ length }) => {
  if (length === 6) return { speaker: 0, file: 1, attack: 3, key: 4, score: 5 };
  if (length === 4) return { file: 0, attack: 1, key: 2, score: 3 };
  return columnsWithKey({ length } as string[]);
};

const columnsWithKey: Form = ({ length }) => (length === 2 ? { file: 0, score: 1 } : undefined);

/** The form of a protocol, from a line of it. */
const columnsOfKey: Form = (columns) => {
  const isKey = (index: number): boolean => columns[index] === 'bonafide' || columns[index] === 'spoof';
  if (columns.length === 2 && isKey(1)) return { file: 0, key: 1 };
  if (columns.length === 3 && isKey(2)) return { file: 0, attack: 1, key: 2 };
  if (columns.length === 5 && isKey(4)) return { speaker: 0, file: 1, attack: 3, key: 4 };
  // ASVspoof 2021: speaker, file, codec, transmission, attack, key, trim, subset, more in DF.
  if (columns.length >= 8 && isKey(5)) return { speaker: 0, file: 1, attack: 4, key: 5, subset: 7 };
  // ASVspoof 5: speaker, file, gender, codec, codec quality, codec seed, attack tag, attack, key, "-".
  if (columns.length === 10 && isKey(8)) return { speaker: 0, file: 1, attack: 7, key: 8 };
  return undefined;
};

interface Row {
  line: number;
  columns: string[];
}

/**
 * The rows of a file, where their columns are, and how many there are: as a first line names them, which is not among
 * the rows then, else by the form of the first.
 */
function tableOf(
  text: string,
  path: string,
  form: Form,
  advice: string,
): { rows: Iterable<Row>; places: Columns; width: number } {
  const split = separatorOf(text, form);
  const first = rowsOf(text, split).next();
  if (first.done === true) throw empty(path);
  const { line, columns } = first.value;
  const named = namedColumns(columns);
  const places = named ?? form(columns);
  if (places === undefined) {
    const keyless = form === columnsOfKey ? ' without a key where one belongs' : '';
    throw malformed(path, line, `${columns.length} columns${keyless}`, advice);
  }
  const rows = rowsOf(text, split);
  if (named !== undefined) rows.next();
  return { rows, places, width: columns.length };
}

/** Where a first line that names its columns says that they are; undefined where it is no such line. */
function namedColumns(columns: readonly string[]): Columns | undefined {
  const places: Partial<Columns> = {};
  const names = columns.map((name) => name.toLowerCase().replaceAll('_', '-'));
  for (const column of Object.keys(columnNames) as (keyof Columns)[]) {
    const at = names.findIndex((name) => columnNames[column].includes(name));
    if (at >= 0) places[column] = at;
  }
  const { file, key, score } = places;
  return file === undefined || (key === undefined && score === undefined) ? undefined : { ...places, file };
}

function checkWidth(columns: readonly string[], width: number, path: string, line: number, advice: string): void {
  if (columns.length === width) return;
  throw malformed(path, line, `${columns.length} columns where the lines before have ${width}`, advice);
}

function parseKeyEntry(columns: readonly string[], places: Columns, path: string, line: number): KeyEntry {
  const value = (place: number | undefined): string | null =>
    place === undefined || columns[place] === '-' ? null : columns[place];
  const key = value(places.key);
  if (key !== 'bonafide' && key !== 'spoof') {
    throw malformed(path, line, `the key ${quoted(key ?? '-')}`, 'It is bonafide or spoof.');
  }
  const bonafide = key === 'bonafide';
  return {
    bonafide,
    attack: bonafide ? null : value(places.attack),
    speaker: value(places.speaker),
    subset: value(places.subset),
    line,
  };
}

const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseScore(text: string, path: string, line: number): number {
  const score = decimalNumber.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(score)) {
    throw malformed(path, line, `the score ${quoted(text)}`, 'A score is a finite decimal number.');
  }
  return score;
}

type Separator = 'tabs' | 'blanks';

/**
 * What separates the columns. Tabs where every line has as many of them and they alone make a form that we know, so that
 * names may hold blanks; but not where blanks and tabs together make the form of ASVspoof 2019 (its third column is `-`)
 * or file, attack, key and score: such files come from pasting a protocol and scores together.
 */
function separatorOf(text: string, form: Form): Separator {
  const every = (separator: Separator, fits: (columns: readonly string[], width: number) => boolean): boolean => {
    let width = 0;
    for (const { columns } of rowsOf(text, separator)) {
      if (width === 0) {
        if ((namedColumns(columns) ?? form(columns)) === undefined) return false;
        width = columns.length;
      }
      if (columns.length !== width || !fits(columns, width)) return false;
    }
    return width > 0;
  };
  if (!text.includes('\t') || !every('tabs', () => true)) return 'blanks';
  const isPasted = (columns: readonly string[], width: number): boolean =>
    width === 4
      ? columns[2] === 'bonafide' || columns[2] === 'spoof'
      : (width === 5 || width === 6) && columns[2] === '-';
  return every('blanks', isPasted) ? 'blanks' : 'tabs';
}

/** The lines that are not blank, numbered from 1, split at tabs or at blanks and tabs. */
function* rowsOf(text: string, separator: Separator = 'blanks'): Generator<Row, void> {
  let start = text.startsWith('\uFEFF') ? 1 : 0;
  for (let line = 1; start < text.length; line++) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const content = text.slice(start, end).trim();
    if (content !== '') {
      const columns = separator === 'tabs' ? content.split(/ *\t */) : content.split(/[ \t]+/);
      yield { line, columns };
    }
    start = end + 1;
  }
}

async function readText(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // A stream, so that a pipe works too and an endless one ends.
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > maximumBytes) throw tooLarge(path);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  let bytes = Buffer.concat(chunks, size);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = await promisify(gunzip)(bytes, { maxOutputLength: maximumBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path);
      throw new UserFacingError('unreadable', `${path} is a damaged or truncated gzip file.`, {
        path,
        advice: 'Get it again from where it came.',
        cause: error,
      });
    }
  }
  return bytes.toString('utf8');
}

function unreadable(path: string, error: unknown): unknown {
  const why: Record<string, string> = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'a part of the path is a file',
    EISDIR: 'it is a folder',
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
  };
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof UserFacingError || code === undefined || !Object.hasOwn(why, code)) return error;
  return new UserFacingError('unreadable', `Cannot read ${path}: ${why[code]}.`, {
    path,
    advice: 'Check the path.',
    cause: error,
  });
}

function tooLarge(path: string): UserFacingError {
  return new UserFacingError('malformed', `${path} is longer than ${maximumBytes / 2 ** 20} MiB of text.`, {
    path,
    advice: 'Name a score file.',
  });
}

function withoutSubsets(path: string): UserFacingError {
  return new UserFacingError('usage', `${path} names no subsets: --subset says nothing here.`, {
    path,
    advice: 'Leave --subset out, or name an ASVspoof 2021 key file (trial_metadata.txt) with --key.',
  });
}

function empty(path: string): UserFacingError {
  return new UserFacingError('empty', `${path} holds no line.`, { path, advice: 'Name a file with scores or keys.' });
}

function malformed(path: string, line: number, what: string, advice: string): UserFacingError {
  return new UserFacingError('malformed', `${path}, line ${line}: cannot read ${what}.`, { path, advice });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
