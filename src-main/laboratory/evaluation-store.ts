/**
 * Evaluations of models on datasets, as they are or through degradations, each a folder `evaluations/<id>` in the data folder: what was
 * asked for, what the window draws, and the files that an export holds. The work is done in a child process; one that was interrupted by
 * the engine's end is done again, but for the models, or the degraded recordings, that were scored by then. A measurement through
 * degradations that failed goes on likewise when it is asked for again.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { evaluationResultSchema, evaluationSummarySchema } from '../../src-common/schemas/evaluation.ts';
import { robustnessResultSchema } from '../../src-common/schemas/robustness.ts';
import type { Evaluation, EvaluationSummary } from '../../src-common/schemas/evaluation.ts';
import type { RobustnessEvaluation } from '../../src-common/schemas/robustness.ts';
import { UserFacingError } from '../base/errors.ts';
import { withBonafide } from '../datasets/load.ts';
import { chooseDegradations } from '../degradation/choose.ts';
import { filesBelow, writeArchive } from '../base/zip.ts';
import { exportedFolder, resultsPath } from './evaluate-models.ts';
import { journalPath } from './robustness-journal.ts';
import type { EvaluateEvent } from './evaluate-models.ts';
import { runInLaboratory } from './laboratory.ts';
import type { RobustnessEvent } from './measure-robustness.ts';
import { RecordStore } from './record-store.ts';
import type { ModelStore } from '../models/model-store.ts';
import type { JobHandle, JobQueue } from '../jobs/queue.ts';

interface NewMeasurement {
  dataset: string;
  bonafide?: string | undefined;
  split: string;
  replicates: number;
  withoutCompanions?: boolean | undefined;
}

export interface NewEvaluation extends NewMeasurement {
  modelIds: string[];
}

export interface NewRobustnessEvaluation extends NewMeasurement {
  modelId: string;
  /** By name; without them all. */
  degradations?: string[] | undefined;
  limit: number | null;
  seed: number;
}

const recordSchema = z.object({
  format: z.literal(1),
  asked: z.object({
    modelIds: z.array(z.string()).min(1),
    dataset: z.string(),
    bonafide: z.string().optional(),
    split: z.string(),
    replicates: z.int(),
    /** In evaluations of an older version companions were always left out. */
    withoutCompanions: z.boolean().default(true),
    /** Of one model, through what; absent where recordings are taken as they are. */
    robustness: z
      .object({ degradations: z.array(z.string()).nullable(), limit: z.int().nullable(), seed: z.int() })
      .optional(),
  }),
  done: z.boolean(),
  /** It failed, and what was scored by then is kept: the same, asked for again, goes on. */
  failed: z.boolean().default(false),
  /** Names of the models, from when they are known. */
  summary: evaluationSummarySchema,
});
type StoredEvaluation = z.infer<typeof recordSchema>;

/** An evaluation that is stopped has nothing to save but what is scored. */
const graceMilliseconds = 3000;

interface EvaluationStoreOptions {
  /** The data folder. */
  home: string;
  jobs: JobQueue;
  models: ModelStore;
  /** Files at a time; null: one for each core. */
  scanJobs: () => number | null;
  /** Called for a record that cannot be read; it is left alone. */
  onUnreadable?: (path: string, error: unknown) => void;
}

export class EvaluationStore {
  readonly #options: EvaluationStoreOptions;
  readonly #records: RecordStore<StoredEvaluation>;

  private constructor(options: EvaluationStoreOptions, records: RecordStore<StoredEvaluation>) {
    this.#options = options;
    this.#records = records;
  }

  /** Reads the evaluations of a data folder. Those that ran when an engine ended go on with {@link recover}. */
  static async open(options: EvaluationStoreOptions): Promise<EvaluationStore> {
    const { home, onUnreadable } = options;
    const about = ({ summary }: StoredEvaluation) => ({ id: summary.id, since: summary.createdAt });
    const kind = 'evaluation';
    return new EvaluationStore(
      options,
      await RecordStore.open({ home, kind, schema: recordSchema, about, onUnreadable }),
    );
  }

  /** Lets those go on that nobody stopped, the earliest first. */
  async recover(): Promise<void> {
    for (const record of this.#unfinished().reverse()) this.#queue(record);
  }

  /** Those that are done, the latest first. */
  list(): EvaluationSummary[] {
    return this.#records.list().flatMap(({ done, summary }) => (done ? [summary] : []));
  }

  /** @throws UserFacingError `not-found`, `damaged` */
  async get(id: string): Promise<Evaluation | RobustnessEvaluation> {
    const { summary } = this.#finished(id);
    const { kind, ...rest } = summary;
    const path = resultsPath(this.#records.place(id));
    try {
      const found: unknown = JSON.parse(await readFile(path, 'utf8'));
      return kind === 'figures'
        ? { ...rest, kind, results: z.array(evaluationResultSchema).parse(found) }
        : { ...rest, kind, result: robustnessResultSchema.parse(found) };
    } catch (error) {
      throw new UserFacingError('damaged', `The results in ${path} cannot be read.`, {
        path,
        advice: 'Delete the evaluation and run it again.',
        cause: error,
      });
    }
  }

  /** Evaluations that use a model and are not done. */
  usersOf(modelId: string): EvaluationSummary[] {
    const users = this.#unfinished().filter(({ asked }) => asked.modelIds.includes(modelId));
    return users.map(({ summary }) => summary);
  }

  /**
   * Measures models on recordings as they are.
   * @returns the job's id, which becomes the evaluation's.
   * @throws UserFacingError `not-found` for a model that is not there, `unwritable`
   */
  async start({ modelIds, ...asked }: NewEvaluation): Promise<string> {
    return this.#begin('figures', { ...this.#common(asked), modelIds: [...new Set(modelIds)] });
  }

  /**
   * Measures a model on recordings as they are and through degradations.
   * @returns as {@link start}
   * @throws UserFacingError as {@link start}; `usage` for a degradation that there is not
   */
  async startRobustness({ modelId, degradations, limit, seed, ...asked }: NewRobustnessEvaluation): Promise<string> {
    chooseDegradations(degradations);
    const robustness = { degradations: degradations ?? null, limit, seed };
    return this.#begin('robustness', { ...this.#common(asked), modelIds: [modelId], robustness });
  }

  #common({
    dataset,
    bonafide,
    split,
    replicates,
    withoutCompanions = false,
  }: NewMeasurement): Omit<StoredEvaluation['asked'], 'modelIds'> {
    return { dataset, ...(bonafide === undefined ? {} : { bonafide }), split, replicates, withoutCompanions };
  }

  async #begin(kind: EvaluationSummary['kind'], asked: StoredEvaluation['asked']): Promise<string> {
    const { modelIds, dataset, bonafide, split } = asked;
    for (const id of modelIds) await this.#options.models.folderOf(id);
    const createdAt = new Date().toISOString();
    const before = this.#records.list().find((one) => one.failed && isDeepStrictEqual(one.asked, asked));
    if (before) {
      before.failed = false;
      before.summary.createdAt = createdAt;
      await this.#records.save(before);
      this.#queue(before);
      return before.summary.id;
    }
    const id = randomUUID();
    const record: StoredEvaluation = {
      format: 1,
      asked,
      done: false,
      failed: false,
      summary: { id, kind, createdAt, dataset: withBonafide(dataset, bonafide), split, models: modelIds },
    };
    await this.#records.add(record);
    this.#queue(record);
    return id;
  }

  /** @throws UserFacingError `not-found` */
  async delete(id: string): Promise<void> {
    this.#finished(id);
    await this.#records.remove(id);
  }

  /** Packs what `earwitness evaluate` or `earwitness robustness` writes. @throws UserFacingError `not-found`, `unwritable` */
  async export(id: string, path: string): Promise<void> {
    this.#finished(id);
    await writeArchive(path, await filesBelow(exportedFolder(this.#records.place(id))));
  }

  #unfinished(): StoredEvaluation[] {
    return this.#records.list().filter(({ done, failed }) => !done && !failed);
  }

  #finished(id: string): StoredEvaluation {
    const record = this.#records.get(id);
    if (!record?.done) throw new UserFacingError('not-found', 'That evaluation is not there any more.');
    return record;
  }

  #queue(record: StoredEvaluation): void {
    const { id, kind, dataset, split } = record.summary;
    const doing = kind === 'figures' ? 'Evaluating' : 'Measuring robustness';
    const drop = async (): Promise<void> => {
      // Interrupted, not stopped: the next engine goes on.
      if (!this.#options.jobs.closing) await this.#records.remove(id);
    };
    this.#options.jobs.start(
      { kind: 'evaluate', title: `${doing} on ${dataset}, ${split}`, unit: 'recordings', id, onDropped: drop },
      async (job) => {
        try {
          await (kind === 'figures' ? this.#evaluate(job, record) : this.#measureRobustness(job, record));
          record.done = true;
          await this.#records.save(record);
        } catch (error) {
          if (job.signal.aborted || !existsSync(journalPath(this.#records.place(id)))) await drop();
          else await this.#setAside(record).catch(drop);
          throw error;
        }
        return { evaluationId: id };
      },
    );
  }

  /** Keeps what was scored of one that failed, in place of the one that was kept before. */
  async #setAside(record: StoredEvaluation): Promise<void> {
    for (const { failed, summary } of this.#records.list()) if (failed) await this.#records.remove(summary.id);
    record.failed = true;
    await this.#records.save(record);
  }

  async #evaluate(job: JobHandle, record: StoredEvaluation): Promise<void> {
    const { asked, summary } = record;
    const { models, scanJobs } = this.#options;
    const folders = await Promise.all(asked.modelIds.map(async (id) => ({ id, folder: await models.folderOf(id) })));
    job.progress({ doing: 'Listing the recordings' });
    let recordings = 0;
    const heard = (event: EvaluateEvent): void => {
      switch (event.type) {
        case 'models':
          summary.models = event.names;
          recordings = event.recordings;
          job.progress({ total: recordings * event.names.length });
          break;
        case 'scoring':
          job.progress({
            done: event.model * recordings + event.done,
            doing: `Scoring with ${summary.models[event.model]}`,
          });
          break;
        case 'measuring':
          job.progress({
            done: (event.model + 1) * recordings,
            doing: `Computing figures and intervals of ${summary.models[event.model]}`,
          });
          break;
        case 'problem':
          job.problem(event.path, event.message);
      }
    };
    await runInLaboratory(
      'evaluate',
      {
        folder: this.#records.place(summary.id),
        models: folders,
        dataset: summary.dataset,
        split: asked.split,
        replicates: asked.replicates,
        withoutCompanions: asked.withoutCompanions,
        jobs: scanJobs(),
      },
      { signal: job.signal, onEvent: heard, graceMilliseconds },
    );
  }

  async #measureRobustness(job: JobHandle, { asked, summary }: StoredEvaluation): Promise<void> {
    const { models, scanJobs } = this.#options;
    const { modelIds, split, replicates, withoutCompanions, robustness } = asked;
    if (!robustness) throw new Error(`${summary.id} does not say through what`);
    const [id] = modelIds;
    job.progress({ doing: 'Listing the recordings' });
    const heard = (event: RobustnessEvent): void => {
      switch (event.type) {
        case 'model':
          summary.models = [event.name];
          job.progress({ total: event.total });
          break;
        case 'scoring':
          job.progress({ done: event.done, doing: `Scoring ${event.label}` });
          break;
        case 'measuring':
          job.progress({ doing: 'Computing figures and intervals' });
          break;
        case 'problem':
          job.problem(event.subject, event.message);
      }
    };
    await runInLaboratory(
      'robustness',
      {
        folder: this.#records.place(summary.id),
        model: { id, folder: await models.folderOf(id) },
        dataset: summary.dataset,
        split,
        replicates,
        withoutCompanions,
        ...robustness,
        jobs: scanJobs(),
      },
      { signal: job.signal, onEvent: heard, graceMilliseconds },
    );
  }
}
