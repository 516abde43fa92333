/** Trains one network: examples, steps, epochs judged on dev, checkpoints to go on from. */
import { availableParallelism } from 'node:os';
import ort from 'onnxruntime-node';
import { UserFacingError, describeError } from '../base/errors.ts';
import { WorkerPool } from '../base/pool.ts';
import { Random } from '../base/random.ts';
import { workerFile } from '../base/workers.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { Adam } from './adam.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Clip, ExampleRequest, ExampleResponse, ExampleSettings } from './examples.ts';
import { startingWeights, withFrames } from '../detector/network.ts';
import type { NetworkSpec, Weights } from '../detector/network.ts';
import { onnxNames, writeOnnx } from '../detector/onnx.ts';
import { openSession } from '../detector/session.ts';
import { createSampler } from './sampling.ts';
import type { Sampler, Sampling } from './sampling.ts';
import { sha256 } from '../base/sha256.ts';
import { BatchShares } from './shares.ts';
import { TensorNetwork } from './tensors.ts';

export interface TrainingPlan {
  network: NetworkSpec;
  settings: ExampleSettings;
  seed: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  /** Decoupled weight decay (Loshchilov and Hutter 2019), as a share of the learning rate. */
  weightDecay: number;
  /** The weights that are judged and saved are a running average over about so many steps; 0 for the last ones. */
  averagedSteps: number;
  /** Stops after so many epochs without a better AUC on dev; has no say where the last weights are kept. */
  patience: number;
  /** Weights of the epoch with the best AUC on dev, or (where dev must not choose) the last ones. */
  keep: 'best' | 'last';
  /** Named in the checkpoint: another backend's run is not continued. */
  backend: string;
  /** How examples are drawn, how often each on average in an epoch. */
  sampling: Sampling;
  drawsPerClip: number;
  /** Targets are so much nearer to one half: 0.05 makes 0.975 and 0.025 of 1 and 0. */
  labelSmoothing: number;
  /** How the learning rate rises and falls. */
  schedule: 'cosine' | 'one-cycle';
  /** Weights to begin with, of the same network; fresh ones if not given. */
  from?: Weights;
}

/** What a run reports while it goes on. */
export type TrainingEvent =
  | { type: 'prepare'; done: number; total: number }
  | { type: 'excluded'; path: string; why: string }
  | { type: 'resumed'; epoch: number; step: number }
  | {
      type: 'step';
      epoch: number;
      epochs: number;
      step: number;
      steps: number;
      loss: number;
      clipsPerSecond: number;
      secondsLeft: number;
    }
  | {
      type: 'epoch';
      epoch: number;
      epochs: number;
      loss: number;
      devEer: number;
      devAuc: number;
      best: boolean;
      clipsPerSecond: number;
      secondsLeft: number;
    };

export interface TrainingOutcome {
  weights: Weights;
  epochs: number;
  bestEpoch: number;
  clipsPerEpoch: number;
  history: Checkpoint['history'];
  /** SHA-256 of every file used, in the order of the items; null where a file was excluded. */
  trainSha256: (string | null)[];
  devSha256: (string | null)[];
}

/** Decoded training clips kept in memory, at most; beyond it clips are decoded again in every epoch. */
const keptBytes = 2 * 1024 ** 3;
/** Dev recordings looked at after each epoch, at most: a seeded sample of both classes. */
const monitoredPerClass = 1000;
/** Batches made ahead of the training step. */
const batchesAhead = 4;
/** Steps between two looks at the weights for their average. */
const averagedEvery = 4;
/** Windows of the dev recordings in one run of the network. */
const devBatch = 32;

type ExamplePool = WorkerPool<ExampleRequest, ExampleResponse>;

interface PreparedItem {
  item: DatasetItem;
  clip: Clip | null;
}

/** Hashes, decodes and keeps the clips; those that cannot be used are reported and left out. */
async function prepareItems(
  pool: ExamplePool,
  items: readonly DatasetItem[],
  keep: boolean,
  report: (event: TrainingEvent) => void,
  progress: { done: number; total: number },
  signal: AbortSignal | undefined,
): Promise<{ prepared: PreparedItem[]; hashes: (string | null)[] }> {
  let bytes = 0;
  const results = await Promise.all(
    items.map(async (item): Promise<{ clip: Clip | null; sha256: string } | null> => {
      try {
        const response = await pool.run({ kind: 'prepare', path: item.path, keep });
        if (response.kind !== 'prepare') throw new Error('the worker answered another question');
        if (response.samples === 0) {
          report({ type: 'excluded', path: item.path, why: 'it holds no sound' });
          return null;
        }
        bytes += 4 * response.samples;
        return { clip: bytes <= keptBytes ? response.clip : null, sha256: response.sha256 };
      } catch (error) {
        signal?.throwIfAborted();
        report({ type: 'excluded', path: item.path, why: describeError(error) });
        return null;
      } finally {
        progress.done++;
        report({ type: 'prepare', ...progress });
      }
    }),
  );
  const prepared = items.flatMap((item, index) => {
    const result = results[index];
    return result ? [{ item, clip: result.clip }] : [];
  });
  return { prepared, hashes: results.map((result) => result?.sha256 ?? null) };
}

function needBothClasses(items: readonly { label: string }[], split: string): void {
  for (const [label, name] of [
    ['bonafide', 'bona fide'],
    ['spoof', 'spoof'],
  ]) {
    if (!items.some((item) => item.label === label)) {
      throw new UserFacingError('dataset', `The ${split} split holds no usable ${name} recording.`, {
        advice: 'Training needs both classes in both splits; `earwitness dataset inspect` shows what there is.',
      });
    }
  }
}

/** A seeded sample of at most so many items of each class, in their order. */
function sampleItems(items: readonly DatasetItem[], perClass: number, seed: number): DatasetItem[] {
  const chosen = new Set<DatasetItem>();
  for (const label of ['bonafide', 'spoof']) {
    const ofClass = items.filter((item) => item.label === label);
    new Random([seed, 4])
      .shuffle(ofClass)
      .slice(0, perClass)
      .forEach((item) => chosen.add(item));
  }
  return items.filter((item) => chosen.has(item));
}

/** Dev recordings as features, scored after each epoch by the very graph that will be saved. */
class DevMonitor {
  readonly #spec: NetworkSpec;
  readonly #recordings: { bonafide: boolean; features: Float32Array }[];

  private constructor(spec: NetworkSpec, recordings: { bonafide: boolean; features: Float32Array }[]) {
    this.#spec = spec;
    this.#recordings = recordings;
  }

  static async create(
    pool: ExamplePool,
    prepared: readonly PreparedItem[],
    { network, seed }: TrainingPlan,
  ): Promise<DevMonitor> {
    const monitored = sampleItems(
      prepared.map(({ item }) => item),
      monitoredPerClass,
      seed,
    );
    const recordings = monitored.map(async (item) => {
      const response = await pool.run({ kind: 'windows', path: item.path });
      if (response.kind !== 'windows') throw new Error('the worker answered another question');
      return { bonafide: item.label === 'bonafide', features: response.features };
    });
    return new DevMonitor(network, await Promise.all(recordings));
  }

  async measure(weights: Weights): Promise<{ devEer: number; devAuc: number }> {
    const session = await openSession(writeOnnx(this.#spec, weights), availableParallelism());
    const { bins, frames } = this.#spec.input;
    const size = bins * frames;
    const trials = [];
    for (const [index, { bonafide, features }] of this.#recordings.entries()) {
      const windows = features.length / size;
      let sum = 0;
      for (let at = 0; at < windows; at += devBatch) {
        const count = Math.min(devBatch, windows - at);
        const input = new ort.Tensor('float32', features.subarray(at * size, (at + count) * size), [
          count,
          1,
          bins,
          frames,
        ]);
        const output = await session.run({ [onnxNames.input]: input });
        for (const score of output[onnxNames.output].data as Float32Array) sum += score;
      }
      trials.push({ file: String(index), bonafide, score: sum / windows, attack: null });
    }
    await session.release();
    if (trials.some((trial) => !Number.isFinite(trial.score))) {
      throw new UserFacingError('diverged', 'Training diverged: the network no longer gives finite scores.', {
        advice: 'Train with a smaller --learning-rate.',
      });
    }
    const { eer, auc } = detectionMetrics(trials);
    return { devEer: eer, devAuc: auc };
  }
}

/** Batches made ahead by the workers, in the order in which they will be used. */
class BatchesAhead {
  readonly #ahead = new Map<number, Promise<Float32Array>>();
  readonly #pool: ExamplePool;
  readonly #items: readonly PreparedItem[];
  readonly #sampler: Sampler;
  readonly #totalSteps: number;

  constructor(pool: ExamplePool, items: readonly PreparedItem[], sampler: Sampler, totalSteps: number) {
    this.#pool = pool;
    this.#items = items;
    this.#sampler = sampler;
    this.#totalSteps = totalSteps;
  }

  /** The features of a step of the whole run, [clips, bins, frames]. */
  take(at: number): Promise<Float32Array> {
    for (let next = at; next < Math.min(at + batchesAhead, this.#totalSteps); next++) {
      if (this.#ahead.has(next)) continue;
      const made = this.#make(next);
      // A batch that is never taken, because the run stopped, must not count as an unhandled failure.
      made.catch(() => undefined);
      this.#ahead.set(next, made);
    }
    const taken = this.#ahead.get(at) as Promise<Float32Array>;
    this.#ahead.delete(at);
    return taken;
  }

  async #make(at: number): Promise<Float32Array> {
    const { steps } = this.#sampler;
    const clips = this.#sampler.batch(Math.floor(at / steps), at % steps).map(({ index, seed }) => {
      const { item, clip } = this.#items[index];
      return { path: item.path, clip, seed };
    });
    const response = await this.#pool.run({ kind: 'examples', clips });
    if (response.kind !== 'examples') throw new Error('the worker answered another question');
    return response.features;
  }
}

/** What a run works with; `state` moves on, and is what a checkpoint holds. */
interface RunParts {
  plan: TrainingPlan;
  folder: string;
  state: Checkpoint;
  monitor: DevMonitor;
  report: (event: TrainingEvent) => void;
  signal: AbortSignal | undefined;
}

/** Steps, epochs and checkpoints of one run. */
class TrainingRun {
  readonly #parts: RunParts;
  readonly #network: TensorNetwork;
  /** The trained weights, which move. */
  readonly #values: Weights;
  readonly #shares: BatchShares;
  readonly #adam: Adam;
  readonly #sampler: Sampler;
  readonly #batches: BatchesAhead;
  readonly #began = performance.now();
  #stepsDone = 0;

  private constructor(
    parts: RunParts,
    network: { tensors: TensorNetwork; values: Weights; shares: BatchShares },
    sampler: Sampler,
    batches: BatchesAhead,
  ) {
    const { plan, state } = parts;
    this.#parts = parts;
    this.#network = network.tensors;
    this.#values = network.values;
    this.#shares = network.shares;
    this.#sampler = sampler;
    this.#batches = batches;
    this.#adam = new Adam({
      learningRate: plan.learningRate,
      weightDecay: plan.weightDecay,
      decaying: network.tensors.kernels,
    });
    if (state.optimiser.step > 0) this.#adam.restore(state.optimiser);
  }

  static async create(parts: RunParts, pool: ExamplePool, items: readonly PreparedItem[]): Promise<TrainingRun> {
    const { plan, state } = parts;
    const spec = trainedNetwork(plan);
    const tensors = new TensorNetwork(spec, state.weights);
    const values = await tensors.trainedWeights();
    const shares = new BatchShares(spec, plan.backend);
    const sampler = createSampler(
      items.map(({ item }) => item),
      plan,
    );
    const batches = new BatchesAhead(pool, items, sampler, plan.epochs * sampler.steps);
    return new TrainingRun(parts, { tensors, values, shares }, sampler, batches);
  }

  get clipsPerEpoch(): number {
    return this.#sampler.steps * this.#parts.plan.batchSize;
  }

  get goesOn(): boolean {
    const { plan, state } = this.#parts;
    if (state.epoch >= plan.epochs) return false;
    return plan.keep === 'last' || state.epoch - 1 - state.bestEpoch < plan.patience;
  }

  /** The rest of an epoch, what dev says of it, and a checkpoint. */
  async epoch(): Promise<void> {
    const { plan, state, monitor, report, signal } = this.#parts;
    const { steps } = this.#sampler;
    while (state.step < steps) {
      if (signal?.aborted) {
        await this.#save();
        signal.throwIfAborted();
      }
      await this.#step();
    }
    // In the very first steps there is no average yet.
    const weights = state.average.size > 0 ? copied(state.average) : await this.#network.weights();
    const measured = await monitor.measure(weights);
    const loss = state.lossSum / steps;
    const best = plan.keep === 'last' || state.bestEpoch < 0 || measured.devAuc > state.history[state.bestEpoch].devAuc;
    state.history.push({ epoch: state.epoch + 1, loss, ...measured });
    if (best) {
      state.bestEpoch = state.epoch;
      state.best = weights;
    }
    state.epoch++;
    state.step = 0;
    state.lossSum = 0;
    await this.#save();
    const pace = this.#pace(state.epoch * steps);
    report({ type: 'epoch', epoch: state.epoch, epochs: plan.epochs, loss, ...measured, best, ...pace });
  }

  async close(): Promise<void> {
    this.#network.dispose();
    await this.#shares.close();
  }

  async #step(): Promise<void> {
    const { plan, state, report, signal } = this.#parts;
    const { steps } = this.#sampler;
    const at = state.epoch * steps + state.step;
    const features = await this.#batches.take(at).catch(async (error: unknown) => {
      if (signal?.aborted) await this.#save();
      signal?.throwIfAborted();
      throw error;
    });
    const targets = this.#sampler
      .batch(state.epoch, state.step)
      .map(({ target }) => target + plan.labelSmoothing * (0.5 - target));
    this.#adam.learningRate = plan.learningRate * schedules[plan.schedule](at, plan.epochs * steps);
    const seed = [plan.seed, 5, at];
    state.lossSum += await trainStep(this.#network, this.#values, this.#adam, this.#shares, features, targets, seed);
    if (plan.averagedSteps > 0 && (at + 1) % averagedEvery === 0) {
      const weights = await this.#network.weights();
      averageInto(state.average, weights, at / averagedEvery, plan.averagedSteps / averagedEvery);
    }
    state.step++;
    this.#stepsDone++;
    report({
      type: 'step',
      epoch: state.epoch + 1,
      epochs: plan.epochs,
      step: state.step,
      steps,
      loss: state.lossSum / state.step,
      ...this.#pace(at + 1),
    });
  }

  async #save(): Promise<void> {
    const { folder, state } = this.#parts;
    state.weights = await this.#network.weights();
    state.optimiser = this.#adam.state();
    await writeCheckpoint(folder, state);
  }

  #pace(at: number): { clipsPerSecond: number; secondsLeft: number } {
    const { plan } = this.#parts;
    const seconds = (performance.now() - this.#began) / 1000;
    return {
      clipsPerSecond: (this.#stepsDone * plan.batchSize) / seconds,
      secondsLeft: (seconds / this.#stepsDone) * (plan.epochs * this.#sampler.steps - at),
    };
  }
}

type TrainingSplits = { train: readonly DatasetItem[]; dev: readonly DatasetItem[] };
type Prepared = Awaited<ReturnType<typeof prepareItems>>;

/** @throws UserFacingError `dataset` where a class is missing, before or after what is unusable was left out. */
async function prepareSplits(
  pool: ExamplePool,
  data: TrainingSplits,
  report: (event: TrainingEvent) => void,
  signal: AbortSignal | undefined,
): Promise<{ train: Prepared; dev: Prepared }> {
  const progress = { done: 0, total: data.train.length + data.dev.length };
  const train = await prepareItems(pool, data.train, true, report, progress, signal);
  const dev = await prepareItems(pool, data.dev, false, report, progress, signal);
  signal?.throwIfAborted();
  for (const [name, { prepared }] of Object.entries({ train, dev })) {
    needBothClasses(
      prepared.map(({ item }) => item),
      name,
    );
  }
  return { train, dev };
}

/** The checkpoint to go on from, or the state before the first step. @throws UserFacingError `checkpoint` for another run's. */
async function startingState(
  plan: TrainingPlan,
  folder: string,
  { train, dev }: { train: Prepared; dev: Prepared },
  resume: boolean,
): Promise<{ state: Checkpoint; resumed: boolean }> {
  const { from, ...described } = plan;
  const request = sha256(
    JSON.stringify([
      described,
      train.hashes,
      dev.hashes,
      from ? [...from].map(([name, values]) => [name, sha256(new Uint8Array(values.buffer))]) : null,
    ]),
  );
  const before = resume ? await readCheckpoint(folder) : null;
  if (before && before.request !== request) {
    throw new UserFacingError('checkpoint', `The checkpoint in ${folder} belongs to another training run.`, {
      path: folder,
      advice: 'Resume with the dataset and options it was begun with, or train anew without --resume.',
    });
  }
  if (before) return { state: before, resumed: true };
  const state: Checkpoint = {
    request,
    epoch: 0,
    step: 0,
    lossSum: 0,
    history: [],
    weights: from ?? startingWeights(plan.network, plan.seed),
    optimiser: { step: 0, m: new Map(), v: new Map() },
    bestEpoch: -1,
    best: new Map(),
    average: new Map(),
  };
  return { state, resumed: false };
}

/**
 * Trains a network by binary cross-entropy and Adam (cosine learning rate) on balanced, augmented batches; keeps the
 * weights of the epoch with the best AUC on dev and stops early, or the last ones. Writes a checkpoint into `folder` after every epoch,
 * and where `signal` fires; with `resume` it goes on from there, step for step as without the stop.
 * The TensorFlow.js backend must have been started.
 * @throws UserFacingError for unusable data, a foreign checkpoint, divergence; the signal's reason when it fires.
 */
export async function trainNetwork(
  plan: TrainingPlan,
  data: TrainingSplits,
  folder: string,
  options: { resume?: boolean; signal?: AbortSignal; onEvent?: (event: TrainingEvent) => void } = {},
): Promise<TrainingOutcome> {
  const { signal } = options;
  const report = options.onEvent ?? (() => undefined);
  needBothClasses(data.train, 'train');
  needBothClasses(data.dev, 'dev');
  const workers = Math.max(1, availableParallelism() - 1);
  const pool: ExamplePool = new WorkerPool(workerFile('training/examples-worker'), workers, plan.settings);
  const stop = (): void => void pool.close();
  signal?.addEventListener('abort', stop, { once: true });
  let run: TrainingRun | undefined;
  try {
    const splits = await prepareSplits(pool, data, report, signal);
    const monitor = await DevMonitor.create(pool, splits.dev.prepared, plan);
    const { state, resumed } = await startingState(plan, folder, splits, options.resume === true);
    if (resumed) report({ type: 'resumed', epoch: state.epoch, step: state.step });
    run = await TrainingRun.create({ plan, folder, state, monitor, report, signal }, pool, splits.train.prepared);
    while (run.goesOn) await run.epoch();
    return {
      weights: state.best,
      epochs: state.epoch,
      bestEpoch: state.bestEpoch + 1,
      clipsPerEpoch: run.clipsPerEpoch,
      history: state.history,
      trainSha256: splits.train.hashes,
      devSha256: splits.dev.hashes,
    };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await run?.close();
    await pool.close();
  }
}

function copied(weights: Weights): Weights {
  return new Map([...weights].map(([name, values]) => [name, values.slice()]));
}

/** Half a cosine from one value to another. */
const swing = (from: number, to: number, at: number): number => to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * at));

/** The learning rate's share at a step. */
const schedules: Record<TrainingPlan['schedule'], (step: number, steps: number) => number> = {
  /** A straight rise over the first twentieth, then half a cosine to zero. */
  cosine: (step, steps) => {
    const rise = Math.max(1, Math.round(steps / 20));
    return Math.min((step + 1) / rise, swing(1, 0, step / steps));
  },
  /** Up over three tenths and down to nothing (Smith and Topin 2019), each half a cosine. */
  'one-cycle': (step, steps) => {
    const top = Math.max(1, 0.3 * steps);
    return step < top ? swing(1 / 25, 1, (step + 1) / (top + 1)) : swing(1, 0, (step - top) / (steps - top));
  },
};

/** The network for windows as training sees them: its weights are those for windows as they are scored. */
function trainedNetwork({ network, settings }: TrainingPlan): NetworkSpec {
  const { conditioning, window, cropSeconds, frontEnd } = settings;
  if (cropSeconds === undefined || cropSeconds === window.seconds) return network;
  const samples = Math.round(cropSeconds * conditioning.sampleRateHz);
  return withFrames(network, createFrontEnd(frontEnd).frameCount(samples));
}

/** A running average of weights, updated in place: the first steps count fully, so that the start is forgotten. */
function averageInto(average: Weights, weights: Weights, step: number, averagedSteps: number): void {
  const kept = Math.min(1 - 1 / averagedSteps, (step + 1) / (step + 10));
  for (const [name, values] of weights) {
    const target = average.get(name);
    if (target === undefined) {
      average.set(name, values.slice());
      continue;
    }
    for (let i = 0; i < values.length; i++) target[i] = kept * target[i] + (1 - kept) * values[i];
  }
}

/**
 * One step of gradient descent; the loss before it.
 * @param values the network's trained weights, which move
 */
export async function trainStep(
  network: TensorNetwork,
  values: Weights,
  adam: Adam,
  shares: BatchShares,
  features: Float32Array,
  targets: number[],
  dropoutSeed: number[],
): Promise<number> {
  const { loss, gradients, statistics } = await shares.gradients(network, features, targets, dropoutSeed);
  adam.apply(values, gradients);
  network.assign(values);
  if (statistics) network.assign(statistics);
  return loss;
}
