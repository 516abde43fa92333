import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode, probe } from './decode.ts';
import { acceptedDemuxers, refusedDemuxers } from './demuxers.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { runFfmpeg, sharedFolder, temporaryFolder } from './testing.ts';

const folder = temporaryFolder();
const reports = sharedFolder('reports');
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);

test('no reader is both accepted and refused, or named twice', () => {
  expect(acceptedDemuxers.filter((name) => refusedDemuxers.has(name))).toEqual([]);
  expect(new Set(acceptedDemuxers).size).toBe(acceptedDemuxers.length);
});

describe.skipIf(ffmpeg === null)('the ffmpeg at hand', () => {
  test('has no reader that nobody has looked at', () => {
    const listed = execFileSync(ffmpeg!, ['-hide_banner', '-demuxers'], { encoding: 'utf8' });
    const names = [...listed.matchAll(/^ D[ d]? +(\S+)/gm)].flatMap(([, name]) => name.split(','));
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => !acceptedDemuxers.includes(name) && !refusedDemuxers.has(name))).toEqual([]);
  });

  test('iLBC and the sound of a camera are decoded', async () => {
    const lbc = join(folder, 'vm.lbc');
    writeFileSync(lbc, Buffer.concat([Buffer.from('#!iLBC30\n'), Buffer.alloc(50 * 130, 0x5a)]));
    const { info, statistics } = await decode(lbc);
    expect(info.codec).toBe('ilbc');
    expect(statistics.frames / info.sampleRateHz).toBeCloseTo(3.9, 2);
    // DHAV: a header, A-law of 8 kHz, a trailer, in packets of a tenth of a second.
    const packets = Array.from({ length: 80 }, (_, number) => {
      const head = Buffer.alloc(28);
      const sound = Buffer.from(Array.from({ length: 800 }, (__, i) => (i % 40 < 20 ? 0x25 : 0xa5)));
      const bytes = 28 + sound.length + 8;
      head.write('DHAV\xf0\0\x01\0', 'latin1');
      head.writeUInt32LE(number, 8);
      head.writeUInt32LE(bytes, 12);
      head.writeUInt32LE(((26 << 26) | (3 << 22) | (1 << 17) | (12 << 12) | Math.floor(number / 10)) >>> 0, 16);
      head.writeUInt16LE((number * 100) & 0xffff, 20);
      head[22] = 4;
      head.set([0x83, 1, 0x0e, 2], 24);
      const tail = Buffer.from('dhav\0\0\0\0');
      tail.writeUInt32LE(bytes, 4);
      return Buffer.concat([head, sound, tail]);
    });
    const camera = join(folder, 'cam.dav');
    writeFileSync(camera, Buffer.concat(packets));
    const found = await decode(camera);
    expect(found.info).toMatchObject({ codec: 'pcm_alaw', sampleRateHz: 8000 });
    expect(found.statistics.frames / 8000).toBeCloseTo(8, 1);
  });

  test('what is refused is said to be refused, and why, and the file is not blamed', async () => {
    const path = join(folder, 'video.ivf');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'testsrc=d=0.2:s=64x64', '-f', 'yuv4mpegpipe', '-pix_fmt', 'yuv420p', path);
    const error = await probe(path).then(
      () => null,
      (thrown: unknown) => thrown as Error,
    );
    expect(error).toMatchObject({ code: 'refused-format', path });
    expect(error?.message).toMatch(/refuses .*yuv4mpegpipe.*no sound/);
    expect(error?.message).not.toMatch(/damaged|cannot be decoded/);
  });

  test.skipIf(!reports)('a first stream without a decoder: the one that can be read is named', async () => {
    const path = join(reports!, 'first-stream-unknown/apac_first.m4a');
    await expect(decode(path)).rejects.toMatchObject({
      code: 'undecodable',
      advice: expect.stringContaining('--stream 1') as string,
    });
    expect((await decode(path, { stream: 1 })).samples.length).toBeGreaterThan(100_000);
  });

  test.skipIf(!reports).each([
    ['voice.dss', 8.22],
    ['vm.lbc', 3.9],
    ['cam.dav', 8],
  ])('%s as published: %d s', async (name, seconds) => {
    const path = join(reports!, 'formats-not-allowed', name);
    if (!existsSync(path)) return;
    const { info, statistics } = await decode(path);
    expect(statistics.frames / info.sampleRateHz).toBeCloseTo(seconds, 1);
    expect(statistics).toMatchObject({ damaged: false, truncated: false });
  });
});
