/** How often a model's findings were right on labelled recordings, as results and reports say it beside a finding. */
import { findingLeans, findingWords, type Finding } from './findings.ts';
import type { FindingRate, FindingRecord } from './schemas/finding-record.ts';

/** In whole percent; none and all are said of none and all only. */
function percent(count: number, of: number): string {
  const rounded = Math.round((100 * count) / of);
  if (rounded === 100 && count < of) return 'over 99 %';
  return rounded === 0 && count > 0 ? 'under 1 %' : `${rounded} %`;
}

/** `45 of 52, 87 % (95 % interval 71 to 95 %)`; counts alone where there are too few units for more. */
export function rateText({ count, of, interval, unit, units }: FindingRate): string {
  if (of === 0) return 'none';
  const counted = `${count} of ${of}`;
  if (interval === null) return `${counted} (${units} ${units === 1 ? unit.slice(0, -1) : unit}: too few for a rate)`;
  const [low, high] = interval.map((end) => Math.round(100 * end));
  return `${counted}, ${percent(count, of)} (95 % interval ${low} to ${high} %)`;
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

/** The reason that a recording lies beyond a card's limit of distance, which by itself forbids no finding. */
const unusualCode = 'unusual';

/**
 * What the record does not speak for: a recording that lies beyond the distance at which there are few. As length and band do where
 * they were not measured, it limits what the finding is worth; null where it limits nothing.
 * @param codes of the result's reasons
 */
export function recordCaveat(finding: Finding, codes: readonly string[]): string | null {
  if (findingLeans(finding) === null || !codes.includes(unusualCode)) return null;
  return 'This recording lies beyond the limit of what that was counted on (why stands among the reasons): how often such findings are right so far out is not known.';
}

/** The record that says most: of recordings of most independent units, none of which the calibration was fitted on; null where there is none. */
export function tellingRecord(records: readonly FindingRecord[]): FindingRecord | null {
  return records
    .filter(({ calibratedOn }) => !calibratedOn)
    .reduce<FindingRecord | null>(
      (most, one) => (most === null || one.inconclusive.units > most.inconclusive.units ? one : most),
      null,
    );
}

/** What stands above a table of findings: `On fresh, “looks synthetic” was right in 151 of 168, …`. Counts alone. */
export function recordCounts(record: FindingRecord, status: 'screening' | 'validated'): string {
  const [spoof, bonafide] =
    status === 'screening'
      ? (['looks-spoof', 'looks-bona-fide'] as const)
      : (['supports spoof', 'supports bona fide'] as const);
  const counted = ({ count, of }: FindingRate): string => `${count} of ${of}`;
  return (
    `On ${recordName(record)}, “${findingWords[spoof]}” was right in ${counted(record.rightSpoof)}, ` +
    `“${findingWords[bonafide]}” in ${counted(record.rightBonafide)}; inconclusive were ${counted(record.inconclusive)}.`
  );
}
