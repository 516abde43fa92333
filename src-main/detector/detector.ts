import '../base/no-telemetry.ts';
import ort from 'onnxruntime-node';
import type { Finding } from '../../src-common/findings.ts';
import type { Timeline } from '../audio/timeline.ts';
import type { AudioInfo, AudioSource, Channel, TimelineNotes } from '../audio/types.ts';
import { createFrontEnd } from '../features/front-end.ts';
import type { FrontEnd } from '../features/front-end.ts';
import type { Card } from './card.ts';
import { findingFor } from './finding.ts';
import { onnxNames } from './onnx.ts';
import { qualityOf } from './quality.ts';
import type { Quality } from './quality.ts';
import type { Reason } from './reason.ts';
import { SpeechDetector } from './speech.ts';
import { missingOf } from './spans.ts';
import type { PlannedSpan } from './spans.ts';
import { ConditioningMemory, conditionRecording } from './windows.ts';

/** A channel whose samples reach this is not silent, whatever the mix is. */
const heardPeak = 0.01;

/** Windows scored in one run of the network; always of one recording, so that no score depends on its neighbours. */
const batchWindows = 16;

interface WindowScore {
  startSeconds: number;
  endSeconds: number;
  /** Share of it that is missing in the recording; absent where nothing is. */
  missingShare?: number;
  /** The network's output for this window alone: uncalibrated. */
  score: number;
}

/** When a window begins and ends in the recording's time, and how much of it is missing. */
function timesOf({ start, length, gaps }: PlannedSpan, timeline: Timeline, rateHz: number): Omit<WindowScore, 'score'> {
  if (timeline.unbroken) return { startSeconds: start / rateHz, endSeconds: start / rateHz + length / rateHz };
  const startSeconds = timeline.timeOf(start / rateHz);
  const endSeconds = timeline.timeOf((start + length) / rateHz, 'before');
  const missing = missingOf(gaps);
  return { startSeconds, endSeconds, ...(missing > 0 ? { missingShare: missing / (length + missing) } : {}) };
}

/** Gaps that are listed in a result; all are counted. */
const mostGaps = 1000;

/** What the detector says of one recording. */
export interface Analysis {
  audio: AudioInfo;
  /** Which of its channels were used. */
  channel: Channel;
  /** With late start and gaps. */
  durationSeconds: number;
  /** Where its sound begins, where it is missing (the first thousand places), and from where on times are uncertain. */
  timeline: TimelineNotes;
  activeSeconds: number;
  activeLevelDbfs: number | null;
  clippedFraction: number;
  nonFiniteSamples: number;
  quality: Quality;
  /** Mean of the windows' scores, high for bona fide; null where there is no sound. */
  score: number | null;
  /** Natural logarithm of the likelihood ratio, bona fide over spoof; null where not assessable. */
  llr: number | null;
  finding: Finding;
  reasons: Reason[];
  windows: WindowScore[];
}

/** What of a file is analysed: by default the mix of the first audio stream's channels. */
export interface Reading {
  /** Counted from 0. */
  stream?: number;
  channel?: Channel;
  /** As in `OpenOptions`. */
  readAll?: boolean;
}

/** A model ready to score recordings on ONNX Runtime, one after the other. */
export class Detector {
  readonly card: Card;
  readonly #session: ort.InferenceSession;
  readonly #speech: SpeechDetector | null;
  readonly #frontEnd: FrontEnd;
  readonly #features: Float32Array;
  readonly #windowSize: number;
  readonly #memory = new ConditioningMemory();

  private constructor(card: Card, session: ort.InferenceSession, speech: SpeechDetector | null) {
    this.card = card;
    this.#session = session;
    this.#speech = speech;
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
    const speech = model.card.conditioning.speech === 'silero-vad-v5' ? await SpeechDetector.create(threads) : null;
    return new Detector(model.card, session, speech);
  }

  async dispose(): Promise<void> {
    await this.#session.release();
    await this.#speech?.dispose();
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
  async analyse(source: AudioSource, signal?: AbortSignal, reading: Reading = {}): Promise<Analysis> {
    const { conditioning, window, thresholds } = this.card;
    const recording = await conditionRecording(source, {
      conditioning,
      window,
      speech: this.#speech,
      minimumSpeechSeconds: thresholds.minimumSpeechSeconds,
      memory: this.#memory,
      ...reading,
      ...(signal ? { signal } : {}),
    });
    const { activity, statistics, info, durationSeconds, timeline } = recording;
    const scores: number[] = [];
    const spans: PlannedSpan[] = [];
    let filled = 0;
    const flush = async (): Promise<void> => {
      if (filled > 0) scores.push(...(await this.#runBatch(filled)));
      filled = 0;
    };
    const probabilities = await recording.walk(
      async (samples, span) => {
        const at = filled * this.#windowSize;
        this.#frontEnd.compute(samples, this.#features.subarray(at, at + this.#windowSize));
        spans.push(span);
        if (++filled === batchWindows) await flush();
      },
      () => {
        scores.length = spans.length = filled = 0;
      },
    );
    await flush();
    this.#memory.trim();
    const quality = qualityOf(recording, conditioning.sampleRateHz, probabilities);

    const score = scores.length > 0 ? scores.reduce((sum, value) => sum + value, 0) / scores.length : null;
    const { finding, llr, reasons } = findingFor(this.card, {
      score,
      activeSeconds: activity.activeSeconds,
      clippedFraction: statistics.clippedFraction,
      nonFiniteSamples: statistics.nonFiniteSamples,
      notes: statistics,
      mixed: (reading.channel ?? 'mix') === 'mix' && info.channels > 1 && statistics.peak > heardPeak,
      mixLossDb: statistics.mixLossDb,
      audioStreams: info.audioStreams,
      stream: info.stream,
      sampleRateHz: info.sampleRateHz,
      windows: scores.length,
      quality,
    });
    return {
      audio: info,
      channel: reading.channel ?? 'mix',
      durationSeconds,
      timeline: {
        startSeconds: statistics.startSeconds,
        gaps: statistics.gaps.slice(0, mostGaps),
        overlapSeconds: statistics.overlapSeconds,
        uncertainFromSeconds: statistics.uncertainFromSeconds,
      },
      activeSeconds: activity.activeSeconds,
      activeLevelDbfs: activity.silent ? null : activity.activeLevelDbfs,
      clippedFraction: statistics.clippedFraction,
      nonFiniteSamples: statistics.nonFiniteSamples,
      quality,
      score,
      llr,
      finding,
      reasons,
      windows: scores.map((value, index) => {
        return { ...timesOf(spans[index], timeline, conditioning.sampleRateHz), score: value };
      }),
    };
  }
}
