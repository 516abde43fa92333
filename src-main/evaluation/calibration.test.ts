import { expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { affineLlr, calibrate, fitAffineCalibration, llrInterval, logOnePlusExp } from './calibration.ts';
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

test('the interval of a likelihood ratio holds the true one, narrows with more trials, and widens where sources differ', () => {
  const options = { dataset: 'a test', split: 'dev', unit: 'files' } as const;
  const few = calibrate(gaussianTrials(150, 150), options);
  const many = calibrate(gaussianTrials(1500, 1500), options);
  const width = (interval: [number, number] | null): number => (interval ? interval[1] - interval[0] : NaN);
  for (const score of [4, 5.5]) {
    const [low, high] = llrInterval(few, score) ?? [NaN, NaN];
    expect(low).toBeLessThan(trueLlr(score));
    expect(high).toBeGreaterThan(trueLlr(score));
    expect(width(llrInterval(many, score))).toBeLessThan(0.6 * width([low, high]));
  }
  const random = new Random(9);
  const shifts = Array.from({ length: 10 }, () => random.normal());
  const clustered = gaussianTrials(1500, 1500).map((trial, index) => ({
    ...trial,
    score: trial.score + shifts[index % 10],
    source: `source ${index % 10}`,
  }));
  expect(width(llrInterval(calibrate(clustered, options), 5.5))).toBeGreaterThan(2 * width(llrInterval(many, 5.5)));
  expect(llrInterval({ ...many, replicates: [] }, 5)).toBe(null);
});
