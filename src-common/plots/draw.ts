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
/** Lengths of strokes and gaps, in pixels. */
export const dashes = { dashes: [6, 4], dots: [2, 3] } as const;

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
  clipped(frame: Frame, draw: () => void): void;
}

/** A pen that puts pictures into what it draws. */
export interface PicturePen extends Pen {
  /** @param pngBase64 a PNG, stretched over the frame */
  picture(frame: Frame, pngBase64: string): void;
}

/** Several plots in one picture, under one title and over one legend. */
export interface Sheet extends Pick<Plot, 'title' | 'subject' | 'gist' | 'note'> {
  /** From left to right, then downwards; each under its own title where that is not the sheet's. */
  plots: readonly Plot[];
  columns: number;
}

/** Where the axes of a plot lie, in pixels. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

const margin = { left: 84, right: 28, top: 64, below: 54, bottom: 12 };
const heading = 20;
const legendLine = 18;
const noteLine = 15;
/** Names along a vertical axis are cut where they are wider. */
const widestLabel = 240;

interface Layout {
  width: number;
  height: number;
  frames: { plot: Plot; frame: Frame; title: string | null }[];
  legend: readonly LegendEntry[];
  notes: readonly string[];
  legendTop: number;
}

function layoutOf(sheet: Sheet): Layout {
  const { plots, title, note } = sheet;
  const columns = Math.max(1, Math.min(sheet.columns, plots.length));
  const [cell, usualHeight] = columns > 1 ? [432, 200] : [720, 400];
  const widest = Math.max(...plots.flatMap(({ y }) => labels(y).map(([, text]) => textWidth(text, 11))));
  const left = Math.max(margin.left, 40 + Math.min(widest, widestLabel));
  const frames: Layout['frames'] = [];
  let top = margin.top;
  for (let first = 0; first < plots.length; first += columns) {
    const row = plots.slice(first, first + columns);
    const titled = row.some((plot) => plot.title !== title);
    if (titled) top += heading;
    for (const [column, plot] of row.entries()) {
      const frame = {
        left: column * cell + left,
        top,
        width: cell - left - margin.right,
        height: plot.height ?? usualHeight,
      };
      frames.push({ plot, frame, title: titled ? plot.title : null });
    }
    top += Math.max(...row.map(({ height = usualHeight }) => height)) + margin.below;
  }
  const width = columns * cell;
  const legend = legendOf(...plots);
  const said = new Set([...plots.map((plot) => plot.note), note].filter((each) => each !== undefined));
  const notes = [...said].flatMap((each) => wrapped(each, width - margin.left - margin.right, 11));
  const below = legend.length * legendLine + notes.length * noteLine + (notes.length > 0 ? 6 : 0);
  return { width, height: top + below + margin.bottom, frames, legend, notes, legendTop: top };
}

function sheetOf(picture: Plot | Sheet): Sheet {
  return 'plots' in picture ? picture : { ...picture, plots: [picture], columns: 1 };
}

/** Size of the exported picture of a plot, in pixels. */
export function pictureSize(picture: Plot | Sheet): { width: number; height: number } {
  const { width, height } = layoutOf(sheetOf(picture));
  return { width, height };
}

/** Draws a plot, or a sheet of them, over the whole picture. */
export function drawPlot(picture: Plot | Sheet, pen: Pen, theme: Theme = printTheme): void {
  const sheet = sheetOf(picture);
  const { width, height, frames, legend, notes, legendTop } = layoutOf(sheet);
  const { left } = margin;
  const room = width - left - margin.right;
  pen.polygon(corners({ left: 0, top: 0, width, height }), { fill: theme.pane, opacity: 1 });
  pen.text(left, 26, fitText(sheet.title, room, 14), { size: 14, fill: theme.text, bold: true });
  pen.text(left, 45, fitText(sheet.subject, room, 11), { size: 11, fill: theme.dim });
  for (const { plot, frame, title } of frames) {
    if (title !== null) {
      const text = fitText(title, frame.width, 12);
      pen.text(frame.left, frame.top - 8, text, { size: 12, fill: theme.text, bold: true });
    }
    drawPanel(plot, frame, pen, theme);
  }
  let top = legendTop;
  for (const entry of legend) {
    drawSample(entry, left, top + legendLine / 2, pen, theme);
    const name = fitText(entry.name, room - 30, 11);
    pen.text(left + 30, top + legendLine / 2 + 4, name, { size: 11, fill: theme.text });
    top += legendLine;
  }
  top += 6;
  for (const line of notes) {
    pen.text(left, top + 11, line, { size: 11, fill: theme.dim });
    top += noteLine;
  }
}

/** Corners of a rectangle, clockwise from the top left. */
export function corners({ left, top, width, height }: Frame): Point[] {
  return [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]; // prettier-ignore
}

function drawPanel(plot: Plot, frame: Frame, pen: Pen, theme: Theme): void {
  const { left, top, width, height } = frame;
  drawAxes(plot, frame, pen, theme);
  const place = ([x, y]: Point): Point => [
    left + shareOf(plot.x, x) * width,
    top + height - shareOf(plot.y, y) * height,
  ];
  pen.clipped({ left: left - 1, top: top - 1, width: width + 2, height: height + 2 }, () => {
    for (const layer of plot.layers) if (layer.kind !== 'marks') drawLayer(layer, place, frame, pen, theme);
  });
  // Marks are whole at the edge of the area too.
  for (const layer of plot.layers) if (layer.kind === 'marks') drawLayer(layer, place, frame, pen, theme);
}

function drawAxes({ x, y }: Plot, frame: Frame, pen: Pen, theme: Theme): void {
  const { left, top, width, height } = frame;
  const grid: LineStyle = { stroke: theme.line, width: 1 };
  const label: TextStyle = { size: 11, fill: theme.dim };
  for (const [value, text] of labels(x)) {
    const at = left + shareOf(x, value) * width;
    pen.line([[at, top], [at, top + height]], grid); // prettier-ignore
    pen.text(at, top + height + 16, text, { ...label, anchor: 'middle' });
  }
  for (const [value, text] of labels(y)) {
    const at = top + height - shareOf(y, value) * height;
    pen.line([[left, at], [left + width, at]], grid); // prettier-ignore
    pen.text(left - 6, at + 4, fitText(text, widestLabel, 11), { ...label, anchor: 'end' });
  }
  const edges = corners(frame);
  pen.line([...edges, edges[0]], { stroke: theme.inconclusive, width: 1 });
  const name: TextStyle = { size: 12, fill: theme.text, anchor: 'middle' };
  pen.text(left + width / 2, top + height + 36, fitText(x.label, width + margin.right, 12), name);
  if (y.label !== '') pen.text(left - 58, top + height / 2, y.label, { ...name, upright: true });
}

function labels(axis: PlotAxis): [number, string][] {
  return ticksOf(axis).map((value) => [value, axis.format(value)]);
}

/**
 * Draws one layer.
 * @param place from values to pixels.
 * @param frame what marks are kept in and uprights reach through.
 */
export function drawLayer(layer: Layer, place: (point: Point) => Point, frame: Frame, pen: Pen, theme: Theme): void {
  const colour = theme[layer.role];
  const dashed = 'dash' in layer && layer.dash ? { dash: dashes[layer.dash] } : {};
  switch (layer.kind) {
    case 'line': {
      const width = layer.faint ? 0.8 : layer.reference ? 1.2 : 1.8;
      pen.line(thin(layer.points.filter(isDrawable), place).map(place), { stroke: colour, width, ...dashed });
      return;
    }
    case 'area': {
      const points = layer.points.filter(isDrawable);
      if (points.length === 0) return;
      const outline = thin(points, place).map(place);
      const base = place([0, 0])[1];
      pen.polygon([[outline[0][0], base], ...outline, [outline[outline.length - 1][0], base]], {
        fill: colour,
        opacity: 0.35,
      });
      pen.line(outline, { stroke: colour, width: 1.2 });
      return;
    }
    case 'band': {
      const points = layer.points.filter((point) => point.every((value) => !Number.isNaN(value)));
      const low = points.map(([x, lower]) => place([x, lower]));
      const high = points.map(([x, , upper]) => place([x, upper]));
      if (points.length > 1) pen.polygon([...low, ...high.reverse()], { fill: colour, opacity: 0.16 });
      return;
    }
    case 'marks':
      layer.points.forEach((point, i) => {
        if (!isDrawable(point)) return;
        const [x, y] = inside(place(point), frame);
        const at: Point = [x + (layer.shift ?? 0), y];
        const whisker = layer.whiskers?.[i];
        if (whisker) drawWhisker(at, whisker, layer.level === true, place, frame, { stroke: colour, width: 1.2 }, pen);
        drawMark(layer.mark, at, colour, layer.hollow ? theme.pane : colour, pen);
      });
      return;
    case 'upright': {
      const [at] = place([layer.x, 0]);
      pen.line([[at, frame.top], [at, frame.top + frame.height]], { stroke: colour, width: 1.6, ...dashed }); // prettier-ignore
      if (layer.label === undefined) return;
      const isLeft = at + 4 + textWidth(layer.label, 11) > frame.left + frame.width;
      const text: TextStyle = { size: 11, fill: colour, anchor: isLeft ? 'end' : 'start' };
      pen.text(at + (isLeft ? -4 : 4), frame.top + 14, layer.label, text);
    }
  }
}

/** An interval with short ends, upright or level, through a mark. */
function drawWhisker(
  [x, y]: Point,
  ends: readonly [number, number],
  level: boolean,
  place: (point: Point) => Point,
  frame: Frame,
  style: LineStyle,
  pen: Pen,
): void {
  const [from, to] = ends.map((end): Point => {
    const [endX, endY] = inside(place([end, end]), frame);
    return level ? [endX, y] : [x, endY];
  });
  const [dx, dy] = level ? [0, 3] : [3, 0];
  pen.line([from, to], style);
  for (const [endX, endY] of [from, to]) pen.line([[endX - dx, endY - dy], [endX + dx, endY + dy]], style); // prettier-ignore
}

/** What lies outside the plot is marked on its edge. */
function inside([x, y]: Point, { left, top, width, height }: Frame): Point {
  return [Math.min(left + width, Math.max(left, x)), Math.min(top + height, Math.max(top, y))];
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
  const box = (from: number, to: number): Point[] =>
    corners({ left: left + from, top: middle - 5, width: to - from, height: 10 });
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
export function fitText(text: string, most: number, sizePixels: number): string {
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
