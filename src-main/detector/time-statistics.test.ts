import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { TensorNetwork } from './tensors.ts';
import { createNetwork, placeLayers, startingWeights } from './network.ts';
import type { NetworkSpec } from './network.ts';
import { timeStatisticsCount } from './time-statistics.ts';

beforeAll(async () => {
  tf.env().set('PROD', true);
  await tf.setBackend('cpu');
});

/** A network that lets one statistic through. */
async function statistic(values: Float32Array, bins: number, frames: number, index: number): Promise<number> {
  const spec: NetworkSpec = {
    name: 'one',
    input: { bins, frames },
    layers: [{ type: 'time-statistics' }, { type: 'dense', units: 1 }],
  };
  const weights = startingWeights(spec, 1);
  const kernel = weights.get('1.dense.kernel') as Float32Array;
  kernel[index] = 1;
  const network = new TensorNetwork(spec, weights);
  const [value] = await network.forward(tf.tensor4d(values, [1, bins, frames, 1])).data();
  network.dispose();
  return value;
}

const bins = 20;
const frames = 200;
const amplitudeDb = 10;
const angle = (2 * Math.PI) / 20;
const phase = 0.3;
/** Each bin a cosine over ten whole periods, each a little later than the one below, at a level of its own. */
const waves = Float32Array.from({ length: bins * frames }, (_, index) => {
  const bin = Math.floor(index / frames);
  return -60 + 2 * bin + amplitudeDb * Math.cos(angle * (index % frames) - phase * bin);
});

it('knows a cosine', async () => {
  const own = (place: number): Promise<number> => statistic(waves, bins, frames, place * bins + 7);
  expect(await own(0)).toBeCloseTo(0, 2);
  // The kurtosis of a cosine is 1.5, and so is that of its differences.
  expect(await own(1)).toBeCloseTo(1.5, 2);
  const meanMove = (2 / Math.PI) * 2 * amplitudeDb * Math.sin(angle / 2);
  expect(await own(2)).toBeCloseTo(Math.log(meanMove + 0.1), 2);
  expect(await own(3)).toBeCloseTo(1.5, 1);
  expect(await own(4)).toBeCloseTo(0, 1);
  expect(await own(5)).toBeCloseTo(1.5, 1);
  for (const [order, lag] of [2, 4, 8, 16].entries()) {
    expect(Math.abs((await own(6 + order)) - Math.cos(lag * angle))).toBeLessThan(0.07);
  }
  const perBin = 16 * bins;
  const step = 2 * Math.sin(phase / 2);
  expect(await statistic(waves, bins, frames, perBin + 7)).toBeCloseTo(
    Math.log(Math.sqrt((step * amplitudeDb) ** 2 / 2 + 0.05)),
    2,
  );
  expect(await statistic(waves, bins, frames, perBin + bins - 1 + 7)).toBeCloseTo(Math.cos(phase), 2);
});

it('knows the fine structure: a bin that moves alone', async () => {
  const alone = Float32Array.from({ length: bins * frames }, (_, index) =>
    Math.floor(index / frames) === 9 ? -60 + amplitudeDb * Math.cos(angle * (index % frames)) : -60,
  );
  const place = 6 + 4;
  const own = (at: number): Promise<number> => statistic(alone, bins, frames, (place + at) * bins + 9);
  expect(await own(1)).toBeCloseTo(1.5, 2);
  expect(await own(2)).toBeCloseTo(Math.cos(angle), 1);
  // Eight ninths of it are its own.
  expect(await own(5)).toBeCloseTo(Math.log(8 / 9), 2);
});

it('does not notice level or equaliser, and stays finite in silence', async () => {
  const random = new Random(4);
  const noise = Float32Array.from({ length: bins * frames }, () => -50 + 8 * random.normal());
  const coloured = noise.map((value, index) => value + 12 - 3 * Math.floor(index / frames));
  for (let index = 3; index < timeStatisticsCount(bins); index += 37) {
    const plain = await statistic(noise, bins, frames, index);
    expect(await statistic(coloured, bins, frames, index)).toBeCloseTo(plain, 3);
    expect(await statistic(new Float32Array(bins * frames).fill(-70), bins, frames, index)).not.toBeNaN();
  }
});

it('makes as many numbers as it says, and wants a spectrogram that is large enough', () => {
  const spec = createNetwork('mel-resnet', 80, 197);
  expect(placeLayers(spec)[0].output).toEqual([16 * 80 + 79 + 79 + 78 + 76]);
  expect(() => placeLayers({ ...spec, input: { bins: 80, frames: 16 } })).toThrow(/larger spectrogram/);
});
