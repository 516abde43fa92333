import { describe, expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { ParallelFilter } from './parallel-filter.ts';

type Section = ConstructorParameters<typeof ParallelFilter>[0][number];

/** Sections with poles at a radius and angle, and zeros that differ from one to the next. */
function sectionsAt(poles: [radius: number, angle: number][]): Section[] {
  return poles.map(([radius, angle], index) => ({
    b0: 0.5,
    b1: 0.3 * (index - 1),
    b2: 0.2,
    a1: -2 * radius * Math.cos(angle),
    a2: radius ** 2,
  }));
}

/** One section after the other, in doubles: the definition. */
function cascade(sections: Section[], samples: Float32Array): Float64Array {
  let signal = Float64Array.from(samples);
  for (const { b0, b1, b2, a1, a2 } of sections) {
    const x = signal;
    const y = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) {
      y[i] = b0 * x[i] + b1 * (x[i - 1] ?? 0) + b2 * (x[i - 2] ?? 0) - a1 * (y[i - 1] ?? 0) - a2 * (y[i - 2] ?? 0);
    }
    signal = y;
  }
  return signal;
}

function noise(length: number): Float32Array {
  const random = new Random(5);
  return Float32Array.from({ length }, () => random.normal());
}

describe('ParallelFilter', () => {
  it.each<[string, [number, number][]]>([
    ['one section', [[0.9, 1]]],
    [
      'an odd number of them',
      [
        [0.9, 1],
        [0.99, 0.05],
        [0.7, 2.5],
      ],
    ],
    [
      'poles close to one another',
      [
        [0.95, 1],
        [0.95, 1.02],
        [0.94, 1.01],
        [0.96, 1],
      ],
    ],
  ])('is the product of its sections but for rounding: %s', (_, poles) => {
    const sections = sectionsAt(poles);
    // More than lies in the kernel's memory at a time.
    const samples = noise(20_000);
    const wanted = cascade(sections, samples);
    const filtered = samples.slice();
    new ParallelFilter(sections).process(filtered);
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const furthest = filtered.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i])), 0);
    expect(furthest).toBeLessThan(1e-6 * largest);
  });

  it('keeps the state of filters that take turns apart', () => {
    const sections = sectionsAt([
      [0.99, 0.3],
      [0.9, 2],
    ]);
    const whole = noise(9000);
    const parts = whole.slice();
    new ParallelFilter(sections).process(whole);
    const [filter, other] = [new ParallelFilter(sections), new ParallelFilter(sections)];
    for (const [from, to] of [
      [0, 1],
      [1, 4000],
      [4000, 9000],
    ]) {
      filter.process(parts.subarray(from, to));
      other.process(noise(100));
    }
    expect(parts).toEqual(whole);
  });

  it('refuses what has no complex poles', () => {
    expect(() => new ParallelFilter([{ b0: 1, b1: 0, b2: 0, a1: -1.5, a2: 0.5 }])).toThrow(/complex poles/);
  });
});
