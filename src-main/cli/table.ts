import { visibleName } from '../../src-common/visible-text.ts';

/** A table for a terminal. Columns from `firstNumber` up to `afterNumbers` stand flush right. */
export function table(header: string[], rows: string[][], firstNumber: number, afterNumbers = header.length): string {
  const lines = [header, ...rows].map((row) => row.map(visibleName));
  const widths = header.map((_, column) => Math.max(...lines.map((row) => row[column].length)));
  return lines
    .map((row) =>
      row
        .map((cell, column) =>
          column >= firstNumber && column < afterNumbers ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
