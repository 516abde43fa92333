/** A child process of the engine that does one task of the laboratory and ends. */
import { constants, setPriority } from 'node:os';
import '../base/no-telemetry.ts';
import type { UserError } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { setWorkerSettings } from '../base/worker-settings.ts';
import type { WorkerSettings } from '../base/worker-settings.ts';
import type { EncoderCard } from '../detector/encoders/encoder.ts';
import { everyTenthSecond } from '../jobs/every-tenth-second.ts';
import type { EvaluateEvent, EvaluateRequest } from './evaluate-models.ts';
import type { InspectEvent, InspectRequest, InspectResult } from './inspect-dataset.ts';
import type { Recognised } from './recognise-dataset.ts';
import type { SelfTestRecord } from './selftest.ts';
import type { TrainModelEvent, TrainingRequest } from './train-model.ts';
import type { TrialRequest, TrialResult } from '../models/detector-trial.ts';
import { userError } from '../jobs/user-error.ts';

/** What a child can be asked for, what it tells meanwhile, and what it answers. */
export interface LaboratoryTasks {
  train: {
    request: { request: TrainingRequest; application: string };
    event: TrainModelEvent;
    result: { onnxSha256: string };
  };
  evaluate: { request: EvaluateRequest; event: EvaluateEvent; result: null };
  inspect: { request: InspectRequest; event: InspectEvent; result: InspectResult };
  recognise: { request: { path: string }; event: Recognised; result: null };
  selftest: { request: { application: string }; event: never; result: SelfTestRecord };
  /** Runs a foreign graph on windows made for it. */
  tryDetector: { request: TrialRequest; event: never; result: TrialResult };
  tryEncoder: { request: { path: string; card: EncoderCard }; event: never; result: TrialResult };
}
type TaskName = keyof LaboratoryTasks;

export type ToLaboratory =
  | { type: 'settings'; settings: WorkerSettings }
  | { [Name in TaskName]: { type: 'task'; name: Name; request: LaboratoryTasks[Name]['request'] } }[TaskName]
  | { type: 'abort' };

export type FromLaboratory<Name extends TaskName> =
  | { type: 'event'; event: LaboratoryTasks[Name]['event'] }
  | { type: 'done'; result: LaboratoryTasks[Name]['result'] }
  | { type: 'failed'; user: UserError | null; stack: string };

type Tell<Name extends TaskName> = (event: LaboratoryTasks[Name]['event']) => void;
type Perform<Name extends TaskName> = (
  request: LaboratoryTasks[Name]['request'],
  tell: Tell<Name>,
  signal: AbortSignal,
) => Promise<LaboratoryTasks[Name]['result']>;

const tasks: { [Name in TaskName]: Perform<Name> } = {
  train: async ({ request, application }, tell, signal) => {
    const { trainModel } = await import('./train-model.ts');
    const seldom = everyTenthSecond();
    const { onnxSha256 } = await trainModel(request, application, {
      signal,
      onEvent: (event) => {
        const counting = event.type === 'prepare' || event.type === 'score';
        // The first says that something new begins.
        if (!counting || event.done <= 1 || event.done === event.total || seldom()) tell(event);
      },
    });
    return { onnxSha256 };
  },
  evaluate: async (request, tell, signal) => {
    const { evaluateModels } = await import('./evaluate-models.ts');
    await evaluateModels(request, tell, signal);
    return null;
  },
  inspect: async (request, tell, signal) => {
    const { inspectAndCheck } = await import('./inspect-dataset.ts');
    return inspectAndCheck(request, tell, signal);
  },
  recognise: async ({ path }, tell, signal) => {
    const { recogniseDataset } = await import('./recognise-dataset.ts');
    for await (const found of recogniseDataset(path)) {
      signal.throwIfAborted();
      tell(found);
    }
    return null;
  },
  selftest: async ({ application }, _, signal) => {
    const { selfTest } = await import('./selftest.ts');
    return (await selfTest(application, { signal })).record;
  },
  tryDetector: async (request) => {
    const { tryDetector } = await import('../models/detector-trial.ts');
    return tryDetector(request);
  },
  tryEncoder: async (request) => {
    const { tryEncoder } = await import('../models/detector-trial.ts');
    return tryEncoder(request);
  },
};

/** How long the child of an engine that is gone may take to save what it has. */
const orphanMilliseconds = 60_000;

const controller = new AbortController();
const abort = (): void => controller.abort(new DOMException('The work was stopped.', 'AbortError'));

function send<Name extends TaskName>(message: FromLaboratory<Name>, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, then);
  else then();
}

/** Ends without waiting for what native libraries hold. */
const leave = (): never => process.exit(0);

async function perform<Name extends TaskName>(name: Name, request: LaboratoryTasks[Name]['request']): Promise<void> {
  try {
    const result = await tasks[name](request, (event) => send<Name>({ type: 'event', event }), controller.signal);
    send<Name>({ type: 'done', result }, leave);
  } catch (error) {
    const user = error instanceof UserFacingError ? userError(error) : null;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send<Name>({ type: 'failed', user, stack }, leave);
  }
}

// Ctrl-C reaches the whole group of processes: the engine says what is to be done.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', abort);
process.on('disconnect', () => {
  abort();
  setTimeout(leave, orphanMilliseconds);
});
process.on('message', (message: ToLaboratory) => {
  if (message.type === 'abort') abort();
  else if (message.type === 'settings') setWorkerSettings(message.settings);
  else void perform(message.name, message.request as never);
});
try {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // It is slower for others then, that is all.
}
