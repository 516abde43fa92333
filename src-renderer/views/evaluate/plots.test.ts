import { expect, test } from 'vitest';
import type { Evaluation, EvaluationResult } from '../../../src-common/schemas/evaluation.ts';
import { datasetName } from '../../../src-common/dataset-name.ts';
import type { Layer, Plot } from '../../../src-common/plots/plot.ts';
import { formatPercent } from '../../format.ts';
import {
  calibrationCountsPlot,
  calibrationPlot,
  detPlot,
  figureText,
  precisionRecallPlot,
  rocPlot,
  scorePlot,
  scoreRange,
  shownOf,
  tippettPlot,
} from './plots.ts';

function result(modelId: string, digit: string): EvaluationResult {
  return {
    modelId,
    modelName: 'same name',
    modelSha256: digit.repeat(64),
    bonafide: 4,
    spoof: 4,
    withoutScore: 0,
    findings: null,
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
  };
}
const evaluation: Evaluation = {
  id: 'e',
  kind: 'figures',
  createdAt: '2026-11-24T00:00:00Z',
  dataset: 'asvspoof2019:/data/LA+manifest:/data/voices/clips.csv',
  split: 'test',
  models: ['same name'],
  results: [result('one', 'a')],
};
const layer = <Kind extends Layer['kind']>(plot: Plot, kind: Kind): Extract<Layer, { kind: Kind }> => {
  const found = plot.layers.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found as Extract<Layer, { kind: Kind }>;
};

test('datasets have short names that tell tables apart', () => {
  expect(datasetName(evaluation.dataset)).toBe('LA + voices/clips.csv');
  expect(datasetName('folder:C:\\data\\my+set')).toBe('my+set');
});

test('the operating point follows the threshold', () => {
  const at = (threshold?: number): unknown =>
    layer(rocPlot(shownOf(evaluation, threshold === undefined ? {} : { one: threshold })), 'marks').points[0];
  expect(at()).toEqual([0.25, 0.75]);
  expect(at(-9)).toEqual([1, 1]);
  expect(at(9)).toEqual([0, 0]);
});

test('figures stand in the legend with their intervals', () => {
  expect(detPlot(shownOf(evaluation, {})).layers.map(({ name }) => name)).toContainEqual(
    expect.stringContaining(`${formatPercent(0.25)} [10.0, 40.0]`),
  );
  expect(figureText(evaluation.results[0], 'cllrBits')).toBe('0.500\u00a0bits [0.400, 0.750]');
  expect(figureText(evaluation.results[0], 'auc')).toBe('0.875');
  expect(figureText(evaluation.results[0], 'absent')).toBe('–');
});

test('curves ascend, so that they are drawn and searched rightly', () => {
  const line = detPlot(shownOf(evaluation, {})).layers.find((each) => each.kind === 'line' && !each.reference);
  expect(line?.kind === 'line' && line.points.map(([x]) => x)).toEqual([0, 0, 0.5, 1]);
});

test('the DET axis reaches down to what so few recordings can show', () => {
  const { x } = detPlot(shownOf(evaluation, {}));
  expect([x.scale, x.from]).toEqual(['probit', 0.1]);
});

test('misleading likelihood ratios are those on the wrong side of one', () => {
  const plot = tippettPlot(shownOf(evaluation, {}));
  expect(plot.gist).toContain(`${formatPercent(0.25)} of bona fide and ${formatPercent(0.25)} of spoof`);
  expect(plot.x.column).toBe('log10_likelihood_ratio');
  expect([plot.x.from <= -1.2, plot.x.to >= 1.4]).toEqual([true, true]);
});

test('empty bins are not drawn on the calibration curve, and are counted as none', () => {
  const { points, whiskers } = layer(calibrationPlot(shownOf(evaluation, {})), 'marks');
  expect(points).toEqual([[0.3, 0.25]]);
  expect(whiskers).toEqual([[0.1, 0.6]]);
  expect(layer(calibrationCountsPlot(shownOf(evaluation, {})), 'area').bins?.map(({ value }) => value)).toEqual([1, 0]);
});

test('scores have an axis of their own that holds the thresholds, as shares of their class', () => {
  const shown = shownOf(evaluation, { one: 1 });
  const plot = scorePlot(shown, shown.results[0]);
  expect(scoreRange(evaluation.results[0])).toEqual([-2, 2.5]);
  expect(plot.x.column).toBe('score');
  expect(layer(plot, 'area').bins?.map(({ value }) => value)).toEqual([0, 0.25, 0.25, 0.5]);
  const uprights = plot.layers.filter((each) => each.kind === 'upright').map(({ x }) => x);
  expect(uprights).toEqual([0.4, 1]);
});

test('several models are reported apart by colour, mark and name', () => {
  const shown = shownOf({ ...evaluation, results: [result('one', 'a'), result('two', 'b')] }, {});
  expect(shown.results.map(({ name }) => name)).toEqual(['same name (aaaaaa)', 'same name (bbbbbb)']);
  const marks = precisionRecallPlot(shown).layers.filter((each) => each.kind === 'marks');
  expect(new Set(marks.map(({ role }) => role)).size).toBe(2);
  expect(new Set(marks.map(({ mark }) => mark)).size).toBe(2);
});
