/** The whole way from a dataset to a model's folder. */
import { basename, resolve } from 'node:path';
import { sha256 } from '../base/sha256.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import type { Card } from '../detector/card.ts';
import { writeModel } from '../detector/store.ts';
import type { ModelFiles, RunnableModel, StoredModel } from '../detector/store.ts';
import { calibrate, calibrationSchema } from '../evaluation/calibration.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { startBackend } from '../training/backends/index.ts';
import type { BackendChoice } from '../training/backends/index.ts';
import { removeCheckpoint } from '../training/checkpoint.ts';
import type { TrainingEvent } from '../training/train.ts';
import { calibrationMaterial, localisationOf, pooledMaterial } from './calibration-material.ts';
import type { CalibrationMaterial, ScoredMaterial } from './calibration-material.ts';
import { checkTraining } from './check-training.ts';
import { evaluateTrials, findingRecord, recordingsOf, scoreItems, splitFigures, trialsOf } from './evaluate.ts';
import { fitMembers, outOfFoldScores, removeFolds } from './folds.ts';
import type { FoldEvent, MemberEvent, ScoreWith } from './folds.ts';
import { groupsOf, joinMembers, memberFigures } from './join-members.ts';
import type { MemberFigures } from './join-members.ts';
import { planMembers } from './members-plan.ts';
import type { MembersPlan } from './members-plan.ts';
import { leastBandwidthHz } from './recipes.ts';
import { membersFolder, removeMembers } from './train-members.ts';
import type { EmbedEvent, FittedMember, MemberTrainer } from './train-members.ts';
import { trainingData } from './training-data.ts';
import type { Splits, TrainingData } from './training-data.ts';
import type { TrainingOptions } from './training-options.ts';

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

/** One training: what it was asked for, what it found to work on, and where it reports. */
interface Run {
  request: TrainingOptions;
  application: string;
  folder: string;
  data: TrainingData;
  backend: BackendChoice;
  plan: MembersPlan;
  /** Members whose scores are averaged, and the first of each: one seed says how members do on sources that they have not heard. */
  groups: string[][];
  representatives: MemberTrainer[];
  report: (event: TrainModelEvent) => void;
  signal: { signal?: AbortSignal };
}

/** Scores of one split by the whole model. */
type Measured = Pick<CalibrationMaterial, 'trials' | 'recordings'>;

/**
 * Training, choosing the epoch on dev where that chooses, joining the members, calibrating, measuring on dev and, once and
 * for the card only, on test.
 * @throws UserFacingError for whatever a person can mend; the signal's reason after the checkpoint is saved.
 */
export async function trainModel(
  request: TrainingOptions,
  application: string,
  options: { signal?: AbortSignal; onEvent?: (event: TrainModelEvent) => void } = {},
): Promise<StoredModel> {
  const run = await begin(request, application, options);
  const { folder, data, report } = run;
  const folded = await foldScores(run);
  if (folded) report({ type: 'whole' });
  const fitted = await fitWhole(run);
  const { members, material } = await joined(run, fitted, folded);
  const dev = await measure(run, members, 'dev');
  if (members.length > 1) {
    report({
      type: 'joined',
      members: memberFigures(
        members.map(({ content }) => content.member),
        dev.trials,
      ),
    });
  }
  report({ type: 'calibrate' });
  const calibrated = calibratedCard(run, members, material, dev);
  const splits: ['dev' | 'test', Measured][] = [['dev', dev]];
  if (data.judged.test.length > 0) {
    const test = await measure(run, members, 'test');
    if (new Set(test.trials.map(({ bonafide }) => bonafide)).size === 2) splits.push(['test', test]);
  }
  const files: ModelFiles = new Map(members.flatMap((member) => [...member.files]));
  const model = await writeModel(folder, withFigures(calibrated, data.judgedOn, splits), files);
  await removeCheckpoint(folder);
  if (!request.keepCheckpoints) {
    await removeFolds(folder);
    await removeMembers(folder);
  }
  return model;
}

/** Looks at what is asked for, finds recordings and a backend, and says what will be made. */
async function begin(
  request: TrainingOptions,
  application: string,
  { signal, onEvent = () => undefined }: Parameters<typeof trainModel>[2] & object,
): Promise<Run> {
  await checkTraining(request);
  const data = await trainingData(request);
  const { train, dev, test, note } = data.splits;
  onEvent({ type: 'data', train: train.length, dev: dev.length, test: test.length, note });
  const backend = await startBackend(request.backend);
  onEvent({ type: 'backend', choice: backend });
  const plan = await planMembers(request, backend);
  const groups = groupsOf(plan.trainers);
  const representatives = plan.trainers.filter(({ name }) => groups.some(([first]) => first === name));
  onEvent({
    type: 'plan',
    members: plan.trainers.map((trainer) => ({
      name: trainer.name,
      epochs: trainer.epochs,
      inFolds: request.folds !== null && representatives.includes(trainer),
    })),
  });
  return {
    ...{ request, application, folder: resolve(request.out), data, backend, plan, groups, representatives },
    report: onEvent,
    signal: signal ? { signal } : {},
  };
}

/** Scores of what is trained on, by members made without it, pooled; null where dev calibrates. */
async function foldScores(run: Run): Promise<ScoredMaterial | null> {
  const { request, folder, data, representatives, report, signal } = run;
  if (request.folds === null) return null;
  const judged = request.calibrateOn === undefined ? undefined : data.judged.train;
  const place = { count: request.folds, seed: request.seed, folder, judged };
  const options = { resume: request.resume, onEvent: report, ...signal };
  return pooledMaterial(await outOfFoldScores(representatives, data.splits, place, materialWith(run), options));
}

/** All members, made of all recordings. */
async function fitWhole({ request, folder, data, plan, report, signal }: Run): Promise<FittedMember[]> {
  const alone = plan.trainers.length === 1;
  const options = { resume: request.resume, onEvent: report, ...signal };
  return fitMembers(plan.trainers, data.splits, alone ? folder : membersFolder(folder), true, options);
}

/** Members with their weights, and the scores that calibrate: of folds, else of dev. */
async function joined(
  run: Run,
  fitted: readonly FittedMember[],
  folded: ScoredMaterial | null,
): Promise<{ members: FittedMember[]; material: ScoredMaterial }> {
  const { data, groups, representatives, report } = run;
  const names = representatives.map(({ name }) => name);
  const firsts = fitted.filter(({ content }) => names.includes(content.member.name));
  const material = folded ?? (await materialWith(run)(firsts, data.judged.dev, 'dev'));
  if (groups.length > 1) report({ type: 'join' });
  return joinMembers(fitted, groups, material, folded ? data.judged.train : data.judged.dev);
}

/** Scores recordings, and concatenations of them, with members not yet joined. */
function materialWith(run: Run): ScoreWith<CalibrationMaterial> {
  return (members, items, split) =>
    calibrationMaterial(modelToScore(run, members), items, run.request.seed, {
      onProgress: (done, total) => run.report({ type: 'score', split, done, total }),
      ...run.signal,
    });
}

async function measure(run: Run, members: readonly FittedMember[], split: 'dev' | 'test'): Promise<Measured> {
  const items = run.data.judged[split];
  const scored = await scoreItems(modelToScore(run, members), items, {
    onProgress: (done) => run.report({ type: 'score', split, done, total: items.length }),
    ...run.signal,
  });
  return { trials: trialsOf(scored), recordings: recordingsOf(scored) };
}

function modelToScore(run: Run, members: readonly FittedMember[]): RunnableModel {
  return { card: cardToScore(run, members), members: members.map(({ content }) => content) };
}

const thresholds = {
  // The likelihood ratio must be at least two either way: below, even ENFSI's scale calls the support "weak" at most.
  inconclusiveLlr: Math.LN2,
  minimumActiveSeconds: 1,
  maximumClippedFraction: 0.01,
  minimumSpeechSeconds: defaultMinimumSpeechSeconds,
  minimumSnrDb: 0,
};

/** Enough of a card to score with, and all that it says of a model before anything is measured. */
function cardToScore(run: Run, members: readonly FittedMember[]): Card {
  const { request, application, folder, data, backend, plan } = run;
  const { splits, judgedOn } = data;
  const { conditioning, window } = plan.settings;
  const least = request.leastBandwidthHz ?? (request.from === undefined ? leastBandwidthHz(request.band) : null);
  return {
    format: 2,
    name: request.name ?? basename(folder),
    status: 'screening',
    createdAt: new Date().toISOString(),
    application,
    conditioning,
    window,
    members: members.map(({ content }) => content.member),
    files: {},
    training: {
      dataset: request.dataset,
      counts: countsOf(splits),
      sources: [...new Set(splits.train.flatMap((item) => item.source ?? []))].sort(),
      manifestSha256: '',
      fileSha256: [],
      seed: request.seed,
      backend: `${backend.name} (${backend.device})`,
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
}

/** That card with what its members were made of and what scores say: likelihood ratios, the threshold at dev's EER, and how long windows compare. */
function calibratedCard(run: Run, members: readonly FittedMember[], material: ScoredMaterial, dev: Measured): Card {
  const { folds, maximumErrorRate, copies = '' } = run.request;
  const { splits } = run.data;
  const card = cardToScore(run, members);
  const calibration = calibrate(material.trials, {
    dataset: run.data.judgedOn,
    split: folds === null ? 'dev' : `train, ${folds} folds by source`,
    folds,
    concatenations: material.concatenations,
    maximumRate: maximumErrorRate,
  });
  const chance =
    'Its scores rank no better than chance on the data that it was calibrated on: every likelihood ratio is one.';
  return {
    ...card,
    training: {
      ...card.training,
      ...filesRecord(splits, members),
      ...(splits.copies ? { copies: copiesRecord(copies, splits.copies, members) } : {}),
    },
    calibration,
    localisation: localisationOf(material),
    thresholds: { ...card.thresholds, score: detectionMetrics(dev.trials).eerDecisionThreshold },
    notes: calibration.a === 0 ? [...card.notes, chance] : card.notes,
  };
}

/** And with its figures and findings on each split. */
function withFigures(card: Card, dataset: string, splits: readonly ['dev' | 'test', Measured][]): Card {
  return {
    ...card,
    figures: splits.map(([split, { trials }]) => splitFigures(dataset, split, evaluateTrials(card, trials))),
    records: splits.map(([split, { recordings }]) => findingRecord(card, recordings, { dataset, split })),
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

/** Which recordings were used, by the hashes of their files. */
function filesRecord(
  splits: Splits,
  members: readonly FittedMember[],
): Pick<Card['training'], 'manifestSha256' | 'fileSha256'> {
  // Of a recording that one member could not use another may know the hash.
  const hashesOf = (items: readonly DatasetItem[], field: 'trainSha256' | 'devSha256'): (string | null)[] =>
    items.map((_, index) => members.map((member) => member[field][index]).find((hash) => hash !== null) ?? null);
  const train = hashesOf(splits.train, 'trainSha256');
  const lines = (items: readonly DatasetItem[], hashes: readonly (string | null)[], split: string): string[] =>
    hashes.flatMap((hash, index) => (hash === null ? [] : [`${hash} ${items[index].label} ${split}`]));
  const manifest = [
    ...lines(splits.train, train, 'train'),
    ...lines(splits.dev, hashesOf(splits.dev, 'devSha256'), 'dev'),
  ];
  return {
    manifestSha256: sha256(manifest.sort().join('\n')),
    fileSha256: train.filter((hash) => hash !== null).sort(),
  };
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
