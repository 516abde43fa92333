import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import ort from 'onnxruntime-node';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { applicationRoot } from '../base/workers.ts';
import { Detector } from '../detector/detector.ts';
import { Encoder, findEncoder, listEncoders } from '../detector/encoders/encoder.ts';
import { WhisperFeatures } from '../detector/encoders/whisper-features.ts';
import { OnnxGraphBuilder, writeOnnxGraph } from '../detector/onnx.ts';
import { readModel } from '../detector/store.ts';
import { babble } from '../detector/testing.ts';
import { encoderCardPath, encoderDeclarationSchema, takeInEncoder } from '../models/import-encoder.ts';
import { encoderDeclaration as declaration, encoderGraph, plantSpeech } from '../jobs/testing.ts';
import { trainModel } from './train-model.ts';

let home: string;
let graph: string;
let card: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-brought-'));
  vi.stubEnv('EARWITNESS_HOME', home);
  graph = join(home, 'graph.onnx');
  card = join(home, 'graph.json');
  writeFileSync(graph, encoderGraph());
  writeFileSync(card, JSON.stringify(declaration));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

it(
  'takes an encoder in, whose layers are pooled as NumPy would; padded zeros are no positions',
  { timeout: 120_000 },
  async () => {
    const { card: taken } = await takeInEncoder(graph, card);
    expect(taken).toMatchObject({ name: 'brought', input: { samples: 48_000 }, output: { size: 16 } });
    expect((await listEncoders()).map(({ name }) => name)).toEqual(['whisper-tiny-en', 'brought']);
    await expect(takeInEncoder(graph, card)).rejects.toMatchObject({ code: 'exists' });

    const window = babble(3, 4).map((value) => 5 * value + 0.2);
    const mean = window.reduce((sum, value) => sum + value, 0) / window.length;
    const deviation = Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window.length + 1e-7);
    const normal = window.map((value) => (value - mean) / deviation);
    const session = await ort.InferenceSession.create(graph);
    const layers = await session.run({ input_values: new ort.Tensor('float32', normal, [1, 48_000]) });
    await session.release();
    const expected = ['layer.0', 'layer.1'].flatMap((layer) => {
      const values = layers[layer].data as Float32Array;
      const columns = [0, 1, 2, 3].map((place) => [...values].filter((_, index) => index % 4 === place));
      const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / column.length);
      const deviations = columns.map((column, at) =>
        Math.sqrt(column.reduce((sum, value) => sum + (value - means[at]) ** 2, 0) / column.length),
      );
      return [...means, ...deviations];
    });
    writeFileSync(graph, encoderGraph(480_000));
    writeFileSync(
      card,
      JSON.stringify({ ...declaration, name: 'padded', input: { ...declaration.input, padTo: 480_000 } }),
    );
    await takeInEncoder(graph, card);
    for (const name of ['brought', 'padded']) {
      const stored = await findEncoder(name);
      if (stored === null) throw new Error('no encoder');
      const encoder = await Encoder.create(stored, 1);
      const pooled = await encoder.embed(window);
      await encoder.dispose();
      expect(pooled).toHaveLength(16);
      for (const [place, value] of expected.entries()) expect(Math.abs(pooled[place] - value)).toBeLessThan(1e-4);
    }
  },
);

it('is trained on: head, layers and statistics chosen on sources left out; the second time nothing is embedded', async () => {
  await takeInEncoder(graph, card);
  const request = {
    dataset: plantSpeech(home, { train: 24, dev: 12 }),
    network: 'residual',
    members: ['encoder:brought'],
    out: join(home, 'model'),
    backend: 'cpu' as const,
    seed: 1,
    folds: null,
    maximumErrorRate: 0.3,
    resume: false,
    notes: [],
  };
  const model = await trainModel(request, 'a test');
  const [member] = model.card.members;
  if (member.kind !== 'encoder') throw new Error('no encoder');
  expect(member).toMatchObject({ name: 'brought', encoder: { name: 'brought', size: 16 } });
  expect(member.training.layers?.every((layer) => layer < 2)).toBe(true);
  expect(['mean', 'mean and deviation']).toContain(member.training.pooling);
  // Spoofs are noisier by far.
  expect(model.card.figures[0].auc).toBeGreaterThan(0.9);
  const detector = await Detector.create(await readModel(request.out), 1);
  const { score } = await detector.analyse(join(home, 'audio', 'dev-0.wav'));
  await detector.dispose();
  expect(Number.isFinite(score)).toBe(true);

  // Made once: the second training finds the same files and leaves them as they are.
  const [kept] = readdirSync(join(home, 'embeddings'));
  const made = (): number[] => {
    const folder = join(home, 'embeddings', kept);
    return readdirSync(folder).map((name) => statSync(join(folder, name)).ino);
  };
  const before = made();
  expect(before).toHaveLength(24);
  const again = await trainModel({ ...request, out: join(home, 'again') }, 'a test');
  expect(made()).toEqual(before);
  expect(again.card.files).toEqual(model.card.files);
}, 240_000);

/** One layer of four values from spectra of 80 bands: every second frame, mixed. */
function spectrumGraph(bands = 80): Uint8Array {
  const builder = new OnnxGraphBuilder(new Map());
  const kernel = Float32Array.from({ length: 4 * bands }, (_, index) => Math.sin(0.7 * index));
  builder.node('Conv', 'conv', ['input_features', builder.constant('kernel', [4, bands, 1], kernel)], { strides: [2] });
  builder.node('Transpose', 'layer.0', ['conv'], { perm: [0, 2, 1] });
  return writeOnnxGraph({
    name: 'encoder',
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: [{ name: 'input_features', shape: ['batch', bands, 'frames'] }],
    outputs: [{ name: 'layer.0', shape: ['batch', 'positions', 4] }],
  });
}

it('computes the spectra that a card declares, and refuses a graph for others', { timeout: 120_000 }, async () => {
  const declared = {
    name: 'spectra',
    input: { name: 'input_features', frontEnd: 'whisper-log-mel-80' },
    layers: ['layer.0'],
    width: 4,
  };
  writeFileSync(card, JSON.stringify(declared));
  await expect(takeInEncoder(graph, card)).rejects.toThrow(/no input "input_features"/);
  writeFileSync(graph, spectrumGraph(128));
  await expect(takeInEncoder(graph, card)).rejects.toThrow(
    /its input is \[any, 128, any\], and what the card declares is \[1, 80, 300\] \(whisper-log-mel-80 of 48000 samples\)/,
  );
  writeFileSync(graph, spectrumGraph());
  const { card: taken } = await takeInEncoder(graph, card);
  expect(taken.brought).toMatchObject({ frontEnd: 'whisper-log-mel-80', axes: 3, padTo: null });

  const window = babble(3, 4);
  const features = await WhisperFeatures.create('whisper-log-mel-80', window.length, 1);
  const values = await features.compute(window);
  await features.dispose();
  const session = await ort.InferenceSession.create(graph);
  const run = await session.run({ input_features: new ort.Tensor('float32', values, [1, 80, 300]) });
  await session.release();
  const layer = run['layer.0'].data as Float32Array;
  expect(layer).toHaveLength(150 * 4);
  const means = [0, 1, 2, 3].map(
    (place) => layer.filter((_, index) => index % 4 === place).reduce((a, b) => a + b) / 150,
  );
  const stored = await findEncoder('spectra');
  if (stored === null) throw new Error('no encoder');
  const encoder = await Encoder.create(stored, 1);
  const pooled = await encoder.embed(window);
  await encoder.dispose();
  means.forEach((mean, place) => expect(pooled[place]).toBeCloseTo(mean, 4));
});

it('knows the cards that come with the application by their names', () => {
  const folder = join(applicationRoot(), 'resources', 'encoder-cards');
  const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
  expect(names).toContain('whisper-large-v3');
  for (const name of names) {
    const path = encoderCardPath(name);
    expect(path).toBe(join(folder, `${name}.json`));
    const read = encoderDeclarationSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    expect(read.name).toBe(name);
    expect(read.input.frontEnd === null).toBe(!name.startsWith('whisper'));
  }
  expect(encoderCardPath('nothing-of-the-kind')).toBe(resolve('nothing-of-the-kind'));
  expect(encoderCardPath('./whisper-base')).toBe(resolve('whisper-base'));
});

it('leaves nothing where it is refused, and says why', { timeout: 120_000 }, async () => {
  const refused = async (change: object, why: RegExp, bytes = encoderGraph()): Promise<void> => {
    writeFileSync(graph, bytes);
    writeFileSync(card, JSON.stringify({ ...declaration, ...change }));
    await expect(takeInEncoder(graph, card)).rejects.toThrow(why);
    expect(existsSync(join(home, 'encoders', 'brought'))).toBe(false);
  };
  await refused({ layers: ['layer.0', 'layer.7'] }, /no output "layer.7", but layer.0, layer.1/);
  await refused(
    { width: 5 },
    /its layer "layer.0" is \[any, any, 4\], and what the card declares is \[1, positions, 5\]/,
  );
  await refused({ input: { name: 'x' } }, /no input "x", but input_values/);
  await refused({}, /its input is \[any, 16000\], and what the card declares is 48000 samples/, encoderGraph(16_000));
  await refused({}, /no numbers/, encoderGraph('samples', 'Log'));
  await refused({ name: '../elsewhere' }, /name: /);
  await refused({ name: 'xlsr-2' }, /must not end in/);
  await refused({ hop: 1 }, /hop/);
  expect(readFileSync(card, 'utf8')).toContain('hop');
});
