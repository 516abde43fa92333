import { UserFacingError } from '../base/errors.ts';
import { applicationName } from '../base/version.ts';
import type { EngineContext } from './context.ts';
import { deliver, readablePath } from './files.ts';
import { os } from './implementer.ts';
import { log } from './log.ts';
import { removeUploads } from './uploads.ts';

/** What stands in the way of deleting a model. */
function usesOf({ jobs, trainings, evaluations, settings }: EngineContext, modelId: string): string | null {
  const [training] = trainings.usersOf(modelId);
  if (training) return `the training of ${training.request.name} goes on from it`;
  if (evaluations.usersOf(modelId).length > 0) return 'an evaluation of it is running';
  if (jobs.list().some(({ kind, endedAt }) => kind === 'calibrate' && endedAt === null)) return 'a model is calibrated';
  // Whichever model it uses: a scan that an end of the engine interrupts reads it again.
  if (jobs.list().some(({ kind, endedAt }) => kind === 'scan' && endedAt === null)) return 'a scan is running';
  return settings.get().defaultModel === modelId ? 'it is the default model' : null;
}

export function modelsProcedures(context: EngineContext) {
  const { models, settings } = context;
  const get = (modelId: string) => models.get(modelId, settings.get().defaultModel);
  return {
    list: os.models.list.handler(() => models.list(settings.get().defaultModel)),
    get: os.models.get.handler(({ input }) => get(input.modelId)),
    setDefault: os.models.setDefault.handler(async ({ input }) => {
      const { problem } = await get(input.modelId);
      if (problem) throw new UserFacingError(problem.code, problem.message, problem);
      await settings.set({ defaultModel: input.modelId });
      context.changes.publish({ type: 'models' });
      return {};
    }),
    rename: os.models.rename.handler(async ({ input }) => {
      await models.rename(input.modelId, input.name);
      return get(input.modelId);
    }),
    export: os.models.export.handler(async ({ input }) => {
      const { name } = await get(input.modelId);
      const file = { name: `${name}.earwitness-model.zip`, type: 'application/zip' };
      return deliver(context, input.out, file, (path) => models.export(input.modelId, path));
    }),
    import: os.models.import.handler(async ({ input, signal }) => {
      const path = await readablePath(context, input.path);
      const card = input.card === undefined ? undefined : await readablePath(context, input.card);
      const taking =
        card === undefined ? models.import(path, signal) : models.importDetector(path, card, applicationName(), signal);
      const uploads = card === undefined ? [path] : [path, card];
      const model = await get(await taking.finally(() => removeUploads(context.home, uploads)));
      const sentence = `Took in the model ${model.name}. ${model.notes.at(-1) ?? ''}`;
      log('info', `${sentence} Its network: ${model.onnxSha256}`);
      context.changes.publish({ type: 'notice', tone: 'info', sentence });
      return model;
    }),
    delete: os.models.delete.handler(async ({ input }) => {
      const use = usesOf(context, input.modelId);
      if (use !== null) {
        throw new UserFacingError('model-in-use', `The model cannot be deleted: ${use}.`, {
          advice: use.startsWith('it is') ? 'Make another one the default first.' : 'Wait for it, or cancel it.',
        });
      }
      await models.delete(input.modelId);
      return {};
    }),
  };
}
