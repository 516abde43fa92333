/** Sound for the Examine view. Bytes come from addresses (`resources`), never in messages. */
import { eventIterator } from '@orpc/contract';
import { z } from 'zod';
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
  /** Peaks of the mix: levels of halving resolution, finest first; each a resource of interleaved Float32 min, max. */
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

/** Whose sound a resource is of, and in which reading of its file. */
interface SoundOf {
  caseId: string;
  evidenceId: number;
  readAll?: boolean;
}

/**
 * Addresses of bytes, relative to the host's resource root (`/resources/` in the browser, `earwitness://resources/` in Electron):
 * `sound/CASE/EVIDENCE/peaks/LEVEL?from=N&count=N`, `sound/CASE/EVIDENCE/spectrogram/LEVEL/TILE?scale=mel|linear&top=HZ`,
 * `sound/CASE/EVIDENCE/audio.wav` (with Range), `spectrogram/CASE/EVIDENCE.png?from=S&to=S&scale=…&top=HZ&map=…&floor=DB&ceiling=DB`,
 * `file/TOKEN` (a finished export, once). `all=1` with any of an item: of its sound as prepared with `readAll`.
 */
export const resources = {
  peaks: ({ caseId, evidenceId, readAll }: SoundOf, level: number, from: number, count: number): string =>
    `sound/${caseId}/${evidenceId}/peaks/${level}?from=${from}&count=${count}${readAll ? '&all=1' : ''}`,
  tile: (
    { caseId, evidenceId, readAll }: SoundOf,
    level: number,
    tile: number,
    axis: { scale: 'mel' | 'linear'; topHz: number },
  ): string =>
    `sound/${caseId}/${evidenceId}/spectrogram/${level}/${tile}?scale=${axis.scale}&top=${axis.topHz}${readAll ? '&all=1' : ''}`,
  audio: ({ caseId, evidenceId, readAll }: SoundOf): string =>
    `sound/${caseId}/${evidenceId}/audio.wav${readAll ? '?all=1' : ''}`,
  image: ({ caseId, evidenceId, readAll }: SoundOf, query: Record<string, string>): string =>
    `spectrogram/${caseId}/${evidenceId}.png?${new URLSearchParams({ ...query, ...(readAll ? { all: '1' } : {}) })}`,
  file: (token: string): string => `file/${token}`,
};

/** In the browser workstation, POST with a file's bytes to this path of the host stores an upload and answers `uploadSchema`. */
export const uploadAddress = (fileName: string): string => `/upload?${new URLSearchParams({ name: fileName })}`;

export const uploadSchema = z.object({ path });

export const sound = {
  /** Peaks and audio of an item, computed once and kept; the stream says how far it is, its last event is `ready`. */
  prepare: procedure
    .input(
      inEvidence.extend({
        /** With the sound that the file's headers do not count in. */
        readAll: z.boolean().default(false),
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
