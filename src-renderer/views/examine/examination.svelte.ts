/** One recording as it is examined: what is known of it, what is in sight, what is selected, and how it is drawn and played. */
import { mostChannelsShown, mostGainDb, mostMeasuredSeconds, resources } from '../../../src-preload/contract/sound.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import { pointedOut } from '../../../src-common/low-stretches.ts';
import type { LowStretch } from '../../../src-common/low-stretches.ts';
import type { Evidence, Mark } from '../../../src-common/schemas/evidence.ts';
import type { Sound } from '../../../src-common/schemas/sound.ts';
import { app } from '../../state/app.svelte.ts';
import { client, onChange, resourceUrl, errorWords } from '../../state/client.svelte.ts';
import { plural } from '../../format.ts';
import { common } from '../../texts/common.ts';
import { examine } from '../../texts/examine.ts';
import type { Band, FrequencyAxis } from '../../../src-common/frequency-axis.ts';
import { display } from './display.svelte.ts';
import { Explanation, subjectKey } from './explanation.svelte.ts';
import { colourTable, tileColours } from './colour-maps.ts';
import type { ColourMap } from '../../../src-common/colour-maps.ts';
import type { SpectrumAnalysis } from '../../../src-common/schemas/spectrogram.ts';
import { Lane, ResourceError } from './lane.svelte.ts';
import { Listening } from './listening.svelte.ts';
import { Player } from './player.svelte.ts';
import { latestOf, readingOf } from './reading.ts';
import type { Reading } from './reading.ts';
import { Traced } from './traced.svelte.ts';
import {
  clampWindow,
  lengthOf,
  overlap,
  pan,
  shifted,
  windowAround,
  windowWith,
  wholeOf,
  zoomAt,
} from './time-window.ts';
import type { Span } from './time-window.ts';

const settledAfterMs = 150;

export interface ExaminationOf {
  caseId: string;
  evidenceId: number;
  /** Null: what its latest result is of. */
  reading: Reading | null;
  onreading: (reading: Reading) => void;
}

/** How a recording that is shown with another one goes with it: they share frequency axis and colours, and a time axis where it is locked. */
interface Beside {
  other: Examination;
  /** The time in the other of what is at 0 here; null: each has a time axis of its own. */
  offsetSeconds: number | null;
  /** What is in sight is told by the other. */
  follows: boolean;
}

export type Stage = 'loading' | 'preparing' | 'ready' | 'failed';

export class Examination {
  readonly caseId: string;
  readonly evidenceId: number;
  /** Also the sound that the file's headers do not count in is shown, played and analysed. */
  readonly readAll: boolean;
  readonly #reading: Reading | null;
  readonly #onReading: (reading: Reading) => void;
  evidence: Evidence | null = $state.raw(null);
  /** Of the mix. */
  sound: Sound | null = $state.raw(null);
  readonly mix: Lane;
  /** What is shown below one another: the mix of all and every channel, or the only channel, which is its own mix. */
  lanes: Lane[] = $state.raw([]);
  /** The channel that a new mark or analysis is of; null: the mix. */
  channel: number | null = $state(null);
  readonly listening = new Listening(() => this.lanes.flatMap(({ channel }) => channel ?? []));
  /** Address of what is played; null: nothing of it is to be heard. */
  readonly played: string | null = $derived.by(() => {
    const { heard } = this.listening;
    const { wholeGainDb, bandOnly } = this.listening;
    const gainDb = Math.round(10 * Math.min(mostGainDb, Math.max(-mostGainDb, wholeGainDb))) / 10;
    const band = bandOnly ? this.#heardBand : null;
    return heard?.length === 0 ? null : resourceUrl(resources.audio(this, heard, { band, gainDb }));
  });
  /** The result whose finding is shown. */
  analysis: Analysis | null = $state.raw(null);
  error: unknown = $state.raw(null);
  progress: { done: number; total: number | null } = $state.raw({ done: 0, total: null });
  #window: Span = $state.raw({ start: 0, end: 1 });
  /** Another recording that is shown with it; null: none. */
  beside: Beside | null = $state.raw(null);
  selection: Span | null = $state.raw(null);
  /** Of the selection; null: it is of all frequencies. */
  band: Band | null = $state.raw(null);
  /** The band, once it rests: while it is dragged, what is played does not begin anew. */
  #heardBand: Band | null = $state.raw(null);
  #settling: ReturnType<typeof setTimeout> | undefined;
  /** Dragging over a spectrogram selects a band, too. */
  boxing = $state(false);
  /** Of the canvas, in device pixels; told by the widest one. */
  width = $state(0);
  analysing = $state(false);
  readonly player: Player;
  readonly explanation = new Explanation(() => this.caseId);
  readonly traced = new Traced();
  /** What is to be explained, of those that can be; by default the model's score. */
  saliencySubject: string = $state(subjectKey({ method: 'occlusion', member: null }));

  readonly stage: Stage = $derived.by(() => {
    if (this.error !== null) return 'failed';
    if (this.evidence === null) return 'loading';
    return this.sound === null ? 'preparing' : 'ready';
  });
  /** Of this reading. */
  readonly marks: Mark[] = $derived(this.#ofReading(this.evidence?.marks ?? []));
  readonly duration = $derived(this.sound?.durationSeconds ?? 0);
  /** Itself, and what is shown with it. */
  readonly #shownTogether: Examination[] = $derived(this.beside === null ? [this] : [this, this.beside.other]);
  /** What can be brought in sight: it, and as much of another one as is locked to it. */
  readonly extent: Span = $derived.by(() => {
    const { beside, duration } = this;
    const own = wholeOf(duration);
    if (beside === null || beside.offsetSeconds === null || beside.other.duration === 0) return own;
    const other = shifted(wholeOf(beside.other.duration), -beside.offsetSeconds);
    return { start: Math.min(own.start, other.start), end: Math.max(own.end, other.end) };
  });
  /** What of it is in sight. */
  readonly inSight: Span = $derived.by(() => overlap(this.window, wholeOf(this.duration)));
  readonly axis: FrequencyAxis = $derived.by(() => {
    const { scale, topHz } = display.settings;
    // Of two, what both hold.
    const known = this.#shownTogether.flatMap(({ sound }) => sound?.spectrogram.maxHz ?? []);
    const maxHz = known.length === 0 ? 8000 : Math.min(...known);
    return { scale, topHz: Math.min(topHz ?? maxHz, maxHz) };
  });
  /** What the spectrogram is made with. */
  readonly spectra: SpectrumAnalysis = $derived.by(() => {
    const { window, windowMs, overlap } = display.settings;
    return { window, windowMs, overlap };
  });
  /** The stretches that the result points out; null where it gives no times. */
  readonly stretches: LowStretch[] | null = $derived(this.analysis === null ? null : pointedOut(this.analysis));
  /** Jobs that were begun here, by their ids. */
  stretchJobs: ReadonlySet<string> = $state.raw(new Set<string>());
  /** Colours of the spectrogram: grey under a map, whose colours could not be told otherwise. */
  readonly map: ColourMap = $derived(this.explanation.shown === null ? display.map : 'grey');
  /** What would be explained: the selection, else what is in sight; null: the whole recording. */
  readonly spanToExplain: Span | null = $derived.by(() => {
    const { selection, inSight, duration, analysis } = this;
    if (selection !== null) return selection;
    if (lengthOf(inSight) < duration) return inSight;
    return analysis?.stretch ? { start: analysis.stretch.startSeconds, end: analysis.stretch.endSeconds } : null;
  });
  readonly automaticCeiling = $derived.by(() => {
    const lanes = this.#shownTogether.flatMap((one) => one.lanes);
    const found = lanes.flatMap(({ ceilingDb }) => ceilingDb ?? []);
    return found.length === 0 ? 0 : Math.max(...found);
  });
  /** Levels of the darkest and the brightest colour. */
  readonly shown = $derived.by(() => {
    const { ceilingDb: chosen, rangeDb } = display.settings;
    const ceilingDb = chosen === 'automatic' ? this.automaticCeiling : chosen;
    return { floorDb: ceilingDb - rangeDb, ceilingDb };
  });
  readonly colours = $derived(
    this.sound === null ? null : tileColours(colourTable(this.map), this.sound.spectrogram, this.shown),
  );
  readonly #stop = new AbortController();
  #describedFailure = false;

  /**
   * @param of.reading as it was chosen; null: the latest result's
   * @param of.onreading takes another one, which an examination of its own shows
   */
  constructor({ caseId, evidenceId, reading, onreading }: ExaminationOf) {
    this.caseId = caseId;
    display.open(caseId);
    this.evidenceId = evidenceId;
    this.readAll = reading?.readAll ?? false;
    this.#reading = reading;
    this.#onReading = onreading;
    this.player = new Player(() => this.#failedToPlay());
    this.mix = new Lane(this, null);
  }

  /** Begins; returns what ends it. */
  start(): () => void {
    void this.load();
    const stopChanges = onChange((change) => {
      if (change.type === 'engine' && this.error !== null) void this.load();
      if (change.type !== 'evidence' || change.caseId !== this.caseId) return;
      const row = change.rows?.find(({ id }) => id === this.evidenceId);
      if (change.rows === null || row !== undefined) this.#reloadSoon();
    });
    return () => {
      stopChanges();
      clearTimeout(this.#reloading);
      clearTimeout(this.#settling);
      this.#stop.abort();
      for (const lane of new Set([this.mix, ...this.lanes])) lane.close();
      this.explanation.close();
      this.traced.close();
      this.player.close();
    };
  }

  /** Of the lane that is worked on. @param reference path of a record of the mains; null: none */
  measureTraces(reference: string | null): Promise<void> {
    return this.traced.measure(this, reference);
  }

  /** Everything anew: at the beginning, and when a person tries again. */
  async load(): Promise<void> {
    this.error = null;
    try {
      await this.reload();
      const { evidence } = this;
      if (this.#reading === null && evidence !== null && readingOf(evidence.analyses) !== this.readAll) {
        this.choose({ readAll: !this.readAll });
        return;
      }
      await this.#prepare();
      if (this.#reading?.place != null) this.#visit(this.#reading.place);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.error = error;
    }
  }

  /** What is known of the item, anew. */
  async reload(): Promise<void> {
    const { caseId, evidenceId } = this;
    const before = this.evidence;
    const evidence = await client.evidence.get({ caseId, evidenceId }, { signal: this.#stop.signal });
    const latest = latestOf(this.#ofReading(evidence.analyses));
    const shown = this.analysis?.id ?? null;
    // What a person chose to look at stays; what was shown as the latest of its channel makes room for a later one.
    const known = this.#ofReading(before?.analyses ?? []);
    const ofSame = known.filter(({ channel }) => this.laneOf(channel) === this.laneOf(this.analysis?.channel ?? null));
    const isLater = shown === null || (latest !== latestOf(known) && shown === latestOf(ofSame));
    this.evidence = evidence;
    if (before === null && this.#reading?.analysisId != null) {
      await this.show(this.#reading.analysisId);
      return;
    }
    if (latest === null) this.analysis = null;
    else if (isLater) this.#put(await this.#analysis(latest));
    await this.#findResults();
  }

  #ofReading<T extends { readAll: boolean }>(of: readonly T[]): T[] {
    return of.filter(({ readAll }) => readAll === this.readAll);
  }

  /** Has the recording shown in another reading of its file, and there a result or a place. */
  choose(reading: Partial<Reading> & Pick<Reading, 'readAll'>): void {
    this.#onReading({ analysisId: null, place: null, ...reading });
  }

  /** Selects a stretch and shows it, or goes to a point. */
  #visit(place: Span): void {
    if (place.end > place.start) {
      this.select(place);
      this.showSpan(place);
    }
    this.goTo(place.start);
  }

  /** Shows the finding and the windows of a result, in the lane of its channel, which is the one that is worked on from then on. */
  async show(analysisId: number): Promise<void> {
    this.#put(await this.#analysis(analysisId));
    this.channel = this.laneOf(this.analysis?.channel ?? null).channel;
  }

  #analysis(analysisId: number): Promise<Analysis> {
    return client.analyses.get({ caseId: this.caseId, analysisId }, { signal: this.#stop.signal });
  }

  #put(analysis: Analysis): void {
    this.analysis = analysis;
    const lane = this.laneOf(analysis.channel);
    lane.analysis = analysis;
    if (this.lanes.length > 1) lane.folded = false;
  }

  #reloading: ReturnType<typeof setTimeout> | undefined;

  #reloadSoon(): void {
    clearTimeout(this.#reloading);
    this.#reloading = setTimeout(() => {
      this.reload().catch((error: unknown) => {
        // Taken out of the case, or the engine is gone: what is shown stays.
        if (!this.#stop.signal.aborted) errorWords(error);
      });
    }, 150);
  }

  async #prepare(): Promise<void> {
    const { signal } = this.#stop;
    const sound = await this.mix.prepare((progress) => (this.progress = progress), signal);
    this.#window = wholeOf(sound.durationSeconds);
    const numbers = Array.from({ length: Math.min(sound.channels, mostChannelsShown) }, (_, index) => index + 1);
    const channels = sound.channels > 1 ? numbers.map((channel) => new Lane(this, channel)) : [];
    for (const lane of this.lanes) if (lane !== this.mix) lane.close();
    this.lanes = [this.mix, ...channels];
    this.sound = sound;
    if (this.analysis !== null) {
      this.#put(this.analysis);
      this.channel = this.laneOf(this.analysis.channel).channel;
    }
    await this.#findResults();
    for (const lane of channels) void lane.prepareSoon(signal);
  }

  /** The lane that a result or a mark is of. */
  laneOf(channel: Analysis['channel'] | null): Lane {
    const number = channel === 'left' ? 1 : channel === 'right' ? 2 : channel === 'mix' ? null : channel;
    return this.lanes.find((lane) => lane.channel === number) ?? this.mix;
  }

  /** What is marked and analysed from now on is of this lane's channel, and its result is the one that is shown. */
  turnTo(lane: Lane): void {
    this.channel = lane.channel;
    if (lane.analysis !== null) this.analysis = lane.analysis;
  }

  /** Each lane shows the latest result of its channel, and the one that the shown result is of, that. */
  async #findResults(): Promise<void> {
    const { evidence, analysis } = this;
    const all = this.#ofReading(evidence?.analyses ?? []);
    const shown = analysis === null ? null : this.laneOf(analysis.channel);
    await Promise.all(
      this.lanes.map(async (lane) => {
        const id = latestOf(all.filter(({ channel }) => this.laneOf(channel) === lane));
        if (lane === shown) lane.analysis = analysis;
        else if (id === null) lane.analysis = null;
        else if (lane.analysis?.id !== id) {
          lane.analysis = await this.#analysis(id);
        }
      }),
    );
  }

  /** Told of a part of a lane that could not be had. */
  partFailed(error: unknown): void {
    // Once: every tile would say the same.
    if (this.#describedFailure) return;
    this.#describedFailure = true;
    const sentence = error instanceof ResourceError ? error.message : examine.partFailed;
    app.notify(sentence, 'error', { label: common.actions.retry, run: () => this.retryParts() });
  }

  retryParts(): void {
    this.#describedFailure = false;
    for (const lane of this.lanes) lane.retry();
  }

  #failedToPlay(): void {
    if (!this.#stop.signal.aborted) app.notify(examine.playFailed, 'error');
  }

  /** Has two channels heard in turn, as loud as each other in the selection, or in what is in sight. */
  async compare(channels: readonly [number, number]): Promise<void> {
    const { selection, inSight, listening } = this;
    const [one, other] = await Promise.all(
      channels.map((channel) => this.levelOf(selection ?? inSight, { channel, bandOnly: listening.bandOnly })),
    );
    listening.compare(channels, [one, other]);
  }

  /** RMS level in a span, or in its first ten minutes, in dBFS; null: silence. @param of.channel null: the mix */
  async levelOf(
    { start: startSeconds, end }: Span,
    { channel, bandOnly }: { channel: number | null; bandOnly: boolean },
  ): Promise<number | null> {
    const { caseId, evidenceId, readAll } = this;
    const endSeconds = Math.min(end, startSeconds + mostMeasuredSeconds);
    if (endSeconds <= startSeconds) return null;
    const measures = await client.sound.measure({
      ...{ caseId, evidenceId, readAll, startSeconds, endSeconds },
      ...(channel === null ? {} : { channel }),
      band: bandOnly ? this.band : null,
    });
    return (measures.band ?? measures).rmsDbfs;
  }

  // What is in sight

  get window(): Span {
    const { beside } = this;
    return beside?.follows && beside.offsetSeconds !== null
      ? shifted(beside.other.#window, -beside.offsetSeconds)
      : this.#window;
  }

  set window(window: Span) {
    const { beside } = this;
    if (beside?.follows && beside.offsetSeconds !== null) beside.other.#window = shifted(window, beside.offsetSeconds);
    else this.#window = window;
  }

  zoom(factor: number, at?: number): void {
    const { player, window } = this;
    const inSight = player.time >= window.start && player.time <= window.end;
    const around = at ?? (inSight ? player.time : (window.start + window.end) / 2);
    this.window = zoomAt(window, factor, around, this.extent);
  }

  /** Moves by seconds. */
  panBySeconds(seconds: number): void {
    this.window = pan(this.window, seconds, this.extent);
  }

  /** Moves by a part of what is in sight. */
  panBy(part: number): void {
    this.panBySeconds(part * lengthOf(this.window));
  }

  showWhole(): void {
    this.window = this.extent;
  }

  showSpan(span: Span): void {
    this.window = windowAround(span, this.extent);
  }

  setWindow(window: Span): void {
    this.window = clampWindow(window, this.extent);
  }

  /** Puts the playhead somewhere, in sight. */
  goTo(time: number): void {
    const at = Math.min(Math.max(time, 0), this.duration);
    this.player.seek(at);
    this.window = windowWith(this.window, at, this.extent);
  }

  /** Plays or pauses; of two recordings one is heard. */
  togglePlaying(): void {
    this.beside?.other.player.pause();
    this.player.toggle();
  }

  /** @param band of all frequencies where none is given */
  select(span: Span | null, band: Band | null = null): void {
    const { duration } = this;
    const within = span === null ? null : { start: Math.max(0, span.start), end: Math.min(duration, span.end) };
    this.selection = within !== null && within.end > within.start ? within : null;
    this.player.range = this.selection;
    this.band = this.selection === null || band === null ? null : this.#bandWithin(band);
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => (this.#heardBand = this.band), settledAfterMs);
  }

  /** In tenths of Hertz, within what the recording holds; null where nothing is left of it. */
  #bandWithin({ lowHz, highHz }: Band): Band | null {
    const maxHz = this.sound?.spectrogram.maxHz ?? 0;
    const rounded = (hz: number): number => Math.round(10 * Math.min(Math.max(hz, 0), maxHz)) / 10;
    const [low, high] = [rounded(lowHz), rounded(highHz)];
    return high > low && (low > 0 || high < maxHz) ? { lowHz: low, highHz: high } : null;
  }

  // What a person adds

  async addMark(mark: Omit<Mark, 'id' | 'createdAt' | 'readAll'>): Promise<void> {
    const { caseId, evidenceId, readAll } = this;
    await client.marks.add({ caseId, evidenceId, readAll, ...mark });
    await this.reload();
  }

  async updateMark(id: number, mark: Omit<Mark, 'id' | 'createdAt' | 'readAll'>): Promise<void> {
    const { caseId, evidenceId } = this;
    await client.marks.update({ caseId, evidenceId, markId: id, ...mark });
    await this.reload();
  }

  /** Category (or speaker) and colour of many at one stroke. */
  async updateMarks(marks: readonly Mark[], edit: Partial<Pick<Mark, 'category' | 'colour'>>): Promise<void> {
    const { caseId, evidenceId } = this;
    await client.marks.updateAll({ caseId, evidenceId, markIds: marks.map(({ id }) => id), ...edit });
    await this.reload();
    await app.offerUndo(examine.speakers.changed(plural(marks.length, 'mark')));
  }

  /** Deletes a mark, and offers to put it back. */
  async removeMark({ id }: Mark): Promise<void> {
    const { caseId, evidenceId } = this;
    await client.marks.remove({ caseId, evidenceId, markId: id });
    await app.offerUndo(examine.marks.removed);
    await this.reload();
  }

  /** Adds marks, all or none, and offers to take them away again. */
  async addMarks(marks: readonly Pick<Mark, 'startSeconds' | 'endSeconds' | 'text' | 'inReport'>[]): Promise<void> {
    const { caseId, evidenceId, readAll } = this;
    // They are of the result that is shown.
    const { channel } = this.laneOf(this.analysis?.channel ?? null);
    const added = await client.marks.addAll({
      caseId,
      evidenceId,
      marks: marks.map((mark) => ({ ...mark, readAll, channel })),
    });
    await app.offerUndo(examine.stretches.added(plural(added.length, 'mark')));
    await this.reload();
  }

  /** Has stretches scored as recordings of their own, one after the other. */
  async analyseStretches(
    stretches: readonly { startSeconds: number; endSeconds: number }[],
    of: { channel?: Analysis['channel']; label?: string } = {},
  ): Promise<void> {
    const { caseId, evidenceId, readAll } = this;
    const { jobId } = await client.analyses.stretches({
      ...{ caseId, evidenceId, readAll, channel: this.analysis?.channel ?? 'mix', ...of },
      stretches: stretches.map(({ startSeconds, endSeconds }) => ({ startSeconds, endSeconds })),
    });
    this.stretchJobs = new Set([...this.stretchJobs, jobId]);
  }

  /** The same of marked stretches, each of its own channel. */
  async analyseMarks(marks: readonly (Mark & { endSeconds: number })[], label: string): Promise<void> {
    for (const [channel, own] of Map.groupBy(marks, (mark) => mark.channel ?? ('mix' as const))) {
      await this.analyseStretches(own, { channel, label });
    }
  }

  /** Scores the selection as a recording of its own, and shows the result. */
  async analyseSelection(options: { label: string }): Promise<void> {
    const { caseId, evidenceId, readAll, selection } = this;
    const channel = this.channel ?? 'mix';
    if (selection === null || this.analysing) return;
    this.analysing = true;
    try {
      const stretch = { startSeconds: selection.start, endSeconds: selection.end };
      const analysis = await client.analyses.stretch({ caseId, evidenceId, readAll, channel, ...stretch, ...options });
      this.#put(analysis);
      await this.reload();
    } finally {
      this.analysing = false;
    }
  }

  async saveNotes(notes: string): Promise<void> {
    const { caseId, evidenceId } = this;
    this.evidence = await client.evidence.update({ caseId, evidenceId, notes });
  }

  /** Asks for the saliency map of the selection, or of what is in sight. */
  async explain(): Promise<void> {
    const { explanation, saliencySubject, spanToExplain } = this;
    const subject =
      explanation.subjects.find((one) => subjectKey(one) === saliencySubject) ?? explanation.subjects.at(0);
    if (subject !== undefined && !explanation.running) await explanation.make(subject, spanToExplain);
  }

  /** Hashes the file anew. */
  async check(): Promise<void> {
    const { caseId, evidenceId } = this;
    this.evidence = await client.evidence.check({ caseId, evidenceId });
  }
}
