/** Stretches of a recording as pictures: waveform and spectrogram over the recording's own time, drawn in one pass for each channel. */
import { writeFile } from 'node:fs/promises';
import type { ColourMap } from '../../src-common/colour-maps.ts';
import type { SpectrogramSettings } from '../../src-common/schemas/spectrogram.ts';
import { openAudio, probe } from '../audio/decode.ts';
import type { Channel } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';
import { sha256 } from '../base/sha256.ts';
import { OverviewMaker } from './overview.ts';
import { placedBlocks } from './placed.ts';
import { drawSpectrogram, plotSize, shownBy } from './spectrogram-image.ts';
import { WaveformPeaks } from './waveform-peaks.ts';

/** A picture that is wanted, and the file that it goes to, which is not there yet. */
interface Picture {
  startSeconds: number;
  endSeconds: number;
  /** By its number; null: the mix of all. */
  channel: number | null;
  path: string;
  title: string;
}

export interface PictureFile extends ReturnType<typeof shownBy> {
  sha256: string;
  sizeBytes: number;
  width: number;
  height: number;
  /** Of the sound that was drawn: the recording's own where it is not higher than what is shown. */
  sampleRateHz: number;
}

export type PictureOutcome = PictureFile | { failed: string };

export interface PicturesRequest {
  path: string;
  cuts: readonly Picture[];
  stream: number;
  /** Times are of the recording with all sound in its file. */
  readAll: boolean;
  /** As they were chosen for the case; null: linear, up to half of the recording's rate. */
  settings: SpectrogramSettings | null;
}

const size = { width: 1200, height: 640 } as const;
/** Sound is shown up to half of this where the recording holds as much. */
const mostSampleRateHz = 48_000;
const colourMap: ColourMap = 'viridis';

/**
 * Draws stretches of one recording. One that cannot be drawn has its reason, and the others are drawn.
 * @throws UserFacingError as `openAudio` where nothing of it can be read; the signal's reason when aborted
 */
export async function drawStretches(request: PicturesRequest, signal?: AbortSignal): Promise<PictureOutcome[]> {
  const { path, stream, readAll, settings } = request;
  const reading = { stream, readAll, ...(signal ? { signal } : {}) };
  const info = await probe(path, reading);
  const topHz = settings?.topHz ?? mostSampleRateHz / 2;
  const rateHz = Math.round(Math.min(info.sampleRateHz, 2 * topHz));
  const outcomes = new Map<Picture, PictureOutcome>();
  for (const [number, pictures] of Map.groupBy(request.cuts, ({ channel }) => channel)) {
    if (number !== null && number > info.channels) {
      const failed = `The recording has no channel ${number}: it has ${info.channels}.`;
      for (const picture of pictures) outcomes.set(picture, { failed });
      continue;
    }
    const channel: Channel = number !== null && info.channels > 1 ? number : 'mix';
    const audio = await openAudio(path, { ...reading, channel, sampleRateHz: rateHz });
    const drawing = pictures.map((picture) => new Drawing(picture, rateHz, settings));
    const last = Math.max(...drawing.map(({ end }) => end));
    const detail = [
      info.codec,
      `${info.sampleRateHz / 1000} kHz${rateHz < info.sampleRateHz ? `, resampled to ${rateHz / 1000} kHz` : ''}`,
      info.channels === 1
        ? 'mono'
        : channel === 'mix'
          ? `${info.channels} channels mixed to mono`
          : `channel ${channel}`,
    ].join(', ');
    let seen = 0;
    for await (const block of placedBlocks(audio, rateHz)) {
      for (const one of drawing) {
        one.take(block, seen);
        if (seen + block.length >= one.end) await one.finish(outcomes, detail);
      }
      seen += block.length;
      if (seen >= last) break;
    }
    for (const one of drawing) await one.finish(outcomes, detail);
  }
  return request.cuts.map((picture) => outcomes.get(picture) as PictureOutcome);
}

/** A picture while its sound comes; it holds memory from its first sample to its last. */
class Drawing {
  readonly end: number;
  readonly #picture: Picture;
  readonly #rateHz: number;
  readonly #settings: SpectrogramSettings | null;
  readonly #first: number;
  #parts: { overview: OverviewMaker; peaks: WaveformPeaks } | null = null;
  #done = false;

  constructor(picture: Picture, rateHz: number, settings: SpectrogramSettings | null) {
    this.#picture = picture;
    this.#rateHz = rateHz;
    this.#settings = settings;
    this.#first = Math.max(0, Math.round(picture.startSeconds * rateHz));
    this.end = Math.round(picture.endSeconds * rateHz);
  }

  /** @param at place of the block's first sample */
  take(block: Float32Array, at: number): void {
    const part = block.subarray(Math.max(0, this.#first - at), Math.max(0, this.end - at));
    if (part.length === 0) return;
    this.#parts ??= this.#begin();
    this.#parts.overview.push(part);
    this.#parts.peaks.add(part);
  }

  #begin(): { overview: OverviewMaker; peaks: WaveformPeaks } {
    const { columns, rows } = plotSize(size.width, size.height, { waved: true });
    const settings = this.#settings;
    const overview = new OverviewMaker({
      ...{ sampleRateHz: this.#rateHz, columns, rows, expectedSamples: this.end - this.#first },
      scale: settings?.scale ?? 'linear',
      ...(settings === null ? {} : { analysis: settings }),
    });
    return { overview, peaks: new WaveformPeaks(columns) };
  }

  async finish(outcomes: Map<Picture, PictureOutcome>, detail: string): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    const parts = this.#parts;
    this.#parts = null;
    const { startSeconds, endSeconds, title, path } = this.#picture;
    if (parts === null) {
      const failed = `The recording has no sound from ${startSeconds.toFixed(3)} s to ${endSeconds.toFixed(3)} s.`;
      outcomes.set(this.#picture, { failed });
      return;
    }
    const overview = parts.overview.finish();
    const settings = this.#settings;
    const looks = {
      colourMap,
      ...(settings === null ? {} : { rangeDb: settings.rangeDb }),
      ...(typeof settings?.ceilingDb === 'number' ? { maxDb: settings.ceilingDb } : {}),
    };
    const waveform = parts.peaks.values(plotSize(size.width, size.height, { waved: true }).columns);
    const png = drawSpectrogram(overview, { ...size, ...looks, title, detail, startSeconds, waveform });
    await writeFile(path, png, { flag: 'wx', mode: 0o600, flush: true }).catch((error: unknown) => {
      throw new UserFacingError('unwritable', `${path} cannot be written.`, { path, cause: error });
    });
    outcomes.set(this.#picture, {
      ...{ sha256: sha256(png), sizeBytes: png.length, ...size, sampleRateHz: this.#rateHz },
      ...shownBy(overview, looks),
    });
  }
}
