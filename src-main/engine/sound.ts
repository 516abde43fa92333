/** Sound of an item for the Examine view: prepared once, then read part by part (resources.ts). */
import { join } from 'node:path';
import type { ContractOutputs } from '../../src-preload/contract.ts';
import { mostMeasuredSeconds } from '../../src-preload/contract/sound.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { CaseStore } from '../cases/store.ts';
import type { SoundPool } from '../sound/sound-pool.ts';
import { preparedFolder } from '../sound/sound.ts';
import type { SoundSource } from '../sound/sound.ts';
import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';
import { progressStream } from './progress-stream.ts';

type SoundEvent = ContractOutputs['sound']['prepare'] extends AsyncIterable<infer Event> ? Event : never;

/** Recordings above this length are prepared at their intake; shorter ones take less than a second or two when they are opened. */
export const preparedAtIntakeSeconds = 600;

/** Where the prepared sound of a case lies; what is in it can be made again from the evidence. */
export function soundFolder(caseFolder: string): string {
  return join(caseFolder, 'derived', 'sound');
}

/** What a case keeps of prepared sound. */
export function soundLimitBytes(settings: EngineContext['settings']): number {
  return settings.get().preparedSoundMegabytes * 1e6;
}

/** An item's sound, and in which reading of its file: by default without what the headers do not count in. */
interface ItemSound {
  evidenceId: number;
  readAll?: boolean;
  /** Of its mix by default. */
  channel?: number | undefined;
}

/** Runs something on the sound of an item. @throws UserFacingError `not-found` */
export async function withSoundOf<T>(
  store: CaseStore,
  { evidenceId, readAll = false, channel }: ItemSound,
  use: (source: SoundSource) => Promise<T>,
): Promise<T> {
  const file = store.evidence.intake(evidenceId);
  const folder = soundFolder(store.folder);
  return withOpenablePath(file, (path) =>
    use({ path, sha256: file.sha256, folder, readAll, ...(channel === undefined ? {} : { channel }) }),
  );
}

/** Prepares the sound of an item; what was prepared before is ready at once. @throws UserFacingError as `prepareSound` */
export function prepareSoundOf(
  { sound, application, settings }: Pick<EngineContext, 'sound' | 'application' | 'settings'>,
  store: CaseStore,
  item: ItemSound,
  options: Parameters<SoundPool['prepare']>[1] = {},
): ReturnType<SoundPool['prepare']> {
  return withSoundOf(store, item, async (source) => {
    const summary = await sound.prepare({ ...source, application }, options);
    store.giveRights(preparedFolder(source));
    await sound.keepWithin(source.folder, soundLimitBytes(settings));
    return summary;
  });
}

async function* prepare(
  context: EngineContext,
  { caseId, ...item }: { caseId: string; evidenceId: number; readAll: boolean; channel?: number | undefined },
  signal: AbortSignal | undefined,
): AsyncGenerator<SoundEvent, void> {
  const store = context.cases.get(caseId);
  const sound = yield* progressStream<SoundEvent, Awaited<ReturnType<typeof prepareSoundOf>>>(signal, (stop, tell) =>
    prepareSoundOf(context, store, item, {
      signal: stop,
      onProgress: (done, total) => tell({ type: 'progress', done, total }),
    }),
  );
  // Its channels are prepared with it, each on its own.
  if (item.channel === undefined) store.evidence.examined(item.evidenceId, item.readAll);
  yield { type: 'ready', sound };
}

/** @throws UserFacingError `too-long` */
function requireShort(startSeconds: number, endSeconds: number): void {
  if (endSeconds - startSeconds <= mostMeasuredSeconds) return;
  throw new UserFacingError('too-long', `The stretch is longer than ${mostMeasuredSeconds / 60} minutes.`, {
    advice: 'Select a shorter one.',
  });
}

export function soundProcedures(context: EngineContext) {
  return {
    prepare: os.sound.prepare.handler(({ input, signal }) => prepare(context, input, signal)),
    measure: os.sound.measure.handler(({ input: { caseId, startSeconds, endSeconds, band, ...item } }) => {
      requireShort(startSeconds, endSeconds);
      return withSoundOf(context.cases.get(caseId), item, (source) =>
        context.sound.measure(source, startSeconds, endSeconds, band),
      );
    }),
    averageSpectrum: os.sound.averageSpectrum.handler(
      ({ input: { caseId, startSeconds, endSeconds, analysis, ...item } }) => {
        requireShort(startSeconds, endSeconds);
        return withSoundOf(context.cases.get(caseId), item, (source) =>
          context.sound.averageSpectrum(source, startSeconds, endSeconds, analysis),
        );
      },
    ),
    pitch: os.sound.pitch.handler(({ input: { caseId, startSeconds, endSeconds, range, ...item } }) => {
      requireShort(startSeconds, endSeconds);
      return withSoundOf(context.cases.get(caseId), item, (source) =>
        context.sound.pitch(source, startSeconds, endSeconds, range),
      );
    }),
  };
}
