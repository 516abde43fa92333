import { fillWindow } from '../audio/condition.ts';
import type { AudioSource } from '../audio/types.ts';
import type { Card } from './card.ts';
import { JointScorer } from './scorers.ts';
import { SpeechDetector } from './speech.ts';
import type { RunnableModel } from './store.ts';
import { conditionRecording } from './windows.ts';
import type { WindowPlan } from './windows.ts';

/** Windows short enough to tell half a second from its neighbourhood, filled by repetition as short recordings are. */
export const localisingWindows: WindowPlan = { seconds: 1, hopSeconds: 0.2 };

/** Frames of a course of scores, 20 ms. */
export const frameSeconds = 0.02;

/** A window's score at its place in the recording. */
export interface PlacedScore {
  startSeconds: number;
  endSeconds: number;
  score: number;
}

/** Scores short windows of a recording, one recording after the other. */
export class Localiser {
  readonly #card: Card;
  readonly #plan: WindowPlan;
  readonly #scorer: JointScorer;
  readonly #speech: SpeechDetector | null;

  private constructor(card: Card, plan: WindowPlan, scorer: JointScorer, speech: SpeechDetector | null) {
    this.#card = card;
    this.#plan = plan;
    this.#scorer = scorer;
    this.#speech = speech;
  }

  /** @param threads of ONNX Runtime */
  static async create({ card, members }: RunnableModel, plan: WindowPlan, threads: number): Promise<Localiser> {
    const { conditioning, window } = card;
    const scorer = await JointScorer.create(members, Math.round(window.seconds * conditioning.sampleRateHz), threads);
    const speech = conditioning.speech === 'silero-vad-v5' ? await SpeechDetector.create(threads) : null;
    return new Localiser(card, plan, scorer, speech);
  }

  async dispose(): Promise<void> {
    await this.#scorer.dispose();
    await this.#speech?.dispose();
  }

  /** The windows' scores in order. @throws UserFacingError as `openAudio` */
  async windows(source: AudioSource, signal?: AbortSignal): Promise<PlacedScore[]> {
    const { conditioning, window, thresholds } = this.#card;
    const rateHz = conditioning.sampleRateHz;
    const recording = await conditionRecording(source, {
      conditioning,
      window: this.#plan,
      speech: this.#speech,
      minimumSpeechSeconds: thresholds.minimumSpeechSeconds,
      ...(signal ? { signal } : {}),
    });
    const whole = new Float32Array(Math.round(window.seconds * rateHz));
    const places: Omit<PlacedScore, 'score'>[] = [];
    const scores: number[] = [];
    const { batch } = this.#scorer;
    const flush = async (): Promise<void> => {
      for (const { score } of await this.#scorer.flush()) scores.push(score);
    };
    batch.clear();
    await recording.walk(
      async (samples, { start, length }) => {
        const filled = Math.min(samples.length, whole.length);
        fillWindow(samples.subarray(0, filled), whole);
        batch.add(whole, filled);
        places.push({
          startSeconds: recording.timeline.timeOf(start / rateHz),
          endSeconds: recording.timeline.timeOf((start + length) / rateHz, 'before'),
        });
        if (batch.isFull) await flush();
      },
      () => {
        places.length = scores.length = 0;
        batch.clear();
      },
    );
    await flush();
    return places.map((place, index) => ({ ...place, score: scores[index] }));
  }
}

/**
 * Scores of frames of 20 ms: each the mean of the windows over it, those whose middle is near weighing more; where there is none, that of
 * the nearest frame that has one.
 * @param seconds of the recording
 * @returns empty where there is no window
 */
export function frameScores(windows: readonly PlacedScore[], seconds: number): Float64Array {
  if (windows.length === 0) return new Float64Array(0);
  const count = Math.max(1, Math.round(seconds / frameSeconds));
  const sums = new Float64Array(count);
  const weights = new Float64Array(count);
  for (const { startSeconds, endSeconds, score } of windows) {
    const half = (endSeconds - startSeconds) / 2;
    const from = Math.max(0, Math.ceil(startSeconds / frameSeconds - 0.5));
    for (let frame = from; frame < count; frame++) {
      const time = (frame + 0.5) * frameSeconds;
      if (time >= endSeconds) break;
      // Never zero: a frame that only one window reaches with its end has its score.
      const weight = 1.05 - Math.abs(time - startSeconds - half) / half;
      sums[frame] += weight * score;
      weights[frame] += weight;
    }
  }
  const scored = sums.map((sum, frame) => sum / weights[frame]);
  let last = -1;
  for (let frame = 0; frame <= count; frame++) {
    if (frame < count && weights[frame] === 0) continue;
    // The frames since the last one that has a score: each takes the nearer end's.
    for (let empty = last + 1; empty < frame; empty++) {
      const nearer = last < 0 || (frame < count && frame - empty < empty - last) ? frame : last;
      scored[empty] = scored[nearer];
    }
    last = frame;
  }
  return scored;
}
