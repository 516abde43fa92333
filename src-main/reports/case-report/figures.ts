/** Pictures of a recording for a report: waveform, spectrogram, scores, saliency. */
import { tracePlots } from '../../../src-common/plots/traces.ts';
import { plotFigure } from './plot-figure.ts';
import { colourTable } from '../../../src-common/colour-maps.ts';
import { visibleName } from '../../../src-common/visible-text.ts';
import { unassessable, windowsAssessable } from '../../../src-common/low-stretches.ts';
import { overlayColour, timeTicksFor } from '../../sound/spectrogram-image.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Mark } from '../../../src-common/schemas/evidence.ts';
import { ink, markInk, styles } from './sheet.ts';
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

const tickStyle = { ...styles.small, size: 6.2, colour: ink.dim };
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

interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

function frame(sheet: Sheet, { x, y, width, height }: Area): void {
  sheet.document.lineWidth(0.5).strokeColor('#8a8a94').rect(x, y, width, height).stroke();
}

function timeAxis(sheet: Sheet, area: Area, startSeconds: number, endSeconds: number): void {
  const seconds = endSeconds - startSeconds;
  const { ticks, title } = timeTicksFor(startSeconds, seconds, area.width * 1.7);
  const bottom = area.y + area.height;
  for (const { value, label } of ticks) {
    const x = area.x + ((value - startSeconds) / seconds) * area.width;
    if (x > area.x + area.width + 0.01) continue;
    sheet.document
      .lineWidth(0.5)
      .strokeColor('#8a8a94')
      .moveTo(x, bottom)
      .lineTo(x, bottom + 3)
      .stroke();
    sheet.label(label, x, bottom + 10, tickStyle, 'middle');
  }
  sheet.label(title, area.x + area.width / 2, bottom + 18.5, tickStyle, 'middle');
}

function verticalTick(sheet: Sheet, area: Area, y: number, text: string): void {
  sheet.document
    .lineWidth(0.5)
    .strokeColor('#8a8a94')
    .moveTo(area.x - 3, y)
    .lineTo(area.x, y)
    .stroke();
  sheet.label(text, area.x - 5, y + 2.2, tickStyle, 'right');
}

/** A title that stands upright beside an axis. */
function upright(sheet: Sheet, text: string, x: number, middle: number): void {
  const { document } = sheet;
  const width = sheet.type.width(text, tickStyle);
  document.save().rotate(-90, { origin: [x, middle] });
  sheet.label(text, x - width / 2, middle, tickStyle);
  document.restore();
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
function placeOf(seconds: number, area: Area, { startSeconds, endSeconds }: Shown): number {
  const share = (seconds - startSeconds) / (endSeconds - startSeconds);
  return area.x + Math.max(0, Math.min(1, share)) * area.width;
}

function drawWaveform(
  sheet: Sheet,
  area: Area,
  picture: SoundPicture,
  shown: Shown,
  marks: readonly NumberedMark[],
): void {
  const { document } = sheet;
  const peaks = new Int8Array(Buffer.from(picture.peaks, 'base64'));
  const columns = peaks.length / 2;
  const middle = area.y + area.height / 2;
  const place = (value: number): number => middle - (value / 127) * (area.height / 2);
  for (const { startSeconds, endSeconds, colour } of marks) {
    const from = placeOf(startSeconds, area, shown);
    const to = placeOf(endSeconds ?? startSeconds, area, shown);
    // Of marks that lie over one another, each is seen.
    document.save().fillOpacity(markOpacity);
    document.rect(from, area.y, Math.max(0.8, to - from), area.height).fill(markInk(colour));
    document.restore();
  }
  const x = (column: number): number => area.x + ((column + 0.5) / columns) * area.width;
  document.moveTo(x(0), place(peaks[1]));
  for (let column = 1; column < columns; column++) document.lineTo(x(column), place(peaks[2 * column + 1]));
  for (let column = columns - 1; column >= 0; column--) document.lineTo(x(column), place(peaks[2 * column]) + 0.25);
  document.closePath().fill(ink.accent);
  drawHatched(sheet, area, shown);
  for (const { startSeconds, colour, number } of marks) {
    const from = placeOf(startSeconds, area, shown);
    document
      .lineWidth(0.6)
      .strokeColor(colour ? markInk(colour) : ink.text)
      .moveTo(from, area.y)
      .lineTo(from, area.y + area.height)
      .stroke();
    sheet.label(String(number), from + 1.5, area.y + 6.5, { ...tickStyle, colour: ink.text });
  }
  frame(sheet, area);
  for (const value of [-1, 0, 1]) verticalTick(sheet, area, place(127 * value), decimal(value, 0));
  upright(sheet, 'Amplitude', area.x - axis.left + 8, middle);
}

/** Hatches where there is nothing to be seen or to be judged, each place wide enough to be seen. */
function drawHatched(sheet: Sheet, area: Area, shown: Shown): void {
  const { document } = sheet;
  for (const { fromSeconds, toSeconds } of shown.hatched ?? []) {
    if (toSeconds <= shown.startSeconds || fromSeconds >= shown.endSeconds) continue;
    const from = placeOf(fromSeconds, area, shown);
    const width = Math.max(1, placeOf(toSeconds, area, shown) - from);
    document.save().rect(from, area.y, width, area.height).clip();
    document.rect(from, area.y, width, area.height).fill('#f4f4f5');
    for (let x = from - area.height; x < from + width; x += hatchSpacing) {
      document.moveTo(x, area.y + area.height).lineTo(x + area.height, area.y);
    }
    document.lineWidth(0.5).strokeColor('#8a8a94').stroke().restore();
  }
}

function drawSpectrogram(sheet: Sheet, area: Area, { spectrogram }: SoundPicture, shown: Shown, scale: string): void {
  const { document } = sheet;
  document.image(Buffer.from(spectrogram.pngBase64, 'base64'), area.x, area.y, {
    width: area.width,
    height: area.height,
  });
  drawHatched(sheet, area, shown);
  frame(sheet, area);
  for (const { label, place } of spectrogram.frequencies) {
    verticalTick(sheet, area, area.y + area.height * (1 - place), label);
  }
  upright(sheet, `Frequency (kHz), ${scale}`, area.x - axis.left + 8, area.y + area.height / 2);

  const table = colourTable(reportColourMap);
  const bar: Area = { x: area.x + area.width + 8, y: area.y, width: 8, height: area.height };
  const steps = 64;
  for (let step = 0; step < steps; step++) {
    const place = 3 * Math.round((255 * step) / (steps - 1));
    const colour = [table[place], table[place + 1], table[place + 2]] as [number, number, number];
    const top = bar.y + bar.height * (1 - (step + 1) / steps);
    document.rect(bar.x, top, bar.width, bar.height / steps + (step > 0 ? 0.3 : 0)).fill(colour);
  }
  frame(sheet, bar);
  const { minDb, maxDb } = spectrogram;
  for (let db = Math.ceil(minDb / 20) * 20; db <= maxDb; db += 20) {
    const y = bar.y + bar.height * (1 - (db - minDb) / (maxDb - minDb));
    sheet.label(decimal(db, 0), bar.x + bar.width + 3, y + 2.2, tickStyle);
  }
  sheet.label('dBFS', bar.x - 2, bar.y - 5, tickStyle);
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
  texts: { alternative: string; caption: string },
): void {
  sheet.figure(waveformHeight + spectrogramHeight + 38, texts, (left, top, width) => {
    const x = left + axis.left;
    const plotWidth = width - axis.left - axis.right;
    const { scale, marks } = shown;
    drawWaveform(sheet, { x, y: top + 4, width: plotWidth, height: waveformHeight }, picture, shown, marks);
    const area = { x, y: top + waveformHeight + 14, width: plotWidth, height: spectrogramHeight };
    drawSpectrogram(sheet, area, picture, shown, scale);
    timeAxis(sheet, area, shown.startSeconds, shown.endSeconds);
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
function saliencyFigure(sheet: Sheet, figure: SaliencyFigure, texts: { alternative: string; caption: string }): void {
  sheet.figure(spectrogramHeight + 27, texts, (left, top, width) => {
    const { document } = sheet;
    const area: Area = {
      x: left + axis.left,
      y: top + 4,
      width: width - axis.left - axis.right,
      height: spectrogramHeight,
    };
    document.image(Buffer.from(figure.pngBase64, 'base64'), area.x, area.y, { width: area.width, height: area.height });
    frame(sheet, area);
    for (const { label, place } of figure.frequencies) {
      verticalTick(sheet, area, area.y + area.height * (1 - place), label);
    }
    upright(sheet, 'Frequency (kHz), Mel scale', area.x - axis.left + 8, area.y + area.height / 2);
    const bar: Area = { x: area.x + area.width + 8, y: area.y, width: 8, height: area.height };
    const steps = 64;
    for (let step = 0; step < steps; step++) {
      const colour = overlayColour((2 * step) / (steps - 1) - 1, saliencyOpacity);
      const from = bar.y + bar.height * (1 - (step + 1) / steps);
      document.rect(bar.x, from, bar.width, bar.height / steps + (step > 0 ? 0.3 : 0)).fill(colour);
    }
    frame(sheet, bar);
    for (const share of [-1, 0, 1]) {
      const y = bar.y + (bar.height * (1 - share)) / 2;
      sheet.label(decimal(share * figure.strongest, 2), bar.x + bar.width + 3, y + 2.2, tickStyle);
    }
    timeAxis(sheet, area, figure.startSeconds, figure.endSeconds);
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
    caption: `${name}. Item ${evidence.id}, window scores by ${analysis.modelName} (uncalibrated; high: bona fide), ${extent}. Dashed: the model’s threshold for whole recordings${dotted}.${unjudged}`,
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

  sheet.figure(scoresHeight + 27, texts, (left, y, width) => {
    const { document } = sheet;
    const area: Area = { x: left + axis.left, y: y + 4, width: width - axis.left - axis.right, height: scoresHeight };
    const placeX = (seconds: number): number =>
      area.x + ((seconds - startSeconds) / (endSeconds - startSeconds)) * area.width;
    const placeY = (score: number): number => area.y + area.height * (1 - (score - bottom) / (top - bottom));
    drawHatched(sheet, area, { startSeconds, endSeconds, hatched });
    for (const { value, dash } of lines) {
      document.lineWidth(0.6).strokeColor(ink.inconclusive).dash(dash[0], { space: dash[1] });
      document
        .moveTo(area.x, placeY(value))
        .lineTo(area.x + area.width, placeY(value))
        .stroke()
        .undash();
    }
    const colour = windowsAssessable(analysis) ? ink.accent : ink.inconclusive;
    drawScores(sheet, windows, { placeX, placeY, colour });
    frame(sheet, area);
    const taken: number[] = [];
    for (const { value, text } of lines) {
      const labelY = placeY(value) + 2.2;
      if (taken.some((other) => Math.abs(other - labelY) < 13)) continue;
      taken.push(labelY);
      sheet.label(text, area.x + area.width + 3, labelY, tickStyle);
      sheet.label(decimal(value, 2), area.x + area.width + 3, labelY + 7, tickStyle);
    }
    const step = scoreStep(top - bottom);
    for (let value = Math.ceil(bottom / step) * step; value <= top; value += step) {
      verticalTick(sheet, area, placeY(value), decimal(value, step < 1 ? 1 : 0));
    }
    upright(sheet, 'Window score', area.x - axis.left + 8, area.y + area.height / 2);
    timeAxis(sheet, area, startSeconds, endSeconds);
  });
}

function scoreStep(span: number): number {
  return [0.5, 1, 2, 5, 10, 20, 50, 100].find((step) => span / step <= 7) ?? 10 ** Math.ceil(Math.log10(span / 7));
}

function drawScores(
  sheet: Sheet,
  windows: Analysis['windows'],
  {
    placeX,
    placeY,
    colour,
  }: { placeX: (seconds: number) => number; placeY: (score: number) => number; colour: string },
): void {
  const { document } = sheet;
  const middle = ({ startSeconds, endSeconds }: Analysis['windows'][number]): number =>
    placeX((startSeconds + endSeconds) / 2);
  if (windows.length <= mostSingleWindows) {
    document.lineWidth(0.8).strokeColor(colour);
    let previousEnd = -Infinity;
    for (const window of windows) {
      const [x, y] = [middle(window), placeY(window.score)];
      // Where nothing was scored there is no line.
      if (window.startSeconds > previousEnd) document.moveTo(x, y);
      else document.lineTo(x, y);
      previousEnd = window.endSeconds;
    }
    document.stroke();
    if (windows.length <= 150) {
      for (const window of windows) document.circle(middle(window), placeY(window.score), 1.1).fill(colour);
    }
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
  for (const [index, { x, high }] of bands.entries()) {
    if (index === 0) document.moveTo(x, placeY(high));
    else document.lineTo(x, placeY(high));
  }
  for (const { x, low } of bands.toReversed()) document.lineTo(x, placeY(low));
  document.closePath().fill('#b9d0e8');
  document.lineWidth(0.7).strokeColor(colour);
  for (const [index, { x, sum, count }] of bands.entries()) {
    if (index === 0) document.moveTo(x, placeY(sum / count));
    else document.lineTo(x, placeY(sum / count));
  }
  document.stroke();
}
