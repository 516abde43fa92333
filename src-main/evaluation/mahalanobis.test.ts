import { expect, it } from 'vitest';
import { Random } from '../base/random.ts';
import { distanceFrom, shrunkCovariance, spreadOf } from './mahalanobis.ts';

/** Points of a normal distribution whose covariance is factor · factorᵀ. */
function drawn(
  count: number,
  factor: readonly (readonly number[])[],
  mean: readonly number[],
  seed: number,
): Float64Array {
  const random = new Random(seed);
  return Float64Array.from(
    Array.from({ length: count }, () => {
      const white = factor.map(() => random.normal());
      return factor.map((row, i) => mean[i] + row.reduce((sum, value, k) => sum + value * white[k], 0));
    }).flat(),
  );
}

it('is what scikit-learn 1.9 gives for the same points', () => {
  const points = Float64Array.of(
    1,
    2,
    0.5,
    2,
    4.5,
    -1,
    0,
    0.3,
    2,
    4,
    8,
    1,
    1,
    2.1,
    3,
    3,
    6.2,
    -2,
    2,
    3.5,
    0,
    5,
    9.5,
    1,
    -2,
    -4,
    0.5,
    -1,
    -2.5,
    -1,
  );
  const { covariance, shrinkage } = shrunkCovariance(points, 3);
  expect(shrinkage).toBeCloseTo(0.19656521269076502, 9);
  [
    4.926341583826384, 6.772955257016853, -0.12051521809638527, 6.772955257016853, 15.035479451666102,
    -0.22817547959582277, -0.12051521809638527, -0.22817547959582277, 3.1105789645075133,
  ].forEach((value, i) => expect(covariance[i]).toBeCloseTo(value, 9));
  expect(distanceFrom(spreadOf(points, 3), [1, 1, 1])).toBeCloseTo(0.6630866687911786, 9);
});

it('finds a known covariance again where points are many, and hardly shrinks it', () => {
  const factor = [[2, 0], [1, 0.5]]; // prettier-ignore
  const { mean, covariance, shrinkage } = shrunkCovariance(drawn(20_000, factor, [3, -1], 1), 2);
  expect(mean[0]).toBeCloseTo(3, 1);
  [4, 2, 2, 1.25].forEach((value, i) => expect(Math.abs(covariance[i] - value)).toBeLessThan(0.1));
  expect(shrinkage).toBeLessThan(0.001);
});

it('has distances of that covariance', () => {
  const spread = spreadOf(drawn(20_000, [[2, 0], [1, 0.5]], [0, 0], 2), 2); // prettier-ignore
  // By the covariance [[4, 2], [2, 1.25]]: of [2, 1] one deviation, of [0, 1] two.
  expect(distanceFrom(spread, [2, 1])).toBeCloseTo(1, 1);
  expect(distanceFrom(spread, [0, 1])).toBeCloseTo(2, 1);
});

it('can be inverted with fewer points than dimensions, and knows white noise for what it is', () => {
  const identity = Array.from({ length: 40 }, (_, i) => Array.from({ length: 40 }, (__, k) => (i === k ? 1 : 0)));
  const points = drawn(20, identity, new Array<number>(40).fill(0), 3);
  const spread = spreadOf(points, 40);
  expect(spread.shrinkage).toBeGreaterThan(0.8);
  expect(distanceFrom(spread, new Float64Array(40).fill(1))).toBeGreaterThan(4);
  expect(distanceFrom(spread, new Float64Array(40).fill(1))).toBeLessThan(9);
});

it('refuses what is no set of points', () => {
  expect(() => shrunkCovariance(Float64Array.of(1, 2, 3), 2)).toThrow(RangeError);
  expect(() => shrunkCovariance(Float64Array.of(1, NaN, 3, 4), 2)).toThrow('no finite number');
  expect(() => spreadOf(Float64Array.of(1, 2, 1, 2, 1, 2), 2)).toThrow('not positive definite');
});
