/** From a measurement through degradations to its table and plots. */
import type { RobustnessEvaluation, RobustnessRow } from '../../../src-common/schemas/robustness.ts';
import type { Role } from '../../../src-common/plots/theme.ts';
import type { Layer, Plot, PlotAxis, Point } from '../../../src-common/plots/plot.ts';
import { formatNumber, formatPercent, none } from '../../format.ts';
import { evaluate } from '../../texts/evaluate.ts';
import { datasetName } from './plots.ts';

const texts = evaluate.robustness.plots;
const percent = (fraction: number): string => String(Number((100 * fraction).toPrecision(4)));
const plain = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');

type Figures = NonNullable<RobustnessRow['figures']>;

/** A row that was measured at a strength. */
interface Strength {
  value: number;
  figures: Figures;
}

/** Families that were measured at several strengths, each from the smallest value to the largest. */
function familiesOf(rows: readonly RobustnessRow[]): { family: string; unit: string; strengths: Strength[] }[] {
  const families = new Map<string, { family: string; unit: string; strengths: Strength[] }>();
  for (const { family, unit, value, figures } of rows) {
    if (family === null || value === null || figures === null) continue;
    const found = families.get(family) ?? { family, unit: unit ?? '', strengths: [] };
    found.strengths.push({ value, figures });
    families.set(family, found);
  }
  return [...families.values()]
    .filter(({ strengths }) => strengths.length > 1)
    .map((one) => ({ ...one, strengths: one.strengths.sort((a, b) => a.value - b.value) }));
}

/** Of each family with several strengths: error rates and shares, and the Cllr, over the strength. */
export function robustnessPlots({ result, dataset, split }: RobustnessEvaluation): { rates: Plot; cllr: Plot }[] {
  const subject = evaluate.plots.subject(result.modelName, datasetName(dataset), split);
  const asIs = result.rows[0].figures;
  return familiesOf(result.rows).map(({ family, unit, strengths }, index) => {
    const values = strengths.map(({ value }) => value);
    const margin = 0.06 * (values[values.length - 1] - values[0]);
    const x: PlotAxis = {
      label: texts.strength(family, unit),
      column: 'strength',
      scale: 'linear',
      from: values[0] - margin,
      to: values[values.length - 1] + margin,
      format: plain,
      at: values,
    };
    const of = { x, subject, family, strengths, asIs, number: index + 1 };
    return { rates: ratesPlot(of), cllr: cllrPlot(of) };
  });
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
    y: { label: texts.rate, column: 'fraction', scale: 'linear', from: 0, to: 1, format: percent },
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
    y: { label: texts.bits, column: 'cllr_bits', scale: 'linear', from: 0, to: most * 1.05, format: plain },
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

/** Ends of an interval of rates, in per cent: `[1.0, 2.0]`; empty where there is none. */
export function endsText(interval: readonly [number, number] | null, sign = false): string {
  if (interval === null) return '';
  return `[${interval.map((end) => formatNumber(100 * end, 1, sign)).join(', ')}]`;
}

/** What a degradation costs in EER, signed; none where too little was scored both ways. */
export function differenceText(paired: Figures['paired']): string {
  return paired === null ? none : formatNumber(100 * paired.difference, 1, true);
}
