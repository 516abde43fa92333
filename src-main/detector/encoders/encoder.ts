import '../../base/no-telemetry.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { z } from 'zod';
import { UserFacingError } from '../../base/errors.ts';
import { dataFolder } from '../../base/home.ts';
import { applicationRoot } from '../../base/workers.ts';
import { sha256Schema } from '../../../src-common/hashes.ts';
import { sha256 } from '../../base/sha256.ts';
import { encoderName } from '../member.ts';

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

/** Encoders lie in the application's own folder and in the data folder. */
export function encoderFolders(name: string): string[] {
  return [join(applicationRoot(), 'resources', 'encoders', name), join(dataFolder(), 'encoders', name)];
}

/**
 * Reads an encoder, its bytes checked against its card; null where it is nowhere, or the name is none of an encoder's.
 * @throws EncoderUnavailable where its files are not what they should be.
 */
export async function findEncoder(name: string): Promise<StoredEncoder | null> {
  if (!encoderName.safeParse(name).success) return null;
  for (const folder of encoderFolders(name)) {
    const text = await readFile(join(folder, 'card.json'), 'utf8').catch(() => null);
    if (text !== null) return readEncoder(folder, text);
  }
  return null;
}

async function readEncoder(folder: string, text: string): Promise<StoredEncoder> {
  const path = join(folder, 'encoder.onnx');
  const advice = 'Restore the encoder from a copy, or install the application again.';
  let card: EncoderCard;
  try {
    card = encoderCardSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new EncoderUnavailable(`${join(folder, 'card.json')} is not an encoder's card.`, {
      path: folder,
      advice,
      cause,
    });
  }
  const onnx = await readFile(path).catch((cause: unknown) => {
    throw new EncoderUnavailable(`The encoder's ${path} cannot be read.`, { path, advice, cause });
  });
  if (sha256(onnx) !== card.onnxSha256) {
    throw new EncoderUnavailable(`${path} is not the file that its card describes: its SHA-256 differs.`, {
      path,
      advice,
    });
  }
  return { folder, card, onnx };
}

/** An encoder ready to run on ONNX Runtime. */
export class Encoder {
  readonly card: EncoderCard;
  readonly #session: ort.InferenceSession;

  private constructor(card: EncoderCard, session: ort.InferenceSession) {
    this.card = card;
    this.#session = session;
  }

  /** @param threads of ONNX Runtime; 1 where several run beside one another */
  static async create({ card, onnx }: Pick<StoredEncoder, 'card' | 'onnx'>, threads: number): Promise<Encoder> {
    const session = await ort.InferenceSession.create(onnx, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    return new Encoder(card, session);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }

  /**
   * One window's embedding, [output.size]. Windows go in one by one, since the rounding of activations spans a run.
   * @param window `input.samples` samples, conditioned
   */
  async embed(window: Float32Array): Promise<Float32Array> {
    const { input, output } = this.card;
    const results = await this.#session.run({ [input.name]: new ort.Tensor('float32', window, [1, input.samples]) });
    return results[output.name].data as Float32Array;
  }
}
