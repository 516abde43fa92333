/** A lane of the Examine view: the sound of one channel, or of the mix, as it is drawn part by part, and the result that is of it. */
import { resources } from '../../../src-preload/contract/sound.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import { windowsAssessable } from '../../../src-common/low-stretches.ts';
import type { Sound } from '../../../src-common/schemas/sound.ts';
import { client, resourceUrl } from '../../state/client.svelte.ts';
import { isStrings, keep, kept } from '../../state/kept.ts';
import type { FrequencyAxis } from '../../../src-common/frequency-axis.ts';
import { defaultAnalysis } from '../../../src-common/analysis-windows.ts';
import type { SpectrumAnalysis } from '../../../src-common/schemas/spectrogram.ts';
import { fromMiddle, partsOf, peakLevelFor, tileLevelFor } from './levels.ts';
import { automaticCeiling, levelAt } from './paint.ts';
import type { PeakSource } from './paint.ts';
import { PartCache } from './part-cache.ts';
import { cellsOf, scoreRange } from './scores.ts';
import { lengthOf } from './time-window.ts';
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

/** Folded lanes by their channels: the same for every recording, and kept. */
class Folded {
  #names: readonly string[] = $state.raw(kept('examine.folded-lanes', ['mix'], isStrings));

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  set(name: string, folded: boolean): void {
    const others = this.#names.filter((one) => one !== name);
    this.#names = folded ? [...others, name] : others;
    keep('examine.folded-lanes', this.#names);
  }
}
const foldedLanes = new Folded();

/** What a lane needs to know of the recording as it is examined. */
interface Examined {
  readonly caseId: string;
  readonly evidenceId: number;
  readonly readAll: boolean;
  readonly window: Span;
  readonly width: number;
  readonly axis: FrequencyAxis;
  readonly spectra: SpectrumAnalysis;
  readonly colours: Uint32Array | null;
  readonly lanes: readonly unknown[];
  partFailed(error: unknown): void;
}

export interface Progress {
  done: number;
  total: number | null;
}

export class Lane {
  /** By its number; null: the mix of all. */
  readonly channel: number | null;
  sound: Sound | null = $state.raw(null);
  error: unknown = $state.raw(null);
  /** The result whose windows are shown: of this channel. */
  analysis: Analysis | null = $state.raw(null);
  /** Peaks of the whole recording: highest and lowest. */
  overview: { high: Float32Array; low: Float32Array } | null = $state.raw(null);
  /** The brightest colour of the whole recording. */
  ceilingDb: number | null = $state(null);
  readonly cells = $derived.by(() => (this.analysis === null ? [] : cellsOf(this.analysis.windows)));
  readonly scores = $derived.by(() =>
    this.analysis === null ? { low: -1, high: 1 } : scoreRange(this.analysis.windows, this.analysis.thresholds),
  );
  /** The cells that may be judged: none where what makes the recording not assessable is in its windows, too. */
  readonly assessable = $derived.by(() =>
    this.analysis !== null && windowsAssessable(this.analysis) ? this.cells : [],
  );
  /** What its result is of. */
  readonly analysed: Span = $derived.by(() => {
    const stretch = this.analysis?.stretch;
    return stretch == null
      ? { start: 0, end: this.sound?.durationSeconds ?? 0 }
      : { start: stretch.startSeconds, end: stretch.endSeconds };
  });
  readonly #of: Examined;
  /** Counts arrivals, so that what is drawn is drawn again. */
  #arrivals = $state(0);
  #overviewPage: PeakSource | null = null;
  readonly #pages: PartCache<Float32Array>;
  readonly #tiles: PartCache<Tile>;
  readonly #stop = new AbortController();
  #preparing: Promise<unknown> | null = null;

  constructor(of: Examined, channel: number | null) {
    this.#of = of;
    this.channel = channel;
    const shared = {
      onArrival: () => (this.#arrivals += 1),
      onFailure: (error: unknown) => of.partFailed(error),
      concurrency: 4,
    };
    this.#pages = new PartCache({
      ...shared,
      limit: keptPages,
      load: async (key, signal) => {
        const [level, page] = key.split('/').map(Number);
        const address = resources.peaks(this.#source, level, page * peaksPerPage, peaksPerPage);
        return new Float32Array(await this.#bytes(address, signal));
      },
    });
    this.#tiles = new PartCache({
      ...shared,
      limit: keptTiles,
      load: async (key, signal) => {
        const [axis, spectra, level, tile] = JSON.parse(key) as Parameters<typeof tileKey>;
        const address = resources.tile(this.#source, level, tile, axis, spectra);
        return { bytes: new Uint8Array(await this.#bytes(address, signal)), picture: null, colours: null };
      },
    });
  }

  get name(): string {
    return this.channel === null ? 'mix' : String(this.channel);
  }

  /** Only of several. */
  get folded(): boolean {
    return this.#of.lanes.length > 1 && foldedLanes.has(this.name);
  }

  set folded(folded: boolean) {
    foldedLanes.set(this.name, folded);
  }

  get #source() {
    const { caseId, evidenceId, readAll } = this.#of;
    return { caseId, evidenceId, readAll, channel: this.channel };
  }

  /** Has the engine prepare its sound, unless it is there already. */
  async prepare(onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Sound> {
    const { channel, ...item } = this.#source;
    const input = { ...item, ...(channel === null ? {} : { channel }) };
    for await (const event of await client.sound.prepare(input, { signal })) {
      if (event.type === 'progress') {
        onProgress(event);
        continue;
      }
      const { sound } = event;
      const level = sound.peaks.findIndex(({ count }) => count <= overviewPeaks);
      const { count, samplesPerPeak } = sound.peaks[level];
      const peaks = new Float32Array(await fetchBytes(resources.peaks(this.#source, level, 0, count), signal));
      this.#overviewPage = { samplesPerPeak, count, peaksPerPage: count, page: () => peaks };
      this.overview = {
        low: peaks.filter((_, index) => index % 2 === 0),
        high: peaks.filter((_, index) => index % 2 === 1),
      };
      this.sound = sound;
      void this.#findCeiling(sound);
      return sound;
    }
    throw new Error('The preparation of sound has ended without its sound.');
  }

  /** A part of its sound, which is prepared again where it had to make room for other recordings'. */
  async #bytes(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
    try {
      return await fetchBytes(address, signal);
    } catch (error) {
      if (!(error instanceof ResourceError && error.status === notPrepared)) throw error;
      this.#preparing ??= this.prepare(() => undefined, this.#stop.signal).finally(() => (this.#preparing = null));
      await this.#preparing;
      return fetchBytes(address, signal);
    }
  }

  /** As `prepare`, but a failure stands in the lane. */
  async prepareSoon(signal: AbortSignal): Promise<void> {
    this.error = null;
    try {
      await this.prepare(() => undefined, signal);
    } catch (error) {
      if (!signal.aborted) this.error = error;
    }
  }

  /** By the coarsest tile, whatever spectra are shown: the same sound has the same level. */
  async #findCeiling(sound: Sound): Promise<void> {
    const level = sound.spectrogram.levels.length - 1;
    const address = resources.tile(
      this.#source,
      level,
      0,
      { scale: 'mel', topHz: Math.min(this.#of.axis.topHz, sound.spectrogram.maxHz) },
      defaultAnalysis,
    );
    try {
      const bytes = new Uint8Array(await fetchBytes(address, this.#stop.signal));
      this.ceilingDb = automaticCeiling(bytes, sound.spectrogram);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#of.partFailed(error);
    }
  }

  /** Asks again for what failed. */
  retry(): void {
    this.#pages.forgetFailures();
    this.#tiles.forgetFailures();
    this.#arrivals += 1;
  }

  close(): void {
    this.#stop.abort();
    this.#pages.close();
    this.#tiles.close();
  }

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
    const { sound } = this;
    const { axis, spectra, colours } = this.#of;
    if (sound === null || colours === null) return () => undefined;
    const { levels, columnsPerTile, bins } = sound.spectrogram;
    const level = this.tileLevel(window, width);
    const wanted: string[] = [];
    const want = (of: number, beyond: number): void => {
      const seconds = levels[of].secondsPerColumn * columnsPerTile;
      const { first, end } = partsOf(window, seconds, levels[of].tiles);
      const inner = fromMiddle(first, end);
      const outer = beyond > 0 ? [end, first - 1].filter((tile) => tile >= 0 && tile < levels[of].tiles) : [];
      wanted.push(...[...inner, ...outer].map((tile) => tileKey(axis, spectra, of, tile)));
    };
    // Something to see at once, then what is in sight, then what is beside it.
    if (levels.length - 1 > level) want(levels.length - 1, 0);
    want(level, 1);
    this.#tiles.want(wanted);
    return (of, tile) => {
      const part = this.#tiles.get(tileKey(axis, spectra, of, tile));
      return part === undefined ? undefined : pictureOf(part, colours, columnsPerTile, bins);
    };
  }

  /** Level at a time and a frequency, where the tile in sight is there. */
  levelAt(time: number, hz: number): number | null {
    void this.#arrivals;
    const { sound } = this;
    const { axis, spectra, window, width } = this.#of;
    if (sound === null || width === 0) return null;
    const { levels, columnsPerTile } = sound.spectrogram;
    const level = this.tileLevel(window, width);
    const { secondsPerColumn } = levels[level];
    const tile = Math.floor(time / (secondsPerColumn * columnsPerTile));
    const part = this.#tiles.get(tileKey(axis, spectra, level, tile));
    if (part === undefined) return null;
    const place = { bytes: part.bytes, firstSeconds: tile * secondsPerColumn * columnsPerTile, secondsPerColumn };
    return levelAt(sound.spectrogram, axis, place, time, hz);
  }
}

/** What a tile is, as one text. */
const tileKey = (
  { scale, topHz }: FrequencyAxis,
  { window, windowMs, overlap }: SpectrumAnalysis,
  level: number,
  tile: number,
): string => JSON.stringify([{ scale, topHz }, { window, windowMs, overlap }, level, tile]);

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

export class ResourceError extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/** The status of an answer about sound that is not prepared, or no longer. */
const notPrepared = 409;

async function fetchBytes(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(resourceUrl(address), { signal });
  if (!response.ok) throw new ResourceError(response.status, await response.text());
  return response.arrayBuffer();
}
