/** Measures traces, and finds stretches, off the calling thread. */
import type { Found, Traces } from '../../src-common/schemas/traces.ts';
import { looking } from '../base/looking.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import type { FindOptions, SearchedSound } from './find.ts';
import type { TraceOptions } from './measure.ts';

interface Shared {
  /** Seconds done, and of how many; negative while that is unknown. */
  shared: SharedArrayBuffer;
}

/** Of another file nothing is measured. */
interface OfHash {
  path: string;
  sha256: string;
}

export interface TracesWork extends Pick<TraceOptions, 'readAll' | 'channel'>, OfHash, Shared {
  /** Path of a record of the mains (`readReference`). */
  reference?: string;
}

export interface FindWork extends Shared {
  of: SearchedSound & OfHash;
  within: SearchedSound & OfHash;
  /** Of the first. */
  span: { startSeconds: number; endSeconds: number };
}

type Options = Pick<FindOptions, 'signal' | 'onProgress'>;

/**
 * @param options.onProgress gets the seconds that are done, and how long it is where the header says so; ten times a second
 * @throws UserFacingError as `measureTraces` and `readReference`, `changed` where the file is not the one of that hash; the signal's reason
 */
export function measureTracesApart(work: Omit<TracesWork, 'shared'>, options: Options = {}): Promise<Traces> {
  return apart<TracesWork, Traces>('traces/traces-worker', work, options);
}

/**
 * @param options.onProgress as for `measureTracesApart`, of the recording that is searched
 * @throws UserFacingError as `stretchOf` and `findStretch`, `changed` where a file is not the one of that hash; the signal's reason
 */
export function findStretchApart(work: Omit<FindWork, 'shared'>, options: Options = {}): Promise<Found> {
  return apart<FindWork, Found>('traces/find-worker', work, options);
}

function apart<Work extends Shared, Result>(
  worker: string,
  work: Omit<Work, 'shared'>,
  { signal, onProgress }: Options,
): Promise<Result> {
  const shared = new SharedArrayBuffer(16);
  const numbers = new Float64Array(shared);
  const tell = (): void => {
    if (numbers[0] > 0) onProgress?.(numbers[0], numbers[1] < 0 ? null : numbers[1]);
  };
  return withPool({ worker, signal }, (pool: WorkerPool<Omit<Work, 'shared'> & Shared, Result>) =>
    looking(tell, pool.run({ ...work, shared })),
  );
}
