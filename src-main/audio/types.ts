/** What decoders tell of a recording, and what they must be able to do. */
import type { z } from 'zod';
import type { audioSchema, gapSchema, timelineSchema } from '../../src-common/schemas/recording.ts';
import type { BlockMemory } from './block-memory.ts';

/** What is known of a recording before its sound is decoded. */
export type AudioInfo = Omit<z.infer<typeof audioSchema>, 'told'>;

/** The mean of all channels, the first or second of at least two, or one by its number, counted from 1. */
export type Channel = 'mix' | 'left' | 'right' | number;

/** Sound that lies in the file and was not decoded, because its headers do not count it in. */
export interface UnreadSound {
  /**
   * `after-length`: behind the length that the header declares; `further-chunk`: in a chunk of sound after the first;
   * `further-file`: in a second recording joined to the first; `other-format`: where rate, channels or depth change.
   */
  kind: 'after-length' | 'further-chunk' | 'further-file' | 'other-format';
  /** As far as lengths tell. */
  seconds: number;
}

/** A stretch of the timeline for which the file holds no sound, or none that could be decoded; from its beginning in seconds. */
export type Gap = z.infer<typeof gapSchema>;

/**
 * Where the sound of a recording lies in its time, by the file's own timestamps. The samples are those that were decoded, one
 * after the other: for gaps there are none. A gap is reported before the block that follows it.
 */
export type TimelineNotes = Omit<z.infer<typeof timelineSchema>, 'gapCount'>;

/** What a decoder comes to know beside the samples; final once the blocks are at their end. */
export interface DecodeNotes extends TimelineNotes {
  /** There is less sound than the header says. */
  truncated: boolean;
  /** Parts of it could not be decoded: silence stands for them where their length is known, else they are missing. */
  damaged: boolean;
  /** Sample frames whose data was damaged and that silence stands for, so that times stay true. */
  lostFrames: number;
  /** None where `readAll` was asked for and could be done. */
  unread: UnreadSound[];
  /** How much an exact length says is missing at the end; null where nothing is, or no exact length says so. */
  missingSeconds: number | null;
  /** What the headers say that is not so, each a sentence; the sound was decoded as it is. */
  contradictions: string[];
  /** Sound in the file that its edit list hides, as a trimming program leaves it; 0 where `readAll` was asked for. */
  hiddenSeconds: number;
  /** Sound that the headers do not count in, or that an edit list hides, and that was read since `readAll` was asked for. */
  furtherSeconds: number;
  /** What the decoder itself says is wrong with the file, in its words. */
  statements: string[];
  /** The format's own checksum of all samples (FLAC's MD5) is not that of what was decoded. */
  checksumDiffers: boolean;
}

/** Notes before anything was decoded. */
export function noNotes(): DecodeNotes {
  return {
    truncated: false,
    damaged: false,
    lostFrames: 0,
    unread: [],
    missingSeconds: null,
    contradictions: [],
    startSeconds: 0,
    gaps: [],
    overlapSeconds: 0,
    uncertainFromSeconds: null,
    hiddenSeconds: 0,
    furtherSeconds: 0,
    statements: [],
    checksumDiffers: false,
  };
}

/**
 * Filled while a recording's blocks are consumed, final once they are at their end; what headers say of missing and of unread sound
 * is there from the beginning. Measured on the native samples of
 * the channels used, before mixing and resampling.
 */
export interface DecodeStatistics extends DecodeNotes {
  /** Native sample frames (one sample of every channel each). */
  frames: number;
  /** Largest finite magnitude; 1 is full scale. */
  peak: number;
  /** Part of all samples that lies in runs of three or more at full scale or above (magnitude of at least 0.999). */
  clippedFraction: number;
  /** How much lower the mix is than its channels are on average, in mean power; null where none were mixed, or all are silent. */
  mixLossDb: number | null;
  /** NaN, infinite or absurd (magnitude above 1e30) samples, replaced by 0. */
  nonFiniteSamples: number;
}

/**
 * A file, or a file with its whole content already read. ffmpeg, where it is needed, gets the path all the same. `gaps` lie in sound
 * that was cut out of another recording, and are none of its samples.
 */
export type AudioSource = string | { path: string; bytes: Uint8Array; gaps?: readonly Gap[] };

export interface OpenOptions {
  /** Rate of the blocks; by default 16000. */
  sampleRateHz?: number;
  /** Which audio stream of a file that holds several, counted from 0; by default the first. */
  stream?: number;
  /** By default `mix`. */
  channel?: Channel;
  /** Reads also the sound that the headers do not count in (`UnreadSound`, and what an edit list hides); by default not. */
  readAll?: boolean;
  /** Fades the sound in and out over this long at its first and last sample that is not zero; by default not at all. */
  edgeFadeSeconds?: number;
  /** Called with each native block, as one channel and channel by channel, before it is resampled; it must not keep or change the samples. */
  onNative?: (mono: Float32Array, channels: readonly Float32Array[]) => void;
  /** Where blocks lie; one then holds only until the next is asked for, here or for another recording. */
  memory?: BlockMemory;
  /** Stops reading, and ffmpeg with it. */
  signal?: AbortSignal;
  /** How long may be waited for ffmpeg in all, the caller's own work not counted; by default 600. */
  timeLimitSeconds?: number;
}

export interface AudioStream {
  info: AudioInfo;
  statistics: DecodeStatistics;
  /** Mono blocks at the rate asked for; the caller owns them (but see `memory`). Can be walked through once; leaving early closes. */
  blocks(): AsyncGenerator<Float32Array, void, undefined>;
  /** Lets go of the file and of ffmpeg where `blocks` is never walked through. */
  close(): Promise<void>;
}

/** Native samples of each channel, `length` of them; the receiver owns the arrays, unless it gave memory for them. */
export interface NativeBlock {
  channels: Float32Array[];
  length: number;
  /** A gap lies before these samples, or the recording begins late, by so many seconds. */
  gapSeconds?: number;
}

/** One of the decoders at work. */
export interface NativeDecoder {
  info: AudioInfo;
  readonly notes: DecodeNotes;
  /** @param memory as in `OpenOptions` */
  blocks(memory?: BlockMemory): AsyncGenerator<NativeBlock, void, undefined>;
  close(): Promise<void>;
}
