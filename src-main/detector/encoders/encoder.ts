/** Frozen encoders: where they lie, their cards, and running them on windows. */
import { access, constants, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { z } from 'zod';
import { UserFacingError } from '../../base/errors.ts';
import { dataFolder } from '../../base/home.ts';
import { applicationRoot } from '../../base/workers.ts';
import { sha256Schema } from '../../../src-common/hashes.ts';
import { sha256 } from '../../base/sha256.ts';
import { encoderName } from '../member.ts';
import { openSession } from '../session.ts';
import { WhisperFeatures, encoderFrontEndNames, frontEndShape } from './whisper-features.ts';

/** What is known of a frozen encoder, `card.json` beside its `encoder.onnx`. */
export const encoderCardSchema = z.object({
  format: z.literal(1),
  name: encoderName,
  /** What it is, and whose work. */
  description: z.string(),
  licence: z.string(),
  source: z.string(),
  /** SHA-256 over the values of the weights that it was made of (`valuesSha256`). */
  weightsSha256: sha256Schema,
  /** Samples at `sampleRateHz` that go in as [N, samples]. */
  input: z.object({ name: z.string(), sampleRateHz: z.int().positive(), samples: z.int().positive() }),
  /** Values that come out as [N, size]. */
  output: z.object({ name: z.string(), size: z.int().positive() }),
  onnxSha256: sha256Schema,
  /** Of an encoder that a laboratory brought, whose layers are pooled here; `output` is then what that makes of them. */
  brought: z
    .object({
      /** Outputs, one a layer, each [1, positions, width]. */
      layers: z.array(z.string().min(1)).min(1),
      width: z.int().positive(),
      /** Axes of its input, whose first are one. */
      axes: z.int().min(1).max(3),
      /** Of a window before it goes in. */
      normalisation: z.enum(['none', 'mean-deviation']),
      /** Samples that go in, zeros after the window's; positions of these zeros are left out. Null: the window alone. */
      padTo: z.int().positive().nullable(),
      /** Computed here of what goes in; absent: the samples themselves. */
      frontEnd: z.enum(encoderFrontEndNames).optional(),
    })
    .optional(),
});
export type EncoderCard = z.infer<typeof encoderCardSchema>;

/** An encoder as it lies on disk. */
export interface StoredEncoder {
  folder: string;
  card: EncoderCard;
  onnx: Uint8Array;
}

/** An encoder that cannot be had: it is not on this machine, or what lies there is not what it should be. */
export class EncoderUnavailable extends UserFacingError {
  constructor(message: string, details: { path?: string; advice?: string; cause?: unknown } = {}) {
    super('model', message, details);
  }
}

/** The encoders of this machine by their cards; damaged ones are left out. */
export async function listEncoders(): Promise<EncoderCard[]> {
  const cards: EncoderCard[] = [];
  const [shipped, own] = encoderFolders('');
  for (const folder of [shipped, own]) {
    for (const name of (await readdir(folder).catch(() => [])).sort()) {
      const text = await readFile(join(folder, name, 'card.json'), 'utf8').catch(() => null);
      const parsed = text === null ? null : encoderCardSchema.safeParse(jsonOrNull(text));
      if (parsed?.success && parsed.data.name === name) cards.push(parsed.data);
    }
  }
  return cards;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Encoders lie in the application's own folder and in the data folder. */
export function encoderFolders(name: string): string[] {
  return [join(applicationRoot(), 'resources', 'encoders', name), join(dataFolder(), 'encoders', name)];
}

/**
 * Reads an encoder, its bytes checked against its card; null where it is nowhere, or the name is none of an encoder's.
 * @throws EncoderUnavailable where its files are not what they should be.
 */
export async function findEncoder(name: string): Promise<StoredEncoder | null> {
  const found = await findEncoderCard(name);
  return found && readEncoder(found);
}

/**
 * Reads an encoder's card alone, and looks whether its graph can be opened; null as {@link findEncoder}.
 * @throws EncoderUnavailable where it is no card, or there is no graph.
 */
export async function findEncoderCard(name: string): Promise<Omit<StoredEncoder, 'onnx'> | null> {
  if (!encoderName.safeParse(name).success) return null;
  for (const folder of encoderFolders(name)) {
    const text = await readFile(join(folder, 'card.json'), 'utf8').catch(() => null);
    if (text === null) continue;
    const parsed = encoderCardSchema.safeParse(jsonOrNull(text));
    if (!parsed.success) {
      const path = join(folder, 'card.json');
      throw new EncoderUnavailable(`${path} is not an encoder's card.`, { path: folder, advice, cause: parsed.error });
    }
    await access(join(folder, graphName), constants.R_OK).catch((cause: unknown) => {
      throw unreadableGraph(folder, cause);
    });
    return { folder, card: parsed.data };
  }
  return null;
}

const graphName = 'encoder.onnx';
const advice = 'Restore the encoder from a copy, or install the application again.';

function unreadableGraph(folder: string, cause: unknown): EncoderUnavailable {
  const path = join(folder, graphName);
  return new EncoderUnavailable(`The encoder's ${path} cannot be read.`, { path, advice, cause });
}

/** The workers of a scan hold one copy then, and not one each. */
function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

async function readEncoder({ folder, card }: Omit<StoredEncoder, 'onnx'>): Promise<StoredEncoder> {
  const path = join(folder, graphName);
  const onnx = await readFile(path).catch((cause: unknown) => {
    throw unreadableGraph(folder, cause);
  });
  if (sha256(onnx) !== card.onnxSha256) {
    throw new EncoderUnavailable(`${path} is not the file that its card describes: its SHA-256 differs.`, {
      path,
      advice,
    });
  }
  return { folder, card, onnx: inSharedMemory(onnx) };
}

/** An encoder ready to run on ONNX Runtime. */
export class Encoder {
  readonly card: EncoderCard;
  readonly #session: ort.InferenceSession;
  readonly #features: WhisperFeatures | null;

  private constructor(card: EncoderCard, session: ort.InferenceSession, features: WhisperFeatures | null) {
    this.card = card;
    this.#session = session;
    this.#features = features;
  }

  /** @param threads of ONNX Runtime; 1 where several run beside one another */
  static async create({ card, onnx }: Pick<StoredEncoder, 'card' | 'onnx'>, threads: number): Promise<Encoder> {
    const { brought, input } = card;
    const session = await openSession(onnx, threads, brought === undefined);
    const features = brought?.frontEnd
      ? await WhisperFeatures.create(brought.frontEnd, brought.padTo ?? input.samples, threads)
      : null;
    return new Encoder(card, session, features);
  }

  async dispose(): Promise<void> {
    await this.#features?.dispose();
    await this.#session.release();
  }

  /**
   * One window's embedding, [output.size].
   * @param window `input.samples` samples, conditioned
   */
  async embed(window: Float32Array): Promise<Float32Array> {
    const { input, output, brought } = this.card;
    if (brought) return this.#pooled(window, brought);
    const results = await this.#session.run({ [input.name]: new ort.Tensor('float32', window, [1, input.samples]) });
    return results[output.name].data as Float32Array;
  }

  /** Layer after layer its means over time and its deviations. @throws UserFacingError `graph` where a layer is not what the card says. */
  async #pooled(window: Float32Array, brought: Brought): Promise<Float32Array> {
    const { name } = this.card.input;
    const { layers, width, axes, normalisation, padTo, frontEnd } = brought;
    const samples = new Float32Array(padTo ?? window.length);
    samples.set(window);
    if (normalisation === 'mean-deviation') standardise(samples.subarray(0, window.length));
    const shape = frontEnd
      ? [1, ...frontEndShape(frontEnd, samples.length)]
      : [...new Array<number>(axes - 1).fill(1), samples.length];
    const values = (await this.#features?.compute(samples)) ?? samples;
    const results = await this.#session
      .run({ [name]: new ort.Tensor('float32', values, shape) }, layers)
      .catch((cause: unknown) => {
        throw new UserFacingError(
          'graph',
          `ONNX Runtime cannot run the encoder on [${shape.join(', ')}]: ${(cause as Error).message}`,
          { cause },
        );
      });
    const pooled = new Float32Array(2 * layers.length * width);
    for (const [index, layer] of layers.entries()) {
      const { data, dims, type } = results[layer];
      if (type !== 'float32' || dims.length !== 3 || dims[0] !== 1 || dims[2] !== width || dims[1] < 1) {
        const is = `${type} [${dims.join(', ')}]`;
        throw new UserFacingError(
          'graph',
          `The layer ${layer} is ${is}, and what the card declares is [1, positions, ${width}].`,
        );
      }
      const positions = Math.max(1, Math.round((dims[1] * window.length) / samples.length));
      poolLayer(data as Float32Array, positions, pooled.subarray(2 * width * index, 2 * width * (index + 1)));
    }
    if (!pooled.every(Number.isFinite)) {
      throw new UserFacingError('graph', 'The encoder gives values that are no numbers.');
    }
    return pooled;
  }
}

type Brought = NonNullable<EncoderCard['brought']>;

/** Mean nought and deviation one, in place, as Hugging Face's extractors do. */
function standardise(samples: Float32Array): void {
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / samples.length;
  const scale = 1 / Math.sqrt(variance + 1e-7);
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] - mean) * scale;
}

/** Means over the first positions of [positions, width], then deviations. */
function poolLayer(values: Float32Array, positions: number, into: Float32Array): void {
  const width = into.length / 2;
  for (let place = 0; place < width; place++) {
    let [sum, squares] = [0, 0];
    for (let at = place; at < positions * width; at += width) sum += values[at];
    const mean = sum / positions;
    for (let at = place; at < positions * width; at += width) squares += (values[at] - mean) ** 2;
    into[place] = mean;
    into[width + place] = Math.sqrt(squares / positions);
  }
}
