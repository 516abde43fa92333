import { UserFacingError } from '../base/errors.ts';
import type { ReportTraces } from '../reports/case-report/snapshot.ts';
import { measureTraces } from '../traces/measure.ts';
import { thinned } from '../traces/thinned.ts';

/** Traces of the mix of a recording for a report; what a person can cause stands in it. @throws the signal's reason */
export async function reportTraces(path: string, signal: AbortSignal): Promise<ReportTraces> {
  try {
    return { measured: thinned(await measureTraces(path, { signal })), problem: null };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserFacingError)) throw error;
    return { measured: null, problem: error.message };
  }
}
