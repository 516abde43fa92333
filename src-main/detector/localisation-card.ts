import { z } from 'zod';
import { fileComparisonSchema, regionFiguresSchema } from '../evaluation/partial.ts';

/**
 * The window score below which a stretch of a recording is pointed out, with how often that happens in bona fide speech:
 * window scores are uncalibrated, and the lowest of thousands is low whatever the recording is.
 */
export const localisationSchema = z.object({
  threshold: z.number(),
  /** Stretches pointed out in the bona fide audio that it was measured on. */
  falseAlarms: z.int().nonnegative(),
  bonafideHours: z.number().positive(),
  falseAlarmsPerHour: z.number().nonnegative(),
  /** Upper 95 % confidence bound of that rate (exact, Poisson; clips taken as independent). */
  falseAlarmsPerHourAtMost: z.number().positive(),
});
export type Localisation = z.infer<typeof localisationSchema>;

/** What scores along a recording were worth where a spoof, or bona fide speech, had been spliced in: see `evaluation/partial.ts`. */
export const partialRecordSchema = z.object({
  /** The windows that were scored. */
  window: z.object({ seconds: z.number().positive(), hopSeconds: z.number().positive() }),
  dataset: z.string(),
  split: z.string(),
  /** Of the recordings that were made. */
  seed: z.int(),
  recordings: z.int(),
  sources: z.int(),
  segmentEer20: z.number(),
  segmentEer160: z.number(),
  regions: regionFiguresSchema,
  /** EER of whole recordings by how far their lowest score lies below their median, against that by their mean. */
  files: fileComparisonSchema,
});
export type PartialRecord = z.infer<typeof partialRecordSchema>;
