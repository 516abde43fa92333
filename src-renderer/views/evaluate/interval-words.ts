/** From a measurement through degradations to the texts of its table. */
import type { RobustnessRow } from '../../../src-common/schemas/robustness.ts';
import { formatNumber, none } from '../../format.ts';

/** Ends of an interval of rates, in per cent: `[1.0, 2.0]`; empty where there is none. */
export function endsText(interval: readonly [number, number] | null, sign = false): string {
  if (interval === null) return '';
  return `[${interval.map((end) => formatNumber(100 * end, 1, sign)).join(', ')}]`;
}

/** What a degradation costs in EER, signed; none where too little was scored both ways. */
export function differenceText(paired: NonNullable<RobustnessRow['figures']>['paired']): string {
  return paired === null ? none : formatNumber(100 * paired.difference, 1, true);
}
