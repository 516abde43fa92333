import { openAudio } from '../audio/decode.ts';
import { UserFacingError } from '../base/errors.ts';
import { overviewOf } from '../sound/overview.ts';
import { missingStretches, placedBlocks } from '../sound/placed.ts';
import { spectrogramPixels } from '../sound/spectrogram-image.ts';
import { reportColourMap, spectrogramSize, waveformColumns } from '../reports/case-report/figures.ts';
import type { RecordingFigures } from '../reports/case-report/snapshot.ts';

/** As the detector hears it. */
const sampleRateHz = 16_000;

/** Lowest and highest samples of equal stretches: neighbours are merged whenever there are twice as many as wanted. */
class Peaks {
  readonly #low: Float32Array;
  readonly #high: Float32Array;
  #samplesPerColumn = 1;
  #samples = 0;

  constructor(wanted: number) {
    this.#low = new Float32Array(2 * wanted);
    this.#high = new Float32Array(2 * wanted);
  }

  add(block: Float32Array): void {
    for (const value of block) {
      if (this.#samples === this.#low.length * this.#samplesPerColumn) this.#merge();
      const column = Math.floor(this.#samples / this.#samplesPerColumn);
      if (this.#samples % this.#samplesPerColumn === 0) {
        this.#low[column] = this.#high[column] = value;
      } else {
        if (value < this.#low[column]) this.#low[column] = value;
        if (value > this.#high[column]) this.#high[column] = value;
      }
      this.#samples++;
    }
  }

  /** Low and high one after the other, 127 for full scale, of at most so many columns. */
  bytes(wanted: number): Buffer {
    const have = Math.ceil(this.#samples / this.#samplesPerColumn);
    const columns = Math.min(have, wanted);
    const whole = (value: number): number => Math.max(-127, Math.min(127, Math.round(127 * value)));
    const result = new Int8Array(2 * columns);
    for (let column = 0; column < columns; column++) {
      let low = Infinity;
      let high = -Infinity;
      const end = Math.ceil(((column + 1) * have) / columns);
      for (let at = Math.floor((column * have) / columns); at < end; at++) {
        low = Math.min(low, this.#low[at]);
        high = Math.max(high, this.#high[at]);
      }
      result[2 * column] = whole(low);
      result[2 * column + 1] = whole(high);
    }
    return Buffer.from(result.buffer);
  }

  #merge(): void {
    const half = this.#low.length / 2;
    for (let column = 0; column < half; column++) {
      this.#low[column] = Math.min(this.#low[2 * column], this.#low[2 * column + 1]);
      this.#high[column] = Math.max(this.#high[2 * column], this.#high[2 * column + 1]);
    }
    this.#samplesPerColumn *= 2;
  }
}

/**
 * What a report shows of a recording, in one pass and bounded memory however long it is.
 * @throws UserFacingError as `openAudio`, `empty` where it holds no sound; the signal's reason when aborted.
 */
export async function recordingFigures(path: string, stream: number, signal?: AbortSignal): Promise<RecordingFigures> {
  const audio = await openAudio(path, {
    sampleRateHz,
    stream,
    timeLimitSeconds: 3600,
    ...(signal ? { signal } : {}),
  });
  const peaks = new Peaks(waveformColumns);
  async function* watched(): AsyncGenerator<Float32Array> {
    for await (const block of placedBlocks(audio, sampleRateHz)) {
      peaks.add(block);
      yield block;
    }
  }
  const { durationSeconds } = audio.info;
  const overview = await overviewOf(watched(), {
    sampleRateHz,
    scale: 'mel',
    columns: spectrogramSize.width,
    rows: spectrogramSize.height,
    ...(durationSeconds === null ? {} : { expectedSamples: Math.round(durationSeconds * sampleRateHz) }),
  });
  if (overview.samples === 0) throw new UserFacingError('empty', `${path} holds no sound.`, { path });
  const { png, ...spectrogram } = spectrogramPixels(overview, { ...spectrogramSize, colourMap: reportColourMap });
  const seconds = overview.samples / sampleRateHz;
  return {
    durationSeconds: seconds,
    missing: missingStretches(audio.statistics, seconds, waveformColumns),
    sampleRateHz,
    stream,
    peaks: peaks.bytes(waveformColumns).toString('base64'),
    spectrogram: { ...spectrogram, pngBase64: png.toString('base64') },
  };
}
