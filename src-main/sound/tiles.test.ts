import { describe, expect, it } from 'vitest';
import { tone } from '../audio/testing.ts';
import { Random } from '../base/random.ts';
import { placeOfHz } from '../../src-common/frequency-axis.ts';
import type { FrequencyAxis } from '../../src-common/frequency-axis.ts';
import { defaultAnalysis } from '../../src-common/analysis-windows.ts';
import type { SpectrumAnalysis } from '../../src-common/schemas/spectrogram.ts';
import { createFrontEnd } from '../features/front-end.ts';
import {
  ColumnPyramid,
  TileMaker,
  columnsPerTile,
  firstStoredLevel,
  floorDb,
  powersOfStored,
  samplesOfTile,
  tileBytes,
  tileGeometry,
  tileLevels,
  tileRowMap,
  tileRows,
} from './tiles.ts';
import type { TileGeometry } from './tiles.ts';

const stepDb = -floorDb / 255;

/** The samples of a tile, with zeros where there are none. */
function cut(samples: Float32Array, { from, count }: { from: number; count: number }): Float32Array {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = samples[from + i] ?? 0;
  return out;
}

function tileOf(
  samples: Float32Array,
  geometry: TileGeometry,
  level: number,
  tile: number,
  axis: FrequencyAxis,
): Uint8Array {
  const powers = new TileMaker(geometry).powers(level, cut(samples, samplesOfTile(geometry, level, tile)));
  return tileBytes(powers, tileRowMap(geometry, axis));
}

const rowDb = (tile: Uint8Array, row: number, column: number): number =>
  floorDb + tile[row * columnsPerTile + column] * stepDb;

function loudestRow(tile: Uint8Array, column: number): number {
  let best = 0;
  for (let row = 1; row < tileRows; row++) if (rowDb(tile, row, column) > rowDb(tile, best, column)) best = row;
  return best;
}

function noise(length: number, amplitude: number): Float32Array {
  const random = new Random(9);
  return Float32Array.from({ length }, () => amplitude * (2 * random.uniform() - 1));
}

describe('spectrogram tiles', () => {
  it.each([8000, 16_000, 44_100, 48_000])('at %i Hz have levels from a millisecond to one tile', (sampleRateHz) => {
    const geometry = tileGeometry(sampleRateHz);
    const levels = tileLevels(geometry, 6 * 3600 * sampleRateHz);
    expect(levels[0].secondsPerColumn).toBeCloseTo(0.001, 4);
    expect(levels.at(-1)?.tiles).toBe(1);
    expect(levels.length).toBeGreaterThan(firstStoredLevel);
    expect(geometry.nFft).toBeGreaterThanOrEqual(1.25 * geometry.winLength);
  });

  it.each<[number, FrequencyAxis]>([
    [1000, { scale: 'linear', topHz: 8000 }],
    [3000, { scale: 'linear', topHz: 24_000 }],
    [1000, { scale: 'mel', topHz: 8000 }],
    [220, { scale: 'mel', topHz: 24_000 }],
    [6000, { scale: 'mel', topHz: 8000 }],
    [187.5, { scale: 'log', topHz: 24_000 }],
    [440, { scale: 'log', topHz: 24_000 }],
    [12_000, { scale: 'log', topHz: 24_000 }],
  ])('show a full-scale sine of %d Hz at 0 dB in its row of %o', (frequencyHz, axis) => {
    const geometry = tileGeometry(48_000);
    const tile = tileOf(tone(frequencyHz, 48_000, 3, 1), geometry, 4, 0, axis);
    const row = loudestRow(tile, 64);
    const place = placeOfHz(axis, frequencyHz);
    expect(Math.abs((row + 0.5) / tileRows - place)).toBeLessThan(1.5 / tileRows);
    // Between two rows' middles it is a little lower.
    expect(rowDb(tile, row, 64)).toBeGreaterThan(-3);
    expect(rowDb(tile, row, 64)).toBeLessThan(1);
  });

  it.each<SpectrumAnalysis>([
    { window: 'rectangular', windowMs: 4, overlap: 'automatic' },
    { window: 'hamming', windowMs: 8, overlap: 0.75 },
    { window: 'blackman', windowMs: 16, overlap: 0 },
    { window: 'blackman-harris', windowMs: 64, overlap: 0.9375 },
    { window: 'flat-top', windowMs: 128, overlap: 0 },
  ])('show a full-scale sine at 0 dB on every axis with %o', (analysis) => {
    const geometry = tileGeometry(48_000, analysis);
    const samples = tone(3000, 48_000, 3, 1);
    for (const scale of ['mel', 'linear', 'log'] as const) {
      for (const level of [0, 3, 6]) {
        const tile = tileOf(samples, geometry, level, 0, { scale, topHz: 24_000 });
        const row = loudestRow(tile, 20);
        // Between two bins' middles a sine under a rectangular window is up to 3.9 dB lower.
        expect(rowDb(tile, row, 20)).toBeGreaterThan(-4);
        expect(rowDb(tile, row, 20)).toBeLessThan(1);
      }
    }
  });

  it('tell sines apart that lie nearer to one another, the longer the window is', () => {
    const samples = tone(1000, 16_000, 2, 0.4).map(
      (value, i) => value + 0.4 * Math.sin((2 * Math.PI * 1040 * i) / 16_000),
    );
    const dip = (windowMs: SpectrumAnalysis['windowMs']): number => {
      const tile = tileOf(samples, tileGeometry(16_000, { ...defaultAnalysis, windowMs }), 5, 0, {
        scale: 'linear',
        topHz: 2000,
      });
      const at = (hz: number): number => rowDb(tile, Math.floor((hz / 2000) * tileRows), 20);
      return at(1000) - at(1020);
    };
    expect(dip(128)).toBeGreaterThan(20);
    expect(dip(16)).toBeLessThan(3);
  });

  it('have a step from frame to frame that follows the overlap', () => {
    const samples = noise(16_000 * 2, 0.5);
    const axis: FrequencyAxis = { scale: 'linear', topHz: 8000 };
    const changes = (overlap: SpectrumAnalysis['overlap']): number => {
      const tile = tileOf(samples, tileGeometry(16_000, { ...defaultAnalysis, overlap }), 0, 1, axis);
      let count = 0;
      for (let column = 1; column < columnsPerTile; column++) {
        count += Number(
          [...Array(tileRows).keys()].some((row) => rowDb(tile, row, column) !== rowDb(tile, row, column - 1)),
        );
      }
      return count;
    };
    // 128 ms, from 128 ms on.
    expect(changes(0)).toBe(3);
    expect(changes(0.75)).toBe(15);
    expect(changes(0.9375)).toBe(63);
    expect(changes('automatic')).toBe(127);
  });

  it('equal the linear front end where rows are its bins', () => {
    const geometry = tileGeometry(16_000);
    const samples = noise(16_000 * 5, 0.5);
    const level = 3;
    const tile = tileOf(samples, geometry, level, 1, { scale: 'linear', topHz: 8000 });
    const hopLength = geometry.finestHop * 2 ** level;
    const frontEnd = createFrontEnd({
      type: 'linear',
      sampleRateHz: 16_000,
      nFft: geometry.nFft,
      winLength: geometry.winLength,
      hopLength,
      window: 'hann',
      center: true,
      floorPower: 1e-12,
      fMin: 0,
      fMax: 8000,
    });
    // Whole-recording frames centred on multiples of the hop: moved by half a hop they are the columns.
    const levels = frontEnd.compute(samples.subarray(hopLength / 2));
    const frames = frontEnd.frameCount(samples.length - hopLength / 2);
    const full = 20 * Math.log10(geometry.winLength / 4);
    for (const column of [0, 17, 127]) {
      for (const row of [1, 40, 200, 255]) {
        // Two bins to a row, the louder one shown.
        const frame = columnsPerTile + column;
        const both = [2 * row, 2 * row + 1].map((bin) => levels[bin * frames + frame] - full);
        expect(Math.abs(rowDb(tile, row, column) - Math.max(...both))).toBeLessThanOrEqual(stepDb / 2 + 0.01);
      }
    }
  });

  it('agree with the Mel front end where its bands are wide', () => {
    const geometry = tileGeometry(16_000);
    const samples = noise(16_000 * 5, 0.5);
    const tile = tileOf(samples, geometry, 4, 0, { scale: 'mel', topHz: 8000 });
    const frontEnd = createFrontEnd({
      type: 'mel',
      sampleRateHz: 16_000,
      nFft: geometry.nFft,
      winLength: geometry.winLength,
      hopLength: geometry.frameHop,
      window: 'hann',
      center: true,
      floorPower: 1e-12,
      fMin: 0,
      fMax: 8000,
      nMels: tileRows,
      melScale: 'slaney',
      norm: 'none',
    });
    const levels = frontEnd.compute(samples.subarray(geometry.frameHop / 2));
    const frames = frontEnd.frameCount(samples.length - geometry.frameHop / 2);
    // Both in dB, against different references: their difference is a constant of the row.
    for (const row of [200, 230, 250]) {
      const differences = [10, 40, 70, 100].map((column) => levels[row * frames + column] - rowDb(tile, row, column));
      expect(Math.max(...differences) - Math.min(...differences)).toBeLessThan(1.5);
    }
  });

  it('are silent before the beginning, after the end and in silence', () => {
    const geometry = tileGeometry(16_000);
    const tile = tileOf(tone(500, 16_000, 0.5, 1), geometry, 4, 0, { scale: 'mel', topHz: 8000 });
    for (let row = 0; row < tileRows; row++) expect(tile[row * columnsPerTile + 100]).toBe(0);
  });

  it.each<SpectrumAnalysis>([
    defaultAnalysis,
    { window: 'blackman-harris', windowMs: 64, overlap: 0.75 },
    { window: 'hamming', windowMs: 128, overlap: 0 },
  ])('that are stored equal those computed from the samples, however the blocks come, with %o', async (analysis) => {
    const geometry = tileGeometry(8000, analysis);
    // A tile of the first stored level and a bit, a click in it.
    const samples = noise(8000 * 50, 0.01);
    samples[8000 * 7] = 1;
    const pages: Uint8Array[][] = [];
    const levels = tileLevels(geometry, samples.length);
    const pyramid = new ColumnPyramid(geometry, async (level, columns) => {
      (pages[level] ??= []).push(columns);
    });
    for (let at = 0, size = 1; at < samples.length; at += size, size = (size * 7) % 65_537) {
      await pyramid.push(samples.subarray(at, at + size));
    }
    await pyramid.finish(levels.length - firstStoredLevel);
    expect(levels.length).toBeGreaterThan(firstStoredLevel + 1);
    const axis: FrequencyAxis = { scale: 'linear', topHz: 4000 };
    const rows = tileRowMap(geometry, axis);
    for (let level = firstStoredLevel; level < levels.length; level++) {
      const stored = Buffer.concat(pages[level - firstStoredLevel]);
      for (let tile = 0; tile < levels[level].tiles; tile++) {
        const size = columnsPerTile * geometry.bins;
        const kept = tileBytes(powersOfStored(stored.subarray(tile * size, (tile + 1) * size), geometry.bins), rows);
        const direct = tileBytes(
          new TileMaker(geometry).powers(level, cut(samples, samplesOfTile(geometry, level, tile))),
          rows,
        );
        const used = Math.min(columnsPerTile, Math.floor(50 / levels[level].secondsPerColumn) - tile * columnsPerTile);
        let farthest = 0;
        for (let row = 0; row < tileRows; row++) {
          for (let column = 0; column < used; column++) {
            const at = row * columnsPerTile + column;
            farthest = Math.max(farthest, Math.abs(kept[at] - direct[at]));
          }
        }
        expect(farthest).toBeLessThanOrEqual(1);
      }
    }
    expect(pages).toHaveLength(levels.length - firstStoredLevel);
  });
});
