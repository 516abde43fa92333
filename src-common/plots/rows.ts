/** The data of a plot as rows: for the CSV file and for the table beside the picture. */
import type { Layer, Plot } from './plot.ts';

export interface PlotRow {
  series: string;
  x: number;
  /** Null for an interval or band alone, and for a line across the plot. */
  y: number | null;
  low: number | null;
  high: number | null;
}

/** Every value that is plotted, as it came, none left out, bands last; what is only there to compare with is not data. */
export function rowsOf(plot: Plot): PlotRow[] {
  const isBand = (layer: Layer): boolean => layer.kind === 'band';
  return [...plot.layers.filter((layer) => !isBand(layer)), ...plot.layers.filter(isBand)].flatMap(layerRows);
}

function layerRows(layer: Layer): PlotRow[] {
  const series = layer.name;
  switch (layer.kind) {
    case 'line':
      return layer.reference ? [] : layer.points.map(([x, y]) => ({ series, x, y, low: null, high: null }));
    case 'area':
      return layer.bins
        ? layer.bins.map(({ from, to, value }) => ({ series, x: (from + to) / 2, y: value, low: null, high: null }))
        : layer.points.map(([x, y]) => ({ series, x, y, low: null, high: null }));
    case 'band':
      return layer.reference ? [] : layer.points.map(([x, low, high]) => ({ series, x, y: null, low, high }));
    case 'marks':
      return layer.points.map(([x, y], i) => {
        const [low, high] = layer.whiskers?.[i] ?? [null, null];
        return { series, x, y, low, high };
      });
    case 'upright':
      return [{ series, x: layer.x, y: null, low: null, high: null }];
  }
}

/** The data of a plot as CSV (RFC 4180): one row a value, the series named in each. */
export function plotCsv(plot: Plot): string {
  const { column } = plot.y;
  const lines = rowsOf(plot).map(({ series, x, y, low, high }) => csvLine([series, x, y, low, high]));
  return csvLine(['series', plot.x.column, column, `${column}_low`, `${column}_high`]) + lines.join('');
}

/** One line, with its break; null is empty, and no text begins as a formula does in a spreadsheet. */
function csvLine(cells: readonly (string | number | null)[]): string {
  const written = cells.map((cell) => {
    if (cell === null) return '';
    if (typeof cell === 'number') return String(cell);
    const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}
