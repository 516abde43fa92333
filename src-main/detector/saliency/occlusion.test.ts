import { describe, expect, it } from 'vitest';
import { Random } from '../../base/random.ts';
import { createFrontEnd } from '../../features/front-end.ts';
import { babble, tinyMember } from '../testing.ts';
import { cellCount, cellGrid, columnOf, rowOf, singleMasks } from './cells.ts';
import { PlaneOccluder, SoundOccluder, splitBands } from './occlusion.ts';

const rateHz = 16_000;
const grid = cellGrid(2, [70, 7400]);
const window = babble(2, 1);

/** Power in dB of a stretch. */
function levelDb(samples: Float32Array, from = 0, to = samples.length): number {
  const stretch = samples.subarray(from, to);
  return 10 * Math.log10(stretch.reduce((sum, value) => sum + value * value, 0) / stretch.length);
}

describe('cells', () => {
  it('are columns of 0.2 s and eight bands of the same width in Mel', () => {
    expect(grid).toMatchObject({ columns: 10, rows: 8 });
    expect(grid.columnSeconds).toBeCloseTo(0.2, 12);
    expect([grid.edgesHz[0], grid.edgesHz[8]].map(Math.round)).toEqual([70, 7400]);
    expect([10, 70, 7399, 7999].map((hz) => rowOf(grid, hz))).toEqual([0, 0, 7, 7]);
  });

  it('are met again where a short sound is repeated to fill a window', () => {
    const short = cellGrid(0.8, [70, 7400]);
    expect([0.1, 0.9, 1.7, 0.79].map((seconds) => columnOf(short, seconds))).toEqual([0, 0, 0, 3]);
  });
});

describe('SoundOccluder', () => {
  const occluder = new SoundOccluder(window, grid, rateHz);

  it('splits a sound into bands whose sum it is, each tone in its own', () => {
    const bands = splitBands(window, grid, rateHz);
    const sum = window.map((_, i) => bands.reduce((total, band) => total + band[i], 0));
    expect(Math.max(...sum.map((value, i) => Math.abs(value - window[i])))).toBeLessThan(1e-6);
    const tone = Float32Array.from({ length: rateHz }, (_, i) => Math.sin((2 * Math.PI * 3000 * i) / rateHz));
    const levels = splitBands(tone, grid, rateHz).map((band) => levelDb(band, 2000, 14_000));
    expect(levels.indexOf(Math.max(...levels))).toBe(rowOf(grid, 3000));
    levels.splice(rowOf(grid, 3000), 1);
    expect(Math.max(...levels)).toBeLessThan(-40);
  });

  it('leaves a sound as it is where no cell is taken out', () => {
    expect(occluder.without(new Uint8Array(cellCount(grid)))).toEqual(window);
  });

  it('changes what is taken out, there and in that band alone', () => {
    const mask = new Uint8Array(cellCount(grid));
    const [row, column] = [2, 4];
    mask[row * grid.columns + column] = 1;
    const change = occluder.without(mask).map((value, i) => value - window[i]);
    const [from, to] = [column, column + 1].map((edge) => Math.round(edge * grid.columnSeconds * rateHz));
    const fade = 0.005 * rateHz + 1;
    expect(levelDb(change, from, to)).toBeGreaterThan(-60);
    expect(change.every((value, i) => value === 0 || (i > from - fade && i < to + fade))).toBe(true);
    const levels = splitBands(change, grid, rateHz).map((band) => levelDb(band));
    expect(levels.indexOf(Math.max(...levels))).toBe(row);
  });

  it('puts steady noise where all is taken out, neither silent nor louder than the sound', () => {
    const nothing = occluder.without(new Uint8Array(cellCount(grid)).fill(1));
    const levels = Array.from({ length: 8 }, (_, index) => levelDb(nothing, index * 4000, (index + 1) * 4000));
    expect(Math.max(...levels) - Math.min(...levels)).toBeLessThan(3);
    expect(levelDb(nothing)).toBeLessThan(levelDb(window) + 1);
    expect(levelDb(nothing)).toBeGreaterThan(levelDb(window) - 20);
    const product = nothing.reduce((sum, value, i) => sum + value * window[i], 0);
    const size = (of: Float32Array): number => Math.sqrt(of.reduce((sum, value) => sum + value * value, 0));
    expect(Math.abs(product / (size(nothing) * size(window)))).toBeLessThan(0.05);
  });

  it('takes the same out of each repetition', () => {
    const half = babble(0.8, 3);
    const repeated = Float32Array.from({ length: 2 * half.length }, (_, i) => half[i % half.length]);
    const short = cellGrid(0.8, [70, 7400]);
    const { strips } = singleMasks(short);
    const without = new SoundOccluder(repeated, short, rateHz).without(strips[1]);
    for (const start of [0, half.length]) {
      const [inside, outside] = [0.3, 0.6].map((seconds) => start + Math.round(seconds * rateHz));
      expect(without[inside]).not.toBe(repeated[inside]);
      expect(without[outside]).toBe(repeated[outside]);
    }
  });
});

it('PlaneOccluder puts a bin’s mean into the cells that are taken out', () => {
  const frontEnd = createFrontEnd({ ...tinyMember.frontEnd, center: true });
  const random = new Random(4);
  const frames = 101;
  const plane = Float32Array.from({ length: frontEnd.bins * frames }, () => random.between(-80, 0));
  const { cells } = singleMasks(grid);
  const out = new Float32Array(plane.length);
  const [row, column] = [5, 3];
  new PlaneOccluder(plane, frontEnd, grid).without(cells[row * grid.columns + column], out);
  let changed = 0;
  out.forEach((value, i) => {
    const bin = Math.floor(i / frames);
    const inside =
      rowOf(grid, frontEnd.frequenciesHz[bin]) === row && columnOf(grid, ((i % frames) * 320) / rateHz) === column;
    const mean = plane.subarray(bin * frames, (bin + 1) * frames).reduce((sum, one) => sum + one, 0) / frames;
    if (inside) changed++;
    expect(value).toBeCloseTo(inside ? mean : plane[i], 3);
  });
  expect(changed).toBeGreaterThan(10);
});
