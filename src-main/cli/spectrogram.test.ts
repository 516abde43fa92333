import { existsSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { runFfmpeg } from '../audio/testing.ts';
import { register } from './spectrogram.ts';

const ffmpeg = await findFfmpeg().catch(() => null);

let folder: string;
let recording: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-spectrogram-'));
  recording = join(folder, 'tone.wav');
  writeFileSync(recording, wave(44_100, 1));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A 16-bit stereo WAV file with a tone. */
function wave(sampleRateHz: number, seconds: number): Buffer {
  const frames = Math.round(sampleRateHz * seconds);
  const file = Buffer.alloc(44 + 4 * frames);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + 4 * frames, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(2, 22);
  file.writeUInt32LE(sampleRateHz, 24);
  file.writeUInt32LE(4 * sampleRateHz, 28);
  file.writeUInt16LE(4, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(4 * frames, 40);
  for (let index = 0; index < 2 * frames; index++) {
    file.writeInt16LE(Math.round(9000 * Math.sin((2 * Math.PI * 1000 * (index >> 1)) / sampleRateHz)), 44 + 2 * index);
  }
  return file;
}

async function run(...words: string[]): Promise<void> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  register(program);
  program.commands.forEach((command) => command.exitOverride().configureOutput({ writeErr: () => undefined }));
  await program.parseAsync(['spectrogram', ...words], { from: 'user' });
}

function sizeOf(path: string): [number, number] {
  const png = readFileSync(path);
  expect(png.toString('latin1', 1, 4)).toBe('PNG');
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

describe('earwitness spectrogram', () => {
  it('draws a recording', async () => {
    const out = join(folder, 'a.png');
    await run(recording, '--out', out, '--width', '640', '--height', '300');
    expect(sizeOf(out)).toEqual([640, 300]);
  });

  it('takes window, length, overlap and a logarithmic axis', async () => {
    const pictures: Buffer[] = [];
    for (const options of [
      [],
      ['--scale', 'log'],
      ['--window', 'blackman-harris'],
      ['--window-length', '8'],
      ['--overlap', '0'],
    ]) {
      const out = join(folder, `with-${pictures.length}.png`);
      await run(recording, '--out', out, ...options);
      pictures.push(readFileSync(out));
    }
    expect(new Set(pictures.map((png) => png.toString('base64'))).size).toBe(pictures.length);
    await expect(run(recording, '--out', join(folder, 'no.png'), '--window', 'square')).rejects.toThrow(
      'Allowed choices',
    );
  });

  it('draws a section at the native rate', async () => {
    const out = join(folder, 'b.PNG');
    const section = ['--start', '0:00.25', '--end', '0.5', '--full-band', '--scale', 'linear', '--colour-map', 'magma'];
    await run(recording, '--out', out, ...section, '--min-db', '-90', '--range', '70');
    expect(sizeOf(out)).toEqual([1200, 600]);
  });

  it.skipIf(!ffmpeg)('draws sound at its time, where other sound is missing before it', async () => {
    const [gap, out] = [join(folder, 'gap.mka'), join(folder, 'gap.png')];
    const input = ['-f', 'lavfi', '-i', 'sine=d=2:r=16000', '-af', "asetpts='PTS+6*gte(T\\,1)/TB'"];
    runFfmpeg(ffmpeg!.path, ...input, '-c:a', 'pcm_s16le', gap);
    await run(gap, '--out', out, '--start', '7.2', '--end', '7.8');
    expect(sizeOf(out)).toEqual([1200, 600]);
    await expect(run(gap, '--out', join(folder, 'behind.png'), '--start', '9')).rejects.toThrow(/8(\.0\d*)? s long/);
  });

  it.each([
    [['--width', '20'], '--width'],
    [['--height', '1e9'], '--height'],
    [['--start', '0.5', '--end', '0.5'], '--start must lie before'],
    [['--start', '1:75'], 'not a time'],
    [['--start', '2'], 'behind the end'],
    [['--range', '0'], 'at least 1 dB'],
    [['--min-db', 'low'], 'not a level'],
    [['--min-db', '-20', '--max-db', '-30'], 'above --min-db'],
  ])('refuses %j', async (words, reason) => {
    const out = join(folder, 'refused.png');
    await expect(run(recording, '--out', out, ...words)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(reason) as string,
    });
    expect(existsSync(out)).toBe(false);
  });

  it('never writes to the recording, nor anything but a PNG', async () => {
    const disguised = join(folder, 'link.png');
    linkSync(recording, disguised);
    const before = readFileSync(recording);
    for (const out of [disguised, recording]) {
      await expect(run(recording, '--out', out)).rejects.toMatchObject({ code: 'usage' });
    }
    await expect(run(disguised, '--out', disguised)).rejects.toMatchObject({ code: 'usage' });
    expect(readFileSync(recording).equals(before)).toBe(true);
  });

  it('says what is wrong with a recording that is none', async () => {
    const empty = join(folder, 'empty.wav');
    writeFileSync(empty, wave(16_000, 0));
    const text = join(folder, 'text.wav');
    writeFileSync(text, 'This is not sound.\n');
    for (const file of [empty, text, join(folder, 'absent.wav')]) {
      const out = join(folder, 'none.png');
      await expect(run(file, '--out', out)).rejects.toMatchObject({ name: 'UserFacingError' });
      expect(existsSync(out)).toBe(false);
    }
  });
});
