import { Resvg } from '@resvg/resvg-js';
import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { printTheme } from './theme.ts';
import { plotSvg } from './svg.ts';
import { pictureSize } from './draw.ts';
import type { Plot } from './plot.ts';
import { plotCsv, rowsOf } from './rows.ts';

const plot: Plot = {
  id: 'roc',
  title: 'Receiver operating characteristic <ROC> & more',
  subject: 'model “A” 😀 \u0007; corpus, test',
  x: {
    label: 'Spoofs accepted (%)',
    column: 'spoofs_accepted',
    scale: 'linear',
    from: 0,
    to: 1,
    format: (v) => `${100 * v}`,
  },
  y: {
    label: 'Bona fide accepted (%)',
    column: 'bonafide_accepted',
    scale: 'linear',
    from: 0,
    to: 1,
    format: (v) => `${100 * v}`,
  },
  layers: [
    { kind: 'band', name: '95 % confidence bands', role: 'model1', points: [[0, 0.1, 0.5], [1, 0.8, 1], [Number.NaN, 0, 1]] }, // prettier-ignore
    { kind: 'line', name: 'Chance', role: 'inconclusive', dash: 'dots', reference: true, points: [[0, 0], [1, 1]] }, // prettier-ignore
    { kind: 'line', name: '=AUC, "0.8": model', role: 'model1', points: [[0, 0.5], [0.25, 0.5], [0.5, 0.5], [1, 1]] }, // prettier-ignore
    { kind: 'marks', name: 'Operating point', role: 'spoof', mark: 'square', points: [[0.5, 0.5]], whiskers: [[0.4, 0.6]] }, // prettier-ignore
    {
      kind: 'area',
      name: 'Histogram',
      role: 'bonafide',
      points: [[0, 0], [0, 0.2], [0.5, 0.2], [0.5, 0.3], [1, 0.3], [1, 0]], // prettier-ignore
      bins: [{ from: 0, to: 0.5, value: 0.2 }, { from: 0.5, to: 1, value: 0.3 }], // prettier-ignore
    },
    { kind: 'upright', name: 'Threshold', role: 'text', x: 0.75, dash: 'dashes' },
  ],
  gist: 'Area under the curve 0.8.',
  note: 'Both classes weigh alike.',
};

function pixelsOf(svg: string): (x: number, y: number) => string {
  const image = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
  return (x, y) => {
    const at = 4 * (Math.round(y) * image.width + Math.round(x));
    return `#${[...image.pixels.subarray(at, at + 3)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  };
}

test('the SVG is well-formed, of its stated size, and draws the data where the axes say', () => {
  const svg = plotSvg(plot);
  const { width, height } = pictureSize(plot);
  const image = new Resvg(svg).render();
  expect([image.width, image.height]).toEqual([width, height]);
  const pixel = pixelsOf(svg);
  // The plot's area begins at (84, 64) and is 608 by 400.
  expect(pixel(2, 2)).toBe('#ffffff');
  expect(pixel(84 + 304, 64 + 200)).toBe(printTheme.spoof);
  expect(pixel(84 + 76, 64 + 200)).toBe(printTheme.model1);
  // A dash begins at the top; half of its pixels' width is shared with the neighbours.
  expect(Number.parseInt(pixel(84 + 456, 64 + 4).slice(1, 3), 16)).toBeLessThan(0x80);
  expect(Number.parseInt(pixel(84 + 456, 64 + 8).slice(1, 3), 16)).toBeGreaterThan(0x80);
});

test('the SVG is made of text and paths, names axes, units and legend, and escapes what it is given', () => {
  const svg = plotSvg(plot);
  expect(svg).not.toMatch(/<image|<foreignObject|<script/);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const wanted of [
    'Receiver operating characteristic &lt;ROC&gt; &amp; more',
    'Spoofs accepted (%)',
    'Bona fide accepted (%)',
    '=AUC, &quot;0.8&quot;: model',
    'Chance',
    'Operating point',
    'Both classes weigh alike.',
    '40',
  ]) {
    expect(texts).toContain(wanted);
  }
  expect(svg).toContain('model “A” 😀 [U+0007]; corpus, test');
  expect(svg).toContain('<desc>Area under the curve 0.8.</desc>');
});

test('a line keeps only the points that can be seen', () => {
  const many = Array.from({ length: 50_000 }, (_, i): [number, number] => [i / 50_000, (i / 50_000) ** 2]);
  const svg = plotSvg({ ...plot, layers: [{ kind: 'line', name: 'Curve', role: 'accent', points: many }] });
  expect(svg.length).toBeLessThan(20_000);
});

test('the CSV file holds every plotted value as it came, and no formulas', () => {
  const rows: string[][] = parse(plotCsv(plot), { bom: false });
  expect(rows[0]).toEqual([
    'series',
    'spoofs_accepted',
    'bonafide_accepted',
    'bonafide_accepted_low',
    'bonafide_accepted_high',
  ]);
  expect(rows).toContainEqual(['\'=AUC, "0.8": model', '0.25', '0.5', '', '']);
  expect(rows).toContainEqual(['Operating point', '0.5', '0.5', '0.4', '0.6']);
  expect(rows).toContainEqual(['95 % confidence bands', '1', '', '0.8', '1']);
  expect(rows).toContainEqual(['Histogram', '0.25', '0.2', '', '']);
  expect(rows).toContainEqual(['Threshold', '0.75', '', '', '']);
  expect(rows.some(([series]) => series === 'Chance')).toBe(false);
  expect(rows).toHaveLength(rowsOf(plot).length + 1);
});
