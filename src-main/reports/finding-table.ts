/** The three-way table of findings as text, CSV and JSON. */
import { rateText } from '../../src-common/finding-record.ts';
import type { FindingRate, FindingTable } from '../../src-common/schemas/finding-record.ts';
import { csvLine } from './csv.ts';

const classes = ['bonafide', 'spoof'] as const;
const columns = ['bonafide', 'spoof', 'inconclusive', 'notAssessable', 'failed'] as const;

const columnTitles: Record<(typeof columns)[number], string> = {
  bonafide: 'bona fide',
  spoof: 'synthetic',
  inconclusive: 'inconclusive',
  notAssessable: 'not assessable',
  failed: 'failed',
};

const rates = {
  rightBonafide: 'found bona fide and right',
  rightSpoof: 'found synthetic and right',
  falseSpoof: 'bona fide found synthetic',
  falseBonafide: 'spoofs found bona fide',
  inconclusive: 'inconclusive',
  notAssessable: 'not assessable',
} as const satisfies Partial<Record<keyof FindingTable, string>>;

/** For a terminal: the counts, and the rates below them. */
export function findingTableText(table: FindingTable): string {
  const names = { bonafide: 'bona fide recordings', spoof: 'spoofs' };
  const width = Math.max(...Object.values(rates).map((name) => name.length));
  const rows = [
    ['findings', ...columns.map((column) => columnTitles[column])],
    ...classes.map((name) => [names[name], ...columns.map((column) => String(table[name][column]))]),
  ].map(([name, ...cells]) =>
    [name.padEnd(width), ...cells.map((cell, index) => cell.padStart(columnTitles[columns[index]].length))].join('  '),
  );
  const rateRows = Object.entries(rates).map(
    ([key, name]) => `${name.padEnd(width)}  ${rateText(table[key as keyof typeof rates])}`,
  );
  return [...rows, ...rateRows].map((line) => `${line}\n`).join('');
}

/** A line for each class of recordings, with how many had which finding. */
export function findingTableCsv(table: FindingTable): string {
  const header = ['label', 'found_bonafide', 'found_spoof', 'inconclusive', 'not_assessable', 'failed'];
  const lines = classes.map((name) => csvLine([name, ...columns.map((column) => table[name][column])]));
  return csvLine(header) + lines.join('');
}

function rateJson({ count, of, interval, unit, units }: FindingRate): Record<string, unknown> {
  return { count, of, rate: of === 0 ? null : count / of, interval, unit, units };
}

export function findingTableJson(table: FindingTable): Record<string, unknown> {
  const counts = ({ bonafide, spoof, inconclusive, notAssessable, failed }: FindingTable['bonafide']) => ({
    found_bonafide: bonafide,
    found_spoof: spoof,
    inconclusive,
    not_assessable: notAssessable,
    failed,
  });
  return {
    bonafide: counts(table.bonafide),
    spoof: counts(table.spoof),
    right_bonafide: rateJson(table.rightBonafide),
    right_spoof: rateJson(table.rightSpoof),
    false_spoof: rateJson(table.falseSpoof),
    false_bonafide: rateJson(table.falseBonafide),
    inconclusive: rateJson(table.inconclusive),
    not_assessable: rateJson(table.notAssessable),
  };
}
