import { createHash } from 'node:crypto';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { UserFacingError } from '../../base/errors.ts';
import { Adam } from '../adam.ts';
import type { Weights } from '../../detector/network.ts';
import { startBackend } from './index.ts';
import type { BackendName } from './index.ts';
import { tensorflowIsSetUp } from './load.ts';
import { computeKernels, computeNetwork, difference, smallNetwork } from './testing.ts';
import type { Results } from './testing.ts';

/** Far more than rounding, far less than any mistake in a kernel makes. */
const tolerance = 1e-4;

const tensorflowRequired = process.env.EARWITNESS_REQUIRE_TENSORFLOW === '1';
const skipTensorflow = !tensorflowIsSetUp() && !tensorflowRequired;

let kernels: Results;
let network: Results;
beforeAll(async () => {
  await startBackend('cpu');
  kernels = await computeKernels();
  network = await computeNetwork();
});

function expectSame(actual: Results, expected: Results): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  const wrong = [...actual].flatMap(([name, values]) => {
    const far = difference(values, expected.get(name)!);
    return far <= tolerance ? [] : [`${name}: ${far}`];
  });
  expect(wrong).toEqual([]);
}

async function arrays(tensors: Iterable<readonly [string, tf.Tensor]>): Promise<Weights> {
  const values: Weights = new Map();
  for (const [name, tensor] of tensors) values.set(name, Float32Array.from(await tensor.data()));
  return values;
}

/** Trains the small network and returns a hash of all its weights. */
async function train(steps: number): Promise<string> {
  const model = smallNetwork();
  const adam = new Adam({ learningRate: 0.01 });
  const weights = await arrays(model.variables);
  for (let step = 0; step < steps; step++) {
    const { value, grads } = tf.variableGrads(model.loss, [...model.variables.values()]);
    const gradients = await arrays([...model.variables].map(([name, { name: id }]) => [name, grads[id]] as const));
    adam.apply(weights, gradients);
    tf.dispose([value, grads]);
    for (const [name, variable] of model.variables) {
      const next = tf.tensor(weights.get(name)!.slice(), variable.shape);
      variable.assign(next);
      next.dispose();
    }
  }
  const hash = createHash('sha256');
  for (const values of weights.values()) hash.update(values);
  model.dispose();
  return hash.digest('hex');
}

const title = (name: BackendName): string =>
  name === 'tensorflow' && skipTensorflow ? 'tensorflow (skipped: npm run setup:tensorflow has not been run)' : name;

for (const name of ['wasm', 'tensorflow'] as const) {
  describe.skipIf(name === 'tensorflow' && skipTensorflow)(`backend ${title(name)}`, () => {
    beforeAll(async () => {
      const choice = await startBackend(name);
      expect(choice.name).toBe(name);
      expect(tf.getBackend()).toBe(name);
    });

    it('computes every kernel and its gradients as the CPU backend does', async () => {
      expectSame(await computeKernels(), kernels);
    });

    it("computes a network's loss and all its gradients as the CPU backend does", async () => {
      expectSame(await computeNetwork(), network);
    });

    it('differentiates average pooling with padding exactly, at the edges too', async () => {
      const shape: [number, number, number, number] = [1, 5, 3, 1];
      const pool = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same');
      const weights = tf.tensor4d([1, -2, 3, 0.5, 2, -1], [1, 3, 2, 1]);
      const gradient = await tf
        .grad((x) => tf.sum(tf.mul(pool(x), weights)))(tf.zeros(shape))
        .data();
      // Pooling is linear: the derivative by a number is what a one in its place gives.
      for (let place = 0; place < 15; place++) {
        const one = tf.tensor4d(
          Float32Array.from({ length: 15 }, (_, index) => Number(index === place)),
          shape,
        );
        const [expected] = await tf.sum(tf.mul(pool(one), weights)).data();
        expect(gradient[place]).toBeCloseTo(expected, 5);
      }
    });

    it('repeats itself byte for byte over twenty steps', async () => {
      expect(await train(20)).toBe(await train(20));
    });

    it('holds no more memory after training than before', async () => {
      await train(1);
      const before = tf.memory();
      const dataBefore = tf.backend().numDataIds();
      await train(3);
      expect(tf.memory().numTensors).toBe(before.numTensors);
      expect(tf.memory().numBytes).toBe(before.numBytes);
      expect(tf.backend().numDataIds()).toBe(dataBefore);
    });
  });
}

describe('backend wasm', () => {
  it('says so where its heap is full, and goes on with less', async () => {
    await startBackend('wasm');
    const backend = tf.backend() as BackendWasm;
    const taken: tf.TensorInfo[] = [];
    // 900 MB each, of 4 GB; none of it is ever touched.
    const fill = (): void => {
      for (let count = 0; count < 5; count++) taken.push(backend.makeOutput([225, 1_000_000], 'float32'));
    };
    expect(fill).toThrow(/no memory left/);
    expect(fill).toThrow(UserFacingError);
    for (const { dataId } of taken) backend.disposeData(dataId);
    expectSame(await computeNetwork(), network);
  });
});

describe('startBackend', () => {
  it('takes one that works and says why', async () => {
    const choice = await startBackend('auto');
    expect(['tensorflow', 'webgpu', 'wasm']).toContain(choice.name);
    expect(choice.device).not.toBe('');
    expect(choice.reason).toMatch(/\w+.*\.$/);
    expect(tf.getBackend()).toBe(choice.name);
  });

  it.skipIf(tensorflowIsSetUp() || tensorflowRequired)('says what to do where TensorFlow is not set up', async () => {
    const error = await startBackend('tensorflow').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserFacingError);
    expect((error as UserFacingError).code).toBe('backend');
    expect((error as UserFacingError).sentence).toContain('npm run setup:tensorflow');
  });
});
