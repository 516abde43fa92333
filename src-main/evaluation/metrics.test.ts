import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { detectionMetrics, metricsJson, thresholdSweep } from './metrics.ts';
import { detPoints, precisionRecallPoints, rocPoints } from './sweep.ts';
import type { Trial } from './trials.ts';

function trialsOf(bonafide: readonly number[], spoof: readonly number[], attack: string | null = 'A01'): Trial[] {
  return [
    ...bonafide.map((score, i) => ({ file: `b${i}`, bonafide: true, score, attack: null })),
    ...spoof.map((score, i) => ({ file: `s${i}`, bonafide: false, score, attack })),
  ];
}

function randomTrials(seed: number, count: number, digits: number): Trial[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const bonafide = i % 3 === 0;
    return {
      file: `f${i}`,
      bonafide,
      score: Number((random.normal() + (bonafide ? 1 : 0)).toFixed(digits)),
      attack: bonafide ? null : `A0${random.below(3)}`,
    };
  });
}

describe('error rates', () => {
  test('a case that can be done by hand', () => {
    // Ascending: s0 s1 b2 s3 b4 b5; rejecting up to 2 misses one of three and accepts one of three.
    const metrics = detectionMetrics(trialsOf([2, 4, 5], [0, 1, 3]));
    expect(metrics.eer).toBeCloseTo(1 / 3, 12);
    expect(metrics.eerThreshold).toBe(2);
    expect(metrics.eerDecisionThreshold).toBe(2.5);
    // Pairs won: 2 beats 0 and 1, 4 and 5 beat all three.
    expect(metrics.auc).toBeCloseTo(8 / 9, 12);
    // From the top: b b s b, precision 1, 1, 3/4 where recall grows by a third.
    expect(metrics.averagePrecisionBonafide).toBeCloseTo((1 + 1 + 3 / 4) / 3, 12);
    expect(metrics.averagePrecisionSpoof).toBeCloseTo((1 + 1 + 3 / 4) / 3, 12);
    // The decisions are those whose errors the EER averages.
    expect(metrics.atEerThreshold).toEqual({
      threshold: 2.5,
      bonafideAccepted: 2,
      bonafideRejected: 1,
      spoofAccepted: 1,
      spoofRejected: 2,
      accuracy: 4 / 6,
    });
    expect(metrics.atThreshold).toBeNull();
  });

  test('a perfect detector, an inverted one, and a threshold of ours', () => {
    const perfect = detectionMetrics(trialsOf([10, 11], [1, 2]), { threshold: 10.5 });
    expect(perfect.eer).toBe(0);
    expect(perfect.auc).toBe(1);
    expect(perfect.minCllrBits).toBe(0);
    expect(perfect.eerDecisionThreshold).toBe(6);
    expect(perfect.atThreshold).toMatchObject({
      bonafideAccepted: 1,
      bonafideRejected: 1,
      spoofRejected: 2,
      accuracy: 0.75,
    });
    const inverted = detectionMetrics(trialsOf([1, 2], [10, 11]));
    expect(inverted.eer).toBe(1);
    expect(inverted.auc).toBe(0);
    expect(inverted.minCllrBits).toBeCloseTo(1, 12);
  });

  test('equal scores move together', () => {
    const constant = detectionMetrics(trialsOf([0, 0, 0], [0, 0]));
    expect(constant.eer).toBe(0.5);
    expect(constant.auc).toBe(0.5);
    expect(constant.averagePrecisionBonafide).toBeCloseTo(3 / 5, 12);
    expect(constant.averagePrecisionSpoof).toBeCloseTo(2 / 5, 12);
    expect(constant.cllrBits).toBeCloseTo(1, 12);
    expect(constant.minCllrBits).toBeCloseTo(1, 12);
    // Hard decisions: a tenth of the bona fide and two tenths of the spoofs on the wrong side.
    const hard = detectionMetrics(
      trialsOf([0, ...new Array<number>(9).fill(1)], [1, 1, ...new Array<number>(8).fill(0)]),
    );
    expect(hard.eer).toBeCloseTo(0.15, 12);
    expect(hard.eerDecisionThreshold).toBe(0.5);
    expect(hard.auc).toBeCloseTo(0.85, 12);
  });

  test.each([
    ['ties', randomTrials(11, 400, 0)],
    ['few ties', randomTrials(12, 400, 2)],
    ['large scores', randomTrials(13, 300, 1).map((trial) => ({ ...trial, score: 1e15 + 1000 * trial.score }))],
    ['neighbouring numbers', trialsOf([1 + Number.EPSILON, 1 + 2 * Number.EPSILON], [1, 1 - Number.EPSILON])],
    ['nothing to accept', trialsOf([0, 1e300], [1e300])],
    ['certain', trialsOf([Infinity, -Infinity], [0, Infinity])],
  ])('the decisions at the EER and at the least cost are those of their points: %s', (_, trials) => {
    const { eer, atEerThreshold: at, bonafide, spoof, dcf } = detectionMetrics(trials);
    expect((at.bonafideRejected / bonafide + at.spoofAccepted / spoof) / 2).toBeCloseTo(eer, 12);
    // As they are printed and typed again.
    const again = detectionMetrics(trials, { threshold: Number(String(at.threshold)) });
    expect(again.atThreshold).toEqual(at);
    const cheapest = detectionMetrics(trials, { threshold: Number(String(dcf.minDecisionThreshold)) });
    expect(cheapest.dcf.atThreshold).toBeCloseTo(dcf.min, 12);
  });

  test('of decisions, which are ties, the accuracy is theirs', () => {
    // 57 of 100 bona fide rejected, 50 of 200 spoofs accepted.
    const ones = (ofHundreds: number, count: number): number[] =>
      Array.from({ length: ofHundreds }, (_, i) => (i < count ? 1 : 0));
    const metrics = detectionMetrics(trialsOf(ones(100, 43), ones(200, 50)));
    expect(metrics.eer).toBeCloseTo(0.41, 12);
    expect(metrics.atEerThreshold.accuracy).toBeCloseTo(193 / 300, 12);
  });

  test('thresholds have no more digits than lie between the scores', () => {
    expect(detectionMetrics(trialsOf([1 / 3, 2], [-1, 1 / 7])).eerDecisionThreshold).toBe(0.2380952);
  });

  test('the order of the trials does not matter', () => {
    const trials = randomTrials(1, 400, 1);
    const shuffled = new Random(2).shuffle([...trials]);
    expect(metricsJson(detectionMetrics(shuffled))).toEqual(metricsJson(detectionMetrics(trials)));
  });

  test('negating the scores turns the area over, with ties and without', () => {
    for (const digits of [0, 1, 6]) {
      const trials = randomTrials(3 + digits, 300, digits);
      const negated = trials.map((trial) => ({ ...trial, score: -trial.score }));
      expect(detectionMetrics(negated).auc).toBeCloseTo(1 - detectionMetrics(trials).auc, 12);
    }
  });

  test('a rising map of the scores changes only what reads them as likelihood ratios', () => {
    const trials = randomTrials(4, 300, 2);
    const mapped = detectionMetrics(trials.map((trial) => ({ ...trial, score: Math.exp(trial.score) })));
    const plain = detectionMetrics(trials);
    expect(mapped.eer).toBe(plain.eer);
    expect(mapped.auc).toBe(plain.auc);
    expect(mapped.minCllrBits).toBe(plain.minCllrBits);
    expect(mapped.cllrBits).not.toBeCloseTo(plain.cllrBits, 3);
  });

  test('each attack stands against all bona fide trials', () => {
    const trials = [
      ...trialsOf([2, 4], [1]),
      { file: 'x', bonafide: false, score: 5, attack: '__proto__' },
      { file: 'y', bonafide: false, score: 0, attack: null },
    ];
    const metrics = detectionMetrics(trials);
    expect(metrics.eerByAttack.map(({ attack, spoofs, eer }) => [attack, spoofs, eer])).toEqual([
      ['A01', 1, 0],
      ['__proto__', 1, 1],
    ]);
    expect(JSON.stringify(metricsJson(metrics)['eer_by_attack'])).toBe('{"A01":0,"__proto__":1}');
  });
});

describe('likelihood ratios', () => {
  test('Cllr of scores that say nothing is one bit, of right ones less', () => {
    expect(detectionMetrics(trialsOf([0, 0], [0])).cllrBits).toBeCloseTo(1, 12);
    const log3 = Math.log(3);
    // Both classes cost log2(1 + 1/3).
    expect(detectionMetrics(trialsOf([log3], [-log3])).cllrBits).toBeCloseTo(Math.log2(4 / 3), 12);
  });

  test('scores of ten thousand and of infinity do not overflow', () => {
    expect(detectionMetrics(trialsOf([1e4, 1e4], [-1e4])).cllrBits).toBe(0);
    // One of two bona fide trials is wrong by ten thousand nats.
    const wrong = detectionMetrics(trialsOf([1e4, -1e4], [-1e4]));
    expect(wrong.cllrBits).toBeCloseTo(1e4 / Math.LN2 / 4, 6);
    expect(wrong.calibration.expectedCalibrationError).toBeCloseTo(0.25, 12);
    expect(wrong.minCllrBits).toBeLessThan(1);
    expect(detectionMetrics(trialsOf([Infinity], [-Infinity])).cllrBits).toBe(0);
    expect(detectionMetrics(trialsOf([Infinity, -Infinity], [0])).cllrBits).toBe(Infinity);
    expect(detectionMetrics(trialsOf([Infinity], [-Infinity])).eer).toBe(0);
  });

  test('min Cllr pools adjacent violators', () => {
    // Blocks: s | (b s) | b. Half of either class lies in the middle block, at a likelihood ratio of one.
    expect(detectionMetrics(trialsOf([1, 3], [0, 2])).minCllrBits).toBeCloseTo(0.5, 12);
  });

  test('the reliability curve weighs the classes alike', () => {
    // At an LLR of ln 3 (three quarters) stand all bona fide and a third of the spoofs: exactly calibrated.
    const log3 = Math.log(3);
    const { bins, expectedCalibrationError, brier } = detectionMetrics(
      trialsOf([log3, log3], [log3, log3, -40, -40, -40, -40]),
    ).calibration;
    expect(expectedCalibrationError).toBeCloseTo(0, 10);
    expect(brier).toBeCloseTo(0.5 * 0.25 ** 2 + 0.5 * (1 / 3) * 0.75 ** 2, 10);
    expect(bins).toHaveLength(10);
    expect(bins[7]).toMatchObject({ bonafide: 2, spoof: 2 });
    expect(bins[7].bonafideShare).toBeCloseTo(0.75, 12);
    expect(bins[0]).toMatchObject({ bonafide: 0, spoof: 4, bonafideShare: 0 });
    expect(bins[3].meanProbability).toBeNull();
  });
});

describe('curves', () => {
  test('run from corner to corner, one point for each distinct score', () => {
    const sweep = thresholdSweep(trialsOf([1, 2, 2], [0, 1]));
    expect([...sweep.thresholds]).toEqual([0, 1, 2, Infinity]);
    expect([...rocPoints(sweep).x]).toEqual([0, 0, 0.5, 1]);
    expect([...rocPoints(sweep).y]).toEqual([0, 1 - 1 / 3, 1, 1]);
    expect([...detPoints(sweep).x]).toEqual([1, 0.5, 0, 0]);
    expect([...detPoints(sweep).y]).toEqual([0, 0, 1 / 3, 1]);
    expect([...precisionRecallPoints(sweep, 'bonafide').y]).toEqual([1, 1, 3 / 4, 3 / 5]);
    expect([...precisionRecallPoints(sweep, 'spoof').x]).toEqual([0, 0.5, 1, 1]);
  });
});

describe('t-DCF', () => {
  const asv = {
    targets: Float64Array.of(5, 6, 7, 8),
    nontargets: Float64Array.of(-1, 0, 1, 2),
    spoofs: Float64Array.of(1, 3, 6, 7),
  };

  test('follows from the rates of an ASV system without errors of its own', () => {
    const metrics = detectionMetrics(trialsOf([2, 4, 5], [0, 1, 3]), { asv });
    // The threshold is the highest rejected nontarget, which the rates then count as accepted.
    expect(metrics.asv).toMatchObject({
      eer: 0,
      threshold: 2,
      missRate: 0,
      falseAcceptRate: 0.25,
      spoofMissRate: 0.25,
    });
    const miss = 0.95 * 0.99 - 0.95 * 0.01 * 10 * 0.25;
    const falseAccept = 10 * 0.05 * 0.75;
    // Best: accept from 2 on (a third of the spoofs, no bona fide lost).
    expect(metrics.minTdcf2019).toBeCloseTo(falseAccept / 3 / Math.min(miss, falseAccept), 12);
    const floor = 0.95 * 0.01 * 10 * 0.25;
    expect(metrics.minTdcfRevised).toBeCloseTo((floor + falseAccept / 3) / (floor + falseAccept), 12);
  });

  test('needs all three kinds, and an ASV system that is of use', () => {
    const trials = trialsOf([1], [0]);
    expect(() => detectionMetrics(trials, { asv: { ...asv, spoofs: new Float64Array(0) } })).toThrow(/lack/);
    const inverted = {
      ...asv,
      targets: Float64Array.from({ length: 40 }, (_, i) => -i - 1),
      nontargets: Float64Array.from({ length: 40 }, (_, i) => i),
    };
    expect(() => detectionMetrics(trials, { asv: inverted })).toThrow(/ASV system that errs/);
    expect(() => detectionMetrics(trials, { asv: { ...asv, spoofs: Float64Array.of(-9) } })).toThrow(
      /accepts no spoof/,
    );
  });
});

describe('what cannot be evaluated', () => {
  test.each([
    [[], 'There are no scored trials.'],
    [trialsOf([1, 2], []), 'The trials (2) are all bona fide: error rates need at least one spoof trial too.'],
    [trialsOf([], [1, 2]), 'The trials (2) are all spoofs: error rates need at least one bona fide trial too.'],
    [trialsOf([1, NaN], [0]), 'The score of b1 is not a number.'],
  ])('is said: case %#', (trials, message) => {
    expect(() => detectionMetrics(trials)).toThrow(message);
  });
});
