/**
 * Draws a plot on white for an export: one layout, two pens (SVG text and a canvas), so that both files show the same
 * picture, with title, axes, units and legend.
 */
import type { Mark, Theme } from './theme.ts';
import { printTheme } from './theme.ts';
import {
  type Layer,
  type LegendEntry,
  legendOf,
  type Plot,
  type PlotAxis,
  type Point,
  shareOf,
  thin,
  ticksOf,
} from './plot.ts';

export const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const dashes = { dashes: [6, 4], dots: [2, 3] } as const;

export interface LineStyle {
  stroke: string;
  width: number;
  dash?: readonly number[];
}

export interface FillStyle {
  fill: string;
  opacity: number;
}

export interface TextStyle {
  size: number;
  fill: string;
  bold?: boolean;
  anchor?: 'start' | 'middle' | 'end';
  /** Read from below to above. */
  upright?: boolean;
}

/** What a picture is drawn with; places in pixels from the top left. */
export interface Pen {
  line(points: readonly Point[], style: LineStyle): void;
  polygon(points: readonly Point[], style: FillStyle): void;
  text(x: number, y: number, text: string, style: TextStyle): void;
  /** Draws what `draw` draws, where it lies inside the rectangle. */
  clipped(left: number, top: number, width: number, height: number, draw: () => void): void;
}

const width = 720;
const area = { left: 84, top: 64, width: 608, height: 400 };
const legendLine = 18;

/** Size of the exported picture of a plot, in pixels. */
export function pictureSize(plot: Plot): { width: number; height: number } {
  const notes = plot.note === undefined ? [] : wrapped(plot.note, area.width, 11);
  const below = legendOf(plot).length * legendLine + notes.length * 15 + (notes.length > 0 ? 6 : 0);
  return { width, height: area.top + area.height + 54 + below + 12 };
}

/** Draws a plot over the whole picture. */
export function drawPlot(plot: Plot, pen: Pen, theme: Theme = printTheme): void {
  const { height } = pictureSize(plot);
  const corners: Point[] = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ];
  pen.polygon(corners, { fill: theme.pane, opacity: 1 });
  pen.text(area.left, 26, fitText(plot.title, area.width, 14), { size: 14, fill: theme.text, bold: true });
  pen.text(area.left, 45, fitText(plot.subject, area.width, 11), { size: 11, fill: theme.dim });
  drawAxes(plot, pen, theme);
  const x = (value: number): number => area.left + shareOf(plot.x, value) * area.width;
  const y = (value: number): number => area.top + area.height - shareOf(plot.y, value) * area.height;
  pen.clipped(area.left - 1, area.top - 1, area.width + 2, area.height + 2, () => {
    for (const layer of plot.layers) if (layer.kind !== 'marks') drawLayer(layer, x, y, pen, theme);
  });
  // Marks are whole at the edge of the area too.
  for (const layer of plot.layers) if (layer.kind === 'marks') drawLayer(layer, x, y, pen, theme);
  let top = area.top + area.height + 54;
  for (const entry of legendOf(plot)) {
    drawSample(entry, area.left, top + legendLine / 2, pen, theme);
    pen.text(area.left + 30, top + legendLine / 2 + 4, fitText(entry.name, area.width - 30, 11), {
      size: 11,
      fill: theme.text,
    });
    top += legendLine;
  }
  if (plot.note === undefined) return;
  top += 6;
  for (const line of wrapped(plot.note, area.width, 11)) {
    pen.text(area.left, top + 11, line, { size: 11, fill: theme.dim });
    top += 15;
  }
}

function drawAxes(plot: Plot, pen: Pen, theme: Theme): void {
  const { left, top, width: across, height } = area;
  const grid: LineStyle = { stroke: theme.line, width: 1 };
  const label: TextStyle = { size: 11, fill: theme.dim };
  for (const [value, text] of labels(plot.x)) {
    const at = left + shareOf(plot.x, value) * across;
    pen.line([[at, top], [at, top + height]], grid); // prettier-ignore
    pen.text(at, top + height + 16, text, { ...label, anchor: 'middle' });
  }
  for (const [value, text] of labels(plot.y)) {
    const at = top + height - shareOf(plot.y, value) * height;
    pen.line([[left, at], [left + across, at]], grid); // prettier-ignore
    pen.text(left - 6, at + 4, text, { ...label, anchor: 'end' });
  }
  const frame: Point[] = [
    [left, top],
    [left + across, top],
    [left + across, top + height],
    [left, top + height],
    [left, top],
  ];
  pen.line(frame, { stroke: theme.inconclusive, width: 1 });
  const name: TextStyle = { size: 12, fill: theme.text, anchor: 'middle' };
  pen.text(left + across / 2, top + height + 36, plot.x.label, name);
  pen.text(left - 58, top + height / 2, plot.y.label, { ...name, upright: true });
}

function labels(axis: PlotAxis): [number, string][] {
  return ticksOf(axis).map((value) => [value, axis.format(value)]);
}

function drawLayer(
  layer: Layer,
  x: (value: number) => number,
  y: (value: number) => number,
  pen: Pen,
  theme: Theme,
): void {
  const colour = theme[layer.role];
  const place = ([px, py]: Point): Point => [x(px), y(py)];
  switch (layer.kind) {
    case 'line': {
      const dash = layer.dash && dashes[layer.dash];
      const style = {
        stroke: colour,
        width: layer.faint ? 0.8 : layer.reference ? 1.2 : 1.8,
        ...(dash ? { dash } : {}),
      };
      pen.line(thin(layer.points.filter(isDrawable), place).map(place), style);
      return;
    }
    case 'area': {
      const points = layer.points.filter(isDrawable);
      if (points.length === 0) return;
      const outline = thin(points, place).map(place);
      const base = y(0);
      pen.polygon([[outline[0][0], base], ...outline, [outline[outline.length - 1][0], base]], {
        fill: colour,
        opacity: 0.35,
      });
      pen.line(outline, { stroke: colour, width: 1.2 });
      return;
    }
    case 'band': {
      const points = layer.points.filter((point) => point.every((value) => !Number.isNaN(value)));
      const low = points.map(([px, lower]): Point => [x(px), y(lower)]);
      const high = points.map(([px, , upper]): Point => [x(px), y(upper)]);
      if (points.length > 1) pen.polygon([...low, ...high.reverse()], { fill: colour, opacity: 0.16 });
      return;
    }
    case 'marks':
      layer.points.forEach((point, i) => {
        if (!isDrawable(point)) return;
        const whisker = layer.whiskers?.[i];
        const at = inside(place(point));
        if (whisker) {
          const [lower, upper] = whisker.map((value) => Math.min(area.top + area.height, Math.max(area.top, y(value))));
          const style = { stroke: colour, width: 1.2 };
          pen.line([[at[0], lower], [at[0], upper]], style); // prettier-ignore
          for (const end of [lower, upper]) pen.line([[at[0] - 3, end], [at[0] + 3, end]], style); // prettier-ignore
        }
        drawMark(layer.mark, at, colour, layer.hollow ? theme.pane : colour, pen);
      });
      return;
    case 'upright': {
      const dash = layer.dash && dashes[layer.dash];
      const at = x(layer.x);
      const ends: Point[] = [
        [at, area.top],
        [at, area.top + area.height],
      ];
      pen.line(ends, { stroke: colour, width: 1.6, ...(dash ? { dash } : {}) });
    }
  }
}

/** What lies outside the plot is marked on its edge. */
function inside([x, y]: Point): Point {
  return [
    Math.min(area.left + area.width, Math.max(area.left, x)),
    Math.min(area.top + area.height, Math.max(area.top, y)),
  ];
}

function isDrawable([x, y]: Point): boolean {
  return !Number.isNaN(x) && !Number.isNaN(y);
}

function drawMark(mark: Mark, [x, y]: Point, stroke: string, fill: string, pen: Pen): void {
  const outline = markOutline(mark).map(([dx, dy]): Point => [x + dx, y + dy]);
  if (mark === 'cross') {
    pen.line([outline[0], outline[1]], { stroke, width: 2 });
    pen.line([outline[2], outline[3]], { stroke, width: 2 });
    return;
  }
  pen.polygon(outline, { fill, opacity: 1 });
  pen.line([...outline, outline[0]], { stroke, width: 1.8 });
}

/** Corners of a mark around its place. */
export function markOutline(mark: Mark): Point[] {
  const corners: Record<Mark, () => Point[]> = {
    circle: () =>
      Array.from({ length: 24 }, (_, k) => [4.2 * Math.cos((k * Math.PI) / 12), 4.2 * Math.sin((k * Math.PI) / 12)]),
    square: () => [[-3.8, -3.8], [3.8, -3.8], [3.8, 3.8], [-3.8, 3.8]], // prettier-ignore
    diamond: () => [[0, -5.2], [5.2, 0], [0, 5.2], [-5.2, 0]], // prettier-ignore
    triangle: () => [[0, -5], [4.8, 3.6], [-4.8, 3.6]], // prettier-ignore
    triangleDown: () => [[0, 5], [4.8, -3.6], [-4.8, -3.6]], // prettier-ignore
    cross: () => [[-4, -4], [4, 4], [-4, 4], [4, -4]], // prettier-ignore
  };
  return corners[mark]();
}

function drawSample(entry: LegendEntry, left: number, middle: number, pen: Pen, theme: Theme): void {
  const stroke = theme[entry.role];
  const box = (from: number, to: number): Point[] => [
    [left + from, middle - 5],
    [left + to, middle - 5],
    [left + to, middle + 5],
    [left + from, middle + 5],
  ];
  const { sample } = entry;
  if (sample === 'line' || sample === 'dashes' || sample === 'dots') {
    const dash = sample === 'line' ? {} : { dash: dashes[sample] };
    pen.line([[left, middle], [left + 22, middle]], { stroke, width: 1.8, ...dash }); // prettier-ignore
  } else if (sample === 'area') {
    pen.polygon(box(4, 18), { fill: stroke, opacity: 0.35 });
    pen.line([...box(4, 18), box(4, 18)[0]], { stroke, width: 1.2 });
  } else if (sample === 'band') {
    pen.polygon(box(0, 22), { fill: stroke, opacity: 0.16 });
  } else {
    drawMark(sample, [left + 11, middle], stroke, entry.hollow ? theme.pane : stroke, pen);
  }
}

/** Wide on purpose: 0.57 of the size for a letter, a whole one for ideographs, since a file's reader picks the font. */
function textWidth(text: string, sizePixels: number): number {
  return [...text].reduce((sum, letter) => sum + ((letter.codePointAt(0) ?? 0) >= 0x2e80 ? 1 : 0.57) * sizePixels, 0);
}

/** Cuts a text that would be wider than so many pixels, marking the cut. */
function fitText(text: string, most: number, sizePixels: number): string {
  if (textWidth(text, sizePixels) <= most) return text;
  let kept = '';
  for (const letter of text) {
    if (textWidth(`${kept}${letter}…`, sizePixels) > most) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** Lines of a text that each fit into so many pixels. */
function wrapped(text: string, most: number, sizePixels: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, sizePixels) > most) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].map((each) => fitText(each, most, sizePixels));
}
