/** Which items of a case a command is for: the filters that the window's table has. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { findings } from '../../src-common/findings.ts';
import type { Finding } from '../../src-common/findings.ts';
import type { EvidenceWhere } from '../../src-common/schemas/evidence-filter.ts';
import { UserFacingError } from '../base/errors.ts';
import type { EvidenceFilter } from '../cases/evidence-table.ts';
import type { CaseStore } from '../cases/store.ts';
import { collected } from './context.ts';

const states = ['none', 'failed', 'flagged', 'stretches'] as const;
type Found = Finding | (typeof states)[number];

/** As the command line gives them. */
export interface FilterOptions {
  find?: string;
  finding?: Found[];
  codec?: string[];
  rate?: number[];
  minLength?: number;
  maxLength?: number;
  date?: 'added' | 'received' | 'modified';
  since?: string;
  until?: string;
  flag?: string[];
  tag?: string[];
  reviewed?: boolean;
  notReviewed?: boolean;
  known?: boolean;
  notKnown?: boolean;
}

/** @param names.labelling for a command that has `--tag`, `--reviewed` and `--not-reviewed` for what it does: these filters have names of their own */
export function addFilterOptions(command: Command, { labelling = false }: { labelling?: boolean } = {}): void {
  const named = labelling ? ['tagged', 'if-reviewed', 'if-not-reviewed'] : ['tag', 'reviewed', 'not-reviewed'];
  const [tag, reviewed, notReviewed] = named.map((name) => `--${name}`);
  command
    .optionsGroup('Which items (of several filters all must hold, of several values of one any):')
    .option('--find <words>', 'with these words in name, finding, limits or tags')
    .option('--finding <finding>', `${[...findings, ...states].join(', ')}; may be repeated`, found)
    .option('--codec <name>', 'of this codec, as pcm_s16le; may be repeated', collected)
    .option('--rate <hz>', 'of this sampling rate; may be repeated', rates)
    .option('--min-length <seconds>', 'at least so long', seconds)
    .option('--max-length <seconds>', 'at most so long', seconds)
    .addOption(new Option('--date <which>', 'of which date the days are').choices(['added', 'received', 'modified']))
    .option('--since <day>', 'from this day on (UTC), as 2026-11-30', day)
    .option('--until <day>', 'until this day, it among them', day)
    .option('--flag <code>', 'with this limit, by its code in JSON and CSV; may be repeated', collected)
    .option(`${tag} <text>`, 'with this tag; may be repeated', collected)
    .addOption(new Option(reviewed, 'that are reviewed').conflicts(labelling ? 'ifNotReviewed' : 'notReviewed'))
    .option(notReviewed, 'that are not reviewed yet')
    .addOption(new Option('--known', 'that are in a list of known hashes').conflicts('notKnown'))
    .option('--not-known', 'that are in none')
    .optionsGroup('Options:');
}

function found(text: string, before: Found[] = []): Found[] {
  const one = [...findings, ...states].find((name) => name === text);
  if (one === undefined) throw new InvalidArgumentError(`It must be one of: ${[...findings, ...states].join(', ')}.`);
  return [...before, one];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('It must be a number of seconds, zero or more.');
  }
  return value;
}

function rates(text: string, before: number[] = []): number[] {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a rate in Hz.');
  return [...before, value];
}

function day(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  // 30 February would be another day.
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(time) || !new Date(time).toISOString().startsWith(text)) {
    throw new InvalidArgumentError('It must be a day, as 2026-11-30.');
  }
  return text;
}

/** What was asked for, for the table of items; null where all are meant. @throws UserFacingError `usage` */
export function filterOf(options: FilterOptions): EvidenceFilter | null {
  const { find = '', finding = [], codec, rate, minLength, maxLength, date, since, until, flag, tag } = options;
  if (date !== undefined && since === undefined && until === undefined) {
    throw new UserFacingError('usage', '--date says of which date --since and --until are: give one of these.');
  }
  const either = (yes: boolean | undefined, no: boolean | undefined): boolean | undefined =>
    yes ? true : no ? false : undefined;
  const asked: { [Key in keyof EvidenceWhere]: EvidenceWhere[Key] | undefined } = {
    ...{ codecs: codec, sampleRatesHz: rate, minSeconds: minLength, maxSeconds: maxLength },
    ...{ date, from: since, to: until, flags: flag, tags: tag },
    reviewed: either(options.reviewed, options.notReviewed),
    known: either(options.known, options.notKnown),
  };
  const where: EvidenceWhere = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  if (find === '' && finding.length === 0 && Object.keys(where).length === 0) return null;
  return { filter: find, findings: finding, where, order: { by: 'id', descending: false } };
}

/** The items that match. @throws UserFacingError `no-match`, with what there is, where none does */
export async function matching(store: CaseStore, filter: EvidenceFilter): Promise<number[]> {
  const ids = await store.evidence.ids(filter);
  if (ids.length > 0) return ids;
  const { codecs, sampleRatesHz, flags, tags } = await store.evidence.facets();
  const kinds = [
    ['codecs', codecs],
    ['rates', sampleRatesHz],
    ['limits', flags],
    ['tags', tags],
  ] as const;
  const there = kinds.flatMap(([name, values]) =>
    values.length === 0
      ? []
      : [
          `${name} ${values
            .slice(0, 20)
            .map(({ value }) => value)
            .join(', ')}`,
        ],
  );
  throw new UserFacingError('no-match', 'No item of the case matches.', {
    ...(there.length === 0 ? {} : { advice: `There are: ${there.join('; ')}.` }),
  });
}
