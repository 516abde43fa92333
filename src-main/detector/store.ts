/** Models in their folders: finding, reading with their companions, writing whole. */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { sha256 } from '../base/sha256.ts';
import { applicationRoot } from '../base/workers.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { cardSchema } from './card.ts';
import type { Card } from './card.ts';
import { EncoderUnavailable, findEncoder } from './encoders/encoder.ts';
import type { StoredEncoder } from './encoders/encoder.ts';
import { axesOf } from './foreign.ts';
import { checkGraph, refusal } from './graph.ts';
import type { LogisticModel } from './logistic.ts';
import type { EncoderMember, ForeignMember, Member, NetworkMember, TreesMember } from './member.ts';
import { parameterSpecs } from './network.ts';
import type { NetworkSpec, Weights } from './network.ts';
import { layersToVector, writeOnnx } from './onnx.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { vouchedFor } from './seal.ts';
import type { MemberContent } from './scorers.ts';
import { readTrees, writeTrees } from './trees.ts';
import type { TreesModel } from './trees.ts';

/** A model that can score: what a worker gets of it. */
export interface RunnableModel {
  card: Card;
  /** In the card's order. */
  members: MemberContent[];
  /** Those that speak of recordings of a condition, in the card's order; absent where there are none. */
  companions?: Companion[];
  /** Why it speaks where another was asked for; every result says it. */
  insteadOf?: string;
}

/** A model that speaks in another's place of recordings of a condition. */
export interface Companion {
  name: string;
  condition: NonNullable<Card['companions']>[number]['condition'];
  model: StoredModel;
}

/** A model as it lies on disk, its files checked against the card. */
export interface StoredModel extends RunnableModel {
  folder: string;
  /** What it is known by: see {@link identityOf}. */
  onnxSha256: string;
}

/** The models that ship with the application: the one that is used where none is named, and that without its encoder. */
export const shippedModels = ['default', 'fast'] as const;

/** The folder of a model that ships with the application. */
export function shippedModelFolder(name: (typeof shippedModels)[number]): string {
  return join(applicationRoot(), 'resources', 'models', name);
}

/** The folder of the model that is used where none is named. */
export function defaultModelFolder(): string {
  return shippedModelFolder('default');
}

/** Whether a finished model stands in the folder. */
export async function isModelFolder(folder: string): Promise<boolean> {
  return stat(join(folder, 'card.json')).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * Finds a model by its folder, or by its name among those of the data folder; without a name the one that ships.
 * @throws UserFacingError `model` naming the places looked at.
 */
export async function findModel(name: string | undefined): Promise<string> {
  const places = name === undefined ? [defaultModelFolder()] : [resolve(name), join(dataFolder(), 'models', name)];
  const shipped = shippedModels.find((one) => one === name);
  if (shipped !== undefined) places.push(shippedModelFolder(shipped));
  for (const place of places) {
    if (await isModelFolder(place)) return place;
  }
  throw new UserFacingError('model', `There is no model at ${places.join(' or ')}.`, {
    path: places[0],
    advice: 'A model is a folder with card.json and the files that it names, as `earwitness train` writes it.',
  });
}

/** What makes scores: all that a change of which may change them, members and their weights. */
function scoringParts(card: Card): unknown {
  return card.members.map((member) => {
    const { kind, name, weight } = member;
    switch (member.kind) {
      case 'network':
        return [kind, name, weight, card.files[member.onnx]];
      case 'encoder':
        return [kind, name, weight, member.encoder.onnxSha256, card.files[member.head]];
      case 'trees':
        return [kind, name, weight, card.files[member.trees], member.frontEnd];
      case 'foreign':
        return [kind, name, weight, card.files[member.onnx], member.input, member.output];
    }
  });
}

/**
 * What a model is known by in results, cases and reports: the SHA-256 of its network where that is all that it has, else of
 * its members' hashes and weights.
 */
export function identityOf(card: Card): string {
  const [first, ...others] = card.members;
  const { companions = [] } = card;
  if (companions.length > 0) {
    return sha256(JSON.stringify([scoringParts(card), companions.map((one) => [one.name, one.sha256, one.condition])]));
  }
  if (others.length === 0 && first.kind === 'network' && first.weight === 1) return card.files[first.onnx];
  return sha256(JSON.stringify(scoringParts(card)));
}

/** The files of a member, in the order in which they are written. */
export function memberFiles(member: Member): string[] {
  switch (member.kind) {
    case 'network':
      return [member.onnx, member.weights];
    case 'encoder':
      return [member.head];
    case 'trees':
      return [member.trees];
    case 'foreign':
      return [member.onnx];
  }
}

async function readChecked(folder: string, name: string, card: Card): Promise<Uint8Array> {
  const path = join(folder, name);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UserFacingError('model', `The model's ${path} cannot be read.`, {
      path,
      advice: 'Restore the model from a copy, or train it again.',
      cause: error,
    });
  });
  if (sha256(bytes) !== card.files[name]) {
    throw new UserFacingError(
      'model',
      `${path} is not the file that the model's card describes: its SHA-256 differs.`,
      {
        path,
        advice: 'Restore the model from a copy, or train it again.',
      },
    );
  }
  return bytes;
}

/** @throws UserFacingError `model` */
export async function readTreesOf(
  { folder, card }: Pick<StoredModel, 'folder' | 'card'>,
  member: TreesMember,
): Promise<TreesModel> {
  const bytes = await readChecked(folder, member.trees, card);
  return readTrees(bytes, createFrontEnd(member.frontEnd).bins, join(folder, member.trees));
}

async function readHead(folder: string, card: Card, member: EncoderMember): Promise<LogisticModel> {
  const path = join(folder, member.head);
  const { arrays } = readSafetensors(await readChecked(folder, member.head, card), path);
  const [kernel, bias] = [arrays.get('kernel'), arrays.get('bias')];
  const fits = kernel?.length === member.encoder.size && bias?.length === 1;
  if (!fits || !kernel.every(Number.isFinite) || !Number.isFinite(bias[0])) {
    throw new UserFacingError('model', `${path} holds no head for ${member.encoder.size} values.`, { path });
  }
  return { kernel: Float64Array.from(kernel), bias: bias[0] };
}

/** How members are read. */
interface MemberReading {
  /** As of {@link readModel}. */
  vectors: boolean;
  /** Those that a model and its companions share are read once. */
  encoders: Map<string, Promise<StoredEncoder | null>>;
}

async function readMember(
  folder: string,
  card: Card,
  member: Member,
  { vectors, encoders }: MemberReading,
): Promise<MemberContent> {
  if (member.kind === 'network') {
    const { onnx, weights } = await readNetwork({ folder, card }, member);
    const tells = vectors || card.distance?.kinds.some(({ of }) => of === member.name);
    return { member, onnx: tells ? writeOnnx(member.network, weights, layersToVector(member.network)) : onnx };
  }
  if (member.kind === 'foreign') return { member, onnx: await readForeign({ folder, card }, member) };
  if (member.kind === 'trees') return { member, trees: await readTreesOf({ folder, card }, member) };
  const head = await readHead(folder, card, member);
  const { name } = member.encoder;
  const found = encoders.get(name) ?? findEncoder(name);
  encoders.set(name, found);
  const encoder = wantedEncoder(folder, member, await found);
  return { member, encoder: { card: encoder.card, onnx: encoder.onnx }, head };
}

/** The encoder that is there, where it is the one that a member wants. @throws EncoderUnavailable */
function wantedEncoder(
  folder: string,
  { encoder: wanted }: EncoderMember,
  encoder: StoredEncoder | null,
): StoredEncoder {
  const { name, onnxSha256, weightsSha256 } = wanted;
  if (encoder?.card.onnxSha256 === onnxSha256 && encoder.card.weightsSha256 === weightsSha256) return encoder;
  throw new EncoderUnavailable(`The model in ${folder} needs the encoder ${name} (${onnxSha256.slice(0, 12)}).`, {
    path: folder,
    advice: encoder === null ? 'It is not on this machine: add it.' : 'Another version of it is on this machine.',
  });
}

/** Reads a model's card alone, as far as this installation vouches for it (`vouchedFor`). @throws UserFacingError `model` if it is not one. */
export async function readCard(folder: string): Promise<Card> {
  const path = join(folder, 'card.json');
  try {
    const raw: unknown = JSON.parse(await readFile(path, 'utf8'));
    return vouchedFor(cardSchema.parse(raw), raw, dataFolder());
  } catch (error) {
    throw new UserFacingError('model', `${path} is not a model's card that this version can read.`, {
      path,
      advice: 'Restore the model from a copy, import it again or train it again.',
      cause: error,
    });
  }
}

/**
 * Reads a model's card and what its members need to score.
 * @param vectors have networks also tell what their heads judge by, as they do where the card measures distances by it
 * @throws UserFacingError `model` if the card is not one, a file is not the one that the card describes, or an encoder is not there.
 */
export function readModel(folder: string, { vectors = false } = {}): Promise<StoredModel> {
  return readWith(folder, { vectors, encoders: new Map() });
}

async function readWith(folder: string, reading: MemberReading): Promise<StoredModel> {
  const card = await readCard(folder);
  const members: MemberContent[] = [];
  for (const member of card.members) members.push(await readMember(folder, card, member, reading));
  const companions: Companion[] = [];
  for (const companion of card.companions ?? []) {
    companions.push(await readCompanion(folder, companion, { ...reading, vectors: false }));
  }
  return { folder, card, members, onnxSha256: identityOf(card), ...(companions.length > 0 ? { companions } : {}) };
}

async function readCompanion(
  folder: string,
  { name, sha256: identity, files, condition }: NonNullable<Card['companions']>[number],
  reading: MemberReading,
): Promise<Companion> {
  const model = await readWith(join(folder, name), reading);
  const alike = Object.entries(files).every(([file, hash]) => model.card.files[file] === hash);
  if (model.onnxSha256 !== identity || !alike || model.companions !== undefined) {
    throw new UserFacingError('model', `${model.folder} is not the companion that the card in ${folder} names.`, {
      path: model.folder,
      advice: 'Restore the model from a copy.',
    });
  }
  return { name, condition, model };
}

/**
 * Names a model that lies in a folder of another in that one's card, in the place of one of the same name.
 * @param model whose folder holds the folder `name`
 * @returns the model with its companion
 * @throws UserFacingError as {@link readModel}
 */
export async function nameCompanion(
  folder: string,
  name: string,
  condition: Companion['condition'],
): Promise<StoredModel> {
  const { card, onnxSha256 } = await readModel(join(folder, name));
  const path = join(folder, 'card.json');
  const raw = JSON.parse(await readFile(path, 'utf8')) as object;
  const before = cardSchema.parse(raw).companions ?? [];
  const named = { name, sha256: onnxSha256, files: card.files, condition };
  const at = before.findIndex((one) => one.name === name);
  const companions = at < 0 ? [...before, named] : before.with(at, named);
  const changed = { ...raw, companions };
  cardSchema.parse(changed);
  await writeFileWhole(path, `${JSON.stringify(changed, null, 1)}\n`);
  return readModel(folder);
}

/** The model without its companions: what it says itself, whatever the recording. */
export function alone<Model extends RunnableModel>(model: Model): Model {
  const { companions: _, ...rest } = model;
  return rest as Model;
}

/** Of a model and its companions the one that an analysis is by. */
export function speakerOf(model: StoredModel, analysis: { companion?: { sha256: string } } | null): StoredModel {
  const sha256Asked = analysis?.companion?.sha256;
  return model.companions?.find((one) => one.model.onnxSha256 === sha256Asked)?.model ?? model;
}

/**
 * The model of a folder, to score with. Where the default one's encoder cannot be had, the one that needs none speaks, under
 * its own name, with its own calibration, and says so.
 * @throws UserFacingError as {@link readModel}
 */
export async function readSpeakingModel(folder: string): Promise<StoredModel> {
  try {
    return await readModel(folder);
  } catch (error) {
    if (!(error instanceof EncoderUnavailable) || !(await hasStandIn(folder))) throw error;
    const model = await readModel(shippedModelFolder('fast'));
    return { ...model, insteadOf: insteadSentence(model.card.name, error) };
  }
}

/** Whether the model of a folder is the default one, and the one that speaks in its place is there. */
async function hasStandIn(folder: string): Promise<boolean> {
  return resolve(folder) === defaultModelFolder() && (await isModelFolder(shippedModelFolder('fast')));
}

function insteadSentence(name: string, { message }: EncoderUnavailable): string {
  return `The default model's encoder cannot be had, so the model ${name}, which needs none, speaks in its place, with its own calibration and figures. ${message}`;
}

/**
 * What is said of a model whose encoder cannot be had; null where it can.
 * @returns `speaks`: whether another speaks in its place
 */
export async function encoderProblem(
  folder: string,
  card: Card,
): Promise<{ error: UserFacingError; speaks: string | null } | null> {
  try {
    for (const member of card.members) {
      if (member.kind === 'encoder') wantedEncoder(folder, member, await findEncoder(member.encoder.name));
    }
    return null;
  } catch (error) {
    if (!(error instanceof EncoderUnavailable)) throw error;
    const speaks = (await hasStandIn(folder))
      ? insteadSentence((await readCard(shippedModelFolder('fast'))).name, error)
      : null;
    return { error, speaks };
  }
}

/** Reads a network's weights, to train on from them. @throws UserFacingError as `readModel`. */
export async function readWeights(
  { folder, card }: Pick<StoredModel, 'folder' | 'card'>,
  member: NetworkMember,
): Promise<Weights> {
  const bytes = await readChecked(folder, member.weights, card);
  const { arrays } = readSafetensors(bytes, join(folder, member.weights));
  for (const { name, shape } of parameterSpecs(member.network)) {
    const values = arrays.get(name);
    const length = shape.reduce((product, size) => product * size, 1);
    if (values?.length !== length) {
      const what = values ? `hold ${name} in another shape` : `lack ${name}`;
      throw new UserFacingError('model', `The weights in ${folder} ${what}.`, { path: folder });
    }
    if (!areFinite(values)) {
      throw new UserFacingError('model', `The weights in ${folder} hold numbers that are not finite, in ${name}.`, {
        path: folder,
        advice: 'Train the model again.',
      });
    }
  }
  return arrays;
}

/** Of many values: a method that calls back would take longer than reading them. */
function areFinite(values: Float32Array): boolean {
  // Zero times what is not finite is not a number, and stays that in a sum.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i];
  return sum === 0;
}

/**
 * A network of our own, graph and weights: what is run is what card and weights describe, since it is written anew from them and compared.
 * @throws UserFacingError as `readModel`; `foreign-network` where the graph is another one.
 */
export async function readNetwork(
  model: Pick<StoredModel, 'folder' | 'card'>,
  member: NetworkMember,
): Promise<{ onnx: Uint8Array; weights: Weights }> {
  const onnx = await readChecked(model.folder, member.onnx, model.card);
  const weights = await readWeights(model, member);
  if (Buffer.compare(writeOnnx(member.network, weights), onnx) === 0) return { onnx, weights };
  const path = join(model.folder, member.onnx);
  throw new UserFacingError('foreign-network', `${path} is not the network that its card and weights describe.`, {
    path,
    advice: 'Graphs that Earwitness did not write are not run. Restore the model from a copy, or train it again.',
  });
}

/**
 * The graph of a foreign detector, looked at anew: a model's folder may come from elsewhere.
 * @throws UserFacingError as `readModel`; `graph` where it may not be run or is not what the card declares.
 */
export async function readForeign(
  model: Pick<StoredModel, 'folder' | 'card'>,
  member: ForeignMember,
): Promise<Uint8Array> {
  const onnx = await readChecked(model.folder, member.onnx, model.card);
  const path = join(model.folder, member.onnx);
  const outline = checkGraph(onnx, path);
  if (outline.external.length > 0) throw refusal(path, 'its weights lie elsewhere');
  if (axesOf(outline, member.input, member.output, path) !== member.axes) {
    throw refusal(path, 'its input is not the one that the card describes');
  }
  return onnx;
}

/** All files of a model, checked against its card. @throws UserFacingError as `readModel`. */
export async function readFiles({ folder, card }: Pick<StoredModel, 'folder' | 'card'>): Promise<ModelFiles> {
  const files: ModelFiles = new Map();
  const names = card.members.flatMap(memberFiles);
  if (card.validation?.record !== undefined) names.push(validationRecordName);
  for (const name of names) files.set(name, await readChecked(folder, name, card));
  return files;
}

/** The signed record of the validation of a validated model, beside its card. */
export const validationRecordName = 'validation.json';

/** A model's files beside the card, by name. */
export type ModelFiles = Map<string, Uint8Array>;

/** A network's graph and weights as files. */
export function networkFiles(
  member: Pick<NetworkMember, 'onnx' | 'weights'>,
  network: NetworkSpec,
  weights: Weights,
): ModelFiles {
  return new Map([
    [member.onnx, writeOnnx(network, weights)],
    [member.weights, writeSafetensors(weights, { network: network.name })],
  ]);
}

/** Trees as a file. */
export function treesFile(member: Pick<TreesMember, 'trees'>, trees: TreesModel): ModelFiles {
  return new Map([[member.trees, writeTrees(trees)]]);
}

/** A head as a file. */
export function headFile(member: Pick<EncoderMember, 'head'>, { kernel, bias }: LogisticModel): ModelFiles {
  const arrays = new Map([
    ['kernel', Float32Array.from(kernel)],
    ['bias', Float32Array.of(bias)],
  ]);
  return new Map([[member.head, writeSafetensors(arrays)]]);
}

/**
 * Writes into a model's card what was measured of it: how often its findings were right, how faithful its saliency maps are, whether its
 * times are of use, and down to which quality findings hold. All else in it stays as it lies there.
 * @throws UserFacingError `unwritable`
 */
export async function writeMeasured(
  { folder }: Pick<StoredModel, 'folder'>,
  measured: Partial<
    Pick<Card, 'records' | 'figures' | 'saliency' | 'partialSpoofs' | 'conditions' | 'distance' | 'thresholds'>
  >,
): Promise<void> {
  const path = join(folder, 'card.json');
  const card = JSON.parse(await readFile(path, 'utf8')) as object;
  const changed = { ...card, ...measured };
  cardSchema.parse(changed);
  await writeFileWhole(path, `${JSON.stringify(changed, null, 1)}\n`);
}

/** Writes a model's folder, the card last, so that a folder with a card is whole; reads it back. */
export async function writeModel(folder: string, card: Omit<Card, 'files'>, files: ModelFiles): Promise<StoredModel> {
  await ensureFolder(folder).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
  const hashes = Object.fromEntries([...files].map(([name, bytes]) => [name, sha256(bytes)]));
  const whole = cardSchema.parse({ ...card, files: hashes });
  for (const [name, bytes] of files) await writeFileWhole(join(folder, name), bytes);
  await writeFileWhole(join(folder, 'card.json'), `${JSON.stringify(whole, null, 1)}\n`);
  return readModel(folder);
}
