import { UserFacingError } from '../base/errors.ts';
import { channelNames, degradations } from './catalogue.ts';
import type { Degradation } from './catalogue.ts';

/**
 * Degradations by name, in the catalogue's order; all without names, `channels` for those of the lab book.
 * @throws UserFacingError `usage` for a name that there is not.
 */
export function chooseDegradations(names?: readonly string[]): Degradation[] {
  if (names === undefined) return [...degradations];
  const wanted = new Set(names.flatMap((name) => (name === 'channels' ? channelNames : [name])));
  const unknown = [...wanted].find((wish) => degradations.every(({ name }) => name !== wish));
  if (unknown !== undefined) {
    throw new UserFacingError('usage', `There is no degradation ${unknown}.`, {
      advice: `There are: channels, ${degradations.map(({ name }) => name).join(', ')}.`,
    });
  }
  return degradations.filter(({ name }) => wanted.has(name));
}
