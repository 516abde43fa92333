import { degradationCatalogue } from '../laboratory/measure-robustness.ts';
import type { EngineContext } from './context.ts';
import { usedDataset } from './datasets.ts';
import { deliver } from './files.ts';
import { os } from './implementer.ts';

export function evaluationProcedures(context: EngineContext) {
  const { evaluations } = context;
  return {
    start: os.evaluation.start.handler(async ({ input }) => {
      const dataset = await usedDataset(context, input.dataset, input.bonafide);
      return { jobId: await evaluations.start({ ...input, dataset }) };
    }),
    degradations: os.evaluation.degradations.handler(() => degradationCatalogue()),
    startRobustness: os.evaluation.startRobustness.handler(async ({ input }) => {
      const dataset = await usedDataset(context, input.dataset, input.bonafide);
      return { jobId: await evaluations.startRobustness({ ...input, dataset }) };
    }),
    list: os.evaluation.list.handler(() => evaluations.list()),
    get: os.evaluation.get.handler(({ input }) => evaluations.get(input.id)),
    delete: os.evaluation.delete.handler(async ({ input }) => {
      await evaluations.delete(input.id);
      return {};
    }),
    export: os.evaluation.export.handler(({ input }) => {
      const file = { name: `evaluation-${input.id.slice(0, 8)}.zip`, type: 'application/zip' };
      return deliver(context, input.out, file, (path) => evaluations.export(input.id, path));
    }),
  };
}
