/** Plots of likelihood ratios as forensic statistics draw them, as standalone SVG. */
import type { CrossEntropy } from './ece.ts';
import { curveArea, groupedDigits, modelColours, nameOf, percentTick, type PlotSubject, width } from './plots.ts';
import {
  axes,
  type Area,
  clipped,
  curvePath,
  dashes,
  dots,
  element,
  heading,
  legend,
  type LegendEntry,
  legendHeight,
  linearAxis,
  operatingPoint,
  palette,
  svgDocument,
} from './svg.ts';
import type { CurvePoints } from './sweep.ts';
import type { Trial } from './trials.ts';

/**
 * Empirical cross-entropy over the prior odds: of the likelihood ratios (solid), after the best calibration (dashed;
 * what lies between is lost by calibration), and of no likelihood ratio at all (dotted; above it, they do harm).
 */
export function ecePlot(results: readonly (PlotSubject & { crossEntropy: CrossEntropy })[]): string {
  const { log10PriorOdds, neutral } = results[0].crossEntropy;
  const highest = results.reduce(
    (most, { crossEntropy }) => crossEntropy.given.reduce((a, b) => Math.max(a, b), most),
    0,
  );
  const top = Math.min(2, Math.max(1.05, 1.05 * highest));
  const { x, y, parts } = axes(
    curveArea,
    linearAxis(
      'Prior odds of bona fide (log10)',
      log10PriorOdds[0],
      log10PriorOdds[log10PriorOdds.length - 1],
      undefined,
      10,
    ),
    linearAxis('Empirical cross-entropy (bits)', 0, top),
  );
  const curve = (values: Float64Array, attributes: Record<string, string | number>): string =>
    // What is infinite runs out of the picture.
    curvePath({ x: log10PriorOdds, y: values.map((value) => Math.min(value, 4)) }, x, y, attributes);
  const lines: string[] = [];
  const entries: LegendEntry[] = [];
  results.forEach((result, index) => {
    const { given, calibrated } = result.crossEntropy;
    const colour = modelColours[index % modelColours.length];
    const middle = (log10PriorOdds.length - 1) / 2;
    lines.push(curve(given, { stroke: colour }), curve(calibrated, { stroke: colour, 'stroke-dasharray': dashes }));
    const bits = (value: number): string => (value < 100 ? value.toFixed(3) : value.toExponential(1));
    entries.push(
      { text: `Likelihood ratios (Cllr ${bits(given[middle])} bits): ${nameOf(result)}`, colour, mark: 'line' },
      { text: `After the best calibration, PAV (min Cllr ${bits(calibrated[middle])} bits)`, colour, mark: 'dashes' },
    );
  });
  entries.push({ text: 'Neutral: every likelihood ratio one', colour: palette.inconclusive, mark: 'dots' });
  const names = results.map(nameOf).join('; ');
  const legendTop = curveArea.top + curveArea.height + 50;
  return svgDocument(width, legendTop + legendHeight(entries) + 12, `Empirical cross-entropy: ${names}`, [
    ...heading(curveArea.left, curveArea.width, 'Empirical cross-entropy', names),
    ...parts,
    clipped(curveArea, [curve(neutral, { stroke: palette.inconclusive, 'stroke-dasharray': dots }), ...lines]),
    ...legend(curveArea.left, legendTop, curveArea.width, entries),
  ]);
}

/**
 * Tippett plot: of either class, the share of trials with a likelihood ratio of at least what the axis says. At a
 * ratio of one the rates of misleading evidence are marked: spoofs above it, and bona fide speech below it.
 * @param results with natural-log likelihood ratios as scores.
 */
export function tippettPlot(results: readonly (PlotSubject & { trials: readonly Trial[] })[]): string {
  const single = results.length === 1;
  const area: Area = curveArea;
  // All but the outermost half per cent at either end, at least from a third to three, and one always inside.
  const sorted = results.map(({ trials }) =>
    Float64Array.from(trials, ({ score }) => Math.min(300, Math.max(-300, score / Math.LN10))).sort(),
  );
  const quantiles = (share: number): number[] => sorted.map((llrs) => llrs[Math.round(share * (llrs.length - 1))]);
  const low = Math.min(-0.5, ...quantiles(0.005)) * 1.05;
  const high = Math.max(0.5, ...quantiles(0.995)) * 1.05;
  const { x, y, parts } = axes(
    area,
    linearAxis('Likelihood ratio, bona fide over spoof (log10)', low, high, undefined, 8),
    linearAxis('Trials with at least this likelihood ratio (%)', 0, 1, percentTick),
  );
  const lines: string[] = [];
  const points: string[] = [];
  const entries: LegendEntry[] = [];
  results.forEach((result, index) => {
    const modelColour = modelColours[index % modelColours.length];
    const misleading: string[] = [];
    for (const bonafide of [true, false]) {
      const llrs = Float64Array.from(
        result.trials.filter((trial) => trial.bonafide === bonafide),
        ({ score }) => score,
      ).sort();
      const colour = single ? (bonafide ? palette.bonafide : palette.spoof) : modelColour;
      lines.push(
        curvePath(shareAtLeast(llrs, 2 * Math.max(high, -low)), x, y, {
          stroke: colour,
          ...(bonafide || single ? {} : { 'stroke-dasharray': dashes }),
        }),
      );
      const wrong = llrs.filter((llr) => (bonafide ? llr < 0 : llr > 0)).length / llrs.length;
      points.push(operatingPoint(x(0), y(bonafide ? 1 - wrong : wrong), colour));
      misleading.push(`${(100 * wrong).toFixed(1)} %`);
      if (single) {
        const text = `${bonafide ? 'Bona fide' : 'Spoof'}: ${groupedDigits(llrs.length)} trials, ${(100 * wrong).toFixed(1)} % misleading`;
        entries.push({ text, colour, mark: 'line' });
      }
    }
    if (!single) {
      const text = `Misleading: ${misleading[0]} of bona fide, ${misleading[1]} of spoofs: ${nameOf(result)}`;
      entries.push({ text, colour: modelColour, mark: 'line' });
    }
  });
  if (!single) {
    entries.push(
      { text: 'Bona fide', colour: palette.dimmed, mark: 'line' },
      { text: 'Spoof', colour: palette.dimmed, mark: 'dashes' },
    );
  }
  entries.push({
    text: 'Left of a ratio of one bona fide speech misleads, right of it spoofs do',
    colour: palette.text,
    mark: 'point',
  });
  const names = results.map(nameOf).join('; ');
  const legendTop = area.top + area.height + 50;
  return svgDocument(width, legendTop + legendHeight(entries) + 12, `Tippett plot: ${names}`, [
    ...heading(area.left, area.width, 'Tippett plot', names),
    ...parts,
    element('line', {
      x1: x(0),
      y1: area.top,
      x2: x(0),
      y2: area.top + area.height,
      stroke: palette.inconclusive,
      'stroke-dasharray': dots,
      'stroke-width': 1.4,
    }),
    clipped(area, lines),
    ...points,
    ...legend(area.left, legendTop, area.width, entries),
  ]);
}

/** The share of ascending LLRs of at least each value, as steps over log10, from `-end` to `end`. */
function shareAtLeast(llrs: Float64Array, end: number): CurvePoints {
  const xs = [-end];
  const ys = [1];
  llrs.forEach((llr, below) => {
    const at = Math.min(end, Math.max(-end, llr / Math.LN10));
    xs.push(at, at);
    ys.push(1 - below / llrs.length, 1 - (below + 1) / llrs.length);
  });
  xs.push(end);
  ys.push(0);
  return { x: Float64Array.from(xs), y: Float64Array.from(ys) };
}
