import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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
const reports = sharedFolder('reports');
const flacProgram = hasFlac();

function hasFlac(): boolean {
  try {
    execFileSync('flac', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

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

describe.skipIf(ffmpeg === null)('what a FLAC file holds, whatever its header says', () => {
  const good = join(folder, 'good.flac');
  if (ffmpeg !== null) {
    runFfmpeg(ffmpeg, '-f', 'lavfi', '-i', 'anoisesrc=d=4:r=16000:seed=7', '-sample_fmt', 's16', '-c:a', 'flac', good);
  }
  const whole = ffmpeg === null ? new Uint8Array() : bytesOf(good);
  /** The file with a change of its STREAMINFO, which begins at byte 8. */
  function changed(change: (view: DataView) => void): Uint8Array {
    const bytes = whole.slice();
    change(new DataView(bytes.buffer, 8));
    return bytes;
  }
  const withTotal = (frames: number): Uint8Array => changed((view) => view.setUint32(14, frames));
  const read = async (bytes: Uint8Array, readAll = false) => {
    const { samples, statistics, info } = await decode({ path: good, bytes }, { readAll, sampleRateHz: 16_000 });
    const { truncated, damaged, missingSeconds, contradictions, checksumDiffers, unread } = statistics;
    return { samples, info, notes: { truncated, damaged, missingSeconds, contradictions, checksumDiffers, unread } };
  };
  const nothing = {
    truncated: false,
    damaged: false,
    missingSeconds: null,
    contradictions: [],
    checksumDiffers: false,
    unread: [],
  };

  test('its own checksum holds, or is reported not to', async () => {
    expect((await read(whole)).notes).toEqual(nothing);
    const other = changed((view) => view.setUint8(20, view.getUint8(20) ^ 1));
    expect((await read(other)).notes).toEqual({ ...nothing, checksumDiffers: true });
    // Zeros are no checksum.
    const none = changed((view) => {
      for (let at = 18; at < 34; at++) view.setUint8(at, 0);
    });
    expect((await read(none)).notes).toEqual(nothing);
  });

  test.each<[string, () => Uint8Array, RegExp]>([
    ['a total too small', () => withTotal(16_000), /says that it holds 1.00 s of sound; it holds 4.00 s/],
    ['a total too large', () => withTotal(160_000), /says that it holds 10.00 s of sound; it holds 4.00 s/],
    [
      '24 bits',
      () => changed((view) => view.setUint16(12, ((view.getUint16(12) & ~0x1f0) | (23 << 4)) >>> 0)),
      /says 24 bits per sample/,
    ],
    ['5 channels', () => changed((view) => view.setUint8(12, (view.getUint8(12) & ~0x0e) | 8)), /says 5 channels/],
    [
      'another rate',
      () => changed((view) => view.setUint8(11, view.getUint8(11) ^ 8)),
      /says \d+ Hz; its sound has 16000/,
    ],
  ])('%s is reported, and the samples are the same', async (_, make, sentence) => {
    const { samples, info, notes } = await read(make());
    expect(samples).toEqual((await read(whole)).samples);
    expect(notes).toEqual({ ...nothing, contradictions: [expect.stringMatching(sentence)] });
    expect(info).toMatchObject({ channels: 1, bitsPerSample: 16, sampleRateHz: 16_000 });
  });

  test('no total, and a largest block that is none', async () => {
    const small = changed((view) => {
      view.setUint16(0, 1024);
      view.setUint16(2, 1024);
    });
    for (const bytes of [withTotal(0), small]) {
      const { samples, notes } = await read(bytes);
      expect(samples).toEqual((await read(whole)).samples);
      expect(notes).toEqual(nothing);
    }
  });

  test('what is missing at the end is reported to the sample', async () => {
    const { samples, notes } = await read(whole.slice(0, -5));
    expect(notes).toMatchObject({ truncated: true, missingSeconds: (64_000 - samples.length) / 16_000 });
    expect(notes.missingSeconds).toBeLessThan(0.3);
  });

  test('a second stream is reported, and read when asked for; tags are none', async () => {
    const tag = Buffer.from('TAG'.padEnd(128, 'x'));
    for (const between of [new Uint8Array(0), tag]) {
      const two = new Uint8Array([...whole, ...between, ...whole]);
      const { samples, notes } = await read(two);
      expect(samples.length).toBe(64_000);
      expect(notes).toEqual({ ...nothing, unread: [{ kind: 'further-file', seconds: 4 }] });
      const all = await read(two, true);
      expect(all.samples.length).toBe(128_000);
      expect(all.samples.subarray(64_000)).toEqual(samples);
      expect(all.notes).toEqual(nothing);
    }
    expect((await read(new Uint8Array([...whole, ...tag]))).notes).toEqual(nothing);
  });

  test('frames of another rate behind the first are reported', async () => {
    const other = join(folder, 'other-rate.flac');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'anoisesrc=d=2:r=8000:seed=8', '-sample_fmt', 's16', '-c:a', 'flac', other);
    const bytes = bytesOf(other);
    // Without its header.
    let at = 4;
    for (let last = false; !last;) {
      last = bytes[at] >= 0x80;
      at += 4 + (new DataView(bytes.buffer).getUint32(at) & 0xffffff);
    }
    const { notes, samples } = await read(new Uint8Array([...withTotal(0), ...bytes.subarray(at)]));
    expect(samples.length).toBe(64_000);
    expect(notes.unread).toEqual([{ kind: 'other-format', seconds: expect.closeTo(2, 6) as number }]);
  });

  test('behind a tag of mp3', async () => {
    const tag = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\x28\x07', 'latin1'), Buffer.alloc(0x28 * 128 + 7, 0xff)]);
    const { samples, info, notes } = await read(new Uint8Array([...tag, ...whole]));
    expect(info.decoder).toBe('flac');
    expect(samples).toEqual((await read(whole)).samples);
    expect(notes).toEqual(nothing);
  });

  test('a stream of which no frame is whole cannot be decoded, and is not called silent', async () => {
    const bytes = whole.slice();
    for (let at = 8200; at < bytes.length; at += 7) bytes[at] ^= 0x55;
    await expect(read(bytes)).rejects.toMatchObject({
      code: 'undecodable',
      message: expect.stringContaining('flac') as string,
    });
  });
});

describe.skipIf(!flacProgram)('depths of FLAC, with its own program', () => {
  test.each([
    [8, 1],
    [16, 2],
    [24, 2],
    [32, 1],
    [32, 2],
  ])('%i bits, %i channels: the samples that were encoded', async (bits, channels) => {
    const random = new Random(bits + channels);
    const bytes = Buffer.alloc((20_000 * channels * bits) / 8);
    let value = 0;
    // Full scale and waste bits occur.
    for (let at = 0, i = 0; at < bytes.length; at += bits / 8, i++) {
      value = i % 5000 < 2000 ? Math.floor(random.between(-1, 1) * 2 ** (bits - 1)) : Math.round(0.9 * value);
      if (i % 9000 > 7000) value = Math.floor(value / 16) * 16;
      bytes.writeIntLE(value, at, bits / 8);
    }
    const raw = join(folder, 'depth.raw');
    const flac = join(folder, 'depth.flac');
    writeFileSync(raw, bytes);
    const layout = [
      '--endian=little',
      '--sign=signed',
      `--channels=${channels}`,
      `--bps=${bits}`,
      '--sample-rate=16000',
    ];
    execFileSync('flac', ['-f', '-s', '--force-raw-format', ...layout, '-o', flac, raw]);
    const samples = await decodeNative(bytesOf(flac));
    expect(samples.length).toBe(20_000 * channels);
    expect(
      samples.every((x, i) => x === Math.fround(bytes.readIntLE((i * bits) / 8, bits / 8) / 2 ** (bits - 1))),
    ).toBe(true);
    // The checksum is of every bit, which floats do not hold.
    const { statistics } = await decode(flac);
    expect(statistics).toMatchObject({ checksumDiffers: false, damaged: false, truncated: false });
    const other = readFileSync(flac);
    other[26] ^= 1;
    writeFileSync(flac, other);
    expect((await decode(flac)).statistics.checksumDiffers).toBe(true);
  });
});

test.skipIf(reports === null).each([
  ['total_2s_of_8s', 8, 0],
  ['says_24bit', 8, 0],
  ['says_max_block_1024', 8, 0],
  ['rate_changes', 5, 5],
])('%s: %d s, as good.flac, and %d s unread', async (name, seconds, unread) => {
  const at = (file: string) => decode(join(reports!, 'flac-header-lies', `${file}.flac`), { sampleRateHz: 16_000 });
  const { samples, statistics } = await at(name);
  expect(samples.length).toBe(seconds * 16_000);
  if (seconds === 8) expect(samples).toEqual((await at('good')).samples);
  expect(statistics.unread.reduce((sum, part) => sum + part.seconds, 0)).toBeCloseTo(unread, 6);
});

test.skipIf(reports === null)('32 bits as published', async () => {
  const { samples, statistics } = await decode(join(reports!, 'flac-32bit/32bit.flac'), { sampleRateHz: 8000 });
  expect(samples.length).toBe(40_000);
  expect(statistics).toMatchObject({ checksumDiffers: false, truncated: false, damaged: false });
});
