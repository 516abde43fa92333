import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { humAnswer } from './answers.ts';
import { HumMeter, type Hum } from './hum.ts';
import { parseReference, placeInReference } from './reference.ts';
import { cutOut, hum, inBlocks, noise, sum, voice } from './testing.ts';

const rateHz = 8000;

function measured(samples: Float32Array): Hum {
  const meter = new HumMeter(rateHz);
  for (const block of inBlocks(samples)) meter.push(block);
  return meter.finish();
}

/** A voice in a room with hum, and the mains' frequency at each second. */
function room(seed: number, seconds: number, nominalHz: number, amplitude: number) {
  const random = new Random([seed, nominalHz]);
  const { samples, frequencies } = hum(random, rateHz, seconds, { nominalHz, amplitude });
  const around = sum(voice(random, rateHz, seconds, 0.05), noise(random, samples.length, 0.002, true));
  return { samples: sum(samples, around), around, frequencies };
}

describe.each([50, 60])('hum of %i Hz mains', (nominalHz) => {
  const seconds = 60;
  const { samples, around, frequencies } = room(1, seconds, nominalHz, 0.004);

  it('is followed below a voice to a few millihertz, and has no steps', () => {
    const found = measured(samples);
    expect(found.nominalHz).toBe(nominalHz);
    expect(found.presentShare).toBeGreaterThan(0.95);
    const errors = found.track.values.map((hz, i) => Math.abs((hz ?? NaN) - frequencies[found.track.timesSeconds[i]]));
    expect(errors.filter((error) => error < 0.008).length).toBeGreaterThan(0.95 * errors.length);
    expect(found.steps).toEqual([]);
    expect(humAnswer(found, seconds, null).sentence).toMatch(/no step of its phase was found/);
  });

  it('steps where a stretch was cut out, there alone', () => {
    // A third of a period is left over.
    const length = Math.round(2 * rateHz + rateHz / nominalHz / 3);
    const found = measured(cutOut(samples, 25 * rateHz, 25 * rateHz + length));
    expect(found.steps.map((step) => Math.abs(step.seconds - 25) < 1)).toEqual([true]);
    expect(found.steps[0].degrees).toBeGreaterThan(45);
    const answer = humAnswer(found, seconds - 2, null);
    expect(answer.sentence).toMatch(/its phase steps at 0:2[45]\.\d\./);
    expect(answer.places).toHaveLength(1);
  });

  it('does not step where whole periods were cut out: that cannot be seen', () => {
    const length = Math.round((rateHz * 100) / nominalHz);
    expect(measured(cutOut(samples, 25 * rateHz, 25 * rateHz + length)).steps).toEqual([]);
  });

  it('is not found where there is none', () => {
    const found = measured(around);
    expect(found.nominalHz).toBeNull();
    expect(found.presentShare).toBeLessThan(0.05);
    expect(humAnswer(found, seconds, null)).toMatchObject({ places: [], nominalHz: null, track: { values: [] } });
  });
});

it('too short a recording is not assessed, nor is silence', () => {
  const short = measured(new Float32Array(3 * rateHz).fill(0.1));
  expect(humAnswer(short, 3, null).sentence).toMatch(/^Not assessed/);
  expect(measured(new Float32Array(30 * rateHz))).toMatchObject({ nominalHz: null, steps: [], presentShare: 0 });
});

describe('a reference', () => {
  const { samples, frequencies } = room(2, 150, 50, 0.006);

  function reference(from: number, clockHz: number): string {
    const random = new Random(99);
    let hz = 50;
    const rows = Array.from({ length: 1800 }, (_, second) => {
      hz += 0.01 * (50 - hz) + 0.002 * random.normal();
      const value = second >= from && second < from + 150 ? frequencies[second - from] : hz;
      return `${new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString()},${(value + clockHz).toFixed(5)}`;
    });
    return ['time,frequency', ...rows].join('\n');
  }

  it('has the recording at its place, and the difference of the clocks', () => {
    const placed = placeInReference(measured(samples).track, parseReference(reference(700, -0.004), 'mains.csv'));
    expect(placed).toMatchObject({ name: 'mains.csv', shiftSeconds: Date.UTC(2026, 2, 1, 12, 11, 40) / 1000 });
    expect(placed?.correlation).toBeGreaterThan(0.95);
    expect(placed?.nextCorrelation).toBeLessThan((placed?.correlation ?? 0) - 0.05);
    expect(placed?.differenceHz).toBeCloseTo(0.004, 3);
  });

  it('without the recording resembles it less, though short recordings resemble many places', () => {
    const placed = placeInReference(measured(samples).track, parseReference(reference(1e6, 0), 'mains.csv'));
    expect(placed?.correlation).toBeLessThan(0.95);
    expect(placed?.nextCorrelation).toBeGreaterThan(0.8);
  });

  it('is read with seconds, semicolons and gaps, between which nothing is known', () => {
    const { startSeconds, frequencies: values } = parseReference('0;50.01\n2;50.03\n30;49.99\n31;49.98\n', 'r.csv');
    expect(startSeconds).toBe(0);
    expect(values[1]).toBeCloseTo(50.02, 9);
    expect([values[2], values[30], values[31]]).toEqual([50.03, 49.99, 49.98]);
    expect(values.slice(3, 30).every(Number.isNaN)).toBe(true);
  });

  it.each([
    ['t,f\n1,50\n1,50\n', /line 3 is not later/],
    ['t,f\n1,50\n2,volts\n', /line 3 is not a time/],
    ['t,f\n1,50\n2,500\n', /line 3 is not a time/],
    ['t,f\n', /fewer than two rows/],
    ['t,f\n0,50\n1e9,50\n', /line 3/],
    ['t,f\n0,50\n1000000000,50\n', /400 days/],
  ])('that is none is refused: %j', (text, why) => {
    expect(() => parseReference(text, 'r.csv')).toThrow(why);
  });
});
