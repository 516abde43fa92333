import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { SideMeter, areSides, measureSides } from './sides.ts';
import type { SideMeasures } from './sides.ts';
import { call, chunk, formatChunk, interleaved, pcm16, riff } from './testing.ts';

const rate = 16_000;
const folder = mkdtempSync(join(tmpdir(), 'earwitness-sides-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function measured(first: Float32Array, second: Float32Array, block = first.length): SideMeasures | null {
  const meter = new SideMeter(rate);
  for (let at = 0; at < first.length; at += block) {
    const part = first.subarray(at, at + block);
    meter.push(part, second.subarray(at, at + block), part.length);
  }
  return meter.measures();
}
/** Something with syllables. */
function voice(seconds: number, seed: number): Float32Array {
  const random = new Random(seed);
  const pulseHz = random.between(3, 6);
  return Float32Array.from(
    { length: seconds * rate },
    (_, i) => 0.1 * (0.55 + 0.45 * Math.sin((2 * Math.PI * pulseHz * i) / rate)) * random.normal(),
  );
}
const [one, other] = call(voice(20, 1), voice(20, 2), rate);
const mixed = (a: Float32Array, b: Float32Array, db = 0): Float32Array => a.map((x, i) => x + 10 ** (db / 20) * b[i]);

describe('the sides of a conversation', () => {
  it('are told by turns, with echo and unequal levels, too', () => {
    const plain = measured(one, other) as SideMeasures;
    expect(areSides(plain)).toBe(true);
    expect(plain.alone[0] + plain.alone[1]).toBeGreaterThan(0.9);
    expect(plain.activeSeconds).toBeGreaterThan(15);
    expect(areSides(measured(mixed(one, other, -25), mixed(other, one, -25)) as SideMeasures)).toBe(true);
    const quiet = other.map((x) => x / 6);
    expect(areSides(measured(one, quiet) as SideMeasures)).toBe(true);
  });

  it('are measured alike in whatever blocks they come', () => {
    expect(measured(one, other, 777)).toEqual(measured(one, other));
  });

  it('are not one sound twice, at whatever levels, nor a room in two microphones', () => {
    const both = mixed(one, other);
    const same = measured(
      both,
      both.map((x) => 0.1 * x),
    ) as SideMeasures;
    expect(areSides(same)).toBe(false);
    expect(same.correlation).toBeCloseTo(1, 3);
    const late = new Float32Array(both.length);
    late.set(both.subarray(0, -24), 24);
    expect(areSides(measured(mixed(one, other, -6), mixed(late, one, -6)) as SideMeasures)).toBe(false);
  });

  it('are not two who talk at the same time, nor speech beside noise or silence', () => {
    expect(areSides(measured(voice(20, 3), voice(20, 4)) as SideMeasures)).toBe(false);
    const noise = one.map((_, i) => 0.001 * Math.sin(i * i));
    expect(areSides(measured(one, noise) as SideMeasures)).toBe(false);
    expect(measured(one, new Float32Array(one.length))).toBeNull();
    expect(measured(new Float32Array(0), new Float32Array(0))).toBeNull();
  });

  it('need more than a moment of the other one', () => {
    const moment = new Float32Array(one.length);
    moment.set(other.subarray(5 * rate, 5.5 * rate), rate);
    expect(areSides(measured(one, moment) as SideMeasures)).toBe(false);
  });

  it('are measured of files with two channels only', async () => {
    const write = (name: string, ...channels: Float32Array[]): string => {
      const path = join(folder, name);
      writeFileSync(path, riff(formatChunk(1, channels.length, rate, 16), chunk('data', pcm16(interleaved(channels)))));
      return path;
    };
    const measures = await measureSides(write('call.wav', one, other));
    expect(measures?.alone[0]).toBeCloseTo(measured(one, other)?.alone[0] ?? 0, 2);
    expect(await measureSides(write('mono.wav', one))).toBeNull();
    expect(await measureSides(write('three.wav', one, other, other))).toBeNull();
  });
});
