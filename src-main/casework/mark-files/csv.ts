/** Marks as CSV (RFC 4180), with the names of the columns in the first line. */
import { parse } from 'csv-parse/sync';
import { CsvError } from 'csv-parse/sync';
import { markColours } from '../../../src-common/mark-colours.ts';
import type { MarkColour } from '../../../src-common/mark-colours.ts';
import { csvLine } from '../../reports/csv.ts';
import { channelOf, checked, malformed, secondsOf } from './written-mark.ts';
import type { ReadMark, ReadingDefaults, WrittenMark } from './written-mark.ts';

const columns = [
  'start_seconds',
  'end_seconds',
  'text',
  'category',
  'colour',
  'channel',
  'in_report',
  'all_sound_read',
] as const;
type Column = (typeof columns)[number];

export function marksCsv(marks: readonly WrittenMark[]): string {
  const lines = marks.map((mark) =>
    csvLine([
      mark.startSeconds,
      mark.endSeconds,
      mark.text,
      mark.category,
      mark.colour,
      mark.channel,
      mark.inReport ? 'yes' : 'no',
      mark.readAll ? 'yes' : 'no',
    ]),
  );
  return csvLine([...columns]) + lines.join('');
}

/** What makes a text harmless in a spreadsheet, taken off again. */
function plain(text: string): string {
  return /^'[=+\-@\t\r]/.test(text) ? text.slice(1) : text;
}

/** @throws UserFacingError `malformed` */
export function readMarksCsv(text: string, name: string, defaults: ReadingDefaults): ReadMark[] {
  const rows = rowsOf(text, name);
  const [head, ...others] = rows;
  if (!head) throw malformed(name, 1, `the names of the columns are missing: ${columns.join(',')}`);
  const found = head.cells.map((cell) => cell.trim().toLowerCase());
  if (!found.includes('start_seconds')) {
    throw malformed(
      name,
      head.line,
      `it has no column start_seconds; columns are ${columns.join(', ')}, the first one needed`,
    );
  }
  const twice = found.find((column, index) => columns.includes(column as Column) && found.indexOf(column) !== index);
  if (twice !== undefined) throw malformed(name, head.line, `it has two columns ${twice}`);
  return others.map(({ cells, line }) => {
    if (cells.length !== found.length) {
      throw malformed(name, line, `it has ${cells.length} cells, and there are ${found.length} columns`);
    }
    const cell = (column: Column): string => cells[found.indexOf(column)] ?? '';
    const at = { name, line };
    const end = cell('end_seconds').trim();
    const channel = cell('channel').trim();
    const mark = {
      startSeconds: secondsOf(cell('start_seconds').trim(), 'start_seconds', at),
      endSeconds: end === '' ? null : secondsOf(end, 'end_seconds', at),
      text: plain(cell('text')),
      category: plain(cell('category')),
      colour: colourOf(cell('colour').trim(), at),
      channel: channel === '' ? null : (channelOf(channel) ?? Number.NaN),
      inReport: yesOrNo(cell('in_report'), 'in_report', at, defaults.inReport),
      readAll: yesOrNo(cell('all_sound_read'), 'all_sound_read', at, defaults.readAll),
    };
    return checked(mark, name, line);
  });
}

function rowsOf(text: string, name: string): { cells: string[]; line: number }[] {
  try {
    const parsed = parse(text, { info: true, relax_column_count: true, skip_empty_lines: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    let line = 1;
    return parsed.map(({ record, info }) => {
      const row = { cells: record, line };
      line = info.lines + 1;
      return row;
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as CsvError & { lines?: number };
    throw malformed(
      name,
      lines ?? null,
      'it is no CSV: a cell in quotes has no end, or something stands behind its end',
    );
  }
}

function colourOf(cell: string, { name, line }: { name: string; line: number }): MarkColour | null {
  if (cell === '') return null;
  const colour = markColours.find((one) => one === cell.toLowerCase());
  if (colour) return colour;
  throw malformed(name, line, `there is no colour “${cell.slice(0, 40)}”; colours are ${markColours.join(', ')}`);
}

function yesOrNo(cell: string, column: Column, at: { name: string; line: number }, otherwise: boolean): boolean {
  const word = cell.trim().toLowerCase();
  if (word === '') return otherwise;
  if (['yes', 'true', '1'].includes(word)) return true;
  if (['no', 'false', '0'].includes(word)) return false;
  throw malformed(at.name, at.line, `${column} must be yes or no, and is “${cell.slice(0, 40)}”`);
}
