/** What is made of a stretch of sound beside its spectrogram. */
import { z } from 'zod';
import { timelineSchema } from './recording.ts';

export const averageSpectrumSchema = z.object({
  /** Level n is that of n times this frequency. */
  hzPerBin: z.number(),
  /** As in a spectrogram: a sine of amplitude 1 stands at 0 dBFS. */
  levelsDbfs: z.array(z.number()),
  /** Zero where the stretch is shorter than one: then silence was added. */
  frames: z.int(),
});

export type AverageSpectrum = z.infer<typeof averageSpectrumSchema>;

/** Where a fundamental frequency is looked for. */
export const pitchRangeSchema = z
  .object({ floorHz: z.number().min(30).max(500), ceilingHz: z.number().min(60).max(1500) })
  .refine(({ floorHz, ceilingHz }) => ceilingHz >= 1.5 * floorHz, 'the ceiling must be at least 1.5 times the floor');
export type PitchRange = z.infer<typeof pitchRangeSchema>;
export const defaultPitchRange: PitchRange = { floorHz: 75, ceilingHz: 500 };

export const pitchSchema = z.object({
  /** Of each frame's middle, in the recording. */
  timesSeconds: z.array(z.number()),
  /** Null: unvoiced. */
  frequenciesHz: z.array(z.number().nullable()),
  voicedShare: z.number(),
  medianHz: z.number().nullable(),
  meanHz: z.number().nullable(),
  lowestHz: z.number().nullable(),
  highestHz: z.number().nullable(),
});
export type Pitch = z.infer<typeof pitchSchema>;

/** What the Examine view is given of prepared sound. */
export const soundSchema = z.object({
  durationSeconds: z.number(),
  /** Where nothing is: before the sound begins, and where it is missing; from where on times are uncertain. */
  timeline: timelineSchema.pick({ startSeconds: true, gaps: true, uncertainFromSeconds: true }),
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

/** In dBFS: 0 is a sample of magnitude 1, and a mean square of 1; null: digital silence. */
const levelsSchema = z.object({
  /** Of the largest sample; a full-scale sine has 0. */
  peakDbfs: z.number().nullable(),
  peakSeconds: z.number(),
  /** Root of the mean square; a full-scale sine has -3.01. */
  rmsDbfs: z.number().nullable(),
});
export const measuresSchema = levelsSchema.extend({ band: levelsSchema.nullable() });
export type Measures = z.infer<typeof measuresSchema>;
export type Levels = Omit<Measures, 'band'>;
