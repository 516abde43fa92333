/**
 * Trainings that outlive the window and the engine. Each has a folder `trainings/<id>` in the data folder: what was asked for and how it
 * went (`training.json`), and the model while it is made, with its checkpoint. The work is done in a child process.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Training, TrainingRequest } from '../../src-common/schemas/training.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { withBonafide } from '../datasets/load.ts';
import { isModelFolder, readModel } from '../detector/store.ts';
import { runInLaboratory } from './laboratory.ts';
import type { ModelStore } from '../models/model-store.ts';
import { isAliveAs } from '../base/processes.ts';
import type { JobHandle, JobQueue } from '../jobs/queue.ts';
import type { TrainModelEvent } from './train-model.ts';
import { TrainingFollower, epochsOf } from './train-progress.ts';
import { newRecord, readRecord } from './train-record.ts';
import type { TrainingRecord } from './train-record.ts';
import { userError } from '../jobs/user-error.ts';

/** Of a training in a list. */
const listedSteps = 200;
const savedEveryMilliseconds = 5000;
/** How long a child of an engine that is gone may take to save its checkpoint. */
const orphanMilliseconds = 20_000;

interface Entry {
  record: TrainingRecord;
  follower: TrainingFollower;
  savedAt: number;
  saving: Promise<void>;
}

const newEntry = (record: TrainingRecord): Entry => ({
  record,
  follower: new TrainingFollower(record),
  savedAt: 0,
  saving: Promise.resolve(),
});

/** One that is in a list, its loss curves thinned. */
function listed(training: Training): Training {
  const members = training.members.map((member) => {
    const every = Math.ceil(member.steps.length / listedSteps);
    return { ...member, steps: member.steps.filter((_, index) => index % every === 0) };
  });
  return { ...training, members };
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
      .map(({ record }) => listed(record.training))
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
    const entry = newEntry(newRecord(jobId, request));
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
    const { training } = entry.record;
    const total = epochsOf(training);
    this.#jobs.start(
      {
        kind: 'train',
        title: `Training ${training.request.name}`,
        unit: 'epochs',
        ...(total === null ? {} : { total }),
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
      const failure = error instanceof UserFacingError && error.code === 'checkpoint' ? outdated(error) : error;
      training.error = userError(failure);
      await this.#ended(entry, 'failed');
      throw failure;
    }
  }

  /** The model, where an engine ended between moving it among the models and saying so. */
  async #madeBefore({ made }: TrainingRecord, folder: string): Promise<string | null> {
    if (made === null || (await isModelFolder(folder))) return null;
    return this.#models.idOf(made);
  }

  /** Where the engine ends, what ran stays so in the file, and goes on with the next one. */
  async #ended(entry: Entry, state: Training['state']): Promise<void> {
    const { training } = entry.record;
    entry.record.pid = null;
    if (state !== 'cancelled' || !this.#jobs.closing) training.state = state;
    entry.follower.stopped();
    await this.#save(entry);
    this.#onChange(training.jobId);
  }

  /** The child of an engine that was killed saves its checkpoint before it ends. */
  async #waitForOrphan({ pid }: TrainingRecord, signal: AbortSignal): Promise<void> {
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
    const { progress, problem, save = false } = entry.follower.hear(event);
    if (progress) job.progress(progress);
    if (problem) job.problem(problem.subject, problem.message);
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
  return !names.some((name) => name.startsWith('checkpoint'));
}

function outdated(cause: UserFacingError): UserFacingError {
  return new UserFacingError(
    'checkpoint',
    'The recordings, or how they are read, have changed since this training began: it cannot go on.',
    { advice: 'Discard it and train anew.', cause },
  );
}
