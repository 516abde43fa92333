import type { Gap, TimelineNotes } from './types.ts';

/**
 * Sound and timestamps may drift apart by so much before something is missing: containers round times, senders tremble.
 * ffmpeg's `aresample=async=1` waits as long (libswresample, `min_hard_comp`).
 */
const leastGapSeconds = 0.1;
/** A recording that begins by no more than this after the file is not late: delays of codecs are not always declared. */
const leastLateSeconds = 0.05;
/** Of a container's rounding; and sound may reach beyond what it declares by the last packets. */
const durationToleranceSeconds = 1;
/** Where the container says no duration, nothing is believed to last longer: two days. */
const longestSeconds = 48 * 3600;
/** Timestamps are given in milliseconds. */
const stampSeconds = 0.001;

/** Puts packets of sound at their times: what lies between them is a gap, what would lie before their end follows all the same. */
export class Clock {
  readonly notes: TimelineNotes = { startSeconds: 0, gaps: [], overlapSeconds: 0, uncertainFromSeconds: null };
  readonly #limitSeconds: number;
  readonly #rateHz: number;
  #frames = 0;
  #gapSeconds = 0;
  // Time that timestamps are ahead since one of them could not be believed.
  #shiftSeconds = 0;
  // How much of the overlap has been told.
  #lagSeconds = 0;
  // Where timestamps ceased to go on; null where they do.
  #backFromSeconds: number | null = null;
  #last: { timeSeconds: number; seconds: number } | null = null;

  /** @param durationSeconds of the whole file, as its container says; null where it does not */
  constructor(rateHz: number, durationSeconds: number | null) {
    this.#rateHz = rateHz;
    this.#limitSeconds = durationSeconds === null ? longestSeconds : durationSeconds + durationToleranceSeconds;
  }

  /** Where the next sample would sound if nothing were missing before it. */
  get seconds(): number {
    return this.notes.startSeconds + this.#gapSeconds + this.#frames / this.#rateHz;
  }

  /**
   * Takes the next packet.
   * @param timeSeconds of its timestamp, from the file's beginning
   * @returns how many seconds without sound lie before it
   */
  packet(timeSeconds: number, frames: number): number {
    const seconds = frames / this.#rateHz;
    const last = this.#last;
    this.#last = { timeSeconds, seconds };
    const gap = last ? this.#gapBefore(timeSeconds, last) : this.#late(timeSeconds);
    this.#frames += frames;
    return gap;
  }

  #late(timeSeconds: number): number {
    if (timeSeconds <= leastLateSeconds) return 0;
    if (timeSeconds > this.#limitSeconds) {
      this.#disbelieve(timeSeconds);
      return 0;
    }
    this.notes.startSeconds = timeSeconds;
    return timeSeconds;
  }

  #gapBefore(timeSeconds: number, last: { timeSeconds: number; seconds: number }): number {
    const place = this.seconds;
    const ahead = timeSeconds - this.#shiftSeconds - place;
    // ffmpeg gives a packet that steps back the time of the one before it.
    if (timeSeconds <= last.timeSeconds && last.seconds > 2 * stampSeconds) this.#backFromSeconds ??= place;
    else if (ahead > -leastGapSeconds) this.#backFromSeconds = null;
    if (ahead > leastGapSeconds) {
      this.#lagSeconds = 0;
      if (timeSeconds - this.#shiftSeconds > this.#limitSeconds) {
        this.#disbelieve(ahead);
        return 0;
      }
      this.#addGap({ fromSeconds: place, toSeconds: place + ahead });
      return ahead;
    }
    if (-ahead > this.#lagSeconds + leastGapSeconds) {
      if (this.#backFromSeconds === null) this.notes.overlapSeconds += -ahead - this.#lagSeconds;
      else this.notes.uncertainFromSeconds ??= this.#backFromSeconds;
      this.#lagSeconds = -ahead;
    } else if (-ahead < this.#lagSeconds - leastGapSeconds) {
      this.#lagSeconds = Math.max(0, -ahead);
    }
    return 0;
  }

  /** The sound goes on where it is, and later times count from there. */
  #disbelieve(aheadSeconds: number): void {
    this.notes.uncertainFromSeconds ??= this.seconds;
    this.#shiftSeconds += aheadSeconds;
  }

  #addGap(gap: Gap): void {
    this.notes.gaps.push(gap);
    this.#gapSeconds += gap.toSeconds - gap.fromSeconds;
  }
}
