/** Copies of a dataset's recordings as codecs, lines, noise and rooms leave them, to train on. */
import { describeError } from '../base/errors.ts';
import { ensureFolder, writeFileWhole } from '../base/files.ts';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { Degradation } from '../degradation/catalogue.ts';
import { findEncoder } from '../degradation/codec.ts';
import type { Sound } from '../degradation/sound.ts';
import { wav16 } from '../audio/wav-writer.ts';
import { Degrader, codecChunkLength, codedSounds, voicesFor } from './degraded-sounds.ts';
import { copyPath } from './telephone-copies.ts';

/** A copy to make. */
interface Copy {
  item: DatasetItem;
  path: string;
  /** What is random in the degradation follows from it. */
  key: string;
  degradation: Degradation;
}

/** What each copy goes through: a family of degradations, all families alike, then one of the family. */
function drawCopies(
  items: readonly DatasetItem[],
  folder: string,
  wanted: readonly Degradation[],
  { seed, copies }: { seed: number; copies: number },
): Copy[] {
  const families = [...Map.groupBy(wanted, ({ family }) => family).values()];
  return items.flatMap((item, index) => {
    // Drawn for every recording, so that one that is missing changes no other; no family twice while there are others.
    const random = new Random([seed, 9, index]);
    const order = random.shuffle([...families]);
    return Array.from({ length: copies }, (_, copy) => {
      const family = order[copy % order.length];
      const path = copyPath(folder, index * copies + copy);
      return { item, path, key: `${item.id} ${copy}`, degradation: family[random.below(family.length)] };
    });
  });
}

/**
 * Writes copies of each recording, each through a degradation that is drawn for it, 16 bits at the rate that the degradation leaves.
 * @param folder of the copies; it is made
 * @param wanted degradations to draw from; those whose codec has no encoder here are left out and told
 * @returns the copies with what was done to each (`codec`), in the order of the items; those that cannot be read are left out
 * @throws the signal's reason when it fires; errors of an encoder and of writing
 */
export async function makeDegradedCopies(
  items: readonly DatasetItem[],
  folder: string,
  wanted: readonly Degradation[],
  options: {
    /** The same seed, dataset, degradations and order: the same copies, as far as the encoders are the same. */
    seed: number;
    /** Of each recording. */
    copies: number;
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
    onProblem?: (path: string, why: string) => void;
    onSkipped?: (degradation: Degradation, why: string) => void;
  },
): Promise<DatasetItem[]> {
  const { seed, signal, onProblem } = options;
  await ensureFolder(folder);
  const encoders = new Map(
    await Promise.all(
      wanted.map(async ({ name, how }) => [name, 'codec' in how ? await findEncoder(how.codec) : null] as const),
    ),
  );
  const able = wanted.filter((degradation) => {
    const encoder = encoders.get(degradation.name);
    if (encoder && 'missing' in encoder) options.onSkipped?.(degradation, encoder.missing);
    return !(encoder && 'missing' in encoder);
  });
  if (able.length === 0) return [];
  const copies = drawCopies(items, folder, able, options);
  const degrader = new Degrader(seed, voicesFor(items, seed));
  const made = new Set<Copy>();
  let done = 0;
  const write = async (copy: Copy, sound: Sound | string): Promise<void> => {
    if (typeof sound === 'string') onProblem?.(copy.item.path, sound);
    else {
      await writeFileWhole(copy.path, wav16(sound.samples, sound.sampleRateHz));
      made.add(copy);
    }
    options.onProgress?.(++done, copies.length);
  };
  for (const ofOne of Map.groupBy(copies, ({ degradation }) => degradation).values()) {
    const { degradation } = ofOne[0];
    const encoder = encoders.get(degradation.name) ?? null;
    for (let from = 0; from < ofOne.length; from += codecChunkLength) {
      signal?.throwIfAborted();
      const chunk = ofOne.slice(from, from + codecChunkLength);
      const sounds =
        encoder && !('missing' in encoder)
          ? await codedSounds(chunk.map(({ item }) => item), degradation, encoder, signal) // prettier-ignore
          : await Promise.all(chunk.map(({ item, key }) => degrader.degrade(item.path, key, degradation).catch(describeError))); // prettier-ignore
      for (const [index, copy] of chunk.entries()) await write(copy, sounds[index]);
    }
  }
  return copies
    .filter((copy) => made.has(copy))
    .map(({ item, path, degradation }) => ({ ...item, path, codec: degradation.label }));
}
