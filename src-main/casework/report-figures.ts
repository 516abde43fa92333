/** Waveforms and spectrograms of a recording for a report: of the mix, of each channel, and close-ups of marks. */
import type { SpectrogramSettings } from '../../src-common/schemas/spectrogram.ts';
import type { Mark } from '../../src-common/schemas/evidence.ts';
import { openAudio } from '../audio/decode.ts';
import type { Channel } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';
import { overviewOf } from '../sound/overview.ts';
import type { FrequencyScale } from '../../src-common/frequency-axis.ts';
import { missingStretches, placedBlocks } from '../sound/placed.ts';
import { spectrogramPixels } from '../sound/spectrogram-image.ts';
import { WaveformPeaks } from '../sound/waveform-peaks.ts';
import { reportColourMap, spectrogramSize, waveformColumns } from '../reports/case-report/figures.ts';
import type { CloseUp, RecordingFigures, SoundPicture } from '../reports/case-report/snapshot.ts';

/** As the detector hears it. */
const sampleRateHz = 16_000;

/** What is drawn of a recording. */
export interface FiguresRequest {
  path: string;
  stream: number;
  /** Of that stream; above one, each is drawn, too. */
  channels: number;
  /** As it is stored. */
  sampleRateHz: number;
  /** Those that are reported: each has a close-up. */
  marks: readonly Pick<Mark, 'id' | 'startSeconds' | 'endSeconds' | 'readAll' | 'channel'>[];
  /** As they were chosen for the case; without them, Mel up to 8 kHz, and close-ups linear up to half of the recording's rate. */
  settings?: SpectrogramSettings | null;
}

/** Channels, and marks of one recording, that are drawn. */
const mostChannels = 8;
const mostCloseUps = 12;
/** Close-ups show sound up to half of this where the recording holds as much. */
const mostSampleRateHz = 48_000;
/** What is shown around a mark: a tenth of it, and at least so much. */
const leastAroundSeconds = 0.1;
const leastAroundPointSeconds = 0.5;

/** What of a recording a picture shows. */
interface Part {
  reading: { stream: number; sampleRateHz: number; channel?: Channel; readAll?: boolean };
  stretch: { startSeconds: number; endSeconds: number } | null;
  /** Where the case says nothing. */
  scale: FrequencyScale;
  settings: SpectrogramSettings | null;
}

interface Drawing {
  seconds: number;
  missing: RecordingFigures['missing'];
  picture: SoundPicture;
}

/**
 * What a report shows of a recording, in one pass for each picture and bounded memory however long it is.
 * @throws UserFacingError as `openAudio`, `empty` where it holds no sound; the signal's reason when aborted.
 */
export async function recordingFigures(request: FiguresRequest, signal?: AbortSignal): Promise<RecordingFigures> {
  const { path, stream, channels, marks, settings = null } = request;
  const reading = { stream, sampleRateHz };
  const ofAll = { stretch: null, scale: 'mel', settings } as const;
  const whole = await draw(path, { reading, ...ofAll }, signal);
  if (whole === null) throw new UserFacingError('empty', `${path} holds no sound.`, { path });
  const each: NonNullable<RecordingFigures['channels']> = [];
  for (let channel = 1; channels > 1 && channel <= Math.min(channels, mostChannels); channel++) {
    const drawn = await draw(path, { reading: { ...reading, channel }, ...ofAll }, signal);
    if (drawn) each.push({ channel, ...drawn.picture });
  }
  const closeUps: CloseUp[] = [];
  for (const mark of marks.slice(0, mostCloseUps)) {
    const closeUp = await closeUpOf(request, mark, whole.seconds, signal);
    if (closeUp) closeUps.push(closeUp);
  }
  const { seconds: durationSeconds, missing, picture } = whole;
  return {
    durationSeconds,
    ...(missing ? { missing } : {}),
    sampleRateHz,
    stream,
    ...picture,
    channels: each,
    closeUps,
  };
}

/** A mark with what lies around it, in the channel that it is of; null where there is no sound. */
async function closeUpOf(
  { path, stream, channels, sampleRateHz: storedRateHz, settings = null }: FiguresRequest,
  { id, startSeconds, endSeconds, readAll, channel: ofChannel }: FiguresRequest['marks'][number],
  durationSeconds: number,
  signal: AbortSignal | undefined,
): Promise<CloseUp | null> {
  const end = endSeconds ?? startSeconds;
  const around = end > startSeconds ? Math.max(leastAroundSeconds, (end - startSeconds) / 10) : leastAroundPointSeconds;
  const from = Math.max(0, startSeconds - around);
  const to = readAll ? end + around : Math.min(durationSeconds, end + around);
  const top = settings?.topHz ?? null;
  const rateHz = Math.round(Math.min(storedRateHz, top === null ? mostSampleRateHz : 2 * top));
  // Another stream may have fewer channels than the one that was marked.
  const channel = channels > 1 && ofChannel !== null && ofChannel <= channels ? { channel: ofChannel } : {};
  const reading = { stream, sampleRateHz: rateHz, ...channel, ...(readAll ? { readAll } : {}) };
  const stretch = { startSeconds: from, endSeconds: to };
  const drawn = to > from ? await draw(path, { reading, stretch, scale: 'linear', settings }, signal) : null;
  if (drawn === null) return null;
  return {
    markId: id,
    ...channel,
    startSeconds: from,
    endSeconds: from + drawn.seconds,
    sampleRateHz: rateHz,
    ...drawn.picture,
  };
}

/** Waveform and spectrogram of a recording or of a stretch; null where it holds no sound. */
async function draw(
  path: string,
  { reading, stretch, scale, settings }: Part,
  signal: AbortSignal | undefined,
): Promise<Drawing | null> {
  const audio = await openAudio(path, { ...reading, timeLimitSeconds: 3600, ...(signal ? { signal } : {}) });
  const rateHz = reading.sampleRateHz;
  const first = Math.round((stretch?.startSeconds ?? 0) * rateHz);
  const end = stretch === null ? Infinity : Math.round(stretch.endSeconds * rateHz);
  const peaks = new WaveformPeaks(waveformColumns);
  async function* watched(): AsyncGenerator<Float32Array> {
    let seen = 0;
    for await (const block of placedBlocks(audio, rateHz)) {
      const part = block.subarray(Math.max(0, first - seen), Math.max(0, end - seen));
      seen += block.length;
      if (part.length > 0) {
        peaks.add(part);
        yield part;
      }
      if (seen >= end) return;
    }
  }
  const seconds = stretch === null ? audio.info.durationSeconds : stretch.endSeconds - stretch.startSeconds;
  const overview = await overviewOf(watched(), {
    sampleRateHz: rateHz,
    scale: settings?.scale ?? scale,
    ...(settings === null ? {} : { analysis: settings }),
    columns: spectrogramSize.width,
    rows: spectrogramSize.height,
    ...(seconds === null ? {} : { expectedSamples: Math.round(seconds * rateHz) }),
  });
  if (overview.samples === 0) return null;
  const { png, ...spectrogram } = spectrogramPixels(overview, {
    ...spectrogramSize,
    colourMap: reportColourMap,
    ...(settings === null ? {} : { rangeDb: settings.rangeDb }),
    ...(typeof settings?.ceilingDb === 'number' ? { maxDb: settings.ceilingDb } : {}),
  });
  const shownSeconds = overview.samples / rateHz;
  return {
    seconds: shownSeconds,
    missing: stretch === null ? missingStretches(audio.statistics, shownSeconds, waveformColumns) : undefined,
    picture: {
      peaks: Buffer.from(peaks.values(waveformColumns).buffer).toString('base64'),
      spectrogram: { ...spectrogram, pngBase64: png.toString('base64') },
    },
  };
}
