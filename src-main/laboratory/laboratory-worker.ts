/** A child process of the engine that does one task of the laboratory and ends. */
import '../base/no-telemetry.ts';
import { performTasks } from '../jobs/child-tasks.ts';
import { everyTenthSecond } from '../jobs/every-tenth-second.ts';
import type { CalibrationRequest } from './calibrate-model.ts';
import type { EvaluateEvent, EvaluateRequest } from './evaluate-models.ts';
import type { InspectEvent, InspectRequest, InspectResult } from './inspect-dataset.ts';
import type { RobustnessEvent, RobustnessRequest } from './measure-robustness.ts';
import type { DatasetGuess } from './recognise-dataset.ts';
import type { SelfTestRecord } from './selftest.ts';
import type { TrainModelEvent } from './train-model.ts';
import type { TrainingOptions } from './training-options.ts';
import type { ValidationRequest } from './validate-model.ts';

/** What a child can be asked for, what it tells meanwhile, and what it answers. */
export interface LaboratoryTasks {
  train: {
    request: { request: TrainingOptions; application: string };
    event: TrainModelEvent;
    result: { onnxSha256: string };
  };
  evaluate: { request: EvaluateRequest; event: EvaluateEvent; result: null };
  robustness: { request: RobustnessRequest; event: RobustnessEvent; result: null };
  inspect: { request: InspectRequest; event: InspectEvent; result: InspectResult };
  recognise: { request: { path: string }; event: DatasetGuess; result: null };
  calibrate: {
    /** `key`: as `openedKey` gives it, of a validation. */
    request: { request: CalibrationRequest | ValidationRequest; application: string; key: Uint8Array | null };
    event: { done: number; total: number };
    /** Of a validation false where a criterion was not met. */
    result: { written: boolean };
  };
  selftest: { request: { application: string }; event: never; result: SelfTestRecord };
}

performTasks<LaboratoryTasks>({
  train: async ({ request, application }, tell, signal) => {
    const { trainModel } = await import('./train-model.ts');
    const isDue = everyTenthSecond();
    const { onnxSha256 } = await trainModel(request, application, {
      signal,
      onEvent: (event) => {
        const counting = event.type === 'prepare' || event.type === 'embed' || event.type === 'score';
        // The first says that something new begins.
        if (!counting || event.done <= 1 || event.done === event.total || isDue()) tell(event);
      },
    });
    return { onnxSha256 };
  },
  evaluate: async (request, tell, signal) => {
    const { evaluateModels } = await import('./evaluate-models.ts');
    await evaluateModels(request, tell, signal);
    return null;
  },
  robustness: async (request, tell, signal) => {
    const { measureRobustness } = await import('./measure-robustness.ts');
    await measureRobustness(request, tell, signal);
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
  calibrate: async ({ request, application, key }, tell, signal) => {
    const isDue = everyTenthSecond();
    const options = {
      signal,
      onProgress: (done: number, total: number) => {
        if (done === total || isDue()) tell({ done, total });
      },
    };
    if ('stated' in request) {
      const { takeOpenedKey } = await import('../cases/keys.ts');
      if (key !== null) takeOpenedKey(key);
      const { validateModel } = await import('./validate-model.ts');
      return { written: (await validateModel(request, application, options)).model !== null };
    }
    const { calibrateModel } = await import('./calibrate-model.ts');
    await calibrateModel(request, application, options);
    return { written: true };
  },
  selftest: async ({ application }, _, signal) => {
    const { selfTest } = await import('./selftest.ts');
    return (await selfTest(application, { signal })).record;
  },
});
