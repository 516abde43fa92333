import ort from 'onnxruntime-node';
import type { AudioInfo, AudioSource } from '../audio/types.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEnd } from '../features/front-end.ts';
import type { Card } from './card.ts';
import { findingFor } from './finding.ts';
import type { Finding, Reason } from './finding.ts';
import { onnxNames } from './onnx.ts';
import { conditionRecording } from './windows.ts';

/** Windows scored in one run of the network; always of one recording, so that no score depends on its neighbours. */
const batchWindows = 16;

interface WindowScore {
  startSeconds: number;
  endSeconds: number;
  /** The network's output for this window alone: uncalibrated. */
  score: number;
}

/** What the detector says of one recording. */
export interface Analysis {
  audio: AudioInfo;
  durationSeconds: number;
  activeSeconds: number;
  activeLevelDbfs: number | null;
  clippedFraction: number;
  nonFiniteSamples: number;
  /** Mean of the windows' scores, high for bona fide; null where there is no sound. */
  score: number | null;
  /** Natural logarithm of the likelihood ratio, bona fide over spoof; null where not assessable. */
  llr: number | null;
  finding: Finding;
  reasons: Reason[];
  windows: WindowScore[];
}

/** A model ready to score recordings on ONNX Runtime. */
export class Detector {
  readonly card: Card;
  readonly #session: ort.InferenceSession;
  readonly #frontEnd: FrontEnd;
  readonly #features: Float32Array;
  readonly #windowSize: number;

  private constructor(card: Card, session: ort.InferenceSession) {
    this.card = card;
    this.#session = session;
    this.#frontEnd = createFrontEnd(card.frontEnd);
    const { bins, frames } = card.network.input;
    this.#windowSize = bins * frames;
    this.#features = new Float32Array(batchWindows * this.#windowSize);
  }

  /**
   * @param model the card and the network's bytes
   * @param threads of ONNX Runtime; 1 where several detectors run beside one another
   */
  static async create(model: { card: Card; onnx: Uint8Array }, threads: number): Promise<Detector> {
    const session = await ort.InferenceSession.create(model.onnx, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    return new Detector(model.card, session);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }

  async #runBatch(count: number): Promise<Float32Array> {
    const { bins, frames } = this.card.network.input;
    const input = new ort.Tensor('float32', this.#features.subarray(0, count * this.#windowSize), [
      count,
      1,
      bins,
      frames,
    ]);
    const output = await this.#session.run({ [onnxNames.input]: input });
    return output[onnxNames.output].data as Float32Array;
  }

  /**
   * Scores a recording over its whole length.
   * @throws UserFacingError where it cannot be decoded.
   */
  async analyse(source: AudioSource, signal?: AbortSignal): Promise<Analysis> {
    const { conditioning, window } = this.card;
    const recording = await conditionRecording(source, conditioning, window, signal);
    const { activity, statistics, info, durationSeconds } = recording;
    const scores: number[] = [];
    let filled = 0;
    const flush = async (): Promise<void> => {
      if (filled > 0) scores.push(...(await this.#runBatch(filled)));
      filled = 0;
    };
    for await (const samples of recording.windows()) {
      const at = filled * this.#windowSize;
      this.#frontEnd.compute(samples, this.#features.subarray(at, at + this.#windowSize));
      if (++filled === batchWindows) await flush();
    }
    await flush();

    const score = scores.length > 0 ? scores.reduce((sum, value) => sum + value, 0) / scores.length : null;
    const spanSeconds = (activity.endSample - activity.startSample) / conditioning.sampleRateHz;
    const windowSeconds = Math.min(window.seconds, spanSeconds);
    const { finding, llr, reasons } = findingFor(this.card, {
      score,
      activeSeconds: activity.activeSeconds,
      clippedFraction: statistics.clippedFraction,
      nonFiniteSamples: statistics.nonFiniteSamples,
      truncated: statistics.truncated,
      sampleRateHz: info.sampleRateHz,
    });
    return {
      audio: info,
      durationSeconds,
      activeSeconds: activity.activeSeconds,
      activeLevelDbfs: activity.silent ? null : activity.activeLevelDbfs,
      clippedFraction: statistics.clippedFraction,
      nonFiniteSamples: statistics.nonFiniteSamples,
      score,
      llr,
      finding,
      reasons,
      windows: scores.map((value, index) => {
        const startSeconds = recording.starts[index] / conditioning.sampleRateHz;
        return { startSeconds, endSeconds: startSeconds + windowSeconds, score: value };
      }),
    };
  }
}
