/** Pictures of a recording for a report: waveform, spectrogram, scores, saliency. */
import { corners } from '../../../src-common/plots/draw.ts';
import type { Frame, PicturePen } from '../../../src-common/plots/draw.ts';
import type { Point } from '../../../src-common/plots/plot.ts';
import { plotFigure } from './plot-figure.ts';
import { tracePlots } from '../../../src-common/plots/traces.ts';
import { colourTable } from '../../../src-common/colour-maps.ts';
import { visibleName } from '../../../src-common/visible-text.ts';
import { unassessable, windowsAssessable } from '../../../src-common/low-stretches.ts';
import { overlayColour, timeTicksFor } from '../../sound/spectrogram-image.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Mark } from '../../../src-common/schemas/evidence.ts';
import { contentWidth, ink, markInk } from './sheet.ts';
import type { Sheet } from './sheet.ts';
import type { CloseUp, RecordingFigures, ReportItem, SaliencyFigure, SoundPicture } from './snapshot.ts';
import { extentText } from './technical-words.ts';
import { clock, decimal } from './wording.ts';

/** Of a saliency map's strongest colours over the spectrogram. */
export const saliencyOpacity = 0.6;
/** Colours of a report's spectrograms: safe for colour-blind people, and dark where there is no sound, as on the screen. */
export const reportColourMap = 'viridis';
/** Size in pixels of a report's spectrograms, and colours told apart. */
export const spectrogramSize = { width: 1200, height: 260, levels: 48, tickSpacing: 30 } as const;
/** Stretches of a report's waveforms. */
export const waveformColumns = 900;

const tickStyle = { size: 6.2, fill: ink.dim } as const;
const axisColour = '#8a8a94';
const thin = { stroke: axisColour, width: 0.5 } as const;
/** Room at the left for labels, at the right for the colour scale. */
const axis = { left: 40, right: 44 } as const;
const waveformHeight = 64;
const spectrogramHeight = 112;
const scoresHeight = 92;
const hatchSpacing = 5;
/** Of a mark's colour behind the waveform. */
const markOpacity = 0.16;
/** Windows drawn one by one; more are drawn as a band from the lowest to the highest. */
const mostSingleWindows = 700;

type Texts = { alternative: string; caption: string };

function frame(pen: PicturePen, area: Frame): void {
  const around = corners(area);
  pen.line([...around, around[0]], thin);
}

function filled(pen: PicturePen, area: Frame, fill: string, opacity = 1): void {
  pen.polygon(corners(area), { fill, opacity });
}

function timeAxis(pen: PicturePen, area: Frame, startSeconds: number, endSeconds: number): void {
  const seconds = endSeconds - startSeconds;
  const { ticks, title } = timeTicksFor(startSeconds, seconds, area.width * 1.7);
  const bottom = area.top + area.height;
  for (const { value, label } of ticks) {
    const x = area.left + ((value - startSeconds) / seconds) * area.width;
    if (x > area.left + area.width + 0.01) continue;
    pen.line(
      [
        [x, bottom],
        [x, bottom + 3],
      ],
      thin,
    );
    pen.text(x, bottom + 10, label, { ...tickStyle, anchor: 'middle' });
  }
  pen.text(area.left + area.width / 2, bottom + 18.5, title, { ...tickStyle, anchor: 'middle' });
}

function verticalTick(pen: PicturePen, area: Frame, y: number, text: string): void {
  pen.line(
    [
      [area.left - 3, y],
      [area.left, y],
    ],
    thin,
  );
  pen.text(area.left - 5, y + 2.2, text, { ...tickStyle, anchor: 'end' });
}

/** A title that stands upright beside an axis. */
function upright(pen: PicturePen, text: string, area: Frame): void {
  const [x, middle] = [area.left - axis.left + 8, area.top + area.height / 2];
  pen.text(x, middle, text, { ...tickStyle, anchor: 'middle', upright: true });
}

/** The part of a figure that axes stand around. */
function areaOf(top: number, height: number): Frame {
  return { left: axis.left, top, width: contentWidth - axis.left - axis.right, height };
}

/** A scale of colours beside an area, from below to above. @param colour of a share from 0 to 1 */
function colourBar(pen: PicturePen, area: Frame, colour: (share: number) => string): Frame {
  const bar: Frame = { left: area.left + area.width + 8, top: area.top, width: 8, height: area.height };
  const steps = 64;
  const height = bar.height / steps;
  for (let step = 0; step < steps; step++) {
    const top = bar.top + bar.height - (step + 1) * height;
    // Each overlaps the one below it: no gap is seen between them.
    filled(pen, { ...bar, top, height: height + (step > 0 ? 0.3 : 0) }, colour(step / (steps - 1)));
  }
  frame(pen, bar);
  return bar;
}

/** A stretch of time that a picture shows, and where it is hatched. */
interface Shown {
  startSeconds: number;
  endSeconds: number;
  hatched: RecordingFigures['missing'];
}

/** A mark that is drawn, with the number that it has in the list of marks. */
interface NumberedMark extends Pick<Mark, 'startSeconds' | 'endSeconds' | 'colour'> {
  number: number;
}

/** Where a time lies in an area, within it. */
function placeOf(seconds: number, area: Frame, { startSeconds, endSeconds }: Shown): number {
  const share = (seconds - startSeconds) / (endSeconds - startSeconds);
  return area.left + Math.max(0, Math.min(1, share)) * area.width;
}

function drawWaveform(
  pen: PicturePen,
  area: Frame,
  picture: SoundPicture,
  shown: Shown,
  marks: readonly NumberedMark[],
): void {
  const peaks = new Int8Array(Buffer.from(picture.peaks, 'base64'));
  const columns = peaks.length / 2;
  const middle = area.top + area.height / 2;
  const place = (value: number): number => middle - (value / 127) * (area.height / 2);
  for (const { startSeconds, endSeconds, colour } of marks) {
    const from = placeOf(startSeconds, area, shown);
    const to = placeOf(endSeconds ?? startSeconds, area, shown);
    // Of marks that lie over one another, each is seen.
    filled(pen, { ...area, left: from, width: Math.max(0.8, to - from) }, markInk(colour), markOpacity);
  }
  const x = (column: number): number => area.left + ((column + 0.5) / columns) * area.width;
  const upper = Array.from({ length: columns }, (_, column): Point => [x(column), place(peaks[2 * column + 1])]);
  const lower = Array.from({ length: columns }, (_, column): Point => [x(column), place(peaks[2 * column]) + 0.25]);
  pen.polygon([...upper, ...lower.reverse()], { fill: ink.accent, opacity: 1 });
  drawHatched(pen, area, shown);
  for (const { startSeconds, colour, number } of marks) {
    const from = placeOf(startSeconds, area, shown);
    pen.line(
      [
        [from, area.top],
        [from, area.top + area.height],
      ],
      { stroke: colour ? markInk(colour) : ink.text, width: 0.6 },
    );
    pen.text(from + 1.5, area.top + 6.5, String(number), { ...tickStyle, fill: ink.text });
  }
  frame(pen, area);
  for (const value of [-1, 0, 1]) verticalTick(pen, area, place(127 * value), decimal(value, 0));
  upright(pen, 'Amplitude', area);
}

/** Hatches where there is nothing to be seen or to be judged, each place wide enough to be seen. */
function drawHatched(pen: PicturePen, area: Frame, shown: Shown): void {
  for (const { fromSeconds, toSeconds } of shown.hatched ?? []) {
    if (toSeconds <= shown.startSeconds || fromSeconds >= shown.endSeconds) continue;
    const left = placeOf(fromSeconds, area, shown);
    const width = Math.max(1, placeOf(toSeconds, area, shown) - left);
    const place = { ...area, left, width };
    pen.clipped(place, () => {
      filled(pen, place, '#f4f4f5');
      for (let x = left - area.height; x < left + width; x += hatchSpacing) {
        const line: Point[] = [
          [x, area.top + area.height],
          [x + area.height, area.top],
        ];
        pen.line(line, thin);
      }
    });
  }
}

function drawSpectrogram(
  pen: PicturePen,
  area: Frame,
  { spectrogram }: SoundPicture,
  shown: Shown,
  scale: string,
): void {
  pen.picture(area, spectrogram.pngBase64);
  drawHatched(pen, area, shown);
  frame(pen, area);
  for (const { label, place } of spectrogram.frequencies) {
    verticalTick(pen, area, area.top + area.height * (1 - place), label);
  }
  upright(pen, `Frequency (kHz), ${scale}`, area);

  const table = colourTable(reportColourMap);
  const bar = colourBar(pen, area, (share) => {
    const place = 3 * Math.round(255 * share);
    return hex(table.subarray(place, place + 3));
  });
  const { minDb, maxDb } = spectrogram;
  for (let db = Math.ceil(minDb / 20) * 20; db <= maxDb; db += 20) {
    const y = bar.top + bar.height * (1 - (db - minDb) / (maxDb - minDb));
    pen.text(bar.left + bar.width + 3, y + 2.2, decimal(db, 0), tickStyle);
  }
  pen.text(bar.left - 2, bar.top - 5, 'dBFS', tickStyle);
}

/** Red, green and blue as a colour. */
function hex(rgb: Iterable<number>): string {
  return `#${Array.from(rgb, (value) => value.toString(16).padStart(2, '0')).join('')}`;
}

const scaleWords = { mel: 'Mel scale', linear: 'linear scale', log: 'logarithmic scale' } as const;

/** What a spectrogram was made with, and which levels its colours span. */
function spectrogramSettings({ statement, minDb, maxDb }: SoundPicture['spectrogram']): string {
  return `${statement[0].toUpperCase()}${statement.slice(1)}; colours from ${decimal(minDb, 0)} to ${decimal(maxDb, 0)} dBFS`;
}

/** Waveform and spectrogram under one time axis; marked stretches are shaded and numbered. */
function soundFigure(
  sheet: Sheet,
  picture: SoundPicture,
  shown: Shown & { scale: string; marks: readonly NumberedMark[] },
  texts: Texts,
): void {
  sheet.figure({ width: contentWidth, height: waveformHeight + spectrogramHeight + 38 }, texts, (pen) => {
    const { scale, marks } = shown;
    drawWaveform(pen, areaOf(4, waveformHeight), picture, shown, marks);
    const area = areaOf(waveformHeight + 14, spectrogramHeight);
    drawSpectrogram(pen, area, picture, shown, scale);
    timeAxis(pen, area, shown.startSeconds, shown.endSeconds);
  });
}

/** Of the mix of all channels, or of one of them, which is shaded by its own marks and those of all. @param channel with its picture; null for the mix */
function recordingFigure(
  sheet: Sheet,
  name: string,
  { evidence }: ReportItem,
  figures: RecordingFigures,
  channel: NonNullable<RecordingFigures['channels']>[number] | null,
): void {
  const { sampleRateHz, durationSeconds } = figures;
  const mixed = (evidence.audio?.channels ?? 1) > 1 ? 'the mix of all channels' : 'the recording';
  const what = channel === null ? mixed : `channel ${channel.channel}`;
  const numbered = evidence.marks
    .map((mark, index) => ({ ...mark, number: index + 1 }))
    .filter((mark) => channel === null || mark.channel === null || mark.channel === channel.channel);
  const marks = numbered.filter(({ readAll }) => !readAll);
  const whose = channel === null ? 'the marks of the item' : 'the marks of this channel and of all';
  const coloured = marks.some(({ colour }) => Boolean(colour)) ? ', in their colours' : '';
  const shaded = marks.length > 0 ? ` Shaded and numbered: ${whose}${coloured}.` : '';
  const absent =
    marks.length < numbered.length ? ' Not shown: marks in the sound that the headers do not count in.' : '';
  const absence = (figures.missing ?? []).length > 0 ? ' Hatched: no sound, by the file’s own timestamps.' : '';
  const picture = channel ?? figures;
  const { alternative, caption } = {
    alternative: `Waveform and spectrogram of ${what}, ${evidence.name}, ${decimal(durationSeconds, 2)} s`,
    caption: `${name}. Item ${evidence.id}, ${what}: waveform and spectrogram at ${sampleRateHz / 1000} kHz. ${spectrogramSettings(picture.spectrogram)}.${absence}${shaded}${absent}`,
  };
  const scale = scaleWords[picture.spectrogram.scale];
  const shown = { startSeconds: 0, endSeconds: durationSeconds, hatched: figures.missing, scale, marks };
  soundFigure(sheet, picture, shown, { alternative, caption });
}

function closeUpFigure(sheet: Sheet, name: string, { evidence }: ReportItem, closeUp: CloseUp): void {
  const { markId, startSeconds, endSeconds, sampleRateHz, spectrogram } = closeUp;
  const number = 1 + evidence.marks.findIndex(({ id }) => id === markId);
  const mark = evidence.marks[number - 1];
  const mixed = (evidence.audio?.channels ?? 1) > 1 ? ', mix of all channels' : '';
  const heard = closeUp.channel === undefined ? mixed : `, channel ${closeUp.channel}`;
  // Marks of earlier reports have no category.
  const category = mark.category ? ` (${visibleName(mark.category)})` : '';
  const caption =
    `${name}. Item ${evidence.id}, mark ${number}${category}${heard}: ${clock(startSeconds)} to ${clock(endSeconds)}, ${scaleWords[spectrogram.scale]} up to ${decimal(sampleRateHz / 2000, 1)} kHz. ` +
    `${spectrogramSettings(spectrogram)}.`;
  const shown = {
    startSeconds,
    endSeconds,
    hatched: undefined,
    scale: scaleWords[spectrogram.scale],
    marks: [{ ...mark, number }],
  };
  soundFigure(sheet, closeUp, shown, { alternative: `Close-up of mark ${number} of ${evidence.name}`, caption });
}

/** A figure that has its number before it is drawn, so that texts before it can refer to it. */
export interface PlannedFigure {
  /** `figure 3`, as texts refer to it. */
  reference: string;
  draw: (sheet: Sheet) => void;
}

/** What a figure is of. */
export const figureKeys = {
  recording: (item: number): string => `recording ${item}`,
  channel: (item: number, channel: number): string => `channel ${item} ${channel}`,
  mark: (item: number, mark: number): string => `mark ${item} ${mark}`,
  scores: (analysis: number): string => `scores ${analysis}`,
  saliency: (analysis: number): string => `saliency ${analysis}`,
  trace: (item: number, plot: string): string => `trace ${item} ${plot}`,
};

/** The figures of a report in their order, by what they are of. */
export function planFigures(items: readonly ReportItem[]): Map<string, PlannedFigure> {
  const planned = new Map<string, PlannedFigure>();
  const add = (key: string, draw: (sheet: Sheet, name: string) => void): void => {
    const number = planned.size + 1;
    planned.set(key, { reference: `figure ${number}`, draw: (sheet) => draw(sheet, `Figure ${number}`) });
  };
  for (const item of items) {
    const { id } = item.evidence;
    const { figures } = item;
    if (figures) {
      add(figureKeys.recording(id), (sheet, name) => recordingFigure(sheet, name, item, figures, null));
      for (const channel of figures.channels ?? []) {
        const key = figureKeys.channel(id, channel.channel);
        add(key, (sheet, name) => recordingFigure(sheet, name, item, figures, channel));
      }
      for (const closeUp of figures.closeUps ?? []) {
        add(figureKeys.mark(id, closeUp.markId), (sheet, name) => closeUpFigure(sheet, name, item, closeUp));
      }
    }
    const measured = item.traces?.measured;
    for (const plot of measured?.traces.flatMap((trace) => tracePlots(item.evidence.name, trace, measured)) ?? []) {
      add(figureKeys.trace(id, plot.id), (sheet, name) => {
        const caption = `${name}. Item ${id}: ${plot.title}. ${plot.note ?? ''}`.trim();
        plotFigure(sheet, plot, { alternative: `${plot.title} of ${item.evidence.name}. ${plot.gist}`, caption });
      });
    }
    for (const analysis of item.analyses) {
      // The score of a single window is that of the whole.
      if (analysis.windows.length > 1) {
        add(figureKeys.scores(analysis.id), (sheet, name) => windowScoresFigure(sheet, name, item, analysis));
      }
      const explained = item.saliency?.[analysis.id];
      if (explained?.figure) {
        const { by, figure } = explained;
        add(figureKeys.saliency(analysis.id), (sheet, name) =>
          saliencyFigure(sheet, figure, {
            alternative: `Saliency over the spectrogram of ${item.evidence.name}, ${extentText(analysis)}`,
            caption: `${name}. Item ${id}, saliency by ${by}, ${extentText(analysis)}. Blue: the score falls without it, it speaks for bona fide; orange: the score rises without it. No evidence. ${figure.statement}.`,
          }),
        );
      }
    }
  }
  return planned;
}

/** A saliency map over the spectrogram of what it is of, with the scale of its colours. */
function saliencyFigure(sheet: Sheet, figure: SaliencyFigure, texts: Texts): void {
  sheet.figure({ width: contentWidth, height: spectrogramHeight + 27 }, texts, (pen) => {
    const area = areaOf(4, spectrogramHeight);
    pen.picture(area, figure.pngBase64);
    frame(pen, area);
    for (const { label, place } of figure.frequencies) {
      verticalTick(pen, area, area.top + area.height * (1 - place), label);
    }
    upright(pen, 'Frequency (kHz), Mel scale', area);
    const bar = colourBar(pen, area, (share) => hex(overlayColour(2 * share - 1, saliencyOpacity)));
    for (const share of [-1, 0, 1]) {
      const y = bar.top + (bar.height * (1 - share)) / 2;
      pen.text(bar.left + bar.width + 3, y + 2.2, decimal(share * figure.strongest, 2), tickStyle);
    }
    timeAxis(pen, area, figure.startSeconds, figure.endSeconds);
  });
}

/** The stretch of time that a result is of, with all of its windows. */
export function extentOf({ stretch, durationSeconds, windows }: Analysis): {
  startSeconds: number;
  endSeconds: number;
} {
  if (stretch !== null) return stretch;
  const lastEnd = windows.reduce((latest, { endSeconds }) => Math.max(latest, endSeconds), 0);
  return { startSeconds: 0, endSeconds: Math.max(durationSeconds ?? 0, lastEnd) };
}

/** Scores of an analysis' windows over the time of the recording or of the stretch, with the model's thresholds. */
function windowScoresFigure(sheet: Sheet, name: string, { evidence }: ReportItem, analysis: Analysis): void {
  const { windows, thresholds } = analysis;
  const extent = extentText(analysis);
  const { startSeconds, endSeconds } = extentOf(analysis);
  const hatched = unassessable(analysis, { startSeconds, endSeconds });
  const unjudged = hatched.length === 0 ? '' : ' Hatched: not assessable.';
  const dotted = thresholds.localisation === null ? '' : '; dotted: windows below are pointed out';
  const texts = {
    alternative: `Window scores of ${evidence.name}, ${extent}`,
    caption: `${name}. Item ${evidence.id}, window scores by the model ${analysis.provenance.model.name} (uncalibrated; high: bona fide), ${extent}. Dashed: the model’s threshold for whole recordings${dotted}.${unjudged}`,
  };
  let lowest = thresholds.score;
  let highest = thresholds.score;
  const lines: { value: number; text: string; dash: [number, number] }[] = [
    { value: thresholds.score, text: 'threshold', dash: [3, 2] },
  ];
  if (thresholds.localisation !== null) {
    lines.push({ value: thresholds.localisation, text: 'low below', dash: [1, 1.6] });
    lowest = Math.min(lowest, thresholds.localisation);
  }
  for (const { score } of windows) {
    lowest = Math.min(lowest, score);
    highest = Math.max(highest, score);
  }
  const margin = Math.max(0.5, 0.08 * (highest - lowest));
  const [bottom, top] = [lowest - margin, highest + margin];

  sheet.figure({ width: contentWidth, height: scoresHeight + 27 }, texts, (pen) => {
    const area = areaOf(4, scoresHeight);
    const placeX = (seconds: number): number =>
      area.left + ((seconds - startSeconds) / (endSeconds - startSeconds)) * area.width;
    const placeY = (score: number): number => area.top + area.height * (1 - (score - bottom) / (top - bottom));
    drawHatched(pen, area, { startSeconds, endSeconds, hatched });
    for (const { value, dash } of lines) {
      const line: Point[] = [
        [area.left, placeY(value)],
        [area.left + area.width, placeY(value)],
      ];
      pen.line(line, { stroke: ink.inconclusive, width: 0.6, dash });
    }
    const colour = windowsAssessable(analysis) ? ink.accent : ink.inconclusive;
    drawScores(pen, windows, { placeX, placeY, colour });
    frame(pen, area);
    const taken: number[] = [];
    for (const { value, text } of lines) {
      const labelY = placeY(value) + 2.2;
      if (taken.some((other) => Math.abs(other - labelY) < 13)) continue;
      taken.push(labelY);
      pen.text(area.left + area.width + 3, labelY, text, tickStyle);
      pen.text(area.left + area.width + 3, labelY + 7, decimal(value, 2), tickStyle);
    }
    const step = scoreStep(top - bottom);
    for (let value = Math.ceil(bottom / step) * step; value <= top; value += step) {
      verticalTick(pen, area, placeY(value), decimal(value, step < 1 ? 1 : 0));
    }
    upright(pen, 'Window score', area);
    timeAxis(pen, area, startSeconds, endSeconds);
  });
}

function scoreStep(span: number): number {
  return [0.5, 1, 2, 5, 10, 20, 50, 100].find((step) => span / step <= 7) ?? 10 ** Math.ceil(Math.log10(span / 7));
}

/** A dot around a point. */
function dot([x, y]: Point): Point[] {
  const [sides, radius] = [12, 1.1];
  return Array.from({ length: sides }, (_, side): Point => {
    const angle = (2 * Math.PI * side) / sides;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}

function drawScores(
  pen: PicturePen,
  windows: Analysis['windows'],
  {
    placeX,
    placeY,
    colour,
  }: { placeX: (seconds: number) => number; placeY: (score: number) => number; colour: string },
): void {
  const middle = ({ startSeconds, endSeconds }: Analysis['windows'][number]): number =>
    placeX((startSeconds + endSeconds) / 2);
  if (windows.length <= mostSingleWindows) {
    const runs: Point[][] = [];
    let previousEnd = -Infinity;
    for (const window of windows) {
      const point: Point = [middle(window), placeY(window.score)];
      // Where nothing was scored there is no line.
      if (window.startSeconds > previousEnd) runs.push([point]);
      else runs.at(-1)?.push(point);
      previousEnd = window.endSeconds;
    }
    for (const run of runs) pen.line(run, { stroke: colour, width: 0.8 });
    if (windows.length <= 150) for (const point of runs.flat()) pen.polygon(dot(point), { fill: colour, opacity: 1 });
    return;
  }
  const columns = mostSingleWindows / 2;
  const bands: { x: number; low: number; high: number; sum: number; count: number }[] = [];
  windows.forEach((window, index) => {
    const column = Math.floor((index * columns) / windows.length);
    const band = (bands[column] ??= { x: middle(window), low: Infinity, high: -Infinity, sum: 0, count: 0 });
    band.low = Math.min(band.low, window.score);
    band.high = Math.max(band.high, window.score);
    band.sum += window.score;
    band.count++;
  });
  const along = (score: (band: (typeof bands)[number]) => number): Point[] =>
    bands.map((band) => [band.x, placeY(score(band))]);
  const around = [...along(({ high }) => high), ...along(({ low }) => low).reverse()];
  pen.polygon(around, { fill: '#b9d0e8', opacity: 1 });
  pen.line(
    along(({ sum, count }) => sum / count),
    { stroke: colour, width: 0.7 },
  );
}
