import { basename, resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { sha256 } from '../base/sha256.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { loadDataset, selectSplit } from '../datasets/load.ts';
import type { Dataset, DatasetItem } from '../datasets/types.ts';
import { startBackend } from '../training/backends/index.ts';
import type { BackendChoice, BackendName } from '../training/backends/index.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import type { Card } from '../detector/card.ts';
import type { ExampleSettings } from '../training/examples.ts';
import { fitLogistic } from '../detector/logistic.ts';
import { createNetwork } from '../detector/network.ts';
import { exampleWeights } from '../training/sampling.ts';
import { findModel, readModel, readWeights, writeModel } from '../detector/store.ts';
import type { ModelFiles, RunnableModel, StoredModel } from '../detector/store.ts';
import { removeCheckpoint } from '../training/checkpoint.ts';
import type { TrainingEvent, TrainingPlan } from '../training/train.ts';
import { calibrate, calibrationSchema } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import type { Trial } from '../evaluation/trials.ts';
import { checkTraining } from './check-training.ts';
import { calibrationMaterial, localisationOf, pooledMaterial, rejoined } from './calibration-material.ts';
import type { CalibrationMaterial, ScoredMaterial } from './calibration-material.ts';
import { fitMembers, outOfFoldScores, removeFolds } from './folds.ts';
import type { FoldEvent, MemberEvent, ScoreWith } from './folds.ts';
import { evaluateTrials, findingRecord, recordingsOf, scoreItems, splitFigures, trialsOf } from './evaluate.ts';
import { leastBandwidthHz, memberName, memberRecipe, membersSettings, recipeFor } from './recipes.ts';
import { recipeToTrainOn, settingsFor } from './recipes.ts';
import type { AugmentationName, BandName, FrontEndName, Recipe } from './recipes.ts';
import { foldKey } from './source-folds.ts';
import { EncoderTrainer, NetworkTrainer, membersFolder, removeMembers } from './train-members.ts';
import type { EmbedEvent, FittedMember, MemberTrainer } from './train-members.ts';

export interface TrainingOptions {
  dataset: string;
  /** The network that is trained, where no members are named. */
  network: string;
  /** Members of a model that has several: see {@link memberRecipe}. */
  members?: readonly string[] | undefined;
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
  /** What it is made for, where nothing is trained on from; by default all of the sound. */
  band?: BandName | undefined;
  /** Folds of sources whose out-of-fold scores calibrate the model; null: dev does. */
  folds: number | null;
  /** Copies of what is trained on, through codecs and the like: encoders' heads learn from those of the `train` split, too. */
  copies?: string | undefined;
  /**
   * Other copies of the same recordings, on whose `train` split the folds' scores are taken, and on whose `dev` and `test` the model
   * is measured; only with folds.
   */
  calibrateOn?: string | undefined;
  /** Recordings whose sound ends below it are not assessable, in Hz; by default as band and front ends ask. */
  leastBandwidthHz?: number | undefined;
  /** Findings may be wrong in at most this share of recordings of either class (see `calibrate`). */
  maximumErrorRate: number;
  /** ffmpeg's names of codecs that the model is known to misjudge: what is coded so is not assessable. */
  misjudgedCodecs?: readonly string[];
  /** A model to train on from, with its network, front end and conditioning. */
  from?: string;
  resume: boolean;
  /** Leaves the members' checkpoints where they are, for another model of some of them. */
  keepCheckpoints?: boolean | undefined;
  /** Further sentences for the card: terms of the data, for instance. */
  notes: string[];
}

/** A member beside the joined model: its weight, and what it makes of dev by itself. */
interface MemberFigures {
  name: string;
  weight: number;
  eer: number;
  auc: number;
}

export type TrainModelEvent =
  | TrainingEvent
  | EmbedEvent
  /** What is made, in this order; with folds, those `inFolds` once for each fold before. Epochs null: an encoder's head. */
  | { type: 'plan'; members: { name: string; epochs: number | null; inFolds: boolean }[] }
  | FoldEvent
  | MemberEvent
  | { type: 'backend'; choice: BackendChoice }
  /** After the folds, what is kept begins. */
  | { type: 'whole' }
  | { type: 'data'; train: number; dev: number; test: number; note: string | null }
  | { type: 'score'; split: string; done: number; total: number }
  | { type: 'join' }
  /** Of a model of several members, on dev. */
  | { type: 'joined'; members: MemberFigures[] }
  | { type: 'calibrate' };

const thresholds = {
  // The likelihood ratio must be at least two either way: below, even ENFSI's scale calls the support "weak" at most.
  inconclusiveLlr: Math.LN2,
  minimumActiveSeconds: 1,
  maximumClippedFraction: 0.01,
  minimumSpeechSeconds: defaultMinimumSpeechSeconds,
  minimumSnrDb: 0,
};

const heldOutShare = 0.2;
/** Strength of the fit that joins members: so few weights on so many scores need hardly any penalty. */
const joinStrength = 1;

interface Splits {
  copies?: DatasetItem[];
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

/** The splits that scores are taken of. @throws UserFacingError `dataset` where none is of a source that was trained on. */
async function judgedSplits({ calibrateOn, seed }: TrainingOptions, splits: Splits): Promise<Splits> {
  if (calibrateOn === undefined) return splits;
  const judged = trainingSplits(await loadDataset(calibrateOn), seed);
  return { ...judged, train: ofSameSources(calibrateOn, judged.train, splits) };
}

/** @throws UserFacingError `dataset` where no recording is of a source that is trained on. */
function ofSameSources(spec: string, items: readonly DatasetItem[], { train }: Splits): DatasetItem[] {
  const known = new Set(train.map(foldKey));
  const chosen = items.filter((item) => known.has(foldKey(item)));
  if (chosen.length > 0) return chosen;
  throw new UserFacingError('dataset', `No recording of ${spec} is of a source that is trained on.`, {
    advice: 'Name copies of the recordings that are trained on, with the same sources.',
  });
}

/** The copies that are learnt from; null: none. @throws UserFacingError as `ofSameSources`. */
async function copiesOf({ copies }: TrainingOptions, splits: Splits): Promise<DatasetItem[] | null> {
  if (copies === undefined) return null;
  const { items } = await loadDataset(copies);
  return ofSameSources(copies, items.filter(({ split }) => split === 'train'), splits); // prettier-ignore
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
function given(request: TrainingOptions): Partial<Recipe> {
  const { epochs, batchSize, learningRate, patience, weightDecay, averagedSteps } = request;
  const asked = { epochs, batchSize, learningRate, patience, weightDecay, averagedSteps };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** What the members of a model have in common, and how each is made. */
interface Plan {
  settings: Pick<ExampleSettings, 'conditioning' | 'window'>;
  trainers: MemberTrainer[];
}

/** A network's plan; its frames follow from its window. */
function networkPlan(
  request: TrainingOptions,
  choice: BackendChoice,
  asked: { network: string; settings: ExampleSettings; recipe: Partial<Recipe>; seed: number },
): TrainingPlan {
  const { settings } = asked;
  const frontEnd = createFrontEnd(settings.frontEnd);
  const frames = frontEnd.frameCount(Math.round(settings.window.seconds * settings.conditioning.sampleRateHz));
  return {
    network: createNetwork(asked.network, frontEnd.bins, frames),
    settings,
    seed: asked.seed,
    ...recipeFor(asked.network),
    ...asked.recipe,
    ...given(request),
    backend: choice.name,
  };
}

const aloneFiles = { onnx: 'model.onnx', weights: 'weights.safetensors' };

/** One network, fresh or trained on from another model's. */
async function networkAlone(request: TrainingOptions, choice: BackendChoice): Promise<Plan> {
  if (request.from === undefined) {
    const settings = settingsFor(request);
    const plan = networkPlan(request, choice, { network: request.network, settings, recipe: {}, seed: request.seed });
    return { settings, trainers: [new NetworkTrainer('network', plan, aloneFiles, null)] };
  }
  const from = await readModel(await findModel(request.from));
  const [member, ...others] = from.card.members;
  if (member.kind !== 'network' || others.length > 0) {
    throw new UserFacingError('usage', `The model ${from.card.name} has several members: none is trained on alone.`, {
      advice: 'Train on from a model of one network.',
    });
  }
  const { conditioning, window } = from.card;
  const { augmentation, cropSeconds } = member.training;
  const plan: TrainingPlan = {
    network: member.network,
    settings: {
      conditioning,
      window,
      frontEnd: member.frontEnd,
      augmentation,
      ...(cropSeconds === undefined ? {} : { cropSeconds }),
    },
    seed: request.seed,
    ...recipeToTrainOn(member.network.name),
    ...given(request),
    backend: choice.name,
    from: await readWeights(from, member),
  };
  const origin = { name: from.card.name, onnxSha256: from.onnxSha256 };
  return { settings: plan.settings, trainers: [new NetworkTrainer('network', plan, aloneFiles, origin)] };
}

/** Several members; seeds of one network after the first are `linear-2` and so on. */
async function severalMembers(
  request: TrainingOptions,
  names: readonly string[],
  choice: BackendChoice,
): Promise<Plan> {
  const { conditioning, window } = membersSettings(request.band);
  const trainers: MemberTrainer[] = [];
  for (const name of names) {
    const recipe = memberRecipe(name);
    if (recipe.kind === 'encoder') {
      const settings = { conditioning, window };
      const create = { ...recipe, name: memberName(name), settings, seed: request.seed };
      trainers.push(await EncoderTrainer.create(create));
      continue;
    }
    const { network, frontEnd, training, seedAfter } = recipe;
    const { augmentation, band } = request;
    const settings = settingsFor({ network, frontEnd, augmentation, band });
    const plan = networkPlan(request, choice, { network, settings, recipe: training, seed: request.seed + seedAfter });
    trainers.push(new NetworkTrainer(name, plan, { onnx: `${name}.onnx`, weights: `${name}.safetensors` }, null));
  }
  return { settings: { conditioning, window }, trainers };
}

/** What of the copies was learnt from. */
function copiesRecord(
  dataset: string,
  copies: readonly DatasetItem[],
  members: readonly FittedMember[],
): NonNullable<Card['training']['copies']> {
  const hashes = members.find(({ copySha256 }) => copySha256)?.copySha256 ?? [];
  const lines = hashes.flatMap((hash, index) => (hash === null ? [] : [`${hash} ${copies[index].label}`]));
  return { dataset, recordings: lines.length, manifestSha256: sha256(lines.sort().join('\n')) };
}

/** Members whose scores are averaged, by the name of the first: seeds of one network. */
function groupsOf(trainers: readonly MemberTrainer[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { name, epochs } of trainers) {
    // An encoder's name may end in a number of its own.
    const key = epochs === null ? `encoder ${name}` : name.replace(/-\d+$/, '');
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return groups;
}

/**
 * Weights by which members' scores are added up: logistic regression on scores of recordings that the members were not made
 * of, sources weighted alike.
 * @param trials with the scores of one member of each group
 */
function joinWeights(trials: readonly Trial[], items: readonly DatasetItem[]): number[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  const used = trials.filter(({ members }) => members?.every(Number.isFinite));
  const features = Float32Array.from(used.flatMap(({ members }) => members ?? []));
  const labels = Uint8Array.from(used, ({ bonafide }) => Number(bonafide));
  const weights = exampleWeights(used.map(({ file }) => byId.get(file) as DatasetItem));
  return [...fitLogistic({ features, labels, weights }, joinStrength).kernel];
}

/** What each member makes of recordings by itself. @param trials with the scores of all members */
function memberFigures(members: Card['members'], trials: readonly Trial[]): MemberFigures[] {
  return members.map(({ name, weight }, index) => {
    const own = trials.flatMap((trial) => {
      const score = trial.members?.[index];
      return Number.isFinite(score) ? [{ ...trial, score: score as number }] : [];
    });
    const { eer, auc } = detectionMetrics(own);
    return { name, weight, eer, auc };
  });
}

/**
 * The whole way from a dataset to a model's folder: training, choosing the epoch on dev where that chooses, joining the
 * members, calibrating, measuring on dev and, once and for the card only, on test.
 * @throws UserFacingError for whatever a person can mend; the signal's reason after the checkpoint is saved.
 */
export async function trainModel(
  request: TrainingOptions,
  application: string,
  options: { signal?: AbortSignal; onEvent?: (event: TrainModelEvent) => void } = {},
): Promise<StoredModel> {
  const { signal } = options;
  const report = options.onEvent ?? (() => undefined);
  const folder = resolve(request.out);
  await checkTraining(request);
  const dataset = await loadDataset(request.dataset);
  const own = trainingSplits(dataset, request.seed);
  const copies = await copiesOf(request, own);
  const splits: Splits = copies ? { ...own, copies } : own;
  const judged = await judgedSplits(request, splits);
  const judgedOn = request.calibrateOn ?? request.dataset;
  report({
    type: 'data',
    train: splits.train.length,
    dev: splits.dev.length,
    test: splits.test.length,
    note: splits.note,
  });
  const choice = await startBackend(request.backend);
  report({ type: 'backend', choice });
  const { settings, trainers } =
    request.members === undefined
      ? await networkAlone(request, choice)
      : await severalMembers(request, request.members, choice);

  const least = request.leastBandwidthHz ?? (request.from === undefined ? leastBandwidthHz(request.band) : null);
  // Enough of a card to score with; what training and measuring find out comes in below.
  const blank: Omit<Card, 'members' | 'files'> = {
    format: 2,
    name: request.name ?? basename(folder),
    status: 'screening',
    createdAt: new Date().toISOString(),
    application,
    conditioning: settings.conditioning,
    window: settings.window,
    training: {
      dataset: request.dataset,
      counts: countsOf(splits),
      sources: [...new Set(splits.train.flatMap((item) => item.source ?? []))].sort(),
      manifestSha256: '',
      fileSha256: [],
      seed: request.seed,
      backend: `${choice.name} (${choice.device})`,
      folds: request.folds,
    },
    calibration: calibrationSchema.parse({ a: 1, b: 0, prior: 0.5, dataset: judgedOn, split: 'dev' }),
    thresholds: {
      ...thresholds,
      score: 0,
      ...(least === null ? {} : { minimumBandwidthHz: least }),
      ...(request.misjudgedCodecs?.length ? { misjudgedCodecs: [...request.misjudgedCodecs] } : {}),
    },
    figures: [],
    records: [],
    validation: null,
    notes: [...(splits.note ? [splits.note] : []), ...request.notes],
  };
  const modelOf = (members: readonly FittedMember[]): RunnableModel => ({
    card: { ...blank, members: members.map(({ content }) => content.member), files: {} },
    members: members.map(({ content }) => content),
  });
  const running = { resume: request.resume, onEvent: report, ...(signal ? { signal } : {}) };
  const materialOf: ScoreWith<CalibrationMaterial> = (members, items, split) =>
    calibrationMaterial(modelOf(members), items, request.seed, {
      onProgress: (done, total) => report({ type: 'score', split, done, total }),
      ...(signal ? { signal } : {}),
    });
  // One seed says how members do on sources that they have not heard.
  const groups = groupsOf(trainers);
  const representatives = [...groups.values()].map(
    ([first]) => trainers.find(({ name }) => name === first) as MemberTrainer,
  );
  report({
    type: 'plan',
    members: trainers.map((trainer) => {
      const { name, epochs } = trainer;
      return { name, epochs, inFolds: request.folds !== null && representatives.includes(trainer) };
    }),
  });
  const place = {
    count: request.folds ?? 0,
    seed: request.seed,
    folder,
    judged: request.calibrateOn === undefined ? undefined : judged.train,
  };
  const folded =
    request.folds === null ? null : await outOfFoldScores(representatives, splits, place, materialOf, running);
  if (folded) report({ type: 'whole' });
  const alone = trainers.length === 1;
  const members = await fitMembers(trainers, splits, alone ? folder : membersFolder(folder), true, running);

  const fitted = representatives.map(
    ({ name }) => members.find(({ content }) => content.member.name === name) as FittedMember,
  );
  let material: ScoredMaterial = folded ? pooledMaterial(folded) : await materialOf(fitted, judged.dev, 'dev');
  if (groups.size > 1) {
    report({ type: 'join' });
    const ofGroups = joinWeights(material.trials, folded ? judged.train : judged.dev);
    material = rejoined(material, ofGroups);
    for (const [at, names] of [...groups.values()].entries()) {
      for (const { content } of members) {
        if (names.includes(content.member.name)) content.member.weight = ofGroups[at] / names.length;
      }
    }
  } else {
    for (const { content } of members) content.member.weight = 1 / members.length;
  }

  const hashesOf = (split: 'trainSha256' | 'devSha256'): (string | null)[] =>
    splits[split === 'trainSha256' ? 'train' : 'dev'].map(
      (_, index) => members.map((member) => member[split][index]).find((hash) => hash !== null) ?? null,
    );
  const [trainSha256, devSha256] = [hashesOf('trainSha256'), hashesOf('devSha256')];
  const manifest = [
    ...splits.train.map((item, index) => [trainSha256[index], item.label, 'train']),
    ...splits.dev.map((item, index) => [devSha256[index], item.label, 'dev']),
  ]
    .filter(([hash]) => hash !== null)
    .map((line) => line.join(' '))
    .sort();
  const { card } = modelOf(members);
  card.training.manifestSha256 = sha256(manifest.join('\n'));
  if (copies) card.training.copies = copiesRecord(request.copies as string, copies, members);
  card.training.fileSha256 = trainSha256.filter((hash) => hash !== null).sort();
  const measuredOn = async (split: 'dev' | 'test'): Promise<Pick<CalibrationMaterial, 'trials' | 'recordings'>> => {
    const scored = await scoreItems(modelOf(members), judged[split], {
      onProgress: (done) => report({ type: 'score', split, done, total: judged[split].length }),
      ...(signal ? { signal } : {}),
    });
    return { trials: trialsOf(scored), recordings: recordingsOf(scored) };
  };
  const dev = await measuredOn('dev');
  if (members.length > 1) report({ type: 'joined', members: memberFigures(card.members, dev.trials) });
  report({ type: 'calibrate' });
  card.calibration = calibrate(material.trials, {
    dataset: judgedOn,
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
    card.figures.push(splitFigures(judgedOn, split, evaluateTrials(card, trials)));
    card.records.push(findingRecord(card, recordings, { dataset: judgedOn, split }));
  };
  state('dev', dev);
  if (judged.test.length > 0) {
    const test = await measuredOn('test');
    const bothClasses = new Set(test.trials.map((trial) => trial.bonafide)).size === 2;
    if (bothClasses) state('test', test);
  }

  const files: ModelFiles = new Map(members.flatMap((member) => [...member.files]));
  const model = await writeModel(folder, card, files);
  await removeCheckpoint(folder);
  await removeFolds(folder);
  if (!request.keepCheckpoints) await removeMembers(folder);
  return model;
}
