/** Which degradations a measurement is to go through. */
import type { Degradation } from '../../../src-common/schemas/robustness.ts';

export type DegradationChoice = 'channels' | 'all' | 'own';

/** A family with its degradations, in the order of the catalogue. */
export interface DegradationFamily {
  family: string;
  members: Degradation[];
}

export function familiesOf(catalogue: readonly Degradation[]): DegradationFamily[] {
  return [...Map.groupBy(catalogue, ({ family }) => family)].map(([family, members]) => ({ family, members }));
}

/** Those that a choice means. @param own names, for a choice of one's own */
export function chosenOf(
  catalogue: readonly Degradation[],
  choice: DegradationChoice,
  own: readonly string[],
): Degradation[] {
  if (choice === 'all') return [...catalogue];
  return catalogue.filter(({ isChannel, name }) => (choice === 'channels' ? isChannel : own.includes(name)));
}

/** The choice with a whole family, or one strength of it, taken in or left out. */
export function withNames(own: readonly string[], names: readonly string[], on: boolean): string[] {
  const others = own.filter((name) => !names.includes(name));
  return on ? [...others, ...names] : others;
}
