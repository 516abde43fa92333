import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { trainingRequestSchema } from '../../src-common/schemas/training.ts';
import type { Training, TrainingRequest } from '../../src-common/schemas/training.ts';
import { readModel } from '../detector/store.ts';
import { writeTinyModel } from '../detector/testing.ts';
import { ModelStore } from '../models/model-store.ts';
import { isAlive } from '../base/processes.ts';
import { JobQueue } from '../jobs/queue.ts';
import { jobThat, plantSpeech } from '../jobs/testing.ts';
import { TrainStore } from './train-store.ts';

let data: string;
let dataset: string;
let home: string;
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'earwitness-train-data-'));
  dataset = plantSpeech(data, { train: 16, dev: 8, test: 4 });
});
afterAll(() => rmSync(data, { recursive: true, force: true }));
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-train-store-'));
});

interface Engine {
  jobs: JobQueue;
  models: ModelStore;
  store: TrainStore;
  changes: string[];
}
const engines: Engine[] = [];
afterEach(async () => {
  for (const { jobs } of engines.splice(0)) await jobs.close();
  rmSync(home, { recursive: true, force: true });
});

/** An engine, in a data folder with a model `tiny` that trains fast. */
async function engine(): Promise<Engine> {
  const jobs = new JobQueue();
  const models = new ModelStore(home);
  const changes: string[] = [];
  const application = 'earwitness test';
  const store = await TrainStore.open({ home, application, jobs, models, onChange: (id) => changes.push(id) });
  if (!existsSync(join(home, 'models', 'tiny'))) await writeTinyModel(join(home, 'models', 'tiny'));
  const opened = { jobs, models, store, changes };
  engines.push(opened);
  return opened;
}

function request(changes: Partial<TrainingRequest> = {}): TrainingRequest {
  const asked = { dataset, name: 'Tried', from: 'tiny', backend: 'cpu', epochs: 1, batchSize: 4, notes: ['A test.'] };
  return trainingRequestSchema.parse({ ...asked, ...changes });
}

/** The training, when it is as wanted. */
async function trainingThat(store: TrainStore, id: string, wanted: (training: Training) => boolean): Promise<Training> {
  for (;;) {
    const training = store.get(id);
    if (wanted(training)) return training;
    if (training.state === 'failed') throw new Error(JSON.stringify(training.error));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('trains in a process of its own, stops with a checkpoint, goes on in another engine, and makes a model', async () => {
  const first = await engine();
  const id = await first.store.start(request({ epochs: 16, patience: 16 }));
  expect(first.store.usersOf('tiny')).toHaveLength(1);
  await trainingThat(first.store, id, ({ members }) => members[0]?.steps.length >= 2);
  expect(first.store.get(id)).toMatchObject({
    state: 'running',
    backend: { name: 'cpu' },
    counts: { train: 16, dev: 8, test: 4 },
  });
  expect(first.jobs.get(id)).toMatchObject({ kind: 'train', unit: 'epochs', total: 16 });
  await expect(first.store.resume(id)).rejects.toMatchObject({ code: 'job-state' });
  await expect(first.store.discard(id)).rejects.toMatchObject({ code: 'job-state' });
  first.jobs.cancel(id);
  await jobThat(first.jobs, id, ({ endedAt }) => endedAt !== null);
  expect(first.store.get(id).state).toBe('cancelled');
  expect(existsSync(join(home, 'trainings', id, 'model', 'checkpoint.safetensors'))).toBe(true);
  await first.jobs.close();

  // Someone stopped it: it waits.
  const second = await engine();
  await second.store.recover();
  expect(second.store.list()).toMatchObject([{ jobId: id, state: 'cancelled', request: { name: 'Tried' } }]);
  expect(second.jobs.list()).toEqual([]);
  expect(await second.store.resume(id)).toBe(id);
  const done = await trainingThat(second.store, id, ({ state }) => state === 'done');
  expect(done.messages.join()).toMatch(/Going on after epoch \d+, step \d/);
  // Of both runs, each step once.
  expect(done.members).toMatchObject([{ name: 'network', planned: 16, state: 'done', joined: null }]);
  const [{ steps, epochs }] = done.members;
  expect(steps.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 64 }, (_, step) => (step + 1) / 4));
  expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 16 }, (_, epoch) => epoch + 1));
  expect(epochs.filter(({ best }) => best)).toHaveLength(1);
  expect((await jobThat(second.jobs, id, ({ state }) => state === 'done')).result).toEqual({ modelId: 'Tried' });
  const { card } = await readModel(await second.models.folderOf('Tried'));
  expect(card).toMatchObject({ name: 'Tried', application: 'earwitness test' });
  expect(card.members[0]).toMatchObject({ training: { epochs: 16, from: { name: 'tiny' } } });
  expect(card.notes).toContain('A test.');
  expect(second.changes).toContain(id);

  // The model stays when its training is discarded.
  await second.store.discard(id);
  expect(readdirSync(join(home, 'trainings'))).toEqual([]);
  expect((await second.models.list('default')).map(({ id: model }) => model)).toContain('Tried');
});

/** Starts trainings in an engine of its own process, which is killed when the first one runs. @returns their ids */
async function startedInKilledEngine(...requests: TrainingRequest[]): Promise<string[]> {
  await engine();
  const of = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const program = `
    import { JobQueue } from ${of('../jobs/queue.ts')};
    import { ModelStore } from ${of('../models/model-store.ts')};
    import { TrainStore } from ${of('./train-store.ts')};
    const home = ${JSON.stringify(home)};
    const jobs = new JobQueue();
    const store = await TrainStore.open({ home, application: 'earwitness test', jobs, models: new ModelStore(home) });
    for (const request of ${JSON.stringify(requests)}) console.log(await store.start(request));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const ids: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    ids.push(line);
    if (ids.length === requests.length) break;
  }
  for (;;) {
    const { training } = JSON.parse(readFileSync(join(home, 'trainings', ids[0], 'training.json'), 'utf8')) as {
      training: Training;
    };
    if (training.backend !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  await ended;
  return ids;
}

it('trains several members in folds, each with its progress, stops, goes on where it was, and keeps what each is worth', async () => {
  vi.stubEnv('EARWITNESS_HOME', home);
  onTestFinished(() => void vi.unstubAllEnvs());
  const first = await engine();
  const members = ['linear', 'linear-2', 'encoder'];
  const asked = {
    from: undefined,
    members,
    backend: 'wasm',
    folds: 2,
    maximumErrorRate: 0.1,
    name: 'Several',
  } as const;
  const id = await first.store.start(request({ ...asked, members: [...members], batchSize: 8, band: 'telephone' }));
  const seen = new Set<string>();
  const inSecondFold = ({ fold, members: now }: Training): boolean => {
    for (const { name, state } of now) if (state === 'running') seen.add(`${fold} ${name}`);
    return fold === 2 && now[0].steps.length > 0;
  };
  const stopped = await trainingThat(first.store, id, inSecondFold);
  expect(stopped).toMatchObject({
    folds: 2,
    members: [
      { name: 'linear', kind: 'network', planned: 1, inFolds: true },
      { name: 'linear-2', inFolds: false, state: 'waiting', steps: [] },
      { name: 'encoder', kind: 'encoder', planned: null, inFolds: true },
    ],
  });
  expect(stopped.members[2].embedded?.done).toBe(stopped.members[2].embedded?.total);
  expect([...seen].sort()).toEqual(['1 encoder', '1 linear', '2 linear']);
  // Two seeds on all, the first in both folds.
  expect(first.jobs.get(id).total).toBe(4);
  first.jobs.cancel(id);
  await jobThat(first.jobs, id, ({ endedAt }) => endedAt !== null);
  expect(first.store.get(id).members.map(({ state }) => state)).not.toContain('running');
  await first.jobs.close();

  const second = await engine();
  await second.store.resume(id);
  const done = await trainingThat(second.store, id, ({ state }) => state === 'done');
  // The first fold was not made again.
  expect(done.messages.filter((message) => message.startsWith('Fold 1 of 2'))).toHaveLength(2);
  expect(done.fold).toBe(0);
  const { card } = await readModel(await second.models.folderOf(done.modelId ?? ''));
  expect(card.conditioning.bandHz).toEqual([300, 3400]);
  // Too few for a band; how many are needed follows from the rate that was asked for.
  expect(card.calibration).toMatchObject({
    split: 'train, 2 folds by source',
    band: null,
    bandReason: expect.stringContaining('without a single error 29 are needed') as string,
  });
  expect(done.members.map(({ name, joined }) => [name, joined?.weight])).toEqual(
    card.members.map(({ name, weight }) => [name, weight]),
  );
  for (const { joined } of done.members) {
    expect(joined?.eer).toBeLessThanOrEqual(1);
    expect(joined?.auc).toBeGreaterThan(0);
  }
  expect(done.members.map(({ epochs }) => epochs.length)).toEqual([1, 1, 0]);
  expect(readdirSync(await second.models.folderOf(done.modelId ?? '')).join()).not.toContain('checkpoint');
}, 480_000);

it('reads trainings as an older version wrote them, finds the model of one whose engine ended as it was done, and takes nothing for its own that it cannot read', async () => {
  const first = await engine();
  const id = await first.store.start(request());
  const done = await trainingThat(first.store, id, ({ state }) => state === 'done');
  await first.jobs.close();
  const path = join(home, 'trainings', id, 'training.json');
  const record = JSON.parse(readFileSync(path, 'utf8')) as {
    [key: string]: unknown;
    training: Training;
    thinning: Record<string, { stepsPerEpoch: number }>;
  };
  const { training, pid, made, thinning } = record;
  const { members, fold, folds, request: asked, ...rest } = training;
  const { band: _band, maximumErrorRate: _rate, ...old } = asked;
  const [{ steps, epochs }] = members;
  const older = {
    ...{ format: 1, pid, made, fold, folds, stride: 1, gathered: { count: 0, loss: 0 } },
    stepsPerEpoch: thinning['network'].stepsPerEpoch,
    training: { ...rest, request: old, steps, epochs },
  };
  writeFileSync(path, JSON.stringify(older));
  const second = await engine();
  expect(second.store.get(id)).toEqual(done);
  await second.jobs.close();

  writeFileSync(path, JSON.stringify({ ...record, training: { ...training, state: 'running', modelId: null } }));
  const third = await engine();
  await third.store.recover();
  const found = await trainingThat(third.store, id, ({ state }) => state === 'done');
  expect(found.modelId).toBe('Tried');
  expect((await third.models.list('default')).filter(({ name }) => name === 'Tried')).toHaveLength(1);
  await third.jobs.close();

  writeFileSync(path, JSON.stringify({ ...record, format: 3 }));
  const fourth = await engine();
  expect(fourth.store.list()).toEqual([]);
  expect(existsSync(path)).toBe(true);
});

it('goes on by itself after the sudden end of an engine, the earliest first; on cepstral coefficients', async () => {
  const fresh = { from: undefined, network: 'mel-cnn', backend: 'wasm' } as const;
  const [id, waiting] = await startedInKilledEngine(
    request({ ...fresh, frontEnd: 'lfcc', augmentation: 'channel', name: 'LFCC' }),
    request({ name: 'LFCC' }),
  );
  const { pid } = JSON.parse(readFileSync(join(home, 'trainings', id, 'training.json'), 'utf8')) as { pid: number };

  const second = await engine();
  await second.store.recover();
  expect([id, waiting].map((one) => second.jobs.get(one).state)).toEqual(['running', 'queued']);
  const { modelId } = await trainingThat(second.store, id, ({ state }) => state === 'done');
  const { card } = await readModel(await second.models.folderOf(modelId ?? ''));
  // The killed engine's child let go before.
  expect(isAlive(pid)).toBe(false);
  const [member] = card.members;
  if (member.kind !== 'network') throw new Error('no network');
  expect(member.frontEnd).toMatchObject({ type: 'lfcc', nCoefficients: 20, deltas: 2 });
  expect(member.network.input.bins).toBe(60);
  expect(member.training.augmentation).toMatchObject({ noise: { probability: 0.5 }, specAugment: { timeStripes: 0 } });
  const other = await trainingThat(second.store, waiting, ({ state }) => state === 'done');
  expect(other.modelId).toBe('LFCC-2');
});

it('says what is wrong: a dataset that is not there, recordings that changed, a model that is gone', async () => {
  const { store, jobs } = await engine();
  await expect(store.start(request({ from: 'nothing' }))).rejects.toMatchObject({ code: 'not-found' });
  const missing = await store.start(request({ dataset: `manifest:${join(data, 'nothing.csv')}` }));
  await jobThat(jobs, missing, ({ state }) => state === 'failed');
  expect(store.get(missing)).toMatchObject({ state: 'failed', error: { path: join(data, 'nothing.csv') } });
  await store.discard(missing);

  const changing = join(home, 'changing');
  const id = await store.start(
    request({ dataset: plantSpeech(changing, { train: 16, dev: 8 }), epochs: 1000, patience: 1000 }),
  );
  await trainingThat(store, id, ({ members }) => members[0]?.steps.length >= 1);
  jobs.cancel(id);
  await jobThat(jobs, id, ({ state }) => state === 'cancelled');
  plantSpeech(changing, { dev: 8, train: 16 });
  await store.resume(id);
  await jobThat(jobs, id, ({ state }) => state === 'failed');
  expect(store.get(id).error).toMatchObject({
    code: 'checkpoint',
    advice: expect.stringContaining('train anew') as string,
  });
});
