import { heardOf, matchedGains, toggled } from './listening.ts';

/** Two channels that are heard in turn. */
interface Comparison {
  channels: readonly [number, number];
  gainsDb: readonly [number, number];
  current: 0 | 1;
}

/** Which channels of a recording are heard, and how. */
export class Listening {
  #solo: ReadonlySet<number> = $state.raw(new Set());
  #muted: ReadonlySet<number> = $state.raw(new Set());
  /** Louder, or softer. */
  gainDb = $state(0);
  /** What makes it as loud as a recording that it is compared with. */
  matchedDb = $state(0);
  /** Of a selection with a band, only that is heard. */
  bandOnly = $state(false);
  comparison: Comparison | null = $state.raw(null);
  readonly #channels: () => readonly number[];

  /** @param channels of the recording; none where it has but one */
  constructor(channels: () => readonly number[]) {
    this.#channels = channels;
  }

  /** Numbers of the channels; null: the mix of all. */
  get heard(): number[] | null {
    const { comparison } = this;
    if (comparison !== null) return [comparison.channels[comparison.current]];
    return heardOf(this.#channels(), this.#solo, this.#muted);
  }

  /** With what makes those that are compared equally loud. */
  get wholeGainDb(): number {
    const { comparison, gainDb, matchedDb } = this;
    return gainDb + matchedDb + (comparison === null ? 0 : comparison.gainsDb[comparison.current]);
  }

  /** Begins with the first of two channels. @param levelsDbfs null: silence */
  compare(channels: readonly [number, number], levelsDbfs: readonly [number | null, number | null]): void {
    this.comparison = { channels, gainsDb: matchedGains(levelsDbfs), current: 0 };
  }

  /** Goes on with the other one. */
  swap(): void {
    const { comparison } = this;
    if (comparison !== null) this.comparison = { ...comparison, current: comparison.current === 0 ? 1 : 0 };
  }

  isAlone(channel: number): boolean {
    return this.#solo.has(channel);
  }

  isMuted(channel: number): boolean {
    return this.#muted.has(channel);
  }

  toggleSolo(channel: number): void {
    this.comparison = null;
    this.#solo = toggled(this.#solo, channel);
  }

  toggleMute(channel: number): void {
    this.comparison = null;
    this.#muted = toggled(this.#muted, channel);
  }

  hearMix(): void {
    this.comparison = null;
    this.#solo = new Set();
    this.#muted = new Set();
  }
}
