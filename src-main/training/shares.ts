import { WorkerPool } from '../base/pool.ts';
import { workerFile } from '../base/workers.ts';
import type { NetworkSpec, Weights } from '../detector/network.ts';
import { gradientsOn } from './tensors.ts';
import type { Gradients, TensorNetwork } from './tensors.ts';

/** WebAssembly computes on one thread: batches are shared between this many, whatever the machine, so that a model does
 * not depend on its number of cores. */
const wasmShares = 2;

export interface ShareRequest {
  weights: Weights;
  features: Float32Array;
  targets: number[];
  dropoutSeed: number[];
}

/** Of a share, with the running statistics after it. */
export type GradientShare = Gradients & { statistics: Weights };

/** Computes a batch's gradients, where the backend has one thread on several at once. */
export class BatchShares {
  readonly #pool: WorkerPool<ShareRequest, GradientShare> | null;
  readonly #count: number;

  constructor(spec: NetworkSpec, backend: string) {
    this.#count = backend === 'wasm' ? wasmShares : 1;
    this.#pool =
      this.#count > 1 ? new WorkerPool(workerFile('training/share-worker'), this.#count - 1, { spec, backend }) : null;
  }

  /** Mean loss and gradients over the batch; where it is shared, the running statistics averaged over its shares. */
  async gradients(
    network: TensorNetwork,
    features: Float32Array,
    targets: number[],
    dropoutSeed: number[],
  ): Promise<Gradients & { statistics: Weights | null }> {
    if (this.#pool === null) {
      return { ...(await gradientsOn(network, features, targets, dropoutSeed)), statistics: null };
    }
    const size = features.length / targets.length;
    const weights = await network.weights();
    const requests = Array.from({ length: this.#count }, (_, index): ShareRequest => {
      const [from, to] = [index, index + 1].map((edge) => Math.round((edge * targets.length) / this.#count));
      return {
        weights,
        features: features.slice(from * size, to * size),
        targets: targets.slice(from, to),
        dropoutSeed: [...dropoutSeed, index],
      };
    });
    const [own, ...others] = requests;
    const pool = this.#pool;
    const answers = Promise.all(others.map((request) => pool.run(request)));
    // This thread is busy with its own share: a failure of the others is looked at afterwards.
    answers.catch(() => undefined);
    const gradients = await gradientsOn(network, own.features, own.targets, own.dropoutSeed);
    const first: GradientShare = { ...gradients, statistics: await network.statistics() };
    const parts = [first, ...(await answers)].map((part, index) => ({
      ...part,
      weight: requests[index].targets.length / targets.length,
    }));
    const mean = (pick: (part: GradientShare) => Weights): Weights => {
      const means: Weights = new Map();
      for (const [name, values] of pick(first)) {
        const sum = new Float32Array(values.length);
        for (const part of parts) {
          const one = pick(part).get(name) as Float32Array;
          for (let i = 0; i < sum.length; i++) sum[i] += part.weight * one[i];
        }
        means.set(name, sum);
      }
      return means;
    };
    return {
      loss: parts.reduce((sum, { loss, weight }) => sum + weight * loss, 0),
      gradients: mean(({ gradients }) => gradients),
      statistics: mean(({ statistics }) => statistics),
    };
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }
}
