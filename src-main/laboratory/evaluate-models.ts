/** Measures models on a split of a dataset and writes everything that came of it into a folder. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvaluationResult } from '../../src-common/schemas/evaluation.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { readSpeakingModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { plottedFigures } from '../evaluation/plotted-figures.ts';
import { comparedScores, comparisonFiles, evaluationFiles, shownData } from '../reports/evaluation.ts';
import type { EvaluationReport } from '../reports/evaluation.ts';
import { provenance } from '../reports/scan-results.ts';
import {
  cardsThatSpeak,
  companionSentence,
  evaluateTrials,
  findingRecord,
  recordingsOf,
  scoreItems,
  spokenTrials,
} from './evaluate.ts';
import { groupsFor } from './familiarity.ts';
import type { ScoredItem } from './evaluate.ts';
import { everyTenthSecond } from '../jobs/every-tenth-second.ts';

export interface EvaluateRequest {
  /** Of this evaluation. */
  folder: string;
  models: { id: string; folder: string }[];
  dataset: string;
  split: string;
  replicates: number;
  /** Files at a time; one for each core if null. */
  jobs: number | null;
  /** Models speak of all recordings themselves; else their companions speak of those that are theirs, as in a scan. */
  withoutCompanions?: boolean;
}

export type EvaluateEvent =
  | { type: 'models'; names: string[]; recordings: number }
  | { type: 'scoring'; model: number; done: number }
  | { type: 'measuring'; model: number }
  | { type: 'problem'; model: number; path: string; message: string };

/** Folder names of several models that are set side by side: their names, numbered where they are alike. */
export function modelFolderNames(models: readonly StoredModel[]): string[] {
  const used = new Set<string>();
  return models.map(({ card }, index) => {
    if (models.slice(0, index).some((other) => other.onnxSha256 === models[index].onnxSha256)) {
      throw new UserFacingError('usage', `The model ${card.name} is named twice.`, { advice: 'Name each model once.' });
    }
    // A name in a card is anyone's text; as a folder's name it must not lead elsewhere.
    const plain = card.name.replace(/[^\p{L}\p{N} ._()-]/gu, '_').replace(/^\.+/, '_');
    let name = plain;
    for (let number = 2; used.has(name); number++) name = `${plain} (${number})`;
    used.add(name);
    return name;
  });
}

/** What was scored before this evaluation was interrupted; null where it was not, or by another model. */
async function scoredBefore(
  path: string,
  model: StoredModel,
  items: readonly DatasetItem[],
): Promise<ScoredItem[] | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  const { onnxSha256, results } = JSON.parse(text) as { onnxSha256: string; results: ScoredItem['result'][] };
  if (onnxSha256 !== model.onnxSha256 || results.length !== items.length) return null;
  if (results.some(({ path: scored }, index) => scored !== items[index].path)) return null;
  return items.map((item, index) => ({ item, result: results[index] }));
}

/** As `scoredBefore` reads it; windows take most of the room and say nothing here. */
async function keepScored(path: string, model: StoredModel, scored: readonly ScoredItem[]): Promise<void> {
  const results = scored.map(({ result }) => ({
    ...result,
    analysis: result.analysis && { ...result.analysis, windows: [] },
  }));
  await writeFileWhole(path, JSON.stringify({ onnxSha256: model.onnxSha256, results }));
}

/** Where the files of an evaluation lie that an export holds, as `earwitness evaluate` writes them. */
export function exportedFolder(folder: string): string {
  return join(folder, 'files');
}

/** The file with what the window draws. */
export function resultsPath(folder: string): string {
  return join(folder, 'results.json');
}

/**
 * @throws UserFacingError for models, datasets and trials that cannot be used; the signal's reason.
 */
export async function evaluateModels(
  request: EvaluateRequest,
  tell: (event: EvaluateEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const models: StoredModel[] = [];
  for (const { folder } of request.models) models.push(await readSpeakingModel(folder));
  const names = modelFolderNames(models);
  const dataset = await loadDataset(request.dataset);
  const items = selectSplit(dataset, request.split);
  tell({ type: 'models', names, recordings: items.length });
  const results: EvaluationResult[] = [];
  const reports: EvaluationReport[] = [];
  const kept: string[] = [];
  for (const [index, model] of models.entries()) {
    signal.throwIfAborted();
    const path = join(request.folder, `scored-${index + 1}.json`);
    kept.push(path);
    const before = await scoredBefore(path, model, items);
    const isDue = everyTenthSecond();
    const scored =
      before ??
      (await scoreItems(model, items, {
        companions: !request.withoutCompanions,
        ...(request.jobs === null ? {} : { jobs: request.jobs }),
        signal,
        onProgress: (done) => {
          if (done === items.length || isDue()) tell({ type: 'scoring', model: index, done });
        },
      }));
    if (!before) await keepScored(path, model, scored);
    const failed = scored.filter(({ result }) => typeof result.analysis?.score !== 'number');
    for (const { result } of failed) {
      tell({
        type: 'problem',
        model: index,
        path: result.path,
        message: result.error?.message ?? 'It holds no sound.',
      });
    }
    tell({ type: 'measuring', model: index });
    const of = { dataset: dataset.spec, split: request.split };
    const findings = findingRecord(model.card, recordingsOf(scored, model), of);
    const { trials, areRatios, companions } = spokenTrials(model, scored);
    const note = companionSentence({ trials, companions });
    const evaluation = evaluateTrials(model.card, trials, { areRatios, replicates: request.replicates });
    const plotted = plottedFigures(evaluation);
    reports.push({
      model,
      made: provenance(model),
      ...of,
      layout: dataset.layout,
      groups: groupsFor(cardsThatSpeak(model, companions.length > 0), dataset),
      findings,
      companions,
      companionSentence: note,
      scored: scored.map(({ item, result }) => ({ item, ...result })),
      ...evaluation,
      plotted,
    });
    results.push({
      ...plotted,
      modelId: request.models[index].id,
      modelName: model.card.name,
      modelSha256: model.onnxSha256,
      withoutScore: failed.length,
      findings,
      companionSentence: note,
    });
  }
  const files = exportedFolder(request.folder);
  for (const [index, report] of reports.entries()) {
    const own = reports.length === 1 ? files : join(files, names[index]);
    for (const [name, content] of Object.entries(evaluationFiles(report)))
      await writeFileWhole(join(own, name), content);
  }
  if (reports.length > 1) {
    const scores = reports.map((report, index) => comparedScores(report, names[index]));
    const compared = comparisonFiles(scores, shownData(reports[0]));
    for (const [name, content] of Object.entries(compared)) await writeFileWhole(join(files, name), content);
  }
  await writeFileWhole(resultsPath(request.folder), JSON.stringify(results));
  for (const path of kept) await rm(path, { force: true });
}
