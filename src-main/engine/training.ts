import type { EngineContext } from './context.ts';
import { noteDataset, readableDataset } from './datasets.ts';
import { os } from './implementer.ts';

export function trainingProcedures(context: EngineContext) {
  const { trainings } = context;
  return {
    start: os.training.start.handler(async ({ input }) => {
      await readableDataset(context, input.dataset, input.bonafide);
      await noteDataset(context.home, input.dataset);
      return { jobId: await trainings.start(input) };
    }),
    list: os.training.list.handler(() => trainings.list()),
    get: os.training.get.handler(({ input }) => trainings.get(input.jobId)),
    resume: os.training.resume.handler(async ({ input }) => ({ jobId: await trainings.resume(input.jobId) })),
    discard: os.training.discard.handler(async ({ input }) => {
      await trainings.discard(input.jobId);
      return {};
    }),
  };
}
