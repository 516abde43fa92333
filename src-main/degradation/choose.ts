import { UserFacingError } from '../base/errors.ts';
import { channelNames, degradations, thresholdFamilies } from './catalogue.ts';
import type { Degradation } from './catalogue.ts';

/** Several at once. */
const groups = new Map<string, readonly string[]>([
  ['channels', channelNames],
  ['thresholds', degradations.filter(({ family }) => thresholdFamilies.includes(family)).map(({ name }) => name)],
]);

/**
 * Degradations by name, in the catalogue's order; all without names, `channels` for those of the lab book, `thresholds` for those that
 * thresholds of what is assessable follow from.
 * @throws UserFacingError `usage` for a name that there is not.
 */
export function chooseDegradations(names?: readonly string[]): Degradation[] {
  if (names === undefined) return [...degradations];
  const wanted = new Set(names.flatMap((name) => groups.get(name) ?? [name]));
  const unknown = [...wanted].find((wish) => degradations.every(({ name }) => name !== wish));
  if (unknown !== undefined) {
    throw new UserFacingError('usage', `There is no degradation ${unknown}.`, {
      advice: `There are: ${[...groups.keys()].join(', ')}, ${degradations.map(({ name }) => name).join(', ')}.`,
    });
  }
  return degradations.filter(({ name }) => wanted.has(name));
}
