/** The trainings, the one that is shown, and what the form for a new one holds; kept while other views are shown. */
import type { Training } from '../../../src-common/schemas/training.ts';
import type { Inputs, ContractOutputs } from '../../../src-preload/contract.ts';
import { app } from '../../state/app.svelte.ts';
import { client, errorWords } from '../../state/client.svelte.ts';

type Asked = Inputs['training']['start'];
type Drafted = 'notes' | 'bonafide' | 'from' | 'folds' | 'members' | 'copies' | 'maximumErrorRate';
type TrainingDraft = Required<Omit<Asked, Drafted>> & {
  what: 'one' | 'several';
  /** Of a model of several: what is ticked, and epochs of each network; null: as suits it. */
  members: string[];
  memberEpochs: number | null;
  /** Empty: none. */
  copies: string;
  /** Findings that may be wrong, in percent. */
  errorPercent: number;
  bonafide: string;
  /** Empty: from scratch. */
  from: string;
  calibratesOnFolds: boolean;
  folds: number;
  /** A note a line. */
  notes: string;
};

/** What suits a network; the engine takes the same where it is not told. */
export const networkDefaults: Record<
  TrainingDraft['network'],
  Pick<TrainingDraft, 'frontEnd' | 'epochs' | 'learningRate'>
> = {
  residual: { frontEnd: 'linear', epochs: 8, learningRate: 0.002 },
  'mel-cnn': { frontEnd: 'mel', epochs: 30, learningRate: 0.001 },
};

/** What the form holds at first. */
export const defaults: TrainingDraft = {
  dataset: '',
  bonafide: '',
  name: '',
  what: 'one',
  members: ['linear', 'encoder', 'periodicity'],
  memberEpochs: null,
  copies: '',
  errorPercent: 5,
  band: 'full',
  network: 'residual',
  augmentation: 'auto',
  backend: 'auto',
  batchSize: 32,
  patience: 8,
  seed: 1,
  calibratesOnFolds: false,
  folds: 5,
  from: '',
  notes: '',
  ...networkDefaults.residual,
};

/** Whether a member learns from copies, too: no network does. */
export function learnsFromCopies(member: string): boolean {
  return member === 'encoder' || member === 'periodicity' || member.startsWith('encoder:');
}

/** The request that the form stands for. */
function requestOf(draft: TrainingDraft): Asked {
  const { bonafide, from, calibratesOnFolds, folds, notes, dataset, name, ...others } = draft;
  const { what, members, memberEpochs, copies, errorPercent, epochs, frontEnd, ...rest } = others;
  const several = what === 'several';
  return {
    ...rest,
    ...(several
      ? { members, ...(memberEpochs === null ? {} : { epochs: memberEpochs }) }
      : { epochs, frontEnd, ...(from === '' ? {} : { from }) }),
    ...(several && copies.trim() !== '' && members.some(learnsFromCopies) ? { copies: copies.trim() } : {}),
    maximumErrorRate: errorPercent / 100,
    dataset: dataset.trim(),
    name: name.trim(),
    ...(bonafide.trim() === '' ? {} : { bonafide: bonafide.trim() }),
    folds: calibratesOnFolds ? folds : null,
    notes: notes
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  };
}

/** What the form holds to train once more with the settings of a training. */
export function draftOf(request: Training['request']): TrainingDraft {
  const { bonafide, from, folds, notes, members, copies, maximumErrorRate, epochs, ...rest } = request;
  const { network } = rest;
  return {
    ...defaults,
    ...networkDefaults[network],
    ...rest,
    ...(members === undefined
      ? { what: 'one', epochs: epochs ?? networkDefaults[network].epochs }
      : { what: 'several', members, memberEpochs: epochs ?? null }),
    copies: copies ?? '',
    errorPercent: Number((100 * maximumErrorRate).toPrecision(6)),
    bonafide: bonafide ?? '',
    from: from ?? '',
    calibratesOnFolds: folds !== null,
    folds: folds ?? defaults.folds,
    notes: notes.join('\n'),
  };
}

/** Between two looks at a training that runs. */
const refreshMilliseconds = 300;

class Trainings {
  /** Null until the first answer; the latest first. */
  list: Training[] | null = $state.raw(null);
  error: unknown = $state.raw(null);
  /** The job of the one that is shown; `new`: the form. */
  shown: string | null = $state(null);
  draft: TrainingDraft = $state({ ...defaults });
  members: ContractOutputs['training']['members'] | null = $state.raw(null);
  backends: ContractOutputs['system']['backends'] | null = $state.raw(null);
  backendsError: unknown = $state.raw(null);

  get open(): Training | undefined {
    return this.list?.find(({ jobId }) => jobId === this.shown);
  }

  async reload(): Promise<void> {
    try {
      this.list = await client.training.list();
      this.error = null;
      if (this.open !== undefined) void this.refresh(this.open.jobId);
    } catch (error) {
      this.error = error;
    }
  }

  readonly #refreshing = new Map<string, { again: boolean }>();

  /** Looks at one training anew, seldom enough that a fast one does not fill the line. */
  async refresh(jobId: string): Promise<void> {
    const under = this.#refreshing.get(jobId);
    if (under !== undefined) {
      under.again = true;
      return;
    }
    const mine = { again: false };
    this.#refreshing.set(jobId, mine);
    try {
      const training = await client.training.get({ jobId });
      const list = this.list ?? [];
      this.list = list.some((each) => each.jobId === jobId)
        ? list.map((each) => (each.jobId === jobId ? training : each))
        : [training, ...list];
      await new Promise((resolve) => setTimeout(resolve, refreshMilliseconds));
    } catch (error) {
      mine.again = false;
      // Discarded meanwhile; whatever else went wrong, the next change tells.
      if (errorWords(error).code === 'not-found') this.list = (this.list ?? []).filter((each) => each.jobId !== jobId);
    } finally {
      this.#refreshing.delete(jobId);
    }
    if (mine.again) await this.refresh(jobId);
  }

  /** Looks for what a model of several can have; anew each time, since encoders are added. */
  async findMembers(): Promise<void> {
    this.members = (await app.attempt(() => client.training.members())) ?? this.members ?? [];
  }

  /** Tries what can train; once, since it may take a while. */
  async findBackends(): Promise<void> {
    if (this.backends !== null) return;
    this.backendsError = null;
    try {
      this.backends = await client.system.backends();
    } catch (error) {
      this.backendsError = error;
    }
  }

  showForm(draft?: TrainingDraft): void {
    if (draft !== undefined) Object.assign(this.draft, draft);
    this.shown = 'new';
  }

  async start(): Promise<void> {
    await app.attempt(async () => {
      const { jobId } = await client.training.start(requestOf($state.snapshot(this.draft)));
      await this.refresh(jobId);
      this.shown = jobId;
      Object.assign(this.draft, { name: '', notes: this.draft.notes });
    });
  }

  async resume({ jobId }: Training): Promise<void> {
    await app.attempt(async () => {
      const started = await client.training.resume({ jobId });
      await this.reload();
      this.shown = started.jobId;
    });
  }

  async discard({ jobId }: Training): Promise<void> {
    await app.attempt(async () => {
      await client.training.discard({ jobId });
      if (this.shown === jobId) this.shown = null;
      await this.reload();
    });
  }
}

export const trainings = new Trainings();
