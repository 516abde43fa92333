import { heardOf, toggled } from './listening.ts';

/** Which channels of a recording are heard, and how. */
export class Listening {
  #solo: ReadonlySet<number> = $state.raw(new Set());
  #muted: ReadonlySet<number> = $state.raw(new Set());
  /** Louder, or softer. */
  gainDb = $state(0);
  /** Of a selection with a band, only that is heard. */
  bandOnly = $state(false);
  readonly #channels: () => readonly number[];

  /** @param channels of the recording; none where it has but one */
  constructor(channels: () => readonly number[]) {
    this.#channels = channels;
  }

  /** Numbers of the channels; null: the mix of all. */
  get heard(): number[] | null {
    return heardOf(this.#channels(), this.#solo, this.#muted);
  }

  isAlone(channel: number): boolean {
    return this.#solo.has(channel);
  }

  isMuted(channel: number): boolean {
    return this.#muted.has(channel);
  }

  toggleSolo(channel: number): void {
    this.#solo = toggled(this.#solo, channel);
  }

  toggleMute(channel: number): void {
    this.#muted = toggled(this.#muted, channel);
  }

  hearMix(): void {
    this.#solo = new Set();
    this.#muted = new Set();
  }
}
