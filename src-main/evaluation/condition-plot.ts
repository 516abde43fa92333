import { conditionText, conditionWords } from '../../src-common/condition-curves.ts';
import type { ConditionCurve, ConditionMeasure, ConditionRecord } from '../../src-common/condition-curves.ts';
import type { FindingRate } from '../../src-common/finding-record.ts';
import type { PlotSubject } from './plots.ts';
import {
  type Area,
  axes,
  dashes,
  dots,
  element,
  heading,
  legend,
  type LegendEntry,
  linearAxis,
  palette,
  svgDocument,
  textAt,
  whisker,
  withMinus,
} from './svg.ts';

const panel = { width: 360, height: 200, left: 84, top: 96, rightGap: 24, below: 66 };
const columns = 2;
const percent = (value: number): string => String(Math.round(100 * value));

/** A rate; none where nothing was assessed. */
const shareOf = ({ count, of }: FindingRate): number | null => (of > 0 ? count / of : null);

/** A panel for each curve: rates of wrong findings and equal error rate over what was measured on the copies, with its threshold. */
export function conditionPlot(subject: PlotSubject, record: ConditionRecord): string {
  const { curves, highestRate, thresholds } = record;
  const step = { x: panel.left + panel.width + panel.rightGap, y: panel.height + panel.below + 30 };
  const width = Math.min(columns, Math.max(1, curves.length)) * step.x;
  const entries: LegendEntry[] = [
    { text: 'Bona fide recordings found synthetic, 95 % interval', colour: palette.bonafide, mark: 'line' },
    { text: 'Spoofs found bona fide, 95 % interval', colour: palette.spoof, mark: 'line' },
    { text: 'Equal error rate', colour: palette.dimmed, mark: 'dots' },
    { text: 'Threshold of what is assessable, by the strictest curve', colour: palette.accent, mark: 'dashes' },
    { text: 'Rate of wrong findings that the calibration allows', colour: palette.inconclusive, mark: 'dashes' },
    { text: 'Filled: the step holds; hollow: it does not', colour: palette.text, mark: 'dot' },
  ];
  const title = `Down to where findings of ${subject.model} hold`;
  const parts = heading(
    20,
    width - 40,
    title,
    `${subject.data}: ${record.recordings} recordings of ${record.sources} sources, made worse step by step`,
  );
  curves.forEach((curve, index) => {
    const area: Area = {
      left: panel.left + (index % columns) * step.x,
      top: panel.top + Math.floor(index / columns) * step.y,
      width: panel.width,
      height: panel.height,
    };
    const threshold = thresholds.find(({ measure }) => measure === curve.measure)?.value ?? null;
    parts.push(...panelParts(area, curve, threshold, highestRate));
  });
  const top = panel.top + Math.ceil(curves.length / columns) * step.y - 10;
  parts.push(...legend(panel.left, top, width - panel.left - 20, entries));
  return svgDocument(width, top + 18 * entries.length + 16, title, parts);
}

function horizontalAxis(measure: ConditionMeasure, values: readonly number[]): ReturnType<typeof linearAxis> {
  const { name, unit, scale } = conditionWords[measure];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = most > least ? 0.06 * (most - least) : Math.max(Math.abs(most), 1) / 10;
  return linearAxis(`${name} as measured, median (${unit})`, least - margin, most + margin, (value) =>
    withMinus(String(Number((scale * value).toPrecision(4)))),
  );
}

function panelParts(
  area: Area,
  { measure, family, steps }: ConditionCurve,
  threshold: number | null,
  highestRate: number | null,
): string[] {
  const placed = steps.flatMap((one) => (one.measured ? [{ ...one, at: one.measured.median }] : []));
  placed.sort((one, other) => one.at - other.at);
  const values = placed.map(({ at }) => at);
  if (threshold !== null) values.push(threshold);
  const title = textAt(area.left, area.top - 10, family, { 'font-weight': 600 });
  if (values.length === 0) return [title];
  const { x, y, parts } = axes(area, horizontalAxis(measure, values), linearAxis('%', 0, 1, percent));
  const across = (value: number, stroke: string, dash: string): string =>
    element('line', { x1: area.left, y1: y(value), x2: area.left + area.width, y2: y(value), stroke, 'stroke-dasharray': dash }); // prettier-ignore
  parts.unshift(title);
  if (highestRate !== null) parts.push(across(highestRate, palette.inconclusive, dashes));
  if (threshold !== null) {
    const line = { x1: x(threshold), x2: x(threshold), y1: area.top, y2: area.top + area.height };
    parts.push(element('line', { ...line, stroke: palette.accent, 'stroke-width': 1.4, 'stroke-dasharray': dashes }));
    const label = conditionText(measure, threshold);
    parts.push(textAt(x(threshold) + 4, area.top + 14, label, { 'font-size': 11, fill: palette.accent }));
  }
  const eer = placed.flatMap(({ at, eer: rate }) => (rate === null ? [] : [[x(at), y(rate)] as const]));
  parts.push(curve(eer, palette.dimmed, dots));
  for (const [key, colour, offset] of [
    ['falseSpoof', palette.bonafide, -2],
    ['falseBonafide', palette.spoof, 2],
  ] as const) {
    const points = placed.flatMap((one) => {
      const share = shareOf(one[key]);
      return share === null ? [] : [{ px: x(one.at) + offset, share, interval: one[key].interval, holds: one.holds }];
    });
    parts.push(curve(points.map(({ px, share }) => [px, y(share)] as const), colour)); // prettier-ignore
    for (const { px, share, interval, holds } of points) {
      if (interval) parts.push(whisker(px, y(interval[0]), y(interval[1]), colour));
      // Hollow: the step does not hold.
      const dot = { cx: px, cy: y(share), r: 3.2, stroke: colour, fill: holds ? colour : 'none' };
      parts.push(element('circle', dot));
    }
  }
  return parts;
}

function curve(points: readonly (readonly [number, number])[], stroke: string, dash?: string): string {
  const data = points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  const line = { d: data, fill: 'none', stroke, 'stroke-width': 1.6 };
  return element('path', dash === undefined ? line : { ...line, 'stroke-dasharray': dash });
}
