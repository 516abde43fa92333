import type { EngineContext } from './context.ts';
import { checkTraining, memberChoices } from '../laboratory/check-training.ts';
import { readableDataset, usedDataset } from './datasets.ts';
import { os } from './implementer.ts';

export function trainingProcedures(context: EngineContext) {
  const { trainings } = context;
  return {
    members: os.training.members.handler(() => memberChoices()),
    start: os.training.start.handler(async ({ input }) => {
      await readableDataset(context, input.dataset, input.bonafide);
      if (input.copies !== undefined) await readableDataset(context, input.copies);
      await checkTraining(input);
      const copies = input.copies === undefined ? {} : { copies: await usedDataset(context, input.copies) };
      const dataset = await usedDataset(context, input.dataset, input.bonafide);
      return { jobId: await trainings.start({ ...input, ...copies, dataset }) };
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
