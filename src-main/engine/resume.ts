/** Intakes and scans of cases as jobs; and what an engine that ended before its time left of them. */
import { existsSync } from 'node:fs';
import { intakeSchema } from '../../src-preload/contract/evidence.ts';
import { allowable } from '../../src-common/queue.ts';
import { describeError } from '../base/errors.ts';
import { databasePath } from '../cases/database.ts';
import type { ScanQueue } from '../cases/scans.ts';
import type { CaseStore } from '../cases/store.ts';
import { readSpeakingModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { intakeSummary, takeIn } from '../casework/case-intake.ts';
import type { IntakeRequest } from '../casework/case-intake.ts';
import { runCaseScan } from '../casework/case-scan.ts';
import { controlsFirst } from '../casework/controls-first.ts';
import type { CaseQueue } from '../casework/spread-scan.ts';
import type { JobHandle } from '../jobs/queue.ts';
import { queueAddress } from '../scanning/queue/address.ts';
import type { EngineContext } from './context.ts';
import { readablePath } from './files.ts';
import { log } from './log.ts';
import { mostChannelsShown } from '../../src-preload/contract/sound.ts';
import { preparedAtIntakeSeconds, prepareSoundOf, soundFolder, soundLimitBytes } from './sound.ts';
import { preparedBytes } from '../sound/sound-cache.ts';
import { removeUploads } from './uploads.ts';

/** The model of that id, or the default one. @throws UserFacingError `not-found`, `model`. */
export async function modelFor(context: EngineContext, modelId: string | undefined): Promise<StoredModel> {
  return readSpeakingModel(await context.models.folderOf(modelId ?? context.settings.get().defaultModel));
}

const scanJobId = (caseId: string, scanId: number): string => `scan-${caseId}-${scanId}`;
const intakeJobId = (caseId: string, intakeId: number): string => `intake-${caseId}-${intakeId}`;

/** Lets go of the case after a job where no window looks at it. The job is still on the list as running at this moment. */
export function releaseLater(context: EngineContext, caseId: string): void {
  setImmediate(() => {
    if (!context.jobs.closing) context.cases.release(caseId);
  });
}

/** Ends scans that no job works on, as after a full disk, so that their items can be queued anew. */
export function endStaleScans({ jobs }: EngineContext, store: CaseStore): void {
  for (const { id } of store.scans.unfinished()) {
    const job = jobs.find(scanJobId(store.id, id));
    if (job?.endedAt !== null) store.scans.end(id, 'failed', job?.error?.message ?? 'It was interrupted.');
  }
}

/** @param tell gets what a scan over it is doing, whenever that changes */
function caseQueue({ address, allow, nameWorkers }: ScanQueue, tell: (doing: string) => void): CaseQueue {
  return {
    address: queueAddress(address),
    allow: allowable.filter((what) => allow.includes(what)),
    nameWorkers,
    onNotice: (text) => {
      log('info', text);
      tell(text);
    },
    onPresent: ({ atWork, refused }) => {
      const workers = (count: number): string => (count === 1 ? '1 worker' : `${count} workers`);
      const by = atWork === 0 ? 'Waiting for workers' : `Scoring by ${workers(atWork)}`;
      tell(refused.length === 0 ? by : `${by}; ${workers(refused.length)} not fit for it (Settings says why)`);
    },
  };
}

/** Starts a scan that was begun, or goes on with it. @returns the job's id */
export function startScan(context: EngineContext, store: CaseStore, scanId: number, model: StoredModel): string {
  const { jobs, settings, application, home } = context;
  const total = store.scans.queuedFor(scanId).length;
  const caseId = store.id;
  const queue = store.scans.unfinished().find(({ id }) => id === scanId)?.queue ?? null;
  return jobs.start(
    {
      kind: 'scan',
      title: `Scan of ${store.details().number} with ${model.card.name}${queue === null ? '' : ' over the queue'}`,
      caseId,
      unit: 'files',
      total,
      canPause: true,
      id: scanJobId(caseId, scanId),
      onDropped: async () => {
        if (!jobs.closing) store.scans.end(scanId, 'cancelled');
      },
    },
    async (job) => {
      try {
        const { scanJobs, controlsBeyond } = settings.get();
        job.progress({ doing: 'Scoring control recordings' });
        await controlsFirst(store, [scanId], model, {
          ...{ home, application, by: context.cases.session.actor(), signal: job.signal },
          goesOn: controlsBeyond === 'go-on',
        });
        let doing = queue === null ? 'Scoring' : 'Waiting for workers';
        const outcome = await runCaseScan(store, scanId, model, application, {
          ...(scanJobs === null ? {} : { jobs: scanJobs }),
          signal: job.signal,
          onProgress: (done, of) => job.progress({ done, total: of, doing }),
          onProblem: (name, message) => job.problem(name, message),
          waitWhilePaused: () => job.waitWhilePaused(),
          goesOnLater: () => jobs.closing,
          ...(queue && {
            queue: caseQueue(queue, (now) => {
              doing = now;
              job.progress({ doing });
            }),
          }),
        });
        return { ...outcome };
      } finally {
        releaseLater(context, caseId);
      }
    },
  );
}

/** Starts an intake that was begun, or goes on with it. @param then gets the new items once they are in @returns the job's id */
export function startIntake(
  context: EngineContext,
  store: CaseStore,
  intakeId: number,
  request: IntakeRequest,
  then: (added: readonly number[]) => void = () => undefined,
): string {
  const { jobs, home } = context;
  const caseId = store.id;
  const end = async (): Promise<void> => {
    store.intakes.end(intakeId);
    await removeUploads(home, request.paths);
  };
  return jobs.start(
    {
      kind: 'intake',
      title: `Adding evidence to ${store.details().number}`,
      caseId,
      unit: 'files',
      canPause: true,
      id: intakeJobId(caseId, intakeId),
      onDropped: async () => {
        if (!jobs.closing) await end();
      },
    },
    async (job) => {
      try {
        const outcome = await takeIn(store, request, {
          home,
          signal: job.signal,
          onProgress: (progress) => job.progress(progress),
          onProblem: (path, message) => job.problem(path, message),
          waitWhilePaused: () => job.waitWhilePaused(),
        });
        then(outcome.added);
        await prepareLong(context, store, outcome.added, job);
        const { added, ...counts } = outcome;
        return { summary: intakeSummary(outcome), added: added.length, ...counts };
      } finally {
        // One that the engine's end interrupts goes on with the next.
        if (!jobs.closing) await end();
        releaseLater(context, caseId);
      }
    },
  );
}

/** Bytes a second of what is prepared of a channel at most, at 48 kHz: a working copy of 16 bits, a spectrogram, peaks. */
const preparedBytesPerSecond = 110_000;

/**
 * Long recordings are made ready to be looked at as a part of their intake, so that they open at once after it: as many as the
 * case may keep.
 */
async function prepareLong(
  context: EngineContext,
  store: CaseStore,
  ids: readonly number[],
  job: JobHandle,
): Promise<void> {
  const long = store.evidence
    .rowsOf(ids)
    .filter(({ durationSeconds }) => (durationSeconds ?? 0) > preparedAtIntakeSeconds);
  const folder = soundFolder(store.folder);
  for (const { id, name, durationSeconds } of long) {
    const hasRoom = async (): Promise<boolean> => {
      const wanted = (durationSeconds ?? 0) * preparedBytesPerSecond;
      return (await preparedBytes(folder)) + wanted <= soundLimitBytes(context.settings);
    };
    await job.waitWhilePaused();
    if (!(await hasRoom())) continue;
    job.progress({ doing: `Waveform and spectrogram of ${name}` });
    const prepare = (channel?: number): ReturnType<typeof prepareSoundOf> =>
      prepareSoundOf(context, store, { evidenceId: id, channel }, { signal: job.signal });
    try {
      const { channels } = await prepare();
      for (let channel = 1; channels > 1 && channel <= Math.min(channels, mostChannelsShown); channel++) {
        if (await hasRoom()) await prepare(channel);
      }
    } catch (error) {
      // It was taken in all the same; its sound is prepared, or the reason told, when it is opened.
      job.signal.throwIfAborted();
      log('warning', `The sound of item ${id} could not be prepared`, error);
    }
  }
}

/** Goes on with what was under way in a case and is no job of this engine. */
export async function resumeCase(context: EngineContext, store: CaseStore): Promise<void> {
  const { jobs, settings, sound } = context;
  if (store.broken) return;
  // The limit may have been lowered since.
  void sound.keepWithin(soundFolder(store.folder), soundLimitBytes(settings));
  const running = (id: string): boolean => jobs.find(id)?.endedAt === null;
  const couldNot = (what: string, error: unknown): void =>
    context.changes.publish({
      type: 'notice',
      tone: 'warning',
      sentence: `${what} of ${store.details().number} could not go on: ${describeError(error)}`,
    });
  try {
    for (const { id, request } of store.intakes.unfinished()) {
      if (running(intakeJobId(store.id, id))) continue;
      try {
        const intake = intakeSchema.omit({ caseId: true }).parse(request);
        // The folders that may be looked into may be others than when it was begun.
        for (const path of intake.paths) await readablePath(context, path);
        if (!running(intakeJobId(store.id, id))) startIntake(context, store, id, intake);
      } catch (error) {
        store.intakes.end(id);
        couldNot('An intake', error);
      }
    }
    for (const { id, model: modelId } of store.scans.unfinished()) {
      if (running(scanJobId(store.id, id))) continue;
      try {
        const model = await modelFor(context, modelId ?? undefined);
        if (!running(scanJobId(store.id, id))) startScan(context, store, id, model);
      } catch (error) {
        store.scans.end(id, 'failed', describeError(error));
        couldNot('A scan', error);
      }
    }
  } catch (error) {
    log('error', 'What was under way in a case could not be gone on with', error);
  }
}

/**
 * Called once when the engine has started: scans and intakes of all cases go on that were under way when the engine before ended.
 * @returns the intakes; null where some case could not be looked into
 */
export async function resumeScans(context: EngineContext): Promise<unknown[] | null> {
  const intakes: unknown[] = [];
  let all = true;
  for (const { id, folder } of context.cases.library.list()) {
    // Others have their turn between two cases.
    await new Promise((resolve) => setImmediate(resolve));
    if (context.jobs.closing) return null;
    try {
      if (!context.cases.library.hasWork(id)) continue;
      if (existsSync(databasePath(folder))) {
        const store = context.cases.get(id);
        intakes.push(...store.intakes.unfinished());
        await resumeCase(context, store);
      } else all = false;
    } catch (error) {
      all = false;
      // Open elsewhere, damaged or unreadable: said when someone opens it.
      log('info', `The case in ${folder} was not looked into: ${describeError(error)}`);
    }
  }
  return all ? intakes : null;
}
