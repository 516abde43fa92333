/** A plot on the screen, drawn by chart.js. */
import {
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  type ScaleOptionsByType,
  Tooltip,
} from 'chart.js';
import { color } from 'chart.js/helpers';
import { markOutline } from '../../src-common/plots/draw.ts';
import type { Mark, Theme } from '../../src-common/plots/theme.ts';
import { type MarksLayer, type Plot, type PlotAxis, type Point, ticksOf } from '../../src-common/plots/plot.ts';
import { ProbitScale } from './probit-scale.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, ProbitScale, Filler, Tooltip);

type LineData = ChartDataset<'line', { x: number; y: number }[]>;
const dashes = { dashes: [6, 4], dots: [2, 3] };

/** How a plot looks on the screen. */
export interface Look {
  theme: Theme;
  font: string;
}

/** A canvas on which a plot is kept; changes are drawn at once, without animation. */
export class PlotChart {
  readonly #chart: Chart<'line'>;
  #plot: Plot;
  #look: Look;

  constructor(canvas: HTMLCanvasElement, plot: Plot, look: Look) {
    this.#plot = plot;
    this.#look = look;
    const { data, options } = configurationOf(plot, look);
    this.#chart = new Chart(canvas, { type: 'line', data, options, plugins: [this.#overlay()] });
  }

  /** Shows another plot, or the same one otherwise. */
  show(plot: Plot, look: Look): void {
    if (plot === this.#plot && look === this.#look) return;
    this.#plot = plot;
    this.#look = look;
    const { data, options } = configurationOf(plot, look);
    this.#chart.data = data;
    this.#chart.options = options;
    this.#chart.update('none');
  }

  /** The value on the horizontal axis under a place in the window, kept inside the axis. */
  valueAt(clientX: number): number {
    const { left } = this.#chart.canvas.getBoundingClientRect();
    const value = this.#chart.scales.x.getValueForPixel(clientX - left) ?? this.#plot.x.from;
    return Math.min(this.#plot.x.to, Math.max(this.#plot.x.from, value));
  }

  destroy(): void {
    this.#chart.destroy();
  }

  /** Draws, above the curves, what chart.js has no element for: intervals, lines across the plot, the marks of models. */
  #overlay(): Plugin<'line'> {
    return {
      id: 'overlay',
      afterDatasetsDraw: ({ ctx: context, chartArea, scales: { x, y } }) => {
        const { theme } = this.#look;
        const within = (px: number, py: number): Point => [
          Math.min(chartArea.right, Math.max(chartArea.left, px)),
          Math.min(chartArea.bottom, Math.max(chartArea.top, py)),
        ];
        context.save();
        for (const layer of this.#plot.layers) {
          context.strokeStyle = theme[layer.role];
          if (layer.kind === 'upright') {
            const at = x.getPixelForValue(layer.x);
            context.lineWidth = 1.6;
            context.setLineDash(layer.dash ? dashes[layer.dash] : []);
            stroke(context, [[at, chartArea.top], [at, chartArea.bottom]]); // prettier-ignore
            context.setLineDash([]);
          } else if (layer.kind === 'marks') {
            drawMarks(context, layer, theme, (px, py) => within(x.getPixelForValue(px), y.getPixelForValue(py)));
          }
        }
        context.restore();
      },
    };
  }
}

/** Without chart.js's own title and legend: the page has those. */
function configurationOf(
  plot: Plot,
  { theme, font }: Look,
): Required<Pick<ChartConfiguration<'line'>, 'data' | 'options'>> {
  return {
    data: { datasets: datasetsOf(plot, theme) },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      parsing: false,
      normalized: true,
      color: theme.dim,
      layout: { padding: { top: 6, right: 12 } },
      interaction: { mode: 'nearest', axis: 'xy', intersect: false },
      scales: { x: scaleOf(plot.x, theme, font), y: scaleOf(plot.y, theme, font) },
      plugins: {
        tooltip: {
          animation: false,
          backgroundColor: theme.text,
          titleColor: theme.pane,
          bodyColor: theme.pane,
          titleFont: { family: font, size: 12 },
          bodyFont: { family: font, size: 12 },
          cornerRadius: 3,
          displayColors: false,
          // Bands, fills and what a line is compared with answer no pointer.
          filter: ({ dataset }) => dataset.pointHitRadius !== 0,
          callbacks: {
            title: (items) => items[0]?.dataset.label ?? '',
            label: ({ parsed }) => [
              `${plot.x.label}: ${plot.x.format(parsed.x ?? Number.NaN)}`,
              `${plot.y.label}: ${plot.y.format(parsed.y ?? Number.NaN)}`,
            ],
          },
        },
      },
    },
  };
}

function scaleOf(axis: PlotAxis, theme: Theme, font: string): ScaleOptionsByType<'linear' | 'probit'> {
  const ticks = ticksOf(axis);
  return {
    type: axis.scale,
    min: axis.from,
    max: axis.to,
    grid: { color: theme.line, tickLength: 4 },
    border: { color: theme.inconclusive },
    title: { display: true, text: axis.label, color: theme.text, font: { family: font, size: 12 } },
    ticks: {
      color: theme.dim,
      font: { family: font, size: 11 },
      maxRotation: 0,
      autoSkip: axis.scale !== 'probit',
      autoSkipPadding: 6,
      callback: (value: number | string) => axis.format(Number(value)),
    },
    // The same labels as in the exported picture, as far as there is room for them.
    ...(axis.scale === 'probit'
      ? {}
      : {
          afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
            scale.ticks = ticks.map((value) => ({ value }));
          },
        }),
  } as unknown as ScaleOptionsByType<'linear' | 'probit'>;
}

function datasetsOf(plot: Plot, theme: Theme): LineData[] {
  // chart.js draws the first dataset last.
  return [...plot.layers].reverse().flatMap((layer): LineData[] => {
    const colour = theme[layer.role];
    const bare = { label: layer.name, borderColor: colour, pointRadius: 0, pointHoverRadius: 0 };
    switch (layer.kind) {
      case 'line':
        return [
          {
            ...bare,
            data: places(layer.points),
            borderWidth: layer.faint ? 0.8 : layer.reference ? 1.2 : 1.8,
            borderDash: layer.dash ? dashes[layer.dash] : [],
            pointHoverRadius: layer.reference ? 0 : 3,
            pointHoverBackgroundColor: colour,
            pointHitRadius: layer.reference ? 0 : 6,
          },
        ];
      case 'area':
        return [
          {
            ...bare,
            data: places(layer.points),
            borderWidth: 1.2,
            backgroundColor: withOpacity(colour, 0.35),
            fill: 'origin',
            pointHitRadius: 0,
          },
        ];
      case 'band': {
        const edge = (side: 1 | 2): LineData => ({
          ...bare,
          data: places(layer.points.map((point): Point => [point[0], point[side]])),
          borderWidth: 0,
          backgroundColor: withOpacity(colour, 0.16),
          fill: side === 2 ? '-1' : false,
          pointHitRadius: 0,
        });
        return [edge(1), edge(2)];
      }
      case 'marks':
        return [{ ...bare, data: places(layer.points), showLine: false, pointHitRadius: 8 }];
      case 'upright':
        return [];
    }
  });
}

function places(points: readonly Point[]): { x: number; y: number }[] {
  return points.map(([x, y]) => ({ x, y }));
}

function withOpacity(colour: string, opacity: number): string {
  return color(colour).alpha(opacity).rgbString();
}

function drawMarks(
  context: CanvasRenderingContext2D,
  layer: MarksLayer,
  theme: Theme,
  place: (x: number, y: number) => Point,
): void {
  layer.points.forEach(([px, py], i) => {
    if (Number.isNaN(px) || Number.isNaN(py)) return;
    const whisker = layer.whiskers?.[i];
    if (whisker) {
      const [at, low] = place(px, whisker[0]);
      const [, high] = place(px, whisker[1]);
      context.lineWidth = 1.2;
      stroke(context, [[at, low], [at, high]]); // prettier-ignore
      for (const end of [low, high]) stroke(context, [[at - 3, end], [at + 3, end]]); // prettier-ignore
    }
    drawMark(context, layer.mark, place(px, py), layer.hollow ? theme.pane : theme[layer.role]);
  });
}

function drawMark(context: CanvasRenderingContext2D, mark: Mark, [x, y]: Point, fill: string): void {
  const outline = markOutline(mark).map(([dx, dy]): Point => [x + dx, y + dy]);
  context.lineWidth = mark === 'cross' ? 2 : 1.8;
  if (mark === 'cross') {
    stroke(context, outline.slice(0, 2));
    stroke(context, outline.slice(2));
    return;
  }
  context.fillStyle = fill;
  trace(context, outline);
  context.closePath();
  context.fill();
  context.stroke();
}

function stroke(context: CanvasRenderingContext2D, points: readonly Point[]): void {
  trace(context, points);
  context.stroke();
}

function trace(context: CanvasRenderingContext2D, points: readonly Point[]): void {
  context.beginPath();
  points.forEach(([x, y], k) => (k === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
}
