import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { decode, openAudio, probe } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { openFlac } from './flac.ts';
import { InputBuffer, memorySource } from './input.ts';
import { bytesOf, floats, riff, chunk, formatChunk, runFfmpeg, sharedFolder, temporaryFolder } from './testing.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const formats = sharedFolder('formats');

/** Native samples of every channel, interleaved. */
async function decodeNative(bytes: Uint8Array): Promise<Float32Array> {
  const input = new InputBuffer(memorySource(bytes));
  await input.fill(4);
  const decoder = await openFlac(input);
  const out: number[] = [];
  for await (const block of decoder!.blocks()) {
    for (let i = 0; i < block.length; i++) for (const channel of block.channels) out.push(channel[i]);
  }
  return new Float32Array(out);
}

/** Noise through a resonance, with silence and a constant in it, as a float WAV; every coding of FLAC occurs. */
function sound(name: string, channels: number, frames: number): string {
  const random = new Random(channels);
  const samples = new Float32Array(frames * channels);
  const state = new Float64Array(channels);
  for (let i = 0; i < frames; i++) {
    const common = random.normal();
    for (let channel = 0; channel < channels; channel++) {
      state[channel] = 0.95 * state[channel] + 0.03 * (common + 0.2 * random.normal());
      const part = i % 20000;
      samples[i * channels + channel] =
        part < 3000 ? 0 : part < 6000 ? 0.25 : part < 8000 ? random.between(-1, 1) : state[channel];
    }
  }
  const path = join(folder, name);
  const data = chunk('data', new Uint8Array(samples.buffer));
  writeFileSync(path, riff(formatChunk(3, channels, 44100, 32), data));
  return path;
}

describe.skipIf(ffmpeg === null)('FLAC, against ffmpeg', () => {
  test.each([
    [1, 's16', 16, []],
    [1, 's16', 16, ['-compression_level', '12', '-lpc_type', 'cholesky']],
    [1, 's16', 16, ['-lpc_type', 'fixed']],
    [1, 's16', 16, ['-frame_size', '131']],
    [2, 's16', 16, ['-ch_mode', 'mid_side']],
    [2, 's16', 16, ['-ch_mode', 'left_side']],
    [2, 's16', 16, ['-ch_mode', 'right_side']],
    [2, 's32', 24, []],
    [1, 's32', 24, ['-compression_level', '12', '-lpc_type', 'cholesky', '-lpc_passes', '4']],
    [6, 's16', 16, []],
  ])('%i channels, %s: every sample of %i bits is the same %j', async (channels, format, bits, options) => {
    const wav = sound(`${channels}.wav`, channels, 70001);
    const flac = join(folder, `${channels}.flac`);
    runFfmpeg(ffmpeg!, '-i', wav, '-c:a', 'flac', '-sample_fmt', format, ...options, flac);
    const reference = floats(runFfmpeg(ffmpeg!, '-i', flac, '-f', 'f32le', '-'));
    const samples = await decodeNative(bytesOf(flac));
    expect(samples.length).toBe(70001 * channels);
    expect(Buffer.from(samples.buffer).equals(Buffer.from(reference.buffer))).toBe(true);
    expect(await probe(flac)).toMatchObject({ bitsPerSample: bits, channels, decoder: 'flac' });
  });

  test('a stream longer than the window is the same from disk', async () => {
    const flac = join(folder, 'long.flac');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=30:r=16000:seed=1', '-c:a', 'flac', flac);
    const reference = floats(runFfmpeg(ffmpeg!, '-i', flac, '-f', 'f32le', '-'));
    const { samples, statistics, info } = await decode(flac);
    expect(Buffer.from(samples.buffer).equals(Buffer.from(reference.buffer))).toBe(true);
    expect(statistics).toMatchObject({ frames: 480000, truncated: false, damaged: false, lostFrames: 0 });
    expect(info.durationSeconds).toBe(30);
  });

  test('a damaged stretch becomes silence of its length', async () => {
    const flac = join(folder, 'damaged.flac');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=10:r=16000:seed=2', '-c:a', 'flac', flac);
    const bytes = bytesOf(flac);
    const whole = (await decode({ path: flac, bytes })).samples;
    for (let i = 100_000; i < 120_000; i += 50) bytes[i] ^= 0x5a;
    const { samples, statistics } = await decode({ path: flac, bytes });
    expect(statistics.lostFrames).toBeGreaterThan(4000);
    expect(statistics).toMatchObject({ truncated: false, damaged: true });
    expect(samples.length).toBe(whole.length);
    expect(samples.filter((x, i) => x !== whole[i]).length).toBeLessThanOrEqual(statistics.lostFrames);
    expect(samples.subarray(-10000)).toEqual(whole.subarray(-10000));
  });

  test('streams that are decoded in turns do not get into one another', async () => {
    const flacs = [1, 2].map((channels) => {
      const flac = join(folder, `turns-${channels}.flac`);
      runFfmpeg(ffmpeg!, '-i', sound(`turns-${channels}.wav`, channels, 150_000), '-c:a', 'flac', flac);
      const bytes = bytesOf(flac);
      // Silence for a damaged stretch goes before a frame that is already decoded.
      for (let i = 20_000; i < bytes.length; i += 60_000) bytes.fill(0x5a, i, i + 40_000);
      return { path: flac, bytes };
    });
    const alone = [];
    for (const source of flacs) alone.push(await decode(source));
    expect(alone.map(({ statistics }) => statistics.lostFrames > 0)).toEqual([true, true]);
    const parts: Float32Array[][] = [[], []];
    const walks = await Promise.all(flacs.map(async (source) => (await openAudio(source)).blocks()));
    for (let open = 2; open > 0;) {
      open = 0;
      for (const [index, walk] of walks.entries()) {
        const { value } = await walk.next();
        if (value) parts[index].push(value);
        if (value) open++;
      }
    }
    for (const [index, { samples }] of alone.entries()) {
      expect(parts[index].flatMap((part) => [...part])).toEqual([...samples]);
    }
  });

  test('a stream that ends early gives what is there', async () => {
    const flac = join(folder, 'early.flac');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=3:r=16000:seed=3', '-c:a', 'flac', flac);
    const bytes = bytesOf(flac);
    const whole = (await decode({ path: flac, bytes })).samples;
    const { samples, statistics } = await decode({ path: flac, bytes: bytes.slice(0, bytes.length / 2) });
    expect(statistics.truncated).toBe(true);
    expect(samples.length).toBeGreaterThan(16000);
    expect(samples).toEqual(whole.subarray(0, samples.length));
  });

  test('thousands of flipped and cut bytes neither crash nor hang it', async () => {
    const flac = join(folder, 'fuzz.flac');
    const source = sound('fuzz.wav', 2, 12000);
    runFfmpeg(ffmpeg!, '-i', source, '-sample_fmt', 's16', '-frame_size', '512', '-c:a', 'flac', flac);
    const original = bytesOf(flac);
    const random = new Random(5);
    for (let round = 0; round < 300; round++) {
      const bytes = original.slice(0, random.uniform() < 0.3 ? 42 + random.below(original.length - 42) : undefined);
      for (let flips = random.below(20); flips >= 0; flips--)
        bytes[8 + random.below(bytes.length - 8)] = random.below(256);
      const input = new InputBuffer(memorySource(bytes));
      await input.fill(4);
      const decoder = await openFlac(input);
      if (!decoder) continue;
      let frames = 0;
      for await (const block of decoder.blocks()) {
        frames += block.length;
        for (const channel of block.channels)
          expect(channel.subarray(0, block.length).every((x) => x >= -1 && x < 1)).toBe(true);
      }
      expect(frames).toBeLessThan(1_000_000);
    }
  });
});

test.skipIf(formats === null || ffmpeg === null)('real FLAC files decode as by ffmpeg, sample for sample', async () => {
  for (const name of ['flac-16000-1ch-bd991a.flac', 'flac-48000-1ch-9d2529.wav']) {
    const path = join(formats!, name);
    const reference = floats(runFfmpeg(ffmpeg!, '-i', path, '-f', 'f32le', '-'));
    const samples = await decodeNative(bytesOf(path));
    expect(Buffer.from(samples.buffer).equals(Buffer.from(reference.buffer))).toBe(true);
  }
});
