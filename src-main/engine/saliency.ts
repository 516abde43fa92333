import type { Inputs, ContractOutputs } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { saliencyCaution, saliencySubjects } from '../detector/saliency/subjects.ts';
import { explainRecording, modelOfResult } from '../casework/explain.ts';
import type { ExplainedScore } from '../laboratory/saliency.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';
import { progressStream } from './progress-stream.ts';

type SaliencyEvent = ContractOutputs['saliency']['explain'] extends AsyncIterable<infer Event> ? Event : never;

async function* explain(
  { cases, models }: EngineContext,
  { caseId, analysisId, method, member, stretch }: Inputs['saliency']['explain'],
  signal: AbortSignal | undefined,
): AsyncGenerator<SaliencyEvent, void> {
  const store = cases.get(caseId);
  const { fileSha256, channel, stream, settings, ...result } = store.analyses.get(analysisId);
  if (fileSha256 === null || result.score === null) {
    throw new UserFacingError('usage', 'There is no score to explain.', { advice: 'Scan the recording first.' });
  }
  const model = await modelOfResult(models, result);
  const readAll = settings['readAll'] === true;
  const request = { method, member, stretch: stretch ?? null, channel, stream, ...(readAll ? { readAll } : {}) };
  const { companion: _, ...saliency } = yield* progressStream<SaliencyEvent, ExplainedScore>(signal, (stop, tell) =>
    withOpenablePath(store.evidence.intake(result.evidenceId), (path) =>
      explainRecording(model, { path, sha256: fileSha256 }, request, {
        signal: stop,
        onProgress: (done, total) => tell({ type: 'progress', done, total }),
      }),
    ),
  );
  const { name } = model.card;
  yield { type: 'ready', saliency: { ...saliency, analysisId, modelName: name, caution: saliencyCaution } };
}

/** `saliency` of the contract. */
export function saliencyProcedures(context: EngineContext) {
  return {
    subjects: os.saliency.subjects.handler(async ({ input }) => {
      const { card } = await modelOfResult(
        context.models,
        context.cases.get(input.caseId).analyses.get(input.analysisId),
      );
      return { modelName: card.name, subjects: saliencySubjects(card) };
    }),
    explain: os.saliency.explain.handler(({ input, signal }) => explain(context, input, signal)),
  };
}
