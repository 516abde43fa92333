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
import { dashes, drawLayer } from '../../src-common/plots/draw.ts';
import type { Theme } from '../../src-common/plots/theme.ts';
import { type Plot, type PlotAxis, type Point, ticksOf } from '../../src-common/plots/plot.ts';
import { CanvasPen } from './canvas.ts';
import { ProbitScale } from './probit-scale.ts';

Chart.register(LineController, LineElement, PointElement, LinearScale, ProbitScale, Filler, Tooltip);

type LineData = ChartDataset<'line', { x: number; y: number }[]>;

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
        const { theme, font } = this.#look;
        const { left, top, width, height } = chartArea;
        const place = ([px, py]: Point): Point => [x.getPixelForValue(px), y.getPixelForValue(py)];
        const pen = new CanvasPen(context, font);
        context.save();
        for (const layer of this.#plot.layers) {
          if (layer.kind === 'upright' || layer.kind === 'marks') {
            drawLayer(layer, place, { left, top, width, height }, pen, theme);
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
            borderDash: layer.dash ? [...dashes[layer.dash]] : [],
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
