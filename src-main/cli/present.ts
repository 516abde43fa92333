import { basename } from 'node:path';
import { reasonWords } from '../../src-common/reason-words.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { Option } from 'commander';
import { findingWords } from '../../src-common/findings.ts';
import type { Finding } from '../../src-common/findings.ts';
import type { StoredModel } from '../detector/store.ts';
import { unsealedNote } from '../detector/unsealed.ts';
import type { ScannedFile } from '../reports/scan-results.ts';
import { colour } from './context.ts';

/** What a likelihood ratio of a model for screening is worth. */
export const screeningCaution = 'of a screening model: it was not validated on such recordings and is no evidence';

export function showLlrOption(): Option {
  return new Option('--show-llr', 'show the likelihood ratio of a screening model, too; it is no evidence');
}

/** Whether likelihood ratios are shown to people: those of a screening model only where they are asked for. */
export function showsRatios({ card }: StoredModel, { showLlr }: { showLlr?: boolean }): boolean {
  return card.status === 'validated' || showLlr === true;
}

/** The model in a line, with what its status means. */
export function modelLine({ card, onnxSha256, insteadOf }: StoredModel): string {
  const status =
    card.status === 'screening' ? 'screening: fit to sort recordings, not as evidence' : 'validated by a laboratory';
  const unsealed = card.notes.includes(unsealedNote) ? ` ${unsealedNote}` : '';
  const instead = insteadOf === undefined ? '' : ` ${insteadOf}`;
  return `Model ${visibleName(card.name)} (${onnxSha256.slice(0, 12)}), ${status}.${unsealed}${instead}`;
}

const signs: Record<Finding, string> = {
  'supports bona fide': '+',
  'supports spoof': '-',
  'looks-bona-fide': '+',
  'looks-spoof': '-',
  inconclusive: '~',
  'not assessable': 'x',
};

const colours = {
  'supports bona fide': 'blue',
  'supports spoof': 'yellow',
  'looks-bona-fide': 'gray',
  'looks-spoof': 'gray',
  inconclusive: 'gray',
  'not assessable': 'gray',
} as const;

/** A finding with its sign, and in colour on a terminal. */
export function findingText(finding: Finding, stream: NodeJS.WriteStream, width = 0): string {
  return colour(colours[finding], `${signs[finding]} ${findingWords[finding]}`.padEnd(width), stream);
}

/** log10 of the likelihood ratio, with a sign and two digits. */
export function log10LikelihoodRatio(llr: number | null): string {
  if (llr === null) return '';
  const value = llr / Math.LN10;
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
}

const nameWidth = 44;

/** Shortened in the middle, so that a name's end stays readable. */
function shortened(name: string): string {
  const plain = visibleName(name);
  if (plain.length <= nameWidth) return plain.padEnd(nameWidth);
  return `${plain.slice(0, nameWidth - 19)}…${plain.slice(-18)}`;
}

/** @param ratios whether there is a column of likelihood ratios. */
export function tableHeader(ratios: boolean): string {
  return `${'recording'.padEnd(nameWidth)}  ${'seconds'.padStart(8)}  ${'finding'.padEnd(20)}  ${'score'.padStart(8)}  ${ratios ? `${'log10 LR'.padStart(8)}  ` : ''}reasons`;
}

/** A row of the table of a scan. */
export function tableLine(file: ScannedFile, onTerminal: boolean, ratios: boolean): string {
  const name = shortened(basename(file.path));
  if (file.analysis === null) return `${name}  ${' '.repeat(8)}  failed: ${visibleName(file.error?.message ?? '')}`;
  const { durationSeconds, finding, score, llr, reasons } = file.analysis;
  const found = onTerminal
    ? findingText(finding, process.stdout, 20)
    : `${signs[finding]} ${findingWords[finding]}`.padEnd(20);
  const cells = [
    name,
    durationSeconds.toFixed(2).padStart(8),
    found,
    (score === null ? '' : score.toFixed(3)).padStart(8),
    ...(ratios ? [log10LikelihoodRatio(llr).padStart(8)] : []),
    reasons.map((reason) => reasonWords(reason.code)).join('; '),
  ];
  return cells.join('  ').trimEnd();
}
