import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { inconclusiveBand, supportOf } from './band.ts';
import { empiricalBounds, limitLlr } from './bounds.ts';
import { affineLlr, applyCalibration, calibrate, calibrationSchema, fitAffineCalibration } from './calibration.ts';
import { actualDcf, bayesThreshold, checkCosts, minimumDcf } from './dcf.ts';
import { empiricalCrossEntropy } from './ece.ts';
import { concatenationPlan, nearestLength } from './lengths.ts';
import { detectionMetrics, thresholdSweep } from './metrics.ts';
import { betaCdf, upperRateBound } from './statistics.ts';
import { clusteredTrials, quantileTrials } from './testing.ts';
import type { Trial } from './trials.ts';
import { countUnits, effectiveCount, independentRecordings } from './units.ts';

// Values from other programs: bench/peer/metrics_references.py with lir 1.3.1, scikit-learn 1.9.1, SciPy 1.17.1.

function boundsOf(trials: readonly Trial[]): { lowerLlr: number; upperLlr: number } {
  return empiricalBounds(
    trials.map(({ bonafide, score }) => ({ bonafide, llr: score })),
    countUnits(trials),
  );
}

describe('calibration', () => {
  test.each([
    [[60, 90, 0.7], 0.5, 0.01 / 150, 0.4499179046, -0.0000775846],
    [[60, 90, 0.7], 0.05, 0.02, 0.2996985156, -2.8871038206],
    [[30, 400, 1.0], 0.5, 0.1, 0.3770690293, -0.0005434916],
  ] as const)('of %j at a prior of %d and a ridge of %d is scikit-learn’s', (counts, prior, ridge, a, b) => {
    const fitted = fitAffineCalibration(quantileTrials(counts[0], counts[1], counts[2]), { prior, ridge });
    expect(fitted.a).toBeCloseTo(a, 7);
    expect(fitted.b).toBeCloseTo(b, 7);
    expect(fitted).toMatchObject({ prior, ridge });
  });

  test('says what ridge it took', () => {
    expect(fitAffineCalibration(quantileTrials(60, 40, 1)).ridge).toBeCloseTo(1e-4, 15);
  });
});

describe('bounds', () => {
  test.each([
    [[50, 80, 2.0], -1.01, 1.13],
    [[200, 1000, 3.0], -1.73, 1.95],
    [[20, 20, 0.5], -0.17, 0.17],
    [[300, 300, 6.0], -2.3, 2.3],
    [[40, 60, -1.0], 0, 0],
  ] as const)('of %j are those of the Netherlands Forensic Institute', (counts, lower, upper) => {
    const { lowerLlr, upperLlr } = boundsOf(quantileTrials(counts[0], counts[1], counts[2]));
    expect(lowerLlr / Math.LN10).toBeCloseTo(lower, 9);
    expect(upperLlr / Math.LN10).toBeCloseTo(upper, 9);
  });

  test('count sources: clips that are copies of one another add nothing', () => {
    const once = quantileTrials(50, 80, 2).map((trial, k) => ({ ...trial, source: `s${k}` }));
    const tenTimes = once.flatMap((trial) => new Array<Trial>(10).fill(trial));
    expect(boundsOf(tenTimes)).toEqual(boundsOf(once));
    const asFiles = tenTimes.map((trial) => ({ ...trial, source: null }));
    expect(boundsOf(asFiles).upperLlr).toBeGreaterThan(boundsOf(once).upperLlr + 0.3);
  });

  test('never go further than the number of sources', () => {
    const trials = quantileTrials(500, 500, 30).map((trial, k) => ({ ...trial, source: `s${k % 6}` }));
    const { lowerLlr, upperLlr } = boundsOf(trials);
    expect(lowerLlr).toBeGreaterThanOrEqual(-Math.log(7) - 0.03);
    expect(upperLlr).toBeLessThanOrEqual(Math.log(7) + 0.03);
  });

  test('limit', () => {
    const bounds = { lowerLlr: -2, upperLlr: 1 };
    expect(limitLlr(5, bounds)).toEqual({ llr: 1, limited: 'upper' });
    expect(limitLlr(-Infinity, bounds)).toEqual({ llr: -2, limited: 'lower' });
    expect(limitLlr(1, bounds)).toEqual({ llr: 1, limited: null });
    expect(limitLlr(50, null)).toEqual({ llr: 50, limited: null });
  });
});

describe('what counts', () => {
  const trials = clusteredTrials({
    seed: 1,
    sources: 4,
    speakersPerSource: 3,
    filesPerSpeaker: 2,
    sourceDeviation: 0,
    separation: 1,
  });

  test('sources, else speakers, else files', () => {
    expect(countUnits(trials)).toMatchObject({ unit: 'sources', bonafide: 4, spoof: 4 });
    // Bona fide of one source only: of another nothing is known, so that speakers count.
    const oneSource = trials.map((trial) => (trial.bonafide ? { ...trial, source: 's0' } : trial));
    expect(countUnits(oneSource)).toMatchObject({ unit: 'speakers', bonafide: 3, spoof: 12 });
    const nameless = trials.map(({ file, bonafide, score, attack }) => ({ file, bonafide, score, attack }));
    expect(countUnits(nameless)).toMatchObject({ unit: 'files', bonafide: 12, spoof: 12 });
    expect(countUnits(trials, 'files')).toMatchObject({ unit: 'files', bonafide: 12 });
  });

  test('clips of unknown origin are one unit together', () => {
    const mixed = trials.map((trial, k) => (k < 8 ? { ...trial, source: null } : trial));
    expect(countUnits(mixed).bonafide).toBe(4);
  });

  test('what all share does not count against them, what some share does', () => {
    const clips = (speakerOf: (index: number) => string | null, count = 12, source: string | null = null) =>
      Array.from({ length: count }, (_, index) => ({
        bonafide: false,
        score: speakerOf(index) === 'a' ? 1 : index % 3,
        speaker: speakerOf(index),
        source,
      }));
    expect(independentRecordings(clips(() => null))).toBe(12);
    expect(independentRecordings(clips(() => 'b', 12, 'x'))).toBe(12);
    expect(independentRecordings(clips(() => null, 3))).toBe(3);
    const copies = clips((index) => (index < 6 ? 'a' : 'c')).map((clip) => ({
      ...clip,
      score: clip.speaker === 'a' ? 1 : 2,
    }));
    expect(independentRecordings(copies)).toBeCloseTo(2, 12);
    expect(independentRecordings([])).toBe(0);
  });

  test('independent clips count fully, copies once, those between in between', () => {
    const random = new Random(3);
    const group = (deviation: number): { named: Trial[]; values: Float64Array } => {
      const named: Trial[] = [];
      const values: number[] = [];
      for (let source = 0; source < 50; source++) {
        const own = random.normal();
        for (let k = 0; k < 10; k++) {
          named.push({ file: '', bonafide: true, score: 0, attack: null, source: `s${source}` });
          values.push(own + deviation * random.normal());
        }
      }
      return { named, values: Float64Array.from(values) };
    };
    const copies = group(0);
    expect(effectiveCount(copies.named, copies.values)).toBeCloseTo(50, 6);
    const independent = group(1000);
    expect(effectiveCount(independent.named, independent.values)).toBeGreaterThan(350);
    // A correlation of one half: 500 / (1 + 9 / 2).
    const between = effectiveCount(...(Object.values(group(1)) as [Trial[], Float64Array]));
    expect(between).toBeGreaterThan(75);
    expect(between).toBeLessThan(115);
  });
});

describe('rates', () => {
  test.each([
    [0, 59, 0.049507609888],
    [0, 58, 0.05033933833],
    [3, 200, 0.038309708499],
    [2.5, 37.25, 0.177624604451],
    [0, 5000, 0.000598967002],
  ])('%d of %d are at most SciPy’s', (errors, count, upper) => {
    expect(upperRateBound(errors, count, 0.95)).toBeCloseTo(upper, 11);
  });

  test('ends, and symmetry of the beta distribution', () => {
    expect(upperRateBound(7, 7, 0.95)).toBe(1);
    expect(betaCdf(0, 2, 3)).toBe(0);
    expect(betaCdf(1, 2, 3)).toBe(1);
    // 6 x² - 8 x³ + 3 x⁴ at a half.
    expect(betaCdf(0.5, 2, 3)).toBeCloseTo(0.6875, 14);
    expect(betaCdf(0.3, 400, 900)).toBeCloseTo(1 - betaCdf(0.7, 900, 400), 12);
  });
});

describe('the band of inconclusive findings', () => {
  test('keeps both rates below five per cent at their upper bounds', () => {
    const trials = quantileTrials(400, 600, 2);
    const { band, reason } = inconclusiveBand(trials);
    expect(reason).toBeNull();
    expect(band?.falseSpoof?.upper).toBeLessThanOrEqual(0.05);
    expect(band?.falseBonafide?.upper).toBeLessThanOrEqual(0.05);
    // The most errors that 400 and 600 allow: 12 and 20, by SciPy.
    expect(band?.falseSpoof).toMatchObject({ rate: 12 / 400, count: 400 });
    expect(band?.falseBonafide).toMatchObject({ rate: 20 / 600, count: 600 });
    const { lowerLlr, upperLlr } = band ?? {};
    expect(trials.filter(({ bonafide, score }) => bonafide && score <= (lowerLlr ?? 0))).toHaveLength(12);
    expect(trials.filter(({ bonafide, score }) => !bonafide && score >= (upperLlr ?? 0))).toHaveLength(20);
    expect(lowerLlr).toBeLessThan(0);
    expect(upperLlr).toBeGreaterThan(0);
    expect(band?.inconclusiveBonafide).toBeGreaterThan(0);
  });

  test('closes at one where the detector is good enough', () => {
    const { band } = inconclusiveBand(quantileTrials(400, 600, 8));
    expect(band).toMatchObject({ lowerLlr: -0, upperLlr: 0, inconclusiveBonafide: 0, inconclusiveSpoof: 0 });
    expect(supportOf(0, 0, 0)).toBe('neither');
    expect(supportOf(1e-9, 0, 0)).toBe('bonafide');
  });

  test('is not to be had from few recordings, and says how many are needed', () => {
    const { band, reason } = inconclusiveBand(quantileTrials(40, 600, 8));
    expect(band).toMatchObject({ lowerLlr: null, upperLlr: 0, falseSpoof: null });
    expect(reason).toMatch(/^No finding can support spoof: the 40 bona fide .* count as 40 .* 59 are needed\.$/);
    expect(inconclusiveBand(quantileTrials(40, 40, 8)).band).toBeNull();
    // With less confidence asked for, it is.
    expect(inconclusiveBand(quantileTrials(40, 600, 8), { confidence: 0.8 }).reason).toBeNull();
  });

  test('nor from many clips of few sources that differ', () => {
    const options = { seed: 2, sources: 8, speakersPerSource: 10, filesPerSpeaker: 20, separation: 4 };
    const { band, reason } = inconclusiveBand(clusteredTrials({ ...options, sourceDeviation: 2 }));
    expect(band).toBeNull();
    expect(reason).toMatch(/count as \d\d independent/);
    const alike = clusteredTrials({ ...options, sourceDeviation: 0 });
    expect(inconclusiveBand(alike).reason).toBeNull();
  });

  test('nor for a side on which nothing right lies', () => {
    const { band, reason } = inconclusiveBand(quantileTrials(300, 300, -3));
    expect(band).toBeNull();
    expect(reason).toMatch(/there is no bona fide recording|there is no spoof recording/);
  });

  test('holds what it promises on sources that it has not seen', () => {
    let broken = 0;
    const runs = 60;
    for (let seed = 1; seed <= runs; seed++) {
      const options = { sources: 60, speakersPerSource: 1, filesPerSpeaker: 10, sourceDeviation: 0.7, separation: 3 };
      const { band } = inconclusiveBand(clusteredTrials({ ...options, seed }));
      if (!band || band.upperLlr === null) continue;
      // Spoofs are normal with mean -1.5 and variance 1 + 0.49.
      const z = (band.upperLlr + 1.5) / Math.sqrt(1.49);
      if (upperTail(z) > 0.05) broken++;
    }
    // At most one in twenty in the long run; ten of sixty would come about once in ten thousand times.
    expect(broken).toBeLessThan(10);
  });
});

/** Of the standard normal distribution (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153];
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * t * series.reduce((sum, c) => sum * t + c, 0);
}

describe('lengths', () => {
  const items = Array.from({ length: 40 }, (_, k) => ({
    label: k % 2 === 0 ? ('bonafide' as const) : ('spoof' as const),
    speaker: k < 36 ? `p${k % 4}` : null,
    source: 'x',
    generator: k % 2 === 0 ? null : k < 20 ? 'A' : 'B',
    speechSeconds: 2.5,
  }));

  test.each([3, 5, 10])('a plan for %d s joins clips of one voice, each once', (target) => {
    const plan = concatenationPlan(items, target, 1);
    expect(plan.length).toBeGreaterThan(0);
    const used = plan.flatMap(({ members }) => members);
    expect(new Set(used).size).toBe(used.length);
    for (const { members, speechSeconds, label, speaker, source, generator } of plan) {
      for (const member of members) expect(items[member]).toMatchObject({ label, speaker, source, generator });
      expect(speechSeconds).toBeCloseTo(2.5 * members.length, 9);
      expect(speechSeconds / target).toBeGreaterThanOrEqual(0.8);
      expect(speechSeconds / target).toBeLessThanOrEqual(1.5);
    }
    expect(concatenationPlan(items, target, 1)).toEqual(plan);
    expect(concatenationPlan(items, target, 2)).not.toEqual(plan);
  });

  test('nobody has enough speech for a minute; unknown speakers and long clips are left out', () => {
    expect(concatenationPlan(items, 60, 1)).toEqual([]);
    expect(concatenationPlan([{ ...items[0], speechSeconds: 20 }], 5, 1)).toEqual([]);
    expect(concatenationPlan(items.slice(36), 3, 1)).toEqual([]);
    expect(() => concatenationPlan(items, 0, 1)).toThrow(RangeError);
  });

  test('the nearest length is nearest by ratio', () => {
    const lengths = [3, 5, 10, 20].map((seconds) => ({ seconds }));
    expect([0.1, 3.8, 3.9, 14, 14.2, 500].map((s) => nearestLength(lengths, s).seconds)).toEqual([3, 3, 5, 10, 20, 20]);
  });
});

describe('a whole calibration', () => {
  const short = clusteredTrials({
    seed: 5,
    sources: 80,
    speakersPerSource: 2,
    filesPerSpeaker: 4,
    sourceDeviation: 0.3,
    separation: 4,
  });
  const timed = (seconds: number, factor: number): Trial[] =>
    short.map((trial, k) => ({
      ...trial,
      score: factor * trial.score,
      speechSeconds: seconds * (0.9 + 0.2 * (k % 2)),
    }));
  const concatenations = [...timed(3, 1), ...timed(10, 2), ...timed(30, 3).slice(0, 20)];
  const calibration = calibrate(short, { dataset: 'd', split: 'train', folds: 5, concatenations });

  test('stands in a card and comes back from it', () => {
    expect(calibrationSchema.parse(JSON.parse(JSON.stringify(calibration)))).toEqual(calibration);
    expect(calibration).toMatchObject({ dataset: 'd', split: 'train', folds: 5, prior: 0.5 });
    expect(calibration.countedUnits).toEqual({ unit: 'sources', bonafide: 80, spoof: 80 });
    expect(calibration.bounds?.upperLlr).toBeGreaterThan(1);
    expect(calibration.band).not.toBeNull();
  });

  test('an older card has neither bounds nor a band', () => {
    const older = calibrationSchema.parse({ a: 2, b: 0.5, prior: 0.5, dataset: 'd', split: 'dev' });
    expect(applyCalibration(older, 100, 1e5)).toMatchObject({
      llr: 200.5,
      limited: null,
      supports: null,
      notValidatedForLength: null,
    });
  });

  test('by length: its own map, and no answer outside', () => {
    // Twenty concatenations of half a minute are ten of either class: too few.
    expect(calibration.lengths.map(({ seconds }) => seconds)).toEqual([3, 10]);
    const [three, ten] = calibration.lengths;
    expect(three.a / ten.a).toBeCloseTo(2, 4);
    expect(three).toMatchObject({ bonafide: 320, spoof: 320 });
    expect(applyCalibration(calibration, 0.4, 3).llr).toBeCloseTo(affineLlr(three, 0.4), 12);
    expect(applyCalibration(calibration, 0.4, 11).llr).toBeCloseTo(affineLlr(ten, 0.4), 12);
    const judged = [1, 2.7, 6, 11, 12].map((s) => applyCalibration(calibration, 0.4, s).notValidatedForLength !== null);
    expect(judged).toEqual([true, false, false, false, true]);
    expect(applyCalibration(calibration, 0.4).notValidatedForLength).toBeNull();
    // Without concatenations the recordings themselves say what was measured.
    const spoken = short.map((trial, index) => ({ ...trial, speechSeconds: 1 + (index % 5) / 2 }));
    const both = calibrate(spoken, { dataset: 'd', split: 'dev', concatenations });
    const { lengths } = both;
    expect(lengths[0].fromSeconds).toBeGreaterThan(1.2);
    // What is shorter than they are has the map of the recordings.
    expect(applyCalibration(both, 0.4, 1.2)).toMatchObject({ notValidatedForLength: null });
    expect(applyCalibration(both, 0.4, 1.2).llr).toBeCloseTo(affineLlr(both, 0.4), 12);
    expect(applyCalibration(both, 0.4, 3).llr).toBeCloseTo(affineLlr(lengths[0], 0.4), 12);
    expect(applyCalibration(both, 0.4, 0.9).notValidatedForLength).toEqual({
      fromSeconds: 1,
      toSeconds: lengths[lengths.length - 1].toSeconds,
    });
    const alike = calibrate(spoken, { dataset: 'd', split: 'dev' });
    expect(alike).toMatchObject({ lengths: [], validated: { fromSeconds: 1, toSeconds: 3 } });
    const outside = [0.9, 1, 3, 3.1].map((s) => applyCalibration(alike, 0.4, s).notValidatedForLength !== null);
    expect(outside).toEqual([true, false, false, true]);
  });

  test('judges before it limits, and a limited ratio of one supports nothing', () => {
    const { bounds, band } = calibration;
    const high = applyCalibration(calibration, 50);
    expect(high).toMatchObject({ llr: bounds?.upperLlr, limited: 'upper', supports: 'bonafide' });
    expect(applyCalibration(calibration, -50)).toMatchObject({ limited: 'lower', supports: 'spoof' });
    const between = ((band?.lowerLlr ?? 0) + (band?.upperLlr ?? 0)) / 2;
    const score = (between - affineLlr(calibration, 0)) / calibration.a;
    expect(applyCalibration(calibration, score)).toMatchObject({ limited: null, supports: 'neither' });
    const nothing = { ...calibration, bounds: { lowerLlr: 0, upperLlr: 0 } };
    expect(applyCalibration(nothing, 50)).toMatchObject({ llr: 0, limited: 'upper', supports: 'neither' });
    const oneSided = { ...calibration, band: band && { ...band, upperLlr: null } };
    expect(applyCalibration(oneSided, 50).supports).toBe('neither');
    expect(applyCalibration(oneSided, -50).supports).toBe('spoof');
    expect(applyCalibration({ ...calibration, band: null, bandReason: 'why' }, 50).supports).toBe('neither');
  });

  test('scores that rank no better than chance give a ratio of one', () => {
    const backwards = calibrate(
      short.map((trial) => ({ ...trial, score: -trial.score })),
      { dataset: 'd', split: 'dev', prior: 0.1 },
    );
    expect(backwards).toMatchObject({ a: 0, band: null, bounds: { lowerLlr: 0, upperLlr: 0 } });
    expect(applyCalibration(backwards, 5)).toMatchObject({ llr: 0, supports: 'neither' });
    expect(backwards.bandReason).toMatch(/no better than chance/);
  });
});

describe('costs and cross-entropy', () => {
  const trials = quantileTrials(40, 70, 0.8, 1);
  const sweep = thresholdSweep(trials);

  test('areas are scikit-learn’s', () => {
    const metrics = detectionMetrics(trials);
    expect(metrics.auc).toBeCloseTo(0.745535714286, 11);
    expect(metrics.averagePrecisionBonafide).toBeCloseTo(0.611881765762, 11);
    expect(metrics.averagePrecisionSpoof).toBeCloseTo(0.822106217004, 11);
  });

  test('cross-entropy is NumPy’s, before and after isotonic regression', () => {
    const found = empiricalCrossEntropy(trials, sweep);
    const at = (log10Odds: number): number => found.log10PriorOdds.findIndex((x) => Math.abs(x - log10Odds) < 1e-9);
    for (const [odds, given, calibrated] of [
      [-1, 0.436754599321, 0.381978599859],
      [0, 0.931258408832, 0.837299721671],
      [2, 0.083210944743, 0.07108728818],
    ]) {
      expect(found.given[at(odds)]).toBeCloseTo(given, 11);
      expect(found.calibrated[at(odds)]).toBeCloseTo(calibrated, 11);
    }
    const { cllrBits, minCllrBits } = detectionMetrics(trials);
    expect(found.given[at(0)]).toBeCloseTo(cllrBits, 12);
    expect(found.calibrated[at(0)]).toBeCloseTo(minCllrBits, 12);
    expect(found.neutral[at(0)]).toBe(1);
    found.calibrated.forEach((value, k) => expect(value).toBeLessThanOrEqual(found.neutral[k] + 1e-12));
  });

  test('the cost of ASVspoof 5, by hand', () => {
    // Bona fide 1, 2; spoofs -1, 1.5: rejecting up to 1.5 misses one of two and accepts none.
    const few = thresholdSweep([
      ...[1, 2].map((score) => ({ file: 'b', bonafide: true, score, attack: null })),
      ...[-1, 1.5].map((score) => ({ file: 's', bonafide: false, score, attack: 'A' })),
    ]);
    const costs = { priorSpoof: 0.05, costMiss: 1, costFalseAccept: 10 };
    // 0.95 miss + 0.5 false accept, over 0.5: accepting half of the spoofs costs 0.5, missing half of the speech 0.95.
    expect(minimumDcf(few, costs)).toEqual({ cost: 0.5, point: 1, threshold: -1, decisionThreshold: 0 });
    expect(bayesThreshold(costs)).toBeCloseTo(-Math.log(1.9), 14);
    // At -0.64 only the spoof at -1 is rejected.
    expect(actualDcf(few, costs).cost).toBeCloseTo(0.5, 14);
    expect(actualDcf(few, { ...costs, priorSpoof: 0.5 }).threshold).toBeCloseTo(Math.log(10), 12);
    expect(actualDcf(few, { ...costs, priorSpoof: 0.5 }).cost).toBeCloseTo(1, 14);
    for (const wrong of [{ priorSpoof: 1 }, { costMiss: 0 }, { costFalseAccept: Infinity }]) {
      expect(() => checkCosts({ ...costs, ...wrong })).toThrow(RangeError);
    }
  });
});
