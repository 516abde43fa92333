/** Our side of the training benchmark, in a process of its own: `node bench/training-side.ts BACKEND MODEL BATCH`. */
import { Random } from '../src-main/base/random.ts';
import { Adam } from '../src-main/detector/adam.ts';
import { startBackend } from '../src-main/detector/backends/index.ts';
import type { BackendName } from '../src-main/detector/backends/index.ts';
import { BatchShares } from '../src-main/detector/shares.ts';
import { readModel, readWeights } from '../src-main/detector/store.ts';
import { TensorNetwork } from '../src-main/detector/tensors.ts';
import { trainStep } from '../src-main/detector/train.ts';
import { firstNetwork } from './first-network.ts';

/** What it answers: that it is ready, and how long the steps took that were asked for. */
export type TrainingAnswer = { ready: string } | { seconds: number };

const [backend, folder, batchText] = process.argv.slice(2);
const batch = Number(batchText);
const model = await readModel(folder);
const { member } = firstNetwork(model);
const spec = member.network;
const { device } = await startBackend(backend as BackendName);
const network = new TensorNetwork(spec, await readWeights(model, member));
const variables = network.trainedVariables();
const adam = new Adam({ learningRate: 1e-3 });
const shares = new BatchShares(spec, backend);
const random = new Random(1);
const features = Float32Array.from({ length: batch * spec.input.bins * spec.input.frames }, () =>
  random.between(-60, -20),
);
const targets = Array.from({ length: batch }, (_, index) => index % 2);
let steps = 0;
const step = (): Promise<number> => trainStep(network, variables, adam, shares, features, targets, [++steps]);

const answer = (message: TrainingAnswer): void => void process.send?.(message);
process.on('message', (count: number) => {
  void (async () => {
    const began = performance.now();
    for (let i = 0; i < count; i++) await step();
    answer({ seconds: (performance.now() - began) / 1000 });
  })();
});
process.on('disconnect', () => process.exit());
await step();
answer({ ready: device });
