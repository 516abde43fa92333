import { expect, it } from 'vitest';
import type { DistanceKind } from '../../src-common/validation-distance.ts';
import { spreadOf } from '../evaluation/mahalanobis.ts';
import { ValidationDistance, distanceReasons, packSpread, qualityPoint, unpackSpread } from './distance.ts';

// Points around (1, 2), one apart along each axis: their covariance is half the identity.
const spread = spreadOf(Float64Array.of(2, 2, 0, 2, 1, 3, 1, 1), 2);
const kind: DistanceKind = {
  of: 'quality',
  width: 2,
  shrinkage: 0,
  spread: packSpread(spread),
  percentiles: Array.from({ length: 101 }, (_, percent) => percent / 20),
  limit: 4.9,
  growth: [],
  beyond: { recordings: 10, sources: 5, difference: 0.3, interval: [0.1, 0.5] },
  forbids: true,
  shrinking: null,
};
const record = { dataset: 'd', split: 'dev', seed: 1, recordings: 200, sources: 20, copies: 400, kinds: [kind] };

it('comes back from a card as it went in', () => {
  const back = unpackSpread(kind);
  expect(back.mean).toEqual([1, 2]);
  back.whitening.forEach((value, i) => expect(value).toBeCloseTo(spread.whitening[i], 6));
  expect(() => unpackSpread({ ...kind, width: 3 })).toThrow('no distance of 3 values for quality');
});

it('tells a recording how many lie nearer, and what is not measured stays out', () => {
  const distance = new ValidationDistance(record);
  const [found] = distance.of(new Map([['quality', [1 + 3 / Math.SQRT2, 2]]]));
  expect(found.distance).toBeCloseTo(3, 5);
  expect(found.nearer).toBeCloseTo(0.6, 5);
  expect(distance.of(new Map([['quality', [1, 2]]]))[0].nearer).toBe(0);
  expect(distance.of(new Map([['quality', [1, 90]]]))[0].nearer).toBe(1);
  expect(distance.of(new Map([['linear', [1, 2]]]))).toEqual([]);
});

it('forbids beyond the limit only where error was seen to grow', () => {
  const far = [{ of: 'quality', distance: 4.91, nearer: 0.982 }];
  expect(distanceReasons(record, far)).toEqual([
    {
      code: 'outside-validation',
      sentence: expect.stringContaining('farther than 98.2 % of the 200 recordings of dev') as string,
      blocking: true,
    },
  ]);
  const harmless = { ...record, kinds: [{ ...kind, forbids: false }] };
  expect(distanceReasons(harmless, far)).toMatchObject([{ code: 'unusual', blocking: false }]);
  expect(distanceReasons(record, [{ of: 'quality', distance: 4.9, nearer: 0.98 }])).toEqual([]);
  // Several are one reason.
  const both = { ...harmless, kinds: [...harmless.kinds, { ...kind, of: 'linear', forbids: false }] };
  const [only, ...others] = distanceReasons(both, [...far, { ...far[0], of: 'linear' }]);
  expect(others).toEqual([]);
  expect(only.sentence.match(/farther than/g)).toHaveLength(2);
});

it('takes quality as the model hears it', () => {
  const bandHz: [number, number] = [70, 7400];
  const conditioning = { bandHz, sampleRateHz: 16_000 };
  const wide = { snrDb: null, effectiveBandwidthHz: 20_000, clippedFraction: 0, speechSeconds: 4 };
  expect(qualityPoint(wide, 5, conditioning)).toEqual([60, Math.log2(7400), -5, 2]);
  expect(
    qualityPoint({ ...wide, effectiveBandwidthHz: 7400, snrDb: 80, speechSeconds: null }, 4, conditioning),
  ).toEqual(qualityPoint(wide, 5, conditioning));
});
