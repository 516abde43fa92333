/** Each model looks in every plot of the window as it was first drawn. */
import { lookAt, modelColourCount, type ModelLook } from '../../src-common/plots/theme.ts';
import { keep, kept } from '../state/kept.ts';

type Known = [key: string, look: number][];
const storeKey = 'model-colours';
const remembered = 200;
const isKnown = (value: unknown): value is Known =>
  Array.isArray(value) &&
  value.every(
    (entry) =>
      Array.isArray(entry) &&
      typeof entry[0] === 'string' &&
      Number.isInteger(entry[1]) &&
      entry[1] >= 0 &&
      entry[1] < modelColourCount,
  );

/**
 * Looks of models that stand in one plot, none twice. Each keeps the look that it was first given, everywhere and from one
 * start to the next; only where two of the same look meet does the later one get another.
 * @param keys the models' SHA-256, at most six.
 */
export function modelLooks(keys: readonly string[]): Map<string, ModelLook> {
  const known = new Map(kept<Known>(storeKey, [], isKnown));
  const before = known.size;
  const taken = new Set<number>();
  const looks = new Map<string, ModelLook>();
  for (const key of keys) {
    const own = known.get(key);
    let index = own ?? leastUsed(known);
    for (let tried = 0; tried < modelColourCount && taken.has(index); tried++) index = (index + 1) % modelColourCount;
    if (own === undefined) known.set(key, index);
    taken.add(index);
    looks.set(key, lookAt(index));
  }
  if (known.size > before) keep(storeKey, [...known].slice(-remembered));
  return looks;
}

function leastUsed(known: ReadonlyMap<string, number>): number {
  const uses = new Array<number>(modelColourCount).fill(0);
  for (const index of known.values()) uses[index]++;
  return uses.indexOf(Math.min(...uses));
}
