/**
 * What a plot shows, as plain data. The picture on the screen (chart.js), the exported ones (SVG, PNG), the CSV file and the
 * table for those who cannot see the picture are all made from it, so that they cannot disagree.
 */
import type { Mark, Role } from './theme.ts';
import { probitShare, probitTicks } from './probit.ts';

/** Horizontal and vertical value. */
export type Point = readonly [x: number, y: number];

export interface PlotAxis {
  /** With its unit, as in `Spoofs accepted (%)`. */
  label: string;
  /** Column name in CSV files, with its unit or scale where it has one, as in `spoofs_accepted_fraction`. */
  column: string;
  scale: 'linear' | 'probit';
  from: number;
  to: number;
  /** Text of a value, without the unit. */
  format: (value: number) => string;
  /** About how many ticks a linear axis gets; 5 if not given. */
  ticks?: number;
  /** Only whole numbers are labelled. */
  whole?: boolean;
  /** The values that a linear axis labels, ascending, in place of round ones; those too near to the one before are left out. */
  at?: readonly number[];
}

interface LayerBase {
  /** What it is, in the legend, the table and the CSV file. */
  name: string;
  role: Role;
  /** False: not in the legend. */
  inLegend?: boolean;
}

interface LineLayer extends LayerBase {
  kind: 'line';
  /** Ascending in x. */
  points: readonly Point[];
  dash?: 'dashes' | 'dots';
  /** Thin and pale: many single values behind their mean. */
  faint?: boolean;
  /** A line to compare with, such as chance: not exported as data. */
  reference?: boolean;
}

/** Filled from the points down to zero. */
interface AreaLayer extends LayerBase {
  kind: 'area';
  points: readonly Point[];
  /** Data as it is exported, where the outline has more points than that: bins with their counts. */
  bins?: readonly { from: number; to: number; value: number }[];
}

/** Between a low and a high edge. */
interface BandLayer extends LayerBase {
  kind: 'band';
  /** Between intervals that marks show too: not exported as data a second time. */
  reference?: boolean;
  points: readonly (readonly [x: number, low: number, high: number])[];
}

/** Single places, with upright intervals where they have one. */
interface MarksLayer extends LayerBase {
  kind: 'marks';
  points: readonly Point[];
  mark: Mark;
  hollow?: boolean;
  whiskers?: readonly (readonly [number, number] | null)[];
  /** Intervals lie along the horizontal axis. */
  level?: boolean;
  /** Pixels to the right, so that the intervals of two series at the same places can be told apart. */
  shift?: number;
}

/** A line across the whole height. */
interface UprightLayer extends LayerBase {
  kind: 'upright';
  x: number;
  dash?: 'dashes' | 'dots';
  /** Beside its upper end. */
  label?: string;
}

export type Layer = LineLayer | AreaLayer | BandLayer | MarksLayer | UprightLayer;

export interface Plot {
  /** For file names, as in `roc`. */
  id: string;
  title: string;
  /** Whose data, as in `default, corpus test`. */
  subject: string;
  x: PlotAxis;
  y: PlotAxis;
  /** The lowest first. */
  layers: readonly Layer[];
  /** Its gist in a sentence or two, for those who cannot see it. */
  gist: string;
  /** What intervals and bands are, and the like; below the legend. */
  note?: string;
  /** Of the axes in an exported picture, in pixels, where the usual height does not suit. */
  height?: number;
}

/** The share of its axis's length at which a value lies. */
export function shareOf(axis: PlotAxis, value: number): number {
  if (axis.scale === 'probit') return probitShare(value, axis.from, axis.to);
  return Math.min(1.05, Math.max(-0.05, (value - axis.from) / (axis.to - axis.from)));
}

/** The next of 1, 2, 2.5 or 5 times a power of ten. */
export function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
}

/** Labels of an axis lie at least so far apart, of its length. */
const leastApart = 0.07;

/** The values along an axis that are labelled: round ones, unless it names its own. */
export function ticksOf({ scale, from, to, ticks = 5, whole = false, at }: PlotAxis): number[] {
  if (scale === 'probit') return probitTicks.filter((rate) => rate >= from && rate <= to);
  if (at !== undefined) {
    return at.reduce<number[]>((kept, value) => {
      const last = kept.at(-1);
      return last !== undefined && value - last < leastApart * (to - from) ? kept : [...kept, value];
    }, []);
  }
  const rough = roundStep((to - from) / ticks);
  const step = whole ? Math.max(1, Math.ceil(rough)) : rough;
  const values: number[] = [];
  for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++) {
    // Multiples of the step, without the dust of adding it up.
    values.push(Number((k * step).toPrecision(12)));
  }
  return values;
}

/**
 * A curve without the points that nobody could see: what lies within `tolerance` of the line through its neighbours is left
 * out (Douglas and Peucker). The ends stay.
 * @param place from a point to where it is drawn, in pixels.
 */
export function thin<T>(points: readonly T[], place: (point: T) => Point, tolerance = 0.25): T[] {
  if (points.length <= 2) return [...points];
  const places = points.map(place);
  const kept = new Uint8Array(points.length);
  kept[0] = kept[points.length - 1] = 1;
  const open: [number, number][] = [[0, points.length - 1]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [first, last] = range;
    const dx = places[last][0] - places[first][0];
    const dy = places[last][1] - places[first][1];
    const squared = dx * dx + dy * dy;
    let farthest = -1;
    let most = tolerance * tolerance;
    for (let i = first + 1; i < last; i++) {
      const fx = places[i][0] - places[first][0];
      const fy = places[i][1] - places[first][1];
      const along = squared > 0 ? Math.min(1, Math.max(0, (fx * dx + fy * dy) / squared)) : 0;
      const distance = (fx - along * dx) ** 2 + (fy - along * dy) ** 2;
      if (distance > most) {
        most = distance;
        farthest = i;
      }
    }
    if (farthest < 0) continue;
    kept[farthest] = 1;
    open.push([first, farthest], [farthest, last]);
  }
  return points.filter((_, i) => kept[i] === 1);
}

/** One line of a legend: how it is drawn, and what it is. */
export interface LegendEntry {
  name: string;
  role: Role;
  sample: 'line' | 'dashes' | 'dots' | 'area' | 'band' | Mark;
  hollow: boolean;
}

/** The legend of plots, in the order of their layers, bands and what is only compared with last; what is drawn alike under the same name stands once. */
export function legendOf(...plots: readonly Plot[]): LegendEntry[] {
  const seen = new Set<string>();
  const isAside = (layer: Layer): boolean =>
    layer.kind === 'band' || (layer.kind === 'line' && layer.reference === true);
  const layers = plots.flatMap((plot) => plot.layers);
  const ordered = [...layers.filter((layer) => !isAside(layer)), ...layers.filter(isAside)];
  return ordered.flatMap((layer): LegendEntry[] => {
    if (layer.inLegend === false) return [];
    const sample =
      layer.kind === 'marks'
        ? layer.mark
        : layer.kind === 'area' || layer.kind === 'band'
          ? layer.kind
          : (layer.dash ?? 'line');
    const key = `${layer.name} ${layer.role} ${sample}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ name: layer.name, role: layer.role, sample, hollow: layer.kind === 'marks' && layer.hollow === true }];
  });
}
