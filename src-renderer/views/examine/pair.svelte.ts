/** Two recordings of a case that are shown one below the other: the second goes with the first, or has a time axis of its own. */
import type { Found } from '../../../src-common/schemas/traces.ts';
import { client } from '../../state/client.svelte.ts';
import { isBoolean, keep, kept } from '../../state/kept.ts';
import { Examination } from './examination.svelte.ts';
import type { Reading } from './reading.ts';
import { matchedGains } from './listening.ts';
import { Measuring } from './measuring.svelte.ts';
import { shifted } from './time-window.ts';
import type { Span } from './time-window.ts';

/** Which recording a stretch is of; the other one is searched. */
interface Wanted {
  of: Examination;
  span: Span;
}

/** Looks where a stretch of the one occurs in the other. */
class Search extends Measuring<Found> {
  wanted: Wanted | null = $state.raw(null);

  async find(of: Examination, span: Span, within: Examination): Promise<void> {
    Object.assign(this, { wanted: { of, span }, result: null });
    const soundOf = ({ evidenceId, readAll, channel }: Examination) => ({
      ...{ evidenceId, readAll },
      ...(channel === null ? {} : { channel }),
    });
    const request = {
      ...{ caseId: of.caseId, ...soundOf(of), startSeconds: span.start, endSeconds: span.end },
      within: soundOf(within),
    };
    await this.run(
      (signal) => client.traces.find(request, { signal }),
      ({ found }) => found,
    );
  }
}

export class Pair {
  readonly first: Examination;
  readonly second: Examination;
  /** The one that keys, toolbar and menus work on. */
  current: Examination = $state.raw() as Examination;
  readonly search = new Search();
  /** They are heard in turn, equally loud. */
  heardInTurn = $state(false);
  #locked: boolean = $state(kept('examine.locked', true, isBoolean));
  #offsetSeconds = $state(0);

  constructor(first: Examination, evidenceId: number, reading: Reading | null, onreading: (reading: Reading) => void) {
    this.first = first;
    this.second = new Examination({ caseId: first.caseId, evidenceId, reading, onreading });
    this.current = first;
    this.#link();
  }

  /** Begins; returns what ends it, after which the first is shown alone. */
  start(): () => void {
    const end = this.second.start();
    return () => {
      this.search.close();
      this.endComparison();
      this.first.beside = null;
      this.first.setWindow(this.first.window);
      end();
    };
  }

  /** One time axis for both. */
  get locked(): boolean {
    return this.#locked;
  }

  set locked(locked: boolean) {
    // The second stays where it is.
    const { window } = this.second;
    this.#locked = locked;
    keep('examine.locked', locked);
    this.#link();
    if (!locked) this.second.setWindow(window);
  }

  /** How much later something is in the second than in the first. */
  get offsetSeconds(): number {
    return this.#offsetSeconds;
  }

  set offsetSeconds(seconds: number) {
    this.#offsetSeconds = seconds;
    this.#link();
  }

  #link(): void {
    const { first, second } = this;
    const offset = this.#locked ? this.#offsetSeconds : null;
    first.beside = { other: second, offsetSeconds: offset, follows: false };
    second.beside = { other: first, offsetSeconds: offset === null ? null : -offset, follows: true };
    first.setWindow(first.window);
  }

  other(examination: Examination): Examination {
    return examination === this.first ? this.second : this.first;
  }

  /** A time of one of them in the other one. */
  #across(time: number, from: Examination): number {
    return from === this.first ? time + this.#offsetSeconds : time - this.#offsetSeconds;
  }

  /** What each is compared in: its selection; else, locked, that of the other one; else what is in sight. */
  spanOf(examination: Examination): Span {
    const other = this.other(examination);
    if (examination.selection !== null) return examination.selection;
    if (other.selection === null || !this.#locked) return examination.inSight;
    const across = shifted(other.selection, this.#across(0, other));
    const within = { start: Math.max(0, across.start), end: Math.min(examination.duration, across.end) };
    return within.end > within.start ? within : examination.inSight;
  }

  /** What is at the two playheads is at the same time from now on. */
  lineUpPlayheads(): void {
    this.offsetSeconds = this.second.player.time - this.first.player.time;
  }

  /** Has both heard in turn, the louder one made softer to the level of the other. */
  async compare(): Promise<void> {
    const { first, second } = this;
    const levels = await Promise.all(
      [first, second].map((one) => one.levelOf(this.spanOf(one), { channel: one.channel, bandOnly: false })),
    );
    const [ofFirst, ofSecond] = matchedGains([levels[0], levels[1]]);
    first.listening.matchedDb = ofFirst;
    second.listening.matchedDb = ofSecond;
    this.heardInTurn = true;
  }

  endComparison(): void {
    this.heardInTurn = false;
    for (const { listening } of [this.first, this.second]) listening.matchedDb = 0;
  }

  /** Goes on with the other one: where the axis is locked, from the same place. */
  swap(): void {
    const from = this.current;
    const to = this.other(from);
    const plays = from.player.playing;
    from.player.pause();
    if (this.#locked) to.player.seek(Math.min(Math.max(this.#across(from.player.time, from), 0), to.duration));
    this.current = to;
    if (plays) to.togglePlaying();
  }

  /** Looks where the selection of the current one occurs in the other one. */
  async find(): Promise<void> {
    const { current } = this;
    if (current.selection !== null) await this.search.find(current, current.selection, this.other(current));
  }

  /** Shows a place that was found. @param lineUp sets the offset so that the stretch and the place lie below one another */
  visit({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number }, lineUp: boolean): void {
    const { wanted } = this.search;
    if (wanted === null) return;
    const within = this.other(wanted.of);
    if (lineUp) {
      const later = startSeconds - wanted.span.start;
      this.locked = true;
      this.offsetSeconds = within === this.second ? later : -later;
    }
    within.select({ start: startSeconds, end: endSeconds });
    within.player.seek(startSeconds);
    within.showSpan({ start: startSeconds, end: endSeconds });
    this.current = within;
  }
}
