import { chooseControls, controlHistory, runControls } from '../laboratory/controls.ts';
import type { EngineContext } from './context.ts';
import { usedDataset } from './datasets.ts';
import { os } from './implementer.ts';
import { modelFor } from './resume.ts';

export function controlsProcedures(context: EngineContext) {
  const { home, application } = context;
  const by = (): string => context.cases.session.actor();
  return {
    history: os.controls.history.handler(async ({ input }) => {
      const { onnxSha256 } = await modelFor(context, input.modelId);
      const { set, models: all } = await controlHistory(home);
      const judged = all.find(([{ run }]) => run.model.sha256 === onnxSha256) ?? [];
      return { recordings: set?.recordings.length ?? 0, runs: judged.map(({ run }) => run) };
    }),
    choose: os.controls.choose.handler(async ({ input }) => {
      const dataset = await usedDataset(context, input.dataset);
      await chooseControls(home, { ...input, dataset, seed: 1, by: by() });
      return {};
    }),
    run: os.controls.run.handler(async ({ input: { modelId, role, reason }, signal }) => {
      const model = await modelFor(context, modelId);
      await runControls(home, model, { application, by: by(), role, reason: reason || undefined, signal });
      return {};
    }),
  };
}
