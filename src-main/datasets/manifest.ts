import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetItem, LoadedItems } from './types.ts';
import { unreadable } from './walk.ts';
import { knownSplit, labelOf, labelWords, plural, someOf } from './words.ts';

const columns = ['path', 'label', 'split', 'generator', 'speaker', 'source'] as const;

/**
 * A CSV file (RFC 4180, UTF-8 with or without a mark) whose first line names its columns in any order: path and label, and
 * optionally split, generator, speaker and source; others are ignored. Paths are relative to the file's folder. Items come in
 * the file's order.
 */
export async function loadManifest(file: string): Promise<LoadedItems> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw unreadable(file, error, 'file');
  }
  const fail = (line: number, what: string, advice: string, cause?: unknown) =>
    new UserFacingError('dataset', `${file}, line ${line}: ${what}.`, { path: file, advice, cause });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserFacingError('dataset', `${file} is not UTF-8 text.`, {
      path: file,
      advice: 'Save it as CSV in UTF-8.',
      cause: error,
    });
  }

  let rows: { record: string[]; info: { lines: number } }[];
  try {
    rows = parse(text, {
      info: true,
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
    }) as unknown as typeof rows;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { lines: number };
    throw fail(lines, `this is no valid CSV (${error.message})`, 'Mend the quotes or separators there.', error);
  }
  if (rows.length === 0) {
    throw fail(1, 'the file is empty', 'The first line must name the columns path and label.');
  }
  const header = rows[0].record.map((name) => name.toLowerCase());
  const at: Partial<Record<(typeof columns)[number], number>> = {};
  for (const name of columns) {
    const place = header.indexOf(name);
    if (place < 0) continue;
    if (header.includes(name, place + 1)) {
      throw fail(rows[0].info.lines, `the column ${name} stands twice`, 'Remove or rename one.');
    }
    at[name] = place;
  }
  for (const name of ['path', 'label'] as const) {
    if (at[name] === undefined) {
      throw fail(
        rows[0].info.lines,
        `there is no column ${name} among ${someOf(header, 12)}`,
        `The first line must name the columns path and label (optionally ${columns.slice(2).join(', ')}), with commas.`,
      );
    }
  }

  const root = dirname(file);
  const items: DatasetItem[] = [];
  const notes: string[] = [];
  const seen = new Map<string, { item: DatasetItem; line: number }>();
  let repeated = 0;
  for (const { record, info } of rows.slice(1)) {
    const line = info.lines;
    if (record.length !== header.length) {
      throw fail(
        line,
        `${plural(record.length, 'value')} for ${plural(header.length, 'column')}`,
        'A value that holds a comma must stand in double quotes.',
      );
    }
    const value = (name: (typeof columns)[number]) => {
      const place = at[name];
      return place === undefined || record[place] === '' ? null : record[place];
    };
    const path = value('path');
    if (path === null) throw fail(line, 'the path is empty', 'Every line needs a path.');
    if (path.includes('\0')) throw fail(line, 'the path holds a null character', 'Mend the path.');
    const word = value('label');
    const label = word === null ? null : labelOf(word);
    if (label === null) {
      throw fail(
        line,
        word === null ? 'the label is empty' : `the label is "${word}"`,
        `A label is ${labelWords.bonafide}; or ${labelWords.spoof}.`,
      );
    }
    const split = value('split');
    const generator = value('generator');
    const absolute = resolve(root, path);
    const item: DatasetItem = {
      path: absolute,
      id: relative(root, absolute).split(sep).join('/'),
      label,
      split: split === null ? null : (knownSplit(split) ?? split),
      generator: label === 'spoof' ? generator : null,
      speaker: value('speaker'),
      source: value('source'),
    };
    const before = seen.get(absolute);
    if (before) {
      if (JSON.stringify(before.item) !== JSON.stringify(item)) {
        throw fail(line, `${path} stands differently in line ${before.line}`, 'Remove the wrong one of the two lines.');
      }
      repeated++;
      continue;
    }
    seen.set(absolute, { item, line });
    items.push(item);
  }
  if (items.length === 0) {
    throw fail(rows[0].info.lines, 'nothing follows the names of the columns', 'Add a line for each recording.');
  }
  if (repeated > 0) notes.push(`Ignored as repeating an earlier one: ${plural(repeated, 'line')}.`);
  return { root, items, notes };
}
