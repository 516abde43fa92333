import { expect, test } from 'vitest';
import { type Evaluation, evaluationSchema } from '../../../src-common/schemas/evaluation.ts';
import { olderFigures } from '../../../src-common/plots/testing.ts';
import { shownOf } from './plots.ts';

/** As an older version kept it. */
const result = (modelId: string, digit: string): object => ({
  modelId,
  modelName: 'same name',
  modelSha256: digit.repeat(64),
  withoutScore: 0,
  ...olderFigures,
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
