/** Sound for the Examine view. Bytes come from addresses (`resources`), never in messages. */
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import type { Band, FrequencyAxis } from '../../src-common/frequency-axis.ts';
import {
  averageSpectrumSchema,
  measuresSchema,
  pitchRangeSchema,
  pitchSchema,
  soundSchema,
} from '../../src-common/schemas/sound.ts';
import { spectrumAnalysisSchema } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { path, seconds } from '../../src-common/schemas/primitives.ts';
import { inEvidence, procedure } from './procedure.ts';

const bandSchema = z
  .object({ lowHz: z.number().nonnegative(), highHz: z.number().positive() })
  .refine(({ lowHz, highHz }) => lowHz < highHz, 'a band ends above where it begins');

/** Longer stretches are not measured. */
export const mostMeasuredSeconds = 600;

/** How sound is played: a band of it alone, and louder or softer by so much. */
export interface HeardAs {
  band: Band | null;
  gainDb: number;
}
export const mostGainDb = 36;

/** Of more channels, the first ones are shown on their own. */
export const mostChannelsShown = 8;

/** Whose sound a resource is of, and in which reading of its file. */
export interface SoundOf {
  caseId: string;
  evidenceId: number;
  readAll?: boolean;
  /** By default the mix of all. */
  channel?: number | null;
}

/** What stands behind the `?` of an address. */
const queryOf = ({ readAll, channel }: SoundOf, query: Record<string, string | number> = {}): string => {
  const all = {
    ...query,
    ...(readAll ? { all: 1 } : {}),
    ...(channel === null || channel === undefined ? {} : { channel }),
  };
  const text = new URLSearchParams(
    Object.entries(all).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === '' ? '' : `?${text}`;
};

/** How a spectrogram is made, behind the `?` of its address. */
export const spectrogramQuery = (
  { scale, topHz }: FrequencyAxis,
  { window, windowMs, overlap }: SpectrumAnalysis,
): Record<string, string | number> => ({ scale, top: topHz, window, ms: windowMs, overlap });

/**
 * Addresses of bytes, relative to the host's resource root (`/resources/` in the browser, `earwitness://resources/` in Electron):
 * `sound/CASE/EVIDENCE/peaks/LEVEL?from=N&count=N`,
 * `sound/CASE/EVIDENCE/spectrogram/LEVEL/TILE?scale=mel|linear|log&top=HZ&window=hann…&ms=N&overlap=automatic|SHARE`,
 * `sound/CASE/EVIDENCE/audio.wav?low=HZ&high=HZ&gain=DB` (with Range; of a band alone, louder or softer),
 * `spectrogram/CASE/EVIDENCE.png?from=S&to=S&scale=…&top=HZ&window=…&ms=…&overlap=…&map=…&floor=DB&ceiling=DB`,
 * `file/TOKEN` (a finished export, once). `all=1` with any of an item: of its sound as prepared with `readAll`; `channel=N`: of one channel;
 * `channels=N,N…` with `audio.wav`: the mean of these, each of which must be prepared.
 */
export const resources = {
  peaks: (of: SoundOf, level: number, from: number, count: number): string =>
    `sound/${of.caseId}/${of.evidenceId}/peaks/${level}${queryOf(of, { from, count })}`,
  tile: (of: SoundOf, level: number, tile: number, axis: FrequencyAxis, analysis: SpectrumAnalysis): string =>
    `sound/${of.caseId}/${of.evidenceId}/spectrogram/${level}/${tile}${queryOf(of, spectrogramQuery(axis, analysis))}`,
  /** @param channels those that are heard together; null: the mix of all */
  audio: (
    of: Omit<SoundOf, 'channel'>,
    channels: readonly number[] | null = null,
    { band, gainDb }: HeardAs = { band: null, gainDb: 0 },
  ): string => {
    const query = {
      ...(channels === null ? {} : { channels: channels.join(',') }),
      ...(band === null ? {} : { low: band.lowHz, high: band.highHz }),
      ...(gainDb === 0 ? {} : { gain: gainDb }),
    };
    return `sound/${of.caseId}/${of.evidenceId}/audio.wav${queryOf({ ...of, channel: null }, query)}`;
  },
  image: (of: SoundOf, query: Record<string, string | number>): string =>
    `spectrogram/${of.caseId}/${of.evidenceId}.png${queryOf(of, query)}`,
  file: (token: string): string => `file/${token}`,
};

/** In the browser workstation, POST with a file's bytes to this path of the host stores an upload and answers `uploadSchema`. */
export const uploadAddress = (fileName: string): string => `/upload?${new URLSearchParams({ name: fileName })}`;

export const uploadSchema = z.object({ path });

/** Of an item's prepared sound. */
const stretch = inEvidence.extend({
  readAll: z.boolean().default(false),
  channel: z.int().positive().max(256).optional(),
  startSeconds: seconds,
  endSeconds: seconds,
});
const endsLater = [
  ({ startSeconds, endSeconds }: { startSeconds: number; endSeconds: number }): boolean => startSeconds < endSeconds,
  'a stretch ends after it begins',
] as const;

export const sound = {
  /** Peaks and audio of an item, or of one of its channels, computed once and kept; the stream says how far it is, its last event is `ready`. */
  prepare: procedure
    .input(
      inEvidence.extend({
        /** With the sound that the file's headers do not count in. */
        readAll: z.boolean().default(false),
        channel: z.int().positive().max(256).optional(),
      }),
    )
    .output(
      eventIterator(
        z.discriminatedUnion('type', [
          z.object({ type: z.literal('progress'), done: seconds, total: z.number().nullable() }),
          z.object({ type: z.literal('ready'), sound: soundSchema }),
        ]),
      ),
    ),
  /** Levels of a stretch and of a band of it: of the samples themselves; the sound must be prepared. */
  measure: procedure.input(stretch.extend({ band: bandSchema.nullable() }).refine(...endsLater)).output(measuresSchema),
  /** The long-term average spectrum of a stretch; the overlap is half of the window. */
  averageSpectrum: procedure
    .input(stretch.extend({ analysis: spectrumAnalysisSchema }).refine(...endsLater))
    .output(averageSpectrumSchema),
  /** Fundamental frequency over a stretch. */
  pitch: procedure.input(stretch.extend({ range: pitchRangeSchema }).refine(...endsLater)).output(pitchSchema),
};
