import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { Random } from '../base/random.ts';
import { degradations } from './catalogue.ts';
import { chooseDegradations } from './choose.ts';
import { findEncoder, throughCodec } from './codec.ts';
import type { CodecPass } from './codec.ts';
import type { Sound } from './sound.ts';

const ffmpeg = await findFfmpeg().catch(() => null);

/** Where nothing else leaves anything. */
let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'earwitness-codec-test-'));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, temporary);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true, force: true });
});

/** A buzz of a pitch of its own, pulsing as syllables do. */
function buzz(seed: number): Sound {
  const random = new Random(seed);
  const pitchHz = random.between(100, 200);
  const pulseHz = random.between(3, 5);
  const samples = Float32Array.from({ length: 24_000 }, (_, i) => {
    const time = i / 16_000;
    const loudness = 0.5 - 0.5 * Math.cos(2 * Math.PI * pulseHz * time);
    let voice = 0;
    for (let harmonic = 1; harmonic <= 15; harmonic++)
      voice += Math.sin(2 * Math.PI * harmonic * pitchHz * time) / harmonic;
    return 0.1 * loudness * voice;
  });
  return { samples, sampleRateHz: 16_000 };
}

/** Energy of each 20 ms. */
function envelope({ samples, sampleRateHz }: Sound): number[] {
  const frame = sampleRateHz / 50;
  return Array.from({ length: Math.floor(samples.length / frame) }, (_, k) => {
    let sum = 0;
    for (const sample of samples.subarray(k * frame, (k + 1) * frame)) sum += sample * sample;
    return Math.sqrt(sum / frame);
  });
}

function correlation(one: readonly number[], other: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [a, b] = [mean(one), mean(other)];
  const sum = (f: (x: number, y: number) => number): number =>
    one.reduce((total, value, k) => total + f(value - a, other[k] - b), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}

const strongest = ['mp3-32', 'aac-32', 'opus-16', 'amr-nb-12.2', 'amr-wb-12.65', 'gsm', 'g722'];

it.skipIf(ffmpeg === null).each(strongest)('%s gives each recording its own stretch back, degraded', async (name) => {
  const { how } = degradations.find((one) => one.name === name)!;
  if (!('codec' in how)) throw new Error('no codec');
  const encoder = await findEncoder(how.codec);
  if ('missing' in encoder) {
    process.stderr.write(`${name} is not tested: ${encoder.missing}\n`);
    return;
  }
  const sounds = [buzz(1), buzz(2), buzz(3)];
  const back = await throughCodec(sounds, how.codec, encoder, how.returnRateHz);
  back.forEach((sound, index) => {
    expect(sound.sampleRateHz).toBe(how.returnRateHz);
    expect(sound.samples).toHaveLength((sounds[index].samples.length * how.returnRateHz) / 16_000);
    expect(correlation(envelope(sounds[index]), envelope(sound))).toBeGreaterThan(0.9);
    expect(correlation(envelope(sounds[(index + 1) % 3]), envelope(sound))).toBeLessThan(0.9);
  });
  if (how.returnRateHz === 16_000) expect([...back[0].samples]).not.toEqual([...sounds[0].samples]);
  expect(readdirSync(temporary)).toEqual([]);
});

it('names an encoder that is not there', async () => {
  const pass: CodecPass = { encoder: 'no_such_codec', arguments: [], container: 'xyz', rateHz: 8000 };
  expect(await findEncoder(pass)).toMatchObject({ missing: expect.stringContaining('no_such_codec') as string });
});

it.skipIf(ffmpeg === null)('stops when it is reported to', async () => {
  const pass: CodecPass = { encoder: 'pcm_s16le', arguments: [], container: 'wav', rateHz: 16_000 };
  const encoder = await findEncoder(pass);
  if ('missing' in encoder) throw new Error(encoder.missing);
  await expect(throughCodec([buzz(1)], pass, encoder, 16_000, AbortSignal.abort(new Error('stop')))).rejects.toThrow(
    'stop',
  );
});

it('has a name of its own for each degradation, and knows the channels by one name', () => {
  const names = degradations.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(chooseDegradations(['channels']).map(({ name }) => name)).toContain('gsm');
  expect(chooseDegradations(['gsm', 'channels'])).toHaveLength(10);
  expect(() => chooseDegradations(['gsn'])).toThrow('There is no degradation gsn.');
});
