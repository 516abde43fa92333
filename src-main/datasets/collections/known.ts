import type { ListedCollection } from '../../../src-common/schemas/collection.ts';
import { UserFacingError } from '../../base/errors.ts';
import { dataFolder } from '../../base/home.ts';
import { Collection } from './collection.ts';
import { collectionName, collectionPath, knownPlaces } from './places.ts';

/** Every collection that is known here, with its versions; one that cannot be opened says why. */
export async function listCollections(home = dataFolder()): Promise<ListedCollection[]> {
  return (await knownPlaces(home)).map((place) => {
    const about = { place, name: place, path: place, entries: 0, versions: [], problem: null };
    try {
      const path = collectionPath(place, home);
      const collection = Collection.open(path);
      try {
        return {
          ...about,
          ...{ name: collectionName(path), path, entries: collection.count() },
          versions: collection.versions().map(({ name, entries }) => ({ name, entries })),
        };
      } finally {
        collection.close();
      }
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      return { ...about, problem: error.sentence };
    }
  });
}
