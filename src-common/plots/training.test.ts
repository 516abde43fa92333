import { expect, test } from 'vitest';
import type { Training, TrainingMember } from '../schemas/training.ts';
import { legendOf, ticksOf } from './plot.ts';
import { bestOf, devAucPlot, devEerPlot, lossPlot } from './training.ts';

const network: TrainingMember = {
  ...{ name: 'network', kind: 'network', planned: 30, inFolds: false, state: 'running', embedded: null, joined: null },
  steps: [
    { epoch: 0.5, loss: 0.7 },
    { epoch: 2.5, loss: 0.4 },
  ],
  epochs: [
    { epoch: 1, loss: 0.6, devEer: 0.4, devAuc: 0.62, best: true },
    { epoch: 2, loss: 0.5, devEer: 0.35, devAuc: 0.7, best: true },
    { epoch: 3, loss: 0.4, devEer: 0.34, devAuc: 0.69, best: false },
  ],
};
const training: Training = {
  jobId: 'j',
  request: {
    dataset: 'folder:/x',
    name: 'net',
    network: 'mel-cnn',
    frontEnd: 'mel',
    augmentation: 'full',
    backend: 'auto',
    epochs: 30,
    batchSize: 32,
    learningRate: 0.001,
    patience: 8,
    seed: 1,
    folds: null,
    band: 'full',
    maximumErrorRate: 0.05,
    notes: [],
  },
  startedAt: '2026-11-24T00:00:00Z',
  state: 'running',
  backend: null,
  counts: null,
  members: [network],
  fold: 0,
  folds: 0,
  clipsPerSecond: 100,
  secondsLeft: 60,
  messages: [],
  modelId: null,
  error: null,
};

test('there are no curves before the first step and epoch', () => {
  const empty = { ...training, members: [{ ...network, steps: [], epochs: [] }] };
  expect([lossPlot(empty), devEerPlot(empty), devAucPlot(empty)]).toEqual([null, null, null]);
});

test('the epoch that is kept is the last that was better than all before', () => {
  expect(bestOf(training)?.epoch).toBe(2);
  const marks = devAucPlot(training)?.layers.find((layer) => layer.kind === 'marks');
  expect(marks?.kind === 'marks' && marks.points).toEqual([[2, 0.7]]);
  expect(devEerPlot(training)?.gist).toContain('35.0');
});

test('axes hold all values and label whole epochs', () => {
  const plot = lossPlot(training);
  expect(plot && [plot.x.to, plot.y.to > 0.7]).toEqual([3, true]);
  expect(plot && ticksOf(plot.x)).toEqual([0, 1, 2, 3]);
});

test('several networks have a curve each, under their names and in colours of their own; encoders have none', () => {
  const encoder = { ...network, name: 'encoder', kind: 'encoder', planned: null, steps: [], epochs: [] } as const;
  const mel = { ...network, name: 'mel', epochs: [] };
  const several = {
    ...training,
    members: [{ ...network, name: 'linear' }, mel, { ...encoder, steps: [], epochs: [] }],
  };
  expect(bestOf(several)).toBeUndefined();
  const loss = lossPlot(several);
  expect(loss && legendOf(loss).map(({ name }) => name)).toEqual(['linear', 'mel']);
  expect(new Set(loss?.layers.map(({ role }) => role)).size).toBe(2);
  expect(loss?.gist).toBe('The loss of linear is 0.400 at epoch 2.5. The loss of mel is 0.400 at epoch 2.5.');
  const eer = devEerPlot(several);
  expect(eer && legendOf(eer).map(({ name }) => name)).toEqual(['linear']);
  expect(eer?.gist).toContain('of linear: 35.0');
});
