/** Plays a recording, or a part of it over and over: the playhead of the Examine view. wavesurfer.js does the playing. */
import type WaveSurfer from 'wavesurfer.js';
import { isString, keep, kept } from '../../state/kept.ts';
import type { Span } from './time-window.ts';

export class Player {
  readonly media: HTMLAudioElement;
  /** Where the playhead is, in seconds. */
  time = $state(0);
  playing = $state(false);
  loop = $state(false);
  /** Times as fast as it was recorded, at the same pitch. */
  rate = $state(1);
  /** Id of the device that plays; empty: the system's own choice. */
  output: string = $state(kept('examine.output', '', isString));
  /** What is played; null: everything. */
  range: Span | null = $state.raw(null);
  #surfer: WaveSurfer | null = null;
  #frame = 0;
  /** The beginning that is under way, by its number; 0: none. */
  #starting = 0;
  #starts = 0;
  readonly #onFailure: () => void;

  constructor(onFailure: () => void) {
    this.#onFailure = onFailure;
    this.media = document.createElement('audio');
    // Nothing is fetched before it is played.
    this.media.preload = 'none';
    this.media.preservesPitch = true;
    // New sound begins at the usual speed.
    this.media.addEventListener('ratechange', () => {
      if (this.media.playbackRate !== this.rate) this.media.playbackRate = this.rate;
    });
    if (this.output !== '') void this.setOutput(this.output).catch(() => (this.output = ''));
  }

  /** Gives it what is played from now on, from where it is; null: silence. */
  give(url: string | null): void {
    const { media } = this;
    media.muted = url === null;
    if (url === null || media.getAttribute('src') === url) return;
    const [time, plays] = [media.currentTime, this.playing || this.#starting > 0];
    media.src = url;
    if (time > 0) media.currentTime = time;
    if (plays) void this.#playFrom(time);
  }

  /** Takes the one that draws the overview. */
  attach(surfer: WaveSurfer): void {
    this.#surfer = surfer;
    surfer.on('play', () => {
      this.playing = true;
      cancelAnimationFrame(this.#frame);
      this.#follow();
    });
    surfer.on('pause', () => (this.playing = false));
    surfer.on('finish', () => {
      this.playing = false;
      // A selection up to the very end.
      if (this.loop) void this.#playFrom(this.range?.start ?? 0);
    });
    surfer.on('error', () => this.#onFailure());
  }

  setRate(rate: number): void {
    this.rate = rate;
    this.media.defaultPlaybackRate = rate;
    this.media.playbackRate = rate;
  }

  /** @throws DOMException where the device is not there any more */
  async setOutput(device: string): Promise<void> {
    await this.media.setSinkId(device);
    this.output = device;
    keep('examine.output', device);
  }

  seek(time: number): void {
    this.time = time;
    this.#surfer?.setTime(time);
  }

  /** Plays the selection (on from the playhead where it lies in it), or from the playhead on; pauses what plays. */
  toggle(): void {
    const surfer = this.#surfer;
    if (surfer === null) return;
    if (this.playing) {
      this.pause();
      this.time = surfer.getCurrentTime();
      return;
    }
    const { range, time } = this;
    const atEnd = this.time >= surfer.getDuration() - 0.01;
    if (range === null) void this.#playFrom(atEnd ? 0 : time);
    else void this.#playFrom(time >= range.start && time < range.end - 0.01 ? time : range.start);
  }

  pause(): void {
    this.#surfer?.pause();
    // The element tells of it later: what is given until then must not play by itself.
    this.playing = false;
    this.#starting = 0;
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#surfer?.destroy();
    this.#surfer = null;
    this.media.pause();
    this.media.removeAttribute('src');
    this.media.load();
  }

  async #playFrom(time: number): Promise<void> {
    this.seek(time);
    const mine = ++this.#starts;
    this.#starting = mine;
    try {
      await this.#surfer?.play();
    } catch (error) {
      // A pause that comes before the first sound is no failure.
      if (!(error instanceof DOMException && error.name === 'AbortError')) this.#onFailure();
    } finally {
      if (this.#starting === mine) this.#starting = 0;
    }
  }

  #follow(): void {
    const surfer = this.#surfer;
    if (surfer === null || !this.playing) return;
    this.time = surfer.getCurrentTime();
    const { range } = this;
    if (range !== null && this.time >= range.end) {
      if (this.loop) {
        this.seek(range.start);
      } else {
        surfer.pause();
        this.seek(range.end);
        return;
      }
    }
    this.#frame = requestAnimationFrame(() => this.#follow());
  }
}
