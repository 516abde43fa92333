import { z } from 'zod';
import { seconds } from './primitives.ts';

export const audioSchema = z.object({
  container: z.string(),
  codec: z.string(),
  sampleRateHz: z.number(),
  channels: z.int(),
  bitsPerSample: z.number().nullable(),
  durationSeconds: z.number().nullable(),
  audioStreams: z.int(),
  stream: z.int(),
  decoder: z.enum(['wav', 'pcm', 'flac', 'ffmpeg']),
  decoderVersion: z.string(),
  /** What confined a decoder that is a program of its own; absent in results made before this was reported. */
  heldBy: z.array(z.enum(['bubblewrap', 'no-new-privileges', 'limits', 'watched'])).optional(),
  /** Of an item: codes of the reasons that its headers gave at intake, before it was scanned; absent where they gave none. */
  told: z.array(z.string()).optional(),
});

/** How good a recording is to judge. Levels and times are of the band that the model looks at. */
export const qualitySchema = z.object({
  /** Net speech by voice activity detection; null where the model's conditioning does without. */
  speechSeconds: z.number().nullable(),
  /** Mean power of the active sound; null in silence. */
  levelDbfs: z.number().nullable(),
  /** Share of samples in runs of three or more at full scale. */
  clippedFraction: z.number(),
  /** Speech over noise, an estimate; null where no noise is to be heard. */
  snrDb: z.number().nullable(),
  /** Up to which frequency sound comes and goes above the noise, at the native rate, up to 24 kHz; null for none. */
  effectiveBandwidthHz: z.number().nullable(),
  /** Where the spectrum ends abruptly, as after lossy coding (mp3, AAC) or resampling from a lower rate; else null. */
  sharpCutoffHz: z.number().nullable(),
  leadingSilenceSeconds: z.number(),
  trailingSilenceSeconds: z.number(),
});
export type Quality = z.infer<typeof qualitySchema>;
export const channelSchema = z.union([z.literal(['mix', 'left', 'right']), z.int().positive()]);

/** Which part of a recording an analysis looked at. */
export const stretchSchema = z.object({ startSeconds: seconds, endSeconds: seconds });
export const gapSchema = z.object({ fromSeconds: z.number(), toSeconds: z.number() });

/** Where the sound of a recording lies in its time, by the file's own timestamps. */
export const timelineSchema = z.object({
  startSeconds: z.number(),
  /** The first thousand. */
  gaps: z.array(gapSchema),
  /** How many there are; absent where all are listed. */
  gapCount: z.int().optional(),
  overlapSeconds: z.number(),
  uncertainFromSeconds: z.number().nullable(),
});
