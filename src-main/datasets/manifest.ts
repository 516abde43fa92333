import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { readTable } from './table.ts';
import type { DatasetItem, LoadedItems } from './types.ts';
import { unreadable } from './walk.ts';
import { knownSplit, labelOf, labelWords, plural, someOf } from './words.ts';

const columns = [
  'path',
  'label',
  'split',
  'generator',
  'speaker',
  'source',
  'codec',
  'language',
  'year',
  'kind',
  'chain',
  'quality',
] as const;

/**
 * A CSV file (RFC 4180, UTF-8 with or without a mark) whose first line names its columns in any order: path and label, and
 * optionally split, generator, speaker, source, codec, language, year, kind, chain and quality; others are ignored. Paths are relative to the file's folder. Items come in
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
  const needs = `The first line must name the columns path and label (optionally ${columns.slice(2).join(', ')}), with commas.`;
  const { header, rows } = readTable(bytes, file, { needs });
  const at: Partial<Record<(typeof columns)[number], number>> = {};
  for (const name of columns) {
    const place = header.indexOf(name);
    if (place < 0) continue;
    if (header.includes(name, place + 1)) {
      throw fail(1, `the column ${name} stands twice`, 'Remove or rename one.');
    }
    at[name] = place;
  }
  for (const name of ['path', 'label'] as const) {
    if (at[name] === undefined) {
      throw fail(1, `there is no column ${name} among ${someOf(header, 12)}`, needs);
    }
  }

  const root = dirname(file);
  const items: DatasetItem[] = [];
  const notes: string[] = [];
  const seen = new Map<string, { item: DatasetItem; line: number }>();
  let repeated = 0;
  for (const { record, line } of rows) {
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
    const further = (['codec', 'language', 'year', 'kind', 'chain', 'quality'] as const).map((name) => [
      name,
      value(name),
    ]);
    const absolute = resolve(root, path);
    const item: DatasetItem = {
      path: absolute,
      id: relative(root, absolute).split(sep).join('/'),
      label,
      split: split === null ? null : (knownSplit(split) ?? split),
      generator: label === 'spoof' ? generator : null,
      speaker: value('speaker'),
      source: value('source'),
      ...(Object.fromEntries(further.filter(([, given]) => given !== null)) as Partial<DatasetItem>),
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
    throw fail(1, 'nothing follows the names of the columns', 'Add a line for each recording.');
  }
  if (repeated > 0) notes.push(`Ignored as repeating an earlier one: ${plural(repeated, 'line')}.`);
  return { root, items, notes };
}

/**
 * A manifest of some recordings, to be saved as `file`: paths below its folder are relative to it, so that both can be moved
 * together; others are absolute.
 * @param further columns with a value for each item
 */
export function manifestText(
  file: string,
  items: readonly DatasetItem[],
  further: readonly { column: string; values: readonly (string | null)[] }[] = [],
): string {
  const root = dirname(resolve(file));
  const used = columns.filter(
    (name) => name === 'path' || name === 'label' || items.some((item) => (item[name] ?? null) !== null),
  );
  const cell = (text: string) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const pathOf = ({ path }: DatasetItem) => {
    const below = relative(root, path);
    return below.startsWith('..') || isAbsolute(below) ? path : below.split(sep).join('/');
  };
  const filled = further.filter(({ values }) => values.some((value) => value !== null));
  const lines = items.map((item, index) =>
    [
      ...used.map((name) => (name === 'path' ? pathOf(item) : (item[name] ?? ''))),
      ...filled.map(({ values }) => values[index] ?? ''),
    ]
      .map(cell)
      .join(','),
  );
  return [[...used, ...filled.map(({ column }) => column)].join(','), ...lines, ''].join('\n');
}
