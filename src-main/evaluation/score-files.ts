import { createReadStream } from 'node:fs';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserFacingError } from '../base/errors.ts';
import type { AsvScores, Trial } from './trials.ts';

/** More than any published score file by far; bounds what a hostile gzip file can claim. */
const maximumBytes = 400 * 1024 * 1024;

/** Trials of a score file, and how often a file name came again (each line is a trial of its own all the same). */
export interface ParsedScores {
  trials: Trial[];
  repeatedFiles: number;
}

/** What a key protocol says of a file. */
interface KeyEntry {
  bonafide: boolean;
  attack: string | null;
  speaker: string | null;
  line: number;
}

/** Where a form of protocol or score file keeps what; columns count from 0. */
interface Columns {
  file: number;
  key: number;
  attack?: number;
  speaker?: number;
}

const sixColumns: Columns = { speaker: 0, file: 1, attack: 3, key: 4 };
const fourColumns: Columns = { file: 0, attack: 1, key: 2 };
const formsOfScores =
  'A line holds "speaker file - attack key score", "file attack key score" or, with a key protocol, "file score".';
const formsOfKeys =
  'A line holds "speaker file - attack key" (ASVspoof 2019), "file attack key", "file key", ' +
  'or the columns of the ASVspoof 2021 or ASVspoof 5 key files.';

/**
 * Reads countermeasure scores: lines of six columns (speaker, file, `-`, attack or `-`, key, score: the form of
 * ASVspoof 2019), of four (file, attack, key, score) or, with a key, of two (file, score), separated by blanks or
 * tabs. The key is `bonafide` or `spoof`. Gzip is recognised by content.
 * @param keyPath the protocol that tells bona fide from spoof, for two columns and only then.
 * @throws UserFacingError naming file and line: `unreadable`, `malformed` (columns, keys, scores that are no finite
 *   number), `empty`, `key-mismatch` (a file missing on either side, or scored twice).
 */
export async function readScoreFile(path: string, keyPath?: string): Promise<ParsedScores> {
  const text = await readText(path);
  return keyPath === undefined
    ? parseScores(text, path)
    : scoresWithKey(text, path, parseKey(await readText(keyPath), keyPath), keyPath);
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
  let width = 0;
  let places = sixColumns;
  for (const { line, columns } of rowsOf(text)) {
    if (width === 0) {
      width = columns.length;
      if (width === 2) {
        throw new UserFacingError('usage', `${path} holds files and scores only, not which are bona fide.`, {
          path,
          advice: 'Name the protocol that says so, with --key PROTOCOL.',
        });
      }
      if (width !== 6 && width !== 4) throw malformed(path, line, `${width} columns`, formsOfScores);
      places = width === 6 ? sixColumns : fourColumns;
    } else if (columns.length !== width) {
      throw malformed(path, line, `${columns.length} columns where the lines before have ${width}`, formsOfScores);
    }
    const { bonafide, attack, speaker } = parseKeyEntry(columns, places, path, line);
    const file = columns[places.file];
    seen.add(file);
    trials.push({ file, bonafide, score: parseScore(columns[width - 1], path, line), attack, speaker });
  }
  if (trials.length === 0) throw empty(path);
  return { trials, repeatedFiles: trials.length - seen.size };
}

function scoresWithKey(text: string, path: string, key: Map<string, KeyEntry>, keyPath: string): ParsedScores {
  const trials: Trial[] = [];
  const missing = new Map(key);
  for (const { line, columns } of rowsOf(text)) {
    if (columns.length !== 2) {
      const advice =
        columns.length === 6 || columns.length === 4
          ? 'With --key, a line holds "file score"; a score file that carries its own key is read without --key.'
          : 'With --key, a line holds "file score".';
      throw malformed(path, line, `${columns.length} columns`, advice);
    }
    const [file, score] = columns;
    const entry = key.get(file);
    if (!entry) {
      throw new UserFacingError('key-mismatch', `${path}, line ${line}: ${quoted(file)} is not in ${keyPath}.`, {
        path,
        advice: 'Use the protocol of the same trials; names must agree, extensions included.',
      });
    }
    if (!missing.delete(file)) {
      throw new UserFacingError('key-mismatch', `${path}, line ${line}: ${quoted(file)} is scored a second time.`, {
        path,
        advice: 'Leave one score for each file.',
      });
    }
    const { bonafide, attack, speaker } = entry;
    trials.push({ file, bonafide, score: parseScore(score, path, line), attack, speaker });
  }
  if (trials.length === 0) throw empty(path);
  if (missing.size > 0) {
    const [[first, { line }]] = missing;
    throw new UserFacingError(
      'key-mismatch',
      `${path} has no score for ${missing.size} of the ${key.size} files in ${keyPath} (the first: ${quoted(first)}, line ${line}).`,
      { path, advice: 'Score every file of the protocol, or take those lines out of it.' },
    );
  }
  return { trials, repeatedFiles: 0 };
}

function parseKey(text: string, path: string): Map<string, KeyEntry> {
  const entries = new Map<string, KeyEntry>();
  let width = 0;
  let places: Columns | undefined;
  for (const { line, columns } of rowsOf(text)) {
    if (!places) {
      width = columns.length;
      places = columnsOfKey(columns);
      if (!places) throw malformed(path, line, `${width} columns without a key where one belongs`, formsOfKeys);
    } else if (columns.length !== width) {
      throw malformed(path, line, `${columns.length} columns where the lines before have ${width}`, formsOfKeys);
    }
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

/** The form of a protocol, from its first line. */
function columnsOfKey(columns: readonly string[]): Columns | undefined {
  const isKey = (index: number): boolean => columns[index] === 'bonafide' || columns[index] === 'spoof';
  if (columns.length === 2 && isKey(1)) return { file: 0, key: 1 };
  if (columns.length === 3 && isKey(2)) return fourColumns;
  if (columns.length === 5 && isKey(4)) return sixColumns;
  // ASVspoof 2021: speaker, file, codec, transmission, attack, key, trim, subset, more in DF.
  if (columns.length >= 8 && isKey(5)) return { speaker: 0, file: 1, attack: 4, key: 5 };
  // ASVspoof 5: speaker, file, gender, codec, codec quality, codec seed, attack tag, attack, key, "-".
  if (columns.length === 10 && isKey(8)) return { speaker: 0, file: 1, attack: 7, key: 8 };
  return undefined;
}

function parseKeyEntry(columns: readonly string[], places: Columns, path: string, line: number): KeyEntry {
  const key = columns[places.key];
  if (key !== 'bonafide' && key !== 'spoof') {
    throw malformed(path, line, `the key ${quoted(key)}`, 'It is bonafide or spoof.');
  }
  const bonafide = key === 'bonafide';
  const attack = places.attack === undefined ? '-' : columns[places.attack];
  const speaker = places.speaker === undefined ? '-' : columns[places.speaker];
  return {
    bonafide,
    attack: bonafide || attack === '-' ? null : attack,
    speaker: speaker === '-' ? null : speaker,
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

/** The lines that are not blank, numbered from 1, split at blanks and tabs. */
function* rowsOf(text: string): Generator<{ line: number; columns: string[] }> {
  let start = text.startsWith('\uFEFF') ? 1 : 0;
  for (let line = 1; start < text.length; line++) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const content = text.slice(start, end).trim();
    if (content !== '') yield { line, columns: content.split(/[ \t]+/) };
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

function empty(path: string): UserFacingError {
  return new UserFacingError('empty', `${path} holds no line.`, { path, advice: 'Name a file with scores or keys.' });
}

function malformed(path: string, line: number, what: string, advice: string): UserFacingError {
  return new UserFacingError('malformed', `${path}, line ${line}: cannot read ${what}.`, { path, advice });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
