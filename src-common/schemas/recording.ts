import { z } from 'zod';
import { seconds } from './primitives.ts';

/** What is known of a recording before its sound is decoded. */
export const audioSchema = z.object({
  /** `wav`, `flac`, `au`, `w64`, `aiff`, `caf`, or ffmpeg's name of the container. */
  container: z.string(),
  /** Codec by ffmpeg's names (`pcm_s16le`, `flac`, `mp3`). */
  codec: z.string(),
  sampleRateHz: z.number(),
  channels: z.int(),
  /** Of the stored samples; null where the codec has no such thing. */
  bitsPerSample: z.number().nullable(),
  /** As far as the header and the file's size tell; null where they do not. */
  durationSeconds: z.number().nullable(),
  /** How many audio streams the file holds, and which of them this is, counted from 0. */
  audioStreams: z.int(),
  stream: z.int(),
  /** `pcm`: our reader of plain samples in other containers than WAV. */
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
  /** Where the sound begins: above 0 where, say, a video begins before it. */
  startSeconds: z.number(),
  /** In order, apart from one another, each between sound; counted from the file's beginning as a player counts. Results list the first thousand. */
  gaps: z.array(gapSchema),
  /** How many there are; absent where all are listed. */
  gapCount: z.int().optional(),
  /** How much sound has timestamps that lie before the end of the sound before it; it follows after that all the same. */
  overlapSeconds: z.number(),
  /** From here on times are uncertain: timestamps step back, or beyond the file's own duration; null where none do. */
  uncertainFromSeconds: z.number().nullable(),
});
