import { fontFamily } from '../../src-common/plots/draw.ts';
import { roundStep } from '../../src-common/plots/plot.ts';
import { coordinate, escapeXml } from '../../src-common/plots/svg.ts';
import { printTheme } from '../../src-common/plots/theme.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import type { CurvePoints } from './sweep.ts';

/** The colours and the type of every plot. */
export const palette = { ...printTheme, dimmed: printTheme.dim };

/** Attributes of an element. */
type Attributes = Record<string, string | number>;

/** An element that holds nothing. */
export function element(name: string, attributes: Attributes): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escapeXml(value)}"`,
  );
  return `<${name}${written.join('')}/>`;
}

/** A line of text at a place; 11 px and in the text colour if not said otherwise. */
export function textAt(x: number, y: number, text: string, attributes: Attributes = {}): string {
  const written = Object.entries({ x, y, ...attributes }).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escapeXml(value)}"`,
  );
  return `<text${written.join('')}>${escapeXml(visibleName(text))}</text>`;
}

/**
 * Cuts a text that would be wider than `width` pixels, marking the cut. The width of text is estimated on the wide
 * side (0.57 of the size per character; ideographs a whole one), since no font can be measured here.
 */
export function fitText(text: string, width: number, sizePixels: number): string {
  const widthOf = (character: string): number => ((character.codePointAt(0) ?? 0) >= 0x2e80 ? 1 : 0.57) * sizePixels;
  const characters = [...text];
  if (characters.reduce((sum, character) => sum + widthOf(character), 0) <= width) return text;
  let used = widthOf('…');
  let kept = 0;
  while (kept < characters.length && used + widthOf(characters[kept]) <= width) used += widthOf(characters[kept++]);
  return `${characters.slice(0, kept).join('')}…`;
}

/** A whole SVG document on white, with its title for assistive technology. */
export function svgDocument(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${escapeXml(fontFamily)}" font-size="11" fill="${palette.text}">`,
    `<title>${escapeXml(visibleName(title))}</title>`,
    element('rect', { width, height, fill: '#ffffff' }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** How data values become pixels along one axis, and which values are labelled. */
export interface Axis {
  label: string;
  /** Pixels from the start of the axis; what lies far outside it ends a little outside. */
  place(value: number, lengthPixels: number): number;
  ticks: { value: number; label: string }[];
}

/** A linear axis from `low` to `high` with ticks at round values. */
export function linearAxis(
  label: string,
  low: number,
  high: number,
  format: (value: number) => string = tickLabel,
  wantedTicks = 5,
): Axis {
  const step = roundStep((high - low) / wantedTicks);
  const ticks: Axis['ticks'] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) {
    // Multiples of the step, without the dust of adding it up.
    const value = Number((k * step).toPrecision(12));
    ticks.push({ value, label: format(value) });
  }
  return {
    label,
    place: (value, length) => justOutside(((value - low) / (high - low)) * length, length),
    ticks,
  };
}

/** Keeps a pixel within a margin around its axis, so that paths stay drawable. */
export function justOutside(pixel: number, length: number): number {
  return Math.min(length + 20, Math.max(-20, pixel));
}

function tickLabel(value: number): string {
  const size = Math.abs(value);
  return withMinus(size !== 0 && (size >= 1e6 || size < 1e-4) ? value.toExponential() : String(value));
}

/** A number's text with a true minus sign. */
export function withMinus(text: string): string {
  return text.replaceAll('-', '\u2212');
}

/** Parts of which only what lies in the area is seen (and half of a line on its edge). */
export function clipped(area: Area, parts: readonly string[]): string {
  const [x, y, w, h] = [area.left - 1, area.top - 1, area.width + 2, area.height + 2];
  return `<svg x="${x}" y="${y}" width="${w}" height="${h}" viewBox="${x} ${y} ${w} ${h}" overflow="hidden">${parts.join('')}</svg>`;
}

/** Where the plot's area lies in the picture. */
export interface Area {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Frame, grid, ticks and labels of a plot's area, and the functions that place data in it. */
export function axes(area: Area, horizontal: Axis, vertical: Axis): { x: Place; y: Place; parts: string[] } {
  const { left, top, width, height } = area;
  const x: Place = (value) => left + horizontal.place(value, width);
  const y: Place = (value) => top + height - vertical.place(value, height);
  const parts: string[] = [];
  for (const { value, label } of horizontal.ticks) {
    const at = x(value);
    parts.push(element('line', { x1: at, y1: top, x2: at, y2: top + height, stroke: palette.line }));
    parts.push(textAt(at, top + height + 16, label, { 'text-anchor': 'middle', fill: palette.dimmed }));
  }
  for (const { value, label } of vertical.ticks) {
    const at = y(value);
    parts.push(element('line', { x1: left, y1: at, x2: left + width, y2: at, stroke: palette.line }));
    parts.push(textAt(left - 6, at + 4, label, { 'text-anchor': 'end', fill: palette.dimmed }));
  }
  parts.push(element('rect', { x: left, y: top, width, height, fill: 'none', stroke: palette.inconclusive }));
  if (horizontal.label !== '') {
    parts.push(
      textAt(left + width / 2, top + height + 36, horizontal.label, { 'text-anchor': 'middle', 'font-size': 12 }),
    );
  }
  const middle = top + height / 2;
  parts.push(
    textAt(left - 58, middle, vertical.label, {
      'text-anchor': 'middle',
      'font-size': 12,
      transform: `rotate(-90 ${coordinate(left - 58)} ${coordinate(middle)})`,
    }),
  );
  return { x, y, parts };
}

/** From a data value to a pixel. */
export type Place = (value: number) => number;

/**
 * A curve as a path, without the points that nobody could see: what lies within a fifth of a pixel of the line through
 * its neighbours is left out (Douglas-Peucker).
 */
export function curvePath(points: CurvePoints, x: Place, y: Place, attributes: Attributes): string {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < points.x.length; i++) {
    const px = Math.round(x(points.x[i]) * 20) / 20;
    const py = Math.round(y(points.y[i]) * 20) / 20;
    const last = xs.length - 1;
    if (last >= 0 && xs[last] === px && ys[last] === py) continue;
    // On one horizontal or vertical line with the two before, and going on: the last is not needed.
    if (
      last >= 1 &&
      ((xs[last] === px && xs[last - 1] === px && Math.sign(py - ys[last]) === Math.sign(ys[last] - ys[last - 1])) ||
        (ys[last] === py && ys[last - 1] === py && Math.sign(px - xs[last]) === Math.sign(xs[last] - xs[last - 1])))
    ) {
      xs[last] = px;
      ys[last] = py;
      continue;
    }
    xs.push(px);
    ys.push(py);
  }
  const keep = simplified(xs, ys, 0.2);
  const data = keep.map((i, k) => `${k === 0 ? 'M' : 'L'}${coordinate(xs[i])} ${coordinate(ys[i])}`).join('');
  return element('path', { d: data, fill: 'none', 'stroke-width': 1.8, 'stroke-linejoin': 'round', ...attributes });
}

/** The area between two edges that run the same way; points that are no numbers are left out. */
export function bandPath(edges: readonly [CurvePoints, CurvePoints], x: Place, y: Place, colour: string): string {
  const places = edges.map((edge) =>
    Array.from(edge.x, (value, i) => [x(value), y(edge.y[i])]).filter(([px, py]) => !Number.isNaN(px + py)),
  );
  const outline = [...places[0], ...places[1].reverse()];
  const data = outline.map(([px, py], k) => `${k === 0 ? 'M' : 'L'}${coordinate(px)} ${coordinate(py)}`).join('');
  return element('path', { d: `${data}Z`, fill: colour, 'fill-opacity': '0.16' });
}

/** An interval as an upright line with short ends. */
export function whisker(x: number, y1: number, y2: number, colour: string): string {
  const data = `M${coordinate(x)} ${coordinate(y1)}V${coordinate(y2)}M${coordinate(x - 3)} ${coordinate(y1)}h6M${coordinate(x - 3)} ${coordinate(y2)}h6`;
  return element('path', { d: data, fill: 'none', stroke: colour, 'stroke-width': 1.2 });
}

/** Indices of the points that Douglas and Peucker's method keeps. */
function simplified(xs: readonly number[], ys: readonly number[], tolerance: number): number[] {
  const kept = new Uint8Array(xs.length);
  if (xs.length > 0) kept[0] = kept[xs.length - 1] = 1;
  const open: [number, number][] = [[0, xs.length - 1]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [first, last] = range;
    const dx = xs[last] - xs[first];
    const dy = ys[last] - ys[first];
    const squared = dx * dx + dy * dy;
    let farthest = -1;
    let most = tolerance * tolerance;
    for (let i = first + 1; i < last; i++) {
      const fx = xs[i] - xs[first];
      const fy = ys[i] - ys[first];
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
  return Array.from(kept.keys()).filter((i) => kept[i] === 1);
}

/** One line of a legend. */
export interface LegendEntry {
  text: string;
  colour: string;
  mark: 'line' | 'dashes' | 'dots' | 'box' | 'band' | 'dot' | 'point' | 'none';
}

/** A legend as a column of lines from `top` downwards, 18 px each. */
export function legend(left: number, top: number, width: number, entries: readonly LegendEntry[]): string[] {
  return entries.flatMap(({ text, colour, mark }, index) => {
    const middle = top + index * 18 + 9;
    const stroke = { stroke: colour, 'stroke-width': 1.8 };
    const line = { x1: left, y1: middle, x2: left + 22, y2: middle, ...stroke };
    const drawn = {
      line: () => element('line', line),
      dashes: () => element('line', { ...line, 'stroke-dasharray': dashes }),
      dots: () => element('line', { ...line, 'stroke-dasharray': dots }),
      box: () =>
        element('rect', {
          x: left + 4,
          y: middle - 5,
          width: 14,
          height: 10,
          fill: colour,
          'fill-opacity': '0.55',
          stroke: colour,
        }),
      band: () =>
        element('rect', { x: left, y: middle - 5, width: 22, height: 10, fill: colour, 'fill-opacity': '0.16' }),
      dot: () => element('circle', { cx: left + 11, cy: middle, r: 3.2, fill: colour }),
      point: () => operatingPoint(left + 11, middle, colour),
      none: () => '',
    }[mark]();
    return [drawn, textAt(left + 30, middle + 4, fitText(text, width - 30, 11))];
  });
}

/** Height in pixels of a legend. */
export function legendHeight(entries: readonly LegendEntry[]): number {
  return entries.length * 18;
}

export const dashes = '6 4';
export const dots = '2 3';

/** The mark of an operating point. */
export function operatingPoint(x: number, y: number, colour: string): string {
  return element('circle', { cx: x, cy: y, r: 4.5, fill: '#ffffff', stroke: colour, 'stroke-width': 2 });
}

/** A plot's heading: what it shows, and of what below it. */
export function heading(left: number, width: number, title: string, subtitle: string): string[] {
  return [
    textAt(left, 24, fitText(title, width, 14), { 'font-size': 14, 'font-weight': 600 }),
    textAt(left, 42, fitText(subtitle, width, 11), { fill: palette.dimmed }),
  ];
}
