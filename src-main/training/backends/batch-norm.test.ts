import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../base/random.ts';
import { batchNormalise } from './batch-norm.ts';
import { startBackend } from './index.ts';
import { tensorflowIsSetUp } from './load.ts';
import { composedNormalisation, difference } from './testing.ts';

function random(shape: number[], seed: number, offset = 0): tf.Tensor {
  const source = new Random(seed);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => source.normal() * 1.7 + offset),
    shape,
    'float32',
  );
}

const tensorflowRequired = process.env.EARWITNESS_REQUIRE_TENSORFLOW === '1';
// The native library has its own.
const backends = ['wasm', ...(tensorflowIsSetUp() || tensorflowRequired ? (['tensorflow'] as const) : [])] as const;

describe.each(backends)('batchNormalise on %s', (backend) => {
  beforeAll(async () => {
    await startBackend(backend);
  });

  it.each([[[3, 7, 5, 6]], [[9, 4]], [[2, 40, 50, 3]], [[1, 2]]])(
    'has the value and gradients of its definition on %j',
    async (shape) => {
      const channels = shape.at(-1)!;
      const inputs = [random(shape, 1, 0.8), random([channels], 2, 1), random([channels], 3)];
      const weights = random(shape, 4);
      const evaluate = (normalise: (...inputs: tf.Tensor[]) => tf.Tensor): tf.Tensor[] => [
        normalise(...inputs),
        ...tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(normalise(...xs), weights)))(inputs),
      ];
      const own = evaluate((x, s, o) => batchNormalise(x, s as tf.Tensor1D, o as tf.Tensor1D, 1e-3).output);
      const composed = evaluate((x, s, o) => composedNormalisation(x, s as tf.Tensor1D, o as tf.Tensor1D, 1e-3));
      for (const [index, tensor] of own.entries()) {
        expect(tensor.shape).toEqual(composed[index].shape);
        const far = difference((await tensor.data()) as Float32Array, (await composed[index].data()) as Float32Array);
        expect(far).toBeLessThan(1e-5);
      }
    },
  );

  it("tells the batch's mean and variance, also while a gradient is taken, and leaves nothing behind", async () => {
    const x = random([50, 2], 5, 3);
    const scale = tf.variable(tf.tensor1d([1, 1]));
    const offset = tf.variable(tf.tensor1d([0, 0]));
    const expected = tf.moments(x, 0);
    const before = tf.memory().numTensors;
    let mean!: tf.Tensor1D;
    let variance!: tf.Tensor1D;
    const { value, grads } = tf.variableGrads(() => {
      const normalised = batchNormalise(x, scale as unknown as tf.Tensor1D, offset as unknown as tf.Tensor1D, 1e-3);
      mean = tf.keep(normalised.mean);
      variance = tf.keep(normalised.variance);
      return tf.sum<tf.Scalar>(tf.square(normalised.output));
    }, [scale, offset]);
    expect(tf.memory().numTensors).toBe(before + 5);
    expect(difference((await mean.data()) as Float32Array, (await expected.mean.data()) as Float32Array)).toBeLessThan(
      1e-5,
    );
    const got = (await variance.data()) as Float32Array;
    expect(difference(got, (await expected.variance.data()) as Float32Array)).toBeLessThan(1e-5);
    tf.dispose([value, grads, mean, variance]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
