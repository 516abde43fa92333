import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { Adam } from './adam.ts';
import type { Weights } from '../detector/network.ts';

const kernel = [0.5, -1, 2, 0.25, -0.75, 1.5];
const bias = [0.1, -0.2];
const decaying = new Set(['kernel']);

function start(): Weights {
  return new Map([
    ['kernel', Float32Array.from(kernel)],
    ['bias', Float32Array.from(bias)],
  ]);
}

/** The same gradients for the same step, of very unlike sizes. */
function gradientsOf(step: number): Record<'kernel' | 'bias', number[]> {
  const random = new Random([11, step]);
  const draw = (count: number, scale: number): number[] =>
    Array.from({ length: count }, () => Math.fround(random.normal() * scale));
  return { kernel: draw(6, 3), bias: draw(2, 1e-3) };
}

function steps(adam: Adam, weights: Weights, first: number, end: number): void {
  for (let step = first; step < end; step++) {
    const { kernel, bias } = gradientsOf(step);
    adam.apply(
      weights,
      new Map([
        ['kernel', Float32Array.from(kernel)],
        ['bias', Float32Array.from(bias)],
      ]),
    );
  }
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
  it('moves by the learning rate at the first step, whatever the gradient', () => {
    const weights = start();
    steps(new Adam({ learningRate: 0.01 }), weights, 0, 1);
    const moved = kernel.map((value, index) => weights.get('kernel')![index] - value);
    const expected = gradientsOf(0).kernel.map((gradient) => -0.01 * Math.sign(gradient));
    moved.forEach((distance, index) => expect(distance).toBeCloseTo(expected[index], 5));
  });

  it.each([0, 0.1])('follows the paper over thirty steps with weight decay %f, which spares biases', (weightDecay) => {
    const weights = start();
    steps(new Adam({ learningRate: 0.02, weightDecay, decaying }), weights, 0, 30);
    const kernelReference = reference(kernel, 'kernel', 30, 0.02, weightDecay);
    const biasReference = reference(bias.map(Math.fround), 'bias', 30, 0.02, 0);
    kernelReference.forEach((value, index) => expect(weights.get('kernel')![index]).toBeCloseTo(value, 5));
    biasReference.forEach((value, index) => expect(weights.get('bias')![index]).toBeCloseTo(value, 5));
  });

  it('goes on from a saved state byte for byte, at a changed learning rate too', () => {
    const whole = start();
    const first = new Adam({ learningRate: 0.02, weightDecay: 0.1, decaying });
    steps(first, whole, 0, 7);
    const state = first.state();
    const resumed: Weights = new Map([...whole].map(([name, values]) => [name, values.slice()]));
    first.learningRate = 0.005;
    steps(first, whole, 7, 20);

    const second = new Adam({ learningRate: 0.005, weightDecay: 0.1, decaying });
    second.restore(state);
    expect(second.state()).toEqual(state);
    steps(second, resumed, 7, 20);
    expect(resumed).toEqual(whole);
    expect(second.state()).toEqual(first.state());
    expect(second.state().step).toBe(20);
  });

  it('gives a state that later steps do not change', () => {
    const weights = start();
    const adam = new Adam({ learningRate: 0.02 });
    steps(adam, weights, 0, 1);
    const state = adam.state();
    const kept = state.m.get('kernel')!.slice();
    steps(adam, weights, 1, 5);
    expect(state.m.get('kernel')).toEqual(kept);
    expect(adam.state().m.get('kernel')).not.toEqual(kept);
  });

  it('leaves alone what has no gradient', () => {
    const weights = start();
    new Adam({ learningRate: 0.02 }).apply(weights, new Map([['bias', Float32Array.of(1, -1)]]));
    expect([...weights.get('kernel')!]).toEqual(kernel);
    expect(weights.get('bias')![0]).toBeCloseTo(0.08, 6);
  });
});
