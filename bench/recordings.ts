import { createWriteStream, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { waveHeader } from '../src-main/audio/wav-writer.ts';
import { decode } from '../src-main/audio/decode.ts';
import { Random } from '../src-main/base/random.ts';
import { applicationRoot } from '../src-main/base/workers.ts';

const rateHz = 16_000;

/** The test clips of a corpus beside the project (FLAC, at most 3 s), or null where there is none. */
export function corpusClips(): string[] | null {
  const folder = join(applicationRoot(), '..', 'shared', 'corpus', 'test');
  if (!existsSync(folder)) return null;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.flac'))
    .sort()
    .map((name) => join(folder, name));
}

/** Three seconds with the outlines of speech: pulses of a gliding pitch through formants, in syllables. */
function speechLike(seed: number): Int16Array {
  const random = new Random(seed);
  const samples = new Float64Array(3 * rateHz);
  const formants = [500, 1500, 2500].map((hz) => hz * random.between(0.8, 1.2));
  let phase = 0;
  const states = formants.map(() => [0, 0]);
  for (let i = 0; i < samples.length; i++) {
    const pitchHz = 120 + 40 * Math.sin((2 * Math.PI * i) / (1.7 * rateHz) + seed);
    phase += pitchHz / rateHz;
    const pulse = phase >= 1 ? 1 : 0;
    phase %= 1;
    const syllable = Math.max(0, Math.sin((2 * Math.PI * 3.5 * i) / rateHz));
    for (const [place, state] of states.entries()) {
      const value = pulse + 1.94 * Math.cos((2 * Math.PI * formants[place]) / rateHz) * state[0] - 0.94 * state[1];
      state[1] = state[0];
      state[0] = value;
      samples[i] += syllable * value;
    }
    samples[i] += 0.01 * random.normal();
  }
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return Int16Array.from(samples, (sample) => Math.round((16_000 * sample) / peak));
}

/** Clips made here, as WAV files in a folder, where there is no corpus. */
export function madeClips(folder: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const samples = speechLike(index);
    const path = join(folder, `clip-${index}.wav`);
    writeFileSync(path, Buffer.concat([waveHeader(rateHz, samples.length), new Uint8Array(samples.buffer)]));
    return path;
  });
}

/** Clips one after the other with pauses between them, over and over, as one WAV file of so many seconds. */
export async function longRecording(path: string, clips: readonly string[], seconds: number): Promise<void> {
  const random = new Random(1);
  const frames = seconds * rateHz;
  const file = createWriteStream(path);
  file.write(waveHeader(rateHz, frames));
  const decoded = await Promise.all(clips.map(async (clip) => (await decode(clip)).samples));
  let written = 0;
  for (let index = 0; written < frames; index++) {
    const clip = decoded[index % decoded.length];
    const samples = new Int16Array(Math.min(clip.length + 0.4 * rateHz, frames - written));
    for (let i = 0; i < samples.length; i++) samples[i] = Math.round(32_767 * (clip[i] ?? 0) + random.between(-8, 8));
    written += samples.length;
    if (!file.write(new Uint8Array(samples.buffer))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
