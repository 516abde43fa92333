import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Repeat } from '../../src-common/schemas/traces.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { floats, temporaryFolder, tone, wav16 } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { repeatsAnswer } from './answers.ts';
import { SameSamples, SameSound, allRepeats } from './repeats.ts';
import { inBlocks, noise, sum, voice } from './testing.ts';

const folder = temporaryFolder();
const rateHz = 16_000;
const seconds = 40;

function repeatsIn(samples: Float32Array): Repeat[] {
  const [same, alike] = [new SameSamples(rateHz), new SameSound(rateHz)];
  for (const block of inBlocks(samples)) {
    same.push(block);
    alike.push(block);
  }
  return allRepeats(same.finish(), alike.finish());
}

/** As whole numbers of 16 bits. */
const rounded = (samples: Float32Array): Float32Array => samples.map((x) => Math.round(32_768 * x) / 32_768);

describe('a voice in noise', () => {
  const random = new Random(31);
  const all = sum(voice(random, rateHz, seconds, 0.05), noise(random, rateHz * seconds, 0.001));
  const plain = rounded(all);
  /** Second 8 to 12 stands from second 27 on, too, off by 137 samples. */
  const copied = plain.slice();
  copied.set(plain.subarray(8 * rateHz, 12 * rateHz), 27 * rateHz + 137);

  it('repeats nothing', () => {
    expect(repeatsIn(plain)).toEqual([]);
    expect(repeatsAnswer([], seconds).sentence).toBe('No stretch was found twice.');
  });

  it('with a copied stretch has the same samples twice, told to a few hundredths of a second', () => {
    const found = repeatsIn(copied);
    expect(found).toHaveLength(1);
    expect(found[0].isSame).toBe(true);
    expect(found[0].firstSeconds).toBeCloseTo(8, 0.8);
    expect(found[0].secondSeconds - found[0].firstSeconds).toBeCloseTo(19 + 137 / rateHz, 9);
    expect(found[0].lengthSeconds).toBeGreaterThan(3.8);
    expect(found[0].lengthSeconds).toBeLessThanOrEqual(4);
    const { sentence, places } = repeatsAnswer(found, seconds);
    expect(sentence).toMatch(/^The same samples stand twice, at 0:08\.\d and 0:27\.\d\.$/);
    expect(places).toHaveLength(2);
  });

  it('with a short copy of 0.4 s has it, too', () => {
    const short = plain.slice();
    short.set(plain.subarray(8 * rateHz, 8.4 * rateHz), 27 * rateHz);
    expect(repeatsIn(short)).toMatchObject([{ isSame: true }]);
  });

  it.each([
    ['mp3', ['-c:a', 'libmp3lame', '-b:a', '32k']],
    ['m4a', ['-c:a', 'aac', '-b:a', '32k']],
  ])('coded as %s after copying has the same sound twice; coded without a copy it has not', async (ending, coder) => {
    const { path } = await findFfmpeg();
    const coded = (samples: Float32Array): Float32Array => {
      const [from, to] = [join(folder, 'in.wav'), join(folder, `coded.${ending}`)];
      writeFileSync(from, wav16(samples, rateHz));
      execFileSync(path, ['-v', 'error', '-nostdin', '-y', '-i', from, ...coder, to]);
      execFileSync(path, ['-v', 'error', '-nostdin', '-y', '-i', to, '-f', 'f32le', join(folder, 'out.f32')]);
      return floats(readFileSync(join(folder, 'out.f32')));
    };
    const found = repeatsIn(coded(copied));
    expect(found).toMatchObject([{ isSame: false }]);
    expect(found[0].firstSeconds).toBeGreaterThan(7.4);
    expect(found[0].firstSeconds + found[0].lengthSeconds).toBeLessThan(12.8);
    expect(found[0].secondSeconds - found[0].firstSeconds).toBeCloseTo(19, 0.9);
    expect(found[0].lengthSeconds).toBeGreaterThan(3);
    expect(repeatsIn(coded(plain))).toEqual([]);
  });
});

it('a tone, digital silence and a constant repeat nothing', () => {
  expect(repeatsIn(rounded(tone(440, rateHz, 30)))).toEqual([]);
  expect(repeatsIn(new Float32Array(30 * rateHz))).toEqual([]);
  expect(repeatsIn(new Float32Array(30 * rateHz).fill(0.25))).toEqual([]);
});
