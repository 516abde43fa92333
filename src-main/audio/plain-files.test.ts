import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { bytesOf, floats, runFfmpeg, sharedFolder, temporaryFolder } from './testing.ts';

const folder = temporaryFolder();
const reports = sharedFolder('reports');
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const sox = ((): boolean => {
  try {
    execFileSync('sox', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const sine = ['-f', 'lavfi', '-i', 'aevalsrc=0.5*sin(2*PI*(200+300*t)*t)|0.3*sin(2*PI*500*t):d=8:s=8000'];

/** Eight seconds in two channels at 8 kHz. */
function eightSeconds(container: string, codec: string): { path: string; bytes: Buffer } {
  const path = join(folder, `whole.${container}`);
  runFfmpeg(ffmpeg!, ...sine, '-c:a', codec, '-f', container, path);
  return { path, bytes: readFileSync(path) };
}

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const kinds: [string, string, number][] = [
  ['au', 'pcm_mulaw', 1],
  ['au', 'pcm_s8', 1],
  ['au', 'pcm_s16be', 2],
  ['au', 'pcm_f64be', 8],
  ['w64', 'pcm_u8', 1],
  ['w64', 'pcm_s16le', 2],
  ['w64', 'pcm_s24le', 3],
  ['w64', 'pcm_f32le', 4],
  ['aiff', 'pcm_s8', 1],
  ['aiff', 'pcm_s16be', 2],
  ['aiff', 'pcm_s24be', 3],
  ['aiff', 'pcm_s32be', 4],
  ['aiff', 'pcm_s16le', 2],
  ['aiff', 'pcm_f64be', 8],
  ['aiff', 'pcm_mulaw', 1],
  ['caf', 'pcm_s8', 1],
  ['caf', 'pcm_s16le', 2],
  ['caf', 'pcm_s24be', 3],
  ['caf', 'pcm_f32be', 4],
  ['caf', 'pcm_alaw', 1],
];

describe.skipIf(ffmpeg === null)('plain samples in AU, Wave64, AIFF and CAF', () => {
  test.each(kinds)(
    '%s, %s: the samples that ffmpeg reads; what is missing is reported to the sample',
    async (container, codec, bytes) => {
      const { path, bytes: whole } = eightSeconds(container, codec);
      const { info, samples, statistics } = await decode(path, { sampleRateHz: 8000, channel: 1 });
      expect(info).toMatchObject({
        container,
        codec,
        sampleRateHz: 8000,
        channels: 2,
        decoder: 'pcm',
        durationSeconds: 8,
      });
      const reference = runFfmpeg(ffmpeg!, '-i', path, '-af', 'pan=mono|c0=c0', '-f', 'f32le', '-');
      expect(samples).toEqual(floats(reference));
      expect(statistics).toMatchObject({ frames: 64_000, truncated: false, missingSeconds: null, unread: [] });
      const cut = written(`cut.${container}`, whole.subarray(0, lastSample(whole, container) - 2 * bytes * 80));
      expect((await decode(cut)).statistics).toMatchObject({ frames: 63_920, truncated: true, missingSeconds: 0.01 });
    },
  );

  test.each([
    ['au', 'pcm_s16be'],
    ['w64', 'pcm_s16le'],
    ['aiff', 'pcm_s16be'],
    ['caf', 'pcm_s16le'],
  ])('%s: sound behind the declared length is reported, and read when asked for', async (container, codec) => {
    const { bytes } = eightSeconds(container, codec);
    const path = written(`behind.${container}`, declaring(bytes, container, 2 * 8000 * 4));
    const { statistics } = await decode(path);
    expect(statistics).toMatchObject({
      frames: 16_000,
      truncated: false,
      unread: [{ kind: 'after-length', seconds: 6 }],
    });
    const all = await decode(path, { readAll: true, sampleRateHz: 8000 });
    expect(all.statistics).toMatchObject({ frames: 64_000, unread: [] });
    const original = await decode(written(`original.${container}`, bytes), { sampleRateHz: 8000 });
    expect(all.samples).toEqual(original.samples);
  });

  test.each([
    ['au', 'pcm_s16be'],
    ['w64', 'pcm_s16le'],
    ['aiff', 'pcm_s16be'],
    ['caf', 'pcm_s16le'],
  ])('%s: a second recording joined to the first is reported, and read when asked for', async (container, codec) => {
    const { bytes } = eightSeconds(container, codec);
    const path = written(`joined.${container}`, Buffer.concat([bytes, bytes]));
    expect((await decode(path)).statistics.unread).toEqual([{ kind: 'further-file', seconds: 8 }]);
    expect((await decode(path, { readAll: true })).statistics).toMatchObject({ frames: 128_000, unread: [] });
  });

  test('a tag, zeros and further chunks behind the sound are none', async () => {
    const { bytes } = eightSeconds('au', 'pcm_s16be');
    const tag = Buffer.alloc(128);
    tag.write('TAG');
    for (const [name, behind] of Object.entries({ tag, zeros: Buffer.alloc(40_000) })) {
      expect((await decode(written(name, Buffer.concat([bytes, behind])))).statistics.unread).toEqual([]);
    }
    const aiff = eightSeconds('aiff', 'pcm_s16be').bytes;
    const text = Buffer.from(`NAME\0\0\x20\0${'x'.repeat(0x2000)}`, 'latin1');
    expect((await decode(written('named', Buffer.concat([aiff, text])))).statistics.unread).toEqual([]);
  });

  test.skipIf(!sox).each(['au', 'aiff'])(
    '%s through a pipe, whose length nobody knew, is read to its end',
    async (type) => {
      const args = ['-n', '-r', '8000', '-c', '1', '-b', '16', '-t', type, '-', 'synth', '2', 'sine', '300'];
      const path = written(`piped.${type}`, execFileSync('sox', args, { stdio: ['ignore', 'pipe', 'ignore'] }));
      const { statistics } = await decode(path);
      expect(statistics).toMatchObject({ frames: 16_000, truncated: false, missingSeconds: null, unread: [] });
    },
  );

  test('AIFF whose header was never finished is read to its end', async () => {
    const path = written('unfinished.aiff', runFfmpeg(ffmpeg!, ...sine, '-c:a', 'pcm_s16be', '-f', 'aiff', '-'));
    expect((await decode(path)).statistics).toMatchObject({ frames: 64_000, truncated: false });
  });

  test.each([
    ['aiff', 'adpcm_ima_qt'],
    ['caf', 'adpcm_ima_qt'],
    ['wav', 'adpcm_ima_wav'],
    ['wav', 'adpcm_ms'],
    ['wav', 'libgsm_ms'],
    ['w64', 'adpcm_ms'],
  ])('coded sound in %s, %s: a short end is reported', async (container, codec) => {
    const path = join(folder, `coded.${container}`);
    const mono = ['-f', 'lavfi', '-i', 'sine=d=20:r=8000'];
    runFfmpeg(ffmpeg!, ...mono, '-c:a', codec, '-f', container, path);
    const whole = await decode(path);
    expect(whole.info.decoder).toBe('ffmpeg');
    expect(whole.statistics).toMatchObject({ truncated: false, missingSeconds: null });
    const { frames } = whole.statistics;
    const bytes = readFileSync(path);
    const { statistics } = await decode(
      written(`coded-cut.${container}`, bytes.subarray(0, Math.round(0.985 * bytes.length))),
    );
    expect(statistics.truncated).toBe(true);
    expect(statistics.missingSeconds).toBeGreaterThan(0.2);
    expect(Math.abs(statistics.frames + 8000 * statistics.missingSeconds! - frames)).toBeLessThan(0.15 * 8000);
  });

  test('coded sound behind the declared length of WAV is reported, and read when asked for', async () => {
    const path = join(folder, 'ima.wav');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=8:r=8000', '-c:a', 'adpcm_ima_wav', path);
    const bytes = readFileSync(path);
    const at = bytes.indexOf('data') + 4;
    const declared = bytes.readUInt32LE(at);
    bytes.writeUInt32LE(declared / 4, at);
    const lying = written('ima-lies.wav', bytes);
    const { statistics } = await decode(lying);
    expect(statistics.frames / 8000).toBeCloseTo(2, 0);
    expect(statistics.unread).toEqual([{ kind: 'after-length', seconds: expect.closeTo(6, 0) as number }]);
    const all = (await decode(lying, { readAll: true })).statistics;
    expect(all.frames / 8000).toBeCloseTo(8, 0);
    expect(all.unread).toEqual([]);
  });

  test.skipIf(reports === null).each([
    ['half.w64', 4.0],
    ['lost_0.47s_of_22s.au', 0.475],
  ])('%s: %d s', async (name, seconds) => {
    const { statistics } = await decode(join(reports!, 'truncated-untold', name));
    expect(statistics.truncated).toBe(true);
    expect(statistics.missingSeconds).toBeCloseTo(seconds, 1);
  });
});

/** Where the sound ends: ffmpeg writes nothing behind it but for Wave64's padding. */
function lastSample(bytes: Buffer, container: string): number {
  if (container !== 'w64') return bytes.length;
  const data = bytes.indexOf('data');
  return data + Number(bytes.readBigUInt64LE(data + 16));
}

/** The same file with another length of sound in its header. */
function declaring(whole: Buffer, container: string, soundBytes: number): Buffer {
  const bytes = Buffer.from(whole);
  if (container === 'au') bytes.writeUInt32BE(soundBytes, 8);
  if (container === 'w64') bytes.writeBigUInt64LE(BigInt(soundBytes + 24), bytes.indexOf('data') + 16);
  if (container === 'aiff') bytes.writeUInt32BE(soundBytes / 4, bytes.indexOf('COMM') + 10);
  if (container === 'caf') bytes.writeBigInt64BE(BigInt(soundBytes + 4), bytes.indexOf('data') + 4);
  return bytes;
}

test('bytes of a file at hand are read as the file is', async () => {
  const au = Buffer.alloc(24 + 8000);
  [0x2e736e64, 24, 8000, 3, 8000, 1].forEach((word, i) => au.writeUInt32BE(word, 4 * i));
  for (let i = 24; i < au.length; i += 2) au.writeInt16BE((i * 37) % 9000, i);
  const path = written('small.au', au);
  const fromBytes = await decode({ path, bytes: bytesOf(path) });
  expect(fromBytes.samples).toEqual((await decode(path)).samples);
});
