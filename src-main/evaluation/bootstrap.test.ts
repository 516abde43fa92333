import { describe, expect, test } from 'vitest';
import { Random } from '../base/random.ts';
import { bootstrap } from './bootstrap.ts';
import { GeneratorComparisons } from './generators.ts';
import { detectionMetrics, metricsJson } from './metrics.ts';
import { Resampler } from './resampling.ts';
import { clusteredTrials } from './testing.ts';
import type { Trial } from './trials.ts';

function plainTrials(seed: number, count: number, digits?: number): Trial[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const bonafide = i % 2 === 0;
    const score = random.normal() + (bonafide ? 1 : -1);
    const rounded = digits === undefined ? score : Number(score.toFixed(digits));
    return { file: `f${i}`, bonafide, score: rounded, attack: bonafide ? null : `A${i % 5}` };
  });
}

describe('drawing anew', () => {
  const trials = clusteredTrials({
    seed: 1,
    sources: 6,
    speakersPerSource: 4,
    filesPerSpeaker: 4,
    sourceDeviation: 1,
    separation: 2,
  });

  test('names what it draws', () => {
    expect(new Resampler(trials, 1).units).toEqual({
      levels: ['sources', 'speakers', 'files'],
      sources: 6,
      speakers: 24,
      files: 96,
      bonafideSources: 6,
      spoofSources: 6,
    });
    const speakersOnly = trials.map(({ source, speaker, ...rest }) => ({ ...rest, speaker: `${source} ${speaker}` }));
    expect(new Resampler(speakersOnly, 1).units).toMatchObject({
      levels: ['speakers', 'files'],
      sources: null,
      speakers: 24,
    });
    expect(new Resampler(plainTrials(1, 10), 1).units).toMatchObject({ levels: ['files'], sources: null });
  });

  test('takes whole sources: in a draw of equal ones, a source comes 16 trials at a time', () => {
    const resampler = new Resampler(trials, 3);
    const weights = new Uint16Array(trials.length);
    const left = new Set<number>();
    for (let k = 0; k < 200; k++) {
      const drawn = resampler.draw(weights);
      expect(drawn.bonafide + drawn.spoof).toBe(96);
      const bonafide = weights.reduce((sum, weight, i) => sum + (trials[i].bonafide ? weight : 0), 0);
      expect(bonafide).toBe(drawn.bonafide);
      for (let source = 0; source < 6; source++) {
        const sum = weights.reduce((all, weight, i) => all + (trials[i].source === `s${source}` ? weight : 0), 0);
        expect(sum % 16).toBe(0);
        left.add(sum / 16);
      }
    }
    expect([...left].sort()).toEqual(expect.arrayContaining([0, 1, 2, 3]));
  });

  test('a draw of one class only is thrown away', () => {
    const uneven: Trial[] = [
      { file: 'a', bonafide: true, score: 1, attack: null, source: 'x' },
      { file: 'b', bonafide: false, score: 0, attack: 'A', source: 'y' },
    ];
    const resampler = new Resampler(uneven, 1);
    for (let k = 0; k < 50; k++) expect(resampler.draw(new Uint16Array(2))).toEqual({ bonafide: 1, spoof: 1 });
    expect(resampler.redrawn).toBeGreaterThan(10);
  });

  test('trials that name nothing stand for themselves among those that do', () => {
    const mixed = trials.map((trial, i) => (i < 10 ? { ...trial, source: null, speaker: null } : trial));
    const { units } = new Resampler(mixed, 1);
    expect(units.sources).toBe(6);
    expect(bootstrap(mixed, { replicates: 50 }).intervals.eer).toBeDefined();
  });
});

describe('intervals', () => {
  test('are the same for the same seed, whatever the order of equal scores', () => {
    const trials = plainTrials(2, 300, 1);
    const one = bootstrap(trials, { replicates: 100, threshold: 0.2 });
    expect(bootstrap(trials, { replicates: 100, threshold: 0.2 })).toEqual(one);
    expect(bootstrap(trials, { replicates: 100, seed: 2 }).intervals.eer).not.toEqual(one.intervals.eer);
  });

  test('hold every figure of the whole', () => {
    const trials = plainTrials(3, 500, 2);
    const metrics = detectionMetrics(trials, { threshold: 0.3 });
    const { intervals } = bootstrap(trials, { replicates: 400, threshold: 0.3 });
    const figures = {
      eer: metrics.eer,
      auc: metrics.auc,
      averagePrecisionBonafide: metrics.averagePrecisionBonafide,
      averagePrecisionSpoof: metrics.averagePrecisionSpoof,
      cllrBits: metrics.cllrBits,
      minCllrBits: metrics.minCllrBits,
      minDcf: metrics.dcf.min,
      actDcf: metrics.dcf.actual,
      accuracyAtEerThreshold: metrics.atEerThreshold.accuracy,
      accuracyAtThreshold: metrics.atThreshold?.accuracy,
      brier: metrics.calibration.brier,
    };
    for (const [name, value] of Object.entries(figures)) {
      const [low, high] = intervals[name as keyof typeof figures] ?? [NaN, NaN];
      expect(low, name).toBeLessThanOrEqual(value ?? NaN);
      expect(high, name).toBeGreaterThanOrEqual(value ?? NaN);
      expect(high - low, name).toBeLessThan(0.25);
    }
    expect(intervals.minTdcf2019).toBeUndefined();
  });

  test('are not computed of two or three recordings as if they were many', () => {
    const empty = { intervals: {}, tooFew: true };
    for (const count of [4, 6, 18]) {
      const resampled = bootstrap(plainTrials(3, count), { replicates: 50 });
      expect(resampled).toMatchObject(empty);
      expect(Object.keys(resampled.intervals)).toEqual([]);
      expect([...resampled.detection.low, ...resampled.precisionSpoof.high].every(Number.isNaN)).toBe(true);
      expect(resampled.calibrationBins.every((bin) => bin === null)).toBe(true);
      const json = metricsJson(detectionMetrics(plainTrials(3, count)), resampled);
      expect(json).toMatchObject({ intervals: {}, resampled: { too_few_for_interval: true } });
    }
    expect(bootstrap(plainTrials(3, 20), { replicates: 50 })).toMatchObject({ tooFew: false });
    // Many clips of three speakers who score alike are three.
    const copies = Array.from({ length: 60 }, (_, i) => {
      const speaker = `s${i % 3}`;
      return { file: `f${i}`, bonafide: i < 30, speaker, score: (i % 3) + (i < 30 ? 0.5 : 0), attack: null };
    });
    expect(bootstrap(copies, { replicates: 50 })).toMatchObject({ tooFew: true });
  });

  test('of the AUC are as wide as Hanley and McNeil (1982) say', () => {
    const trials = plainTrials(4, 1000);
    const { auc } = detectionMetrics(trials);
    const [q1, q2] = [auc / (2 - auc), (2 * auc * auc) / (1 + auc)];
    const variance = (auc * (1 - auc) + 499 * (q1 - auc * auc) + 499 * (q2 - auc * auc)) / (500 * 500);
    const [low, high] = bootstrap(trials).intervals.auc ?? [0, 0];
    expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeGreaterThan(0.85);
    expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeLessThan(1.15);
  });

  test('of accuracy at a threshold are those of a proportion', () => {
    const trials = plainTrials(5, 800);
    const accuracy = detectionMetrics(trials, { threshold: 0 }).atThreshold?.accuracy ?? 0;
    const [low, high] = bootstrap(trials, { threshold: 0 }).intervals.accuracyAtThreshold ?? [0, 0];
    const width = 2 * 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / 800);
    expect((high - low) / width).toBeGreaterThan(0.85);
    expect((high - low) / width).toBeLessThan(1.15);
  });

  test('widen where clips of a source go together, and hold the truth more often than clips alone would', () => {
    // A bona fide rate at zero: the truth is Φ(0.5 / √(1 + 1)) for a source deviation of one.
    const truth = 0.6382;
    let held = 0;
    let heldByClips = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const trials = clusteredTrials({
        seed,
        sources: 20,
        speakersPerSource: 1,
        filesPerSpeaker: 20,
        sourceDeviation: 1,
        separation: 1,
      });
      const holds = (some: Trial[]): boolean => {
        const { accuracyAtThreshold } = bootstrap(some, { replicates: 200, threshold: 0 }).intervals;
        return accuracyAtThreshold !== undefined && accuracyAtThreshold[0] <= truth && truth <= accuracyAtThreshold[1];
      };
      // Spoofs mirrored, so that a source errs alike in both classes.
      const both = trials.filter(({ bonafide }) => bonafide).concat(mirrored(trials));
      if (holds(both)) held++;
      if (holds(both.map(({ file, bonafide, score, attack }) => ({ file, bonafide, score, attack })))) heldByClips++;
    }
    expect(held).toBeGreaterThanOrEqual(34);
    expect(heldByClips).toBeLessThan(30);
  });

  test('of few bona fide trials: what is a minimum stays inside [0, 1] and holds the figure', () => {
    const trials = plainTrials(6, 30);
    const { intervals } = bootstrap(trials, { replicates: 200 });
    const [low, high] = intervals.minCllrBits ?? [NaN, NaN];
    expect(low).toBeGreaterThanOrEqual(0);
    expect(low).toBeLessThanOrEqual(detectionMetrics(trials).minCllrBits);
    expect(high).toBeLessThanOrEqual(1);
  });

  test('bands hold the curve and narrow to the EER’s interval in the middle', () => {
    const trials = plainTrials(7, 600);
    const found = bootstrap(trials, { replicates: 300 });
    const middle = (found.detection.at.length - 1) / 2;
    expect(found.detection.at[middle]).toBeCloseTo(0, 12);
    expect(found.detection.low[middle]).toBeCloseTo(found.intervals.eer?.[0] ?? NaN, 2);
    expect(found.detection.high[middle]).toBeCloseTo(found.intervals.eer?.[1] ?? NaN, 2);
    found.precisionBonafide.low.forEach((low, k) => expect(low).toBeLessThanOrEqual(found.precisionBonafide.high[k]));
    // Everything accepted: precision is the share of the class, whatever is drawn nearly a half here.
    expect(found.precisionSpoof.high[found.precisionSpoof.at.length - 1]).toBeLessThan(0.7);
    expect(found.calibrationBins).toHaveLength(10);
  });
});

/** Bona fide trials turned into spoofs of the negated score. */
function mirrored(trials: readonly Trial[]): Trial[] {
  return trials
    .filter(({ bonafide }) => bonafide)
    .map((trial) => ({ ...trial, file: `${trial.file}m`, bonafide: false, score: -trial.score, attack: 'M' }));
}

describe('generators', () => {
  test('for any weights, as the trials written out as often', () => {
    const random = new Random(8);
    for (const digits of [0, 1, undefined]) {
      const trials = clusteredTrials({
        seed: 9,
        sources: 3,
        speakersPerSource: 5,
        filesPerSpeaker: 6,
        sourceDeviation: 0.5,
        separation: 1,
      })
        .map((trial) => ({ ...trial, score: digits === undefined ? trial.score : Number(trial.score.toFixed(digits)) }))
        // No bona fide speech in one source.
        .filter(({ bonafide, source }) => !bonafide || source !== 's2')
        .sort((one, other) => one.score - other.score);
      const weights = Uint16Array.from(trials, () => random.below(4));
      const comparisons = new GeneratorComparisons(trials);
      comparisons.weigh(weights);
      const written = trials.flatMap((trial, i) => new Array<Trial>(weights[i]).fill(trial));
      const expected = detectionMetrics(written);
      for (const { generator, all, sameSource } of comparisons.list) {
        const figures = expected.eerByAttack.find(({ attack }) => attack === generator);
        expect(all.eer()).toBe(figures?.eer);
        expect(all.auc()).toBeCloseTo(figures?.auc ?? NaN, 12);
        expect(sameSource?.sources).toEqual(['s0', 's1']);
        const inSources = written.filter(({ source }) => source !== 's2');
        const own = inSources.filter(({ bonafide, attack }) => bonafide || attack === generator);
        expect(sameSource?.comparison.eer()).toBe(detectionMetrics(own).eer);
        expect(sameSource?.comparison.auc()).toBeCloseTo(detectionMetrics(own).auc, 12);
      }
    }
  });

  test('with fewer than ten independent recordings are reported by their counts', () => {
    const several = (count: number, bonafide: boolean, attack: string | null, speakers = count): Trial[] =>
      Array.from({ length: count }, (_, i) => ({
        file: `${attack}${i}`,
        bonafide,
        // Recordings of one speaker score alike.
        score: (i % speakers) + (bonafide ? 5 : 0),
        attack,
        speaker: `${attack}${i % speakers}`,
      }));
    const trials = [
      ...several(40, true, null),
      ...several(10, false, 'ten'),
      ...several(3, false, 'three'),
      ...several(40, false, 'forty of four speakers', 4),
    ];
    const metrics = detectionMetrics(trials, { threshold: 2 });
    const found = metrics.eerByAttack.map(({ attack, tooFew, accepted, spoofs }) => [attack, tooFew, accepted, spoofs]);
    expect(found).toEqual([
      ['forty of four speakers', true, 20, 40],
      ['ten', false, 8, 10],
      ['three', true, 1, 3],
    ]);
    const { generators } = bootstrap(trials, { replicates: 200 });
    expect(generators.get('ten')?.all).not.toBeNull();
    expect([generators.get('three')?.all, generators.get('forty of four speakers')?.all]).toEqual([null, null]);
  });

  test('without bona fide speech of their source have no comparison there', () => {
    const trials: Trial[] = [
      { file: 'a', bonafide: true, score: 1, attack: null, source: 'x' },
      { file: 'b', bonafide: false, score: 2, attack: 'A', source: 'y' },
      { file: 'c', bonafide: false, score: 0, attack: 'A', source: 'x' },
      { file: 'd', bonafide: false, score: 0, attack: 'B', source: 'y' },
    ];
    const { eerByAttack } = detectionMetrics(trials);
    expect(eerByAttack[0]).toMatchObject({ attack: 'A', spoofs: 2, eer: 0.25 });
    expect(eerByAttack[0].sameSource).toEqual({
      sources: ['x'],
      bonafide: 1,
      spoofs: 1,
      eer: 0,
      auc: 1,
      tooFew: true,
    });
    expect(eerByAttack[1].sameSource).toBeNull();
  });

  test('stand in the JSON with their intervals', () => {
    const trials = plainTrials(10, 200);
    const json = metricsJson(detectionMetrics(trials), bootstrap(trials, { replicates: 50 }));
    expect(json['generators']).toHaveLength(5);
    expect(json['generators']).toContainEqual(
      expect.objectContaining({
        generator: 'A1',
        same_source: null,
        eer_interval: [expect.any(Number), expect.any(Number)],
      }),
    );
    expect(json['resampled']).toMatchObject({ levels: ['files'], files: 200, replicates: 50, confidence: 0.95 });
    expect(Object.keys(json['intervals'] as object)).toContain('act_dcf_scores_as_log_lr');
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});
