/** Scores recordings as they are and through degradations, on all cores. No degraded copy is kept. */
import { availableParallelism } from 'node:os';
import { withPool } from '../base/pool.ts';
import type { WorkerPool } from '../base/pool.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { Degradation } from '../degradation/catalogue.ts';
import { findEncoder } from '../degradation/codec.ts';
import type { Sound } from '../degradation/sound.ts';
import type { RunnableModel } from '../detector/store.ts';
import { codecChunkLength, codedSounds, voicesFor } from './degraded-sounds.ts';
import type { DegradedOutcome, RobustnessJournal } from './robustness-journal.ts';

/** What every worker is given. */
export interface RobustnessWorkerData extends RunnableModel {
  seed: number;
  /** Recordings whose voices babble in others. */
  voicePaths: string[];
}

/** One recording to score. */
export interface DegradedRequest {
  path: string;
  /** In the dataset; what is random in a degradation follows from it. */
  id: string;
  /** Null: as it is. */
  degradation: string | null;
  /** What came back from a codec; without it the worker makes the copy itself. */
  sound?: Sound;
}

export type { DegradedOutcome };

/** What became of one degradation. */
export interface DegradedSet {
  /** Null: as they are. */
  degradation: Degradation | null;
  /** Why it was not measured; else null. */
  skipped: string | null;
  /** Program that coded; null where none did. */
  encoder: string | null;
  /** In the order of the items. */
  outcomes: DegradedOutcome[];
}

interface Setting {
  items: readonly DatasetItem[];
  seed: number;
  journal: RobustnessJournal;
  signal?: AbortSignal;
  jobs?: number;
  /** @param done of all recordings in all degradations */
  onProgress?: (done: number, total: number, label: string) => void;
}

/**
 * Scores a split as it is and through each degradation; what the journal holds is not scored again. Companions of the model speak of
 * what is theirs (leave them out by `alone`). A degradation whose
 * codec has no encoder here is skipped, and says so.
 * @throws the signal's reason when it fires; UserFacingError where the journal cannot be written.
 */
export async function scoreDegraded(
  model: RunnableModel,
  wanted: readonly Degradation[],
  setting: Setting,
): Promise<DegradedSet[]> {
  const { items, seed, signal } = setting;
  const workers = Math.max(1, Math.min(setting.jobs ?? availableParallelism(), items.length));
  const data: RobustnessWorkerData = {
    card: model.card,
    members: model.members,
    ...(model.companions ? { companions: model.companions } : {}),
    seed,
    voicePaths: voicesFor(items, seed),
  };
  const sets: DegradedSet[] = [];
  const total = (1 + wanted.length) * items.length;
  const pooled = { worker: 'laboratory/robustness-worker', count: workers, workerData: data, signal };
  return withPool(pooled, async (pool: WorkerPool<DegradedRequest, DegradedOutcome>) => {
    for (const degradation of [null, ...wanted]) {
      const before = sets.length * items.length;
      const label = degradation?.label ?? 'as they are';
      sets.push(
        await scoreSet(pool, degradation, setting, (done) => setting.onProgress?.(before + done, total, label)),
      );
    }
    return sets;
  });
}

async function scoreSet(
  pool: WorkerPool<DegradedRequest, DegradedOutcome>,
  degradation: Degradation | null,
  { items, journal, signal }: Setting,
  tell: (done: number) => void,
): Promise<DegradedSet> {
  const name = degradation?.name ?? '';
  const how = degradation?.how;
  const encoder = how && 'codec' in how ? await findEncoder(how.codec) : null;
  if (encoder && 'missing' in encoder) return { degradation, skipped: encoder.missing, encoder: null, outcomes: [] };
  for (let from = 0; from < items.length; from += codecChunkLength) {
    signal?.throwIfAborted();
    const chunk = items.slice(from, from + codecChunkLength);
    if (chunk.some(({ id }) => journal.get(name, id) === null)) {
      const sounds = degradation && encoder ? await codedSounds(chunk, degradation, encoder, signal) : null;
      let scored = 0;
      const outcomes = await Promise.all(
        chunk.map(async ({ path, id }, index): Promise<[string, DegradedOutcome]> => {
          const sound = sounds?.[index];
          if (typeof sound === 'string') return [id, failed(sound)];
          const request: DegradedRequest = { path, id, degradation: degradation?.name ?? null };
          const outcome = await pool.run(sound ? { ...request, sound } : request, undefined, true);
          // The last ones are reported of when they are kept.
          if (++scored < chunk.length) tell(from + scored);
          return [id, outcome];
        }),
      );
      await journal.add(name, outcomes);
    }
    tell(from + chunk.length);
  }
  const outcomes = items.map(({ id }) => journal.get(name, id) as DegradedOutcome);
  return { degradation, skipped: null, encoder: encoder?.name ?? null, outcomes };
}

function failed(error: string): DegradedOutcome {
  return { score: null, llr: null, finding: null, reasons: [], speechSeconds: null, quality: null, error };
}
