/** Workers that prepare, measure and draw sound for the Examine view. */
import { join } from 'node:path';
import type { Band, FrequencyAxis } from '../../src-common/frequency-axis.ts';
import type { AverageSpectrum, Measures, Pitch, PitchRange, Sound } from '../../src-common/schemas/sound.ts';
import { defaultAnalysis } from '../../src-common/analysis-windows.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { looking } from '../base/looking.ts';
import { WorkerPool } from '../base/pool.ts';
import { workerFile } from '../base/workers.ts';
import { preparedFolder } from './sound.ts';
import type { Listening, PrepareRequest, SoundSource } from './sound.ts';
import { keepWithin } from './sound-cache.ts';
import type { SpectrogramImageOptions } from './spectrogram-image.ts';

/** A part of a recording as a picture. */
export interface ImageRequest extends SpectrogramImageOptions, FrequencyAxis {
  endSeconds: number;
  analysis?: SpectrumAnalysis;
}

export type SoundRequest =
  | ({ kind: 'prepare'; shared: SharedArrayBuffer } & PrepareRequest)
  | ({ kind: 'summary' } & SoundSource)
  | ({ kind: 'peaks'; level: number; from: number; count: number } & SoundSource)
  | ({ kind: 'tile'; level: number; tile: number; axis: FrequencyAxis; analysis: SpectrumAnalysis } & SoundSource)
  | ({ kind: 'columns'; analysis: SpectrumAnalysis } & SoundSource)
  | ({ kind: 'pcm'; from: number; count: number; as: Listening } & SoundSource)
  | ({ kind: 'measure'; startSeconds: number; endSeconds: number; measured: Band | null } & SoundSource)
  | ({ kind: 'spectrum'; startSeconds: number; endSeconds: number; analysis: SpectrumAnalysis } & SoundSource)
  | ({ kind: 'pitch'; startSeconds: number; endSeconds: number; range: PitchRange } & SoundSource)
  | ({ kind: 'image' } & ImageRequest & SoundSource);

/** No bytes: columns have to be made first. */
export type SoundResponse =
  | { summary: Sound }
  | { bytes: Uint8Array | null }
  | { measures: Measures }
  | { spectrum: AverageSpectrum }
  | { pitch: Pitch };

/** What was asked for so recently is in use; a view that rested longer has it prepared again. */
const inUseMs = 120_000;

/**
 * Prepares and reads sound off the calling thread: two workers for what takes long (preparing, pictures) and one for what is to
 * be quick, each kind started at its first request.
 */
export class SoundPool {
  /** When sound was last asked for, by the folder in which it is prepared. */
  readonly #used = new Map<string, number>();
  readonly #pools = new Map<'long' | 'quick', WorkerPool<SoundRequest, SoundResponse>>();
  readonly #making = new Map<string, Promise<unknown>>();

  #pool(kind: 'long' | 'quick'): WorkerPool<SoundRequest, SoundResponse> {
    let pool = this.#pools.get(kind);
    if (!pool)
      this.#pools.set(kind, (pool = new WorkerPool(workerFile('sound/sound-worker'), kind === 'long' ? 2 : 1, null)));
    return pool;
  }

  /**
   * @param options.onProgress gets the seconds done and, where known, of how many; at most ten times a second
   * @throws UserFacingError as `prepareSound`; the signal's reason when aborted.
   */
  async prepare(
    request: PrepareRequest,
    options: { signal?: AbortSignal; onProgress?: (done: number, total: number | null) => void } = {},
  ): Promise<Sound> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const shared = new SharedArrayBuffer(24);
    const numbers = new Float64Array(shared);
    const stop = (): void => {
      numbers[2] = 1;
    };
    signal?.addEventListener('abort', stop);
    const tell = (): void => {
      if (numbers[0] > 0) onProgress?.(numbers[0], numbers[1] < 0 ? null : numbers[1]);
    };
    try {
      const response = await looking(tell, this.#run('long', { kind: 'prepare', shared, ...request }));
      return (response as { summary: Sound }).summary;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** @throws UserFacingError as `PreparedSound.open` */
  async summary(source: SoundSource): Promise<Sound> {
    return ((await this.#run('quick', { kind: 'summary', ...source })) as { summary: Sound }).summary;
  }

  /** Interleaved float32. @throws UserFacingError as `PreparedSound.peaks` */
  peaks(source: SoundSource, level: number, from: number, count: number): Promise<Uint8Array> {
    return this.#bytes('quick', { kind: 'peaks', level, from, count, ...source });
  }

  /**
   * @param options.onMade called when files were made for it
   * @throws UserFacingError as `PreparedSound.tile` and `makeColumns`
   */
  async tile(
    source: SoundSource,
    level: number,
    tile: number,
    axis: FrequencyAxis,
    options: { analysis?: SpectrumAnalysis; onMade?: () => void } = {},
  ): Promise<Uint8Array> {
    const { analysis = defaultAnalysis, onMade } = options;
    const request: SoundRequest = { kind: 'tile', level, tile, axis, analysis, ...source };
    const found = ((await this.#run('quick', request)) as { bytes: Uint8Array | null }).bytes;
    if (found !== null) return found;
    await this.#columns(source, analysis, onMade);
    return this.#bytes('quick', request);
  }

  /** Has the coarse columns of an analysis made; several requests for the same wait for one. */
  #columns(source: SoundSource, analysis: SpectrumAnalysis, onMade: (() => void) | undefined): Promise<unknown> {
    const key = JSON.stringify([source, analysis]);
    let making = this.#making.get(key);
    if (making === undefined) {
      making = this.#run('long', { kind: 'columns', analysis, ...source })
        .then(() => onMade?.())
        .finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    return making;
  }

  /** @throws UserFacingError as `PreparedSound.open` */
  pcm(source: SoundSource, from: number, count: number, as: Listening = {}): Promise<Uint8Array> {
    return this.#bytes('quick', { kind: 'pcm', from, count, as, ...source });
  }

  /** @throws UserFacingError as `PreparedSound.open` */
  async measure(source: SoundSource, startSeconds: number, endSeconds: number, band: Band | null): Promise<Measures> {
    const request: SoundRequest = { kind: 'measure', startSeconds, endSeconds, measured: band, ...source };
    return ((await this.#run('long', request)) as { measures: Measures }).measures;
  }

  /** @throws UserFacingError as `PreparedSound.open` */
  async averageSpectrum(
    source: SoundSource,
    startSeconds: number,
    endSeconds: number,
    analysis: SpectrumAnalysis,
  ): Promise<AverageSpectrum> {
    const request: SoundRequest = { kind: 'spectrum', startSeconds, endSeconds, analysis, ...source };
    return ((await this.#run('long', request)) as { spectrum: AverageSpectrum }).spectrum;
  }

  /** @throws UserFacingError as `PreparedSound.open` */
  async pitch(source: SoundSource, startSeconds: number, endSeconds: number, range: PitchRange): Promise<Pitch> {
    const request: SoundRequest = { kind: 'pitch', startSeconds, endSeconds, range, ...source };
    return ((await this.#run('long', request)) as { pitch: Pitch }).pitch;
  }

  /** A PNG file. @throws UserFacingError as `PreparedSound.open` */
  image(source: SoundSource, image: ImageRequest): Promise<Uint8Array> {
    return this.#bytes('long', { kind: 'image', ...image, ...source });
  }

  /**
   * Removes prepared sound that was used longest ago, as `keepWithin`; what was asked for a moment ago is in use.
   * @returns how many bytes are left
   */
  async keepWithin(folder: string, limitBytes: number): Promise<number> {
    const since = Date.now() - inUseMs;
    for (const [place, usedMs] of this.#used) if (usedMs < since) this.#used.delete(place);
    return keepWithin(folder, limitBytes, (name) => this.#used.has(join(folder, name)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
    this.#pools.clear();
  }

  #run(kind: 'long' | 'quick', request: SoundRequest): Promise<SoundResponse> {
    this.#used.set(preparedFolder(request), Date.now());
    return this.#pool(kind).run(request);
  }

  async #bytes(kind: 'long' | 'quick', request: SoundRequest): Promise<Uint8Array> {
    return ((await this.#run(kind, request)) as { bytes: Uint8Array }).bytes;
  }
}
