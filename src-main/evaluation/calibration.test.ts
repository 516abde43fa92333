import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { affineLlr, fitAffineCalibration, logOnePlusExp } from './calibration.ts';
import { detectionMetrics } from './metrics.ts';
import type { Trial } from './trials.ts';

/** Normal scores, for which the log likelihood ratio is known: (m1 - m0) s / v - (m1² - m0²) / 2v. */
function gaussianTrials(bonafideCount: number, spoofCount: number): Trial[] {
  const random = new Random(5);
  return Array.from({ length: bonafideCount + spoofCount }, (_, i) => {
    const bonafide = i < bonafideCount;
    return { file: `f${i}`, bonafide, score: (bonafide ? 7 : 3) + 2 * random.normal(), attack: null };
  });
}
const trueLlr = (score: number): number => (4 * score) / 4 - (49 - 9) / 8;

test.each([0.5, 0.05])('finds the likelihood ratio of normal scores, at a prior of %d', (prior) => {
  const trials = gaussianTrials(4000, 20000);
  const calibration = fitAffineCalibration(trials, { prior });
  for (const score of [1, 5, 9]) expect(Math.abs(affineLlr(calibration, score) - trueLlr(score))).toBeLessThan(0.25);
  const calibrated = trials.map((trial) => ({ ...trial, score: affineLlr(calibration, trial.score) }));
  const { cllrBits, minCllrBits, calibration: curve } = detectionMetrics(calibrated);
  expect(cllrBits).toBeGreaterThanOrEqual(minCllrBits);
  expect(cllrBits - minCllrBits).toBeLessThan(0.01);
  expect(curve.expectedCalibrationError).toBeLessThan(0.02);
});

test('a shift and a scale of the scores change nothing that comes out', () => {
  const trials = gaussianTrials(200, 300);
  const plain = fitAffineCalibration(trials);
  const moved = fitAffineCalibration(trials.map((trial) => ({ ...trial, score: 1e4 * trial.score - 3e5 })));
  for (const score of [-2, 3, 8]) {
    expect(affineLlr(moved, 1e4 * score - 3e5)).toBeCloseTo(affineLlr(plain, score), 6);
  }
});

test('classes that do not overlap give a finite map', () => {
  const trials = [-1e4, -9e3, 1, 1e4].map((score, i) => ({ file: `f${i}`, bonafide: i > 1, score, attack: null }));
  const calibration = fitAffineCalibration(trials);
  expect(calibration.a).toBeGreaterThan(0);
  const [low, high] = [affineLlr(calibration, -1e4), affineLlr(calibration, 1e4)];
  expect(low).toBeGreaterThan(-100);
  expect(low).toBeLessThan(-2);
  expect(high).toBeLessThan(100);
  expect(high).toBeGreaterThan(2);
});

test('scores that are all equal say nothing', () => {
  const trials = [true, false, false].map((bonafide, i) => ({ file: `f${i}`, bonafide, score: 0.3, attack: null }));
  const calibration = fitAffineCalibration(trials, { prior: 0.2 });
  expect(calibration.a).toBe(0);
  expect(affineLlr(calibration, 0.3)).toBeCloseTo(0, 12);
});

test('refuses one class and scores that are no numbers', () => {
  const one = { file: 'a.wav', bonafide: true, score: 1, attack: null };
  expect(() => fitAffineCalibration([one])).toThrow('one class is missing');
  const broken = { file: 'b.wav', bonafide: false, score: Infinity, attack: null };
  expect(() => fitAffineCalibration([one, broken])).toThrow('b.wav');
  expect(() => fitAffineCalibration([one, { ...broken, score: 0 }], { prior: 1 })).toThrow(RangeError);
});

test('ln(1 + e^x) holds at both ends', () => {
  expect(logOnePlusExp(-Infinity)).toBe(0);
  expect(logOnePlusExp(Infinity)).toBe(Infinity);
  expect(logOnePlusExp(1e4)).toBe(1e4);
  expect(logOnePlusExp(0)).toBeCloseTo(Math.LN2, 15);
});
