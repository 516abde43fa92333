/**
 * Trainings that outlive the window and the engine. Each has a folder `trainings/<id>` in the data folder: what was asked for and how it
 * went (`training.json`), and the model while it is made, with its checkpoint. The work is done in a child process.
 */
import { randomUUID } from 'node:crypto';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { trainingSchema } from '../../src-preload/contract.ts';
import type { Training, TrainingRequest } from '../../src-preload/contract.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { withBonafide } from '../datasets/load.ts';
import { isModelFolder, readModel } from '../detector/store.ts';
import { runInLaboratory } from './laboratory.ts';
import type { ModelStore } from '../models/model-store.ts';
import { isAliveAs } from '../base/processes.ts';
import { recipeFor } from './recipes.ts';
import type { JobHandle, JobQueue } from '../jobs/queue.ts';
import type { TrainModelEvent } from './train-model.ts';
import { userError } from '../jobs/user-error.ts';

/** Points of the loss curve, at most. */
const mostSteps = 2000;
/** Of a training in a list. */
const listedSteps = 200;
const mostMessages = 500;
const savedEveryMilliseconds = 5000;
/** How long a child of an engine that is gone may take to save its checkpoint. */
const orphanMilliseconds = 20_000;

/** What is not asked for in the window. */
const unasked = { maximumErrorRate: 0.05 };

/** A training as its file holds it. */
const recordSchema = z.object({
  format: z.literal(1),
  training: trainingSchema,
  /** The process that last worked at it. */
  pid: z.int().nullable(),
  /** Which network the curves are of: 0 the one that is kept, else the fold's number. */
  fold: z.int(),
  folds: z.int(),
  /** Steps of an epoch; steps of the curve that one point stands for, and those that the next one has so far. */
  stepsPerEpoch: z.int(),
  stride: z.int().positive(),
  gathered: z.object({ count: z.int(), loss: z.number() }),
  /** SHA-256 of the network that came of it, from the moment that it is moved among the models. */
  made: z.string().nullable(),
});
type Record = z.infer<typeof recordSchema>;

interface Entry {
  record: Record;
  savedAt: number;
  /** Loss so far in this epoch, to tell that of a single step. */
  sum: { epoch: number; step: number; loss: number };
  /** The network that begins with the next recordings that are read: a fold that was done before is passed over. */
  nextFold: number;
  saving: Promise<void>;
}

const newEntry = (record: Record): Entry => ({
  record,
  savedAt: 0,
  sum: { epoch: 0, step: 0, loss: 0 },
  nextFold: record.fold,
  saving: Promise.resolve(),
});

/** Epochs that a training takes, or takes at most. */
const epochsOf = ({ epochs, network }: TrainingRequest): number => epochs ?? recipeFor(network).epochs;

/** Loss of single steps as a curve of bounded length. */
function addStep(entry: Entry, event: TrainModelEvent & { type: 'step' }): void {
  const { record, sum } = entry;
  const { epoch, step, steps, loss } = event;
  record.stepsPerEpoch = steps;
  const total = loss * step;
  const follows = sum.epoch === epoch && sum.step === step - 1;
  const single = follows ? total - sum.loss : loss;
  entry.sum = { epoch, step, loss: total };
  const { gathered } = record;
  gathered.count++;
  gathered.loss += single;
  if (gathered.count < record.stride) return;
  const { training } = record;
  training.steps.push({ epoch: epoch - 1 + step / steps, loss: gathered.loss / gathered.count });
  record.gathered = { count: 0, loss: 0 };
  if (training.steps.length <= mostSteps) return;
  // Two points become one.
  const halved: Training['steps'] = [];
  for (let i = 0; i + 1 < training.steps.length; i += 2) {
    const [one, other] = [training.steps[i], training.steps[i + 1]];
    halved.push({ epoch: other.epoch, loss: (one.loss + other.loss) / 2 });
  }
  training.steps = halved;
  record.stride *= 2;
}

function clearCurves({ record }: Entry): void {
  Object.assign(record.training, { steps: [], epochs: [] });
  Object.assign(record, { stride: 1, gathered: { count: 0, loss: 0 } });
}

export class TrainStore {
  readonly #folder: string;
  readonly #application: string;
  readonly #jobs: JobQueue;
  readonly #models: ModelStore;
  readonly #onChange: (jobId: string) => void;
  readonly #entries = new Map<string, Entry>();

  private constructor(options: TrainStoreOptions) {
    this.#folder = join(options.home, 'trainings');
    this.#application = options.application;
    this.#jobs = options.jobs;
    this.#models = options.models;
    this.#onChange = options.onChange ?? (() => undefined);
  }

  /** Reads the trainings of a data folder. Those that ran when an engine ended go on with {@link recover}. */
  static async open(options: TrainStoreOptions): Promise<TrainStore> {
    const store = new TrainStore(options);
    for (const id of await readdir(store.#folder).catch(() => [])) {
      const record = await readRecord(join(store.#folder, id, 'training.json'));
      // What this version cannot read is left alone.
      if (record?.training.jobId !== id) continue;
      store.#entries.set(id, newEntry(record));
    }
    return store;
  }

  /** Lets those go on that nobody stopped, the earliest first. */
  async recover(): Promise<void> {
    const interrupted = [...this.#entries.values()]
      .map(({ record }) => record.training)
      .filter(({ state }) => state === 'running' || state === 'queued')
      .sort((one, other) => one.startedAt.localeCompare(other.startedAt));
    for (const { jobId } of interrupted) this.#queue(jobId);
  }

  /** The latest first, their loss curves thinned. */
  list(): Training[] {
    return [...this.#entries.values()]
      .map(({ record }) => {
        const { training } = record;
        const every = Math.ceil(training.steps.length / listedSteps);
        return { ...training, steps: training.steps.filter((_, index) => index % every === 0) };
      })
      .sort((one, other) => other.startedAt.localeCompare(one.startedAt));
  }

  /** @throws UserFacingError `not-found` */
  get(jobId: string): Training {
    return this.#entry(jobId).record.training;
  }

  /** Trainings that use a model and have not ended. */
  usersOf(modelId: string): Training[] {
    return [...this.#entries.values()]
      .map(({ record }) => record.training)
      .filter(({ request, state }) => request.from === modelId && (state === 'running' || state === 'queued'));
  }

  /** @throws UserFacingError `not-found` for a model to train on from that is not there, `unwritable` */
  async start(request: TrainingRequest): Promise<string> {
    if (request.from !== undefined) await this.#models.folderOf(request.from);
    const jobId = randomUUID();
    const training: Training = {
      jobId,
      request,
      startedAt: new Date().toISOString(),
      state: 'queued',
      backend: null,
      counts: null,
      steps: [],
      epochs: [],
      clipsPerSecond: null,
      secondsLeft: null,
      messages: [],
      modelId: null,
      error: null,
    };
    const record: Record = {
      format: 1,
      training,
      pid: null,
      fold: 0,
      folds: 0,
      stepsPerEpoch: 0,
      stride: 1,
      gathered: { count: 0, loss: 0 },
      made: null,
    };
    const entry = newEntry(record);
    await ensureFolder(this.#place(jobId)).catch((error: unknown) => {
      throw unwritable(this.#place(jobId), error);
    });
    this.#entries.set(jobId, entry);
    await this.#save(entry);
    this.#queue(jobId);
    return jobId;
  }

  /** Goes on from the checkpoint. @throws UserFacingError `not-found`, `job-state` where it runs or is done. */
  async resume(jobId: string): Promise<string> {
    const entry = this.#entry(jobId);
    const { training } = entry.record;
    if (this.#isActive(jobId) || training.state === 'done') {
      const why = training.state === 'done' ? 'is done' : 'is running';
      throw new UserFacingError('job-state', `The training of ${training.request.name} ${why}.`);
    }
    Object.assign(training, { state: 'queued', error: null });
    await this.#save(entry);
    this.#queue(jobId);
    return jobId;
  }

  /** Removes a training that does not run, and its checkpoint; a model that it made stays. @throws UserFacingError as `resume`. */
  async discard(jobId: string): Promise<void> {
    const { training } = this.#entry(jobId).record;
    if (this.#isActive(jobId)) {
      throw new UserFacingError('job-state', `The training of ${training.request.name} is running.`, {
        advice: 'Cancel it first.',
      });
    }
    this.#entries.delete(jobId);
    await rm(this.#place(jobId), { recursive: true, force: true });
    this.#onChange(jobId);
  }

  #place(jobId: string): string {
    return join(this.#folder, jobId);
  }

  #entry(jobId: string): Entry {
    const entry = this.#entries.get(jobId);
    if (!entry) throw new UserFacingError('not-found', 'That training is not there any more.');
    return entry;
  }

  #isActive(jobId: string): boolean {
    const state = this.#jobs.find(jobId)?.state;
    return state === 'queued' || state === 'running' || state === 'paused';
  }

  async #save(entry: Entry): Promise<void> {
    entry.savedAt = performance.now();
    const { jobId } = entry.record.training;
    // One after the other: the last to be written is the latest.
    const saving = entry.saving.then(async () => {
      // It may have been removed meanwhile.
      if (!this.#entries.has(jobId)) return;
      await writeFileWhole(join(this.#place(jobId), 'training.json'), JSON.stringify(entry.record));
    });
    entry.saving = saving.catch(() => undefined);
    await saving;
  }

  #queue(jobId: string): void {
    const entry = this.#entry(jobId);
    const { request } = entry.record.training;
    this.#jobs.start(
      {
        kind: 'train',
        title: `Training ${request.name}`,
        unit: 'epochs',
        total: epochsOf(request) * (1 + (request.folds ?? 0)),
        id: jobId,
        onDropped: () => this.#ended(entry, 'cancelled'),
      },
      (job) => this.#run(job, entry),
    );
    this.#onChange(jobId);
  }

  async #run(job: JobHandle, entry: Entry): Promise<{ modelId: string }> {
    const { training } = entry.record;
    try {
      job.progress({ doing: 'Waiting for what ran before' });
      await this.#waitForOrphan(entry.record, job.signal);
      Object.assign(training, { state: 'running', error: null });
      await this.#save(entry);
      this.#onChange(job.id);
      const folder = join(this.#place(job.id), 'model');
      training.modelId = await this.#madeBefore(entry.record, folder);
      if (training.modelId === null) {
        if (!(await isFinished(folder))) await this.#train(job, entry, folder);
        entry.record.made = (await readModel(folder)).onnxSha256;
        await this.#save(entry);
        training.modelId = await this.#models.adopt(folder, training.request.name);
      }
      await this.#ended(entry, 'done');
      return { modelId: training.modelId };
    } catch (error) {
      if (job.signal.aborted) {
        await this.#ended(entry, 'cancelled');
        throw error;
      }
      const told = error instanceof UserFacingError && error.code === 'checkpoint' ? outdated(error) : error;
      training.error = userError(told);
      await this.#ended(entry, 'failed');
      throw told;
    }
  }

  /** The model, where an engine ended between moving it among the models and saying so. */
  async #madeBefore({ made }: Record, folder: string): Promise<string | null> {
    if (made === null || (await isModelFolder(folder))) return null;
    return this.#models.idOf(made);
  }

  /** Where the engine ends, what ran stays so in the file, and goes on with the next one. */
  async #ended(entry: Entry, state: Training['state']): Promise<void> {
    const { training } = entry.record;
    entry.record.pid = null;
    if (state !== 'cancelled' || !this.#jobs.closing) training.state = state;
    Object.assign(training, { clipsPerSecond: null, secondsLeft: null });
    await this.#save(entry);
    this.#onChange(training.jobId);
  }

  /** The child of an engine that was killed saves its checkpoint before it ends. */
  async #waitForOrphan({ pid }: Record, signal: AbortSignal): Promise<void> {
    const until = performance.now() + orphanMilliseconds;
    while (pid !== null && (await isAliveAs(pid, 'laboratory-worker'))) {
      if (performance.now() > until) {
        throw new UserFacingError('training-elsewhere', `Process ${pid} is still at this training.`, {
          advice: 'Another window of Earwitness may run it. Else end that process and resume the training.',
        });
      }
      await delay(100, undefined, { signal });
    }
  }

  async #train(job: JobHandle, entry: Entry, folder: string): Promise<void> {
    const { request } = entry.record.training;
    const { bonafide, from, ...rest } = request;
    await runInLaboratory(
      'train',
      {
        application: this.#application,
        request: {
          ...rest,
          ...unasked,
          dataset: withBonafide(request.dataset, bonafide),
          out: folder,
          resume: true,
          ...(from === undefined ? {} : { from: await this.#models.folderOf(from) }),
        },
      },
      {
        signal: job.signal,
        onStart: (pid) => {
          entry.record.pid = pid;
          void this.#save(entry).catch(() => undefined);
        },
        onEvent: (event) => this.#heard(job, entry, event),
      },
    );
  }

  #heard(job: JobHandle, entry: Entry, event: TrainModelEvent): void {
    const { record } = entry;
    const { training } = record;
    const say = (message: string): void => {
      if (training.messages.at(-1) !== message) training.messages.push(message);
      training.messages.splice(0, training.messages.length - mostMessages);
    };
    /** Networks that were trained before this one. */
    const before = entry.nextFold === 0 ? record.folds : entry.nextFold - 1;
    let save = false;
    switch (event.type) {
      case 'data':
        training.counts = { train: event.train, dev: event.dev, test: event.test };
        if (event.note) say(event.note);
        save = true;
        break;
      case 'backend':
        training.backend = { ...event.choice };
        save = true;
        break;
      case 'fold':
        entry.nextFold = event.fold;
        record.folds = event.folds;
        job.progress({ total: epochsOf(training.request) * (1 + event.folds) });
        say(`Fold ${event.fold} of ${event.folds}: without ${event.recordings} recordings of some sources.`);
        break;
      case 'whole':
        entry.nextFold = 0;
        say('What is kept, on all recordings.');
        break;
      case 'prepare':
        if (record.fold !== entry.nextFold) clearCurves(entry);
        record.fold = entry.nextFold;
        job.progress({ doing: `Reading ${event.done} of ${event.total} recordings` });
        break;
      case 'excluded':
        say(`Left out ${event.path}: ${event.why}`);
        job.problem(event.path, event.why);
        break;
      case 'resumed': {
        // What was done after the checkpoint is done again.
        const at = event.epoch + (record.stepsPerEpoch > 0 ? event.step / record.stepsPerEpoch : 0);
        training.steps = training.steps.filter(({ epoch }) => epoch <= at + 1e-9);
        training.epochs = training.epochs.filter(({ epoch }) => epoch <= event.epoch);
        record.gathered = { count: 0, loss: 0 };
        say(`Going on after epoch ${event.epoch}, step ${event.step}.`);
        break;
      }
      case 'step': {
        if (event.epoch === 1 && event.step === 1) clearCurves(entry);
        addStep(entry, event);
        const { epoch, step, steps, clipsPerSecond, secondsLeft } = event;
        const done = epoch - 1 + step / steps;
        const perEpoch = secondsLeft / Math.max(1e-9, event.epochs - done);
        const networksAfter = record.folds - before;
        training.clipsPerSecond = clipsPerSecond;
        training.secondsLeft = secondsLeft + networksAfter * perEpoch * event.epochs;
        const which = record.fold > 0 ? `Fold ${record.fold} of ${record.folds}, epoch` : 'Epoch';
        job.progress({ done: before * event.epochs + done, doing: `${which} ${epoch} of ${event.epochs}` });
        break;
      }
      case 'epoch': {
        const { epoch, loss, devEer, devAuc, best } = event;
        if (best) for (const one of training.epochs) one.best = false;
        training.epochs = [
          ...training.epochs.filter((one) => one.epoch < epoch),
          { epoch, loss, devEer, devAuc, best },
        ];
        save = true;
        break;
      }
      case 'score':
        job.progress({ doing: `Measuring on ${event.split}: ${event.done} of ${event.total}` });
    }
    this.#onChange(job.id);
    if (save || performance.now() - entry.savedAt > savedEveryMilliseconds) {
      // A full disk shows when the checkpoint is written.
      void this.#save(entry).catch(() => undefined);
    }
  }
}

interface TrainStoreOptions {
  /** The data folder. */
  home: string;
  application: string;
  jobs: JobQueue;
  models: ModelStore;
  /** Called whenever a training changed. */
  onChange?: (jobId: string) => void;
}

/** A model whose card is written and whose checkpoint is gone. */
async function isFinished(folder: string): Promise<boolean> {
  if (!(await isModelFolder(folder))) return false;
  const names = await readdir(folder);
  return !names.includes('checkpoint.safetensors');
}

function outdated(cause: UserFacingError): UserFacingError {
  return new UserFacingError(
    'checkpoint',
    'The recordings, or how they are read, have changed since this training began: it cannot go on.',
    { advice: 'Discard it and train anew.', cause },
  );
}

async function readRecord(path: string): Promise<Record | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
