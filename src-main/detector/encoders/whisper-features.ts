/** What Whisper's encoders take: log-Mel spectra as `WhisperFeatureExtractor` of PyPI's transformers makes them, computed by ONNX Runtime. */
import ort from 'onnxruntime-node';
import { openSession } from '../session.ts';
import { whisperFeaturesOnnx, whisperFraming, whisperNames } from './whisper.ts';

/** Front ends that an encoder's card can declare, by name, with their Mel bands. */
const encoderFrontEnds = { 'whisper-log-mel-80': 80, 'whisper-log-mel-128': 128 } as const;
export type EncoderFrontEnd = keyof typeof encoderFrontEnds;
export const encoderFrontEndNames = Object.keys(encoderFrontEnds) as [EncoderFrontEnd, ...EncoderFrontEnd[]];

/** Shape of what a front end makes of so many samples, a multiple of its hop: [Mel bands, frames]. */
export function frontEndShape(name: EncoderFrontEnd, samples: number): [number, number] {
  return [encoderFrontEnds[name], Math.floor(samples / whisperFraming.hopSamples)];
}

/** Makes features of signals of one length. */
export class WhisperFeatures {
  readonly #session: ort.InferenceSession;
  readonly #samples: number;
  /** The signal with its edges reflected, as far as frames reach: the last frame is left out. */
  readonly #padded: Float32Array;

  private constructor(session: ort.InferenceSession, samples: number) {
    this.#session = session;
    this.#samples = samples;
    const { windowSamples, hopSamples } = whisperFraming;
    this.#padded = new Float32Array(samples + windowSamples - hopSamples);
  }

  /** @param samples at 16 kHz, a multiple of the hop of 160 */
  static async create(name: EncoderFrontEnd, samples: number, threads: number): Promise<WhisperFeatures> {
    const { windowSamples, hopSamples } = whisperFraming;
    const onnx = whisperFeaturesOnnx(encoderFrontEnds[name], samples + windowSamples - hopSamples);
    const session = await openSession(onnx, threads);
    return new WhisperFeatures(session, samples);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }

  /** [Mel bands, frames] */
  async compute(signal: Float32Array): Promise<Float32Array> {
    const padded = this.#padded;
    const edge = whisperFraming.windowSamples / 2;
    padded.set(signal, edge);
    for (let i = 0; i < edge; i++) padded[i] = signal[edge - i];
    for (let at = edge + this.#samples, from = this.#samples - 2; at < padded.length; at++, from--)
      padded[at] = signal[from];
    const input = new ort.Tensor('float32', padded, [1, padded.length]);
    const output = await this.#session.run({ [whisperNames.input]: input });
    return output[whisperNames.features].data as Float32Array;
  }
}
