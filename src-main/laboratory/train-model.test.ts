import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Detector } from '../detector/detector.ts';
import { readModel } from '../detector/store.ts';
import { babble, wav16 } from '../detector/testing.ts';
import { tensorflowIsSetUp } from '../training/backends/load.ts';
import { trainModel } from './train-model.ts';
import type { TrainModelEvent } from './train-model.ts';
import type { TrainingOptions } from './training-options.ts';

let folder: string;
let home: string;
let request: TrainingOptions;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-train-model-'));
  home = join(folder, 'home');
  vi.stubEnv('EARWITNESS_HOME', home);
  const lines = ['path,label,split,source'];
  let seed = 1;
  for (const [split, count] of [
    ['train', 12],
    ['dev', 6],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const label = i % 2 === 0 ? 'bonafide' : 'spoof';
      const name = `${split}-${i}.wav`;
      mkdirSync(join(folder, 'audio'), { recursive: true });
      writeFileSync(join(folder, 'audio', name), wav16(babble(2.1, seed++, { noise: i % 2 === 0 ? 0.001 : 0.4 })));
      lines.push(`audio/${name},${label},${split},${label}-source-${i % 6}`);
    }
  }
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  request = {
    dataset: `manifest:${join(folder, 'manifest.csv')}`,
    network: 'residual',
    out: join(folder, 'model'),
    // Which one is no matter here, and this one is the faster by far.
    backend: tensorflowIsSetUp() ? 'tensorflow' : 'wasm',
    epochs: 1,
    batchSize: 8,
    learningRate: 0.002,
    patience: 5,
    weightDecay: 0.02,
    averagedSteps: 8,
    seed: 1,
    folds: 2,
    maximumErrorRate: 0.05,
    resume: false,
    notes: ['A test.'],
  };
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it('calibrates on scores of networks that were trained without the source, resumes fold by fold, and tidies up', async () => {
  const events: TrainModelEvent[] = [];
  const controller = new AbortController();
  const stopInSecondFold = (event: TrainModelEvent): void => {
    events.push(event);
    if (event.type === 'fold' && event.fold === 2) controller.abort();
  };
  await expect(trainModel(request, 'a test', { onEvent: stopInSecondFold, signal: controller.signal })).rejects.toThrow(
    /abort/i,
  );
  expect(readdirSync(join(folder, 'model', 'checkpoint-folds', '1'))).toContainEqual(
    expect.stringMatching(/^scores-[0-9a-f]{12}\.json$/),
  );

  const resumed: TrainModelEvent[] = [];
  const { card } = await trainModel({ ...request, resume: true }, 'a test', {
    onEvent: (event) => resumed.push(event),
  });
  // The first fold is not trained again: the second and the whole are.
  expect(resumed.filter(({ type }) => type === 'epoch')).toHaveLength(2);
  expect(card.calibration.split).toContain('2 folds by source');
  expect(card.training).toMatchObject({ folds: 2 });
  // Trained on two seconds, scored on three, its spectrum linear unless asked otherwise.
  expect(card.window.seconds).toBe(3);
  expect(card.members).toMatchObject([
    {
      frontEnd: { type: 'linear' },
      network: { input: { bins: 232, frames: 297 } },
      training: { weightDecay: 0.02, averagedSteps: 8, epochs: 1, cropSeconds: 2 },
    },
  ]);
  expect(card.training.fileSha256).toHaveLength(12);
  expect(card.records).toMatchObject([{ split: 'dev', calibratedOn: false, notAssessable: { of: 6 } }]);
  expect(card.localisation?.bonafideHours).toBeCloseTo((6 * 2.1) / 3600, 4);
  expect(card.notes).toContain('A test.');
  expect(readdirSync(join(folder, 'model')).sort()).toEqual(['card.json', 'model.onnx', 'weights.safetensors']);
});

it('joins members by weights of recordings that they have not heard, and takes up what was done before a stop', async () => {
  const several = {
    ...request,
    out: join(folder, 'several'),
    members: ['linear', 'linear-2', 'mel', 'encoder'],
    keepCheckpoints: true,
  };
  const controller = new AbortController();
  const stopInFinal = (event: TrainModelEvent): void => {
    if (event.type === 'member' && event.name === 'mel' && event.members === 4) controller.abort();
  };
  await expect(trainModel(several, 'a test', { onEvent: stopInFinal, signal: controller.signal })).rejects.toThrow(
    /abort/i,
  );
  // Embeddings that were kept and are damaged are made again.
  const [kept] = readdirSync(join(home, 'embeddings'));
  const embeddings = readdirSync(join(home, 'embeddings', kept));
  writeFileSync(join(home, 'embeddings', kept, embeddings[0]), 'no longer whole');
  const resumed: TrainModelEvent[] = [];
  const model = await trainModel({ ...several, resume: true }, 'a test', { onEvent: (event) => resumed.push(event) });
  // Mel alone is left to train.
  expect(resumed.filter(({ type }) => type === 'epoch')).toHaveLength(1);
  const { card } = model;
  expect(card.members.map(({ name }) => name)).toEqual(['linear', 'linear-2', 'mel', 'encoder']);
  const weights = card.members.map(({ weight }) => weight);
  expect(weights[0]).toBe(weights[1]);
  expect(weights.every((weight) => Number.isFinite(weight) && weight !== 0)).toBe(true);
  expect(Object.keys(card.files).sort()).toEqual(
    readdirSync(several.out)
      .filter((name) => name !== 'card.json' && !name.startsWith('checkpoint'))
      .sort(),
  );
  // A model of some of its members trains nothing, and is calibrated on scores of its own.
  const fewer = {
    ...several,
    out: join(folder, 'of-some'),
    members: ['linear', 'mel'],
    keepCheckpoints: false,
    resume: true,
  };
  for (const part of ['checkpoint-members', 'checkpoint-folds']) {
    cpSync(join(several.out, part), join(fewer.out, part), { recursive: true });
  }
  const again: TrainModelEvent[] = [];
  const { card: ofSome } = await trainModel(fewer, 'a test', { onEvent: (event) => again.push(event) });
  expect(again.filter(({ type }) => type === 'step')).toHaveLength(0);
  expect(again.some((event) => event.type === 'score' && event.split.startsWith('fold'))).toBe(true);
  expect(ofSome.members.map(({ weight }) => weight)).not.toContain(weights[0]);
  expect(readdirSync(fewer.out).some((name) => name.startsWith('checkpoint'))).toBe(false);

  const detector = await Detector.create(await readModel(several.out), 1);
  const analysis = await detector.analyse(join(folder, 'audio', 'dev-0.wav'));
  await detector.dispose();
  const scores = analysis.members?.map(({ score }) => score as number) ?? [];
  expect(scores).toHaveLength(4);
  expect(analysis.score).toBeCloseTo(
    scores.reduce((sum, score, index) => sum + weights[index] * score, 0),
    6,
  );
}, 600_000);

it('is made for telephone speech where asked to, and its checkpoints serve a model of some of its members', async () => {
  const narrow = { ...request, out: join(folder, 'narrow'), folds: null, band: 'telephone' as const };
  const members = ['linear', 'mel', 'encoder'];
  const { card } = await trainModel({ ...narrow, members, keepCheckpoints: true }, 'a test');
  expect(card.conditioning.bandHz).toEqual([300, 3400]);
  expect(card.thresholds.minimumBandwidthHz).toBe(2000);
  const [linear, mel] = card.members;
  // Bins from 250 to 3,500 Hz, 31.25 Hz apart.
  expect(linear).toMatchObject({ frontEnd: { fMin: 250, fMax: 3500 }, network: { input: { bins: 105, frames: 297 } } });
  expect(linear).toMatchObject({ training: { augmentation: { specAugment: { maxBins: 6 } } } });
  expect(mel).toMatchObject({ frontEnd: { fMin: 250, fMax: 3500, nMels: 40 } });

  const fewer = { ...narrow, out: join(folder, 'fewer'), members: members.slice(0, 2), resume: true };
  cpSync(join(narrow.out, 'checkpoint-members'), join(fewer.out, 'checkpoint-members'), { recursive: true });
  const events: TrainModelEvent[] = [];
  const { card: second } = await trainModel(fewer, 'a test', { onEvent: (event) => events.push(event) });
  expect(events.filter(({ type }) => type === 'epoch' || type === 'step')).toHaveLength(0);
  expect(second.members.map(({ name }) => name)).toEqual(['linear', 'mel']);
  expect(second.files['linear.onnx']).toBe(card.files['linear.onnx']);
  expect(existsSync(join(fewer.out, 'checkpoint-members'))).toBe(false);
}, 600_000);

it('lets the head of an encoder learn from copies, of sources that the fold leaves in', async () => {
  const lines = readFileSync(join(folder, 'manifest.csv'), 'utf8').split('\n');
  const copied = lines.slice(1).filter((line, index) => line.includes(',train,') && index % 2 === 0);
  mkdirSync(join(folder, 'noisy', 'audio'), { recursive: true });
  for (const [index, line] of copied.entries()) {
    writeFileSync(join(folder, 'noisy', line.split(',')[0]), wav16(babble(2.1, 500 + index, { noise: 0.2 })));
  }
  writeFileSync(join(folder, 'noisy', 'manifest.csv'), [lines[0], ...copied].join('\n'));
  const copies = `manifest:${join(folder, 'noisy', 'manifest.csv')}`;
  const asked = { ...request, out: join(folder, 'head'), members: ['encoder'] };
  const without = await trainModel(asked, 'a test');
  const { card, onnxSha256 } = await trainModel({ ...asked, copies }, 'a test');
  expect(card.training).toMatchObject({ copies: { dataset: copies, recordings: 6 } });
  expect(card.training.fileSha256).toEqual(without.card.training.fileSha256);
  expect(onnxSha256).not.toBe(without.onnxSha256);
  await expect(trainModel({ ...asked, members: ['linear'], copies }, 'a test')).rejects.toThrow('no member learns');
}, 600_000);

it('is calibrated and measured on other copies of what it is trained on, by folds that left their sources out', async () => {
  // Two copies in three, so that they cannot be taken for what is trained on.
  const lines = readFileSync(join(folder, 'manifest.csv'), 'utf8').split('\n');
  const copies = [lines[0], ...lines.slice(1).filter((_, index) => index % 3 !== 2)];
  mkdirSync(join(folder, 'copies'));
  cpSync(join(folder, 'audio'), join(folder, 'copies', 'audio'), { recursive: true });
  writeFileSync(join(folder, 'copies', 'manifest.csv'), copies.join('\n'));
  const calibrateOn = `manifest:${join(folder, 'copies', 'manifest.csv')}`;
  const asked = { ...request, out: join(folder, 'elsewhere'), members: ['linear'], calibrateOn };
  const { card } = await trainModel({ ...asked, leastBandwidthHz: 1500 }, 'a test');
  expect(card.training.counts).toMatchObject({ train: { bonafide: 6, spoof: 6 } });
  expect(card.calibration.dataset).toBe(calibrateOn);
  expect(card.localisation?.bonafideHours).toBeCloseTo((4 * 2.1) / 3600, 4);
  expect(card.figures).toMatchObject([{ dataset: calibrateOn, split: 'dev', bonafide: 2, spoof: 2 }]);
  expect(card.thresholds.minimumBandwidthHz).toBe(1500);

  await expect(trainModel({ ...asked, folds: null }, 'a test')).rejects.toThrow('folds must leave their sources out');
  const foreign = copies.map((line, index) => (index === 0 ? line : `${line}-of-others`)).join('\n');
  writeFileSync(join(folder, 'copies', 'manifest.csv'), foreign);
  await expect(trainModel(asked, 'a test')).rejects.toThrow('is of a source that is trained on');
}, 600_000);
