import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { findFfmpeg } from './ffmpeg.ts';
import { compandSamples, drawTelephoneLine, overTelephone, plainLine, telephoneRateHz } from './telephone.ts';
import type { Companding } from './telephone.ts';

const ffmpeg = await findFfmpeg().then(
  ({ path }) => path,
  () => null,
);

it.skipIf(ffmpeg === null).each<[Companding, string]>([
  ['mu-law', 'mulaw'],
  ['a-law', 'alaw'],
])('%s gives the values that ffmpeg gives, but for ties', (law, codec) => {
  const own = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
  const raw = Buffer.from(own.slice().buffer);
  const run = (input: Buffer, ...args: string[]): Buffer =>
    execFileSync(ffmpeg as string, ['-v', 'error', ...args, '-'], { input, maxBuffer: 2 ** 24 });
  const rate = ['-ar', '8000', '-ac', '1'];
  const coded = run(raw, '-f', 's16le', ...rate, '-i', '-', '-f', codec);
  const decoded = run(coded, '-f', codec, ...rate, '-i', '-', '-f', 's16le');
  const theirs = new Int16Array(decoded.buffer.slice(decoded.byteOffset, decoded.byteOffset + decoded.length));
  compandSamples(own, law);
  // Their levels are ours, and where the choice differs both are as near: ffmpeg's table cuts some steps off centre.
  expect([...new Set(theirs)].sort((a, b) => a - b)).toEqual([...new Set(own)].sort((a, b) => a - b));
  const apart = own.filter((value, index) => {
    const asked = index - 32_768;
    return Math.abs(theirs[index] - asked) < Math.abs(value - asked);
  });
  expect(apart).toHaveLength(0);
});

/** Level of a tone in decibels. */
function toneLevel(samples: ArrayLike<number>, hertz: number, rateHz: number): number {
  let [real, imaginary] = [0, 0];
  const from = Math.floor(samples.length / 4);
  for (let i = from; i < samples.length; i++) {
    real += samples[i] * Math.cos((2 * Math.PI * hertz * i) / rateHz);
    imaginary += samples[i] * Math.sin((2 * Math.PI * hertz * i) / rateHz);
  }
  return 20 * Math.log10(Math.hypot(real, imaginary) / (samples.length - from));
}

const tone = (hertz: number): Float32Array =>
  Float32Array.from({ length: 16_000 }, (_, i) => 0.2 * Math.sin((2 * Math.PI * hertz * i) / 16_000));

it('keeps the middle of the band, and neither what lies below nor above', () => {
  const level = (hertz: number): number =>
    toneLevel(overTelephone(tone(hertz), 16_000, plainLine('a-law')), hertz, telephoneRateHz);
  const middle = level(1000);
  expect(middle).toBeCloseTo(20 * Math.log10(0.1 * 32_767), 0);
  expect(level(100) - middle).toBeLessThan(-30);
  expect(level(3800) - middle).toBeLessThan(-12);
});

it('halves the rate alone where there is no line', () => {
  const copy = overTelephone(tone(100), 16_000, { line: null, gainDb: 0 });
  expect(copy).toHaveLength(8000);
  expect(toneLevel(copy, 100, telephoneRateHz)).toBeCloseTo(20 * Math.log10(0.1 * 32_767), 1);
});

it('never clips: what is too loud is made quieter as a whole', () => {
  const copy = overTelephone(tone(1000), 16_000, { line: null, gainDb: 40 });
  expect(Math.max(...copy)).toBeLessThanOrEqual(32_767);
  expect(copy.filter((sample) => sample === Math.max(...copy)).length).toBeLessThan(copy.length / 8);
});

it('draws lines of every kind, the same from the same seed', () => {
  const lines = Array.from({ length: 400 }, (_, index) => drawTelephoneLine(new Random([5, index])));
  const again = Array.from({ length: 400 }, (_, index) => drawTelephoneLine(new Random([5, index])));
  expect(again).toEqual(lines);
  const shareOf = (kind: string | undefined): number => lines.filter(({ line }) => line?.law === kind).length / 400;
  expect(shareOf('mu-law')).toBeGreaterThan(0.3);
  expect(shareOf('a-law')).toBeGreaterThan(0.25);
  expect(shareOf(undefined)).toBeGreaterThan(0.15);
  for (const { line } of lines) {
    if (line === null) continue;
    expect(line.lowHz).toBeGreaterThanOrEqual(200);
    expect(line.highHz).toBeLessThanOrEqual(3600);
  }
});
