import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { applicationRoot } from '../base/workers.ts';
import { cardSchema } from './card.ts';
import type { Card } from './card.ts';
import { parameterSpecs } from './network.ts';
import type { Weights } from './network.ts';
import { writeOnnx } from './onnx.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** A model as it lies on disk, its network's bytes checked against the card. */
export interface StoredModel {
  folder: string;
  card: Card;
  onnx: Uint8Array;
  onnxSha256: string;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The folder of the model that ships with the application. */
export function defaultModelFolder(): string {
  return join(applicationRoot(), 'resources', 'models', 'default');
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
  if (name === 'default') places.push(defaultModelFolder());
  for (const place of places) {
    if (await isModelFolder(place)) return place;
  }
  throw new UserFacingError('model', `There is no model at ${places.join(' or ')}.`, {
    path: places[0],
    advice: 'A model is a folder with card.json, model.onnx and weights.safetensors, as `earwitness train` writes it.',
  });
}

async function readChecked(folder: string, name: keyof Card['files'], card: Card): Promise<Uint8Array> {
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

/**
 * Reads a model's card and network.
 * @throws UserFacingError `model` if the card is not one, or a file is not the one that the card describes.
 */
export async function readModel(folder: string): Promise<StoredModel> {
  const path = join(folder, 'card.json');
  let card: Card;
  try {
    card = cardSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new UserFacingError('model', `${path} is not a model's card that this version can read.`, {
      path,
      advice: 'Restore the model from a copy, or train it again.',
      cause: error,
    });
  }
  const onnx = await readChecked(folder, 'model.onnx', card);
  return { folder, card, onnx, onnxSha256: card.files['model.onnx'] };
}

/** Reads the weights of a model, to train on from them. @throws UserFacingError as `readModel`. */
export async function readWeights({ folder, card }: StoredModel): Promise<Weights> {
  const bytes = await readChecked(folder, 'weights.safetensors', card);
  const { arrays } = readSafetensors(bytes, join(folder, 'weights.safetensors'));
  for (const { name } of parameterSpecs(card.network)) {
    if (!arrays.has(name)) {
      throw new UserFacingError('model', `The weights in ${folder} lack ${name}.`, { path: folder });
    }
  }
  return arrays;
}

/** Writes into a model's card how often its findings were right; all else in it stays as it lies there. @throws UserFacingError `unwritable` */
export async function writeRecords({ folder }: Pick<StoredModel, 'folder'>, records: Card['records']): Promise<void> {
  const path = join(folder, 'card.json');
  const card = JSON.parse(await readFile(path, 'utf8')) as object;
  const changed = { ...card, records };
  cardSchema.parse(changed);
  await writeFileWhole(path, `${JSON.stringify(changed, null, 1)}\n`);
}

/** Writes a model's folder, the card last, so that a folder with a card is whole. */
export async function writeModel(folder: string, card: Omit<Card, 'files'>, weights: Weights): Promise<StoredModel> {
  await ensureFolder(folder).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
  const onnx = writeOnnx(card.network, weights);
  const arrays = writeSafetensors(weights, { network: card.network.name });
  const whole: Card = { ...card, files: { 'model.onnx': sha256(onnx), 'weights.safetensors': sha256(arrays) } };
  await writeFileWhole(join(folder, 'model.onnx'), onnx);
  await writeFileWhole(join(folder, 'weights.safetensors'), arrays);
  await writeFileWhole(join(folder, 'card.json'), `${JSON.stringify(cardSchema.parse(whole), null, 1)}\n`);
  return { folder, card: whole, onnx, onnxSha256: whole.files['model.onnx'] };
}
