/** What a stretch of sound is made of, as plots. */
import { windowNames } from '../analysis-windows.ts';
import { axisNumber, formatCount, formatNumber, formatPercent } from '../numbers.ts';
import type { AverageSpectrum, Pitch, PitchRange } from '../schemas/sound.ts';
import type { SpectrumAnalysis } from '../schemas/spectrogram.ts';
import type { Layer, Plot, Point } from './plot.ts';
import { soundTexts as texts } from './texts.ts';

/** Levels further below the highest are not drawn. */
const rangeDb = 100;

/** What is compared in one plot: the first as it always is, the second so that it is told apart without colours, too. */
const looks = [{ role: 'accent' }, { role: 'model2', dash: 'dashes' }] as const;

/** A stretch of a recording. */
interface OfStretch {
  /** Which recording, and which stretch of it. */
  subject: string;
}

/** Of one its sentence alone; of two each with what it is of. */
function gistOf(sentences: readonly { subject: string; gist: string }[]): string {
  if (sentences.length === 1) return sentences[0].gist;
  return sentences.map(({ subject, gist }) => `${subject}: ${gist}`).join(' ');
}

/** @param of one stretch, or two that are compared */
export function averageSpectrumPlot(
  of: readonly (OfStretch & { spectrum: AverageSpectrum })[],
  { window, windowMs }: Pick<SpectrumAnalysis, 'window' | 'windowMs'>,
): Plot {
  const lines = of.map(({ subject, spectrum: { hzPerBin, levelsDbfs, frames } }) => {
    const points = levelsDbfs.map((level, bin): Point => [bin * hzPerBin, level]);
    const [highestHz, highest] = points.reduce((most, point) => (point[1] > most[1] ? point : most), [0, -Infinity]);
    const lowest = points.reduce((least, [, level]) => Math.min(least, level), Infinity);
    const gist = texts.spectrumGist(formatNumber(highest, 1), formatNumber(highestHz, 0));
    return { subject, points, highest, lowest, hzPerBin, frames, gist };
  });
  const to = 10 * Math.ceil(Math.max(...lines.map(({ highest }) => highest)) / 10);
  const lowest = Math.min(...lines.map((line) => line.lowest));
  const words = `${windowNames[window]} ${windowMs} ms`;
  const each = (of: readonly string[]): string => [...new Set(of)].join(texts.and);
  const note = texts.spectrumNote(
    words,
    each(lines.map(({ hzPerBin }) => axisNumber(hzPerBin))),
    each(lines.map(({ frames }) => formatCount(Math.max(1, frames)))),
  );
  return {
    id: 'average-spectrum',
    title: texts.spectrum,
    subject: of.map(({ subject }) => subject).join('; '),
    x: {
      label: texts.frequency,
      column: 'frequency_hz',
      scale: 'linear',
      from: 0,
      to: Math.max(...lines.map(({ points, hzPerBin }) => (points.length - 1) * hzPerBin)),
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
    layers: lines.map(({ subject, points }, index) => ({
      kind: 'line',
      name: subject,
      points,
      ...looks[Math.min(index, 1)],
    })),
    gist: gistOf(lines),
    note: lines.some(({ frames }) => frames === 0) ? `${note} ${texts.tooShort}` : note,
  };
}

/**
 * F0 over time, a line for each voiced stretch.
 * @param of one stretch, over the recording's time; or two that are compared, each from its own beginning on
 */
export function pitchPlot(
  of: readonly (OfStretch & { pitch: Pitch; startSeconds: number; endSeconds: number })[],
  { floorHz, ceilingHz }: PitchRange,
): Plot {
  const isAlone = of.length === 1;
  const curves = of.map(({ subject, pitch, startSeconds, endSeconds }, index) => {
    const { timesSeconds, frequenciesHz, voicedShare, medianHz, lowestHz, highestHz } = pitch;
    const zero = isAlone ? 0 : startSeconds;
    const look = looks[Math.min(index, 1)];
    const stretches: Point[][] = [];
    frequenciesHz.forEach((hz, frame) => {
      if (hz === null) return;
      const isBegun = frame > 0 && frequenciesHz[frame - 1] !== null;
      if (!isBegun) stretches.push([]);
      stretches[stretches.length - 1].push([timesSeconds[frame] - zero, hz]);
    });
    const layers = stretches.map((points, nth): Layer => {
      const shared = { name: isAlone ? texts.pitch : subject, points, inLegend: nth === 0 };
      // A line of one point could not be seen.
      return points.length > 1
        ? { kind: 'line', ...shared, ...look }
        : { kind: 'marks', mark: 'circle', ...shared, role: look.role };
    });
    const [from, to] = [startSeconds - zero, endSeconds - zero];
    const gist =
      medianHz === null || lowestHz === null || highestHz === null
        ? texts.unvoiced
        : texts.pitchGist(
            formatNumber(medianHz, 0),
            formatNumber(lowestHz, 0),
            formatNumber(highestHz, 0),
            formatPercent(voicedShare, 0),
          );
    // The median of each of two would hide what is compared.
    if (medianHz !== null && isAlone) {
      const points: Point[] = [[from, medianHz], [to, medianHz]]; // prettier-ignore
      layers.unshift({ kind: 'line', name: texts.median, role: 'dim', dash: 'dashes', points, reference: true });
    }
    return { subject, layers, from, to, top: highestHz ?? ceilingHz, bottom: lowestHz ?? floorHz, gist };
  });
  const top = Math.max(...curves.map((curve) => curve.top));
  const bottom = Math.min(...curves.map((curve) => curve.bottom));
  return {
    id: 'pitch',
    title: texts.pitch,
    subject: of.map(({ subject }) => subject).join('; '),
    x: {
      label: isAlone ? texts.time : texts.timeInEach,
      column: 'time_seconds',
      scale: 'linear',
      from: Math.min(...curves.map(({ from }) => from)),
      to: Math.max(...curves.map(({ to }) => to)),
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
    layers: curves.flatMap(({ layers }) => layers),
    gist: gistOf(curves),
    note: texts.pitchNote(axisNumber(floorHz), axisNumber(ceilingHz)),
  };
}
