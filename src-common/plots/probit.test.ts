import { expect, test } from 'vitest';
import { probit, probitShare, probitTicks, rateOfProbit } from './probit.ts';

test('gives the quantiles of the standard normal distribution', () => {
  // From scipy.stats.norm.ppf.
  const known: [number, number][] = [
    [0.001, -3.090232306167813],
    [0.02, -2.053748910631823],
    [0.3, -0.5244005127080407],
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.99, 2.3263478740408408],
  ];
  for (const [rate, z] of known) expect(probit(rate)).toBeCloseTo(z, 8);
  expect(probit(0)).toBe(-Infinity);
  expect(probit(1)).toBe(Infinity);
});

test('comes back from a place on the axis to the rate', () => {
  for (const rate of probitTicks) expect(rateOfProbit(probit(rate))).toBeCloseTo(rate, 10);
});

test('labels 0.1 % to 99 %, and puts them symmetrically about one half', () => {
  expect([probitTicks[0], probitTicks.at(-1)]).toEqual([0.001, 0.99]);
  expect(probitShare(0.01, 0.01, 0.99)).toBeCloseTo(0, 9);
  expect(probitShare(0.5, 0.01, 0.99)).toBeCloseTo(0.5, 9);
  expect(probitShare(0.2, 0.01, 0.99) + probitShare(0.8, 0.01, 0.99)).toBeCloseTo(1, 9);
});

test('keeps what an axis does not reach a little outside of it', () => {
  expect(probitShare(0, 0.001, 0.99)).toBe(-0.05);
  expect(probitShare(1, 0.001, 0.99)).toBe(1.05);
});
