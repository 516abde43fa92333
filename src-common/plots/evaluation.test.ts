import { expect, test } from 'vitest';
import { formatPercent } from '../numbers.ts';
import type { PlottedFigures } from '../schemas/evaluation.ts';
import {
  calibrationCountsPlot,
  calibrationPlot,
  crossEntropyPlot,
  detPlot,
  figureText,
  precisionRecallPlot,
  rocPlot,
  scorePlot,
  scoreRange,
  type Shown,
  tippettPlot,
} from './evaluation.ts';
import type { Layer, Plot } from './plot.ts';
import { rowsOf } from './rows.ts';
import { olderFigures } from './testing.ts';
import { lookAt } from './theme.ts';

/** As older versions kept them, with what such an evaluation lacks. */
const result: PlottedFigures = {
  ...olderFigures,
  precisionRecallSpoof: [],
  precisionBandSpoof: [],
  resampling: null,
  misleading: null,
  crossEntropy: null,
};
const shownAt = (threshold = result.threshold, names = ['one']): Shown => ({
  data: 'corpus, test',
  results: names.map((name, index) => ({ result, name, look: lookAt(index), threshold })),
});
const layer = <Kind extends Layer['kind']>(plot: Plot, kind: Kind): Extract<Layer, { kind: Kind }> => {
  const found = plot.layers.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found as Extract<Layer, { kind: Kind }>;
};

test('the operating point follows the threshold', () => {
  const at = (threshold?: number): unknown => layer(rocPlot(shownAt(threshold)), 'marks').points[0];
  expect(at()).toEqual([0.25, 0.75]);
  expect(at(-9)).toEqual([1, 1]);
  expect(at(9)).toEqual([0, 0]);
});

test('figures stand in the legend with their intervals', () => {
  expect(detPlot(shownAt()).layers.map(({ name }) => name)).toContainEqual(
    expect.stringContaining(`${formatPercent(0.25)} [10.0, 40.0]`),
  );
  expect(figureText(result, 'cllrBits')).toBe('0.500\u00a0bits [0.400, 0.750]');
  expect(figureText(result, 'auc')).toBe('0.875');
  expect(figureText(result, 'absent')).toBe('–');
});

test('curves ascend, so that they are drawn and searched rightly', () => {
  const line = detPlot(shownAt()).layers.find((each) => each.kind === 'line' && !each.reference);
  expect(line?.kind === 'line' && line.points.map(([x]) => x)).toEqual([0, 0, 0.5, 1]);
});

test('the DET axis reaches down to what so few recordings can show', () => {
  const { x } = detPlot(shownAt());
  expect([x.scale, x.from]).toEqual(['probit', 0.1]);
});

test('misleading likelihood ratios are those on the wrong side of one', () => {
  const plot = tippettPlot(shownAt());
  expect(plot.gist).toContain(`${formatPercent(0.25)} of bona fide and ${formatPercent(0.25)} of spoof`);
  expect(plot.x.column).toBe('log10_likelihood_ratio');
  expect([plot.x.from <= -1.2, plot.x.to >= 1.4]).toEqual([true, true]);
});

test('empty bins are not drawn on the calibration curve, and are counted as none', () => {
  const { points, whiskers } = layer(calibrationPlot(shownAt()), 'marks');
  expect(points).toEqual([[0.3, 0.25]]);
  expect(whiskers).toEqual([[0.1, 0.6]]);
  expect(layer(calibrationCountsPlot(shownAt()), 'area').bins?.map(({ value }) => value)).toEqual([1, 0]);
});

test('scores have an axis of their own that holds the thresholds, as shares of their class', () => {
  const shown = shownAt(1);
  const plot = scorePlot(shown, shown.results[0]);
  expect(scoreRange(result)).toEqual([-2, 2.5]);
  expect(plot.x.column).toBe('score');
  expect(layer(plot, 'area').bins?.map(({ value }) => value)).toEqual([0, 0.25, 0.25, 0.5]);
  const uprights = plot.layers.filter((each) => each.kind === 'upright').map(({ x }) => x);
  expect(uprights).toEqual([0.4, 1]);
});

test('several models are reported apart by colour and mark', () => {
  const marks = precisionRecallPlot(shownAt(0.4, ['one', 'two'])).layers.filter((each) => each.kind === 'marks');
  expect(new Set(marks.map(({ role }) => role)).size).toBe(2);
  expect(new Set(marks.map(({ mark }) => mark)).size).toBe(2);
});

test('what older evaluations do not have is left out', () => {
  expect(crossEntropyPlot(shownAt())).toBeNull();
  expect(precisionRecallPlot(shownAt()).layers.filter(({ name }) => name.startsWith('Spoof'))).toEqual([]);
  const precisionRecallSpoof: [number, number][] = [[0, 1], [1, 0.5]]; // prettier-ignore
  const both = { ...shownAt(), results: [{ ...shownAt().results[0], result: { ...result, precisionRecallSpoof } }] };
  const lines = precisionRecallPlot(both).layers.filter((each) => each.kind === 'line' && each.reference !== true);
  expect(lines.map(({ role }) => role)).toEqual(['bonafide', 'spoof']);
});

test('intervals of the calibration curve are drawn as marks and as a band, and stand in files once', () => {
  const plot = calibrationPlot(shownAt());
  expect(layer(plot, 'band').points).toEqual([[0.3, 0.1, 0.6]]);
  expect(rowsOf(plot)).toHaveLength(1);
});
