/** Our side of the training benchmark, in a process of its own: `node bench/training-side.ts BACKEND JOB.json`. */
import { readFileSync } from 'node:fs';
import { Adam } from '../src-main/training/adam.ts';
import { startBackend } from '../src-main/training/backends/index.ts';
import type { BackendName } from '../src-main/training/backends/index.ts';
import type { NetworkSpec } from '../src-main/detector/network.ts';
import { readSafetensors } from '../src-main/detector/safetensors.ts';
import { BatchShares } from '../src-main/training/shares.ts';
import { TensorNetwork } from '../src-main/training/tensors.ts';
import { trainStep } from '../src-main/training/train.ts';

/** What both sides are given. */
export interface TrainingJob {
  network: NetworkSpec;
  /** Safetensors with the first weights. */
  weights: string;
  /** [batch, bins, frames] as 32-bit floats. */
  features: string;
  targets: number[];
  learningRate: number;
  weightDecay: number;
}

/** So many steps, timed, or the losses of the first ones without dropout. */
export type TrainingQuestion = { steps: number } | { losses: number };
export interface TrainingAnswer {
  device?: string;
  seconds?: number;
  losses?: number[];
}

const [backend, path] = process.argv.slice(2);
const job = JSON.parse(readFileSync(path, 'utf8')) as TrainingJob;
const bytes = readFileSync(job.features);
const features = new Float32Array(Uint8Array.from(bytes).buffer);
const { device } = await startBackend(backend as BackendName);

async function startTraining(network: NetworkSpec): Promise<{ step: () => Promise<number>; end: () => Promise<void> }> {
  const { arrays } = readSafetensors(readFileSync(job.weights), job.weights);
  const tensors = new TensorNetwork(network, arrays);
  const values = await tensors.trainedWeights();
  const { learningRate, weightDecay } = job;
  const adam = new Adam({ learningRate, weightDecay, decaying: tensors.kernels });
  const shares = new BatchShares(network, backend);
  let steps = 0;
  return {
    step: () => trainStep(tensors, values, adam, shares, features, job.targets, [++steps]),
    end: async () => {
      tensors.dispose();
      await shares.close();
    },
  };
}

/** The network without dropout; the names of its weights count layers, so the layer stays. */
function withoutDropout(network: NetworkSpec): NetworkSpec {
  const layers = network.layers.map((layer) => (layer.type === 'dropout' ? { ...layer, rate: 0 } : layer));
  return { ...network, layers };
}

const main = await startTraining(job.network);

async function answerTo(question: TrainingQuestion): Promise<TrainingAnswer> {
  if ('losses' in question) {
    const { step, end } = await startTraining(withoutDropout(job.network));
    const losses: number[] = [];
    for (let i = 0; i < question.losses; i++) losses.push(await step());
    await end();
    return { losses };
  }
  const began = performance.now();
  for (let i = 0; i < question.steps; i++) await main.step();
  return { seconds: (performance.now() - began) / 1000 };
}

process.on('message', (question: TrainingQuestion) => {
  void answerTo(question).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
await main.step();
process.send?.({ device } satisfies TrainingAnswer);
