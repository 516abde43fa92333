/** What is made of a stretch of sound beside its spectrogram. */
import { z } from 'zod';

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
