import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.ts';

describe('csvLine', () => {
  it('gives back every cell through a reader of RFC 4180', () => {
    const cells = ['plain', 'with, comma', 'with "quotes"', 'two\nlines', 'two\r\nlines', '', 'ä 漢 🎙'];
    const [read]: string[][] = parse(csvLine(cells));
    expect(read).toEqual(cells);
  });

  it('makes texts harmless that a spreadsheet would run, and leaves numbers alone', () => {
    const [read]: string[][] = parse(csvLine(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', 'a=b', -1.5, null]));
    expect(read).toEqual(["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", 'a=b', '-1.5', '']);
  });

  it('ends its line as RFC 4180 says', () => {
    expect(csvLine(['a', 1])).toBe('a,1\r\n');
  });
});
