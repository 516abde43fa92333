import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatasetItem } from '../datasets/types.ts';
import { defaultAugmentation } from '../detector/augmentation.ts';
import { startBackend } from './backends/index.ts';
import { readCheckpoint } from './checkpoint.ts';
import { babble, tinyCard, tinyMember, tinyNetwork, wav16 } from '../detector/testing.ts';
import { trainNetwork } from './train.ts';
import type { TrainingEvent, TrainingOutcome, TrainingPlan } from './train.ts';

let folder: string;
let data: { train: DatasetItem[]; dev: DatasetItem[] };
/** Of the plan, without a stop. */
let whole: TrainingOutcome;
const events: TrainingEvent[] = [];

const plan: TrainingPlan = {
  network: {
    ...tinyNetwork,
    layers: [...tinyNetwork.layers.slice(0, -1), { type: 'dropout', rate: 0.2 }, { type: 'dense', units: 1 }],
  },
  settings: {
    conditioning: tinyCard.conditioning,
    window: tinyCard.window,
    frontEnd: tinyMember.frontEnd,
    augmentation: defaultAugmentation,
  },
  seed: 11,
  epochs: 4,
  batchSize: 8,
  learningRate: 0.02,
  weightDecay: 0.01,
  averagedSteps: 8,
  patience: 10,
  keep: 'best',
  sampling: 'clips',
  drawsPerClip: 1,
  labelSmoothing: 0,
  schedule: 'cosine',
  backend: 'cpu',
};

/** Bona fide clips pulse, spoofs drone in noise: easy to tell apart. */
function plant(split: string, count: number): DatasetItem[] {
  return Array.from({ length: 2 * count }, (_, index) => {
    const bonafide = index % 2 === 0;
    const path = join(folder, `${split}-${index}.wav`);
    const samples = babble(1.5, 1000 * split.length + index, { noise: bonafide ? 0.001 : 0.6 });
    writeFileSync(path, wav16(samples));
    const label = bonafide ? 'bonafide' : 'spoof';
    return { path, id: path, label, split, generator: null, speaker: null, source: null };
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-train-'));
  mkdirSync(folder, { recursive: true });
  data = { train: plant('train', 16), dev: plant('dev', 6) };
  await startBackend('cpu');
  whole = await trainNetwork(plan, data, join(folder, 'whole'), { onEvent: (event) => events.push(event) });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('training', () => {
  it('learns what tells two classes apart', () => {
    const losses = whole.history.map(({ loss }) => loss);
    expect(losses[3]).toBeLessThan(losses[0]);
    expect(whole.history[whole.bestEpoch - 1].devAuc).toBeGreaterThan(0.9);
    expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(4);
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(4 * 4);
  });

  it('goes on after a stop in the middle of an epoch as if there had been none', async () => {
    const stopped = join(folder, 'stopped');
    const controller = new AbortController();
    let steps = 0;
    const stopAt = (event: TrainingEvent): void => {
      if (event.type === 'step' && ++steps === 6) controller.abort();
    };
    await expect(trainNetwork(plan, data, stopped, { signal: controller.signal, onEvent: stopAt })).rejects.toThrow();
    expect(await readCheckpoint(stopped)).toMatchObject({ epoch: 1, step: 2 });

    const later: TrainingEvent[] = [];
    const resumed = await trainNetwork(plan, data, stopped, { resume: true, onEvent: (event) => later.push(event) });
    expect(later).toContainEqual({ type: 'resumed', epoch: 1, step: 2 });
    expect(resumed.history).toEqual(whole.history);
    expect([...resumed.weights]).toEqual([...whole.weights]);
  });

  it('depends on the seed, and a run of another seed is not continued', async () => {
    const one = await trainNetwork({ ...plan, epochs: 1 }, data, join(folder, 'one'));
    const other = await trainNetwork({ ...plan, epochs: 1, seed: 12 }, data, join(folder, 'other'));
    expect([...one.weights]).not.toEqual([...other.weights]);
    const mixed = trainNetwork({ ...plan, epochs: 1, seed: 12 }, data, join(folder, 'one'), { resume: true });
    await expect(mixed).rejects.toThrow(/another training run/);
  });

  it('leaves out what cannot be read, and says so', async () => {
    const broken = join(folder, 'broken.wav');
    writeFileSync(broken, 'not sound');
    const told: TrainingEvent[] = [];
    const train = [...data.train, { ...data.train[0], path: broken }];
    const outcome = await trainNetwork({ ...plan, epochs: 1 }, { ...data, train }, join(folder, 'partly'), {
      onEvent: (event) => told.push(event),
    });
    expect(told).toContainEqual(expect.objectContaining({ type: 'excluded', path: broken }));
    expect(outcome.trainSha256.at(-1)).toBeNull();
  });

  it('needs both classes', async () => {
    const train = data.train.filter(({ label }) => label === 'spoof');
    await expect(trainNetwork(plan, { ...data, train }, join(folder, 'half'))).rejects.toThrow(/no usable bona fide/);
  });
});
