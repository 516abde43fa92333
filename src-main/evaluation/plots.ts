/**
 * Evaluation plots as standalone SVG, by pure functions. Bona fide is the positive class everywhere; every curve names
 * its model and data, and the operating point (what scores at least the threshold is taken for bona fide) is marked.
 */
import type { Band, BootstrapResult, Interval } from './bootstrap.ts';
import type { AttackFigures, CalibrationCurve, ConfusionCounts, DetectionMetrics } from './metrics.ts';
import { type CurvePoints, detPoints, precisionRecallPoints, rocPoints, type ThresholdSweep } from './sweep.ts';
import {
  type Area,
  type Axis,
  axes,
  bandPath,
  clipped,
  curvePath,
  dashes,
  dots,
  element,
  fitText,
  heading,
  justOutside,
  legend,
  type LegendEntry,
  legendHeight,
  linearAxis,
  operatingPoint,
  palette,
  svgDocument,
  textAt,
  whisker,
  withMinus,
} from './svg.ts';
import type { Trial } from './trials.ts';
import { roundStep } from '../../src-common/plots/plot.ts';
import { probit } from '../../src-common/plots/probit.ts';
import { leastRecordings } from '../../src-common/interval-rule.ts';

/** What a plot shows: a model's name, and the data that it was run on (empty where the name says it). */
export interface PlotSubject {
  model: string;
  data: string;
}

/** One model's results, for the plots of curves. */
export interface PlottedResult extends PlotSubject {
  metrics: DetectionMetrics;
  sweep: ThresholdSweep;
  /** Gives the curves their bands. */
  resampled?: BootstrapResult;
}

export const width = 640;
export const curveArea: Area = { left: 84, top: 60, width: 528, height: 420 };
// The accent first; then colours of Okabe and Ito that do not stand for a class.
export const modelColours = [
  palette.accent,
  palette.model1,
  palette.model2,
  palette.model3,
  palette.model4,
  palette.text,
];

/** ROC curves: share of spoofs accepted against share of bona fide accepted. */
export function rocPlot(results: readonly PlottedResult[]): string {
  return curvesPlot({
    title: 'Receiver operating characteristic',
    results,
    horizontal: linearAxis('Spoofs accepted (%)', 0, 1, percentTick),
    vertical: linearAxis('Bona fide accepted (%)', 0, 1, percentTick),
    curves: (result, colour) => [{ points: rocPoints(result.sweep), colour }],
    bands: ({ resampled }, colour) =>
      hasBands(resampled) ? [{ edges: detectionEdges(resampled.detection, (miss) => 1 - miss), colour }] : [],
    point: ({ falseAcceptRate, missRate }) => [falseAcceptRate, 1 - missRate],
    entries: ({ metrics, resampled }, name, colour) => [
      { text: `AUC ${withInterval(metrics.auc, resampled?.intervals.auc)}: ${name}`, colour, mark: 'line' },
    ],
    reference: { points: { x: Float64Array.of(0, 1), y: Float64Array.of(0, 1) }, text: 'Chance' },
  });
}

/** Precision against recall of both classes: bona fide as solid lines, spoofs as dashes. */
export function precisionRecallPlot(results: readonly PlottedResult[]): string {
  const single = results.length === 1;
  const colours = (colour: string): [string, string] => (single ? [palette.bonafide, palette.spoof] : [colour, colour]);
  return curvesPlot({
    title: 'Precision and recall (AP: average precision)',
    results,
    horizontal: linearAxis('Recall (%)', 0, 1, percentTick),
    vertical: linearAxis('Precision (%)', 0, 1, percentTick),
    curves: (result, colour) => [
      { points: precisionRecallPoints(result.sweep, 'bonafide'), colour: colours(colour)[0] },
      { points: precisionRecallPoints(result.sweep, 'spoof'), colour: colours(colour)[1], dash: dashes },
    ],
    bands: ({ resampled }, colour) =>
      hasBands(resampled)
        ? [
            { edges: precisionEdges(resampled.precisionBonafide), colour: colours(colour)[0] },
            { edges: precisionEdges(resampled.precisionSpoof), colour: colours(colour)[1] },
          ]
        : [],
    point: ({ missRate, bonafidePrecision }) => [1 - missRate, bonafidePrecision],
    secondPoint: ({ falseAcceptRate, spoofPrecision }) => [1 - falseAcceptRate, spoofPrecision],
    pointColours: colours,
    entries: ({ metrics, resampled }, name, colour) => [
      {
        text: `Bona fide, AP ${withInterval(metrics.averagePrecisionBonafide, resampled?.intervals.averagePrecisionBonafide)}: ${name}`,
        colour: colours(colour)[0],
        mark: 'line',
      },
      {
        text: `Spoof, AP ${withInterval(metrics.averagePrecisionSpoof, resampled?.intervals.averagePrecisionSpoof)}: ${name}`,
        colour: colours(colour)[1],
        mark: 'dashes',
      },
    ],
  });
}

/** DET curves on probit axes, on which normally distributed scores give straight lines. */
export function detPlot(results: readonly PlottedResult[]): string {
  return curvesPlot({
    title: 'Detection error trade-off',
    results,
    horizontal: probitAxis('Spoofs accepted (%, probit scale)'),
    vertical: probitAxis('Bona fide rejected (%, probit scale)'),
    curves: (result, colour) => [{ points: detPoints(result.sweep), colour }],
    bands: ({ resampled }, colour) =>
      hasBands(resampled) ? [{ edges: detectionEdges(resampled.detection, (miss) => miss), colour }] : [],
    point: ({ falseAcceptRate, missRate }) => [falseAcceptRate, missRate],
    entries: ({ metrics, resampled }, name, colour) => [
      { text: `EER ${percentWithInterval(metrics.eer, resampled?.intervals.eer)}: ${name}`, colour, mark: 'line' },
    ],
    reference: { points: { x: Float64Array.of(0, 1), y: Float64Array.of(0, 1) }, text: 'Equal error rates' },
  });
}

/**
 * Reliability of likelihood ratios at a prior of one half: share of bona fide over stated probability, both classes
 * weighed alike, and below it how many trials stand in each bin.
 */
export function calibrationPlot(
  subject: PlotSubject,
  calibration: CalibrationCurve,
  resampled?: BootstrapResult,
): string {
  const area: Area = { left: 84, top: 60, width: 528, height: 320 };
  const countArea: Area = { left: 84, top: 400, width: 528, height: 100 };
  const filled = calibration.bins.filter((bin) => bin.meanProbability !== null);
  const upper = axes(
    area,
    linearAxis('', 0, 1, () => ''),
    linearAxis('Bona fide among them (%)', 0, 1, percentTick),
  );
  const most = Math.max(...calibration.bins.flatMap((bin) => [bin.bonafide, bin.spoof]));
  const top = roundStep(most);
  const lower = axes(
    countArea,
    linearAxis('Stated probability of bona fide (%), prior 50 %', 0, 1, percentTick, 10),
    linearAxis('Trials', 0, top, groupedDigits, 2),
  );
  const bars = calibration.bins.flatMap(({ from, to, bonafide, spoof }) => {
    const left = lower.x(from) + 2;
    const half = (lower.x(to) - lower.x(from) - 4) / 2;
    return [
      { count: bonafide, colour: palette.bonafide, x: left },
      { count: spoof, colour: palette.spoof, x: left + half },
    ].flatMap(({ count, colour, x }) => {
      if (count === 0) return [];
      const y = Math.min(lower.y(count), lower.y(0) - 1);
      return [
        element('rect', {
          x,
          y,
          width: half,
          height: lower.y(0) - y,
          fill: colour,
          'fill-opacity': '0.55',
          stroke: colour,
        }),
      ];
    });
  });
  const entries: LegendEntry[] = [
    {
      text: `Expected calibration error ${withInterval(calibration.expectedCalibrationError, resampled?.intervals.expectedCalibrationError)}: ${nameOf(subject)}`,
      colour: palette.accent,
      mark: 'line',
    },
    { text: 'Perfect calibration', colour: palette.inconclusive, mark: 'dots' },
    {
      text: `Bona fide trials: ${groupedDigits(sum(calibration.bins.map((bin) => bin.bonafide)))}`,
      colour: palette.bonafide,
      mark: 'box',
    },
    {
      text: `Spoof trials: ${groupedDigits(sum(calibration.bins.map((bin) => bin.spoof)))}`,
      colour: palette.spoof,
      mark: 'box',
    },
  ];
  const bins = calibration.bins.flatMap(({ meanProbability }, bin) => {
    const interval = resampled?.calibrationBins[bin];
    return meanProbability === null || !interval ? [] : [{ x: meanProbability, interval }];
  });
  const edge = (end: 0 | 1): CurvePoints => ({
    x: Float64Array.from(bins, ({ x }) => x),
    y: Float64Array.from(bins, ({ interval }) => interval[end]),
  });
  const band = bins.length > 0 ? [bandPath([edge(0), edge(1)], upper.x, upper.y, palette.accent)] : [];
  if (resampled) entries.push({ text: bandText(resampled), colour: palette.accent, mark: 'band' });
  const curve: CurvePoints = {
    x: Float64Array.from(filled, (bin) => bin.meanProbability ?? 0),
    y: Float64Array.from(filled, (bin) => bin.bonafideShare ?? 0),
  };
  const legendTop = countArea.top + countArea.height + 50;
  return svgDocument(width, legendTop + legendHeight(entries) + 12, `Calibration: ${nameOf(subject)}`, [
    ...heading(
      area.left,
      area.width,
      'Calibration of likelihood ratios',
      'Classes weighed alike, whatever their numbers',
    ),
    ...upper.parts,
    ...lower.parts,
    ...bars,
    ...band,
    ...bins.map(({ x, interval }) => whisker(upper.x(x), upper.y(interval[0]), upper.y(interval[1]), palette.accent)),
    curvePath({ x: Float64Array.of(0, 1), y: Float64Array.of(0, 1) }, upper.x, upper.y, {
      stroke: palette.inconclusive,
      'stroke-dasharray': dots,
    }),
    curvePath(curve, upper.x, upper.y, { stroke: palette.accent }),
    ...filled.map((_, i) =>
      element('circle', { cx: upper.x(curve.x[i]), cy: upper.y(curve.y[i]), r: 3.5, fill: palette.accent }),
    ),
    ...legend(area.left, legendTop, area.width, entries),
  ]);
}

/**
 * Histograms of both classes, each as shares of its own class, with the threshold. The axis spans all but the outermost
 * half per cent at either end; what lies beyond is counted in the outermost bins and named.
 * @param scale what the scores are, as in `Score` or `LLR (natural log)`.
 */
export function scoreDistributionPlot(
  subject: PlotSubject,
  trials: readonly Trial[],
  threshold: number,
  scale = 'Score (raw output, high for bona fide)',
): string {
  const area: Area = { ...curveArea, height: 340 };
  const scores = Float64Array.from(trials, (trial) => trial.score).sort();
  const quantile = (share: number): number => scores[Math.round(share * (scores.length - 1))];
  const finite = (value: number): number => Math.min(Number.MAX_VALUE / 4, Math.max(-Number.MAX_VALUE / 4, value));
  let low = finite(Math.min(quantile(0.005), threshold));
  let high = finite(Math.max(quantile(0.995), threshold));
  // A margin, and a width even if all scores are equal; relative, so that it survives large scores.
  const margin = Math.max((high - low) * 0.03, Math.abs(low) * 1e-6, Math.abs(high) * 1e-6, 1e-6);
  low -= margin;
  high += margin;
  const binCount = 60;
  const histograms = [true, false].map((bonafide) => {
    const bins = new Float64Array(binCount);
    const members = trials.filter((trial) => trial.bonafide === bonafide);
    for (const { score } of members) {
      const bin = Math.floor(((score - low) / (high - low)) * binCount);
      bins[Math.min(binCount - 1, Math.max(0, bin))] += 1 / members.length;
    }
    return { bonafide, bins, count: members.length };
  });
  const beyond = trials.reduce((count, { score }) => count + (score < low || score > high ? 1 : 0), 0);
  const most = Math.max(...histograms.flatMap(({ bins }) => [...bins]));
  const { x, y, parts } = axes(
    area,
    linearAxis(scale, low, high, undefined, 8),
    linearAxis('Share of the class per bin (%)', 0, most * 1.05, (value) =>
      String(Number((100 * value).toPrecision(6))),
    ),
  );
  const outlines = histograms.map(({ bins, bonafide }) => {
    const colour = bonafide ? palette.bonafide : palette.spoof;
    const steps = [...bins].map((share, bin) => {
      const at = (edge: number): string => x(low + ((high - low) * edge) / binCount).toFixed(1);
      return `L${at(bin)} ${y(share).toFixed(1)}L${at(bin + 1)} ${y(share).toFixed(1)}`;
    });
    const d = `M${x(low).toFixed(1)} ${y(0).toFixed(1)}${steps.join('')}L${x(high).toFixed(1)} ${y(0).toFixed(1)}Z`;
    return element('path', { d, fill: colour, 'fill-opacity': '0.35', stroke: colour, 'stroke-width': 1.2 });
  });
  const outliers =
    beyond === 0 ? '' : `; ${beyond} ${beyond === 1 ? 'score' : 'scores'} beyond the axis in the outermost bins`;
  const entries: LegendEntry[] = [
    { text: `Bona fide: ${groupedDigits(histograms[0].count)} trials`, colour: palette.bonafide, mark: 'box' },
    { text: `Spoof: ${groupedDigits(histograms[1].count)} trials`, colour: palette.spoof, mark: 'box' },
    {
      text: `Threshold ${shortScore(threshold)}: bona fide from it on`,
      colour: palette.text,
      mark: 'dashes',
    },
  ];
  const legendTop = area.top + area.height + 50;
  return svgDocument(width, legendTop + legendHeight(entries) + 12, `Scores: ${nameOf(subject)}`, [
    ...heading(area.left, area.width, 'Distribution of scores', `${nameOf(subject)}${outliers}`),
    ...parts,
    ...outlines,
    element('line', {
      x1: x(threshold),
      y1: area.top,
      x2: x(threshold),
      y2: area.top + area.height,
      stroke: palette.text,
      'stroke-width': 1.8,
      'stroke-dasharray': dashes,
    }),
    ...legend(area.left, legendTop, area.width, entries),
  ]);
}

/** The four counts at a threshold, with their shares of the true class. */
export function confusionPlot(subject: PlotSubject, confusion: ConfusionCounts): string {
  const left = 150;
  const top = 104;
  const cell = { width: 220, height: 100 };
  const rows = [
    { name: 'Bona fide', counts: [confusion.bonafideAccepted, confusion.bonafideRejected], right: 0 },
    { name: 'Spoof', counts: [confusion.spoofAccepted, confusion.spoofRejected], right: 1 },
  ];
  const cells = rows.flatMap(({ counts, right }, row) =>
    counts.flatMap((count, column) => {
      const share = count / (counts[0] + counts[1]);
      const x = left + column * cell.width;
      const y = top + row * cell.height;
      const middle = x + cell.width / 2;
      const fill = column === right ? palette.accent : palette.inconclusive;
      return [
        element('rect', { x, y, ...cell, fill, 'fill-opacity': (0.06 + 0.34 * share).toFixed(3), stroke: '#ffffff' }),
        textAt(middle, y + 50, groupedDigits(count), { 'text-anchor': 'middle', 'font-size': 20 }),
        textAt(middle, y + 72, `${(100 * share).toFixed(1)} % of them`, { 'text-anchor': 'middle', 'font-size': 12 }),
      ];
    }),
  );
  const bottom = top + 2 * cell.height;
  return svgDocument(width, bottom + 44, `Confusion matrix: ${nameOf(subject)}`, [
    ...heading(40, width - 60, 'Confusion matrix', nameOf(subject)),
    textAt(left + cell.width, 74, 'Taken for', { 'text-anchor': 'middle', 'font-size': 12, fill: palette.dimmed }),
    textAt(left + cell.width / 2, 94, 'bona fide', { 'text-anchor': 'middle', 'font-size': 12 }),
    textAt(left + cell.width * 1.5, 94, 'spoof', { 'text-anchor': 'middle', 'font-size': 12 }),
    ...rows.map(({ name, counts }, row) => {
      const middle = top + (row + 0.5) * cell.height;
      return (
        textAt(left - 12, middle, name, { 'text-anchor': 'end', 'font-size': 12 }) +
        textAt(left - 12, middle + 16, groupedDigits(counts[0] + counts[1]), {
          'text-anchor': 'end',
          fill: palette.dimmed,
        })
      );
    }),
    ...cells,
    textAt(
      left,
      bottom + 24,
      `Threshold ${shortScore(confusion.threshold)}, accuracy ${(100 * confusion.accuracy).toFixed(1)} %`,
      { 'font-size': 12 },
    ),
  ]);
}

/**
 * EER of each attack or generator, the hardest (for the first model) first, with intervals where they were computed:
 * against all bona fide trials, of a single model also against those of the same source. Those with too few independent
 * recordings come last and show how many of their spoofs are accepted. Lines: all spoofs pooled.
 */
export function attackPlot(results: readonly PlottedResult[]): string {
  const single = results.length === 1;
  const colourOf = (index: number): string => (single ? palette.spoof : modelColours[index % modelColours.length]);
  const names = [...new Set(results.flatMap(({ metrics }) => metrics.eerByAttack.map(({ attack }) => attack)))];
  const figuresOf = (result: PlottedResult): Map<string, AttackFigures> =>
    new Map(result.metrics.eerByAttack.map((figures) => [figures.attack, figures]));
  const byName = results.map(figuresOf);
  const hardness = (name: string): number => {
    const figures = byName.find((each) => each.has(name))?.get(name);
    return figures === undefined || figures.tooFew ? -1 : figures.eer;
  };
  names.sort((one, other) => hardness(other) - hardness(one));

  const sameSource = single && results[0].metrics.eerByAttack.some((figures) => figures.sameSource !== null);
  const tracks = single ? (sameSource ? 2 : 1) : results.length;
  const rowHeight = Math.max(18, 8 + 9 * tracks);
  const labelWidth = 200;
  const area: Area = {
    left: labelWidth + 20,
    top: 60,
    width: width - labelWidth - 100,
    height: Math.max(1, names.length) * rowHeight + 8,
  };
  const ends = results.flatMap(({ metrics, resampled }) => [
    metrics.eer,
    ...metrics.eerByAttack.flatMap(({ attack, eer, tooFew, sameSource: same }) => [
      tooFew ? 0 : eer,
      resampled?.generators.get(attack)?.all?.[1] ?? 0,
      ...(single && same && !same.tooFew ? [same.eer, resampled?.generators.get(attack)?.sameSource?.[1] ?? 0] : []),
    ]),
  ]);
  const axis = linearAxis('EER (%)', 0, Math.min(1, Math.max(0.01, ...ends) * 1.08), percentTick);
  const { x, parts } = axes(area, axis, { label: '', place: (value) => value, ticks: [] });
  const mark = (
    at: number,
    y: number,
    interval: Interval | null | undefined,
    colour: string,
    hollow: boolean,
  ): string =>
    (interval
      ? element('line', { x1: x(interval[0]), y1: y, x2: x(interval[1]), y2: y, stroke: colour, 'stroke-width': 1.2 })
      : '') +
    element('circle', {
      cx: x(at),
      cy: y,
      r: 3.2,
      fill: hollow ? '#ffffff' : colour,
      stroke: colour,
      'stroke-width': 1.4,
    });
  const rows = names.flatMap((name, row) => {
    const top = area.top + 4 + row * rowHeight;
    const middle = top + rowHeight / 2;
    const track = (index: number): number => middle + (index - (tracks - 1) / 2) * 9;
    const spoofs = byName.find((figures) => figures.has(name))?.get(name)?.spoofs ?? 0;
    const label = `${fitText(name, labelWidth - 60, 11)} (${groupedDigits(spoofs)})`;
    const drawn = [textAt(area.left - 8, middle + 4, label, { 'text-anchor': 'end' })];
    results.forEach(({ resampled }, index) => {
      const figures = byName[index].get(name);
      if (!figures) return;
      const intervals = resampled?.generators.get(name);
      const value = figures.tooFew ? `${figures.accepted} of ${figures.spoofs}` : `${(100 * figures.eer).toFixed(1)} %`;
      if (!figures.tooFew) drawn.push(mark(figures.eer, track(index), intervals?.all, colourOf(index), false));
      if (!single) return;
      drawn.push(textAt(area.left + area.width + 8, middle + 4, value));
      if (figures.sameSource && !figures.sameSource.tooFew) {
        drawn.push(mark(figures.sameSource.eer, track(1), intervals?.sameSource, palette.text, true));
      }
    });
    return drawn;
  });
  const entries: LegendEntry[] = results.flatMap((result, index): LegendEntry[] => [
    {
      text: single
        ? 'Each against all bona fide trials (in brackets: its spoofs)'
        : `${nameOf(result)}, against all bona fide trials`,
      colour: colourOf(index),
      mark: 'dot',
    },
    {
      text: `All spoofs pooled: ${percentWithInterval(result.metrics.eer, result.resampled?.intervals.eer)}`,
      colour: single ? palette.text : colourOf(index),
      mark: 'dashes',
    },
  ]);
  if (sameSource) {
    const text = 'Against the bona fide trials of the same source, where there are any';
    entries.splice(1, 0, { text, colour: palette.text, mark: 'point' });
  }
  const { resampled } = results[0];
  if (resampled) entries.push({ text: bandText(resampled), colour: palette.inconclusive, mark: 'line' });
  if (results.some(({ metrics }) => metrics.eerByAttack.some(({ tooFew }) => tooFew))) {
    const text = `“3 of 4”: taken for bona fide, of fewer than ${leastRecordings} independent recordings`;
    entries.push({ text, colour: palette.text, mark: 'none' });
  }
  const legendTop = area.top + area.height + 50;
  const subjects = results.map(nameOf).join('; ');
  return svgDocument(width, legendTop + legendHeight(entries) + 12, `EER by attack: ${subjects}`, [
    ...heading(40, width - 60, 'Equal error rate by generator or attack', subjects),
    ...parts,
    ...results.map(({ metrics }, index) =>
      element('line', {
        x1: x(metrics.eer),
        y1: area.top,
        x2: x(metrics.eer),
        y2: area.top + area.height,
        stroke: single ? palette.text : colourOf(index),
        'stroke-width': 1.4,
        'stroke-dasharray': dashes,
      }),
    ),
    ...rows,
    ...legend(40, legendTop, width - 60, entries),
  ]);
}

/** A band's edges in the plane of ROC or DET: low and high mean error at each difference of the rates. */
export function detectionEdges(
  { at, low, high }: Band,
  vertical: (missRate: number) => number,
): [CurvePoints, CurvePoints] {
  const inUnit = (rate: number): number => Math.min(1, Math.max(0, rate));
  const edge = (mean: Float64Array): CurvePoints => ({
    x: at.map((difference, k) => inUnit(mean[k] - difference / 2)),
    y: at.map((difference, k) => vertical(inUnit(mean[k] + difference / 2))),
  });
  return [edge(low), edge(high)];
}

function precisionEdges({ at, low, high }: Band): [CurvePoints, CurvePoints] {
  return [
    { x: at, y: low },
    { x: at, y: high },
  ];
}

/** Whether there are intervals over all recordings to draw. */
function hasBands(resampled: BootstrapResult | undefined): resampled is BootstrapResult {
  return resampled !== undefined && !resampled.tooFew;
}

/** Says what the bands and whiskers are. */
function bandText({ confidence, units, replicates, tooFew }: BootstrapResult): string {
  if (tooFew) return 'No intervals over all recordings: too few';
  return `${100 * confidence} % intervals, ${units.levels.join(', ')} resampled (${groupedDigits(replicates)} replicates)`;
}

function withInterval(value: number, interval: Interval | undefined): string {
  const text = value.toFixed(3);
  return interval ? `${text} [${interval[0].toFixed(3)}, ${interval[1].toFixed(3)}]` : text;
}

function percentWithInterval(rate: number, interval: Interval | undefined): string {
  const text = (100 * rate).toFixed(1);
  return interval ? `${text} % [${(100 * interval[0]).toFixed(1)}, ${(100 * interval[1]).toFixed(1)}]` : `${text} %`;
}

/** Rates at the operating point: that at the given threshold (dev's), else at the EER's. */
interface OperatingRates {
  falseAcceptRate: number;
  missRate: number;
  bonafidePrecision: number;
  spoofPrecision: number;
}

interface CurvesPlot {
  title: string;
  results: readonly PlottedResult[];
  horizontal: Axis;
  vertical: Axis;
  curves(result: PlottedResult, colour: string): { points: CurvePoints; colour: string; dash?: string }[];
  bands(result: PlottedResult, colour: string): { edges: [CurvePoints, CurvePoints]; colour: string }[];
  point(rates: OperatingRates): [number, number];
  secondPoint?(rates: OperatingRates): [number, number];
  pointColours?(colour: string): [string, string];
  entries(result: PlottedResult, name: string, colour: string): LegendEntry[];
  reference?: { points: CurvePoints; text: string };
}

function curvesPlot(plot: CurvesPlot): string {
  const { x, y, parts } = axes(curveArea, plot.horizontal, plot.vertical);
  const bands: string[] = [];
  const lines: string[] = [];
  const points: string[] = [];
  const entries: LegendEntry[] = [];
  plot.results.forEach((result, index) => {
    const colour = modelColours[index % modelColours.length];
    for (const band of plot.bands(result, colour)) bands.push(bandPath(band.edges, x, y, band.colour));
    for (const curve of plot.curves(result, colour)) {
      lines.push(
        curvePath(curve.points, x, y, {
          stroke: curve.colour,
          ...(curve.dash === undefined ? {} : { 'stroke-dasharray': curve.dash }),
        }),
      );
    }
    entries.push(...plot.entries(result, nameOf(result), colour));
    const { metrics } = result;
    const threshold = metrics.atThreshold?.threshold ?? metrics.eerDecisionThreshold;
    const rates = ratesAt(result.sweep, threshold);
    const [first, second] = plot.pointColours?.(colour) ?? [colour, colour];
    const [px, py] = plot.point(rates);
    points.push(operatingPoint(...inside(x(px), y(py)), first));
    if (plot.secondPoint) {
      const [sx, sy] = plot.secondPoint(rates);
      points.push(operatingPoint(...inside(x(sx), y(sy)), second));
    }
    const which = metrics.atThreshold ? 'threshold' : 'EER threshold';
    entries.push({
      text: `Operating point at the ${which} ${shortScore(threshold)}`,
      colour: first,
      mark: 'point',
    });
  });
  const reference: string[] = [];
  if (plot.reference) {
    reference.push(
      curvePath(plot.reference.points, x, y, {
        stroke: palette.inconclusive,
        'stroke-dasharray': dots,
        'stroke-width': 1.2,
      }),
    );
    entries.push({ text: plot.reference.text, colour: palette.inconclusive, mark: 'dots' });
  }
  const { resampled } = plot.results[0];
  if (resampled) entries.push({ text: bandText(resampled), colour: palette.inconclusive, mark: 'band' });
  const names = plot.results.map(nameOf).join('; ');
  const legendTop = curveArea.top + curveArea.height + 50;
  return svgDocument(width, legendTop + legendHeight(entries) + 12, `${plot.title}: ${names}`, [
    ...heading(curveArea.left, curveArea.width, plot.title, names),
    ...parts,
    clipped(curveArea, [...bands, ...reference, ...lines]),
    ...points,
    ...legend(curveArea.left, legendTop, curveArea.width, entries),
  ]);
}

/** A place on the edge for what lies outside the plot. */
function inside(x: number, y: number): [number, number] {
  const { left, top, width: across, height } = curveArea;
  return [Math.min(left + across, Math.max(left, x)), Math.min(top + height, Math.max(top, y))];
}

function ratesAt(sweep: ThresholdSweep, threshold: number): OperatingRates {
  const point = sweep.thresholds.findIndex((value) => value >= threshold);
  const [missed, falselyAccepted] = [sweep.misses[point], sweep.falseAccepts[point]];
  // Where nothing is taken for a class, its precision is drawn as 1, where the curve begins.
  const precision = (right: number, wrong: number): number => (right + wrong === 0 ? 1 : right / (right + wrong));
  return {
    falseAcceptRate: falselyAccepted / sweep.negatives,
    missRate: missed / sweep.positives,
    bonafidePrecision: precision(sweep.positives - missed, falselyAccepted),
    spoofPrecision: precision(sweep.negatives - falselyAccepted, missed),
  };
}

/** From 0.05 % to 95 %. */
function probitAxis(label: string): Axis {
  const low = probit(0.0005);
  const high = probit(0.95);
  const rates = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
  return {
    label,
    place: (rate, length) => justOutside(((probit(rate) - low) / (high - low)) * length, length),
    ticks: rates.map((value) => ({ value, label: percentTick(value) })),
  };
}

/** A score with the digits that a legend needs. */
function shortScore(score: number): string {
  return withMinus(String(Number(score.toPrecision(7))));
}

export function percentTick(rate: number): string {
  return String(Number((100 * rate).toPrecision(6)));
}

/** A count with its thousands apart. */
export function groupedDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

export function nameOf({ model, data }: PlotSubject): string {
  return data === '' ? model : `${model}, ${data}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
