import { CsvError, parse } from 'csv-parse/sync';
import { UserFacingError } from '../base/errors.ts';
import { plural, someOf } from './words.ts';

interface Row {
  /** Where it ends, from 1. */
  line: number;
  record: string[];
}

/**
 * Reads a table with a line of names above it (CSV as RFC 4180 has it, UTF-8 with or without a mark).
 * @returns the names in lower case, and the rows, of which each has as many values.
 * @throws UserFacingError `dataset` with file and line.
 */
export function readTable(
  bytes: Uint8Array,
  path: string,
  options: { delimiter?: string; quote?: '"' | null; needs: string } = { needs: '' },
): { header: string[]; rows: Row[] } {
  const fail = (line: number, what: string, advice: string, cause?: unknown) =>
    new UserFacingError('dataset', `${path}, line ${line}: ${what}.`, { path, advice, cause });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new UserFacingError('dataset', `${path} is not UTF-8 text.`, {
      path,
      advice: 'Save it as CSV in UTF-8.',
      cause: error,
    });
  }
  let read: { record: string[]; info: { lines: number } }[];
  try {
    read = parse(text, {
      info: true,
      skip_empty_lines: true,
      trim: true,
      relax_column_count: true,
      delimiter: options.delimiter ?? ',',
      quote: options.quote === undefined ? '"' : options.quote,
    }) as unknown as typeof read;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { lines: number };
    throw fail(lines, `this is no valid CSV (${error.message})`, 'Mend the quotes or separators there.', error);
  }
  if (read.length === 0) throw fail(1, 'the file is empty', options.needs);
  const header = read[0].record.map((name) => name.toLowerCase());
  const rows = read.slice(1).map(({ record, info }) => {
    if (record.length !== header.length) {
      throw fail(
        info.lines,
        `${plural(record.length, 'value')} for ${plural(header.length, 'column')}`,
        'A value that holds a comma must stand in double quotes.',
      );
    }
    return { line: info.lines, record };
  });
  return { header, rows };
}

/**
 * The values of some columns, in which each of them must stand.
 * @throws UserFacingError `dataset` with file and line.
 */
export function namedRows<Name extends string>(
  bytes: Uint8Array,
  path: string,
  names: readonly Name[],
  options: { delimiter?: string; quote?: '"' | null } = {},
): { line: number; values: Record<Name, string> }[] {
  const needs = `The first line must name the columns ${names.join(', ')}.`;
  const { header, rows } = readTable(bytes, path, { ...options, needs });
  const places = names.map((name) => header.indexOf(name));
  const missing = names.find((_, index) => places[index] < 0);
  if (missing !== undefined) {
    throw new UserFacingError(
      'dataset',
      `${path}, line 1: there is no column ${missing} among ${someOf(header, 12)}.`,
      { path, advice: needs },
    );
  }
  return rows.map(({ line, record }) => ({
    line,
    values: Object.fromEntries(names.map((name, index) => [name, record[places[index]]])) as Record<Name, string>,
  }));
}
