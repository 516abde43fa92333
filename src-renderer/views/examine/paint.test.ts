import { describe, expect, it } from 'vitest';
import { colourTable, tileColours } from './colour-maps.ts';
import { automaticCeiling, extremes, hzAtPixel, levelAt, paintStrip, paintTiles, paintWaveform } from './paint.ts';
import type { PeakSource, Surface } from './paint.ts';

/** A context that notes what is filled and drawn. */
function surface(width: number, height: number) {
  const calls: { kind: string; at: number[]; style: string }[] = [];
  const note =
    (kind: string, context: { fillStyle: string }) =>
    (...at: unknown[]) => {
      calls.push({ kind, at: at.filter((one): one is number => typeof one === 'number'), style: context.fillStyle });
    };
  const context: Record<string, unknown> & { fillStyle: string } = { fillStyle: '' };
  for (const kind of ['clearRect', 'fillRect', 'beginPath', 'moveTo', 'lineTo', 'stroke', 'drawImage', 'setLineDash']) {
    context[kind] = note(kind, context);
  }
  const of = (kind: string) => calls.filter((call) => call.kind === kind);
  return {
    surface: { context: context as unknown as CanvasRenderingContext2D, width, height, ratio: 1 } satisfies Surface,
    of,
  };
}

/** Peaks of a signal, in pages of ten; some pages are not there. */
function source(samplesPerPeak: number, values: [number, number][], missing: number[] = []): PeakSource {
  const peaksPerPage = 10;
  return {
    samplesPerPeak,
    count: values.length,
    peaksPerPage,
    page: (index) =>
      missing.includes(index)
        ? undefined
        : Float32Array.from(values.slice(index * peaksPerPage, (index + 1) * peaksPerPage).flat()),
  };
}

describe('a waveform', () => {
  const peaks = Array.from({ length: 40 }, (_, i): [number, number] => [-i / 64, i / 32]);

  it('is drawn from the lowest to the highest of each pixel', () => {
    expect(extremes(source(100, peaks), 8, 12)).toEqual({ low: -11 / 64, high: 11 / 32 });
    const { surface: target, of } = surface(20, 200);
    const loudest = paintWaveform(target, { start: 0, end: 4 }, 1000, [source(100, peaks)], {
      colour: 'wave',
      line: 'line',
      gain: 0.5,
    });
    const bars = of('fillRect').filter(({ style }) => style === 'wave');
    expect(bars).toHaveLength(20);
    // Two peaks to a pixel: the tenth pixel has peaks 18 and 19.
    const [x, top, wide, high] = bars[9].at;
    expect([x, wide]).toEqual([9, 1]);
    expect(top).toBeCloseTo(100 - (19 / 32) * 98 * 0.5, 4);
    expect(top + high).toBeCloseTo(100 + (19 / 64) * 98 * 0.5, 4);
    expect(loudest).toBeCloseTo(39 / 32, 6);
  });

  it('takes what is missing from a coarser level', () => {
    const coarse = source(1000, [
      [-0.5, 0.5],
      [-0.5, 0.5],
      [-0.5, 0.5],
      [-0.5, 0.5],
    ]);
    const { surface: target, of } = surface(20, 200);
    paintWaveform(target, { start: 0, end: 4 }, 1000, [source(100, peaks, [1]), coarse], {
      colour: 'wave',
      line: 'line',
      gain: 1,
    });
    const bars = of('fillRect').filter(({ style }) => style === 'wave');
    expect(bars).toHaveLength(20);
    expect(bars[7].at[1]).toBeCloseTo(100 - 49, 4);
  });

  it('of less than a sample to a pixel is a line through the samples', () => {
    const samples = Array.from({ length: 100 }, (_, i): [number, number] => [i % 2, i % 2]);
    const { surface: target, of } = surface(400, 100);
    paintWaveform(target, { start: 0.02, end: 0.04 }, 1000, [source(1, samples)], {
      colour: 'wave',
      line: 'line',
      gain: 1,
    });
    expect(of('moveTo')).toHaveLength(1);
    expect(of('lineTo').length).toBeGreaterThanOrEqual(20);
    // A dot for each.
    expect(of('fillRect').filter(({ style }) => style === 'wave').length).toBeGreaterThanOrEqual(20);
  });
});

describe('tiles', () => {
  const spectrogram = {
    columnsPerTile: 128,
    bins: 256,
    maxHz: 8000,
    floorDb: -120,
    ceilingDb: 0,
    levels: [0, 1, 2, 3].map((level) => ({ secondsPerColumn: 0.001 * 2 ** level, tiles: 8 >> level })),
  };

  it('lie side by side without a gap, those that are missing stretched from coarser ones', () => {
    const { surface: target, of } = surface(777, 100);
    const here = new Set(['0/2', '0/3', '1/2', '3/0']);
    paintTiles(target, { start: 0.2, end: 0.7 }, spectrogram, 0, {
      background: 'black',
      rows: 256,
      picture: (level, tile) => (here.has(`${level}/${tile}`) ? ({} as CanvasImageSource) : undefined),
    });
    // Source x, y, width, height, target x, y, width, height.
    const drawn = of('drawImage').map(({ at }) => at);
    expect(drawn).toHaveLength(5);
    for (let i = 1; i < drawn.length; i++) expect(drawn[i][4]).toBe(drawn[i - 1][4] + drawn[i - 1][6]);
    expect(drawn[0][4]).toBeLessThanOrEqual(0);
    expect((drawn.at(-1)?.[4] ?? 0) + (drawn.at(-1)?.[6] ?? 0)).toBeGreaterThanOrEqual(777);
    // Tile 1 from the coarsest, tiles 4 and 5 from the halves of tile 2 of level 1.
    expect(drawn.map(([x, , width]) => [x, width])).toEqual([
      [16, 16],
      [0, 128],
      [0, 128],
      [0, 64],
      [64, 64],
    ]);
  });

  it('tell the level at a time and a frequency', () => {
    const bytes = new Uint8Array(128 * 256);
    bytes[64 * 128 + 5] = 255;
    const axis = { scale: 'linear', topHz: 8000 } as const;
    const tile = { bytes, firstSeconds: 1, secondsPerColumn: 0.5 };
    expect(levelAt(spectrogram, axis, tile, 3.6, 2010)).toBe(0);
    expect(levelAt(spectrogram, axis, tile, 3.6, 2040)).toBe(-120);
    expect(levelAt(spectrogram, axis, tile, 0.9, 2010)).toBeNull();
    expect(hzAtPixel(axis, 25, 100)).toBe(6000);
    expect(hzAtPixel(axis, -3, 100)).toBe(8000);
  });

  it('set the brightest colour by what is loud, not by one click', () => {
    const bytes = new Uint8Array(128 * 256).fill(100);
    bytes[0] = 255;
    // Byte 100 is -72.9 dB; never so low that noise is blown up.
    expect(automaticCeiling(bytes, spectrogram)).toBe(-60);
    bytes.fill(200, 0, 1000);
    expect(automaticCeiling(bytes, spectrogram)).toBe(-25);
    expect(automaticCeiling(new Uint8Array(128 * 256), spectrogram)).toBe(0);
  });
});

describe('the strip', () => {
  it('shows the lowest of the scores that share a pixel', () => {
    const cells = Array.from({ length: 1000 }, (_, i) => ({
      start: i,
      end: i + 1,
      score: i === 503 ? -5 : 1,
      gap: i === 0,
    }));
    const { surface: target, of } = surface(100, 8);
    paintStrip(
      target,
      { start: 0, end: 1000 },
      cells,
      { start: 0, end: 1000 },
      {
        colourOf: (score) => (score < 0 ? 'low' : 'high'),
        hatch: 'hatch',
      },
    );
    expect(of('fillRect').filter(({ style }) => style === 'low')).toHaveLength(1);
  });

  it('is hatched from end to end, and covered by whole pixels where there are scores', () => {
    const { surface: target, of } = surface(100, 8);
    const cells = [
      { start: 1.23, end: 2.57, score: 1, gap: true },
      { start: 2.57, end: 4, score: 1, gap: false },
    ];
    paintStrip(
      target,
      { start: 0, end: 10 },
      cells,
      { start: 1, end: 8 },
      { colourOf: () => 'scored', hatch: 'hatch' },
    );
    const lines = of('moveTo').map(({ at }) => at[0]);
    expect(lines[0]).toBeLessThanOrEqual(0);
    expect(lines.at(-1)).toBeGreaterThan(95);
    expect(lines.slice(1).every((x, index) => x - lines[index] === 5)).toBe(true);
    // Nothing was looked at before and after.
    expect(
      of('clearRect')
        .map(({ at }) => at)
        .slice(1),
    ).toEqual([
      [0, 0, 10, 8],
      [80, 0, 20, 8],
    ]);
    expect(of('fillRect').map(({ at }) => at)).toEqual([
      [12, 0, 14, 8],
      [25, 0, 15, 8],
    ]);
  });
});

describe('colour maps', () => {
  it('begin and end as those of matplotlib do', () => {
    const bytes = (map: Parameters<typeof colourTable>[0], step: number) => [
      ...new Uint8Array(colourTable(map).buffer).subarray(4 * step, 4 * step + 4),
    ];
    expect(bytes('viridis', 0)).toEqual([68, 1, 84, 255]);
    expect(bytes('viridis', 255)).toEqual([253, 231, 37, 255]);
    expect(bytes('magma', 255)).toEqual([252, 253, 191, 255]);
    expect(bytes('cividis', 0)).toEqual([0, 34, 78, 255]);
    expect(bytes('grey', 128)).toEqual([128, 128, 128, 255]);
  });

  it('are spread over the levels that are shown', () => {
    const table = colourTable('grey');
    const colours = tileColours(table, { floorDb: -120, ceilingDb: 0 }, { floorDb: -85, ceilingDb: -10 });
    expect(colours[0]).toBe(table[0]);
    expect(colours[255]).toBe(table[255]);
    // -47.5 dB lies in the middle.
    const middle = Math.round(((120 - 47.5) / 120) * 255);
    expect(Math.abs(new Uint8Array(colours.buffer)[4 * middle] - 128)).toBeLessThanOrEqual(1);
  });
});
