/** Copies of a dataset's recordings as a telephone line leaves them, to train and to measure on. */
import { join } from 'node:path';
import { decode } from '../audio/decode.ts';
import { drawTelephoneLine, overTelephone, telephoneRateHz } from '../audio/telephone.ts';
import { describeError } from '../base/errors.ts';
import { ensureFolder, writeFileWhole } from '../base/files.ts';
import { Random } from '../base/random.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { wavBytes } from '../audio/wav-writer.ts';

/** Of full-band sound, so that a copy starts with all that a line may cut. */
const sourceRateHz = 16_000;

/** What was done to a copy, for the manifest. */
function wordsFor({ line, gainDb }: ReturnType<typeof drawTelephoneLine>): string {
  const level = `${gainDb.toFixed(1)} dB`;
  return line === null
    ? `8 kHz, ${level}`
    : `8 kHz, ${line.lowHz.toFixed(0)} to ${line.highHz.toFixed(0)} Hz, ${line.law}, ${level}`;
}

/** Where the copy of the recording of that number goes. */
export function copyPath(folder: string, index: number): string {
  return join(folder, `${String(index).padStart(6, '0')}.wav`);
}

/**
 * Writes a copy of each recording, each over a line of its own, 16 bits at 8 kHz.
 * @param folder of the copies; it is made
 * @param seed the same seed, dataset and order: the same copies
 * @returns the copies with what was done to each (`codec`), in the order of the items; those that cannot be read are left out
 * @throws the signal's reason when it fires
 */
export async function makeTelephoneCopies(
  items: readonly DatasetItem[],
  folder: string,
  seed: number,
  options: {
    signal?: AbortSignal;
    onProgress?: (done: number, total: number) => void;
    onProblem?: (path: string, why: string) => void;
  } = {},
): Promise<DatasetItem[]> {
  await ensureFolder(folder);
  const copies: DatasetItem[] = [];
  for (const [index, item] of items.entries()) {
    options.signal?.throwIfAborted();
    // Drawn for every recording, so that one that is missing changes no other.
    const line = drawTelephoneLine(new Random([seed, 8, index]));
    const path = copyPath(folder, index);
    const decoded = await decode(item.path, { sampleRateHz: sourceRateHz }).catch(describeError);
    options.signal?.throwIfAborted();
    if (typeof decoded === 'string') options.onProblem?.(item.path, decoded);
    else {
      await writeFileWhole(path, wavBytes(overTelephone(decoded.samples, sourceRateHz, line), telephoneRateHz));
      copies.push({ ...item, path, codec: wordsFor(line) });
    }
    options.onProgress?.(index + 1, items.length);
  }
  return copies;
}
