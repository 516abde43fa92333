import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { Adam } from './adam.ts';
import type { AdamState } from './adam.ts';
import { startBackend } from './backends/index.ts';

beforeAll(async () => {
  await startBackend('wasm');
});

interface Trained {
  variables: Map<string, tf.Variable>;
  dispose(): void;
}

function start(values: Record<string, Float32Array> = {}): Trained {
  const kernel = tf.tensor2d(values.kernel ?? Float32Array.of(0.5, -1, 2, 0.25, -0.75, 1.5), [3, 2]);
  const bias = tf.tensor1d(values.bias ?? Float32Array.of(0.1, -0.2));
  const variables = new Map<string, tf.Variable>([
    ['kernel', tf.variable(kernel)],
    ['bias', tf.variable(bias)],
  ]);
  tf.dispose([kernel, bias]);
  return { variables, dispose: () => tf.dispose([...variables.values()]) };
}

/** The same gradients for the same step, of very unlike sizes. */
function gradientsOf(step: number): Record<'kernel' | 'bias', number[]> {
  const random = new Random([11, step]);
  const draw = (count: number, scale: number): number[] =>
    Array.from({ length: count }, () => Math.fround(random.normal() * scale));
  return { kernel: draw(6, 3), bias: draw(2, 1e-3) };
}

function steps(adam: Adam, { variables }: Trained, first: number, end: number): void {
  for (let step = first; step < end; step++) {
    const { kernel, bias } = gradientsOf(step);
    const gradients = { kernel: tf.tensor2d(kernel, [3, 2]), bias: tf.tensor1d(bias) };
    adam.apply(variables, gradients);
    tf.dispose(gradients);
  }
}

async function weights({ variables }: Trained): Promise<Record<string, Float32Array>> {
  const entries = [...variables].map(async ([name, variable]) => [name, Float32Array.from(await variable.data())]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, Float32Array>;
}

/** Algorithm 1 of Kingma and Ba (2015) in double precision, with decay as AdamW's algorithm 2 has it. */
function reference(values: number[], name: 'kernel' | 'bias', count: number, rate: number, decay: number): number[] {
  return values.map((initial, index) => {
    let [theta, m, v] = [initial, 0, 0];
    for (let t = 1; t <= count; t++) {
      const g = gradientsOf(t - 1)[name][index];
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      theta -= rate * decay * theta;
      theta -= (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-7);
    }
    return theta;
  });
}

describe('Adam', () => {
  it('moves by the learning rate at the first step, whatever the gradient', async () => {
    const trained = start();
    const adam = new Adam({ learningRate: 0.01 });
    steps(adam, trained, 0, 1);
    const { kernel } = await weights(trained);
    const moved = [0.5, -1, 2, 0.25, -0.75, 1.5].map((value, index) => kernel[index] - value);
    const expected = gradientsOf(0).kernel.map((gradient) => -0.01 * Math.sign(gradient));
    moved.forEach((distance, index) => expect(distance).toBeCloseTo(expected[index], 5));
    adam.dispose();
    trained.dispose();
  });

  it.each([0, 0.1])('follows the paper over thirty steps with weight decay %f, which spares biases', async (decay) => {
    const trained = start();
    const adam = new Adam({ learningRate: 0.02, weightDecay: decay });
    steps(adam, trained, 0, 30);
    const { kernel, bias } = await weights(trained);
    const kernelReference = reference([0.5, -1, 2, 0.25, -0.75, 1.5], 'kernel', 30, 0.02, decay);
    const biasReference = reference([Math.fround(0.1), Math.fround(-0.2)], 'bias', 30, 0.02, 0);
    kernelReference.forEach((value, index) => expect(kernel[index]).toBeCloseTo(value, 5));
    biasReference.forEach((value, index) => expect(bias[index]).toBeCloseTo(value, 5));
    adam.dispose();
    trained.dispose();
  });

  it('goes on from a saved state byte for byte, at a changed learning rate too', async () => {
    const whole = start();
    const first = new Adam({ learningRate: 0.02, weightDecay: 0.1 });
    steps(first, whole, 0, 7);
    const state = await first.state();
    const saved = await weights(whole);
    first.learningRate = 0.005;
    steps(first, whole, 7, 20);

    const resumed = start(saved);
    const second = new Adam({ learningRate: 0.005, weightDecay: 0.1 });
    second.restore(state);
    expect(await second.state()).toEqual(state);
    steps(second, resumed, 7, 20);
    expect(await weights(resumed)).toEqual(await weights(whole));
    expect(await second.state()).toEqual(await first.state());
    expect((await second.state()).step).toBe(20);
    for (const part of [first, second, whole, resumed]) part.dispose();
  });

  it('leaves no tensors behind, and a state that later steps do not change', async () => {
    const before = tf.memory().numTensors;
    const trained = start();
    const adam = new Adam({ learningRate: 0.02 });
    steps(adam, trained, 0, 1);
    const held = tf.memory().numTensors;
    const state: AdamState = await adam.state();
    const kept = Float32Array.from(state.m.get('kernel')!);
    steps(adam, trained, 1, 5);
    expect(tf.memory().numTensors).toBe(held);
    expect(state.m.get('kernel')).toEqual(kept);
    expect((await adam.state()).m.get('kernel')).not.toEqual(kept);
    adam.dispose();
    trained.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
