import { UserFacingError } from '../../base/errors.ts';
import type { RepeatedSound } from '../check.ts';
import { splitItems, splitNames } from '../split.ts';
import type { SplitKey } from '../split.ts';
import type { Collection } from './collection.ts';
import { itemsOf } from './use.ts';

/**
 * Deals a collection's entries to train, dev and test, as `splitItems` does; writes nothing.
 * @throws UserFacingError `collection` where what hangs together leaves a split empty
 */
export function dealt(
  collection: Collection,
  options: { shares: readonly number[]; by: readonly SplitKey[]; seed: number; repeated: readonly RepeatedSound[] },
): Map<number, string | null> {
  const { rows } = collection.list(null);
  const { items, components, largest } = splitItems(itemsOf(rows), options);
  const reached = new Set(items.map(({ split }) => split));
  const lacking = splitNames.filter((name, index) => options.shares[index] > 0 && !reached.has(name));
  if (lacking.length > 0) {
    throw new UserFacingError(
      'collection',
      `${collection.name} cannot be dealt so that ${lacking.join(' and ')} ${lacking.length === 1 ? 'gets' : 'get'} entries: by ${options.by.join(' and ')} they hang together in ${components} ${components === 1 ? 'set' : 'sets'}, the largest with ${largest} of ${rows.length}. Nothing was changed.`,
      {
        path: collection.path,
        advice: 'Hold less together, for instance speakers alone, or leave a split out by a share of 0.',
      },
    );
  }
  return new Map(items.map(({ split }, index) => [rows[index].id, split]));
}
