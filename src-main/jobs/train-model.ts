import { basename, resolve } from 'node:path';
import { Random } from '../base/random.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { Dataset, DatasetItem } from '../datasets/types.ts';
import { startBackend } from '../detector/backends/index.ts';
import type { BackendChoice, BackendName } from '../detector/backends/index.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import type { Card } from '../detector/card.ts';
import type { ExampleSettings } from '../detector/examples.ts';
import { createNetwork } from '../detector/network.ts';
import type { Weights } from '../detector/network.ts';
import { writeOnnx } from '../detector/onnx.ts';
import { findModel, readModel, readWeights, sha256, writeModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { removeCheckpoint } from '../detector/checkpoint.ts';
import { trainNetwork } from '../detector/train.ts';
import type { TrainingEvent, TrainingPlan } from '../detector/train.ts';
import { calibrate, calibrationSchema } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { calibrationMaterial, localisationOf, pooledMaterial } from './calibration-material.ts';
import type { CalibrationMaterial } from './calibration-material.ts';
import { outOfFoldScores, removeFolds } from './folds.ts';
import type { FoldEvent, ScoreWith } from './folds.ts';
import { evaluateTrials, findingRecord, recordingsOf, scoreItems, splitFigures, trialsOf } from './evaluate.ts';
import { recipeFor, settingsFor } from './recipes.ts';
import type { AugmentationName, FrontEndName, Recipe } from './recipes.ts';

export interface TrainingRequest {
  dataset: string;
  network: string;
  /** The model's folder. */
  out: string;
  /** Defaults to the folder's name. */
  name?: string;
  backend: BackendName | 'auto';
  /** What follows is as the network's recipe says where it is not given. */
  epochs?: number | undefined;
  batchSize?: number | undefined;
  learningRate?: number | undefined;
  /** Stops after so many epochs without a better AUC on dev, where dev chooses the epoch. */
  patience?: number | undefined;
  /** Decoupled weight decay, and steps of the weights' running average (0: none). */
  weightDecay?: number | undefined;
  averagedSteps?: number | undefined;
  /** Front end of a network that is trained from nothing. */
  frontEnd?: FrontEndName | undefined;
  seed: number;
  /** How examples are varied, where a network is trained from nothing: as suits the network if not given. */
  augmentation?: AugmentationName | 'auto' | undefined;
  /** Folds of sources whose out-of-fold scores calibrate the model; null: dev does. */
  folds: number | null;
  /** Findings may be wrong in at most this share of recordings of either class (see `calibrate`). */
  maximumErrorRate: number;
  /** A model to train on from, with its network, front end and conditioning. */
  from?: string;
  resume: boolean;
  /** Further sentences for the card: terms of the data, for instance. */
  notes: string[];
}

export type TrainModelEvent =
  | TrainingEvent
  | FoldEvent
  | { type: 'backend'; choice: BackendChoice }
  /** After the folds, the network that is kept begins. */
  | { type: 'whole' }
  | { type: 'data'; train: number; dev: number; test: number; note: string | null }
  | { type: 'score'; split: string; done: number; total: number };

const thresholds = {
  // The likelihood ratio must be at least two either way: below, even ENFSI's scale calls the support "weak" at most.
  inconclusiveLlr: Math.LN2,
  minimumActiveSeconds: 1,
  maximumClippedFraction: 0.01,
  minimumSpeechSeconds: defaultMinimumSpeechSeconds,
  minimumSnrDb: 0,
};

const heldOutShare = 0.2;

interface Splits {
  train: DatasetItem[];
  dev: DatasetItem[];
  test: DatasetItem[];
  note: string | null;
}

/** The dataset's own splits; where it has no dev split, a seeded fifth of the training speakers (or files). */
function trainingSplits(dataset: Dataset, seed: number): Splits {
  const named = (split: string): DatasetItem[] => dataset.items.filter((item) => item.split === split);
  const test = named('test');
  const dev = named('dev');
  if (dev.length > 0) return { train: selectSplit(dataset, 'train'), dev, test, note: null };
  const usable = dataset.items.filter((item) => item.split === 'train' || item.split === null);
  const held = new Set<string>();
  const groupOf = (item: DatasetItem): string => `${item.label}/${item.speaker ?? item.id}`;
  for (const label of ['bonafide', 'spoof']) {
    const groups = [...new Set(usable.filter((item) => item.label === label).map(groupOf))];
    const count = Math.max(1, Math.round(heldOutShare * groups.length));
    new Random([seed, 6])
      .shuffle(groups)
      .slice(0, count)
      .forEach((group) => held.add(group));
  }
  return {
    train: usable.filter((item) => !held.has(groupOf(item))),
    dev: usable.filter((item) => held.has(groupOf(item))),
    test,
    note: `The dataset has no dev split: ${100 * heldOutShare} % of its training speakers (files where speakers are unknown) were held out as dev.`,
  };
}

function countsOf(splits: Splits): Card['training']['counts'] {
  const count = (items: DatasetItem[], label: string): number => items.filter((item) => item.label === label).length;
  return Object.fromEntries(
    (['train', 'dev', 'test'] as const)
      .filter((split) => splits[split].length > 0)
      .map((split) => [split, { bonafide: count(splits[split], 'bonafide'), spoof: count(splits[split], 'spoof') }]),
  );
}

/** What of the recipe was asked for otherwise. */
function given(request: TrainingRequest): Partial<Recipe> {
  const { epochs, batchSize, learningRate, patience, weightDecay, averagedSteps } = request;
  const asked = { epochs, batchSize, learningRate, patience, weightDecay, averagedSteps };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/**
 * The whole way from a dataset to a model's folder: training, choosing the epoch on dev, calibrating on dev, measuring
 * on dev and, once and for the card only, on test.
 * @throws UserFacingError for whatever a person can mend; the signal's reason after the checkpoint is saved.
 */
export async function trainModel(
  request: TrainingRequest,
  application: string,
  options: { signal?: AbortSignal; onEvent?: (event: TrainModelEvent) => void } = {},
): Promise<StoredModel> {
  const { signal } = options;
  const report = options.onEvent ?? (() => undefined);
  const folder = resolve(request.out);
  const from = request.from === undefined ? null : await readModel(await findModel(request.from));
  const base: { settings: ExampleSettings; weights?: Weights } = {
    settings: from
      ? {
          conditioning: from.card.conditioning,
          window: from.card.window,
          frontEnd: from.card.frontEnd,
          augmentation: from.card.training.augmentation,
          ...(from.card.training.cropSeconds === undefined ? {} : { cropSeconds: from.card.training.cropSeconds }),
        }
      : settingsFor(request),
    ...(from ? { weights: await readWeights(from) } : {}),
  };
  const { settings } = base;
  const features = createFrontEnd(settings.frontEnd);
  const frames = features.frameCount(Math.round(settings.window.seconds * settings.conditioning.sampleRateHz));
  const network = from ? from.card.network : createNetwork(request.network, features.bins, frames);
  const recipe = { ...recipeFor(network.name), ...given(request) };

  const dataset = await loadDataset(request.dataset);
  const splits = trainingSplits(dataset, request.seed);
  report({
    type: 'data',
    train: splits.train.length,
    dev: splits.dev.length,
    test: splits.test.length,
    note: splits.note,
  });
  const choice = await startBackend(request.backend);
  report({ type: 'backend', choice });

  const plan: TrainingPlan = {
    network,
    settings,
    seed: request.seed,
    ...recipe,
    backend: choice.name,
    ...(base.weights ? { from: base.weights } : {}),
  };
  // Enough of a card to score with; what training and measuring find out comes in below.
  const card: Card = {
    format: 1,
    name: request.name ?? basename(folder),
    status: 'screening',
    createdAt: new Date().toISOString(),
    application,
    conditioning: settings.conditioning,
    frontEnd: settings.frontEnd,
    window: settings.window,
    network,
    training: {
      dataset: request.dataset,
      counts: countsOf(splits),
      sources: [...new Set(splits.train.flatMap((item) => item.source ?? []))].sort(),
      manifestSha256: '',
      fileSha256: [],
      seed: request.seed,
      backend: `${choice.name} (${choice.device})`,
      epochs: 0,
      bestEpoch: 0,
      clipsPerEpoch: 0,
      batchSize: recipe.batchSize,
      learningRate: recipe.learningRate,
      weightDecay: recipe.weightDecay,
      averagedSteps: recipe.averagedSteps,
      sampling: recipe.sampling,
      schedule: recipe.schedule,
      labelSmoothing: recipe.labelSmoothing,
      keep: recipe.keep,
      ...(settings.cropSeconds === undefined ? {} : { cropSeconds: settings.cropSeconds }),
      folds: request.folds,
      augmentation: settings.augmentation,
      from: from ? { name: from.card.name, onnxSha256: from.onnxSha256 } : null,
      history: [],
    },
    calibration: calibrationSchema.parse({ a: 1, b: 0, prior: 0.5, dataset: request.dataset, split: 'dev' }),
    thresholds: { ...thresholds, score: 0 },
    figures: [],
    records: [],
    validation: null,
    notes: [...(splits.note ? [splits.note] : []), ...request.notes],
    files: { 'model.onnx': '', 'weights.safetensors': '' },
  };
  const running = { resume: request.resume, onEvent: report, ...(signal ? { signal } : {}) };
  const modelOf = (weights: Weights): StoredModel => ({
    folder,
    card,
    onnx: writeOnnx(network, weights),
    onnxSha256: '',
  });
  const materialOf: ScoreWith<CalibrationMaterial> = (weights, items, split) =>
    calibrationMaterial(modelOf(weights), items, request.seed, {
      onProgress: (done, total) => report({ type: 'score', split, done, total }),
      ...(signal ? { signal } : {}),
    });
  const folded =
    request.folds === null ? null : await outOfFoldScores(plan, splits, request.folds, folder, materialOf, running);
  if (folded) report({ type: 'whole' });
  const outcome = await trainNetwork(plan, splits, folder, running);

  const manifest = [
    ...splits.train.map((item, index) => [outcome.trainSha256[index], item.label, 'train']),
    ...splits.dev.map((item, index) => [outcome.devSha256[index], item.label, 'dev']),
  ]
    .filter(([hash]) => hash !== null)
    .map((line) => line.join(' '))
    .sort();
  const { epochs, bestEpoch, clipsPerEpoch, history } = outcome;
  Object.assign(card.training, { epochs, bestEpoch, clipsPerEpoch, history });
  card.training.manifestSha256 = sha256(manifest.join('\n'));
  card.training.fileSha256 = outcome.trainSha256.filter((hash) => hash !== null).sort();
  const measuredOn = async (split: 'dev' | 'test'): Promise<Pick<CalibrationMaterial, 'trials' | 'recordings'>> => {
    const scored = await scoreItems(modelOf(outcome.weights), splits[split], {
      onProgress: (done) => report({ type: 'score', split, done, total: splits[split].length }),
      ...(signal ? { signal } : {}),
    });
    return { trials: trialsOf(scored), recordings: recordingsOf(scored) };
  };
  const material = folded ? pooledMaterial(folded) : await materialOf(outcome.weights, splits.dev, 'dev');
  const dev = folded ? await measuredOn('dev') : material;
  card.calibration = calibrate(material.trials, {
    dataset: request.dataset,
    split: folded ? `train, ${request.folds} folds by source` : 'dev',
    folds: folded ? request.folds : null,
    concatenations: material.concatenations,
    maximumRate: request.maximumErrorRate,
  });
  card.localisation = localisationOf(material);
  if (card.calibration.a === 0) {
    card.notes.push(
      'Its scores rank no better than chance on the data that it was calibrated on: every likelihood ratio is one.',
    );
  }
  card.thresholds.score = detectionMetrics(dev.trials).eerDecisionThreshold;
  const state = (split: 'dev' | 'test', { trials, recordings }: typeof dev): void => {
    card.figures.push(splitFigures(request.dataset, split, evaluateTrials(card, trials)));
    card.records.push(findingRecord(card, recordings, { dataset: request.dataset, split }));
  };
  state('dev', dev);
  if (splits.test.length > 0) {
    const test = await measuredOn('test');
    const bothClasses = new Set(test.trials.map((trial) => trial.bonafide)).size === 2;
    if (bothClasses) state('test', test);
  }

  const model = await writeModel(folder, card, outcome.weights);
  await removeCheckpoint(folder);
  await removeFolds(folder);
  return model;
}
