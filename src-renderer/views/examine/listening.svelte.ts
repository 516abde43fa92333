import { heardOf, toggled } from './listening.ts';

/** Which channels of a recording are heard. */
export class Listening {
  #solo: ReadonlySet<number> = $state.raw(new Set());
  #muted: ReadonlySet<number> = $state.raw(new Set());
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
