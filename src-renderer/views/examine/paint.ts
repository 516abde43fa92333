/** What is drawn on the canvases of the Examine view. Sizes are device pixels. */
import type { Sound } from '../../../src-common/schemas/sound.ts';
import { hzAtPlace, placeOfHz } from '../../../src-common/frequency-axis.ts';
import type { FrequencyAxis } from '../../../src-common/frequency-axis.ts';
import { partsOf } from './levels.ts';
import { firstCellAfter } from './scores.ts';
import type { Cell } from './scores.ts';
import { lengthOf } from './time-window.ts';
import type { Span } from './time-window.ts';

export interface Surface {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** Device pixels of a CSS pixel. */
  ratio: number;
}

/** Peaks of a level from its first one on: `at(i)` is the place of peak i in the array, -1 where it is not there. */
export interface PeakSource {
  samplesPerPeak: number;
  count: number;
  page: (index: number) => Float32Array | undefined;
  peaksPerPage: number;
}

/** Lowest and highest of peaks `first` up to `end`; null where a page of them is missing. */
export function extremes(source: PeakSource, first: number, end: number): { low: number; high: number } | null {
  let low = Infinity;
  let high = -Infinity;
  for (let index = first; index < end;) {
    const pageNumber = Math.floor(index / source.peaksPerPage);
    const page = source.page(pageNumber);
    if (page === undefined) return null;
    const last = Math.min(end, (pageNumber + 1) * source.peaksPerPage);
    for (; index < last; index++) {
      const at = 2 * (index - pageNumber * source.peaksPerPage);
      if (page[at] < low) low = page[at];
      if (page[at + 1] > high) high = page[at + 1];
    }
  }
  return high < low ? null : { low, high };
}

/**
 * Draws a waveform: for each pixel the lowest and highest sample there, or the samples themselves where they lie apart.
 * @param sources what to draw from; where one lacks peaks, the next is asked
 * @returns the largest magnitude that was drawn
 */
export function paintWaveform(
  { context, width, height, ratio }: Surface,
  window: Span,
  sampleRateHz: number,
  sources: readonly PeakSource[],
  style: { colour: string; line: string; gain: number },
): number {
  context.clearRect(0, 0, width, height);
  const middle = height / 2;
  const scale = (height / 2) * 0.98 * style.gain;
  context.fillStyle = style.line;
  context.fillRect(0, Math.round(middle - ratio / 2), width, ratio);
  context.fillStyle = style.colour;
  const samplesPerPixel = (lengthOf(window) * sampleRateHz) / width;
  const startSample = window.start * sampleRateHz;
  const finest = sources[0];
  const y = (value: number): number => Math.min(height, Math.max(0, middle - value * scale));
  if (finest.samplesPerPeak === 1 && samplesPerPixel < 1) {
    return paintSamples(context, finest, { startSample, samplesPerPixel, width, ratio }, y, style.colour);
  }
  let loudest = 0;
  for (let x = 0; x < width; x++) {
    const from = startSample + x * samplesPerPixel;
    for (const source of sources) {
      if (from + samplesPerPixel <= 0 || from >= source.count * source.samplesPerPeak) continue;
      const first = Math.min(source.count - 1, Math.max(0, Math.floor(from / source.samplesPerPeak)));
      const end = Math.min(
        source.count,
        Math.max(first + 1, Math.ceil((from + samplesPerPixel) / source.samplesPerPeak)),
      );
      const found = extremes(source, first, end);
      if (found === null) continue;
      loudest = Math.max(loudest, -found.low, found.high);
      const top = y(found.high);
      context.fillRect(x, top, 1, Math.max(ratio, y(found.low) - top));
      break;
    }
  }
  return loudest;
}

/** A line through the samples, with dots where they lie far apart. */
function paintSamples(
  context: CanvasRenderingContext2D,
  source: PeakSource,
  place: { startSample: number; samplesPerPixel: number; width: number; ratio: number },
  y: (value: number) => number,
  colour: string,
): number {
  const { startSample, samplesPerPixel, width, ratio } = place;
  const first = Math.max(0, Math.floor(startSample) - 1);
  const end = Math.min(source.count, Math.ceil(startSample + width * samplesPerPixel) + 2);
  const dots = samplesPerPixel * 6 * ratio < 1;
  let loudest = 0;
  let drawing = false;
  context.beginPath();
  for (let sample = first; sample < end; sample++) {
    const found = extremes(source, sample, sample + 1);
    const x = (sample - startSample) / samplesPerPixel;
    if (found === null) {
      drawing = false;
      continue;
    }
    loudest = Math.max(loudest, Math.abs(found.high));
    if (drawing) context.lineTo(x, y(found.high));
    else context.moveTo(x, y(found.high));
    drawing = true;
    if (dots) context.fillRect(x - 1.5 * ratio, y(found.high) - 1.5 * ratio, 3 * ratio, 3 * ratio);
  }
  context.strokeStyle = colour;
  context.lineWidth = 1.2 * ratio;
  context.stroke();
  return loudest;
}

/** Puts tiles of a level where they belong; what is missing is stretched from coarser ones that are there. */
export function paintTiles(
  { context, width, height }: Surface,
  window: Span,
  { levels, columnsPerTile }: Sound['spectrogram'],
  level: number,
  options: {
    background: string;
    picture: (level: number, tile: number) => CanvasImageSource | undefined;
    rows: number;
  },
): void {
  context.fillStyle = options.background;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'low';
  const { secondsPerColumn, tiles } = levels[level];
  const seconds = secondsPerColumn * columnsPerTile;
  const { first, end } = partsOf(window, seconds, tiles);
  const pixel = (time: number): number => Math.round(((time - window.start) / lengthOf(window)) * width);
  for (let tile = first; tile < end; tile++) {
    const left = pixel(tile * seconds);
    const right = pixel((tile + 1) * seconds);
    for (let coarser = level; coarser < levels.length; coarser++) {
      const factor = 2 ** (coarser - level);
      const picture = options.picture(coarser, Math.floor(tile / factor));
      if (picture === undefined) continue;
      const part = columnsPerTile / factor;
      // Less than a column of it is still something to see.
      context.drawImage(picture, (tile % factor) * part, 0, part, options.rows, left, 0, right - left, height);
      break;
    }
  }
}

/** Lines of a hatched surface lie so many CSS pixels apart. */
const hatchSpacing = 5;

/**
 * The strip of coloured window scores; hatched where there is none to be judged.
 * @param cells those that are assessable
 * @param analysed what was looked at
 */
export function paintStrip(
  { context, width, height, ratio }: Surface,
  window: Span,
  cells: readonly Cell[],
  analysed: Span,
  { colourOf, hatch }: { colourOf: (score: number) => string; hatch: string },
): void {
  context.clearRect(0, 0, width, height);
  const scale = width / lengthOf(window);
  context.strokeStyle = hatch;
  context.lineWidth = ratio;
  context.beginPath();
  for (let x = -height; x < width; x += hatchSpacing * ratio) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  const [from, to] = [(analysed.start - window.start) * scale, (analysed.end - window.start) * scale];
  if (from > 0) context.clearRect(0, 0, from, height);
  if (to < width) context.clearRect(to, 0, width - to, height);
  let drawnTo = -1;
  for (let index = firstCellAfter(cells, window.start); index < cells.length; index++) {
    const { start, end, score } = cells[index];
    if (start > window.end) break;
    const left = Math.max(0, (start - window.start) * scale);
    const right = Math.min(width, (end - window.start) * scale);
    if (right <= drawnTo) continue;
    // Where many share a pixel, the lowest of them is shown: a short spoofed stretch must not vanish.
    let lowest = score;
    let reach = right;
    while (reach - left < 1 && index + 1 < cells.length && cells[index + 1].start <= window.end) {
      index++;
      lowest = Math.min(lowest, cells[index].score);
      reach = Math.min(width, (cells[index].end - window.start) * scale);
    }
    context.fillStyle = colourOf(lowest);
    // Whole pixels: the hatching must not shine through where two cells meet.
    const first = Math.floor(left);
    context.fillRect(first, 0, Math.max(1, Math.ceil(reach) - first), height);
    drawnTo = reach;
  }
}

/** The curve of window scores, broken where nothing was scored, and lines at thresholds. */
export function paintCurve(
  { context, width, height, ratio }: Surface,
  window: Span,
  cells: readonly Cell[],
  range: { low: number; high: number },
  style: { colour: string; lines: { value: number; colour: string; dash: number[] }[] },
): void {
  context.clearRect(0, 0, width, height);
  const y = (score: number): number => height - ((score - range.low) / (range.high - range.low)) * height;
  context.lineWidth = ratio;
  for (const { value, colour, dash } of style.lines) {
    context.strokeStyle = colour;
    context.setLineDash(dash.map((length) => length * ratio));
    context.beginPath();
    context.moveTo(0, Math.round(y(value)) + 0.5);
    context.lineTo(width, Math.round(y(value)) + 0.5);
    context.stroke();
  }
  context.setLineDash([]);
  context.strokeStyle = style.colour;
  context.lineWidth = 1.4 * ratio;
  context.lineJoin = 'round';
  context.beginPath();
  const scale = width / lengthOf(window);
  const first = Math.max(0, firstCellAfter(cells, window.start) - 1);
  for (let index = first; index < cells.length; index++) {
    const { start, end, score, gap } = cells[index];
    const from = (start - window.start) * scale;
    const x = ((start + end) / 2 - window.start) * scale;
    if (gap || index === first) {
      context.moveTo(from, y(score));
      // A single window is a line as long as it is.
      context.lineTo(Math.max(x, from + 1), y(score));
    } else context.lineTo(x, y(score));
    const last = index + 1 === cells.length || cells[index + 1].gap;
    if (last) context.lineTo((end - window.start) * scale, y(score));
    if (start > window.end) break;
  }
  context.stroke();
}

/** Of a saliency map: what speaks for bona fide, and what for a machine. In both themes they lie over a spectrogram that is black where it is quiet. */
export const saliencyColours = { above: 'rgb(86 180 233)', below: 'rgb(239 131 68)' } as const;

/** Lays a saliency map over the spectrogram: colours by sign, as dense as a value is large. */
export function paintSaliency(
  { context, width, height }: Surface,
  window: Span,
  axis: FrequencyAxis,
  map: {
    columns: readonly { startSeconds: number; endSeconds: number; cells: readonly number[] }[];
    edgesHz: number[];
  },
  { strongest, opacity }: { strongest: number; opacity: number },
): void {
  context.clearRect(0, 0, width, height);
  const pixel = (time: number): number => Math.round(((time - window.start) / lengthOf(window)) * width);
  const edges = map.edgesHz.map((hz) => Math.round(height * (1 - Math.min(1, placeOfHz(axis, hz)))));
  for (const { startSeconds, endSeconds, cells } of map.columns) {
    if (endSeconds <= window.start || startSeconds >= window.end) continue;
    const left = pixel(startSeconds);
    const right = pixel(endSeconds);
    cells.forEach((value, band) => {
      context.globalAlpha = opacity * Math.min(1, Math.abs(value) / strongest);
      context.fillStyle = value >= 0 ? saliencyColours.above : saliencyColours.below;
      context.fillRect(left, edges[band + 1], right - left, edges[band] - edges[band + 1]);
    });
  }
  context.globalAlpha = 1;
}

/** Level in dB at a time and a frequency; null where the tile is not there. */
export function levelAt(
  sound: Sound['spectrogram'],
  axis: FrequencyAxis,
  tile: { bytes: Uint8Array; firstSeconds: number; secondsPerColumn: number },
  time: number,
  hz: number,
): number | null {
  const column = Math.floor((time - tile.firstSeconds) / tile.secondsPerColumn);
  const row = Math.min(sound.bins - 1, Math.floor(placeOfHz(axis, hz) * sound.bins));
  if (column < 0 || column >= sound.columnsPerTile || row < 0) return null;
  const byte = tile.bytes[row * sound.columnsPerTile + column];
  return sound.floorDb + (byte / 255) * (sound.ceilingDb - sound.floorDb);
}

/** The frequency that a row of pixels shows. */
export function hzAtPixel(axis: FrequencyAxis, y: number, height: number): number {
  return hzAtPlace(axis, Math.min(1, Math.max(0, 1 - y / height)));
}

/** A level, rounded up to 5 dB, that one in a thousand of a tile's values exceeds: where the brightest colour is put by itself. */
export function automaticCeiling(bytes: Uint8Array, { floorDb, ceilingDb }: Sound['spectrogram']): number {
  const counts = new Uint32Array(256);
  let heard = 0;
  for (const byte of bytes) {
    if (byte === 0) continue;
    counts[byte]++;
    heard++;
  }
  let above = 0;
  let byte = 255;
  for (; byte > 0; byte--) {
    above += counts[byte];
    if (above > heard / 1000) break;
  }
  const level = floorDb + (byte / 255) * (ceilingDb - floorDb);
  return heard === 0 ? ceilingDb : Math.min(ceilingDb, Math.max(-60, 5 * Math.ceil(level / 5)));
}
