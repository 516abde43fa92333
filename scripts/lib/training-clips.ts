// How clips are prepared that stand beside a corpus in training: as the corpus' own are, so that nothing but speech differs.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decode } from '../../src-main/audio/decode.ts';
import { findFfmpeg } from '../../src-main/audio/ffmpeg.ts';
import type { Random } from '../../src-main/base/random.ts';

const run = promisify(execFile);
export const clipRateHz = 16_000;
const mostSamples = 3 * clipRateHz;
const levelDbfs = -25;
const frame = clipRateHz / 50;

/** From the first to behind the last of the frames of 20 ms that are within 40 dB of the loudest, and as much quiet as asked. */
export function trimmed(samples: Float32Array, quietFrames = 0): Float32Array {
  const powers = Array.from({ length: Math.floor(samples.length / frame) }, (_, at) =>
    samples.subarray(at * frame, (at + 1) * frame).reduce((sum, sample) => sum + sample * sample, 0),
  );
  const least = powers.reduce((most, power) => Math.max(most, power), 0) * 1e-4;
  if (!(least > 0)) return new Float32Array(0);
  const [first, last] = [powers.findIndex((power) => power >= least), powers.findLastIndex((power) => power >= least)];
  return samples.slice(Math.max(0, first - quietFrames) * frame, (last + 1 + quietFrames) * frame);
}

/** Trimmed, at most 3 s, at -25 dBFS, dithered to 16 bits. @returns null where less than half a second is left */
export function prepared(samples: Float32Array, random: Random): Int16Array | null {
  const kept = trimmed(samples).slice(0, mostSamples);
  if (kept.length < clipRateHz / 2) return null;
  const rms = Math.sqrt(kept.reduce((sum, sample) => sum + sample * sample, 0) / kept.length);
  const gain = (32_768 * 10 ** (levelDbfs / 20)) / rms;
  return Int16Array.from(kept, (sample) => {
    const dithered = Math.round(sample * gain + random.uniform() - random.uniform());
    return Math.max(-32_768, Math.min(32_767, dithered));
  });
}

/** A file's samples at 16 kHz, mono, cut to 70 to 7,400 Hz. @param folder for a file that is taken away again */
export async function bandLimited(file: string, folder: string, format: readonly string[] = []): Promise<Float32Array> {
  const even = join(folder, 'even.wav');
  await run((await findFfmpeg()).path, ['-v', 'error', '-y', ...format, '-i', file, '-af', 'highpass=f=70,lowpass=f=7400', '-ac', '1', '-ar', String(clipRateHz), '-c:a', 'pcm_f32le', even]); // prettier-ignore
  const { samples } = await decode(even);
  await rm(even);
  return samples;
}
