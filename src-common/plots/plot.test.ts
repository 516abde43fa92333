import { expect, test } from 'vitest';
import { legendOf, type Plot, type PlotAxis, type Point, roundStep, shareOf, thin, ticksOf } from './plot.ts';

const axis: PlotAxis = { label: 'x', column: 'x', scale: 'linear', from: 0, to: 1, format: String };

test('leaves out what nobody could see, and keeps ends and corners', () => {
  const line = Array.from({ length: 1001 }, (_, i): Point => [i, 2 * i]);
  expect(thin(line, (point) => point)).toEqual([
    [0, 0],
    [1000, 2000],
  ]);
  const steps: Point[] = [
    [0, 0],
    [0, 50],
    [100, 50],
    [100, 80],
  ];
  expect(thin(steps, (point) => point)).toEqual(steps);
});

test('no point of the curve lies farther from the thinned one than the tolerance', () => {
  const curve = Array.from({ length: 2000 }, (_, i): Point => [i / 4, 100 * Math.sin(i / 90) + 8 * Math.sin(i / 7)]);
  const kept = thin(curve, (point) => point, 0.5);
  expect(kept.length).toBeLessThan(700);
  expect(kept.length).toBeGreaterThan(50);
  let segment = 0;
  for (const [x, y] of curve) {
    while (kept[segment + 1][0] < x) segment++;
    const [[x1, y1], [x2, y2]] = [kept[segment], kept[segment + 1]];
    const along = Math.min(
      1,
      Math.max(0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / ((x2 - x1) ** 2 + (y2 - y1) ** 2)),
    );
    expect(Math.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1))).toBeLessThanOrEqual(0.5 + 1e-9);
  }
});

test('ticks are round, inside the axis and free of rounding dust', () => {
  expect(ticksOf(axis)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticksOf({ ...axis, from: -0.31, to: 0.31, ticks: 7 })).toEqual([-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]);
  expect(ticksOf({ ...axis, to: 3, whole: true, ticks: 8 })).toEqual([0, 1, 2, 3]);
  // Those that the axis names, as far as there is room.
  expect(ticksOf({ ...axis, to: 20, at: [0.1, 1, 5, 20] })).toEqual([0.1, 5, 20]);
  expect(ticksOf({ ...axis, scale: 'probit', from: 0.005, to: 0.3 })).toEqual([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3]);
});

test('steps are 1, 2, 2.5 or 5 times a power of ten', () => {
  expect([0.0011, 0.021, 0.3, 2.3, 6, 70].map(roundStep)).toEqual([0.002, 0.025, 0.5, 2.5, 10, 100]);
});

test('a place is a share of the axis', () => {
  expect(shareOf({ ...axis, from: -2, to: 2 }, 1)).toBe(0.75);
  expect(shareOf({ ...axis, scale: 'probit', from: 0.01, to: 0.99 }, 0.5)).toBeCloseTo(0.5, 9);
});

test('a legend names what is drawn alike once, and what is only compared with last', () => {
  const plot: Plot = {
    id: 'p',
    title: 'Title',
    subject: '',
    x: axis,
    y: axis,
    gist: '',
    layers: [
      { kind: 'band', name: 'Band', role: 'model0', points: [] },
      { kind: 'line', name: 'Chance', role: 'inconclusive', dash: 'dots', reference: true, points: [] },
      { kind: 'line', name: 'Model', role: 'model0', points: [] },
      { kind: 'line', name: 'Model', role: 'model0', points: [] },
      { kind: 'marks', name: 'Point', role: 'model0', mark: 'diamond', hollow: true, points: [] },
      { kind: 'marks', name: 'Hidden', role: 'model0', mark: 'circle', inLegend: false, points: [] },
    ],
  };
  expect(legendOf(plot).map(({ name, sample }) => [name, sample])).toEqual([
    ['Model', 'line'],
    ['Point', 'diamond'],
    ['Band', 'band'],
    ['Chance', 'dots'],
  ]);
});
