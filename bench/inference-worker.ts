import { workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';
import { serveRequests } from '../src-main/base/pool.ts';
import { Random } from '../src-main/base/random.ts';
import { onnxNames } from '../src-main/detector/onnx.ts';

/** Runs of the network over one batch, as `scanning/score-worker.ts` does them: one thread of ONNX Runtime. */
export interface InferenceRequest {
  batch: number;
  runs: number;
}

const { onnx, bins, frames } = workerData as { onnx: Uint8Array; bins: number; frames: number };
const session = ort.InferenceSession.create(onnx, {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const random = new Random(1);

serveRequests<InferenceRequest, null>(async ({ batch, runs }) => {
  const values = Float32Array.from({ length: batch * bins * frames }, () => random.between(-60, -20));
  const input = new ort.Tensor('float32', values, [batch, 1, bins, frames]);
  for (let run = 0; run < runs; run++) await (await session).run({ [onnxNames.input]: input });
  return { response: null };
});
