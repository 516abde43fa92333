/** A child process of the engine that runs a foreign graph for the first time, and ends. */
import '../base/no-telemetry.ts';
import type { EncoderCard } from '../detector/encoders/encoder.ts';
import { performTasks } from '../jobs/child-tasks.ts';
import type { TrialRequest, TrialResult } from './detector-trial.ts';

/** Runs a foreign graph on windows made for it. */
export interface TrialTasks {
  tryDetector: { request: TrialRequest; event: never; result: TrialResult };
  tryEncoder: { request: { path: string; card: EncoderCard }; event: never; result: TrialResult };
}

performTasks<TrialTasks>({
  tryDetector: async (request) => {
    const { tryDetector } = await import('./detector-trial.ts');
    return tryDetector(request);
  },
  tryEncoder: async (request) => {
    const { tryEncoder } = await import('./detector-trial.ts');
    return tryEncoder(request);
  },
});
