/** The models of this installation: the one that ships, and those in the data folder. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Model, ModelSummary } from '../../src-common/schemas/model.ts';
import { sha256File } from '../audio/hash.ts';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable, writeFileWhole } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { sha256 } from '../base/sha256.ts';
import { cardSchema, conditionWords } from '../detector/card.ts';
import type { Card } from '../detector/card.ts';
import type { Member } from '../detector/member.ts';
import { standingOf } from '../detector/seal.ts';
import { EncoderUnavailable } from '../detector/encoders/encoder.ts';
import {
  encoderProblem,
  identityOf,
  isModelFolder,
  readCard,
  readForeign,
  readTreesOf,
  readModel,
  readNetwork,
  shippedModelFolder,
  shippedModels,
} from '../detector/store.ts';
import { takeInDetector } from './import-detector.ts';
import { exportModel, unpackModel } from './model-archive.ts';
import { userError } from '../jobs/user-error.ts';

/** The id of the model that is used where none is chosen. */
export const shippedModelId = 'default';

/** The folder of a model that ships, by its id; null for another's. */
function shippedFolder(id: string): string | null {
  const name = shippedModels.find((one) => one === id);
  return name === undefined ? null : shippedModelFolder(name);
}

interface Known {
  /** Changes with any of the model's files. */
  stamp: string;
  card: Card | null;
  problem: ModelSummary['problem'];
}

const noHash = '0'.repeat(64);

/** Names that a folder cannot have on some platform, or that mean something else here. */
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d|default|fast|\..*)$/i;

/** A folder's name for a model of that name. */
function folderName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
  return plain === '' || reserved.test(plain) ? `model-${plain}`.replace(/-$/, '') : plain;
}

export class ModelStore {
  readonly #folder: string;
  readonly #known = new Map<string, Known>();
  readonly #onChange: () => void;
  /** One change after the other, so that no two take the same folder. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param home the data folder. */
  constructor(home: string, onChange: () => void = () => undefined) {
    this.#folder = join(home, 'models');
    this.#onChange = onChange;
  }

  /** The folder of a model. @throws UserFacingError `not-found` */
  async folderOf(id: string): Promise<string> {
    const folder = shippedFolder(id) ?? join(this.#folder, id);
    // An id is one name: it leads nowhere else.
    if (/[\\/\0]/.test(id) || id.startsWith('.') || !(await isModelFolder(folder))) {
      throw new UserFacingError('not-found', `There is no model "${id}".`, {
        advice: 'It may have been deleted: look at the list of models.',
      });
    }
    return folder;
  }

  /** The shipped ones first, then the latest. @param defaultId the model that is used where none is named. */
  async list(defaultId: string): Promise<ModelSummary[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new UserFacingError('unreadable', `The models in ${this.#folder} cannot be listed: ${error.message}.`, {
        path: this.#folder,
        cause: error,
      });
    });
    const ids: string[] = [];
    for (const name of shippedModels) if (await isModelFolder(shippedModelFolder(name))) ids.push(name);
    for (const name of names.sort()) {
      if (!name.startsWith('.') && shippedFolder(name) === null && (await isModelFolder(join(this.#folder, name))))
        ids.push(name);
    }
    const known = new Set(ids);
    const used = known.has(defaultId) ? defaultId : shippedModelId;
    const summaries = await Promise.all(ids.map((id) => this.#summary(id, used)));
    return summaries.sort(
      (one, other) =>
        Number(other.ships) - Number(one.ships) ||
        Number(other.id === shippedModelId) - Number(one.id === shippedModelId) ||
        other.createdAt.localeCompare(one.createdAt),
    );
  }

  /** The model in the data folder whose network has this SHA-256, the latest of several; null where there is none. */
  async idOf(onnxSha256: string): Promise<string | null> {
    const models = await this.list(shippedModelId);
    return models.find((model) => !model.ships && model.onnxSha256 === onnxSha256)?.id ?? null;
  }

  /** The model with this SHA-256, shipped or not, the latest of several; null where it is not here or its card cannot be read. */
  async bySha256(onnxSha256: string): Promise<Model | null> {
    const models = await this.list(shippedModelId);
    const found = models.find((model) => model.onnxSha256 === onnxSha256 && model.problem === null);
    return found ? this.get(found.id, shippedModelId) : null;
  }

  /** @throws UserFacingError `not-found`, `model` for a card that cannot be read. */
  async get(id: string, defaultId: string): Promise<Model> {
    const folder = await this.folderOf(id);
    const { card, problem } = await this.#read(id);
    if (!card) throw new UserFacingError('model', problem?.message ?? 'The card cannot be read.', { path: folder });
    const summary = await this.#summary(id, defaultId);
    const { figures, records, notes } = card;
    const companions = await companionsOf(folder, card);
    return { ...summary, folder, figures, records, notes, companions, card: { ...card } };
  }

  /** @throws UserFacingError `not-found`, `model-ships`, `unwritable` */
  async rename(id: string, name: string): Promise<void> {
    await this.#change(async () => {
      this.#mustNotShip(id, 'renamed');
      const path = join(await this.folderOf(id), 'card.json');
      // As it lies there: a signature over the rest goes on holding.
      const card = JSON.parse(await readFile(path, 'utf8')) as object;
      cardSchema.parse(card);
      await writeFileWhole(path, `${JSON.stringify({ ...card, name }, null, 1)}\n`);
    });
  }

  /** Packs a model into a file. @throws UserFacingError `not-found`, `model`, `unwritable` */
  async export(id: string, path: string): Promise<void> {
    await exportModel(await this.folderOf(id), path);
  }

  /**
   * Takes a packed model in, under a folder's name that is free, and keeps where it came from. It is for screening, whatever its
   * card says, unless it bears the signature of this installation or of a laboratory that was accepted here.
   * @returns its id
   * @throws UserFacingError `model-archive`, `model-exists` where the same model is there, `unwritable`
   */
  async import(path: string, signal?: AbortSignal): Promise<string> {
    return this.#staged(async (staging) => {
      await ensureFolder(staging).catch((error: unknown) => {
        throw unwritable(staging, error);
      });
      await unpackModel(path, staging, signal);
      const text = await readFile(join(staging, 'card.json'), 'utf8');
      await this.#mustBeNew(text);
      const raw = JSON.parse(text) as Record<string, unknown>;
      const claimed = cardSchema.parse(raw);
      const vouched = claimed.status === 'validated' && standingOf(claimed, raw, dataFolder()) !== 'unsealed';
      // What was signed stays to the letter.
      const card = vouched
        ? { ...raw, name: claimed.name, origin: originOf(claimed, path, text) }
        : imported(claimed, path, text);
      await writeFileWhole(join(staging, 'card.json'), `${JSON.stringify(card, null, 1)}\n`);
      return this.adopt(staging, card.name);
    });
  }

  /**
   * Takes in a detector that others trained, with the card that a laboratory wrote for it: see `takeInDetector`.
   * @returns its id
   */
  async importDetector(graph: string, card: string, application: string, signal?: AbortSignal): Promise<string> {
    return this.#staged(async (staging) => {
      const { card: taken } = await takeInDetector({ graph, card, out: staging }, application, signal);
      for (const { id, name, onnxSha256 } of await this.list(shippedModelId)) {
        if (onnxSha256 !== identityOf(taken)) continue;
        throw new UserFacingError('model-exists', `This model is there already: ${name}.`, { path: id });
      }
      return this.adopt(staging, taken.name);
    });
  }

  /**
   * Has a model written, which is on the list once it is whole.
   * @param write writes it into a folder; false where it came to none
   * @returns its id, or null
   */
  async make(name: string, write: (folder: string) => Promise<boolean>): Promise<string | null> {
    return this.#staged(async (staging) => ((await write(staging)) ? this.adopt(staging, name) : null));
  }

  /** Works in a folder that is on no list, and of which nothing is left. */
  async #staged<T>(work: (staging: string) => Promise<T>): Promise<T> {
    const staging = join(this.#folder, `.import-${randomBytes(8).toString('hex')}`);
    try {
      return await work(staging);
    } finally {
      await rm(staging, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Moves a finished model's folder among the models. @returns its id */
  async adopt(folder: string, name: string): Promise<string> {
    return this.#change(async () => {
      await ensureFolder(this.#folder).catch((error: unknown) => {
        throw unwritable(this.#folder, error);
      });
      const plain = folderName(name);
      for (let number = 1; ; number++) {
        const id = number === 1 ? plain : `${plain}-${number}`;
        const place = join(this.#folder, id);
        // Taken by making it: a folder that stands is never written over.
        const free = await mkdir(place).then(
          () => true,
          (error: NodeJS.ErrnoException) => {
            if (error.code === 'EEXIST') return false;
            throw unwritable(place, error);
          },
        );
        if (!free) continue;
        if (process.platform === 'win32') await rm(place, { recursive: true });
        await rename(folder, place);
        return id;
      }
    });
  }

  /** @throws UserFacingError `not-found`, `model-ships` */
  async delete(id: string): Promise<void> {
    await this.#change(async () => {
      this.#mustNotShip(id, 'deleted');
      const folder = await this.folderOf(id);
      // Out of the list at once, whatever becomes of its files.
      const trash = join(this.#folder, `.deleted-${randomBytes(8).toString('hex')}`);
      await rename(folder, trash).catch((error: unknown) => {
        throw unwritable(folder, error);
      });
      await rm(trash, { recursive: true, force: true });
    });
  }

  /** Removes what an earlier engine left half done. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (/^\.(?:import|deleted)-[0-9a-f]{16}$/.test(name)) {
        await rm(join(this.#folder, name), { recursive: true, force: true }).catch(() => undefined);
      }
    }
  }

  #mustNotShip(id: string, what: string): void {
    if (shippedFolder(id) === null) return;
    throw new UserFacingError('model-ships', `The model that comes with Earwitness cannot be ${what}.`);
  }

  async #mustBeNew(cardText: string): Promise<void> {
    for (const { id, name } of await this.list(shippedModelId)) {
      const there = await readFile(join(await this.folderOf(id), 'card.json'), 'utf8').catch(() => '');
      const { card } = await this.#read(id);
      if (there !== cardText && card?.origin?.cardSha256 !== sha256(cardText)) continue;
      throw new UserFacingError('model-exists', `This model is there already: ${name}.`);
    }
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const changing = this.#last.then(async () => {
      const result = await work();
      this.#onChange();
      return result;
    });
    this.#last = changing.catch(() => undefined);
    return changing;
  }

  /** The card, and what is wrong; read anew only where a file changed. */
  async #read(id: string): Promise<Known> {
    const folder = await this.folderOf(id);
    const files = await Promise.all(
      (await readdir(folder, { recursive: true })).sort().map((name) => stat(join(folder, name)).catch(() => null)),
    );
    const stamp = files.map((file) => (file ? `${file.size} ${file.mtimeMs} ${file.ino}` : '-')).join('/');
    const before = this.#known.get(id);
    if (before?.stamp === stamp) return before;
    const known: Known = { stamp, card: null, problem: null };
    try {
      known.card = await readCard(folder);
      for (const [name, sha256] of Object.entries(known.card.files)) {
        const path = join(folder, name);
        if ((await sha256File(path)) === sha256) continue;
        throw new UserFacingError('model', `${path} is not the file that the model's card describes.`, {
          path,
          advice: 'Restore the model from a copy, import it again or delete it.',
        });
      }
      for (const { name } of known.card.companions ?? []) {
        // Encoders come and go without the model: `#summary` looks for them.
        await readModel(join(folder, name)).catch((error: unknown) => {
          if (!(error instanceof EncoderUnavailable)) throw error;
        });
      }
      for (const member of known.card.members) {
        if (member.kind === 'network') await readNetwork({ folder, card: known.card }, member);
        if (member.kind === 'trees') await readTreesOf({ folder, card: known.card }, member);
        if (member.kind === 'foreign') await readForeign({ folder, card: known.card }, member);
      }
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      known.problem = userError(error);
    }
    this.#known.set(id, known);
    return known;
  }

  async #summary(id: string, defaultId: string): Promise<ModelSummary> {
    const { card, problem } = await this.#read(id);
    // Encoders lie elsewhere, and come and go without the model.
    const encoder = card && problem === null ? await encoderProblem(await this.folderOf(id), card) : null;
    const eerOn = (split: string): number | null =>
      card?.figures.find((figures) => figures.split === split)?.eer ?? null;
    return {
      id,
      name: card?.name ?? id,
      status: card?.status ?? 'screening',
      createdAt: card?.createdAt ?? '',
      network: card ? distinct(card.members.map(networkName)) : '',
      frontEnd: card ? distinct(card.members.flatMap(frontEndName)) : '',
      onnxSha256: card ? identityOf(card) : noHash,
      isDefault: id === defaultId,
      ships: shippedFolder(id) !== null,
      devEer: eerOn('dev'),
      testEer: eerOn('test'),
      problem: encoder !== null && encoder.speaks === null ? userError(encoder.error) : problem,
      otherSpeaks: encoder?.speaks ?? null,
    };
  }
}

/** What is reported of a model's companions. */
async function companionsOf(folder: string, { companions = [] }: Card): Promise<Model['companions']> {
  return Promise.all(
    companions.map(async ({ name, sha256: identity, condition }) => {
      const { figures, records } = await readCard(join(folder, name));
      return { name, sha256: identity, condition: conditionWords(condition), figures, records };
    }),
  );
}

function originOf({ application, status, validation }: Card, path: string, text: string): NonNullable<Card['origin']> {
  return {
    importedAt: new Date().toISOString(),
    file: basename(path),
    cardSha256: sha256(text),
    application,
    status,
    laboratory: validation?.laboratory ?? null,
  };
}

/** A card as it is kept of a model that came from elsewhere and that nobody vouches for here. */
function imported({ seal, validation, ...card }: Card, path: string, text: string): Card {
  const origin = originOf({ ...card, validation }, path, text);
  const { importedAt, file, application, laboratory, status } = origin;
  const claimed =
    status === 'validated'
      ? ` Its card called it validated${laboratory === null ? '' : ` by ${laboratory}`}${seal ? ', by a key that is not accepted here' : ', without a signature'}: here it is for screening until it is validated here, or that laboratory is accepted and the model imported again.`
      : '';
  const note = `Imported on ${importedAt} from ${file}, made by ${application}.${claimed}`;
  return { ...card, status: 'screening', validation: null, origin, notes: [...card.notes, note] };
}

function frontEndName(member: Member): string | [] {
  if (member.kind === 'foreign') return member.input.frontEnd?.type ?? 'the sound itself';
  return member.kind === 'encoder' ? [] : member.frontEnd.type;
}

function networkName(member: Member): string {
  switch (member.kind) {
    case 'network':
      return member.network.name;
    case 'encoder':
      return member.encoder.name;
    case 'trees':
      return 'trees';
    case 'foreign':
      return 'a foreign detector';
  }
}

function distinct(names: readonly string[]): string {
  return [...new Set(names)].join(', ');
}
