/** Measures traces off the calling thread. */
import type { Traces } from '../../src-common/schemas/traces.ts';
import { looking } from '../base/looking.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import type { TraceOptions } from './measure.ts';

export interface TracesWork extends Pick<TraceOptions, 'readAll' | 'channel'> {
  path: string;
  /** Another file is not measured. */
  sha256: string;
  /** Path of a record of the mains (`readReference`). */
  reference?: string;
  /** Seconds done, and of how many; negative while that is unknown. */
  shared: SharedArrayBuffer;
}

/**
 * @param options.onProgress gets the seconds that are done, and how long it is where the header says so; ten times a second
 * @throws UserFacingError as `measureTraces` and `readReference`, `changed` where the file is not the one of that hash; the signal's reason
 */
export async function measureTracesApart(
  work: Omit<TracesWork, 'shared'>,
  { signal, onProgress }: Pick<TraceOptions, 'signal' | 'onProgress'> = {},
): Promise<Traces> {
  const shared = new SharedArrayBuffer(16);
  const numbers = new Float64Array(shared);
  const tell = (): void => {
    if (numbers[0] > 0) onProgress?.(numbers[0], numbers[1] < 0 ? null : numbers[1]);
  };
  return withPool({ worker: 'traces/traces-worker', signal }, (pool: WorkerPool<TracesWork, Traces>) =>
    looking(tell, pool.run({ ...work, shared })),
  );
}
