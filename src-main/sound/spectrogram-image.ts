/** Draws spectrograms as pictures: for the command line, for reports, and under an overlay. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { visibleName } from '../../src-common/visible-text.ts';
import { Resvg } from '@resvg/resvg-js';
import { colourTable } from '../../src-common/colour-maps.ts';
import type { ColourMap } from '../../src-common/colour-maps.ts';
import { windowNames } from '../../src-common/analysis-windows.ts';
import { hzAtPlace, placeOfHz } from '../../src-common/frequency-axis.ts';
import type { FrequencyScale } from '../../src-common/frequency-axis.ts';
import type { SpectrogramOverview } from './overview.ts';

/** Smallest and largest picture that can be asked for, in pixels. */
export const imageLimits = { minWidth: 480, minHeight: 280, maxWidth: 4096, maxHeight: 4096 } as const;

export interface SpectrogramImageOptions {
  /** Size of the whole picture in pixels, within {@link imageLimits}. */
  width: number;
  height: number;
  /** First line, usually the file's name; shortened in its middle where it is too long. */
  title: string;
  /** Small line below it: what the audio is. How it was analysed is added. */
  detail: string;
  /** Time of the overview's first sample in the recording. */
  startSeconds: number;
  colourMap: ColourMap;
  /** Level of the brightest colour in dBFS; by default the loudest one, rounded up to 5 dB. */
  maxDb?: number;
  /** Level of the darkest colour in dBFS; by default `rangeDb` below the brightest. */
  minDb?: number;
  rangeDb?: number;
  /** Signed values over time and frequency, laid over the spectrogram in two colours; their scale takes the levels' place. */
  overlay?: SpectrogramOverlay;
  /** Lowest and highest sample of each column, one after the other, 127 for full scale: drawn above the spectrogram. */
  waveform?: Int8Array;
}

interface SaliencyOverlay {
  /** In order of time, on the picture's axis; `cells` from the lowest band. */
  columns: readonly { startSeconds: number; endSeconds: number; cells: readonly number[] }[];
  /** Edges of the bands, one more than there are. */
  edgesHz: readonly number[];
  /** Of the strongest colour, 0 to 1. */
  opacity: number;
}

interface SpectrogramOverlay extends SaliencyOverlay {
  /** What the values are, at their scale. */
  unit: string;
  /** A sentence below the picture. */
  note: string;
}

/** Colours of what is above and below zero, blue and vermilion as everywhere in the program. */
const above = [0x00, 0x72, 0xb2];
const below = [0xc2, 0x50, 0x0a];

const ink = '#1d1d21';
const dimmed = '#63636d';
const line = '#8a8a94';

const axisTitles = {
  mel: 'Frequency (kHz), Mel scale',
  linear: 'Frequency (kHz)',
  log: 'Frequency (kHz), logarithmic',
} as const;

/** Where things are, in pixels. */
interface Layout {
  /** Size of text and lines against a picture of ordinary size. */
  unit: number;
  left: number;
  top: number;
  width: number;
  height: number;
  /** Of the waveform above it; null: there is none. */
  wave: { top: number; height: number } | null;
}

/** What a picture has beside the spectrogram: a sentence below an overlay, a waveform above. */
interface Beside {
  noted?: boolean;
  waved?: boolean;
}

function layoutOf(width: number, height: number, { noted = false, waved = false }: Beside): Layout {
  const unit = Math.max(1, Math.min(width / 1200, height / 600));
  const left = Math.round(62 * unit);
  const above = Math.round(58 * unit);
  const wave = waved ? { top: above, height: Math.round(height / 6) } : null;
  const top = wave === null ? above : above + wave.height + Math.round(8 * unit);
  return {
    unit,
    left,
    top,
    width: width - left - Math.round(92 * unit),
    height: height - top - Math.round((noted ? 74 : 52) * unit),
    wave,
  };
}

/** Size in pixels of the spectrogram itself within a picture of this size. */
export function plotSize(width: number, height: number, beside: Beside = {}): { columns: number; rows: number } {
  const layout = layoutOf(width, height, beside);
  return { columns: layout.width, rows: layout.height };
}

/**
 * Draws a spectrogram with axes, labels and a colour scale.
 * @param overview of at least one sample.
 * @returns the bytes of a PNG file; the same input gives the same bytes.
 */
export function drawSpectrogram(overview: SpectrogramOverview, options: SpectrogramImageOptions): Buffer {
  const { width, height } = options;
  const { overlay, waveform } = options;
  const layout = layoutOf(width, height, { noted: overlay !== undefined, waved: waveform !== undefined });
  const { unit } = layout;
  const { minDb, maxDb } = levelRange(overview, options);
  const table = colourTable(options.colourMap);
  const seconds = overview.samples / overview.parameters.sampleRateHz;
  const right = layout.left + layout.width;
  const bottom = layout.top + layout.height;

  const marks: string[] = [];
  const tick = (x1: number, y1: number, x2: number, y2: number): void => {
    marks.push(
      `<path d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}" stroke="${line}" stroke-width="${unit}"/>`,
    );
  };
  const text = (content: string, x: number, y: number, attributes: string): void => {
    marks.push(`<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(content)}</text>`);
  };
  const size = (points: number): string => `font-size="${round(points * unit)}"`;
  const middle = 'text-anchor="middle"';

  const titleWidth = width - 2 * 14 * unit;
  text(
    fitted(visibleName(options.title), 15 * unit, titleWidth, true),
    14 * unit,
    23 * unit,
    `${size(15)} font-weight="bold"`,
  );
  const detail = `${options.detail} · ${analysisText(overview)}`;
  text(
    fitted(visibleName(detail), 10.5 * unit, titleWidth, false),
    14 * unit,
    42 * unit,
    `${size(10.5)} fill="${dimmed}"`,
  );

  const time = timeAxis(options.startSeconds, seconds, layout.width / unit);
  for (const { value, label } of time.ticks) {
    const x = layout.left + ((value - options.startSeconds) / seconds) * layout.width;
    tick(x, bottom, x, bottom + 5 * unit);
    text(label, x, bottom + 18 * unit, `${size(11)} ${middle}`);
  }
  text(time.title, layout.left + layout.width / 2, bottom + 40 * unit, `${size(11.5)} ${middle} fill="${dimmed}"`);

  for (const { value, label } of frequencyTicks(overview, layout.height / unit)) {
    const y = bottom - frequencyPlace(overview, value) * layout.height;
    tick(layout.left - 5 * unit, y, layout.left, y);
    text(label, layout.left - 8 * unit, y + 4 * unit, `${size(11)} text-anchor="end"`);
  }
  const axisX = 17 * unit;
  const axisY = layout.top + layout.height / 2;
  const axisTitle = axisTitles[overview.scale];
  const turned = (x: number): string =>
    `${size(11.5)} ${middle} fill="${dimmed}" transform="rotate(-90 ${round(x)} ${round(axisY)})"`;
  text(axisTitle, axisX, axisY, turned(axisX));

  const barLeft = right + Math.round(16 * unit);
  const barWidth = Math.round(14 * unit);
  const most = overlay ? strongest(overlay) : 0;
  const [low, high] = overlay ? [-most, most] : [minDb, maxDb];
  for (const value of levelTicks(low, high, layout.height / unit)) {
    const y = bottom - ((value - low) / (high - low)) * layout.height;
    tick(barLeft + barWidth, y, barLeft + barWidth + 4 * unit, y);
    text(numberText(value), barLeft + barWidth + 7 * unit, y + 4 * unit, size(11));
  }
  const barTitle = width - 7 * unit;
  const levelTitle = overview.parameters.type === 'mel' ? 'Level (dBFS per band)' : 'Level (dBFS per bin)';
  text(overlay?.unit ?? levelTitle, barTitle, axisY, turned(barTitle));

  const indices = plotIndices(overview, layout, minDb, maxDb);
  if (indices.every((index) => index === 0)) {
    const note = `No sound above ${numberText(minDb)} dBFS`;
    const pale = `fill="#ffffff" stroke="#000000" stroke-width="${round(3 * unit)}" paint-order="stroke"`;
    text(note, layout.left + layout.width / 2, axisY, `${size(14)} ${middle} ${pale}`);
  }
  if (overlay) text(overlay.note, 14 * unit, height - 9 * unit, size(11));
  const bar = new Uint8Array(layout.height);
  for (let y = 0; y < bar.length; y++) bar[y] = Math.round(255 * (1 - y / Math.max(1, bar.length - 1)));

  const frame = (
    x: number,
    frameWidth: number,
    { top, height: frameHeight }: { top: number; height: number } = layout,
  ): string =>
    `<rect x="${x - 0.5}" y="${top - 0.5}" width="${frameWidth + 1}" height="${frameHeight + 1}" ` +
    `fill="none" stroke="${line}" stroke-width="1"/>`;
  const { wave } = layout;
  if (wave && waveform) {
    marks.push(
      wavePath(waveform, { ...wave, left: layout.left, width: layout.width }),
      frame(layout.left, layout.width, wave),
    );
    for (const value of [-1, 0, 1]) {
      const y = wave.top + ((1 - value) / 2) * wave.height;
      tick(layout.left - 5 * unit, y, layout.left, y);
      text(numberText(value), layout.left - 8 * unit, y + 4 * unit, `${size(11)} text-anchor="end"`);
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans" fill="${ink}">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${pixels(layout.left, layout.top, layout.width, layout.height, palettePng(indices, layout.width, layout.height, table))}
${
  overlay
    ? pixels(
        layout.left,
        layout.top,
        layout.width,
        layout.height,
        rgbaPng(overlayPixels(overview, layout, options.startSeconds, overlay), layout.width, layout.height),
      ) + pixels(barLeft, layout.top, barWidth, layout.height, overlayBarPng(layout.height, overlay.opacity))
    : pixels(barLeft, layout.top, barWidth, layout.height, palettePng(bar, 1, layout.height, table))
}
${frame(layout.left, layout.width)}${frame(barLeft, barWidth)}
${marks.join('\n')}
</svg>`;
  return new Resvg(svg, { font: bundledFonts('DejaVu Sans', ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf']) })
    .render()
    .asPng();
}

/** A waveform's lowest and highest samples as an outline, at least a pixel high. */
function wavePath(waveform: Int8Array, area: { left: number; top: number; width: number; height: number }): string {
  const columns = waveform.length / 2;
  const place = (column: number, value: number): string => {
    const x = area.left + ((column + 0.5) / columns) * area.width;
    return `${round(x)} ${round(area.top + ((1 - value / 127) / 2) * area.height)}`;
  };
  const upper = Array.from({ length: columns }, (_, column) => place(column, waveform[2 * column + 1]));
  const lower = Array.from({ length: columns }, (_, column) => place(column, waveform[2 * column]));
  return `<path d="M${[...upper, ...lower.reverse()].join('L')}Z" fill="${ink}" stroke="${ink}" stroke-width="1"/>`;
}

/** What a picture is made with, for those who have to say so beside it. */
export function shownBy(
  overview: SpectrogramOverview,
  options: Pick<SpectrogramImageOptions, 'minDb' | 'maxDb' | 'rangeDb' | 'colourMap'>,
): { minDb: number; maxDb: number; statement: string; scale: FrequencyScale; topHz: number; colourMap: ColourMap } {
  const { scale, parameters } = overview;
  const { colourMap } = options;
  return {
    statement: analysisText(overview),
    scale,
    topHz: parameters.fMax,
    ...levelRange(overview, options),
    colourMap,
  };
}

/** Fonts that come with the program, never the system's: the same picture everywhere. @param names of files of one family */
export function bundledFonts(
  family: string,
  names: readonly string[],
): { loadSystemFonts: false; fontFiles: string[]; defaultFontFamily: string; sansSerifFamily: string } {
  const folder = join(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'), '..', 'ttf');
  return {
    loadSystemFonts: false,
    fontFiles: names.map((name) => join(folder, name)),
    defaultFontFamily: family,
    sansSerifFamily: family,
  };
}

function levelRange(
  overview: SpectrogramOverview,
  { minDb, maxDb, rangeDb = 80 }: Pick<SpectrogramImageOptions, 'minDb' | 'maxDb' | 'rangeDb'>,
): { minDb: number; maxDb: number } {
  if (maxDb !== undefined) return { minDb: minDb ?? maxDb - rangeDb, maxDb };
  let loudest = -Infinity;
  for (const level of overview.levelsDb) if (level > loudest) loudest = level;
  // Below the noise of 16-bit samples there is nothing to see: silence is not blown up.
  const bright = 5 * Math.ceil(Math.max(loudest, -60) / 5);
  if (minDb === undefined) return { minDb: bright - rangeDb, maxDb: bright };
  return { minDb, maxDb: Math.max(bright, minDb + 10) };
}

/** A spectrogram without axes, for a document that draws its own. */
export interface SpectrogramPixels {
  /** PNG file of a palette's colours. */
  png: Buffer;
  /** Levels in dBFS of the darkest and the brightest colour. */
  minDb: number;
  maxDb: number;
  /** Round frequencies with their places in the picture's height (0 bottom, 1 top). */
  frequencies: { label: string; place: number }[];
  /** Of the frequency axis. */
  scale: FrequencyScale;
  /** How it was made. */
  statement: string;
}

interface PixelOptions extends Pick<SpectrogramImageOptions, 'width' | 'height' | 'colourMap' | 'maxDb' | 'rangeDb'> {
  levels: number;
  tickSpacing: number;
}

/**
 * Draws a spectrogram's pixels alone.
 * @param overview of at least one sample.
 * @param options.levels colours to tell apart, at most 256: fewer make a smaller file.
 */
export function spectrogramPixels(overview: SpectrogramOverview, options: PixelOptions): SpectrogramPixels {
  const { width, height, colourMap, levels } = options;
  const { minDb, maxDb } = levelRange(overview, options);
  const indices = quantised(plotIndices(overview, { width, height }, minDb, maxDb), levels);
  return {
    png: palettePng(indices, width, height, colourTable(colourMap), 9),
    minDb,
    maxDb,
    frequencies: frequencyTicks(overview, (20 * height) / options.tickSpacing).map(({ value, label }) => ({
      label,
      place: frequencyPlace(overview, value),
    })),
    scale: overview.scale,
    statement: analysisText(overview),
  };
}

/** Colours told apart, each in the middle of those that it stands for. */
function quantised(indices: Uint8Array, levels: number): Uint8Array {
  const step = 256 / levels;
  return indices.map((index) => Math.min(255, Math.floor(Math.floor(index / step) * step + step / 2)));
}

/** Pixels with an overlay, whose colours follow its values. */
export interface OverlaidPixels extends Omit<SpectrogramPixels, 'minDb' | 'maxDb'> {
  /** The largest value, whatever its sign: that of the strongest colours. */
  strongest: number;
}

/**
 * Draws a spectrogram's pixels in grey with an overlay.
 * @param overview of at least one sample, from `startSeconds` on
 */
export function overlaidPixels(
  overview: SpectrogramOverview,
  startSeconds: number,
  overlay: SaliencyOverlay,
  options: { width: number; height: number; levels: number; tickSpacing: number },
): OverlaidPixels {
  const { width, height } = options;
  const { minDb: _low, maxDb: _high, ...plain } = spectrogramPixels(overview, { ...options, colourMap: 'grey' });
  const { minDb, maxDb } = levelRange(overview, {});
  const indices = quantised(plotIndices(overview, { width, height }, minDb, maxDb), options.levels);
  const grey = colourTable('grey');
  const laid = overlayPixels(overview, { width, height }, startSeconds, overlay);
  const rgb = new Uint8Array(3 * width * height);
  indices.forEach((index, place) => {
    const share = laid[4 * place + 3] / 255;
    for (let part = 0; part < 3; part++) {
      rgb[3 * place + part] = Math.round(grey[3 * index + part] * (1 - share) + laid[4 * place + part] * share);
    }
  });
  const png = pngFile(rgb, { width, height, bytesPerPixel: 3, colourType: 2 }, [], 9);
  return { ...plain, png, strongest: strongest(overlay) };
}

/** Colour of an overlay on white, at a share of its strongest value, -1 to 1. */
export function overlayColour(share: number, opacity: number): [number, number, number] {
  const [red, green, blue, alpha] = overlayPixel(share, opacity);
  const onWhite = (value: number): number => Math.round(255 + ((value - 255) * alpha) / 255);
  return [onWhite(red), onWhite(green), onWhite(blue)];
}

/** Time ticks whose labels do not touch in a plot that is so many small pixels wide, with the axis' title. */
export function timeTicksFor(
  startSeconds: number,
  seconds: number,
  widthPx: number,
): { ticks: { value: number; label: string }[]; title: string } {
  return timeAxis(startSeconds, seconds, widthPx);
}

/** Colour of every pixel of the plot, 0 ... 255, top row first. */
function plotIndices(
  overview: SpectrogramOverview,
  layout: Pick<Layout, 'width' | 'height'>,
  minDb: number,
  maxDb: number,
): Uint8Array {
  const { rows, columns, levelsDb, framesPerColumn, samples } = overview;
  const result = new Uint8Array(layout.width * layout.height);
  const values = new Float32Array(rows);
  const columnsPerPixel = samples / overview.parameters.hopLength / framesPerColumn / layout.width;
  // Frame t lies at t hops; a column's middle is that of its frames.
  const shift = (framesPerColumn - 1) / 2 / framesPerColumn;
  const scale = 255 / (maxDb - minDb);
  const places = Array.from({ length: layout.height }, (_, y) => rowPlace(overview, y, layout.height));
  for (let x = 0; x < layout.width; x++) {
    const begin = x * columnsPerPixel - shift;
    // Columns whose middle lies under the pixel, the loudest taken; between two of them where there is none.
    let first = Math.ceil(begin);
    let end = Math.ceil(begin + columnsPerPixel);
    let weight = 0;
    const between = end <= first;
    if (between) {
      const place = begin + columnsPerPixel / 2;
      first = Math.floor(place);
      end = first + 2;
      weight = place - first;
    }
    first = Math.max(0, Math.min(columns - 1, first));
    end = Math.max(first + 1, Math.min(columns, end));
    for (let row = 0; row < rows; row++) {
      let value = levelsDb[row * columns + first];
      if (between) value += (levelsDb[row * columns + end - 1] - value) * weight;
      else for (let c = first + 1; c < end; c++) value = Math.max(value, levelsDb[row * columns + c]);
      values[row] = value;
    }
    for (let y = 0; y < layout.height; y++) {
      const { low, high, share } = places[y];
      let level = values[low];
      if (share === null) for (let row = low + 1; row <= high; row++) level = Math.max(level, values[row]);
      else level += (values[high] - level) * share;
      result[y * layout.width + x] = Math.max(0, Math.min(255, Math.round((level - minDb) * scale)));
    }
  }
  return result;
}

/** What a row of pixels shows: `share` of the way from one row to the next, or, where there are more between them, the loudest. */
interface RowPlace {
  low: number;
  high: number;
  share: number | null;
}

/** What lies at this row of pixels of so many, the top one first. */
function rowPlace(overview: SpectrogramOverview, y: number, height: number): RowPlace {
  const { rows, scale } = overview;
  const within = (place: number): number => Math.max(0, Math.min(rows - 1, place));
  if (scale === 'log') {
    const [first, last] = [1 - (y + 1) / height, 1 - y / height].map((place) =>
      within(placeAmongRows(overview, place)),
    );
    if (last - first > 1) return { low: Math.ceil(first), high: Math.floor(last), share: null };
  }
  const place = within(placeAmongRows(overview, 1 - (y + 0.5) / height));
  const low = Math.min(Math.floor(place), Math.max(0, rows - 2));
  return { low, high: Math.min(rows - 1, low + 1), share: place - low };
}

/** The row, with its fraction, that lies at this height of the plot (0 bottom, 1 top). */
function placeAmongRows({ parameters, rows, scale }: SpectrogramOverview, height: number): number {
  // Mel band m is centred on edge m + 1 of nMels + 2.
  if (parameters.type === 'mel') return ((height * (parameters.nMels + 1) - 1) * rows) / parameters.nMels;
  const bins = parameters.nFft / 2 + 1;
  const share = hzAtPlace({ scale, topHz: parameters.fMax }, height) / parameters.fMax;
  const place = ((share * (bins - 1) + 0.5) / bins) * rows - 0.5;
  // Rows that stand for several bins hold the loudest: between two of them there is nothing to interpolate.
  return rows < bins ? Math.round(place) : place;
}

/** Height in the plot (0 bottom, 1 top) of a frequency. */
function frequencyPlace({ parameters, scale }: SpectrogramOverview, hz: number): number {
  return placeOfHz({ scale, topHz: parameters.fMax }, hz);
}

interface Tick {
  value: number;
  label: string;
}

/** Round frequencies at least 20 px apart; the rounder ones come first. */
function frequencyTicks(overview: SpectrogramOverview, heightPx: number): Tick[] {
  const top = overview.parameters.fMax;
  const candidates: number[] = [];
  if (overview.scale !== 'log') candidates.push(0);
  if (overview.scale !== 'linear') {
    for (const kHz of [1, 2, 4, 8, 16, 32, 64, 128, 0.5, 3, 6, 12, 24, 48, 96, 0.2, 0.1, 0.05, 1.5, 5, 10, 20, 40]) {
      candidates.push(1000 * kHz);
    }
  } else {
    const step = niceStep(top / (heightPx / 40));
    for (let value = step; value <= top * (1 + 1e-9); value += step) candidates.push(value);
  }
  const chosen: number[] = [];
  for (const hz of candidates) {
    if (hz > top * (1 + 1e-9)) continue;
    const place = frequencyPlace(overview, hz) * heightPx;
    if (chosen.every((other) => Math.abs(frequencyPlace(overview, other) * heightPx - place) >= 20)) chosen.push(hz);
  }
  return chosen.map((hz) => ({ value: hz, label: numberText(Math.round(hz * 1000) / 1e6) }));
}

/** Time ticks whose labels do not touch, with the axis' title. */
function timeAxis(startSeconds: number, seconds: number, widthPx: number): { ticks: Tick[]; title: string } {
  const end = startSeconds + seconds;
  const steps: number[] = [];
  for (let power = -6; power <= 1; power++) for (const digit of [1, 2, 5]) steps.push(digit * 10 ** power);
  const short = steps.filter((step) => step < 30);
  const all = [...short, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  for (const step of all) {
    const count = Math.floor(seconds / step);
    const labelPx = 7 * timeText(end, end, step).length + 18;
    if (count > 1000 || (count + 1) * labelPx > widthPx) continue;
    return { ticks: timeTicks(startSeconds, end, step), title: timeTitle(end) };
  }
  return { ticks: timeTicks(startSeconds, end, 864000), title: timeTitle(end) };
}

function timeTicks(start: number, end: number, step: number): Tick[] {
  const ticks: Tick[] = [];
  for (let index = Math.ceil(start / step - 1e-6); index * step <= end + step * 1e-6; index++) {
    ticks.push({ value: index * step, label: timeText(index * step, end, step) });
  }
  return ticks;
}

function timeTitle(endSeconds: number): string {
  if (endSeconds < 0.1) return 'Time (ms)';
  if (endSeconds <= 60) return 'Time (s)';
  return endSeconds < 3600 ? 'Time (min:s)' : 'Time (h:min:s)';
}

function timeText(seconds: number, endSeconds: number, step: number): string {
  const shownStep = endSeconds < 0.1 ? step * 1000 : step;
  const digits = Math.max(0, -Math.floor(Math.log10(shownStep) + 1e-9));
  if (endSeconds < 0.1) return (seconds * 1000).toFixed(digits);
  if (endSeconds <= 60) return seconds.toFixed(digits);
  // In whole units of the last digit, so that 59.96 never becomes 60.0.
  const units = Math.round(seconds * 10 ** digits);
  const perMinute = 60 * 10 ** digits;
  const rest = ((units % perMinute) / 10 ** digits).toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, '0');
  const minutes = Math.floor(units / perMinute);
  if (endSeconds < 3600) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

function levelTicks(minDb: number, maxDb: number, heightPx: number): number[] {
  const step = niceStep((maxDb - minDb) / (heightPx / 40));
  const ticks: number[] = [];
  for (let index = Math.ceil(minDb / step - 1e-9); index * step <= maxDb + 1e-9; index++) ticks.push(index * step);
  return ticks;
}

/** The first of 1, 2, 5, 10 ... that is not below `atLeast`. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return power * ([1, 2, 5].find((digit) => digit * power >= atLeast * (1 - 1e-9)) ?? 10);
}

/** With a true minus sign and without digits that come from rounding. */
function numberText(value: number): string {
  return String(Number(value.toFixed(6))).replace('-', '−');
}

function analysisText({ parameters, framesPerColumn }: SpectrogramOverview): string {
  const { window, winLength, hopLength, sampleRateHz, nFft } = parameters;
  const milliseconds = (samples: number): string =>
    `${numberText(Number(((1000 * samples) / sampleRateHz).toPrecision(3)))} ms`;
  const bands =
    parameters.type === 'mel'
      ? `${parameters.nMels} Mel bands`
      : `bins of ${numberText(Number((sampleRateHz / nFft).toPrecision(3)))} Hz`;
  const loudest = framesPerColumn > 1 ? ', each column the loudest of its frames' : '';
  return `${bands}, ${windowNames[window]} window ${milliseconds(winLength)}, hop ${milliseconds(hopLength)}${loudest} · full-scale sine = 0 dBFS`;
}

/** The text as it is, or with its middle left out so that it is at most so wide. */
function fitted(content: string, fontSize: number, widthPx: number, bold: boolean): string {
  const characters = Array.from(new Intl.Segmenter().segment(content), ({ segment }) => segment);
  const fits = (candidate: string): boolean => textWidth(candidate, fontSize, bold) <= widthPx;
  // A name cannot be so long that measuring it whole costs anything, but a caller's text can.
  if (characters.length <= 1000 && fits(content)) return content;
  const shortened = (kept: number): string =>
    `${characters.slice(0, Math.ceil(kept / 2)).join('')}…${characters.slice(characters.length - Math.floor(kept / 2)).join('')}`;
  let low = 0;
  let high = Math.min(characters.length, 1000);
  while (high - low > 1) {
    const kept = (low + high) >> 1;
    if (fits(shortened(kept))) low = kept;
    else high = kept;
  }
  return shortened(low);
}

function textWidth(content: string, fontSize: number, bold: boolean): number {
  const weight = bold ? 'bold' : 'normal';
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><text y="50" font-family="DejaVu Sans" ` +
    `font-size="${round(fontSize)}" font-weight="${weight}">${escapeXml(content)}</text></svg>`;
  return (
    new Resvg(svg, { font: bundledFonts('DejaVu Sans', ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf']) }).getBBox()?.width ??
    0
  );
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function pixels(x: number, y: number, width: number, height: number, png: Buffer): string {
  return (
    `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" ` +
    `image-rendering="optimizeSpeed" href="data:image/png;base64,${png.toString('base64')}"/>`
  );
}

/** The largest value of an overlay, whatever its sign; a little above zero where all are zero. */
function strongest({ columns }: SaliencyOverlay): number {
  let most = 1e-9;
  for (const { cells } of columns) for (const value of cells) most = Math.max(most, Math.abs(value));
  return most;
}

/** One pixel of an overlay. @param share of the strongest value, with its sign */
function overlayPixel(share: number, opacity: number): number[] {
  return [...(share >= 0 ? above : below), Math.round(255 * opacity * Math.min(1, Math.abs(share)))];
}

/** An overlay's colours at each pixel of the plot, four bytes each; see-through where it says nothing. */
function overlayPixels(
  overview: SpectrogramOverview,
  layout: Pick<Layout, 'width' | 'height'>,
  startSeconds: number,
  overlay: SaliencyOverlay,
): Uint8Array {
  const { width, height } = layout;
  const { columns, edgesHz, opacity } = overlay;
  const most = strongest(overlay);
  const seconds = overview.samples / overview.parameters.sampleRateHz;
  const edges = edgesHz.map((hz) => (1 - frequencyPlace(overview, hz)) * height);
  const bandAt = Array.from({ length: height }, (_, y) => edges.findLastIndex((edge) => y + 0.5 <= edge));
  const rgba = new Uint8Array(4 * width * height);
  let at = 0;
  for (let x = 0; x < width; x++) {
    const time = startSeconds + ((x + 0.5) / width) * seconds;
    while (at < columns.length && columns[at].endSeconds <= time) at++;
    if (at === columns.length) break;
    const { startSeconds: start, cells } = columns[at];
    if (start > time) continue;
    bandAt.forEach((band, y) => {
      if (band >= 0 && band < cells.length) rgba.set(overlayPixel(cells[band] / most, opacity), 4 * (y * width + x));
    });
  }
  return rgba;
}

/** The scale of an overlay, on white. */
function overlayBarPng(height: number, opacity: number): Buffer {
  const rgba = new Uint8Array(4 * height);
  for (let y = 0; y < height; y++) rgba.set(overlayPixel(1 - (2 * y) / Math.max(1, height - 1), opacity), 4 * y);
  return rgbaPng(rgba, 1, height);
}

/** A PNG file of four bytes per pixel. */
function rgbaPng(rgba: Uint8Array, width: number, height: number): Buffer {
  return pngFile(rgba, { width, height, bytesPerPixel: 4, colourType: 6 });
}

/** A PNG file of one byte per pixel with a table of 256 colours. */
function palettePng(indices: Uint8Array, width: number, height: number, table: Uint8Array, effort = 1): Buffer {
  return pngFile(indices, { width, height, bytesPerPixel: 1, colourType: 3 }, [pngChunk('PLTE', table)], effort);
}

/** @param chunks between header and pixels */
function pngFile(
  samples: Uint8Array,
  format: { width: number; height: number; bytesPerPixel: number; colourType: number },
  chunks: readonly Buffer[] = [],
  effort = 1,
): Buffer {
  const { width, height, bytesPerPixel, colourType } = format;
  const stride = bytesPerPixel * width;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits; compression, filter and interlace methods 0.
  header.set([8, colourType, 0, 0, 0], 8);
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) rows.set(samples.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    ...chunks,
    pngChunk('IDAT', deflateSync(rows, { level: effort })),
    pngChunk('IEND', new Uint8Array()),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
