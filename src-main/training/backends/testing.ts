/** What the tests of the backends compute on each of them, to be compared with the plain CPU backend. */
import * as tf from '@tensorflow/tfjs-core';
import { Random } from '../../base/random.ts';
import { batchNormalise } from './batch-norm.ts';

export type Results = Map<string, Float32Array>;

function randomTensor(shape: number[], seed: number, scale = 1): tf.Tensor {
  const random = new Random(seed);
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal() * scale),
    shape,
    'float32',
  );
}

async function collect(results: Results, tensors: Record<string, tf.Tensor>): Promise<void> {
  for (const [name, tensor] of Object.entries(tensors)) {
    results.set(name, Float32Array.from(await tensor.data()));
    tensor.dispose();
  }
}

/** Value and gradients of the sum of `compute`'s numbers, each weighted at random so that no gradient is trivial. */
async function differentiate(
  name: string,
  results: Results,
  inputs: Record<string, tf.Tensor>,
  compute: (...inputs: tf.Tensor[]) => tf.Tensor,
): Promise<void> {
  const tensors = Object.values(inputs);
  const outputs = tf.tidy(() => {
    const value = compute(...tensors);
    const weights = randomTensor(value.shape, 77);
    const gradients = tf.grads((...xs: tf.Tensor[]) => tf.sum(tf.mul(compute(...xs), weights)))(tensors);
    const named = Object.keys(inputs).map((key, index) => [`${name}: gradient by ${key}`, gradients[index]] as const);
    return { [`${name}: value`]: value, ...Object.fromEntries(named) };
  });
  await collect(results, outputs);
  tf.dispose(tensors);
}

// Padding by a number is unknown to the native backend.
type Pad = 'same' | 'valid';
type Pair = number | [number, number];

const convolutions: { input: number[]; filter: number[]; strides: Pair; pad: Pad }[] = [
  { input: [2, 9, 12, 1], filter: [3, 3, 1, 8], strides: 1, pad: 'same' },
  { input: [2, 9, 12, 3], filter: [3, 3, 3, 5], strides: 1, pad: 'valid' },
  { input: [3, 10, 7, 16], filter: [3, 3, 16, 12], strides: 1, pad: 'same' },
  { input: [3, 10, 7, 16], filter: [3, 3, 16, 12], strides: 2, pad: 'same' },
  { input: [2, 11, 13, 4], filter: [5, 5, 4, 6], strides: 2, pad: 'same' },
  { input: [2, 11, 14, 13], filter: [5, 5, 13, 3], strides: 2, pad: 'valid' },
  { input: [2, 8, 9, 14], filter: [5, 3, 14, 9], strides: 1, pad: 'same' },
  { input: [2, 8, 9, 14], filter: [1, 1, 14, 9], strides: 1, pad: 'same' },
  { input: [2, 8, 9, 14], filter: [1, 1, 14, 9], strides: 2, pad: 'same' },
  { input: [2, 9, 10, 2], filter: [3, 3, 2, 4], strides: [2, 1], pad: 'same' },
  { input: [2, 9, 10, 15], filter: [3, 3, 15, 4], strides: [1, 2], pad: 'valid' },
  { input: [2, 10, 11, 3], filter: [2, 2, 3, 4], strides: 3, pad: 'valid' },
  { input: [1, 6, 5, 3], filter: [4, 2, 3, 4], strides: 1, pad: 'same' },
  { input: [1, 3, 4, 2], filter: [3, 4, 2, 3], strides: 1, pad: 'valid' },
  // More than one block of images in the wasm backend's filter gradient, the last not full.
  { input: [5, 20, 21, 16], filter: [3, 3, 16, 32], strides: 1, pad: 'same' },
];

/** Average pooling with padding is left out: TensorFlow.js's own CPU backend has its gradient wrong at the edges. */
const poolings: { kind: 'max' | 'avg'; input: number[]; size: Pair; strides: Pair; pad: Pad }[] = [
  { kind: 'max', input: [2, 8, 6, 5], size: 2, strides: 2, pad: 'valid' },
  { kind: 'max', input: [2, 9, 7, 5], size: 2, strides: 2, pad: 'valid' },
  { kind: 'max', input: [2, 9, 7, 5], size: 2, strides: 2, pad: 'same' },
  { kind: 'max', input: [2, 9, 7, 5], size: 3, strides: 2, pad: 'same' },
  { kind: 'max', input: [2, 9, 7, 3], size: 3, strides: 1, pad: 'valid' },
  { kind: 'max', input: [2, 9, 7, 3], size: 2, strides: 1, pad: 'valid' },
  { kind: 'max', input: [2, 9, 8, 3], size: [3, 1], strides: [3, 1], pad: 'valid' },
  { kind: 'avg', input: [2, 8, 6, 5], size: 2, strides: 2, pad: 'valid' },
  { kind: 'avg', input: [2, 9, 7, 5], size: 2, strides: 2, pad: 'valid' },
  { kind: 'avg', input: [2, 9, 7, 5], size: 3, strides: 2, pad: 'valid' },
  { kind: 'avg', input: [2, 9, 8, 3], size: [1, 4], strides: [1, 2], pad: 'valid' },
  { kind: 'avg', input: [2, 8, 6, 5], size: 2, strides: 2, pad: 'same' },
];

/** Convolutions and poolings of many sizes, products of matrices, reductions over every run of axes. */
export async function computeKernels(): Promise<Results> {
  const results: Results = new Map();
  for (const { input, filter, strides, pad } of convolutions) {
    const name = `convolution of ${input.join('x')} by ${filter.join('x')}, stride ${String(strides)}, ${pad}`;
    const inputs = { input: randomTensor(input, 1), filter: randomTensor(filter, 2) };
    await differentiate(name, results, inputs, (x, f) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, strides, pad));
  }
  for (const { kind, input, size, strides, pad } of poolings) {
    const name = `${kind} pooling of ${input.join('x')}, ${String(size)} by ${String(strides)}, ${pad}`;
    const pool = kind === 'max' ? tf.maxPool : tf.avgPool;
    await differentiate(name, results, { input: randomTensor(input, 3) }, (x) =>
      pool(x as tf.Tensor4D, size, strides, pad),
    );
  }
  for (const [left, right] of [
    [
      [5, 7],
      [7, 4],
    ],
    [
      [1, 33],
      [33, 1],
    ],
    [
      [2, 5, 7],
      [2, 7, 4],
    ],
  ]) {
    const inputs = { left: randomTensor(left, 4), right: randomTensor(right, 5) };
    await differentiate(`product of ${left.join('x')} and ${right.join('x')}`, results, inputs, (a, b) =>
      tf.matMul(a, b),
    );
  }
  for (const axis of [[0, 1, 2], [1, 2], [3], [0, 2], [1], [0, 1, 2, 3]]) {
    for (const keepDims of [false, true]) {
      const name = `over axes ${axis.join(', ')}${keepDims ? ', kept' : ''}`;
      const inputs = (): { x: tf.Tensor } => ({ x: randomTensor([3, 5, 4, 6], 6) });
      await differentiate(`sum ${name}`, results, inputs(), (x) => tf.sum(x, axis, keepDims));
      await differentiate(`mean ${name}`, results, inputs(), (x) => tf.mean(x, axis, keepDims));
    }
  }
  return results;
}

/** What batchNormalise computes, of single operations, for TensorFlow.js to differentiate. */
export function composedNormalisation<T extends tf.Tensor>(
  x: T,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
): T {
  const { mean, variance } = tf.moments(
    x,
    x.shape.slice(0, -1).map((_, axis) => axis),
  );
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), scale), offset);
}

export interface SmallNetwork {
  variables: Map<string, tf.Variable>;
  /** The loss of the whole batch; to be called inside tf.variableGrads. */
  loss: () => tf.Scalar;
  dispose: () => void;
}

/**
 * A network that holds everything that training uses: convolutions with bias, batch normalisation composed of means,
 * poolings, dropout by a mask, padding, transposition, dense layers, a numerically safe cross entropy, weight decay.
 */
export function smallNetwork(): SmallNetwork {
  const batch = 6;
  const variables = new Map<string, tf.Variable>();
  const add = (name: string, shape: number[], scale: number, offset = 0): void => {
    const start = tf.tidy(() => tf.add(randomTensor(shape, 100 + variables.size, scale), offset));
    variables.set(name, tf.variable(start));
    start.dispose();
  };
  add('first filter', [5, 5, 1, 8], 0.3);
  add('first scale', [8], 0.1, 1);
  add('first offset', [8], 0.1);
  add('second filter', [3, 3, 8, 12], 0.2);
  add('second scale', [12], 0.1, 1);
  add('second offset', [12], 0.1);
  add('third filter', [1, 1, 12, 16], 0.4);
  add('third bias', [16], 0.1);
  add('dense kernel', [32, 10], 0.3);
  add('dense bias', [10], 0.1);
  add('last kernel', [10, 1], 0.5);
  add('last bias', [1], 0.1);
  const input = randomTensor([batch, 21, 34, 1], 7) as tf.Tensor4D;
  const labels = tf.tensor2d([1, 0, 0, 1, 1, 0], [batch, 1]);
  const random = new Random(8);
  const mask = tf.tensor(
    Float32Array.from({ length: batch * 10 }, () => (random.uniform() < 0.5 ? 0 : 2)),
    [batch, 10],
  );
  const variable = <T extends tf.Tensor>(name: string): T => variables.get(name) as tf.Tensor as T;

  const normalised = (name: string, x: tf.Tensor4D, strides: number): tf.Tensor4D => {
    const h = tf.conv2d(x, variable<tf.Tensor4D>(`${name} filter`), strides, 'same');
    const [scale, offset] = [variable<tf.Tensor1D>(`${name} scale`), variable<tf.Tensor1D>(`${name} offset`)];
    if (name === 'first') return batchNormalise(h, scale, offset, 1e-3).output;
    return composedNormalisation(h, scale, offset, 1e-3);
  };

  const loss = (): tf.Scalar => {
    let h = tf.maxPool(tf.relu(normalised('first', input, 2)), 2, 2, 'valid');
    h = tf.avgPool(tf.relu(normalised('second', h, 1)), [1, 2], [1, 2], 'valid');
    h = tf.add(tf.conv2d(h, variable<tf.Tensor4D>('third filter'), 1, 'same'), variable('third bias'));
    h = tf.pad(tf.relu(h), [
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
    ]);
    const turned = tf.transpose(h, [0, 2, 1, 3]);
    const level = tf.mean(turned, [1, 2]);
    const spread = tf.sqrt(tf.add(tf.mean(tf.square(tf.sub(turned, tf.mean(turned, [1, 2], true))), [1, 2]), 1e-3));
    const pooled = tf.reshape(tf.concat([level, tf.clipByValue(spread, 0.05, 2)], 1), [batch, 32]);
    const dense = tf.add(tf.matMul(pooled, variable<tf.Tensor2D>('dense kernel')), variable('dense bias'));
    const dropped = tf.mul(tf.add(tf.relu(dense), tf.mul(tf.softplus(dense), 0.1)), mask);
    const logit = tf.add(tf.matMul(dropped, variable<tf.Tensor2D>('last kernel')), variable('last bias'));
    const crossEntropy = tf.add(tf.sub(tf.relu(logit), tf.mul(logit, labels)), tf.log1p(tf.exp(tf.neg(tf.abs(logit)))));
    const decay = tf.mul(tf.sum(tf.square(variable('dense kernel'))), 1e-3);
    return tf.add(tf.mean(crossEntropy), decay);
  };
  return {
    variables,
    loss,
    dispose: () => tf.dispose([...variables.values(), input, labels, mask]),
  };
}

/** The small network's loss and its gradients by every variable. */
export async function computeNetwork(): Promise<Results> {
  const network = smallNetwork();
  const results: Results = new Map();
  const { value, grads } = tf.variableGrads(network.loss, [...network.variables.values()]);
  const named = [...network.variables].map(
    ([name, variable]) => [`gradient by ${name}`, grads[variable.name]] as const,
  );
  await collect(results, { loss: value, ...Object.fromEntries(named) });
  network.dispose();
  return results;
}

/** The largest difference between two results, in parts of the largest number of the expected one. */
export function difference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Infinity;
  let furthest = 0;
  let largest = 1e-6;
  expected.forEach((value, index) => {
    // Not Math.max, which would lose a NaN's place but keep its harm.
    const distance = Math.abs(actual[index] - value);
    furthest = Number.isNaN(distance) ? Infinity : Math.max(furthest, distance);
    largest = Math.max(largest, Math.abs(value));
  });
  return furthest / largest;
}
