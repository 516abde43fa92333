/** What a stretch of sound is made of, as plots. */
import { windowNames } from '../analysis-windows.ts';
import { axisNumber, formatCount, formatNumber, formatPercent } from '../numbers.ts';
import type { AverageSpectrum, Pitch, PitchRange } from '../schemas/sound.ts';
import type { SpectrumAnalysis } from '../schemas/spectrogram.ts';
import type { Layer, Plot, Point } from './plot.ts';
import { soundTexts as texts } from './texts.ts';

/** Levels further below the highest are not drawn. */
const rangeDb = 100;

/** @param subject which recording, and which stretch of it */
export function averageSpectrumPlot(
  subject: string,
  { hzPerBin, levelsDbfs, frames }: AverageSpectrum,
  { window, windowMs }: Pick<SpectrumAnalysis, 'window' | 'windowMs'>,
): Plot {
  const points = levelsDbfs.map((level, bin): Point => [bin * hzPerBin, level]);
  const [highestHz, highest] = points.reduce((most, point) => (point[1] > most[1] ? point : most), [0, -Infinity]);
  const lowest = points.reduce((least, [, level]) => Math.min(least, level), Infinity);
  const to = 10 * Math.ceil(highest / 10);
  const words = `${windowNames[window]} ${windowMs} ms`;
  const note = texts.spectrumNote(words, axisNumber(hzPerBin), formatCount(Math.max(1, frames)));
  return {
    id: 'average-spectrum',
    title: texts.spectrum,
    subject,
    x: {
      label: texts.frequency,
      column: 'frequency_hz',
      scale: 'linear',
      from: 0,
      to: (levelsDbfs.length - 1) * hzPerBin,
      format: (hz) => axisNumber(hz / 1000),
      ticks: 8,
    },
    y: {
      label: texts.spectrumAxis,
      column: 'level_dbfs',
      scale: 'linear',
      from: Math.max(to - rangeDb, 10 * Math.floor(lowest / 10)),
      to,
      format: axisNumber,
    },
    layers: [{ kind: 'line', name: subject, role: 'accent', points }],
    gist: texts.spectrumGist(formatNumber(highest, 1), formatNumber(highestHz, 0)),
    note: frames === 0 ? `${note} ${texts.tooShort}` : note,
  };
}

/** F0 over time, a line for each voiced stretch. */
export function pitchPlot(
  subject: string,
  { timesSeconds, frequenciesHz, voicedShare, medianHz, lowestHz, highestHz }: Pitch,
  { floorHz, ceilingHz }: PitchRange,
  span: { startSeconds: number; endSeconds: number },
): Plot {
  const stretches: Point[][] = [];
  frequenciesHz.forEach((hz, frame) => {
    if (hz === null) return;
    const isBegun = frame > 0 && frequenciesHz[frame - 1] !== null;
    if (!isBegun) stretches.push([]);
    stretches[stretches.length - 1].push([timesSeconds[frame], hz]);
  });
  const layers = stretches.map((points, index): Layer => {
    const shared = { name: texts.pitch, role: 'accent', points, inLegend: index === 0 } as const;
    // A line of one point could not be seen.
    return points.length > 1 ? { kind: 'line', ...shared } : { kind: 'marks', mark: 'circle', ...shared };
  });
  const { startSeconds, endSeconds } = span;
  if (medianHz !== null) {
    const points: Point[] = [[startSeconds, medianHz], [endSeconds, medianHz]]; // prettier-ignore
    layers.unshift({ kind: 'line', name: texts.median, role: 'dim', dash: 'dashes', points, reference: true });
  }
  const top = highestHz ?? ceilingHz;
  const bottom = lowestHz ?? floorHz;
  return {
    id: 'pitch',
    title: texts.pitch,
    subject,
    x: {
      label: texts.time,
      column: 'time_seconds',
      scale: 'linear',
      from: startSeconds,
      to: endSeconds,
      format: axisNumber,
      ticks: 8,
    },
    y: {
      label: texts.pitchAxis,
      column: 'f0_hz',
      scale: 'linear',
      from: 20 * Math.floor((0.95 * bottom) / 20),
      to: 20 * Math.ceil((1.05 * top) / 20),
      format: axisNumber,
    },
    layers,
    gist:
      medianHz === null || lowestHz === null || highestHz === null
        ? texts.unvoiced
        : texts.pitchGist(
            formatNumber(medianHz, 0),
            formatNumber(lowestHz, 0),
            formatNumber(highestHz, 0),
            formatPercent(voicedShare, 0),
          ),
    note: texts.pitchNote(axisNumber(floorHz), axisNumber(ceilingHz)),
  };
}
