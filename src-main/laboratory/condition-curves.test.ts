import { expect, it } from 'vitest';
import { conditionRecordSchema } from '../../src-common/condition-curves.ts';
import { conditionSheet } from '../../src-common/plots/conditions.ts';
import { plotSvg } from '../../src-common/plots/svg.ts';
import type { DatasetItem } from '../datasets/types.ts';
import { chooseDegradations } from '../degradation/choose.ts';
import type { Card } from '../detector/card.ts';
import { tinyCard } from '../detector/testing.ts';
import { calibrationSchema } from '../evaluation/calibration.ts';
import { conditionRecord, thresholdsWith } from './condition-curves.ts';
import type { DegradedOutcome, DegradedSet } from './robustness-scoring.ts';

const side = { rate: 0, upper: 0.1, count: 50, effectiveCount: 50 };
const card: Card = {
  ...tinyCard,
  files: {},
  calibration: calibrationSchema.parse({
    a: 1,
    b: 0,
    prior: 0.5,
    dataset: 'd',
    split: 'dev',
    validated: { fromSeconds: 0.2, toSeconds: 60 },
    band: {
      lowerLlr: -1,
      upperLlr: 1,
      maximumRate: 0.1,
      confidence: 0.95,
      falseSpoof: side,
      falseBonafide: side,
      inconclusiveBonafide: 0,
      inconclusiveSpoof: 0,
    },
  }),
};
// Every recording is of a source of its own.
const items = Array.from({ length: 120 }, (_, index): DatasetItem => ({
  path: `/${index}.wav`,
  id: `${index}.wav`,
  label: index % 2 === 0 ? 'bonafide' : 'spoof',
  split: 'dev',
  generator: null,
  speaker: null,
  source: `source ${index}`,
}));

/** Outcomes in which every so-manieth bona fide recording scores as a spoof, with qualities from 0.9 to 1.1 of a value. */
function outcomes(
  everyWrong: number,
  quality: Partial<Record<'snrDb' | 'clippedFraction' | 'seconds', number>>,
  reasons: string[] = [],
) {
  return items.map(({ label }, index): DegradedOutcome => {
    const share = 0.9 + (0.2 * index) / (items.length - 1);
    const wrong = label === 'bonafide' && (index / 2) % everyWrong === 0;
    const { snrDb = 40, clippedFraction = 0, seconds = 3 } = quality;
    return {
      score: (label === 'bonafide') === !wrong ? 3 : -3,
      llr: null,
      finding: 'not assessable',
      reasons,
      speechSeconds: share * seconds,
      quality: {
        activeSeconds: 3,
        snrDb: share * snrDb,
        effectiveBandwidthHz: 7400,
        clippedFraction: share * clippedFraction,
      },
      error: null,
    };
  });
}

const set = (name: string | null, list: DegradedOutcome[]): DegradedSet => ({
  degradation: name === null ? null : chooseDegradations([name])[0],
  skipped: null,
  encoder: null,
  outcomes: list,
});
const of = { dataset: 'd', split: 'dev', seed: 1 };

it('ends where findings are wrong too often, and takes the strictest of the curves of a measure', () => {
  const sets = [
    set(null, outcomes(100, {})),
    set('white-5', outcomes(3, { snrDb: 5 }, ['noisy'])),
    set('white-20', outcomes(100, { snrDb: 20 })),
    set('white-10', outcomes(100, { snrDb: 10 }, ['noisy'])),
    set('babble-20', outcomes(100, { snrDb: 19 })),
    set('babble-10', outcomes(2, { snrDb: 9 })),
    set('clip-0.1', outcomes(100, { clippedFraction: 0.001 })),
    set('clip-5', outcomes(2, { clippedFraction: 0.05 }, ['clipped'])),
  ];
  const record = conditionRecord(card, items, sets, of);
  expect(conditionRecordSchema.parse(record)).toEqual(record);
  const [white, babble, clipped] = record?.curves ?? [];
  expect([white, babble, clipped].map(({ family }) => family)).toEqual(['White noise', 'Babble', 'Clipped']);
  // From the best to the worst, whatever the thresholds in the card forbid.
  expect(white.steps.map(({ value, holds, assessed }) => [value, holds, assessed])).toEqual([
    [null, true, 120],
    [20, true, 120],
    [10, true, 120],
    [5, false, 120],
  ]);
  expect(white.steps[3].falseSpoof).toMatchObject({ count: 20, of: 60, unit: 'sources' });
  expect(white.steps[3].falseBonafide.count).toBe(0);
  // Nine in ten of the step at 10 dB have 9.2 dB or more.
  expect(white.threshold).toBe(9);
  expect(babble.threshold).toBe(17.5);
  expect(clipped.threshold).toBeCloseTo(0.0011, 5);
  expect(record?.highestRate).toBe(0.1);
  expect(record?.thresholds).toEqual([
    { measure: 'snrDb', value: 17.5, before: 0 },
    { measure: 'clippedFraction', value: 0.0011, before: 0.01 },
  ]);
  expect(thresholdsWith(card.thresholds, record!)).toEqual({
    ...card.thresholds,
    minimumSnrDb: 17.5,
    maximumClippedFraction: 0.0011,
  });
  const plot = plotSvg(conditionSheet('tiny', record!));
  for (const word of ['White noise', 'Babble', 'Clipped', '17.5 dB', '0.11 %']) expect(plot).toContain(word);
});

it('takes what lies beyond a step that fails for failing, and has no threshold where recordings as they are fail', () => {
  const uneven = [
    set(null, outcomes(100, {})),
    set('length-2', outcomes(3, { seconds: 2 })),
    set('length-1', outcomes(100, { seconds: 1 })),
  ];
  expect(conditionRecord(card, items, uneven, of)?.thresholds).toEqual([
    { measure: 'speechSeconds', value: 2.75, before: 1 },
  ]);
  const bad = [set(null, outcomes(2, {})), set('length-2', outcomes(100, { seconds: 2 }))];
  const record = conditionRecord(card, items, bad, of)!;
  expect(record.curves[0].threshold).toBeNull();
  expect(record.thresholds).toEqual([]);
  expect(thresholdsWith(card.thresholds, record)).toEqual(card.thresholds);
});

it('counts what the calibration or the codec forbids as not assessed, and asks for likelihood ratios that tell something', () => {
  const short = set('length-0.5', outcomes(100, { seconds: 0.1 }, ['length', 'little-speech']));
  const coded = set('length-1', outcomes(100, { seconds: 1 }, ['codec']));
  const [curve] = conditionRecord(card, items, [set(null, outcomes(100, {})), short, coded], of)!.curves;
  expect(curve.steps.map(({ assessed, holds }) => [assessed, holds])).toEqual([
    [120, true],
    [0, false],
    [0, false],
  ]);
  const unbanded = { ...card, calibration: { ...card.calibration, band: null } };
  const noisy = set('white-10', outcomes(2, { snrDb: 10 }));
  const [white] = conditionRecord(unbanded, items, [set(null, outcomes(100, {})), noisy], of)!.curves;
  expect(white.steps.map(({ holds }) => holds)).toEqual([true, false]);
  expect(white.steps[1].cllrBits).toBeGreaterThan(1);
});

it('has no curves where no measure gets worse step by step', () => {
  expect(
    conditionRecord(card, items, [set(null, outcomes(100, {})), set('room-0.4', outcomes(100, {}))], of),
  ).toBeNull();
});
