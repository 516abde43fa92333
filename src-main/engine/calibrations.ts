import { copyFile } from 'node:fs/promises';
import { UserFacingError } from '../base/errors.ts';
import { openedKey } from '../cases/keys.ts';
import { withBonafide } from '../datasets/load.ts';
import { runInLaboratory } from '../laboratory/laboratory.ts';
import { listValidations, validationReportPath } from '../laboratory/validate-model.ts';
import { readValidationPlan, statedHere } from '../laboratory/validation-plan.ts';
import type { EngineContext } from './context.ts';
import { usedDataset } from './datasets.ts';
import { deliver, readablePath } from './files.ts';
import { os } from './implementer.ts';
import { removeUploads } from './uploads.ts';

/** Nothing is lost by ending it: a model is there as a whole or not at all. */
const graceMilliseconds = 2000;

export function calibrationsProcedures(context: EngineContext) {
  const { home, jobs, models, application } = context;
  /** Made where there is none yet. @throws UserFacingError `key-locked` where its passphrase has yet to be given: the window asks for it then */
  const keyToSign = (): Uint8Array | null => {
    void context.cases.library.key;
    return openedKey(home);
  };
  return {
    start: os.calibrations.start.handler(async ({ input }) => {
      const { modelId, bonafide, split, name, errorRate, plan } = input;
      const dataset = await usedDataset(context, input.dataset, bonafide);
      const asked = {
        ...{
          folder: await models.folderOf(modelId),
          dataset: withBonafide(dataset, bonafide),
          split,
          name,
          seed: 1,
          notes: [],
        },
        ...(plan === null
          ? { maximumErrorRate: errorRate }
          : { stated: statedHere(plan), examiner: context.cases.session.actor(), replicates: 1000 }),
      };
      const key = plan === null ? null : keyToSign();
      const title = `${plan === null ? 'Calibration' : 'Validation'} of ${(await models.get(modelId, modelId)).name}`;
      const jobId = jobs.start({ kind: 'calibrate', title, unit: 'recordings' }, async (job) => {
        job.progress({ doing: 'Listing the recordings' });
        const id = await models.make(name, async (out) => {
          const { written } = await runInLaboratory(
            'calibrate',
            { application, request: { ...asked, out }, key },
            {
              signal: job.signal,
              onEvent: ({ done, total }) =>
                job.progress({ done, total, doing: done < total ? 'Scoring' : 'Computing figures and intervals' }),
              graceMilliseconds,
            },
          );
          return written;
        });
        if (id === null) {
          const sentence = `${title}: a criterion was not met, and no model was made. Its record is under Models, Validations.`;
          context.changes.publish({ type: 'notice', tone: 'info', sentence });
        } else context.changes.publish({ type: 'models' });
        return { modelId: id };
      });
      return { jobId };
    }),
    readPlan: os.calibrations.readPlan.handler(async ({ input }) => {
      const path = await readablePath(context, input.path);
      const { plan } = await readValidationPlan(path).finally(() => removeUploads(home, [path]));
      return plan;
    }),
    validations: os.calibrations.validations.handler(async () =>
      (await listValidations(home)).map(({ id, statedAt, plan, model, dataset, split, record }) => {
        const outcome = record === null ? 'not-ended' : record.met ? 'met' : 'not-met';
        return { id, statedAt, title: plan.title, model, dataset, split, outcome, criteria: record?.criteria ?? [] };
      }),
    ),
    report: os.calibrations.report.handler(async ({ input }) => {
      const found = (await listValidations(home)).find(({ id }) => id === input.id);
      if (!found?.record) throw new UserFacingError('not-found', 'This validation has no record: it did not end.');
      const from = await validationReportPath(home, input.id);
      const file = { name: `validation-${input.id.slice(0, 8)}.pdf`, type: 'application/pdf' };
      return deliver(context, input.out, file, (path) => copyFile(from, path));
    }),
  };
}
