import type { PlotSubject } from './plots.ts';
import {
  type Area,
  axes,
  dashes,
  element,
  heading,
  legend,
  type LegendEntry,
  linearAxis,
  palette,
  svgDocument,
  textAt,
  whisker,
} from './svg.ts';

/** A degradation as it is drawn; the first is of the recordings as they are. Rates are fractions. */
interface PlottedDegradation {
  label: string;
  family: string | null;
  value: number | null;
  unit: string | null;
  eer: number | null;
  interval: [number, number] | null;
  decidedShare: number | null;
}

const panel = { width: 280, height: 180, left: 74, top: 96, rightGap: 20, below: 62 };
const columns = 3;
const percent = (value: number): string => String(Math.round(100 * value));

/**
 * A panel for each family of degradations: equal error rate with its interval over the strength, the rate of the recordings
 * as they are across, and the share decided. Families are measured at few strengths, which stand evenly in their order.
 */
export function robustnessPlot(subject: PlotSubject, all: readonly PlottedDegradation[]): string {
  const [plain, ...rest] = all;
  const families = new Map<string, PlottedDegradation[]>();
  for (const one of rest) {
    if (one.family === null || one.eer === null) continue;
    const members = families.get(one.family);
    if (members) members.push(one);
    else families.set(one.family, [one]);
  }
  const across = Math.min(columns, Math.max(1, families.size));
  const step = { x: panel.left + panel.width + panel.rightGap, y: panel.height + panel.below + 30 };
  const width = across * step.x;
  const rows = Math.ceil(families.size / columns);
  const entries: LegendEntry[] = [
    { text: 'Equal error rate, 95 % interval', colour: palette.accent, mark: 'line' },
    { text: 'The same of the recordings as they are', colour: palette.dimmed, mark: 'dashes' },
    { text: 'Share with a finding for either class', colour: palette.inconclusive, mark: 'dots' },
  ];
  const parts = heading(20, width - 40, `Robustness of ${subject.model}`, subject.data);
  [...families].forEach(([name, members], index) => {
    const area: Area = {
      left: panel.left + (index % columns) * step.x,
      top: panel.top + Math.floor(index / columns) * step.y,
      width: panel.width,
      height: panel.height,
    };
    parts.push(...panelParts(area, name, members, plain.eer));
  });
  const top = panel.top + rows * step.y - 20;
  parts.push(...legend(panel.left, top, width - panel.left - 20, entries));
  return svgDocument(width, top + 18 * entries.length + 16, `Robustness of ${subject.model}`, parts);
}

function panelParts(area: Area, name: string, members: PlottedDegradation[], plainEer: number | null): string[] {
  const sorted = [...members].sort((one, other) => (one.value ?? 0) - (other.value ?? 0));
  const axis = {
    label: sorted[0].unit ?? '',
    place: (value: number, length: number) => ((value + 0.5) / sorted.length) * length,
    ticks: sorted.map(({ value }, index) => ({ value: index, label: String(value ?? '') })),
  };
  const { x, y, parts } = axes(area, axis, linearAxis('%', 0, 1, percent));
  parts.unshift(textAt(area.left, area.top - 10, name, { 'font-weight': 600 }));
  if (plainEer !== null) {
    const at = y(plainEer);
    const ends = { x1: area.left, y1: at, x2: area.left + area.width, y2: at };
    parts.push(element('line', { ...ends, stroke: palette.dimmed, 'stroke-dasharray': dashes }));
  }
  parts.push(curve(sorted.map(({ decidedShare }, index) => [x(index), y(decidedShare ?? 0)]), palette.inconclusive, '2 3')); // prettier-ignore
  parts.push(curve(sorted.map(({ eer }, index) => [x(index), y(eer ?? 0)]), palette.accent)); // prettier-ignore
  sorted.forEach(({ eer, interval }, index) => {
    if (interval) parts.push(whisker(x(index), y(interval[0]), y(interval[1]), palette.accent));
    parts.push(element('circle', { cx: x(index), cy: y(eer ?? 0), r: 3.2, fill: palette.accent }));
  });
  return parts;
}

function curve(points: readonly (readonly number[])[], stroke: string, dash?: string): string {
  const data = points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`).join('');
  const line = { d: data, fill: 'none', stroke, 'stroke-width': 1.6 };
  return element('path', dash === undefined ? line : { ...line, 'stroke-dasharray': dash });
}
