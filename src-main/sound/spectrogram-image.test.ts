import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { colourMaps, colourTable } from '../../src-common/colour-maps.ts';
import { overviewOf } from './overview.ts';
import type { FrequencyScale } from '../../src-common/frequency-axis.ts';
import { drawSpectrogram, plotSize } from './spectrogram-image.ts';
import type { SpectrogramImageOptions } from './spectrogram-image.ts';

const size = { width: 520, height: 300 };
const options: SpectrogramImageOptions = {
  ...size,
  title: 'recording.wav',
  detail: 'pcm_s16le, 16 kHz, mono',
  startSeconds: 0,
  colourMap: 'grey',
};

/** Pixels of a PNG of 8 bits and 4 channels, by the PNG specification. */
function decodePng(png: Buffer): { width: number; height: number; rgba: Uint8Array } {
  expect(png.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  expect([png[24], png[25], png[28]]).toEqual([8, 6, 0]);
  const parts: Buffer[] = [];
  for (let place = 8; place < png.length;) {
    const length = png.readUInt32BE(place);
    if (png.toString('latin1', place + 4, place + 8) === 'IDAT')
      parts.push(png.subarray(place + 8, place + 8 + length));
    place += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = 4 * width;
  const rgba = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= 4 ? rgba[y * stride + x - 4] : 0;
      const up = y > 0 ? rgba[(y - 1) * stride + x] : 0;
      const corner = x >= 4 && y > 0 ? rgba[(y - 1) * stride + x - 4] : 0;
      const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
      const paeth = a <= b && a <= c ? left : b <= c ? up : corner;
      const guess = [0, left, up, (left + up) >> 1, paeth][filter];
      rgba[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return { width, height, rgba };
}

async function draw(
  samples: Float32Array,
  scale: FrequencyScale,
  changes: Partial<SpectrogramImageOptions> = {},
): Promise<Buffer> {
  async function* blocks(): AsyncGenerator<Float32Array> {
    yield samples;
  }
  const all = { ...options, ...changes };
  const { columns, rows } = plotSize(all.width, all.height);
  const wanted = { sampleRateHz: 16_000, scale, columns, rows, expectedSamples: samples.length };
  return drawSpectrogram(await overviewOf(blocks(), wanted), all);
}

/** The brightest place of the plot as fractions of its width and height from the lower left. */
function brightest(png: Buffer): { x: number; y: number; value: number } {
  const { width, height, rgba } = decodePng(png);
  const plot = plotSize(width, height);
  const left = 62;
  const top = 58;
  let best = -1;
  let found = { x: 0, y: 0, value: 0 };
  for (let y = 2; y < plot.rows - 2; y++) {
    for (let x = 2; x < plot.columns - 2; x++) {
      const value = rgba[4 * ((top + y) * width + left + x)];
      if (value > best) {
        best = value;
        found = { x: (x + 0.5) / plot.columns, y: 1 - (y + 0.5) / plot.rows, value };
      }
    }
  }
  return found;
}

/** Two seconds of near silence with a tone in the last half second. */
function toneAtEnd(hz: number): Float32Array {
  return Float32Array.from({ length: 32_000 }, (_, index) =>
    index < 24_000 ? 1e-4 * Math.sin(index * index) : 0.5 * Math.sin((2 * Math.PI * hz * index) / 16_000),
  );
}

describe('drawSpectrogram', () => {
  it('is a PNG of the size asked for, with something in it, the same each time', async () => {
    const png = await draw(toneAtEnd(2000), 'mel', { colourMap: 'viridis' });
    const { width, height, rgba } = decodePng(png);
    expect({ width, height }).toEqual(size);
    expect(new Set(new Uint32Array(rgba.buffer)).size).toBeGreaterThan(100);
    expect((await draw(toneAtEnd(2000), 'mel', { colourMap: 'viridis' })).equals(png)).toBe(true);
  });

  it.each([
    ['linear', 2000, 0.25],
    ['linear', 6000, 0.75],
    // 1 kHz is 15 Mel of 45.245 in Slaney's scale.
    ['mel', 1000, 15 / 45.245],
    ['mel', 4000, (15 + (27 * Math.log(4)) / Math.log(6.4)) / 45.245],
  ] as const)('shows a tone where it is (%s, %i Hz)', async (scale, hz, place) => {
    const { x, y } = brightest(await draw(toneAtEnd(hz), scale));
    expect(x).toBeGreaterThan(0.74);
    expect(Math.abs(y - place)).toBeLessThan(0.012);
  });

  it.each([
    // The tone is at -6.02 dBFS: above the scale, and a quarter of the way up.
    [{ minDb: -80, maxDb: -40 }, 255],
    [{ maxDb: 53.98, rangeDb: 80 }, 255 / 4],
  ])('takes the level range %j', async (range, grey) => {
    const { value } = brightest(await draw(toneAtEnd(2000), 'linear', range));
    expect(Math.abs(value - grey)).toBeLessThanOrEqual(1);
  });

  it.each([
    ['one sample', new Float32Array([0.5])],
    ['silence', new Float32Array(16_000)],
    ['3 ms', toneAtEnd(1000).slice(-48)],
  ])('draws %s', async (_, samples) => {
    for (const scale of ['mel', 'linear'] as const) {
      const { width, height } = decodePng(await draw(samples, scale));
      expect({ width, height }).toEqual(size);
    }
  });

  it.each([
    'تسجيل المقابلة ٣.wav',
    '🎙️ <b>&amp;"quoted"</b>\n\u0007.wav',
    'half \ud800 a character',
    `${'very long '.repeat(40)}.wav`,
    `${'x'.repeat(20_000)}.wav`,
    '',
  ])('takes any title (%#)', async (title) => {
    const { width, rgba } = decodePng(await draw(new Float32Array(1600), 'mel', { title }));
    // The margins stay free.
    for (let y = 5; y < 30; y++) {
      for (const x of [2, 8, width - 8, width - 2]) expect(rgba[4 * (y * width + x)]).toBe(255);
    }
    const inked = rgba.slice(4 * 5 * width, 4 * 30 * width).some((value) => value < 128);
    expect(inked).toBe(title !== '');
  });
});

describe('colourTable', () => {
  it.each(colourMaps)('%s grows lighter from quiet to loud', (map) => {
    const table = colourTable(map);
    expect(table.length).toBe(768);
    const luminance = Array.from({ length: 256 }, (_, index) => {
      const [r, g, b] = table.subarray(3 * index, 3 * index + 3);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    });
    for (let index = 8; index < 256; index++) expect(luminance[index]).toBeGreaterThan(luminance[index - 8]);
  });
});

describe('an overlay', () => {
  it('colours what is above and below zero at its place in time and frequency, and leaves the rest', async () => {
    const cells = [0, 0, 1, 0, -0.5];
    const overlay = {
      columns: [{ startSeconds: 0.5, endSeconds: 1, cells }],
      edgesHz: [0, 1000, 2000, 3000, 4000, 5000],
      opacity: 1,
      unit: 'fall of the score',
      note: 'It is no evidence.',
    };
    const noise = Float32Array.from({ length: 32_000 }, (_, i) => 0.3 * Math.sin(i * i));
    const { columns, rows } = plotSize(size.width, size.height, { noted: true });
    expect(rows).toBeLessThan(plotSize(size.width, size.height).rows);
    const coloured = decodePng(await draw(noise, 'linear', { overlay }));
    const at = (seconds: number, hz: number): number[] => {
      const x = 62 + Math.floor((seconds / 2) * columns);
      const y = 58 + Math.floor((1 - hz / 8000) * rows);
      return [...coloured.rgba.subarray(4 * (y * coloured.width + x), 4 * (y * coloured.width + x) + 3)];
    };
    expect(at(0.75, 2500)).toEqual([0x00, 0x72, 0xb2]);
    const [red, green, blue] = at(0.75, 4500);
    expect(red).toBeGreaterThan(green);
    expect(green).toBeGreaterThan(blue);
    for (const [seconds, hz] of [
      [0.25, 2500],
      [1.25, 2500],
      [0.75, 1500],
      [0.75, 6500],
    ]) {
      const [r, g, b] = at(seconds, hz);
      expect([g, b]).toEqual([r, r]);
    }
  });
});

describe('a waveform above', () => {
  it('lies over the same time, and the spectrogram makes room for it', async () => {
    const noise = Float32Array.from({ length: 32_000 }, (_, i) => 0.3 * Math.sin(i * i));
    const { columns, rows } = plotSize(size.width, size.height, { waved: true });
    expect(rows).toBeLessThan(plotSize(size.width, size.height).rows);
    // Silent at first, then from -1/2 to 1.
    const waveform = Int8Array.from({ length: 2 * columns }, (_, index) =>
      index < columns ? 0 : index % 2 === 0 ? -63 : 127,
    );
    const { rgba, width } = decodePng(await draw(noise, 'linear', { waveform }));
    const waveHeight = size.height / 6;
    const isInked = (share: number, value: number): boolean => {
      const x = 62 + Math.floor(share * columns);
      const y = Math.floor(58 + ((1 - value) / 2) * waveHeight);
      return rgba[4 * (y * width + x)] < 128;
    };
    expect([0.9, 0.3, 0, -0.4, -0.8].map((value) => isInked(0.75, value))).toEqual([true, true, true, true, false]);
    expect([0.9, 0.3, 0, -0.4, -0.8].map((value) => isInked(0.25, value))).toEqual([false, false, true, false, false]);
  });
});
