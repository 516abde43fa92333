import { availableParallelism } from 'node:os';
import { UserFacingError } from '../base/errors.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import type { MeasuredFile, MeasureRequest } from './measure.ts';
import type { DatasetItem } from './types.ts';

/** What became of one recording: what was measured, or why it could not be read. */
export type Measured = MeasuredFile | UserFacingError;

/** Fingerprints of all recordings together take no more than about so much memory, unless they would become too short. */
const fingerprintBytes = 600e6;
const fingerprintBytesPerSecond = 1250;
const fingerprintSeconds = [3, 10] as const;

/**
 * Decodes and measures every recording, on all cores.
 * @returns one for each item, in order.
 * @throws the signal's reason when it fires.
 */
export async function measureAll(
  items: readonly DatasetItem[],
  options: { signal?: AbortSignal; onProgress?: (done: number, total: number) => void; jobs?: number } = {},
): Promise<Measured[]> {
  const { signal } = options;
  const affordable = fingerprintBytes / fingerprintBytesPerSecond / Math.max(1, items.length);
  const seconds = Math.min(fingerprintSeconds[1], Math.max(fingerprintSeconds[0], affordable));
  const jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), items.length));
  let done = 0;
  return withPool(
    { worker: 'datasets/measure-worker', count: jobs, signal },
    (pool: WorkerPool<MeasureRequest, MeasuredFile>) =>
      Promise.all(
        items.map(async ({ path }) => {
          const measured = await pool.run({ path, fingerprintSeconds: seconds }).catch((error: unknown) => {
            if (error instanceof UserFacingError) return error;
            throw error;
          });
          options.onProgress?.(++done, items.length);
          return measured;
        }),
      ),
  );
}
