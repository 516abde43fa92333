import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { MdctBank, Mp3Bank, kaiserBesselWindow, sineWindow, vorbisWindow } from './filter-banks.ts';
import { noise } from './testing.ts';

const samples = Float64Array.from(noise(new Random(71), 60_000, 1));

const banks = [
  ['MP3', new Mp3Bank()],
  ['AAC, sine', new MdctBank(sineWindow(2048))],
  ['AAC, Kaiser-Bessel', new MdctBank(kaiserBesselWindow(2048))],
  ['Vorbis', new MdctBank(vorbisWindow(512))],
] as const;

it.each(banks)('%s keeps power: frames one after the other hold what the samples hold', (_, bank) => {
  const frames = Math.floor((samples.length - bank.span) / bank.frame);
  let held = 0;
  for (let k = 0; k < frames; k++) {
    for (const line of bank.linesAt(samples, k * bank.frame)) held += line ** 2;
  }
  const given = samples.subarray(0, frames * bank.frame).reduce((sum, x) => sum + x ** 2, 0);
  expect(held / given).toBeCloseTo(1, 1.5);
});

it.each(banks)('%s gives the same lines for every start, one by one or together', (_, bank) => {
  const together = new Map<number, number[]>();
  bank.everyStart(samples, 1000, 70, (start, lines) => together.set(start, [...lines]));
  expect([...together.keys()].sort((one, other) => one - other)).toEqual(
    Array.from({ length: 70 }, (_, k) => 1000 + k),
  );
  for (const start of [1000, 1031, 1069]) expect(together.get(start)).toEqual([...bank.linesAt(samples, start)]);
});

it.each([16, 256])('an MDCT of %i lines is that of its definition', (lines) => {
  const window = sineWindow(2 * lines);
  const got = new MdctBank(window).linesAt(samples, 5);
  for (const k of [0, 1, lines / 2, lines - 1]) {
    let sum = 0;
    for (let n = 0; n < 2 * lines; n++) {
      sum += window[n] * samples[5 + n] * Math.cos((Math.PI / lines) * (n + 0.5 + lines / 2) * (k + 0.5));
    }
    expect(got[k]).toBeCloseTo(Math.sqrt(2 / lines) * sum, 9);
  }
});

it('MP3 puts a tone where its frequency lies, in odd bands, too', () => {
  const bank = new Mp3Bank();
  for (const line of [40, 101, 300]) {
    const tone = Float64Array.from({ length: 3000 }, (_, n) => Math.sin((Math.PI * (line + 0.5) * n) / 576));
    // Phases weaken a line in some frames.
    const power = new Float64Array(576);
    for (let k = 0; k < 2; k++) bank.linesAt(tone, 576 * k).forEach((value, i) => (power[i] += value ** 2));
    const strongest = power.indexOf(Math.max(...power));
    expect(Math.abs(strongest - line)).toBeLessThanOrEqual(1);
  }
});
