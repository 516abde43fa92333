import { leastRecordings, leastUnits } from '../../src-common/interval-rule.ts';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { DcfCosts } from '../evaluation/dcf.ts';

/** Options of the commands that compute figures. */
export interface FigureOptions {
  pSpoof: number;
  cMiss: number;
  cFa: number;
  replicates: number;
}

/** More than this many replicates take hours on a large set, and change no digit that is shown. */
const mostReplicates = 100_000;

/** Told in the place of intervals over all recordings. */
export const tooFewForIntervals = `No intervals: a class has fewer than ${leastRecordings} recordings, or fewer than ${leastUnits} independent ones.`;

/** Adds the options of the detection cost and of the intervals. */
export function addFigureOptions(command: Command): Command {
  return command
    .option('--p-spoof <probability>', 'prior of a spoof for min DCF and actual DCF (ASVspoof 5)', probability, 0.05)
    .option('--c-miss <cost>', 'cost of rejecting bona fide speech', cost, 1)
    .option('--c-fa <cost>', 'cost of accepting a spoof', cost, 10)
    .option('--replicates <n>', 'bootstrap replicates for the 95 % intervals; 0 for none', replicates, 1000);
}

export function costsOf({ pSpoof, cMiss, cFa }: FigureOptions): DcfCosts {
  return { priorSpoof: pSpoof, costMiss: cMiss, costFalseAccept: cFa };
}

/** Takes an option that may come several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}

function probability(text: string): number {
  const value = numberOf(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('It must be a number between 0 and 1.');
  return value;
}

function cost(text: string): number {
  const value = numberOf(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError('It must be a number above zero.');
  return value;
}

function replicates(text: string): number {
  const value = numberOf(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > mostReplicates) {
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${mostReplicates}.`);
  }
  return value;
}
