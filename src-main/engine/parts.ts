/** What the engine works with besides the open cases, which are made from it. */
import { join, relative, resolve } from 'node:path';
import { privateFolder } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { clearUnfinished } from '../base/unfinished.ts';
import { setWorkerSettings } from '../base/worker-settings.ts';
import { SoundPool } from '../sound/sound-pool.ts';
import { EvaluationStore } from '../laboratory/evaluation-store.ts';
import { ModelStore } from '../models/model-store.ts';
import { JobQueue } from '../jobs/queue.ts';
import { TrainStore } from '../laboratory/train-store.ts';
import { ChangeFeed } from './change-feed.ts';
import type { Confirmation } from '../host/host-messages.ts';
import { log } from './log.ts';
import { OutputPlaces } from './outputs.ts';
import { SettingsStore } from './settings-store.ts';

export interface EngineParts {
  readonly host: 'electron' | 'browser';
  /** Folders that may be looked into besides those of the settings: who started the host named them. */
  readonly roots: readonly string[];
  /** Asks the person at the host, where no page reaches. */
  readonly confirm: (what: Confirmation) => Promise<boolean>;
  /** `earwitness 0.1.0`. */
  readonly application: string;
  /** The data folder, absolute. */
  readonly home: string;
  readonly settings: SettingsStore;
  readonly jobs: JobQueue;
  readonly changes: ChangeFeed;
  readonly outputs: OutputPlaces;
  /** Peaks, spectrograms and samples for the Examine view. */
  readonly sound: SoundPool;
  readonly models: ModelStore;
  readonly trainings: TrainStore;
  readonly evaluations: EvaluationStore;
}

/**
 * Makes the data folder, for its owner's eyes only. @returns its path, absolute
 * @throws UserFacingError `unwritable`
 */
export async function openHome(): Promise<string> {
  const home = resolve(dataFolder());
  await privateFolder(home);
  return home;
}

/**
 * Opens what does not belong to a case.
 * @param options.confirm asks a person; by default nobody is there to say yes.
 * @param options.recovered whether this engine goes on after a crash of the one before.
 * @param options.onBug for what a job throws that is no user's error.
 * @throws UserFacingError `unwritable`, `settings`
 */
export async function openParts(options: {
  host: EngineParts['host'];
  application: string;
  recovered?: boolean;
  roots?: readonly string[];
  confirm?: EngineParts['confirm'];
  onBug?: (error: unknown) => void;
}): Promise<EngineParts> {
  const home = await openHome();
  const changes = new ChangeFeed({ startedAt: new Date().toISOString(), recovered: options.recovered ?? false });
  const settings: SettingsStore = await SettingsStore.open(home, () => {
    setWorkerSettings({ ffmpeg: settings.get().ffmpeg });
    changes.publish({ type: 'settings' });
  });
  setWorkerSettings({ ffmpeg: settings.get().ffmpeg });
  const outputs = new OutputPlaces(join(home, 'outputs'));
  await outputs.clear();
  await clearUnfinished(home, { casesFolder: settings.get().casesFolder || join(home, 'cases') });
  const jobs = new JobQueue({
    onChange: (job) => changes.publish({ type: 'job', job }),
    ...(options.onBug ? { onBug: options.onBug } : {}),
  });
  settings.watch();
  const { host, application, roots = [], confirm = async () => false } = options;
  const models = new ModelStore(home, () => changes.publish({ type: 'models' }));
  await models.clear();
  const onUnreadable = (path: string, error: unknown): void =>
    log('warning', `${relative(home, path)} cannot be read, and is left as it is`, error);
  const trainings = await TrainStore.open({
    home,
    application,
    jobs,
    models,
    onUnreadable,
    onChange: (jobId) => changes.publish({ type: 'training', jobId }),
  });
  const scanJobs = (): number | null => settings.get().scanJobs;
  const evaluations = await EvaluationStore.open({ home, jobs, models, scanJobs, onUnreadable });
  const sound = new SoundPool();
  const stores = { settings, jobs, changes, outputs, sound, models, trainings, evaluations };
  return { host, roots, confirm, application, home, ...stores };
}

/** Goes on with the trainings and evaluations that the engine before left unfinished. */
export async function recoverLaboratory({ trainings, evaluations }: EngineParts): Promise<void> {
  await trainings.recover();
  await evaluations.recover();
}
