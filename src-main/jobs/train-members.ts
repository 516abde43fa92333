/** How a model's members are made from recordings, each kind in its own way. */
import { readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { UserFacingError, describeError } from '../base/errors.ts';
import { ensureFolder, writeFileWhole } from '../base/files.ts';
import { sha256 } from '../base/sha256.ts';
import type { Conditioning } from '../audio/condition.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { defaultMinimumSpeechSeconds } from '../detector/card.ts';
import { Encoder, findEncoder } from '../detector/encoders/encoder.ts';
import type { StoredEncoder } from '../detector/encoders/encoder.ts';
import { fitLogistic } from '../detector/logistic.ts';
import type { LogisticModel } from '../detector/logistic.ts';
import type { EncoderMember, NetworkMember } from '../detector/member.ts';
import { readSafetensors, writeSafetensors } from '../detector/safetensors.ts';
import { exampleWeights } from '../detector/sampling.ts';
import type { MemberContent } from '../detector/scorers.ts';
import { SpeechDetector } from '../detector/speech.ts';
import { headFile, networkFiles } from '../detector/store.ts';
import type { ModelFiles } from '../detector/store.ts';
import { trainNetwork } from '../detector/train.ts';
import type { TrainingEvent, TrainingPlan } from '../detector/train.ts';
import { ConditioningMemory, conditionRecording } from '../detector/windows.ts';
import type { WindowPlan } from '../detector/windows.ts';

/** A member that has been made, its weight one. */
export interface FittedMember {
  content: MemberContent;
  files: ModelFiles;
  /** SHA-256 of every recording used, in the order of the items; null where one was left out. */
  trainSha256: (string | null)[];
  devSha256: (string | null)[];
}

export interface FitOptions {
  resume: boolean;
  signal?: AbortSignal;
  onEvent: (event: TrainingEvent) => void;
}

interface FitData {
  train: readonly DatasetItem[];
  dev: readonly DatasetItem[];
}

export interface MemberTrainer {
  readonly name: string;
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

/** Fits a head to a frozen encoder, whose embeddings of the recordings are made once. */
export class EncoderTrainer implements MemberTrainer {
  readonly name: string;
  readonly #encoder: StoredEncoder;
  readonly #settings: { conditioning: Conditioning; window: WindowPlan };
  readonly #strength: number;
  /** Where embeddings are kept from run to run. */
  readonly #cache: string;
  readonly #known = new Map<string, Embedding>();
  #cached: Map<string, Float32Array> | null = null;

  private constructor(
    name: string,
    encoder: StoredEncoder,
    settings: { conditioning: Conditioning; window: WindowPlan },
    strength: number,
    cache: string,
  ) {
    this.name = name;
    this.#encoder = encoder;
    this.#settings = settings;
    this.#strength = strength;
    this.#cache = cache;
  }

  /** @throws UserFacingError `model` where the encoder is not on this machine or does not fit the windows. */
  static async create(options: {
    name: string;
    encoder: string;
    settings: { conditioning: Conditioning; window: WindowPlan };
    strength: number;
    cache: string;
  }): Promise<EncoderTrainer> {
    const { name, settings, strength, cache } = options;
    const encoder = await findEncoder(options.encoder);
    if (encoder === null) {
      throw new UserFacingError('model', `The encoder ${options.encoder} is not on this machine.`, {
        advice: 'Add it, or train without it.',
      });
    }
    const { sampleRateHz, samples } = encoder.card.input;
    const { conditioning, window } = settings;
    if (sampleRateHz !== conditioning.sampleRateHz || samples !== Math.round(window.seconds * sampleRateHz)) {
      throw new UserFacingError(
        'model',
        `The encoder ${options.encoder} takes ${samples} samples at ${sampleRateHz} Hz.`,
        {
          advice: 'Its windows must be those of the other members.',
        },
      );
    }
    return new EncoderTrainer(name, encoder, settings, strength, cache);
  }

  async fit(data: FitData, _folder: string, _chooses: boolean, options: FitOptions): Promise<FittedMember> {
    await this.#embed(data.train, options);
    const embeddings = data.train.map(({ path }) => this.#known.get(path) as Embedding);
    const used = [...embeddings.keys()].filter((index) => embeddings[index].values !== null);
    const rows = used.map((index) => embeddings[index].values as Float32Array);
    const items = used.map((index) => data.train[index]);
    const head = fitHead(rows, items, this.#strength);
    const { name, weightsSha256, onnxSha256, output } = this.#encoder.card;
    const member: EncoderMember = {
      kind: 'encoder',
      name: this.name,
      weight: 1,
      encoder: { name, weightsSha256, onnxSha256, size: output.size },
      head: `${this.name}.safetensors`,
      training: { strength: this.#strength },
    };
    const { card, onnx } = this.#encoder;
    const content = { member, encoder: { card, onnx }, head };
    const trainSha256 = embeddings.map(({ sha256: hash, values }) => (values === null ? null : hash));
    return { content, files: headFile(member, head), trainSha256, devSha256: data.dev.map(() => null) };
  }

  /** Embeds those recordings that are not known yet. */
  async #embed(items: readonly DatasetItem[], { signal, onEvent }: FitOptions): Promise<void> {
    const open = items.filter(({ path }) => !this.#known.has(path));
    if (open.length === 0) return;
    const cached = (this.#cached ??= await readEmbeddings(this.#cache));
    const { conditioning, window } = this.#settings;
    const encoder = await Encoder.create(this.#encoder, availableParallelism());
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
          const key = sha256(JSON.stringify([embedding.sha256, conditioning, window, this.#encoder.card.onnxSha256]));
          let values = cached.get(key) ?? null;
          if (values === null) {
            const recording = await conditionRecording(
              { path, bytes },
              { conditioning, window, speech, minimumSpeechSeconds: defaultMinimumSpeechSeconds, memory },
            );
            const windows: Float32Array[] = [];
            await recording.walk(
              async (samples) => void windows.push(Float32Array.from(await encoder.embed(samples))),
              () => (windows.length = 0),
            );
            values = meanOf(windows);
            if (values !== null) cached.set(key, values);
          }
          embedding.values = values;
          if (values === null) onEvent({ type: 'excluded', path, why: 'it holds no sound' });
        } catch (error) {
          onEvent({ type: 'excluded', path, why: describeError(error) });
        }
        onEvent({ type: 'prepare', done: done + 1, total: open.length });
      }
    } finally {
      await encoder.dispose();
      await speech?.dispose();
      await ensureFolder(join(this.#cache, '..'));
      await writeFileWhole(this.#cache, writeSafetensors(cached));
    }
  }
}

/** What is kept there; nothing where it is damaged, since it can be made again. */
async function readEmbeddings(path: string): Promise<Map<string, Float32Array>> {
  try {
    return readSafetensors(await readFile(path), path).arrays;
  } catch {
    return new Map();
  }
}

function meanOf(rows: readonly Float32Array[]): Float32Array | null {
  if (rows.length === 0) return null;
  return rows[0].map((_, place) => rows.reduce((sum, row) => sum + row[place], 0) / rows.length);
}

/** A head on values brought to mean nought and deviation one; that is folded into it, so that it takes them as they come. */
function fitHead(rows: readonly Float32Array[], items: readonly DatasetItem[], strength: number): LogisticModel {
  const size = rows[0].length;
  const mean = new Float64Array(size);
  const scale = new Float64Array(size);
  for (const row of rows) for (let i = 0; i < size; i++) mean[i] += row[i] / rows.length;
  for (const row of rows) for (let i = 0; i < size; i++) scale[i] += (row[i] - mean[i]) ** 2 / rows.length;
  for (let i = 0; i < size; i++) scale[i] = 1 / Math.sqrt(Math.max(scale[i], 1e-12));
  const features = new Float32Array(rows.length * size);
  rows.forEach((row, at) => row.forEach((value, i) => (features[at * size + i] = (value - mean[i]) * scale[i])));
  const labels = Uint8Array.from(items, ({ label }) => Number(label === 'bonafide'));
  const { kernel, bias } = fitLogistic({ features, labels, weights: exampleWeights(items) }, strength);
  const folded = kernel.map((value, i) => value * scale[i]);
  return { kernel: folded, bias: folded.reduce((sum, value, i) => sum - value * mean[i], bias) };
}

/** Checkpoints of the members of a model that has several. */
export function membersFolder(folder: string): string {
  return join(folder, 'checkpoint-members');
}

export async function removeMembers(folder: string): Promise<void> {
  await rm(membersFolder(folder), { recursive: true, force: true });
}
