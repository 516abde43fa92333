/** From a measurement through degradations to its plots. */
import { datasetName } from '../dataset-spec.ts';
import { axisNumber, axisPercent, formatNumber, formatPercent } from '../numbers.ts';
import type { RobustnessRow } from '../schemas/robustness.ts';
import type { Sheet } from './draw.ts';
import type { Layer, Plot, PlotAxis, Point } from './plot.ts';
import type { Role } from './theme.ts';
import { robustnessTexts as texts } from './texts.ts';

/** What is drawn of a measurement; its first row is of the recordings as they are. */
export interface PlottedRobustness {
  modelName: string;
  /** Its spec. */
  dataset: string;
  split: string;
  rows: readonly Pick<RobustnessRow, 'family' | 'value' | 'unit' | 'figures'>[];
}

type Figures = NonNullable<RobustnessRow['figures']>;

/** A row that was measured at a strength. */
interface Strength {
  value: number;
  figures: Figures;
}

/** Families, each from the smallest value to the largest. */
function familiesOf(rows: PlottedRobustness['rows']): { family: string; unit: string; strengths: Strength[] }[] {
  const families = new Map<string, { family: string; unit: string; strengths: Strength[] }>();
  for (const { family, unit, value, figures } of rows) {
    if (family === null || value === null || figures === null) continue;
    const found = families.get(family) ?? { family, unit: unit ?? '', strengths: [] };
    found.strengths.push({ value, figures });
    families.set(family, found);
  }
  return [...families.values()].map((one) => ({
    ...one,
    strengths: one.strengths.sort((a, b) => a.value - b.value),
  }));
}

/** Of each family: error rates and shares, and the Cllr, over the strength. */
export function robustnessPlots({ modelName, dataset, split, rows }: PlottedRobustness): {
  rates: Plot;
  cllr: Plot;
  /** At how many strengths it was measured. */
  strengths: number;
}[] {
  const asIs = rows[0].figures;
  const subject = `${modelName}; ${datasetName(dataset)}, ${split}`;
  return familiesOf(rows).map(({ family, unit, strengths }, index) => {
    const values = strengths.map(({ value }) => value);
    const [least, most] = [values[0], values[values.length - 1]];
    const margin = most > least ? 0.06 * (most - least) : Math.max(Math.abs(most), 1) / 10;
    const x: PlotAxis = {
      label: texts.strength(family, unit),
      column: 'strength',
      scale: 'linear',
      from: least - margin,
      to: most + margin,
      format: axisNumber,
      at: values,
    };
    const of = { x, subject, family, strengths, asIs, number: index + 1 };
    return { rates: ratesPlot(of), cllr: cllrPlot(of), strengths: strengths.length };
  });
}

/** All of them in one picture. */
export function robustnessSheet(measured: PlottedRobustness): Sheet {
  const plots = robustnessPlots(measured).flatMap(({ rates, cllr }) => [rates, cllr]);
  return {
    title: texts.sheet(measured.modelName),
    subject: `${datasetName(measured.dataset)}, ${measured.split}`,
    gist: plots.map(({ title, gist }) => `${title}. ${gist}`).join(' '),
    plots,
    columns: 2,
  };
}

interface FamilyPlot {
  x: PlotAxis;
  subject: string;
  family: string;
  strengths: readonly Strength[];
  asIs: Figures | null;
  number: number;
}

const curveOf = (strengths: readonly Strength[], figure: (figures: Figures) => number | null): Point[] =>
  strengths.flatMap(({ value, figures }): Point[] => {
    const y = figure(figures);
    return y === null ? [] : [[value, y]];
  });

/** Across, the figure of the recordings as they are. */
function reference(x: PlotAxis, y: number | null | undefined): Layer[] {
  if (y === null || y === undefined) return [];
  const points: Point[] = [[x.from, y], [x.to, y]]; // prettier-ignore
  return [{ kind: 'line', name: texts.asIs, role: 'dim', dash: 'dashes', points, reference: true }];
}

/** A curve with a mark at each strength. */
function curve(name: string, role: Role, points: readonly Point[], whiskers: Whiskers = []): Layer[] {
  return [
    { kind: 'line', name, role, points, inLegend: false, reference: true },
    { kind: 'marks', name, role, mark: 'circle', points, whiskers },
  ];
}
type Whiskers = readonly (readonly [number, number] | null)[];

function ratesPlot({ x, subject, family, strengths, asIs, number }: FamilyPlot): Plot {
  const measured = strengths.filter(({ figures }) => figures.eer !== null);
  const eer = curveOf(measured, (figures) => figures.eer);
  return {
    id: `robustness-${number}`,
    title: texts.rates(family),
    subject,
    x,
    y: { label: texts.rate, column: 'fraction', scale: 'linear', from: 0, to: 1, format: axisPercent },
    layers: [
      ...reference(x, asIs?.eer),
      {
        kind: 'line',
        name: texts.decided,
        role: 'inconclusive',
        dash: 'dots',
        points: curveOf(strengths, ({ decidedShare }) => decidedShare),
      },
      ...curve(texts.eer, 'accent', eer, measured.map(({ figures }) => figures.eerInterval)), // prettier-ignore
    ],
    gist: texts.gist(...gistOf(strengths, x, (figures) => formatPercent(figures.eer))),
    note: texts.ratesNote,
  };
}

function cllrPlot({ x, subject, family, strengths, asIs, number }: FamilyPlot): Plot {
  const points = curveOf(strengths, ({ cllrBits }) => cllrBits);
  const most = Math.max(1, asIs?.cllrBits ?? 0, ...points.map(([, cllr]) => cllr));
  return {
    id: `robustness-${number}-cllr`,
    title: texts.cllr(family),
    subject,
    x,
    y: { label: texts.bits, column: 'cllr_bits', scale: 'linear', from: 0, to: most * 1.05, format: axisNumber },
    layers: [...reference(x, asIs?.cllrBits), ...curve(texts.cllrName, 'accent', points)],
    gist: texts.gist(...gistOf(strengths, x, ({ cllrBits }) => formatNumber(cllrBits, 2))),
    note: texts.cllrNote,
  };
}

/** From the least strength to the greatest, in words. */
function gistOf(
  strengths: readonly Strength[],
  x: PlotAxis,
  figure: (figures: Figures) => string,
): [from: string, first: string, to: string, last: string] {
  const [first, last] = [strengths[0], strengths[strengths.length - 1]];
  return [x.format(first.value), figure(first.figures), x.format(last.value), figure(last.figures)];
}
