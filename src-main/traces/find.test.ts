import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { sha256File } from '../audio/hash.ts';
import { temporaryFolder, wav16 } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { findStretchApart } from './apart.ts';
import { findStretch, stretchOf } from './find.ts';
import { noise, sum, voice } from './testing.ts';

const folder = temporaryFolder();
const rateHz = 16_000;
const random = new Random(61);
const inRoom = (seconds: number): Float32Array =>
  sum(voice(random, rateHz, seconds, 0.05), noise(random, rateHz * seconds, 0.0005));
const written = (name: string, samples: Float32Array): string => {
  const path = join(folder, name);
  writeFileSync(path, wav16(samples, rateHz));
  return path;
};

const first = inRoom(15);
const span = { startSeconds: 4.2, endSeconds: 7.2 };
const utterance = first.subarray(span.startSeconds * rateHz, span.endSeconds * rateHz);
const lacking = inRoom(40);
/** Holds the utterance at second 20, between two codes, and once more, softer, at its very end. */
const holding = lacking.slice();
holding.set(utterance, 20 * rateHz + 77);
holding.set(
  utterance.map((x) => 0.1 * x),
  holding.length - utterance.length,
);
const paths = {
  first: written('first.wav', first),
  holding: written('holding.wav', holding),
  lacking: written('lacking.wav', lacking),
};

const found = async (path: string, of = span) => findStretch(await stretchOf({ path: paths.first }, of), { path });

it('finds each place, the one that agrees most first, and says what it means', async () => {
  const { places, sentence, stretch, searchedSeconds } = await found(paths.holding);
  expect(places).toHaveLength(2);
  expect(places[0].agreement).toBeGreaterThan(0.9);
  expect(places[0].agreement).toBeGreaterThanOrEqual(places[1].agreement);
  expect(places[0].meaning).toMatch(/nearly the same sound/);
  const starts = places.map(({ startSeconds }) => startSeconds).sort((one, other) => one - other);
  expect(starts[0]).toBeCloseTo(20 + 77 / rateHz, 1);
  expect(starts[1]).toBeCloseTo(37, 1);
  expect(places[0].endSeconds - places[0].startSeconds).toBeCloseTo(3, 1);
  expect(Math.max(...places.map(({ endSeconds }) => endSeconds))).toBeLessThanOrEqual(40);
  expect(sentence).toMatch(/^The stretch occurs at 0:(20|37)\.\d \(9\d\s%\), 0:(20|37)\.\d/);
  expect(stretch).toEqual(span);
  expect(searchedSeconds).toBe(40);
});

it('says how far it is', async () => {
  const told: [number, number | null][] = [];
  const onProgress = (...progress: [number, number | null]): unknown => told.push(progress);
  await findStretch(await stretchOf({ path: paths.first }, span), { path: paths.holding }, { onProgress });
  expect(told.at(-1)).toEqual([40, 40]);
});

it('finds nothing where the stretch is not, and its own place in its own recording', async () => {
  const { places, sentence, leastAgreement } = await found(paths.lacking);
  expect(places).toEqual([]);
  expect(sentence).toMatch(/was not found/);
  expect(leastAgreement).toBeCloseTo(0.65, 2);
  expect((await found(paths.first)).places).toMatchObject([{ startSeconds: expect.closeTo(4.2, 1) as number }]);
});

it('asks more of a short stretch, in which chance agrees more', async () => {
  const short = await found(paths.holding, { startSeconds: 5, endSeconds: 6.3 });
  expect(short.leastAgreement).toBeGreaterThan(0.68);
  expect(short.places.map(({ startSeconds }) => startSeconds).some((at) => Math.abs(at - 20.8) < 0.05)).toBe(true);
});

describe('in a recording that was', () => {
  it.each([
    ['coded as MP3 at 32 kbit/s', 'coded.mp3', ['-c:a', 'libmp3lame', '-b:a', '32k']],
    ['coded as Opus at 16 kbit/s', 'coded.ogg', ['-c:a', 'libopus', '-b:a', '16k']],
    ['taken over a telephone', 'coded.wav', ['-af', 'highpass=300', '-ar', '8000', '-c:a', 'pcm_mulaw']],
  ])('%s', async (_how, name, coder) => {
    const { path: ffmpeg } = await findFfmpeg();
    const coded = (from: string): string => {
      const to = join(folder, name);
      execFileSync(ffmpeg, ['-v', 'error', '-nostdin', '-y', '-i', from, ...coder, to]);
      return to;
    };
    const { places } = await found(coded(paths.holding));
    expect(places.some(({ startSeconds }) => Math.abs(startSeconds - 20) < 0.1)).toBe(true);
    expect((await found(coded(paths.lacking))).places).toEqual([]);
  });

  it('overlaid with noise', async () => {
    const path = written('noisy.wav', sum(holding, noise(random, holding.length, 0.005)));
    const { places } = await found(path);
    expect(places[0].startSeconds).toBeCloseTo(20, 1);
    expect(places[0].agreement).toBeLessThan(0.95);
  });
});

describe('a stretch', () => {
  const code = (span: { startSeconds: number; endSeconds: number }, path = paths.first): Promise<string> =>
    stretchOf({ path }, span).then(
      () => 'none',
      (error: unknown) => (error as { code: string }).code,
    );

  it('that is too long, too short, silent or beyond the end is refused', async () => {
    expect(await code({ startSeconds: 0, endSeconds: 121 })).toBe('too-long');
    expect(await code({ startSeconds: 5, endSeconds: 5.5 })).toBe('too-short');
    expect(await code({ startSeconds: 15, endSeconds: 17 })).toBe('usage');
    const silent = written('silent.wav', new Float32Array(5 * rateHz));
    expect(await code({ startSeconds: 1, endSeconds: 4 }, silent)).toBe('too-short');
  });

  it('that reaches beyond the end ends there', async () => {
    const stretch = await stretchOf({ path: paths.first }, { startSeconds: 12, endSeconds: 30 });
    expect(stretch.endSeconds).toBe(15);
  });
});

it('says the same from a worker, of the files that were meant alone, and is stopped', async () => {
  const of = { path: paths.first, sha256: await sha256File(paths.first) };
  const within = { path: paths.holding, sha256: await sha256File(paths.holding) };
  expect(await findStretchApart({ of, within, span })).toEqual(await found(paths.holding));
  const other = { ...within, sha256: '0'.repeat(64) };
  await expect(findStretchApart({ of, within: other, span })).rejects.toMatchObject({ code: 'changed' });
  const stop = new AbortController();
  const stopped = findStretchApart({ of, within, span }, { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
});
