import { expect, test } from 'vitest';
import { type Evaluation, evaluationSchema } from '../../../src-common/schemas/evaluation.ts';
import { shownOf } from './plots.ts';

/** As an older version kept it. */
const result = (modelId: string, digit: string): object => ({
  modelId,
  modelName: 'same name',
  modelSha256: digit.repeat(64),
  bonafide: 4,
  spoof: 4,
  withoutScore: 0,
  figures: [
    { name: 'eer', label: 'Equal error rate', value: 0.25, unit: 'fraction', interval: [0.1, 0.4] },
    { name: 'auc', label: 'AUC', value: 0.875, unit: '', interval: null },
    { name: 'cllrBits', label: 'Cllr', value: 0.5, unit: 'bits', interval: [0.4, 0.75] },
  ],
  roc: [[0, 0], [0, 0.5], [0.5, 1], [1, 1]], // prettier-ignore
  precisionRecall: [[0, 1], [0.5, 1], [1, 0.66]], // prettier-ignore
  det: [[1, 0], [0.5, 0], [0, 0.5], [0, 1]], // prettier-ignore
  rocBand: [[0, 0.2, 0.7], [1, 1, 1]], // prettier-ignore
  detBand: [[0, 0.3, 0.8], [1, 0, 0]], // prettier-ignore
  precisionBand: [],
  calibration: [
    { from: 0, to: 0.5, bonafide: 1, spoof: 3, meanProbability: 0.3, bonafideShare: 0.25, interval: [0.1, 0.6] },
    { from: 0.5, to: 1, bonafide: 0, spoof: 0, meanProbability: null, bonafideShare: null, interval: null },
  ],
  tippett: {
    bonafide: [[-0.5, 1], [0.2, 0.75], [0.9, 0.5], [1.4, 0.25], [1.4, 0]], // prettier-ignore
    spoof: [[-1.2, 1], [-0.8, 0.75], [-0.1, 0.5], [0.3, 0.25], [0.3, 0]], // prettier-ignore
  },
  histogram: { from: -2, to: 2, bonafide: [0, 1, 1, 2], spoof: [2, 1, 1, 0] },
  scores: { bonafide: [-0.5, 0.5, 1, 1.5], spoof: [-1.5, -1, -0.2, 0.7] },
  threshold: 0.4,
  eerThreshold: 2.5,
  generators: [],
});
const evaluation = (...results: object[]): Evaluation =>
  evaluationSchema.parse({
    id: 'e',
    kind: 'figures',
    createdAt: '2026-11-24T00:00:00Z',
    dataset: 'asvspoof2019:/data/LA+manifest:/data/voices/clips.csv',
    split: 'test',
    models: ['same name'],
    results,
  });

test('models called alike are told apart by their hashes, and each has a look of its own', () => {
  const shown = shownOf(evaluation(result('one', 'a'), result('two', 'b')), {});
  expect(shown.data).toBe('LA + voices/clips.csv, test');
  expect(shown.results.map(({ name }) => name)).toEqual(['same name (aaaaaa)', 'same name (bbbbbb)']);
  expect(new Set(shown.results.map(({ look }) => look.role)).size).toBe(2);
});

test('a threshold is that of the card until another is set', () => {
  const of = (thresholds: Record<string, number>): number =>
    shownOf(evaluation(result('one', 'a')), thresholds).results[0].threshold;
  expect([of({}), of({ one: 1 }), of({ other: 1 })]).toEqual([0.4, 1, 0.4]);
});
