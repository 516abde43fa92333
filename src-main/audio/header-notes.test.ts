import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decode } from './decode.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { runFfmpeg, temporaryFolder } from './testing.ts';

const folder = temporaryFolder();
const ffmpeg = await findFfmpeg().then(
  (found) => found.path,
  () => null,
);
const encoders = ffmpeg === null ? '' : runFfmpeg(ffmpeg, '-hide_banner', '-encoders').toString();
const can = (name: string): boolean => encoders.includes(` ${name} `);

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const notes = async (path: string) => (await decode(path)).statistics;

describe.skipIf(!can('libmp3lame'))('MP3 whose first frame counts the others', () => {
  /** Twenty seconds, and where each of its frames begins. */
  function recording(name: string, rateHz: number, ...options: string[]): { bytes: Buffer; frames: number[] } {
    const path = join(folder, name);
    const source = ['-f', 'lavfi', '-i', `sine=f=300:d=20:r=${rateHz}`];
    runFfmpeg(ffmpeg!, ...source, '-c:a', 'libmp3lame', '-b:a', '32k', ...options, path);
    const bytes = readFileSync(path);
    const info = bytes.indexOf(/Xing|Info/.exec(bytes.toString('latin1'))![0]);
    const sync = bytes.subarray(0, info).lastIndexOf(0xff);
    const head = bytes.subarray(sync, sync + 2);
    const frames: number[] = [];
    for (let at = sync; at >= 0; at = bytes.indexOf(head, at + 20)) frames.push(at);
    return { bytes, frames };
  }

  test.each([
    [44100, 1152],
    [16000, 576],
  ])('%i Hz: one frame less is its own affair, what lacks more is reported', async (rateHz, samples) => {
    const { bytes, frames } = recording(`${rateHz}.mp3`, rateHz);
    expect(await notes(written('whole.mp3', bytes))).toMatchObject({ truncated: false, missingSeconds: null });
    const cut = frames.at(-5)!;
    const { truncated, missingSeconds } = await notes(written('cut.mp3', bytes.subarray(0, cut)));
    expect(truncated).toBe(true);
    // The last frame is mostly padding.
    expect(missingSeconds).toBeGreaterThan((2 * samples) / rateHz);
    expect(missingSeconds).toBeLessThan((6 * samples) / rateHz);
  });

  test('behind a tag, before another one, and of other encoders', async () => {
    const { bytes } = recording('tagged.mp3', 44100, '-metadata', `title=${'long '.repeat(200)}`, '-write_id3v1', '1');
    expect(await notes(written('tagged.mp3', bytes))).toMatchObject({ truncated: false, missingSeconds: null });
    const other = Buffer.from(bytes.toString('latin1').replace(/(Xing|Info)([^]{116})Lav[cf]/, '$1$2Else'), 'latin1');
    expect(other.equals(bytes)).toBe(false);
    expect(await notes(written('else.mp3', other))).toMatchObject({ truncated: false, missingSeconds: null });
    const shorter = other.subarray(0, Math.round(0.98 * other.length));
    expect(await notes(written('else-cut.mp3', shorter))).toMatchObject({ truncated: true });
  });
});

/** An MP3 of silent frames (MPEG 1, layer III, mono, 44.1 kHz, 64 kbit/s) whose first one holds Fraunhofer's VBRI header, byte by byte. */
function vbri(declaredFrames: number, framesThere: number, before = Buffer.alloc(0)): Buffer {
  const frameBytes = 208;
  const frame = (): Buffer => {
    const bytes = Buffer.alloc(frameBytes);
    // Sync, MPEG 1, layer III, no checksum; 64 kbit/s, 44.1 kHz; mono.
    bytes.set([0xff, 0xfb, 0x50, 0xc0]);
    return bytes;
  };
  const first = frame();
  // 32 bytes behind the head, whatever the channels (Xing's place depends on them).
  first.write('VBRI', 36, 'latin1');
  first.writeUInt16BE(1, 40);
  first.writeUInt16BE(1105, 42);
  first.writeUInt16BE(75, 44);
  first.writeUInt32BE(frameBytes * (declaredFrames + 1), 46);
  first.writeUInt32BE(declaredFrames, 50);
  return Buffer.concat([before, first, ...Array.from({ length: framesThere }, frame)]);
}

describe.skipIf(ffmpeg === null)('MP3 whose first frame counts the others as Fraunhofer’s encoders do (VBRI)', () => {
  const frameSeconds = 1152 / 44_100;

  test('nothing is missing of a whole one, behind a tag too, nor where it lacks one frame', async () => {
    const tag = Buffer.concat([Buffer.from('ID3\x03\x00\x00\x00\x00\x00\x14', 'latin1'), Buffer.alloc(20)]);
    for (const bytes of [vbri(200, 200), vbri(200, 200, tag), vbri(200, 199), vbri(200, 210)]) {
      const { truncated, missingSeconds, frames } = await notes(written('vbri.mp3', bytes));
      expect({ truncated, missingSeconds }).toEqual({ truncated: false, missingSeconds: null });
      expect(frames / 44_100).toBeGreaterThan(198 * frameSeconds);
    }
  });

  test.each([
    [200, 198],
    [200, 190],
    [200, 100],
    [2000, 1980],
  ])('of %i frames %i are there: what is missing is reported to a frame', async (declared, there) => {
    const { truncated, missingSeconds } = await notes(written('vbri-cut.mp3', vbri(declared, there)));
    expect(truncated).toBe(true);
    expect(Math.abs(missingSeconds! / frameSeconds - (declared - there))).toBeLessThanOrEqual(1.01);
  });

  test('in the middle of a frame it is cut off: told as well', async () => {
    const whole = vbri(200, 200);
    const { truncated } = await notes(written('vbri-half.mp3', whole.subarray(0, whole.length - 5 * 208 - 100)));
    expect(truncated).toBe(true);
  });
});

describe.skipIf(!can('libopencore_amrnb'))('AMR', () => {
  test('as it should be is not accused, with its pauses; another codec under its name is', async () => {
    const path = join(folder, 'speech.amr');
    const source = ['-f', 'lavfi', '-i', 'aevalsrc=0.4*sin(2*PI*300*t)*gt(sin(2*t)\\,0):d=6:s=8000'];
    runFfmpeg(ffmpeg!, ...source, '-c:a', 'libopencore_amrnb', '-dtx', '1', path);
    expect((await notes(path)).contradictions).toEqual([]);
    const coded = runFfmpeg(ffmpeg!, ...source, '-c:a', 'adpcm_ima_wav', '-f', 'wav', '-').subarray(100);
    const alien = written('alien.amr', Buffer.concat([Buffer.from('#!AMR\n'), coded]));
    const { contradictions } = await notes(alien);
    expect(contradictions.join()).toMatch(/^\d+ of its \d+ frames do not begin as those of AMR do/);
    const steady = join(folder, 'steady.amr');
    runFfmpeg(ffmpeg!, '-f', 'lavfi', '-i', 'sine=d=6:r=8000', '-c:a', 'libopencore_amrnb', '-b:a', '12.2k', steady);
    const headless = written('headless.amr', readFileSync(steady).subarray(6));
    expect((await notes(headless)).contradictions.join()).toContain('It has no header');
  });
});

describe.skipIf(ffmpeg === null)('NIST SPHERE', () => {
  test('counts its samples', async () => {
    const fields = 'channel_count -i 1\nsample_rate -i 8000\nsample_n_bytes -i 2\nsample_byte_format -s2 01';
    const head = `NIST_1A\n   1024\n${fields}\nsample_coding -s3 pcm\nsample_count -i 80000\nend_head\n`;
    const samples = Buffer.alloc(160_000);
    for (let i = 0; i < 80_000; i++) samples.writeInt16LE(Math.round(9000 * Math.sin(i / 5)), 2 * i);
    const whole = Buffer.concat([Buffer.from(head.padEnd(1024), 'latin1'), samples]);
    expect(await notes(written('whole.sph', whole))).toMatchObject({ frames: 80_000, truncated: false });
    const cut = await notes(written('cut.sph', whole.subarray(0, whole.length - 1600)));
    expect(cut.truncated).toBe(true);
    expect(cut.missingSeconds).toBeCloseTo(0.1, 3);
  });
});
