import { leastUnits } from '../../src-common/interval-rule.ts';
import type { FindingRate, FindingTable } from '../../src-common/schemas/finding-record.ts';
import { findingLeans, type Finding } from '../../src-common/findings.ts';
import { rateInterval, studentQuantile } from './statistics.ts';
import { effectiveCount, independentUnits } from './units.ts';

/** A labelled recording with what was found of it; null where it could not be read. */
export interface FoundRecording {
  bonafide: boolean;
  speaker: string | null;
  source: string | null;
  finding: Finding | null;
}

const confidence = 0.95;

type Column = keyof FindingTable['bonafide'];

function columnOf({ finding }: FoundRecording): Column {
  if (finding === null) return 'failed';
  if (finding === 'not assessable') return 'notAssessable';
  return findingLeans(finding) ?? 'inconclusive';
}

/**
 * A share of recordings with its 95 % interval over sources, as surveys have it (Korn and Graubard, 1998): Clopper and
 * Pearson's on the count over the design effect, which is widened for how few units the effect is known from. Where all or
 * none are hits, what ties recordings of a unit together cannot be seen: then every unit counts once.
 */
function rateOf(members: readonly FoundRecording[], isHit: (one: FoundRecording) => boolean): FindingRate {
  const hits = Float64Array.from(members, (one) => (isHit(one) ? 1 : 0));
  const of = members.length;
  const count = hits.reduce((sum, hit) => sum + hit, 0);
  const { unit, count: units } = independentUnits(members);
  const rate = { count, of, unit, units };
  if (units < leastUnits) return { ...rate, interval: null };
  const alike = count === 0 || count === of;
  const quantile = (degrees: number): number => studentQuantile((1 + confidence) / 2, degrees);
  const effective = alike
    ? units
    : Math.max(1, effectiveCount(members, hits) * (quantile(of - 1) / quantile(units - 1)) ** 2);
  return { ...rate, interval: rateInterval((count / of) * effective, effective, confidence) };
}

/** Findings set against what the recordings are, with the rates that follow. */
export function findingTable(recordings: readonly FoundRecording[]): FindingTable {
  const placed = recordings.map((one) => ({ ...one, column: columnOf(one) }));
  const among = (...columns: Column[]) => placed.filter(({ column }) => columns.includes(column));
  const countsOf = (bonafide: boolean): FindingTable['bonafide'] => {
    const counts = { bonafide: 0, spoof: 0, inconclusive: 0, notAssessable: 0, failed: 0 };
    for (const one of placed) if (one.bonafide === bonafide) counts[one.column]++;
    return counts;
  };
  const is = (column: Column) => (one: FoundRecording) => columnOf(one) === column;
  const assessed = among('bonafide', 'spoof', 'inconclusive');
  return {
    bonafide: countsOf(true),
    spoof: countsOf(false),
    rightBonafide: rateOf(among('bonafide'), ({ bonafide }) => bonafide),
    rightSpoof: rateOf(among('spoof'), ({ bonafide }) => !bonafide),
    falseSpoof: rateOf(
      assessed.filter(({ bonafide }) => bonafide),
      is('spoof'),
    ),
    falseBonafide: rateOf(
      assessed.filter(({ bonafide }) => !bonafide),
      is('bonafide'),
    ),
    inconclusive: rateOf(assessed, is('inconclusive')),
    notAssessable: rateOf(
      placed.filter(({ column }) => column !== 'failed'),
      is('notAssessable'),
    ),
  };
}
