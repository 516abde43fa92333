/** Stretches of a case's recordings analysed on their own, each result kept as it comes. */
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { CaseStore } from '../cases/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { withStretchPool } from '../scanning/stretch.ts';
import type { StretchPool } from '../scanning/stretch.ts';
import { keptAnalysis, madeBy } from './case-analysis.ts';

/** Which part of which item, and how it is heard. */
export interface StretchOfItem extends Pick<Analysis, 'channel' | 'readAll' | 'label'> {
  evidenceId: number;
  startSeconds: number;
  endSeconds: number;
}

/** Analyses a stretch and keeps the result. @throws UserFacingError as `analyseStretch`, and as the case does */
async function analyseAndKeep(
  store: CaseStore,
  pool: StretchPool,
  model: StoredModel,
  program: string,
  { evidenceId, startSeconds, endSeconds, label, channel, readAll }: StretchOfItem,
): Promise<Analysis> {
  const item = store.evidence.intake(evidenceId);
  const stretch = { startSeconds, endSeconds };
  const { fileSha256, analysis, settings } = await withOpenablePath(item, (path) =>
    pool.run({ path, ...stretch, channel, readAll }),
  );
  const kept = await keptAnalysis(
    model,
    madeBy(model, program),
    { evidenceId, intakeSha256: item.sha256, stretch, label, channel, stream: 0, settings },
    { sha256: fileSha256, analysis, error: null },
  );
  if (fileSha256 !== item.sha256) {
    store.evidence.setState(evidenceId, 'changed', { sha256: fileSha256, fingerprint: '' });
  }
  return store.analyses.add(kept);
}

/** One stretch. @throws UserFacingError as `analyseStretch`, and as the case does; the signal's reason when aborted */
export async function analyseStretchOfItem(
  store: CaseStore,
  model: StoredModel,
  program: string,
  stretch: StretchOfItem,
  signal?: AbortSignal,
): Promise<Analysis> {
  return withStretchPool(model, signal, (pool) => analyseAndKeep(store, pool, model, program, stretch));
}

interface Progress {
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
  onProblem?: (stretch: StretchOfItem, message: string) => void;
}

/**
 * Many stretches one after the other; those that this model has analysed so already are passed over. What one fails for is reported, and
 * the others are done; what was kept before an interruption stays.
 * @throws the signal's reason when aborted
 */
export async function analyseStretchesOfItem(
  store: CaseStore,
  model: StoredModel,
  program: string,
  stretches: readonly StretchOfItem[],
  { signal, onProgress, onProblem }: Progress = {},
): Promise<{ analysed: number; known: number; failed: number }> {
  const outcome = { analysed: 0, known: 0, failed: 0 };
  await withStretchPool(model, signal, async (pool) => {
    for (const [index, stretch] of stretches.entries()) {
      signal?.throwIfAborted();
      onProgress?.(index);
      if (isKnown(store, model, stretch)) {
        outcome.known++;
        continue;
      }
      try {
        await analyseAndKeep(store, pool, model, program, stretch);
        outcome.analysed++;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof UserFacingError)) throw error;
        outcome.failed++;
        onProblem?.(stretch, error.sentence);
      }
    }
  });
  onProgress?.(stretches.length);
  return outcome;
}

function isKnown(store: CaseStore, model: StoredModel, wanted: StretchOfItem): boolean {
  return store.evidence
    .get(wanted.evidenceId)
    .analyses.some(
      ({ stretch, channel, readAll, modelSha256, stale, error }) =>
        stretch?.startSeconds === wanted.startSeconds &&
        stretch.endSeconds === wanted.endSeconds &&
        channel === wanted.channel &&
        readAll === wanted.readAll &&
        modelSha256 === model.onnxSha256 &&
        !stale &&
        error === null,
    );
}
