/** How a model's members are made from recordings, each kind in its own way. */
import { readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describeError } from '../base/errors.ts';
import { sha256 } from '../base/sha256.ts';
import type { Conditioning } from '../audio/condition.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import { Encoder, findEncoder } from '../detector/encoders/encoder.ts';
import type { StoredEncoder } from '../detector/encoders/encoder.ts';
import { EmbeddingCache, trimEmbeddings } from '../detector/encoders/embedding-cache.ts';
import type { EncoderMember, NetworkMember, TreesMember } from '../detector/member.ts';
import type { MemberContent } from '../detector/scorers.ts';
import { filledOf } from '../detector/spans.ts';
import { SpeechDetector } from '../detector/speech.ts';
import { headFile, networkFiles, treesFile } from '../detector/store.ts';
import type { ModelFiles } from '../detector/store.ts';
import { createFrontEnd, soundFor } from '../features/front-end.ts';
import type { FrontEndParameters } from '../features/front-end.ts';
import { averaged } from '../detector/trees.ts';
import { fitTrees } from '../training/boosting.ts';
import { exampleWeights } from '../training/sampling.ts';
import { trainNetwork } from '../training/train.ts';
import type { TrainingEvent, TrainingPlan } from '../training/train.ts';
import { ConditioningMemory, conditionRecording } from '../detector/windows.ts';
import type { WindowPlan } from '../detector/windows.ts';
import { mustFitWindows, notOnThisMachine } from './check-training.ts';
import { chooseHead, copiesWeighted, fitHead, placesOf } from './choose-head.ts';

/** A member that has been made, its weight one. */
export interface FittedMember {
  content: MemberContent;
  files: ModelFiles;
  /** SHA-256 of every recording used, in the order of the items; null where one was left out. */
  trainSha256: (string | null)[];
  devSha256: (string | null)[];
  /** Of the copies that were used, in their order; null where one was left out. Networks use none. */
  copySha256?: (string | null)[];
}

/** An encoder looks at recordings. */
export interface EmbedEvent {
  type: 'embed';
  done: number;
  total: number;
}

export interface FitOptions {
  resume: boolean;
  signal?: AbortSignal;
  onEvent: (event: TrainingEvent | EmbedEvent) => void;
}

interface FitData {
  train: readonly DatasetItem[];
  dev: readonly DatasetItem[];
  /** Copies of `train` through codecs, noise and the like, for those members that learn from them: an encoder's head. */
  copies?: readonly DatasetItem[] | undefined;
}

export interface MemberTrainer {
  readonly name: string;
  /** That it takes, or takes at most; null where it is no network. */
  readonly epochs: number | null;
  /**
   * @param folder where it may keep checkpoints
   * @param chooses whether dev may choose among what was trained
   * @throws as `trainNetwork`
   */
  fit(data: FitData, folder: string, chooses: boolean, options: FitOptions): Promise<FittedMember>;
}

/** Trains a network. */
export class NetworkTrainer implements MemberTrainer {
  readonly name: string;
  readonly epochs: number;
  readonly #plan: TrainingPlan;
  readonly #files: Pick<NetworkMember, 'onnx' | 'weights'>;
  readonly #from: NetworkMember['training']['from'];

  constructor(
    name: string,
    plan: TrainingPlan,
    files: Pick<NetworkMember, 'onnx' | 'weights'>,
    from: NetworkMember['training']['from'],
  ) {
    this.name = name;
    this.epochs = plan.epochs;
    this.#plan = plan;
    this.#files = files;
    this.#from = from;
  }

  async fit(data: FitData, folder: string, chooses: boolean, options: FitOptions): Promise<FittedMember> {
    const plan: TrainingPlan = chooses ? this.#plan : { ...this.#plan, keep: 'last' };
    const outcome = await trainNetwork(plan, data, folder, options);
    const { network, settings, batchSize, learningRate, weightDecay, averagedSteps } = plan;
    const { sampling, schedule, labelSmoothing, keep } = plan;
    const { epochs, bestEpoch, clipsPerEpoch, history, weights, trainSha256, devSha256 } = outcome;
    const member: NetworkMember = {
      kind: 'network',
      name: this.name,
      weight: 1,
      frontEnd: settings.frontEnd,
      network,
      ...this.#files,
      training: {
        ...{ epochs, bestEpoch, clipsPerEpoch, batchSize, learningRate, weightDecay, averagedSteps },
        ...{ sampling, schedule, labelSmoothing, keep },
        ...(settings.cropSeconds === undefined ? {} : { cropSeconds: settings.cropSeconds }),
        augmentation: settings.augmentation,
        from: this.#from,
        history,
      },
    };
    const files = networkFiles(member, network, weights);
    return { content: { member, onnx: files.get(member.onnx) as Uint8Array }, files, trainSha256, devSha256 };
  }
}

/** What an encoder makes of a recording: the mean over its windows; null where it holds no sound or cannot be read. */
interface Embedding {
  sha256: string | null;
  values: Float32Array | null;
}

/** Of the fit where nothing is chosen. */
const usualStrength = 0.001;

/** What makes values of windows. */
interface WindowValues {
  /** @param filled how many samples are the recording's; the rest are they again */
  of(window: Float32Array, filled: number): Promise<Float32Array> | Float32Array;
  dispose(): Promise<void>;
}

/** Values of recordings, made once: the mean over the windows of each. */
class RecordingValues {
  readonly #settings: { conditioning: Conditioning; window: WindowPlan };
  readonly #size: number;
  readonly #open: () => Promise<WindowValues> | WindowValues;
  /** Where they are kept from run to run, and from model to model. */
  readonly #cache: EmbeddingCache;
  readonly #known = new Map<string, Embedding>();

  /** @param madeOf what the values depend on beside recording and settings */
  constructor(
    settings: { conditioning: Conditioning; window: WindowPlan },
    size: number,
    madeOf: unknown[],
    open: () => Promise<WindowValues> | WindowValues,
  ) {
    this.#settings = settings;
    this.#size = size;
    this.#open = open;
    this.#cache = new EmbeddingCache([...madeOf, settings.conditioning, settings.window]);
  }

  async of(items: readonly DatasetItem[], { signal, onEvent }: FitOptions): Promise<Embedding[]> {
    const open = items.filter(({ path }) => !this.#known.has(path));
    if (open.length > 0) await this.#make(open, signal, onEvent);
    return items.map(({ path }) => this.#known.get(path) as Embedding);
  }

  async #make(
    open: readonly DatasetItem[],
    signal: AbortSignal | undefined,
    onEvent: FitOptions['onEvent'],
  ): Promise<void> {
    const { conditioning, window } = this.#settings;
    const maker = await this.#open();
    const speech = conditioning.speech === 'silero-vad-v5' ? await SpeechDetector.create(1) : null;
    const memory = new ConditioningMemory();
    try {
      for (const [done, { path }] of open.entries()) {
        signal?.throwIfAborted();
        const embedding: Embedding = { sha256: null, values: null };
        this.#known.set(path, embedding);
        try {
          const bytes = await readFile(path);
          embedding.sha256 = sha256(bytes);
          let values = await this.#cache.get(embedding.sha256, this.#size);
          if (values === null) {
            const recording = await conditionRecording(
              { path, bytes },
              { conditioning, window, speech, minimumSpeechSeconds: defaultMinimumSpeechSeconds, memory },
            );
            const windows: Float32Array[] = [];
            await recording.walk(
              async (samples, span) =>
                void windows.push(Float32Array.from(await maker.of(samples, filledOf(span, samples.length)))),
              () => (windows.length = 0),
            );
            values = meanOf(windows);
            if (values !== null) await this.#cache.set(embedding.sha256, values);
          }
          embedding.values = values;
          if (values === null) onEvent({ type: 'excluded', path, why: 'it holds no sound' });
        } catch (error) {
          onEvent({ type: 'excluded', path, why: describeError(error) });
        }
        onEvent({ type: 'embed', done: done + 1, total: open.length });
      }
    } finally {
      await maker.dispose();
      await speech?.dispose();
      await trimEmbeddings();
    }
  }
}

/** Recordings that have values, with these, and the hashes of all. */
async function valuesOf(values: RecordingValues, data: FitData, options: FitOptions) {
  const all = [...data.train, ...(data.copies ?? [])];
  const embeddings = await values.of(all, options);
  const used = [...embeddings.keys()].filter((index) => embeddings[index].values !== null);
  const hashes = embeddings.map(({ sha256: hash, values: made }) => (made === null ? null : hash));
  return {
    rows: used.map((index) => embeddings[index].values as Float32Array),
    items: used.map((index) => all[index]),
    /** The rows from here on are of copies. */
    originals: used.filter((index) => index < data.train.length).length,
    hashes: {
      trainSha256: hashes.slice(0, data.train.length),
      devSha256: data.dev.map(() => null),
      copySha256: hashes.slice(data.train.length),
    },
  };
}

/** Fits a head to a frozen encoder, whose embeddings of the recordings are made once. */
export class EncoderTrainer implements MemberTrainer {
  readonly name: string;
  readonly epochs = null;
  readonly #encoder: StoredEncoder;
  readonly #values: RecordingValues;
  /** Null: chosen, as are layers and statistics. */
  readonly #strength: number | null;
  readonly #seed: number;

  private constructor(
    name: string,
    encoder: StoredEncoder,
    settings: { conditioning: Conditioning; window: WindowPlan },
    strength: number | null,
    seed: number,
  ) {
    this.name = name;
    this.#encoder = encoder;
    this.#strength = strength;
    this.#seed = seed;
    const { onnxSha256, brought, output } = encoder.card;
    this.#values = new RecordingValues(settings, output.size, [onnxSha256, brought], async () => {
      const running = await Encoder.create(encoder, availableParallelism());
      return { of: (samples) => running.embed(samples), dispose: () => running.dispose() };
    });
  }

  /** @throws UserFacingError `model` where the encoder is not on this machine or does not fit the windows. */
  static async create(options: {
    name: string;
    encoder: string;
    settings: { conditioning: Conditioning; window: WindowPlan };
    /** Null: chosen, with the layers and statistics of an encoder that a laboratory brought, on sources left out. */
    strength: number | null;
    seed: number;
  }): Promise<EncoderTrainer> {
    const { name, settings, strength, seed } = options;
    const encoder = await findEncoder(options.encoder);
    if (encoder === null) throw notOnThisMachine(options.encoder);
    mustFitWindows(encoder.card, settings);
    return new EncoderTrainer(name, encoder, settings, strength, seed);
  }

  async fit(data: FitData, _folder: string, _chooses: boolean, options: FitOptions): Promise<FittedMember> {
    const { rows, items, originals, hashes } = await valuesOf(this.#values, data, options);
    const { brought } = this.#encoder.card;
    const shape = { layers: brought?.layers.length ?? 0, width: brought?.width ?? 0 };
    // On originals: what copies lose is no reason to look elsewhere.
    const choice =
      this.#strength === null && brought
        ? chooseHead(rows.slice(0, originals), items.slice(0, originals), shape, this.#seed)
        : null;
    const strength = choice?.strength ?? this.#strength ?? usualStrength;
    const head = fitHead(rows, items, strength, {
      places: choice ? placesOf(choice, shape) : undefined,
      originals,
    });
    const { name, weightsSha256, onnxSha256, output } = this.#encoder.card;
    const member: EncoderMember = {
      kind: 'encoder',
      name: this.name,
      weight: 1,
      encoder: { name, weightsSha256, onnxSha256, size: output.size },
      head: `${this.name}.safetensors`,
      training: choice ?? { strength },
    };
    const { card, onnx } = this.#encoder;
    const content = { member, encoder: { card, onnx }, head };
    return { content, files: headFile(member, head), ...hashes };
  }
}

/** Fits boosted trees to the values of a front end, which are made once. */
export class TreesTrainer implements MemberTrainer {
  readonly name: string;
  readonly epochs = null;
  readonly #frontEnd: FrontEndParameters;
  readonly #recipe: TreesMember['training'];
  readonly #seed: number;
  readonly #values: RecordingValues;

  constructor(options: {
    name: string;
    frontEnd: FrontEndParameters;
    settings: { conditioning: Conditioning; window: WindowPlan };
    recipe: TreesMember['training'];
    seed: number;
  }) {
    const { frontEnd } = options;
    this.name = options.name;
    this.#frontEnd = frontEnd;
    this.#recipe = options.recipe;
    this.#seed = options.seed;
    this.#values = new RecordingValues(options.settings, createFrontEnd(frontEnd).bins, [frontEnd], () => {
      const made = createFrontEnd(frontEnd);
      return {
        of: (window, filled) => made.compute(soundFor(made, window, filled)),
        dispose: () => Promise.resolve(),
      };
    });
  }

  async fit(data: FitData, _folder: string, _chooses: boolean, options: FitOptions): Promise<FittedMember> {
    const { rows, items, originals, hashes } = await valuesOf(this.#values, data, options);
    const labels = Uint8Array.from(items, ({ label }) => Number(label === 'bonafide'));
    const weights = copiesWeighted(exampleWeights(items), originals);
    const { seeds, ...boosting } = this.#recipe;
    const trees = averaged(
      Array.from({ length: seeds }, (_, index) =>
        fitTrees({ rows, labels, weights }, { ...boosting, seed: this.#seed + index }),
      ),
    );
    const member: TreesMember = {
      ...{ kind: 'trees', name: this.name, weight: 1, frontEnd: this.#frontEnd },
      ...{ trees: `${this.name}.safetensors`, training: this.#recipe },
    };
    return { content: { member, trees }, files: treesFile(member, trees), ...hashes };
  }
}

function meanOf(rows: readonly Float32Array[]): Float32Array | null {
  if (rows.length === 0) return null;
  return rows[0].map((_, place) => rows.reduce((sum, row) => sum + row[place], 0) / rows.length);
}

/** Checkpoints of the members of a model that has several. */
export function membersFolder(folder: string): string {
  return join(folder, 'checkpoint-members');
}

export async function removeMembers(folder: string): Promise<void> {
  await rm(membersFolder(folder), { recursive: true, force: true });
}
