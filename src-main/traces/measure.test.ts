import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Repeat, Traces } from '../../src-common/schemas/traces.ts';
import { chunk, formatChunk, interleaved, pcm16, riff, temporaryFolder } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { measureTracesApart } from './apart.ts';
import { sha256File } from '../audio/hash.ts';
import { measureTraces } from './measure.ts';
import { noise } from './testing.ts';

const rateHz = 8000;
const path = join(temporaryFolder(), 'two.wav');
const random = new Random(51);
const left = noise(random, 30 * rateHz, 0.05);
const right = noise(random, 30 * rateHz, 0.05);
right.set(right.subarray(3 * rateHz, 5 * rateHz), 20 * rateHz);
writeFileSync(path, riff(formatChunk(1, 2, rateHz, 16), chunk('data', pcm16(interleaved([left, right])))));

const repeatsOf = ({ traces }: Traces): Repeat[] =>
  traces.flatMap((trace) => ('repeats' in trace ? trace.repeats : []));

it('measures the mix or one channel, each trace once, and says how far it is', async () => {
  const told: [number, number | null][] = [];
  const mix = await measureTraces(path, { onProgress: (...progress) => told.push(progress) });
  expect(mix.traces.map(({ kind }) => kind)).toEqual(['hum', 'background', 'repeats', 'coding', 'rate', 'container']);
  expect(mix).toMatchObject({ durationSeconds: 30, sampleRateHz: rateHz, channel: null });
  expect(repeatsOf(mix).filter(({ isSame }) => isSame)).toEqual([]);
  expect(told.at(-1)).toEqual([30, 30]);
  const second = await measureTraces(path, { channel: 2 });
  expect(second.channel).toBe(2);
  expect(repeatsOf(second)).toMatchObject([{ isSame: true }]);
  expect(repeatsOf(second)[0].secondSeconds).toBeCloseTo(repeatsOf(second)[0].firstSeconds + 17, 9);
});

it('says the same from a worker, of the file that was meant alone, and is stopped', async () => {
  const sha256 = await sha256File(path);
  expect(await measureTracesApart({ path, sha256, channel: 2 })).toEqual(await measureTraces(path, { channel: 2 }));
  await expect(measureTracesApart({ path, sha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'changed' });
  await expect(measureTracesApart({ path, sha256, channel: 3 })).rejects.toMatchObject({ code: 'no-channel' });
  const stop = new AbortController();
  const stopped = measureTracesApart({ path, sha256 }, { signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
});
