/**
 * Trainings that outlive the window and the engine. Each has a folder `trainings/<id>` in the data folder: what was asked for and how it
 * went (`training.json`), and the model while it is made, with its checkpoint. The work is done in a child process.
 */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Training, TrainingRequest } from '../../src-common/schemas/training.ts';
import { UserFacingError } from '../base/errors.ts';
import { withBonafide } from '../datasets/load.ts';
import { isModelFolder, readModel } from '../detector/store.ts';
import { runInLaboratory } from './laboratory.ts';
import type { ModelStore } from '../models/model-store.ts';
import { isAliveAs } from '../base/processes.ts';
import type { JobHandle, JobQueue } from '../jobs/queue.ts';
import type { TrainModelEvent } from './train-model.ts';
import { TrainingFollower, epochsOf, markStopped } from './train-progress.ts';
import { RecordStore } from './record-store.ts';
import { newRecord, trainingRecordSchema } from './train-record.ts';
import type { TrainingRecord } from './train-record.ts';
import { userError } from '../jobs/user-error.ts';

/** Of a training in a list. */
const listedSteps = 200;
const savedEveryMilliseconds = 5000;
/** How long a child of an engine that is gone may take to save its checkpoint. */
const orphanMilliseconds = 20_000;

/** One that is in a list, its loss curves thinned. */
function thinned(training: Training): Training {
  const members = training.members.map((member) => {
    const every = Math.ceil(member.steps.length / listedSteps);
    return { ...member, steps: member.steps.filter((_, index) => index % every === 0) };
  });
  return { ...training, members };
}

export class TrainStore {
  readonly #options: TrainStoreOptions;
  readonly #records: RecordStore<TrainingRecord>;

  private constructor(options: TrainStoreOptions, records: RecordStore<TrainingRecord>) {
    this.#options = options;
    this.#records = records;
  }

  /** Reads the trainings of a data folder. Those that ran when an engine ended go on with {@link recover}. */
  static async open(options: TrainStoreOptions): Promise<TrainStore> {
    const { home, onUnreadable } = options;
    const about = ({ training }: TrainingRecord) => ({ id: training.jobId, since: training.startedAt });
    const schema = trainingRecordSchema;
    return new TrainStore(options, await RecordStore.open({ home, kind: 'training', schema, about, onUnreadable }));
  }

  /** Lets those go on that nobody stopped, the earliest first. */
  async recover(): Promise<void> {
    for (const record of this.#unfinished().reverse()) this.#queue(record);
  }

  /** The latest first, their loss curves thinned. */
  list(): Training[] {
    return this.#records.list().map(({ training }) => thinned(training));
  }

  /** @throws UserFacingError `not-found` */
  get(jobId: string): Training {
    return this.#record(jobId).training;
  }

  /** Trainings that use a model and have not ended. */
  usersOf(modelId: string): Training[] {
    const users = this.#unfinished().filter(({ training }) => training.request.from === modelId);
    return users.map(({ training }) => training);
  }

  /** @throws UserFacingError `not-found` for a model to train on from that is not there, `unwritable` */
  async start(request: TrainingRequest): Promise<string> {
    if (request.from !== undefined) await this.#options.models.folderOf(request.from);
    const record = newRecord(randomUUID(), request);
    await this.#records.add(record);
    this.#queue(record);
    return record.training.jobId;
  }

  /** Goes on from the checkpoint. @throws UserFacingError `not-found`, `job-state` where it runs or is done. */
  async resume(jobId: string): Promise<string> {
    const record = this.#record(jobId);
    const { training } = record;
    if (this.#isActive(jobId) || training.state === 'done') {
      const why = training.state === 'done' ? 'is done' : 'is running';
      throw new UserFacingError('job-state', `The training of ${training.request.name} ${why}.`);
    }
    Object.assign(training, { state: 'queued', error: null });
    await this.#records.save(record);
    this.#queue(record);
    return jobId;
  }

  /** Removes a training that does not run, and its checkpoint; a model that it made stays. @throws UserFacingError as `resume`. */
  async discard(jobId: string): Promise<void> {
    const { training } = this.#record(jobId);
    if (this.#isActive(jobId)) {
      throw new UserFacingError('job-state', `The training of ${training.request.name} is running.`, {
        advice: 'Cancel it first.',
      });
    }
    await this.#records.remove(jobId);
    this.#options.onChange?.(jobId);
  }

  #record(jobId: string): TrainingRecord {
    const record = this.#records.get(jobId);
    if (!record) throw new UserFacingError('not-found', 'That training is not there any more.');
    return record;
  }

  #unfinished(): TrainingRecord[] {
    return this.#records.list().filter(({ training: { state } }) => state === 'running' || state === 'queued');
  }

  #isActive(jobId: string): boolean {
    const state = this.#options.jobs.find(jobId)?.state;
    return state === 'queued' || state === 'running' || state === 'paused';
  }

  #queue(record: TrainingRecord): void {
    const { training } = record;
    const total = epochsOf(training);
    this.#options.jobs.start(
      {
        kind: 'train',
        title: `Training ${training.request.name}`,
        unit: 'epochs',
        ...(total === null ? {} : { total }),
        id: training.jobId,
        onDropped: () => this.#ended(record, 'cancelled'),
      },
      (job) => this.#run(job, record),
    );
    this.#options.onChange?.(training.jobId);
  }

  async #run(job: JobHandle, record: TrainingRecord): Promise<{ modelId: string }> {
    const { training } = record;
    try {
      job.progress({ doing: 'Waiting for what ran before' });
      await this.#waitForOrphan(record, job.signal);
      Object.assign(training, { state: 'running', error: null });
      await this.#records.save(record);
      this.#options.onChange?.(job.id);
      const folder = join(this.#records.place(job.id), 'model');
      training.modelId = await this.#madeBefore(record, folder);
      if (training.modelId === null) {
        if (!(await isFinished(folder))) await this.#train(job, record, folder);
        record.made = (await readModel(folder)).onnxSha256;
        await this.#records.save(record);
        training.modelId = await this.#options.models.adopt(folder, training.request.name);
      }
      await this.#ended(record, 'done');
      return { modelId: training.modelId };
    } catch (error) {
      if (job.signal.aborted) {
        await this.#ended(record, 'cancelled');
        throw error;
      }
      const failure = error instanceof UserFacingError && error.code === 'checkpoint' ? outdated(error) : error;
      training.error = userError(failure);
      await this.#ended(record, 'failed');
      throw failure;
    }
  }

  /** The model, where an engine ended between moving it among the models and saying so. */
  async #madeBefore({ made }: TrainingRecord, folder: string): Promise<string | null> {
    if (made === null || (await isModelFolder(folder))) return null;
    return this.#options.models.idOf(made);
  }

  /** Where the engine ends, what ran stays so in the file, and goes on with the next one. */
  async #ended(record: TrainingRecord, state: Training['state']): Promise<void> {
    const { training } = record;
    record.pid = null;
    if (state !== 'cancelled' || !this.#options.jobs.closing) training.state = state;
    markStopped(training);
    await this.#records.save(record);
    this.#options.onChange?.(training.jobId);
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

  async #train(job: JobHandle, record: TrainingRecord, folder: string): Promise<void> {
    const { request } = record.training;
    const { bonafide, from, ...rest } = request;
    const follower = new TrainingFollower(record);
    let savedAt = 0;
    // A full disk shows when the checkpoint is written.
    const save = (): void => {
      savedAt = performance.now();
      void this.#records.save(record).catch(() => undefined);
    };
    const heard = (event: TrainModelEvent): void => {
      const { progress, problem, save: saveNow = false } = follower.hear(event);
      if (progress) job.progress(progress);
      if (problem) job.problem(problem.subject, problem.message);
      this.#options.onChange?.(job.id);
      if (saveNow || performance.now() - savedAt > savedEveryMilliseconds) save();
    };
    await runInLaboratory(
      'train',
      {
        application: this.#options.application,
        request: {
          ...rest,
          dataset: withBonafide(request.dataset, bonafide),
          out: folder,
          resume: true,
          ...(from === undefined ? {} : { from: await this.#options.models.folderOf(from) }),
        },
      },
      {
        signal: job.signal,
        onStart: (pid) => {
          record.pid = pid;
          save();
        },
        onEvent: heard,
      },
    );
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
  /** Called for a record that cannot be read; it is left alone. */
  onUnreadable?: (path: string, error: unknown) => void;
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
