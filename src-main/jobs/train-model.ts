import { basename, resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { Conditioning } from '../audio/condition.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { MelParameters } from '../features/front-end.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { Dataset, DatasetItem } from '../datasets/types.ts';
import { defaultAugmentation } from '../detector/augment.ts';
import { startBackend } from '../detector/backends/index.ts';
import type { BackendChoice, BackendName } from '../detector/backends/index.ts';
import type { Card } from '../detector/card.ts';
import type { ExampleSettings } from '../detector/examples.ts';
import { createNetwork, networkNames } from '../detector/network.ts';
import type { Weights } from '../detector/network.ts';
import { writeOnnx } from '../detector/onnx.ts';
import { findModel, readModel, readWeights, sha256, writeModel } from '../detector/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { removeCheckpoint } from '../detector/checkpoint.ts';
import { trainNetwork } from '../detector/train.ts';
import type { TrainingEvent } from '../detector/train.ts';
import { fitAffineCalibration } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { evaluateTrials, scoreItems, splitFigures, trialsOf } from './evaluate.ts';

export interface TrainingRequest {
  dataset: string;
  network: string;
  /** The model's folder. */
  out: string;
  /** Defaults to the folder's name. */
  name?: string;
  backend: BackendName | 'auto';
  epochs: number;
  batchSize: number;
  learningRate: number;
  patience: number;
  seed: number;
  /** A model to train on from, with its network, front end and conditioning. */
  from?: string;
  resume: boolean;
  /** Further sentences for the card: terms of the data, for instance. */
  notes: string[];
}

export type TrainModelEvent =
  | TrainingEvent
  | { type: 'backend'; choice: BackendChoice }
  | { type: 'data'; train: number; dev: number; test: number; note: string | null }
  | { type: 'score'; split: string; done: number; total: number };

const conditioning: Conditioning = {
  sampleRateHz: 16_000,
  bandHz: [70, 7400],
  activeRangeDb: 40,
  windowLevelDbfs: -25,
};

const window = { seconds: 2, hopSeconds: 1 };

const frontEnd: MelParameters = {
  type: 'mel',
  sampleRateHz: 16_000,
  nFft: 512,
  winLength: 400,
  hopLength: 160,
  window: 'hann',
  center: false,
  nMels: 80,
  fMin: 70,
  fMax: 7200,
  melScale: 'slaney',
  norm: 'slaney',
  // About 65 dB below a window's level: what lies under it is coding and dither, not speech.
  floorPower: 1e-7,
};

const thresholds = {
  // The likelihood ratio must be at least two either way: below, even ENFSI's scale calls the support "weak" at most.
  inconclusiveLlr: Math.LN2,
  minimumActiveSeconds: 1,
  maximumClippedFraction: 0.01,
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
  if (request.from === undefined && !networkNames.includes(request.network)) {
    throw new UserFacingError('usage', `There is no network "${request.network}".`, {
      advice: `Choose one of ${networkNames.join(', ')}.`,
    });
  }
  const from = request.from === undefined ? null : await readModel(await findModel(request.from));
  const base: { settings: ExampleSettings; weights?: Weights } = {
    settings: from
      ? {
          conditioning: from.card.conditioning,
          window: from.card.window,
          frontEnd: from.card.frontEnd,
          augmentation: from.card.training.augmentation,
        }
      : { conditioning, window, frontEnd, augmentation: defaultAugmentation },
    ...(from ? { weights: await readWeights(from) } : {}),
  };
  const { settings } = base;
  const features = createFrontEnd(settings.frontEnd);
  const frames = features.frameCount(Math.round(settings.window.seconds * settings.conditioning.sampleRateHz));
  const network = from ? from.card.network : createNetwork(request.network, features.bins, frames);

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

  const outcome = await trainNetwork(
    {
      network,
      settings,
      seed: request.seed,
      epochs: request.epochs,
      batchSize: request.batchSize,
      learningRate: request.learningRate,
      patience: request.patience,
      backend: choice.name,
      ...(base.weights ? { from: base.weights } : {}),
    },
    splits,
    folder,
    { resume: request.resume, onEvent: report, ...(signal ? { signal } : {}) },
  );

  const manifest = [
    ...splits.train.map((item, index) => [outcome.trainSha256[index], item.label, 'train']),
    ...splits.dev.map((item, index) => [outcome.devSha256[index], item.label, 'dev']),
  ]
    .filter(([hash]) => hash !== null)
    .map((line) => line.join(' '))
    .sort();
  const card: Omit<Card, 'files'> = {
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
      manifestSha256: sha256(manifest.join('\n')),
      fileSha256: outcome.trainSha256.filter((hash) => hash !== null).sort(),
      seed: request.seed,
      backend: `${choice.name} (${choice.device})`,
      epochs: outcome.epochs,
      bestEpoch: outcome.bestEpoch,
      clipsPerEpoch: outcome.clipsPerEpoch,
      batchSize: request.batchSize,
      learningRate: request.learningRate,
      augmentation: settings.augmentation,
      from: from ? { name: from.card.name, onnxSha256: from.onnxSha256 } : null,
      history: outcome.history,
    },
    // Not yet known: measured below on dev, by the same path as scanning.
    calibration: { a: 1, b: 0, prior: 0.5, dataset: request.dataset, split: 'dev' },
    thresholds: { ...thresholds, score: 0 },
    figures: [],
    notes: [...(splits.note ? [splits.note] : []), ...request.notes],
  };

  const measure = async (split: 'dev' | 'test') => {
    const items = splits[split];
    const onnx = writeOnnx(network, outcome.weights);
    const model = {
      folder,
      card: { ...card, files: { 'model.onnx': '', 'weights.safetensors': '' } },
      onnx,
      onnxSha256: '',
    };
    const scored = await scoreItems(model, items, {
      onProgress: (done) => report({ type: 'score', split, done, total: items.length }),
      ...(signal ? { signal } : {}),
    });
    return trialsOf(scored);
  };
  const devTrials = await measure('dev');
  const { a, b, prior } = fitAffineCalibration(devTrials);
  if (a > 0) {
    card.calibration = { ...card.calibration, a, b, prior };
  } else {
    // A likelihood ratio of one for every recording: this model tells nothing.
    card.calibration = { ...card.calibration, a: 0, b: Math.log(prior / (1 - prior)), prior };
    card.notes.push('On dev its scores rank no better than chance: every likelihood ratio is one.');
  }
  card.thresholds.score = detectionMetrics(devTrials).eerDecisionThreshold;
  const judged = { ...card, files: { 'model.onnx': '', 'weights.safetensors': '' } };
  card.figures.push(splitFigures(request.dataset, 'dev', evaluateTrials(judged, devTrials)));
  if (splits.test.length > 0) {
    const testTrials = await measure('test');
    const bothClasses = new Set(testTrials.map((trial) => trial.bonafide)).size === 2;
    if (bothClasses) card.figures.push(splitFigures(request.dataset, 'test', evaluateTrials(judged, testTrials)));
  }

  const model = await writeModel(folder, card, outcome.weights);
  await removeCheckpoint(folder);
  return model;
}
