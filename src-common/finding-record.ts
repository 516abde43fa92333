/** How often a model's findings were right on labelled recordings: what its card, results and reports say beside a finding. */
import { z } from 'zod';
import { findingLeans, findingWords, type Finding } from './findings.ts';

const countsSchema = z.object({
  /** Found, or looking, bona fide. */
  bonafide: z.int(),
  /** Found, or looking, synthetic. */
  spoof: z.int(),
  inconclusive: z.int(),
  notAssessable: z.int(),
  /** Could not be read. */
  failed: z.int(),
});

export const rateSchema = z.object({
  count: z.int(),
  of: z.int(),
  /** 95 %; null where there are too few independent units for one, or nothing to count. */
  interval: z.tuple([z.number(), z.number()]).nullable(),
  /** What counts as independent, and how many of them the recordings are from. */
  unit: z.enum(['sources', 'speakers', 'files']),
  units: z.int(),
});
export type FindingRate = z.infer<typeof rateSchema>;

/** Findings by what the recordings are: three ways, and what was not assessed. */
export const findingTableSchema = z.object({
  /** Of the bona fide recordings. */
  bonafide: countsSchema,
  /** Of the spoofs. */
  spoof: countsSchema,
  /** Of the findings for either class, those that were right. They depend on how many of each class there are. */
  rightBonafide: rateSchema,
  rightSpoof: rateSchema,
  /** Of the bona fide recordings that were assessed, those found synthetic; of such spoofs, those found bona fide. */
  falseSpoof: rateSchema,
  falseBonafide: rateSchema,
  /** Of all that were assessed. */
  inconclusive: rateSchema,
  /** Of all that could be read. */
  notAssessable: rateSchema,
});
export type FindingTable = z.infer<typeof findingTableSchema>;

/** The table of one split, as a card keeps it. */
export const findingRecordSchema = findingTableSchema.extend({
  dataset: z.string(),
  split: z.string(),
  /** The calibration, with the band of inconclusive findings, was fitted on these very recordings. */
  calibratedOn: z.boolean(),
});
export type FindingRecord = z.infer<typeof findingRecordSchema>;

const percent = (value: number): string => `${Math.round(100 * value)} %`;

/** `45 of 52, 87 % (95 % interval 71 to 95 %)`; counts alone where there are too few units for more. */
export function rateText({ count, of, interval, unit, units }: FindingRate): string {
  if (of === 0) return 'none';
  const counted = `${count} of ${of}`;
  if (interval === null) return `${counted} (${units} ${units === 1 ? unit.slice(0, -1) : unit}: too few for a rate)`;
  const [low, high] = interval.map((end) => Math.round(100 * end));
  return `${counted}, ${percent(count / of)} (95 % interval ${low} to ${high} %)`;
}

/** Where it was measured, in a word. */
function recordName({ split }: FindingRecord): string {
  return split === 'all' ? 'all recordings' : split;
}

/**
 * How often such a finding was right, and how many were inconclusive: a sentence for each record. Empty for a recording that
 * is not assessable.
 */
export function recordSentences(finding: Finding, records: readonly FindingRecord[]): string[] {
  if (finding === 'not assessable') return [];
  const leaning = findingLeans(finding);
  return records.map((record) => {
    const right = leaning === 'bonafide' ? record.rightBonafide : record.rightSpoof;
    const sentences: string[] = [];
    if (leaning !== null) {
      sentences.push(
        right.of === 0
          ? `no recording was found “${findingWords[finding]}”`
          : `“${findingWords[finding]}” was right in ${rateText(right)}`,
      );
    }
    sentences.push(`inconclusive were ${rateText(record.inconclusive)}`);
    const fitted = record.calibratedOn
      ? ' Its calibration was fitted on these recordings: elsewhere it errs more.'
      : '';
    return `On ${recordName(record)}, ${sentences.join('; ')}.${fitted}`;
  });
}
