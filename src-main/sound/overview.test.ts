import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { overviewOf } from './overview.ts';

const wanted = { sampleRateHz: 16_000, columns: 100, rows: 400 };

/** Cut at odd places. */
async function* blocksOf(samples: Float32Array, most = 3000): AsyncGenerator<Float32Array> {
  const random = new Random(5);
  for (let place = 0; place < samples.length;) {
    const length = random.below(most);
    yield samples.slice(place, place + length);
    place += length;
  }
}

function noise(length: number): Float32Array {
  const random = new Random(length);
  return Float32Array.from({ length }, () => random.between(-0.5, 0.5));
}

describe('overviewOf', () => {
  it.each([1, 300, 513, 16_000, 123_457])('has the frames of the whole recording of %i samples', async (length) => {
    const samples = noise(length);
    const overview = await overviewOf(blocksOf(samples), {
      ...wanted,
      columns: 5000,
      scale: 'mel',
      expectedSamples: length,
    });
    expect([overview.samples, overview.framesPerColumn]).toEqual([length, 1]);
    const frontEnd = createFrontEnd(overview.parameters);
    expect(overview.columns).toBe(frontEnd.frameCount(length));
    const whole = frontEnd.compute(samples);
    let worst = 0;
    overview.levelsDb.forEach((level, place) => {
      // Each row has its own level of full scale.
      const first = place - (place % overview.columns);
      const offset = overview.levelsDb[first] - whole[first];
      worst = Math.max(worst, Math.abs(level - whole[place] - offset));
    });
    expect(worst).toBeLessThan(1e-4);
  });

  it('keeps the loudest frame of each column, within its bounds', async () => {
    const samples = noise(200_000);
    samples.fill(0, 20_000, 180_000);
    samples[100_000] = 1;
    const overview = await overviewOf(blocksOf(samples), { ...wanted, scale: 'mel' });
    expect(overview.framesPerColumn).toBe(8);
    expect(overview.columns).toBeLessThanOrEqual(200);
    const whole = createFrontEnd(overview.parameters).compute(samples);
    const frames = createFrontEnd(overview.parameters).frameCount(samples.length);
    expect(overview.columns).toBe(Math.ceil(frames / 8));
    const row = 64;
    const column = (at: number): number => overview.levelsDb[row * overview.columns + at];
    const loudest = (at: number): number => Math.max(...whole.slice(row * frames + at * 8, row * frames + at * 8 + 8));
    const click = Math.floor(100_000 / overview.parameters.hopLength / 8);
    for (const at of [3, click]) expect(column(at) - column(0)).toBeCloseTo(loudest(at) - loudest(0), 4);
    expect(column(click)).toBeGreaterThan(column(click - 5) + 30);
  });

  it.each([
    // A bin of the transform; the middles of Slaney's Mel bands 9 and 89 of 128 up to 8 kHz.
    ['linear', 3000],
    ['mel', (200 / 3) * ((45.245 * 10) / 129)],
    ['mel', 1000 * Math.exp((Math.log(6.4) / 27) * ((45.245 * 90) / 129 - 15))],
  ] as const)('puts a full-scale sine at 0 dBFS (%s, %f Hz)', async (scale, hz) => {
    const samples = Float32Array.from({ length: 32_000 }, (_, index) => Math.sin((2 * Math.PI * hz * index) / 16_000));
    const overview = await overviewOf(blocksOf(samples), { ...wanted, rows: 513, scale });
    const middle = Math.floor(overview.columns / 2);
    const levels = Array.from(
      { length: overview.rows },
      (_, row) => overview.levelsDb[row * overview.columns + middle],
    );
    expect(Math.abs(Math.max(...levels))).toBeLessThan(0.02);
  });

  it('is empty without samples', async () => {
    expect(await overviewOf(blocksOf(new Float32Array(0)), { ...wanted, scale: 'mel' })).toMatchObject({
      samples: 0,
      columns: 0,
    });
  });
});
