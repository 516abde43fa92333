/** Measures a model through degradations and writes everything that came of it into the folder of an evaluation. */
import { join } from 'node:path';
import type { Degradation, RobustnessResult } from '../../src-common/schemas/robustness.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { applicationVersion } from '../base/version.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { channelNames, degradations } from '../degradation/catalogue.ts';
import { chooseDegradations } from '../degradation/choose.ts';
import { findEncoder } from '../degradation/codec.ts';
import { alone, readSpeakingModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { robustnessFiles } from '../reports/robustness-files.ts';
import type { RobustnessReport } from '../reports/robustness-files.ts';
import { provenance } from '../reports/scan-results.ts';
import type { ScanProvenance } from '../reports/scan-results.ts';
import { conditionRecord } from './condition-curves.ts';
import { exportedFolder, resultsPath } from './evaluate-models.ts';
import { everyTenthSecond } from '../jobs/every-tenth-second.ts';
import { companionNote, drawnAlike, robustnessIdentity, robustnessRows } from './robustness-rows.ts';
import { RobustnessJournal, journalPath } from './robustness-journal.ts';
import type { RobustnessIdentity } from './robustness-journal.ts';
import { scoreDegraded } from './robustness-scoring.ts';
import type { DegradedSet } from './robustness-scoring.ts';

export interface RobustnessRequest {
  /** Of this evaluation. */
  folder: string;
  model: { id: string; folder: string };
  dataset: string;
  split: string;
  replicates: number;
  /** Names; null for all. */
  degradations: string[] | null;
  /** So many recordings; null for all. */
  limit: number | null;
  seed: number;
  /** Files at a time; one for each core if null. */
  jobs: number | null;
  withoutCompanions: boolean;
}

export type RobustnessEvent =
  | { type: 'model'; name: string; recordings: number; total: number }
  | { type: 'scoring'; label: string; done: number }
  | { type: 'measuring' }
  | { type: 'problem'; subject: string; message: string };

/** What models can be measured through, and what of it takes an encoder that is not on this machine. */
export async function degradationCatalogue(): Promise<Degradation[]> {
  return Promise.all(
    degradations.map(async ({ name, label, family, value, unit, how }) => {
      const encoder = 'codec' in how ? await findEncoder(how.codec) : null;
      const missing = encoder && 'missing' in encoder ? encoder.missing : null;
      return { name, label, family, value, unit, isChannel: channelNames.includes(name), missing };
    }),
  );
}

/** What came of a measurement, for files. Curves of conditions, which cards keep, are of a model by itself. */
export function robustnessReport(
  model: StoredModel,
  items: readonly DatasetItem[],
  sets: readonly DegradedSet[],
  of: { made: ScanProvenance; dataset: string; split: string; seed: number; replicates: number },
): RobustnessReport {
  const { made, replicates, ...measuredOn } = of;
  const rows = robustnessRows(model, items, sets, { replicates, seed: of.seed });
  const note = companionNote(rows);
  const conditions = note === null ? conditionRecord(model.card, items, sets, measuredOn) : null;
  return { made, modelName: model.card.name, ...measuredOn, companionNote: note, rows, conditions };
}

/** Goes on with what was scored before; begins anew where that was of another model, dataset or version. */
async function openJournal(path: string, identity: RobustnessIdentity): Promise<RobustnessJournal> {
  try {
    return await RobustnessJournal.open(path, identity, true);
  } catch (error) {
    if (!(error instanceof UserFacingError) || error.code !== 'usage') throw error;
    await RobustnessJournal.discard(path);
    return RobustnessJournal.open(path, identity, true);
  }
}

/** Tells of what was passed over, and of what could not be read, once for each set. */
function tellProblems(
  items: readonly DatasetItem[],
  sets: readonly DegradedSet[],
  tell: (event: RobustnessEvent) => void,
): void {
  for (const { degradation, skipped, outcomes } of sets) {
    const label = degradation?.label ?? '';
    if (skipped !== null) tell({ type: 'problem', subject: label, message: `Skipped: ${skipped}.` });
    outcomes.forEach(({ error }, index) => {
      if (error === null) return;
      const message = label === '' ? error : `${label}: ${error}`;
      tell({ type: 'problem', subject: items[index].path, message });
    });
  }
}

/**
 * @throws UserFacingError for a model, dataset or degradation that cannot be used, `encoder-failed`; the signal's reason.
 */
export async function measureRobustness(
  request: RobustnessRequest,
  tell: (event: RobustnessEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const { folder, split, seed, replicates, limit, jobs } = request;
  const whole = await readSpeakingModel(request.model.folder);
  const model = request.withoutCompanions ? alone(whole) : whole;
  const wanted = chooseDegradations(request.degradations ?? undefined);
  const dataset = await loadDataset(request.dataset);
  const all = selectSplit(dataset, split);
  const items = limit === null ? all : drawnAlike(all, limit, seed);
  const total = (1 + wanted.length) * items.length;
  tell({ type: 'model', name: model.card.name, recordings: items.length, total });
  const of = { dataset: dataset.spec, split, seed };
  const identity = robustnessIdentity(applicationVersion(), model, { ...of, items });
  const journal = await openJournal(journalPath(folder), identity);
  const isDue = everyTenthSecond();
  const sets = await scoreDegraded(model, wanted, {
    items,
    seed,
    journal,
    signal,
    ...(jobs === null ? {} : { jobs }),
    onProgress: (done, _, label) => {
      if (done === total || isDue()) tell({ type: 'scoring', label, done });
    },
  });
  tellProblems(items, sets, tell);
  tell({ type: 'measuring' });
  const made = provenance(model);
  const report = robustnessReport(model, items, sets, { made, ...of, replicates });
  for (const [name, content] of Object.entries(robustnessFiles(report)))
    await writeFileWhole(join(exportedFolder(folder), name), content);
  const bonafide = items.filter(({ label }) => label === 'bonafide').length;
  const result: RobustnessResult = {
    modelId: request.model.id,
    modelName: model.card.name,
    modelSha256: model.onnxSha256,
    bonafide,
    spoof: items.length - bonafide,
    outOf: all.length,
    seed,
    companionNote: report.companionNote,
    rows: report.rows,
  };
  await writeFileWhole(resultsPath(folder), JSON.stringify(result));
  await journal.remove();
}
