import { workerData } from 'node:worker_threads';
import { serveRequests } from '../base/pool.ts';
import { startBackend } from './backends/index.ts';
import type { BackendName } from './backends/index.ts';
import type { NetworkSpec } from '../detector/network.ts';
import type { GradientShare, ShareRequest } from './shares.ts';
import { TensorNetwork, gradientsOn } from './tensors.ts';

const { spec, backend } = workerData as { spec: NetworkSpec; backend: BackendName };
const started = startBackend(backend);
let network: TensorNetwork | undefined;

serveRequests<ShareRequest, GradientShare>(async ({ weights, features, targets, dropoutSeed }) => {
  await started;
  if (network) network.assign(weights);
  else network = new TensorNetwork(spec, weights);
  const gradients = await gradientsOn(network, features, targets, dropoutSeed);
  return { response: { ...gradients, statistics: await network.statistics() } };
});
