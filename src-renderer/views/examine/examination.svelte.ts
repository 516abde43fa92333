/** One recording as it is examined: what is known of it, what is in sight, what is selected, and how it is drawn and played. */
import { resources } from '../../../src-preload/contract/sound.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import { pointedOut, windowsAssessable } from '../../../src-common/low-stretches.ts';
import type { LowStretch } from '../../../src-common/low-stretches.ts';
import type { Evidence, Mark } from '../../../src-common/schemas/evidence.ts';
import type { Sound } from '../../../src-preload/contract/sound.ts';
import { app } from '../../state/app.svelte.ts';
import { client, onChange, resourceUrl, told } from '../../state/client.svelte.ts';
import { isNumber, keep, kept } from '../../state/kept.ts';
import { plural } from '../../format.ts';
import { common } from '../../texts/common.ts';
import { examine } from '../../texts/examine.ts';
import type { FrequencyAxis } from './axes.ts';
import { Explanation, subjectKey } from './explanation.svelte.ts';
import { colourTable, tileColours } from './colour-maps.ts';
import type { ColourMap } from '../../../src-common/colour-maps.ts';
import { fromMiddle, partsOf, peakLevelFor, tileLevelFor } from './levels.ts';
import { automaticCeiling, levelAt } from './paint.ts';
import type { PeakSource } from './paint.ts';
import { PartCache } from './part-cache.ts';
import { Player } from './player.svelte.ts';
import { latestOf, readingOf } from './reading.ts';
import type { Reading } from './reading.ts';
import { cellsOf, scoreRange } from './scores.ts';
import { clampWindow, lengthOf, pan, windowAround, windowWith, zoomAt } from './time-window.ts';
import type { Span } from './time-window.ts';

const peaksPerPage = 2048;
const keptPages = 600;
const keptTiles = 256;
/** The overview is drawn from the finest level with at most so many peaks. */
const overviewPeaks = 4096;

/** A tile with its picture in the colours that were asked for last. */
interface Tile {
  bytes: Uint8Array;
  picture: OffscreenCanvas | null;
  colours: Uint32Array | null;
}

const isScale = (value: unknown): value is 'mel' | 'linear' => value === 'mel' || value === 'linear';
const isCeiling = (value: unknown): value is number | 'automatic' => value === 'automatic' || isNumber(value);

/** How sound is shown: the same for every recording, and kept. */
class Display {
  scale: 'mel' | 'linear' = $state(kept('examine.scale', 'mel', isScale));
  /** What the detector hears, unless a person wants to see more. */
  topHz: number = $state(kept('examine.top', 8000, isNumber));
  rangeDb: number = $state(kept('examine.range', 75, isNumber));
  ceilingDb: number | 'automatic' = $state(kept<number | 'automatic'>('examine.ceiling', 'automatic', isCeiling));
  /** The waveform is drawn so many times higher. */
  gain: number = $state(kept('examine.gain', 1, isNumber));
  readonly map: ColourMap = $derived(app.settings?.colourMap ?? 'magma');

  set(change: Partial<Pick<Display, 'scale' | 'topHz' | 'rangeDb' | 'ceilingDb' | 'gain'>>): void {
    const keys = { scale: 'scale', topHz: 'top', rangeDb: 'range', ceilingDb: 'ceiling', gain: 'gain' } as const;
    for (const [name, value] of Object.entries(change)) keep(`examine.${keys[name as keyof typeof keys]}`, value);
    Object.assign(this, change);
  }
}
export const display = new Display();

interface ExaminationOf {
  caseId: string;
  evidenceId: number;
  reading: Reading | null;
  onreading: (reading: Reading) => void;
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
  sound: Sound | null = $state.raw(null);
  /** The result whose windows and finding are shown. */
  analysis: Analysis | null = $state.raw(null);
  error: unknown = $state.raw(null);
  progress: { done: number; total: number | null } = $state.raw({ done: 0, total: null });
  window: Span = $state.raw({ start: 0, end: 1 });
  selection: Span | null = $state.raw(null);
  /** Peaks of the whole recording: highest and lowest, for the overview. */
  overview: { high: Float32Array; low: Float32Array } | null = $state.raw(null);
  /** Of the canvas, in device pixels; told by the widest one. */
  width = $state(0);
  analysing = $state(false);
  readonly player: Player;
  readonly explanation = new Explanation(() => this.caseId);
  /** What is to be explained, of those that can be; by default the model's score. */
  saliencySubject: string = $state(subjectKey({ method: 'occlusion', member: null }));

  readonly stage: Stage = $derived.by(() => {
    if (this.error !== null) return 'failed';
    if (this.evidence === null) return 'loading';
    return this.sound === null || this.overview === null ? 'preparing' : 'ready';
  });
  /** Of this reading. */
  readonly marks: Mark[] = $derived(this.#ofReading(this.evidence?.marks ?? []));
  readonly duration = $derived(this.sound?.durationSeconds ?? 0);
  readonly axis: FrequencyAxis = $derived({
    scale: display.scale,
    topHz: Math.min(display.topHz, this.sound?.spectrogram.maxHz ?? display.topHz),
  });
  readonly cells = $derived(this.analysis === null ? [] : cellsOf(this.analysis.windows));
  /** The cells that may be judged: none where what makes the recording not assessable is in its windows, too. */
  readonly assessable = $derived(this.analysis !== null && windowsAssessable(this.analysis) ? this.cells : []);
  /** The stretches that the result points out; null where it gives no times. */
  readonly stretches: LowStretch[] | null = $derived(this.analysis === null ? null : pointedOut(this.analysis));
  /** Jobs that were begun here, by their ids. */
  stretchJobs: ReadonlySet<string> = $state.raw(new Set<string>());
  /** What the result that is shown is of. */
  readonly analysed: Span = $derived.by(() => {
    const stretch = this.analysis?.stretch;
    return stretch == null
      ? { start: 0, end: this.duration }
      : { start: stretch.startSeconds, end: stretch.endSeconds };
  });
  readonly scores = $derived(
    this.analysis === null ? { low: -1, high: 1 } : scoreRange(this.analysis.windows, this.analysis.thresholds),
  );
  /** Colours of the spectrogram: grey under a map, whose colours could not be told otherwise. */
  readonly map: ColourMap = $derived(this.explanation.shown === null ? display.map : 'grey');
  /** What would be explained: the selection, else what is in sight; null: the whole recording. */
  readonly spanToExplain: Span | null = $derived.by(() => {
    const { selection, window, duration, analysis } = this;
    if (selection !== null) return selection;
    if (window.start > 0 || window.end < duration) return window;
    return analysis?.stretch ? { start: analysis.stretch.startSeconds, end: analysis.stretch.endSeconds } : null;
  });
  #automaticCeiling: number | null = $state(null);
  readonly automaticCeiling = $derived(this.#automaticCeiling ?? 0);
  /** Levels of the darkest and the brightest colour. */
  readonly shown = $derived.by(() => {
    const ceilingDb = display.ceilingDb === 'automatic' ? this.automaticCeiling : display.ceilingDb;
    return { floorDb: ceilingDb - display.rangeDb, ceilingDb };
  });
  readonly #colours = $derived(
    this.sound === null ? null : tileColours(colourTable(this.map), this.sound.spectrogram, this.shown),
  );
  /** Counts arrivals, so that what is drawn is drawn again. */
  #arrivals = $state(0);
  #overviewPage: PeakSource | null = null;
  readonly #pages: PartCache<Float32Array>;
  readonly #tiles: PartCache<Tile>;
  readonly #stop = new AbortController();
  #describedFailure = false;

  /**
   * @param of.reading as it was chosen; null: the latest result's
   * @param of.onreading takes another one, which an examination of its own shows
   */
  constructor({ caseId, evidenceId, reading, onreading }: ExaminationOf) {
    this.caseId = caseId;
    this.evidenceId = evidenceId;
    this.readAll = reading?.readAll ?? false;
    this.#reading = reading;
    this.#onReading = onreading;
    this.player = new Player(resourceUrl(resources.audio(this)), () => this.#failedToPlay());
    const shared = {
      onArrival: () => (this.#arrivals += 1),
      onFailure: (error: unknown) => this.#partFailed(error),
    };
    this.#pages = new PartCache({
      ...shared,
      limit: keptPages,
      concurrency: 4,
      load: async (key, signal) => {
        const [level, page] = key.split('/').map(Number);
        const address = resources.peaks(this, level, page * peaksPerPage, peaksPerPage);
        return new Float32Array(await fetchBytes(address, signal));
      },
    });
    this.#tiles = new PartCache({
      ...shared,
      limit: keptTiles,
      concurrency: 4,
      load: async (key, signal) => {
        const [scale, top, level, tile] = key.split('/');
        const axis = { scale: scale as 'mel' | 'linear', topHz: Number(top) };
        const address = resources.tile(this, Number(level), Number(tile), axis);
        return { bytes: new Uint8Array(await fetchBytes(address, signal)), picture: null, colours: null };
      },
    });
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
      this.#stop.abort();
      this.#pages.close();
      this.#tiles.close();
      this.explanation.close();
      this.player.close();
    };
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
    // What a person chose to look at stays; what was shown as the latest makes room for a later one.
    const chosen = before !== null && shown !== null && shown !== latestOf(this.#ofReading(before.analyses));
    this.evidence = evidence;
    if (before === null && this.#reading?.analysisId != null) {
      await this.show(this.#reading.analysisId);
      return;
    }
    if (latest === null) this.analysis = null;
    else if (!chosen && shown !== latest) await this.show(latest);
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

  /** Shows the finding and the windows of a result. */
  async show(analysisId: number): Promise<void> {
    const { caseId } = this;
    this.analysis = await client.analyses.get({ caseId, analysisId }, { signal: this.#stop.signal });
  }

  #reloading: ReturnType<typeof setTimeout> | undefined;

  #reloadSoon(): void {
    clearTimeout(this.#reloading);
    this.#reloading = setTimeout(() => {
      this.reload().catch((error: unknown) => {
        // Taken out of the case, or the engine is gone: what is shown stays.
        if (!this.#stop.signal.aborted) told(error);
      });
    }, 150);
  }

  async #prepare(): Promise<void> {
    const { caseId, evidenceId } = this;
    const { signal } = this.#stop;
    for await (const event of await client.sound.prepare({ caseId, evidenceId, readAll: this.readAll }, { signal })) {
      if (event.type === 'progress') {
        this.progress = event;
        continue;
      }
      const { sound } = event;
      const level = sound.peaks.findIndex(({ count }) => count <= overviewPeaks);
      const { count, samplesPerPeak } = sound.peaks[level];
      const address = resources.peaks(this, level, 0, count);
      const peaks = new Float32Array(await fetchBytes(address, signal));
      this.#overviewPage = { samplesPerPeak, count, peaksPerPage: count, page: () => peaks };
      this.overview = {
        low: peaks.filter((_, index) => index % 2 === 0),
        high: peaks.filter((_, index) => index % 2 === 1),
      };
      this.window = { start: 0, end: sound.durationSeconds };
      this.sound = sound;
      void this.#findCeiling(sound);
    }
  }

  /** The brightest colour of the whole recording, by its coarsest tile. */
  async #findCeiling(sound: Sound): Promise<void> {
    const level = sound.spectrogram.levels.length - 1;
    const address = resources.tile(this, level, 0, { scale: 'mel', topHz: this.axis.topHz });
    try {
      const bytes = new Uint8Array(await fetchBytes(address, this.#stop.signal));
      this.#automaticCeiling = automaticCeiling(bytes, sound.spectrogram);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#partFailed(error);
    }
  }

  #partFailed(error: unknown): void {
    // Once: every tile would say the same.
    if (this.#describedFailure) return;
    this.#describedFailure = true;
    const sentence = error instanceof ResourceError ? error.message : examine.partFailed;
    app.notify(sentence, 'error', { label: common.actions.retry, run: () => this.retryParts() });
  }

  retryParts(): void {
    this.#describedFailure = false;
    this.#pages.forgetFailures();
    this.#tiles.forgetFailures();
    this.#arrivals += 1;
  }

  #failedToPlay(): void {
    if (!this.#stop.signal.aborted) app.notify(examine.playFailed, 'error');
  }

  // What is in sight

  zoom(factor: number, at?: number): void {
    const { player, window } = this;
    const inSight = player.time >= window.start && player.time <= window.end;
    const around = at ?? (inSight ? player.time : (window.start + window.end) / 2);
    this.window = zoomAt(window, factor, around, this.duration);
  }

  /** Moves by a part of what is in sight. */
  panBy(part: number): void {
    this.window = pan(this.window, part * lengthOf(this.window), this.duration);
  }

  showWhole(): void {
    this.window = { start: 0, end: this.duration };
  }

  showSpan(span: Span): void {
    this.window = windowAround(span, this.duration);
  }

  setWindow(window: Span): void {
    this.window = clampWindow(window, this.duration);
  }

  /** Puts the playhead somewhere, in sight. */
  goTo(time: number): void {
    const at = Math.min(Math.max(time, 0), this.duration);
    this.player.seek(at);
    this.window = windowWith(this.window, at, this.duration);
  }

  select(span: Span | null): void {
    const { duration } = this;
    const within = span === null ? null : { start: Math.max(0, span.start), end: Math.min(duration, span.end) };
    this.selection = within !== null && within.end > within.start ? within : null;
    this.player.range = this.selection;
  }

  // What is drawn

  /** Where to take peaks from for pixels of this width: the best level first, then the overview. Asks for what is missing. */
  peakSources(window: Span, width: number): PeakSource[] {
    // Read so that the caller draws again when something arrives.
    void this.#arrivals;
    const { sound } = this;
    if (sound === null || this.#overviewPage === null) return [];
    const level = peakLevelFor(sound.peaks, (lengthOf(window) * sound.sampleRateHz) / width);
    const { samplesPerPeak, count } = sound.peaks[level];
    const pageSeconds = (peaksPerPage * samplesPerPeak) / sound.sampleRateHz;
    const { first, end } = partsOf(window, pageSeconds, Math.ceil(count / peaksPerPage));
    const before = Math.max(0, first - 1);
    const after = Math.min(Math.ceil(count / peaksPerPage), end + 1);
    const keys = [...fromMiddle(first, end), ...(first > before ? [before] : []), ...(after > end ? [end] : [])];
    this.#pages.want(keys.map((page) => `${level}/${page}`));
    const pages = new Map<number, Float32Array | undefined>();
    for (let page = before; page < after; page++) pages.set(page, this.#pages.get(`${level}/${page}`));
    return [{ samplesPerPeak, count, peaksPerPage, page: (index) => pages.get(index) }, this.#overviewPage];
  }

  tileLevel(window: Span, width: number): number {
    return this.sound === null ? 0 : tileLevelFor(this.sound.spectrogram, lengthOf(window) / width);
  }

  /** Pictures of tiles, in the colours that are set now; asks for those that are missing. */
  tilePictures(window: Span, width: number): (level: number, tile: number) => CanvasImageSource | undefined {
    void this.#arrivals;
    const { sound, axis } = this;
    const colours = this.#colours;
    if (sound === null || colours === null) return () => undefined;
    const { levels, columnsPerTile, bins } = sound.spectrogram;
    const level = this.tileLevel(window, width);
    const wanted: string[] = [];
    const want = (of: number, beyond: number): void => {
      const seconds = levels[of].secondsPerColumn * columnsPerTile;
      const { first, end } = partsOf(window, seconds, levels[of].tiles);
      const inner = fromMiddle(first, end);
      const outer = beyond > 0 ? [end, first - 1].filter((tile) => tile >= 0 && tile < levels[of].tiles) : [];
      wanted.push(...[...inner, ...outer].map((tile) => tileKey(axis, of, tile)));
    };
    // Something to see at once, then what is in sight, then what is beside it.
    if (levels.length - 1 > level) want(levels.length - 1, 0);
    want(level, 1);
    this.#tiles.want(wanted);
    return (of, tile) => {
      const part = this.#tiles.get(tileKey(axis, of, tile));
      return part === undefined ? undefined : pictureOf(part, colours, columnsPerTile, bins);
    };
  }

  /** Level at a time and a frequency, where the tile in sight is there. */
  levelAt(time: number, hz: number): number | null {
    void this.#arrivals;
    const { sound, axis } = this;
    if (sound === null || this.width === 0) return null;
    const { levels, columnsPerTile } = sound.spectrogram;
    const level = this.tileLevel(this.window, this.width);
    const { secondsPerColumn } = levels[level];
    const tile = Math.floor(time / (secondsPerColumn * columnsPerTile));
    const part = this.#tiles.get(tileKey(axis, level, tile));
    if (part === undefined) return null;
    const place = { bytes: part.bytes, firstSeconds: tile * secondsPerColumn * columnsPerTile, secondsPerColumn };
    return levelAt(sound.spectrogram, axis, place, time, hz);
  }

  // What a person adds

  async addMark(
    mark: Pick<Mark, 'startSeconds' | 'endSeconds' | 'text' | 'inReport'> & Partial<Pick<Mark, 'readAll'>>,
  ): Promise<void> {
    const { caseId, evidenceId, readAll } = this;
    await client.marks.add({ caseId, evidenceId, readAll, ...mark });
    await this.reload();
  }

  async updateMark(id: number, mark: Pick<Mark, 'startSeconds' | 'endSeconds' | 'text' | 'inReport'>): Promise<void> {
    const { caseId, evidenceId } = this;
    await client.marks.update({ caseId, evidenceId, markId: id, ...mark });
    await this.reload();
  }

  /** Deletes a mark, and offers to put it back. */
  async removeMark({ id, startSeconds, endSeconds, text, inReport, readAll }: Mark): Promise<void> {
    const { caseId, evidenceId } = this;
    await client.marks.remove({ caseId, evidenceId, markId: id });
    await this.reload();
    app.notify(examine.marks.removed, 'info', {
      label: examine.marks.undo,
      run: () => void app.attempt(() => this.addMark({ startSeconds, endSeconds, text, inReport, readAll })),
    });
  }

  /** Adds marks, all or none, and offers to take them away again. */
  async addMarks(marks: readonly Pick<Mark, 'startSeconds' | 'endSeconds' | 'text' | 'inReport'>[]): Promise<void> {
    const { caseId, evidenceId, readAll } = this;
    const added = await client.marks.addAll({ caseId, evidenceId, marks: marks.map((mark) => ({ ...mark, readAll })) });
    await this.reload();
    app.notify(examine.stretches.added(plural(added.length, 'mark')), 'info', {
      label: examine.marks.undo,
      run: () =>
        void app.attempt(async () => {
          await client.marks.removeAll({ caseId, evidenceId, markIds: added.map(({ id }) => id) });
          await this.reload();
        }),
    });
  }

  /** Has stretches scored as recordings of their own, one after the other. */
  async analyseStretches(stretches: readonly LowStretch[]): Promise<void> {
    const { caseId, evidenceId, readAll } = this;
    const { jobId } = await client.analyses.stretches({
      ...{ caseId, evidenceId, readAll, channel: this.analysis?.channel ?? 'mix' },
      stretches: stretches.map(({ startSeconds, endSeconds }) => ({ startSeconds, endSeconds })),
    });
    this.stretchJobs = new Set([...this.stretchJobs, jobId]);
  }

  /** Scores the selection as a recording of its own, and shows the result. */
  async analyseSelection(options: { label: string; channel: Analysis['channel'] }): Promise<void> {
    const { caseId, evidenceId, readAll, selection } = this;
    if (selection === null || this.analysing) return;
    this.analysing = true;
    try {
      const stretch = { startSeconds: selection.start, endSeconds: selection.end };
      const analysis = await client.analyses.stretch({ caseId, evidenceId, readAll, ...stretch, ...options });
      this.analysis = analysis;
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

const tileKey = ({ scale, topHz }: FrequencyAxis, level: number, tile: number): string =>
  `${scale}/${topHz}/${level}/${tile}`;

function pictureOf(tile: Tile, colours: Uint32Array, columns: number, rows: number): CanvasImageSource | undefined {
  if (tile.picture !== null && tile.colours === colours) return tile.picture;
  const picture = tile.picture ?? new OffscreenCanvas(columns, rows);
  const context = picture.getContext('2d');
  if (context === null) return undefined;
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  // Rows of a tile go up, those of a picture down.
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const to = (rows - 1 - row) * columns;
    for (let column = 0; column < columns; column++) pixels[to + column] = colours[tile.bytes[from + column]];
  }
  context.putImageData(image, 0, 0);
  tile.picture = picture;
  tile.colours = colours;
  return picture;
}

class ResourceError extends Error {}

async function fetchBytes(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(resourceUrl(address), { signal });
  if (!response.ok) throw new ResourceError(await response.text());
  return response.arrayBuffer();
}
