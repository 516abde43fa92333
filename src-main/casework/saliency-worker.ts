import { workerData } from 'node:worker_threads';
import { sha256File } from '../audio/hash.ts';
import { UserFacingError } from '../base/errors.ts';
import { serveRequests } from '../base/pool.ts';
import type { ExplainWork, ExplainWorkerData } from './explain.ts';
import { SaliencyMaker, explainable } from '../laboratory/saliency.ts';
import type { ExplainedScore } from '../laboratory/saliency.ts';

const { model, threads } = workerData as ExplainWorkerData;

serveRequests<ExplainWork, ExplainedScore>(async ({ path, sha256, request, shared }, signal) => {
  if ((await sha256File(path, signal)) !== sha256) {
    throw new UserFacingError('changed', `${path} is no longer the file that the result is of.`, {
      path,
      advice: 'Scan it again: a map explains the score of the file as it is.',
    });
  }
  const maker = await SaliencyMaker.create(await explainable(model), threads);
  const counts = new Int32Array(shared);
  try {
    const response = await maker.explain(path, request, {
      signal,
      onProgress: (done, total) => {
        counts[0] = done;
        counts[1] = total;
      },
    });
    return { response };
  } finally {
    await maker.dispose();
  }
});
