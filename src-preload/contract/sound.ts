/** Sound for the Examine view. Bytes come from addresses (`resources`), never in messages. */
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
import type { FrequencyAxis } from '../../src-common/frequency-axis.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { path, seconds } from '../../src-common/schemas/primitives.ts';
import { gapSchema } from '../../src-common/schemas/recording.ts';
import { inEvidence, procedure } from './procedure.ts';

const soundSchema = z.object({
  durationSeconds: z.number(),
  /** Where nothing is: before the sound begins, and where it is missing; from where on times are uncertain. */
  timeline: z.object({
    startSeconds: z.number(),
    gaps: z.array(gapSchema),
    uncertainFromSeconds: z.number().nullable(),
  }),
  sampleRateHz: z.number(),
  channels: z.int(),
  /** Peaks: levels of halving resolution, finest first; each a resource of interleaved Float32 min, max. */
  peaks: z.array(z.object({ samplesPerPeak: z.int(), count: z.int() })),
  /** Tiles of the spectrogram: levels of halving resolution, finest first; each tile a resource of Uint8 [bins][columns]. */
  spectrogram: z.object({
    columnsPerTile: z.int(),
    bins: z.int(),
    maxHz: z.number(),
    /** Byte 0 and 255 stand for these. */
    floorDb: z.number(),
    ceilingDb: z.number(),
    levels: z.array(z.object({ secondsPerColumn: z.number(), tiles: z.int() })),
  }),
});
export type Sound = z.infer<typeof soundSchema>;

/** Of more channels, the first ones are shown on their own. */
export const mostChannelsShown = 8;

/** Whose sound a resource is of, and in which reading of its file. */
interface SoundOf {
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
 * `sound/CASE/EVIDENCE/audio.wav` (with Range),
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
  audio: (of: Omit<SoundOf, 'channel'>, channels: readonly number[] | null = null): string =>
    `sound/${of.caseId}/${of.evidenceId}/audio.wav${queryOf({ ...of, channel: null }, channels === null ? {} : { channels: channels.join(',') })}`,
  image: (of: SoundOf, query: Record<string, string | number>): string =>
    `spectrogram/${of.caseId}/${of.evidenceId}.png${queryOf(of, query)}`,
  file: (token: string): string => `file/${token}`,
};

/** In the browser workstation, POST with a file's bytes to this path of the host stores an upload and answers `uploadSchema`. */
export const uploadAddress = (fileName: string): string => `/upload?${new URLSearchParams({ name: fileName })}`;

export const uploadSchema = z.object({ path });

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
};
