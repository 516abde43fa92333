/** Scores whole recordings by a model, and says what may be said of them. */
import type { Finding } from '../../src-common/findings.ts';
import type { Reason, AnalysedWindow } from '../../src-common/schemas/analysis.ts';
import type { Timeline } from '../audio/timeline.ts';
import type { AudioInfo, AudioSource, Channel, TimelineNotes } from '../audio/types.ts';
import { conditionWords } from './card.ts';
import type { Card } from './card.ts';
import { ValidationDistance, qualityPoint } from './distance.ts';
import type { RecordingDistance } from './distance.ts';
import { findingFor } from './finding.ts';
import { qualityOf } from './quality.ts';
import type { Quality } from '../../src-common/schemas/recording.ts';
import { JointScorer } from './scorers.ts';
import { SpeechDetector } from './speech.ts';
import { filledOf, missingOf } from './spans.ts';
import type { PlannedSpan } from './spans.ts';
import type { Companion, RunnableModel } from './store.ts';
import { ConditioningMemory, conditionRecording } from './windows.ts';

/** A channel whose samples reach this is not silent, whatever the mix is. */
const heardPeak = 0.01;

interface WindowScore extends AnalysedWindow {
  /** Its members' outputs, in the card's order; absent where it has but one. */
  members?: number[];
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
export interface DetectorAnalysis {
  audio: AudioInfo;
  /** Which of its channels were used. */
  channel: Channel;
  /** With late start and gaps. */
  durationSeconds: number;
  /** Where its sound begins, where it is missing (the first thousand places), and from where on times are uncertain. */
  timeline: TimelineNotes & {
    /** How many gaps there are; absent where all are listed. */
    gapCount?: number;
  };
  activeSeconds: number;
  activeLevelDbfs: number | null;
  clippedFraction: number;
  nonFiniteSamples: number;
  quality: Quality;
  /** Mean of the windows' scores, high for bona fide; null where there is no sound. */
  score: number | null;
  /** The means of the members' outputs, whose weighted sum it is; absent where the model has but one. */
  members?: { name: string; score: number | null }[];
  /** Natural logarithm of the likelihood ratio, bona fide over spoof; null where not assessable. */
  llr: number | null;
  finding: Finding;
  reasons: Reason[];
  windows: WindowScore[];
  /** How far it lies from what the model was measured on; absent where the card does not say. */
  distances?: RecordingDistance[];
  /** The companion of the model that all this is by; absent where it is by the model itself. */
  companion?: { name: string; sha256: string };
}

/** What of a file is analysed: by default the mix of the first audio stream's channels. */
export interface Reading {
  /** Counted from 0. */
  stream?: number;
  channel?: Channel;
  /** As in `OpenOptions`. */
  readAll?: boolean;
  /** What it was coded in where that is not what it is read from: sound that was cut out of a recording keeps what coding did to it. */
  codec?: string;
}

/** The companion that speaks of such a recording, and why; null where the model speaks itself. */
export function companionFor(
  companions: readonly Companion[],
  { sampleRateHz, codec }: { sampleRateHz: number; codec: string },
  bandwidthHz: number | null,
): { companion: Companion; why: string } | null {
  for (const companion of companions) {
    const { maximumBandwidthHz = 0, maximumSampleRateHz = 0, codecs = [] } = companion.condition;
    if (sampleRateHz <= maximumSampleRateHz) {
      return { companion, why: `It was sampled at ${sampleRateHz} Hz` };
    }
    if (bandwidthHz !== null && bandwidthHz <= maximumBandwidthHz) {
      return { companion, why: `Its sound reaches up to ${bandwidthHz} Hz only` };
    }
    if (codecs.includes(codec)) return { companion, why: `It is coded in ${codec}` };
  }
  return null;
}

/** A model ready to score recordings on ONNX Runtime, one after the other. */
export class Detector {
  readonly card: Card;
  readonly #scorer: JointScorer;
  readonly #speech: SpeechDetector | null;
  readonly #memory = new ConditioningMemory();
  readonly #insteadOf: string | undefined;
  readonly #companions: readonly Companion[];
  readonly #threads: number;
  readonly #distance: ValidationDistance | null;
  /** Those that were needed so far, by name. */
  readonly #opened = new Map<string, Promise<Detector>>();

  private constructor(model: RunnableModel, scorer: JointScorer, speech: SpeechDetector | null, threads: number) {
    this.card = model.card;
    this.#insteadOf = model.insteadOf;
    this.#companions = model.companions ?? [];
    this.#threads = threads;
    this.#scorer = scorer;
    this.#speech = speech;
    this.#distance = model.card.distance ? new ValidationDistance(model.card.distance) : null;
  }

  /**
   * @param threads of ONNX Runtime; 1 where several detectors run beside one another
   */
  static async create(model: RunnableModel, threads: number): Promise<Detector> {
    const { conditioning, window } = model.card;
    const scorer = await JointScorer.create(
      model.members,
      Math.round(window.seconds * conditioning.sampleRateHz),
      threads,
    );
    const speech = conditioning.speech === 'silero-vad-v5' ? await SpeechDetector.create(threads) : null;
    return new Detector(model, scorer, speech, threads);
  }

  async dispose(): Promise<void> {
    for (const opened of this.#opened.values()) await (await opened).dispose();
    await this.#scorer.dispose();
    await this.#speech?.dispose();
  }

  /**
   * Scores a recording over its whole length.
   * @throws UserFacingError where it cannot be decoded.
   */
  async analyse(source: AudioSource, signal?: AbortSignal, reading: Reading = {}): Promise<DetectorAnalysis> {
    return (await this.analyseWithVectors(source, signal, reading)).analysis;
  }

  /**
   * The same, with what the heads of the model's own networks judged by, means over the windows, by member: of those whose graphs tell it
   * (`readModel` with vectors).
   */
  async analyseWithVectors(
    source: AudioSource,
    signal?: AbortSignal,
    reading: Reading = {},
  ): Promise<{ analysis: DetectorAnalysis; vectors: Map<string, Float64Array> }> {
    const { conditioning, window, thresholds } = this.card;
    const { codec: codedIn, ...opening } = reading;
    const recording = await conditionRecording(source, {
      conditioning,
      window,
      speech: this.#speech,
      minimumSpeechSeconds: thresholds.minimumSpeechSeconds,
      memory: this.#memory,
      ...opening,
      ...(signal ? { signal } : {}),
    });
    const { activity, statistics, info, durationSeconds, timeline } = recording;
    const { sampleRateHz } = info;
    const codec = codedIn ?? info.codec;
    const companion = companionFor(this.#companions, { sampleRateHz, codec }, recording.spectrum.effectiveBandwidthHz);
    if (companion) {
      return { analysis: await this.#analyseWith(companion, source, signal, reading), vectors: new Map() };
    }
    const scored: { score: number; members: number[] }[] = [];
    const vectors = new VectorMeans(this.card.members.map(({ name }) => name));
    const flush = async (): Promise<void> => {
      for (const one of await this.#scorer.flush()) {
        vectors.add(one.vectors);
        scored.push({ score: one.score, members: one.members });
      }
    };
    const spans: PlannedSpan[] = [];
    const { batch } = this.#scorer;
    batch.clear();
    const probabilities = await recording.walk(
      async (samples, span) => {
        batch.add(samples, filledOf(span, samples.length));
        spans.push(span);
        if (batch.isFull) await flush();
      },
      () => {
        scored.length = spans.length = 0;
        vectors.clear();
        batch.clear();
      },
    );
    await flush();
    this.#memory.trim();
    const quality = qualityOf(recording, conditioning.sampleRateHz, probabilities);

    const score = meanOf(scored.map((window) => window.score));
    const { members } = this.card;
    const means = vectors.means();
    const distances =
      score === null
        ? null
        : (this.#distance?.of(
            new Map<string, ArrayLike<number>>([
              ...means,
              ['quality', qualityPoint(quality, activity.activeSeconds, conditioning)],
            ]),
          ) ?? null);
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
      sampleRateHz,
      codec,
      windows: scored.length,
      quality,
      ...(distances ? { distances } : {}),
    });
    if (this.#insteadOf !== undefined) {
      reasons.push({ code: 'other-model', sentence: this.#insteadOf, blocking: false });
    }
    const analysis: DetectorAnalysis = {
      audio: info,
      channel: reading.channel ?? 'mix',
      durationSeconds,
      timeline: {
        startSeconds: statistics.startSeconds,
        gaps: statistics.gaps.slice(0, mostGaps),
        ...(statistics.gaps.length > mostGaps ? { gapCount: statistics.gaps.length } : {}),
        overlapSeconds: statistics.overlapSeconds,
        uncertainFromSeconds: statistics.uncertainFromSeconds,
      },
      activeSeconds: activity.activeSeconds,
      activeLevelDbfs: activity.silent ? null : activity.activeLevelDbfs,
      clippedFraction: statistics.clippedFraction,
      nonFiniteSamples: statistics.nonFiniteSamples,
      quality,
      score,
      ...(members.length > 1
        ? {
            members: members.map(({ name }, index) => ({
              name,
              score: meanOf(scored.map((window) => window.members[index])),
            })),
          }
        : {}),
      llr,
      finding,
      reasons,
      windows: scored.map(({ score: value, members: ofMembers }, index) => {
        const window = { ...timesOf(spans[index], timeline, conditioning.sampleRateHz), score: value };
        return members.length > 1 ? { ...window, members: ofMembers } : window;
      }),
      ...(distances ? { distances } : {}),
    };
    return { analysis, vectors: means };
  }

  /** The card of the model or of its companion, whichever an analysis is by. */
  cardOf({ companion }: Pick<DetectorAnalysis, 'companion'>): Card {
    const sha256 = companion?.sha256;
    return this.#companions.find(({ model }) => model.onnxSha256 === sha256)?.model.card ?? this.card;
  }

  /** Has a companion speak in this model's place, which the result says. */
  async #analyseWith(
    { companion, why }: { companion: Companion; why: string },
    source: AudioSource,
    signal: AbortSignal | undefined,
    reading: Reading,
  ): Promise<DetectorAnalysis> {
    const { name, condition, model } = companion;
    const opening = this.#opened.get(name) ?? Detector.create(model, this.#threads);
    this.#opened.set(name, opening);
    const analysis = await (await opening).analyse(source, signal, reading);
    const sentence = `${why}: the model's companion for ${name} speech scored it (${model.onnxSha256.slice(0, 12)}), with a calibration and figures of its own. It speaks of ${conditionWords(condition)}.`;
    const reason = { code: 'companion', sentence, blocking: false };
    return {
      ...analysis,
      reasons: [...analysis.reasons, reason],
      companion: { name, sha256: model.onnxSha256 },
    };
  }
}

/** Means of members' vectors over a recording's windows. */
class VectorMeans {
  readonly #names: readonly string[];
  readonly #sums = new Map<string, Float64Array>();
  #count = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** @param vectors of a window, one a member */
  add(vectors: readonly (Float32Array | null)[]): void {
    this.#count++;
    vectors.forEach((vector, index) => {
      if (vector === null) return;
      const sum = this.#sums.get(this.#names[index]) ?? new Float64Array(vector.length);
      this.#sums.set(this.#names[index], sum);
      for (let i = 0; i < vector.length; i++) sum[i] += vector[i];
    });
  }

  clear(): void {
    this.#sums.clear();
    this.#count = 0;
  }

  means(): Map<string, Float64Array> {
    return new Map([...this.#sums].map(([name, sum]) => [name, sum.map((value) => value / this.#count)]));
  }
}

function meanOf(values: readonly number[]): number | null {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
}
