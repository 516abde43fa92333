import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import {
  BandLimiter,
  FramePowers,
  fillWindow,
  findActivity,
  levelWindow,
  planWindows,
  spanForWindows,
} from './condition.ts';
import type { Conditioning } from './condition.ts';

const conditioning: Conditioning = {
  sampleRateHz: 16_000,
  bandHz: [70, 7400],
  activeRangeDb: 40,
  windowLevelDbfs: -25,
  speech: 'none',
};

function sine(frequencyHz: number, seconds: number, amplitude = 0.5): Float32Array {
  return Float32Array.from(
    { length: Math.round(16_000 * seconds) },
    (_, index) => amplitude * Math.sin((2 * Math.PI * frequencyHz * index) / 16_000),
  );
}

function powerDb(samples: Float32Array): number {
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** Gain of the limiter at a frequency, once it has settled. */
function gainDb(frequencyHz: number): number {
  const input = sine(frequencyHz, 2);
  const output = new BandLimiter(70, 7400, 16_000).process(input.slice());
  return powerDb(output.subarray(16_000)) - powerDb(input.subarray(16_000));
}

describe('BandLimiter', () => {
  it('keeps the band, halves the power at its edges, and cuts beyond', () => {
    for (const frequencyHz of [200, 1000, 4000, 7000]) expect(Math.abs(gainDb(frequencyHz))).toBeLessThan(0.2);
    expect(gainDb(70)).toBeCloseTo(-3, 0);
    expect(gainDb(7400)).toBeCloseTo(-3, 0);
    expect(gainDb(20)).toBeLessThan(-40);
    expect(gainDb(7600)).toBeLessThan(-50);
    expect(gainDb(7800)).toBeLessThan(-100);
  });

  it('does not depend on how the signal is cut into blocks', () => {
    const whole = new BandLimiter(70, 7400, 16_000).process(sine(300, 1));
    const limiter = new BandLimiter(70, 7400, 16_000);
    const input = sine(300, 1);
    const pieces = [0, 1, 700, 701, 9000].map((start, index, starts) =>
      limiter.process(input.slice(start, starts[index + 1] ?? input.length)),
    );
    expect(Float32Array.from(pieces.flatMap((piece) => [...piece]))).toEqual(whole);
  });
});

/** A second of noise between silences. */
function islands(leadSeconds: number, tailSeconds: number, gain: number): Float32Array {
  const random = new Random(1);
  const signal = new Float32Array(Math.round((leadSeconds + 1 + tailSeconds) * 16_000));
  for (let i = 0; i < 16_000; i++) signal[leadSeconds * 16_000 + i] = gain * (random.uniform() - 0.5);
  return signal;
}

function activityOf(signal: Float32Array) {
  const frames = new FramePowers(16_000);
  frames.push(signal);
  return findActivity(frames, conditioning);
}

describe('findActivity', () => {
  it('finds the sound between silences, whatever the gain', () => {
    for (const gain of [1, 0.25, 0.01]) {
      const { startSample, endSample, activeSeconds, silent } = activityOf(islands(2, 1, gain));
      expect([startSample, endSample, silent]).toEqual([32_000, 48_000, false]);
      expect(activeSeconds).toBeCloseTo(1, 6);
    }
  });

  it('is not led astray by a click', () => {
    const signal = islands(1, 1, 0.02);
    signal[100] = 1;
    const { endSample, activeSeconds } = activityOf(signal);
    expect(endSample).toBe(32_000);
    expect(activeSeconds).toBeCloseTo(1, 1);
  });

  it('takes the same span with silence after it, once the filters have rung off', () => {
    const spoken = islands(0, 0, 0.5).subarray(0, 15_900);
    const spans = [0, 8000].map((silence) => {
      const signal = new Float32Array(spoken.length + silence);
      signal.set(spoken);
      const limiter = new BandLimiter(70, 7400, 16_000);
      const frames = new FramePowers(16_000);
      for (const part of [limiter.process(signal), limiter.tail()]) frames.push(part);
      return findActivity(frames, conditioning);
    });
    expect(spans[0].endSample).toBeGreaterThanOrEqual(15_680);
    expect(spans[1].endSample).toBe(spans[0].endSample);
    expect(spans[1].activeLevelDbfs).toBe(spans[0].activeLevelDbfs);
  });

  it('calls silence silence, and nothing too', () => {
    expect(activityOf(new Float32Array(32_000)).silent).toBe(true);
    expect(activityOf(new Float32Array(0)).silent).toBe(true);
    expect(activityOf(sine(500, 1, 1e-5)).silent).toBe(true);
  });
});

describe('windows', () => {
  it('cover the span, the last ending where it ends', () => {
    expect(planWindows(100, 100 + 50, 20, 10)).toEqual([100, 110, 120, 130]);
    expect(planWindows(0, 47, 20, 10)).toEqual([0, 10, 20, 27]);
    expect(planWindows(5, 20, 20, 10)).toEqual([5]);
    expect(planWindows(0, 20, 20, 10)).toEqual([0]);
  });

  it('are filled by repetition and brought to one level', () => {
    const window = new Float32Array(7);
    fillWindow(Float32Array.of(1, 2, 3), window);
    expect([...window]).toEqual([1, 2, 3, 1, 2, 3, 1]);
    for (const gain of [1, 0.01]) {
      const levelled = sine(300, 1, gain);
      levelWindow(levelled, -25);
      expect(powerDb(levelled)).toBeCloseTo(-25, 3);
    }
    const silent = new Float32Array(10);
    levelWindow(silent, -25);
    expect(silent.every((sample) => sample === 0)).toBe(true);
  });
});

describe('the span that windows are taken from', () => {
  const surrounded = { shortSound: 'surrounded' } as const;
  it.each([
    ['sound as long as a window', [100, 1100], [0, 5000], [100, 1100]],
    ['half a window, room on both sides', [2000, 2500], [0, 5000], [1750, 2750]],
    ['at the beginning', [100, 700], [0, 5000], [0, 1000]],
    ['at the end', [4200, 4900], [0, 5000], [4000, 5000]],
    ['little sound: as much again', [2000, 2100], [0, 5000], [1950, 2150]],
    ['a recording shorter than a window', [200, 600], [0, 700], [0, 700]],
    ['between digital silence', [2000, 2500], [1900, 2700], [1900, 2700]],
    ['no sound', [0, 0], [0, 0], [0, 0]],
  ] as const)('is widened into what surrounds it: %s', (_, [startSample, endSample], [from, to], expected) => {
    const surroundings = { startSample: from, endSample: to };
    const found = spanForWindows({ startSample, endSample, surroundings }, 1000, surrounded);
    expect([found.startSample, found.endSample]).toEqual(expected);
  });

  it('is that of the sound where it is repeated', () => {
    const activity = { startSample: 2000, endSample: 2500 };
    const surroundings = { startSample: 0, endSample: 5000 };
    expect(spanForWindows({ ...activity, surroundings }, 1000, {})).toEqual(activity);
  });

  it('has as surroundings the room, not the digital silence around it', () => {
    const random = new Random(5);
    const signal = new Float32Array(5 * 16_000);
    for (let i = 16_000; i < 4 * 16_000; i++) signal[i] = 1e-3 * random.normal();
    signal.set(sine(500, 1), 2 * 16_000);
    const frames = new FramePowers(16_000);
    frames.push(signal);
    const { startSample, endSample, surroundings } = findActivity(frames, conditioning);
    expect([startSample, endSample]).toEqual([2 * 16_000, 3 * 16_000]);
    expect(surroundings).toEqual({ startSample: 16_000, endSample: 4 * 16_000 });
  });
});
