import { writeFile } from 'node:fs/promises';
import { UserFacingError } from '../base/errors.ts';
import { caseFolderName } from '../cases/folders.ts';
import { stretchList } from '../cases/stretch-list.ts';
import { analyseStretchesOfItem, analyseStretchOfItem } from '../casework/case-stretches.ts';
import type { EngineContext } from './context.ts';
import { deliver } from './files.ts';
import { os } from './implementer.ts';
import { queueOfSettings } from './queue.ts';
import { endStaleScans, modelFor, releaseLater, startScan } from './resume.ts';

export function analysesProcedures(context: EngineContext) {
  const { cases, jobs } = context;
  return {
    scan: os.analyses.scan.handler(async ({ input }) => {
      const store = cases.get(input.caseId);
      const queue = input.overQueue ? queueOfSettings(context) : null;
      const model = await modelFor(context, input.modelId);
      endStaleScans(context, store);
      const ids = Array.isArray(input.which) ? input.which : store.scans.idsToScan(input.which, model.onnxSha256);
      const { scanId, queued } = store.scans.begin(
        {
          model: input.modelId ?? null,
          modelName: model.card.name,
          modelSha256: model.onnxSha256,
          channel: input.channel,
          stream: input.stream ?? null,
          readAll: input.readAll,
          queue: queue && { address: queue.kept, allow: [], nameWorkers: false },
        },
        ids,
      );
      return { jobId: startScan(context, store, scanId, model), queued };
    }),
    get: os.analyses.get.handler(({ input }) => cases.get(input.caseId).analyses.get(input.analysisId)),
    stretch: os.analyses.stretch.handler(async ({ input, signal }) => {
      const { caseId, modelId, ...stretch } = input;
      if (stretch.endSeconds <= stretch.startSeconds) {
        throw new UserFacingError('usage', 'The stretch ends before it begins.');
      }
      const store = cases.get(caseId);
      return analyseStretchOfItem(store, await modelFor(context, modelId), context.application, stretch, signal);
    }),
    stretches: os.analyses.stretches.handler(async ({ input }) => {
      const { caseId, evidenceId, stretches, channel, readAll, label } = input;
      const store = cases.get(caseId);
      const model = await modelFor(context, undefined);
      const { name } = store.evidence.intake(evidenceId);
      const wanted = stretches.map((stretch) => ({ ...stretch, evidenceId, channel, readAll, label }));
      const jobId = jobs.start(
        {
          kind: 'stretches',
          title: `Stretches of ${name} on their own`,
          caseId,
          unit: 'stretches',
          total: wanted.length,
        },
        async (job) => {
          try {
            return await analyseStretchesOfItem(store, model, context.application, wanted, {
              signal: job.signal,
              onProgress: (done) => job.progress({ done, doing: 'Analysing' }),
              onProblem: ({ startSeconds }, message) => job.problem(`${name} at ${startSeconds.toFixed(2)} s`, message),
            });
          } finally {
            releaseLater(context, caseId);
          }
        },
      );
      return { jobId };
    }),
    exportStretches: os.analyses.exportStretches.handler(async ({ input }) => {
      const { caseId, analysisId, format, out } = input;
      const store = cases.get(caseId);
      const { text, count } = stretchList(store, analysisId, format);
      const file = {
        name: `${caseFolderName(store.details().number)}-stretches.${format}`,
        type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
      };
      const output = await deliver(context, out, file, (path) => writeFile(path, text, { flush: true }));
      const summary = `Exported ${count} low-scoring ${count === 1 ? 'stretch' : 'stretches'} of analysis ${analysisId} as ${format.toUpperCase()}.`;
      store.log.note('exported', summary, { format, analysisId, stretches: count, path: out });
      return output;
    }),
  };
}
