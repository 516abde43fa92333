import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { keptAnalysis, madeBy } from '../casework/case-analysis.ts';
import { analyseStretch } from '../scanning/stretch.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';
import { endStaleScans, modelFor, startScan } from './resume.ts';

export function analysesProcedures(context: EngineContext) {
  const { cases } = context;
  return {
    scan: os.analyses.scan.handler(async ({ input }) => {
      const store = cases.get(input.caseId);
      const model = await modelFor(context, input.modelId);
      endStaleScans(context, store);
      const ids = Array.isArray(input.which) ? input.which : store.scans.idsToScan(input.which, model.onnxSha256);
      const { scanId } = store.scans.begin(
        {
          model: input.modelId ?? null,
          modelName: model.card.name,
          modelSha256: model.onnxSha256,
          channel: input.channel,
          stream: input.stream ?? null,
          readAll: input.readAll,
        },
        ids,
      );
      return { jobId: startScan(context, store, scanId, model) };
    }),
    get: os.analyses.get.handler(({ input }) => cases.get(input.caseId).analyses.get(input.analysisId)),
    stretch: os.analyses.stretch.handler(async ({ input, signal }) => {
      const { caseId, evidenceId, startSeconds, endSeconds, label, channel, readAll } = input;
      if (endSeconds <= startSeconds) throw new UserFacingError('usage', 'The stretch ends before it begins.');
      const store = cases.get(caseId);
      const model = await modelFor(context, input.modelId);
      const item = store.evidence.intake(evidenceId);
      const stretch = { startSeconds, endSeconds };
      const outcome = await withOpenablePath(item, (path) =>
        analyseStretch(model, path, { ...stretch, channel, readAll }, signal),
      );
      const { analysis, fileSha256, settings } = outcome;
      const kept = await keptAnalysis(
        model,
        madeBy(model, context.application),
        { evidenceId, intakeSha256: item.sha256, stretch, label, channel, stream: 0, settings },
        { sha256: fileSha256, analysis, error: null },
      );
      if (fileSha256 !== item.sha256) {
        store.evidence.setState(evidenceId, 'changed', { sha256: fileSha256, fingerprint: '' });
      }
      return store.analyses.add(kept);
    }),
  };
}
