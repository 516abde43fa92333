import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { startBackend } from './backends/index.ts';
import { startingWeights } from '../detector/network.ts';
import { BatchShares } from './shares.ts';
import { gradientsOn, TensorNetwork } from './tensors.ts';
import { tinyNetwork } from '../detector/testing.ts';

it('a shared batch has the loss and the gradients of the whole one', async () => {
  await startBackend('wasm');
  const random = new Random(4);
  const weights = startingWeights(tinyNetwork, 3);
  for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] += 0.2 * random.normal();
  const { bins, frames } = tinyNetwork.input;
  // An odd number: the shares differ in size.
  const targets = [1, 0, 1, 1, 0, 0, 1];
  const features = Float32Array.from({ length: targets.length * bins * frames }, () => -40 + 10 * random.normal());
  const network = new TensorNetwork(tinyNetwork, weights);
  const whole = await gradientsOn(network, features, targets, [1]);
  const shares = new BatchShares(tinyNetwork, 'wasm');
  const shared = await shares.gradients(network, features, targets, [1]);
  await shares.close();
  network.dispose();
  expect(shared.loss).toBeCloseTo(whole.loss, 5);
  expect([...shared.gradients.keys()]).toEqual([...whole.gradients.keys()]);
  for (const [name, values] of whole.gradients) {
    const largest = Math.max(...values.map(Math.abs));
    const other = shared.gradients.get(name) as Float32Array;
    values.forEach((value, i) => expect(Math.abs(value - other[i]), name).toBeLessThan(1e-4 * largest + 1e-7));
  }
});
