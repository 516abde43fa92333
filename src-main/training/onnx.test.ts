import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { createNetwork, networkNames, networkSchema, startingWeights, withFrames } from '../detector/network.ts';
import type { NetworkSpec, Weights } from '../detector/network.ts';
import { onnxNames, writeOnnx } from '../detector/onnx.ts';
import { TensorNetwork } from './tensors.ts';

const everyLayer: NetworkSpec = {
  name: 'every-layer',
  input: { bins: 21, frames: 30 },
  layers: [
    { type: 'normalise', mean: 'fixed', fixedMeanDb: -30, scale: 0.05 },
    { type: 'normalise', mean: 'per-window', scale: 1.5 },
    { type: 'conv', filters: 4, kernel: [5, 3], strides: [2, 2], bias: false },
    { type: 'batch-norm' },
    { type: 'relu' },
    {
      type: 'residual',
      body: [
        { type: 'conv', filters: 6, kernel: [3, 3], strides: [2, 1], bias: false },
        { type: 'batch-norm' },
        { type: 'relu' },
        { type: 'conv', filters: 6, kernel: [3, 3], strides: [1, 1], bias: true },
      ],
      shortcut: [{ type: 'conv', filters: 6, kernel: [1, 1], strides: [2, 1], bias: false }],
    },
    {
      type: 'residual',
      body: [{ type: 'conv', filters: 6, kernel: [3, 3], strides: [1, 1], bias: true }],
      shortcut: [],
    },
    { type: 'average-pool', size: [2, 2] },
    { type: 'max-pool', size: [1, 2] },
    { type: 'flatten' },
    { type: 'dropout', rate: 0.3 },
    { type: 'dense', units: 5 },
    { type: 'relu' },
    { type: 'dense', units: 1 },
  ],
};
const pooled: NetworkSpec = {
  name: 'pooled',
  input: { bins: 12, frames: 17 },
  layers: [
    { type: 'normalise', mean: 'per-bin', scale: 0.1 },
    { type: 'conv', filters: 3, kernel: [3, 3], strides: [1, 1], bias: true },
    { type: 'global-average' },
    { type: 'dense', units: 1 },
  ],
};
const moments: NetworkSpec = {
  name: 'moments',
  input: { bins: 3, frames: 4 },
  layers: [{ type: 'time-moments' }, { type: 'dense', units: 1 }],
};

/** Weights that leave nothing at zero or one, so that a part that is dropped shows. */
function unsettled(spec: NetworkSpec, seed: number): Weights {
  const random = new Random([seed, 99]);
  const weights = startingWeights(spec, seed);
  for (const [name, values] of weights) {
    for (let i = 0; i < values.length; i++) values[i] += 0.1 * random.normal();
    if (name.endsWith('variance')) for (let i = 0; i < values.length; i++) values[i] = 0.5 + random.uniform();
  }
  return weights;
}

function spectrogram(size: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: size }, () => -40 + 15 * random.normal());
}

async function onnxLogits(spec: NetworkSpec, weights: Weights, input: Float32Array, count: number): Promise<number[]> {
  const session = await ort.InferenceSession.create(writeOnnx(spec, weights), { executionProviders: ['cpu'] });
  const tensor = new ort.Tensor('float32', input, [count, 1, spec.input.bins, spec.input.frames]);
  const output = await session.run({ [onnxNames.input]: tensor });
  await session.release();
  return [...(output[onnxNames.output].data as Float32Array)];
}

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

describe('a network as ONNX', () => {
  const specs = [
    everyLayer,
    pooled,
    moments,
    ...networkNames.map((name) => createNetwork(name, 40, 50)),
    { ...createNetwork('residual', 160, 50, 4), name: 'residual of four planes' },
  ];
  it.each(specs.map((spec) => [spec.name, spec] as const))(
    '%s gives the logits of TensorFlow.js to 1e-4',
    async (_, spec) => {
      const { bins, frames } = spec.input;
      const weights = unsettled(spec, 7);
      const input = spectrogram(3 * bins * frames, 3);
      const network = new TensorNetwork(spec, weights);
      const wanted = [...(await network.forward(tf.tensor4d(input, [3, bins, frames, 1])).data())];
      network.dispose();
      const found = await onnxLogits(spec, weights, input, 3);
      expect(new Set(wanted.map((value) => value.toFixed(3))).size).toBe(3);
      found.forEach((logit, index) =>
        expect(Math.abs(logit - wanted[index])).toBeLessThan(1e-4 * Math.max(1, Math.abs(wanted[index]))),
      );
    },
  );

  it('is the same bytes for the same weights, other bytes for others', () => {
    const weights = unsettled(everyLayer, 1);
    expect(Buffer.compare(writeOnnx(everyLayer, weights), writeOnnx(everyLayer, unsettled(everyLayer, 1)))).toBe(0);
    expect(Buffer.compare(writeOnnx(everyLayer, weights), writeOnnx(everyLayer, unsettled(everyLayer, 2)))).not.toBe(0);
  });

  it('knows mean and deviation over time of the mean over frequency', async () => {
    const rows = [
      [1, 5, 1, 5],
      [2, 6, 2, 6],
      [3, 7, 3, 7],
    ];
    for (const [place, wanted] of [4, 2].entries()) {
      const weights = startingWeights(moments, 1);
      (weights.get('1.dense.kernel') as Float32Array)[place] = 1;
      const [found] = await onnxLogits(moments, weights, Float32Array.from(rows.flat()), 1);
      expect(found).toBeCloseTo(wanted, 4);
    }
  });

  it('keeps its weights for windows of another length where they do not depend on it', () => {
    const spec = createNetwork('residual', 80, 297);
    expect(startingWeights(withFrames(spec, 197), 3)).toEqual(startingWeights(spec, 3));
    expect(() => withFrames(createNetwork('mel-cnn', 80, 297), 197)).toThrow(/depend on the length/);
  });

  it('does not notice an equaliser where the mean of each bin is removed', async () => {
    const weights = unsettled(pooled, 5);
    const input = spectrogram(12 * 17, 8);
    const coloured = input.map((value, index) => value + 3 * Math.floor(index / 17) - 20);
    const [plain] = await onnxLogits(pooled, weights, input, 1);
    const [equalised] = await onnxLogits(pooled, weights, coloured, 1);
    expect(equalised).toBeCloseTo(plain, 3);
  });
});

describe('a network as data', () => {
  it('survives JSON', () => {
    expect(networkSchema.parse(JSON.parse(JSON.stringify(everyLayer)))).toEqual(everyLayer);
  });

  it('is refused when its paths do not meet or it does not end in one logit', () => {
    const broken = structuredClone(everyLayer);
    broken.layers[6] = {
      type: 'residual',
      body: [{ type: 'conv', filters: 5, kernel: [3, 3], strides: [1, 1], bias: true }],
      shortcut: [],
    };
    expect(() => startingWeights(broken, 1)).toThrow(/paths end in/);
    expect(() => startingWeights({ ...pooled, layers: [{ type: 'planes', count: 5 }, ...pooled.layers] }, 1)).toThrow(
      /5 planes/,
    );
    expect(() => startingWeights({ ...pooled, layers: pooled.layers.slice(0, 3) }, 1)).toThrow(/one logit/);
  });
});
