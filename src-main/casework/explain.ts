/** Explains the score of a result by saliency, off the calling thread. */
import { availableParallelism } from 'node:os';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import { UserFacingError } from '../base/errors.ts';
import { looking } from '../base/looking.ts';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import { saliencyCaution, subjectName } from '../detector/saliency/subjects.ts';
import { alone, readModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import type { ReportSaliency } from '../reports/case-report/snapshot.ts';
import { shippedModelId } from '../models/model-store.ts';
import type { ModelStore } from '../models/model-store.ts';
import type { ExplainOptions, ExplainedScore, SaliencyRequest } from '../laboratory/saliency.ts';

/** What the worker is asked; it counts what it has done, and of how much, in `shared`. */
export interface ExplainWork {
  path: string;
  /** Of the file that the result is of; another one is not explained. */
  sha256: string;
  request: SaliencyRequest;
  shared: SharedArrayBuffer;
}

/** What every worker is given. */
export interface ExplainWorkerData {
  model: StoredModel;
  threads: number;
}

/** What tells by which model, or by which companion of one, a result is. */
export type ResultModel = Pick<Analysis, 'modelSha256' | 'modelName'> & {
  provenance: Pick<Analysis['provenance'], 'model'>;
};

/**
 * The model whose score a result is, without companions: where one of them spoke, that one.
 * @param folder of a model that may lie elsewhere than those of this installation
 * @throws UserFacingError `not-found` where it is not on this machine; as `readModel`
 */
export async function modelOfResult(models: ModelStore, result: ResultModel, folder?: string): Promise<StoredModel> {
  const { modelSha256, modelName, provenance } = result;
  const known = await models.list(shippedModelId);
  const id = known.find(({ onnxSha256, problem }) => onnxSha256 === modelSha256 && problem === null)?.id;
  const place = id === undefined ? folder : await models.folderOf(id);
  const model = place === undefined ? null : await readModel(place);
  const spoke = provenance.model.onnxSha256;
  if (model?.onnxSha256 === modelSha256) {
    if (spoke === modelSha256) return alone(model);
    const companion = model.companions?.find((one) => one.model.onnxSha256 === spoke)?.model;
    if (companion) return companion;
  }
  throw new UserFacingError('not-found', `The model ${modelName} that this result is by is not on this machine.`, {
    advice: 'Import it, or scan the recording with a model that is here.',
  });
}

/**
 * Makes and tests the saliency map of a recording or a stretch.
 * @throws UserFacingError as `SaliencyMaker.explain`; `changed` where the file is not the one of that hash; the signal's reason
 */
export async function explainRecording(
  model: StoredModel,
  { path, sha256 }: { path: string; sha256: string },
  request: SaliencyRequest,
  { signal, onProgress }: ExplainOptions = {},
): Promise<ExplainedScore> {
  const workerData: ExplainWorkerData = { model, threads: Math.max(1, Math.min(4, availableParallelism())) };
  const shared = new SharedArrayBuffer(8);
  const counts = new Int32Array(shared);
  const tell = (): void => {
    if (counts[1] > 0) onProgress?.(counts[0], counts[1]);
  };
  return withPool(
    { worker: 'casework/saliency-worker', workerData, signal },
    (pool: WorkerPool<ExplainWork, ExplainedScore>) => looking(tell, pool.run({ path, sha256, request, shared })),
  );
}

/** Says in a report why there is no map of a result. */
export function saliencyMissing(modelName: string, error: UserFacingError): ReportSaliency {
  return {
    by: `${subjectName({ method: 'occlusion', member: null })} of the model ${modelName}`,
    caution: saliencyCaution,
    statement: `It was not made: ${error.sentence}`,
    faithfulness: null,
    map: null,
    figure: null,
  };
}
