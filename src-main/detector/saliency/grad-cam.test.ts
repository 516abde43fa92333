import ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { Random } from '../../base/random.ts';
import { createNetwork, startingWeights } from '../network.ts';
import type { NetworkSpec, Weights } from '../network.ts';
import { onnxNames, writeOnnx } from '../onnx.ts';
import { cellGrid } from './cells.ts';
import { gradCam, headGradient, layersToMaps, mapToCells } from './grad-cam.ts';

function randomWeights(spec: NetworkSpec): Weights {
  const random = new Random(6);
  const weights = startingWeights(spec, 1);
  for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] += 0.3 * random.uniform();
  return weights;
}

/** Networks whose feature maps are what goes in, so that the gradient can be taken from outside: by small steps. */
const heads: NetworkSpec['layers'][] = [
  [{ type: 'time-moments' }, { type: 'dropout', rate: 0.3 }, { type: 'dense', units: 1 }],
  [{ type: 'global-average' }, { type: 'dense', units: 3 }, { type: 'relu' }, { type: 'dense', units: 1 }],
  [{ type: 'flatten' }, { type: 'dense', units: 4 }, { type: 'relu' }, { type: 'dense', units: 1 }],
];

it.each(heads)('the gradient of a head that begins with %o is what small steps show', async (...layers) => {
  const spec: NetworkSpec = {
    name: 'head',
    input: { bins: 4, frames: 6 },
    layers: [{ type: 'normalise', mean: 'fixed', fixedMeanDb: 0, scale: 1 }, ...layers.filter((layer) => layer)],
  };
  const weights = randomWeights(spec);
  const random = new Random(3);
  const maps = Float32Array.from({ length: 24 }, () => random.normal());
  const gradient = headGradient(spec, weights, maps);
  const session = await ort.InferenceSession.create(writeOnnx(spec, weights));
  const step = 0.02;
  const planes = Float32Array.from({ length: 48 * 24 }, (_, i) => {
    const place = Math.floor(i / 24) >> 1;
    const sign = Math.floor(i / 24) % 2 === 0 ? 1 : -1;
    return maps[i % 24] + (i % 24 === place ? sign * step : 0);
  });
  const output = await session.run({ [onnxNames.input]: new ort.Tensor('float32', planes, [48, 1, 4, 6]) });
  const scores = output[onnxNames.output].data as Float32Array;
  const largest = Math.max(...gradient.map(Math.abs));
  expect(largest).toBeGreaterThan(1e-3);
  gradient.forEach((value, place) => {
    const slope = (scores[2 * place] - scores[2 * place + 1]) / (2 * step);
    expect(Math.abs(value - slope)).toBeLessThan(0.01 * largest);
  });
});

it.each(['residual', 'mel-cnn'])('%s tells its last feature maps and the same score', async (name) => {
  const spec = createNetwork(name, 48, 64);
  const weights = randomWeights(spec);
  const random = new Random(2);
  const plane = Float32Array.from({ length: 48 * 64 }, () => random.between(-80, 0));
  const input = { [onnxNames.input]: new ort.Tensor('float32', plane, [1, 1, 48, 64]) };
  const plain = await (await ort.InferenceSession.create(writeOnnx(spec, weights))).run(input);
  const telling = await (await ort.InferenceSession.create(writeOnnx(spec, weights, layersToMaps(spec)))).run(input);
  expect(telling[onnxNames.output].data).toEqual(plain[onnxNames.output].data);
  const [, channels, height, width] = telling[onnxNames.maps].dims;
  const maps = telling[onnxNames.maps].data as Float32Array;
  const cam = gradCam(spec, weights, maps);
  expect(cam.map).toHaveLength(height * width);
  expect(cam.width).toBe(width);
  // By its definition, with the maps read the other way round.
  const byPlace = Float32Array.from(maps, (_, i) => maps[(i % channels) * height * width + Math.floor(i / channels)]);
  const gradient = headGradient(spec, weights, byPlace);
  let expected = 0;
  for (let channel = 0; channel < channels; channel++) {
    let alpha = 0;
    for (let place = 0; place < height * width; place++) alpha += gradient[place * channels + channel];
    expected += (alpha / (height * width)) * maps[channel * height * width + 5];
  }
  expect(cam.map[5]).toBeCloseTo(expected, 5);
});

it('a map is spread over the cells of time and frequency, also where the sound repeats', () => {
  const frequenciesHz = Float64Array.from({ length: 100 }, (_, bin) => 35 + 73 * bin);
  // Two rows over four columns; the upper right quarter is 1.
  const map = Float64Array.of(0, 0, 0, 0, 0, 0, 1, 1);
  const grid = cellGrid(2, [70, 7400]);
  const cells = mapToCells(map, 4, 2, frequenciesHz, grid);
  expect(cells[0]).toBe(0);
  expect(cells[7 * 10 + 9]).toBe(1);
  expect(cells[7 * 10 + 4]).toBe(0);
  expect(cells[7 * 10 + 5]).toBe(1);
  expect(cells[9]).toBe(0);
  // The same map over a second that was repeated once: its halves fall together.
  expect(mapToCells(map, 4, 2, frequenciesHz, cellGrid(1, [70, 7400]))[7 * 5 + 2]).toBeCloseTo(0.5, 1);
});
