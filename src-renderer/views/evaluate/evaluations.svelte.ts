/** The stored evaluations, the one that is open, and what the form for a new one holds; kept while other views are shown. */
import type { Evaluation, EvaluationSummary } from '../../../src-common/schemas/evaluation.ts';
import type { Job } from '../../../src-common/schemas/job.ts';
import type { Degradation, RobustnessEvaluation } from '../../../src-common/schemas/robustness.ts';
import { app } from '../../state/app.svelte.ts';
import { client } from '../../state/client.svelte.ts';
import { type DegradationChoice, chosenOf } from './degradations.ts';

/** What the form for a new evaluation holds. */
interface EvaluationDraft {
  kind: EvaluationSummary['kind'];
  modelIds: string[];
  dataset: string;
  bonafide: string;
  split: string;
  replicates: number;
  withoutCompanions: boolean;
  /** Of robustness alone, so with what follows. */
  degradations: DegradationChoice;
  /** Names, where the choice is one's own. */
  own: string[];
  limit: number | null;
  seed: number;
}

class Evaluations {
  /** Null until the first answer. */
  list: EvaluationSummary[] | null = $state.raw(null);
  listError: unknown = $state.raw(null);
  /** The id of the one that is shown; `new`: the form. */
  shown: string | null = $state(null);
  open: Evaluation | RobustnessEvaluation | null = $state.raw(null);
  openError: unknown = $state.raw(null);
  /** Thresholds that were set by hand, by model, of the open evaluation. */
  thresholds: Record<string, number> = $state.raw({});
  /** What a model can be measured through; null until the first answer. */
  catalogue: Degradation[] | null = $state.raw(null);
  draft: EvaluationDraft = $state({
    kind: 'figures',
    modelIds: [],
    dataset: '',
    bonafide: '',
    split: 'test',
    replicates: 1000,
    withoutCompanions: false,
    degradations: 'channels',
    own: [],
    limit: null,
    seed: 1,
  });
  robustnessTab: 'table' | 'curves' = $state('table');
  tab: 'figures' | 'curves' | 'ratios' | 'threshold' | 'generators' = $state('curves');

  /** Jobs whose evaluations are not stored yet: one is stored under its job's id, a moment before the job ends. */
  get running(): Job[] {
    return app.jobs.filter(({ id, kind, endedAt }) => kind === 'evaluate' && endedAt === null && !this.#isStored(id));
  }

  async reload(): Promise<void> {
    try {
      this.list = await client.evaluation.list();
      this.listError = null;
    } catch (error) {
      this.listError = error;
    }
  }

  /** Whether the one that is shown is stored: else it is a job, the form, or gone. */
  get isStored(): boolean {
    return this.shown !== null && this.#isStored(this.shown);
  }

  #isStored(id: string): boolean {
    return this.list?.some((one) => one.id === id) === true;
  }

  #loading: string | null = null;

  /** Fetches a stored evaluation, once. */
  async load(id: string, again = false): Promise<void> {
    if (this.open?.id === id || (this.#loading === id && !again)) return;
    this.#loading = id;
    this.open = null;
    this.openError = null;
    this.thresholds = {};
    try {
      const opened = await client.evaluation.get({ id });
      if (this.#loading === id) this.open = opened;
    } catch (error) {
      if (this.#loading === id) this.openError = error;
    }
  }

  /** Shows the form; what is given replaces what it holds. */
  showForm(with_: Partial<EvaluationDraft> = {}): void {
    Object.assign(this.draft, with_);
    this.shown = 'new';
  }

  /** Fetches what a model can be measured through, once; a choice of one's own begins with the channels. */
  async loadCatalogue(): Promise<void> {
    if (this.catalogue !== null) return;
    const found = await app.attempt(() => client.evaluation.degradations());
    if (found === undefined || this.catalogue !== null) return;
    this.catalogue = found;
    this.draft.own = chosenOf(found, 'channels', []).map(({ name }) => name);
  }

  /** Starts what the form holds; its job is shown, and the evaluation of the same id once it is done. */
  async start(): Promise<void> {
    const started = await app.attempt(() =>
      this.draft.kind === 'figures' ? this.#evaluate() : this.#measureRobustness(),
    );
    if (started !== undefined) this.shown = started.jobId;
  }

  #evaluate(): Promise<{ jobId: string }> {
    return client.evaluation.start({ modelIds: [...this.draft.modelIds], ...this.#common() });
  }

  #measureRobustness(): Promise<{ jobId: string }> {
    const { modelIds, degradations, own, limit, seed } = this.draft;
    const chosen = chosenOf(this.catalogue ?? [], degradations, own);
    return client.evaluation.startRobustness({
      modelId: modelIds[0],
      ...this.#common(),
      ...(degradations === 'all' ? {} : { degradations: chosen.map(({ name }) => name) }),
      limit,
      seed,
    });
  }

  #common() {
    const { dataset, bonafide, split, replicates, withoutCompanions } = this.draft;
    const elsewhere = bonafide.trim() === '' ? {} : { bonafide: bonafide.trim() };
    return { dataset, ...elsewhere, split, replicates, withoutCompanions };
  }

  async remove({ id }: EvaluationSummary): Promise<void> {
    await app.attempt(async () => {
      await client.evaluation.delete({ id });
      if (this.shown === id) {
        this.shown = null;
        this.open = null;
      }
      await this.reload();
    });
  }

  setThreshold(modelId: string, threshold: number): void {
    this.thresholds = { ...this.thresholds, [modelId]: threshold };
  }
}

export const evaluations = new Evaluations();
