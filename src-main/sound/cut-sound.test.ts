import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../audio/decode.ts';
import { chunk, formatChunk, riff, runFfmpeg, temporaryFolder, tone } from '../audio/testing.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { wav16 } from '../audio/wav-writer.ts';
import { cutSound } from './cut-sound.ts';
import type { CutFile, CutOutcome } from './cut-sound.ts';

const folder = temporaryFolder();
const whole = { stream: 0, readAll: false };

/** Bytes of the sound of a WAV file that was written here. */
function dataOf(path: string): Buffer {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('data', 0, 'latin1');
  return bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at + 4));
}

const written = (outcome: CutOutcome): CutFile => {
  if ('failed' in outcome) throw new Error(outcome.failed);
  return outcome;
};

function noise(bytes: number, seed: number): Buffer {
  let state = seed;
  return Buffer.from(Array.from({ length: bytes }, () => (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16));
}

describe('stretches of plain samples', () => {
  it.each([
    ['u8', 1, 8, 1],
    ['s16', 1, 16, 2],
    ['s24', 1, 24, 3],
    ['s32', 1, 32, 4],
    ['f32', 3, 32, 4],
    ['f64', 3, 64, 8],
    ['alaw', 6, 8, 1],
  ])('are the bytes of the recording: %s of two channels', async (name, tag, bits, bytes) => {
    const rateHz = 8000;
    const data = noise(2 * bytes * rateHz, bits);
    const path = join(folder, `${name}.wav`);
    writeFileSync(path, riff(formatChunk(tag, 2, rateHz, bits), chunk('data', data)));
    const out = join(folder, `${name}-both.wav`);
    const second = join(folder, `${name}-second.wav`);
    const cuts = [
      { startSeconds: 0.1, endSeconds: 0.2001, channel: null, path: out },
      { startSeconds: 0.1, endSeconds: 0.2001, channel: 2, path: second },
    ];
    const [both, one] = (await cutSound({ path, cuts, ...whole })).map(written);
    expect(both).toMatchObject({ firstSample: 800, samples: 801, sampleRateHz: rateHz, channels: 2, exact: true });
    const frames = data.subarray(800 * 2 * bytes, 1601 * 2 * bytes);
    expect(dataOf(out).equals(frames)).toBe(true);
    expect(one).toMatchObject({ samples: 801, channels: 1, exact: true });
    const ofSecond = Array.from({ length: 801 }, (_, i) => frames.subarray((2 * i + 1) * bytes, (2 * i + 2) * bytes));
    expect(dataOf(second).equals(Buffer.concat(ofSecond))).toBe(true);
    // What was written is read as what it was cut from.
    const again = await decode(out, { sampleRateHz: rateHz, channel: 2 });
    const before = await decode(path, { sampleRateHz: rateHz, channel: 2 });
    expect(again.samples).toEqual(before.samples.slice(800, 1601));
    expect(again.info.codec).toBe(both.encoding);
  });

  it('end with the recording, and have their reason where it holds nothing or no such channel', async () => {
    const path = join(folder, 'short.wav');
    writeFileSync(path, wav16(tone(440, 16_000, 1)));
    const cut = (startSeconds: number, endSeconds: number, channel: number | null, name: string) => ({
      ...{ startSeconds, endSeconds, channel, path: join(folder, name) },
    });
    const cuts = [cut(0.9, 5, null, 'end.wav'), cut(2, 3, null, 'none.wav'), cut(0, 1, 2, 'second.wav')];
    const [end, none, second] = await cutSound({ path, cuts, ...whole });
    expect(written(end)).toMatchObject({ firstSample: 14_400, samples: 1600 });
    expect(none).toEqual({ failed: expect.stringContaining('no sound from 2.000 s to 3.000 s') as unknown });
    expect(second).toEqual({ failed: expect.stringContaining('no channel 2') as unknown });
    expect(() => readFileSync(join(folder, 'none.wav'))).toThrow();
  });
});

describe('stretches of coded sound', async () => {
  const ffmpeg = await findFfmpeg();

  it('are exact where the code is lossless, and said not to be where it is not', async () => {
    const rateHz = 44_100;
    const path = join(folder, 'source.wav');
    writeFileSync(path, wav16(tone(700, rateHz, 1), rateHz));
    const source = dataOf(path);
    for (const [name, encoding, exact] of [
      ['flac', 'pcm_s16le', true],
      ['m4a', 'pcm_s16le', true],
      ['mp3', 'pcm_f32le', false],
    ] as const) {
      const coded = join(folder, `coded.${name}`);
      runFfmpeg(ffmpeg?.path ?? 'ffmpeg', '-i', path, ...(name === 'm4a' ? ['-c:a', 'alac'] : []), coded);
      const out = join(folder, `${name}-cut.wav`);
      const cuts = [{ startSeconds: 0.5, endSeconds: 0.75, channel: null, path: out }];
      const [file] = (await cutSound({ path: coded, cuts, ...whole })).map(written);
      expect(file).toMatchObject({ encoding, exact, sampleRateHz: rateHz, firstSample: 22_050, samples: 11_025 });
      if (exact) expect(dataOf(out).equals(source.subarray(2 * 22_050, 2 * 33_075))).toBe(true);
    }
  });
});
