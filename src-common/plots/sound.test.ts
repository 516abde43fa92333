import { describe, expect, it } from 'vitest';
import type { AverageSpectrum, Pitch } from '../schemas/sound.ts';
import { legendOf } from './plot.ts';
import { plotCsv } from './rows.ts';
import { averageSpectrumPlot, pitchPlot } from './sound.ts';
import { plotSvg } from './svg.ts';

const range = { floorHz: 75, ceilingHz: 500 };

describe('the average spectrum', () => {
  it('names its highest level, and is exported as it came', () => {
    const levelsDbfs = Array.from({ length: 513 }, (_, bin) => -60 - Math.abs(bin - 64) / 10);
    const spectrum = { hzPerBin: 15.625, levelsDbfs, frames: 99 };
    const plot = averageSpectrumPlot([{ subject: 'a.wav, 1 to 3 s', spectrum }], { window: 'hann', windowMs: 32 });
    expect(plot.gist).toBe('Highest at 1,000 Hz, −60.0 dBFS.');
    expect(plot.note).toContain('99 frames, Hann 32 ms window');
    expect(plot.x.to).toBe(8000);
    expect(plotCsv(plot).split('\r\n')[65]).toBe('"a.wav, 1 to 3 s",1000,-60,,');
    expect(plotSvg(plot)).toContain('Level (dBFS per bin)');
    const short = averageSpectrumPlot([{ subject: 'a', spectrum: { ...spectrum, frames: 0 } }], {
      window: 'hann',
      windowMs: 32,
    });
    expect(short.note).toContain('lengthened by silence');
  });

  it('of two recordings is one plot with a legend, over what either holds', () => {
    const spectrumOf = (bins: number, level: number): AverageSpectrum => ({
      ...{ hzPerBin: 15.625, frames: 99 },
      levelsDbfs: Array.from({ length: bins }, (_, bin) => (bin === 64 ? level : -90)),
    });
    const plot = averageSpectrumPlot(
      [
        { subject: 'a.wav', spectrum: spectrumOf(257, -20) },
        { subject: 'b.wav', spectrum: spectrumOf(513, -40) },
      ],
      { window: 'hann', windowMs: 32 },
    );
    expect(legendOf(plot).map(({ name, sample }) => [name, sample])).toEqual([
      ['a.wav', 'line'],
      ['b.wav', 'dashes'],
    ]);
    expect([plot.x.to, plot.y.from, plot.y.to]).toEqual([8000, -90, -20]);
    expect(plot.gist).toBe('a.wav: Highest at 1,000 Hz, −20.0 dBFS. b.wav: Highest at 1,000 Hz, −40.0 dBFS.');
    expect(plot.note).toContain('Mean power of 99 frames');
    expect(plotCsv(plot).trim().split('\r\n')).toHaveLength(1 + 257 + 513);
  });
});

describe('the pitch', () => {
  const span = { startSeconds: 1, endSeconds: 2 };
  const pitch: Pitch = {
    timesSeconds: [1, 1.01, 1.02, 1.03, 1.04],
    frequenciesHz: [100, 110, null, 120, null],
    voicedShare: 0.6,
    medianHz: 110,
    meanHz: 110,
    lowestHz: 100,
    highestHz: 120,
  };

  it('is not drawn where there is none', () => {
    const plot = pitchPlot([{ subject: 'a.wav', pitch, ...span }], range);
    expect(plot.layers.map(({ kind }) => kind)).toEqual(['line', 'line', 'marks']);
    expect(plotCsv(plot).trim().split('\r\n')).toHaveLength(4);
    expect(plot.gist).toMatch(/^Median 110 Hz, from 100 to 120 Hz; 60\s% of the frames/);
    expect(plotSvg(plot)).toContain('F0 (Hz)');
  });

  it('of two recordings counts from the beginning of each stretch', () => {
    const later = { ...pitch, timesSeconds: pitch.timesSeconds.map((time) => time + 40), highestHz: 150 };
    const plot = pitchPlot(
      [
        { subject: 'a.wav', pitch, ...span },
        { subject: 'b.wav', pitch: later, startSeconds: 41, endSeconds: 41.5 },
      ],
      range,
    );
    expect([plot.x.from, plot.x.to, plot.y.to]).toEqual([0, 1, 160]);
    expect(legendOf(plot).map(({ name }) => name)).toEqual(['a.wav', 'b.wav']);
    expect(plot.gist).toMatch(/^a\.wav: Median 110 Hz.*b\.wav: Median 110 Hz, from 100 to 150 Hz/);
  });

  it('of what has none says so', () => {
    const none = {
      ...pitch,
      frequenciesHz: [null, null, null, null, null],
      medianHz: null,
      lowestHz: null,
      highestHz: null,
    };
    const plot = pitchPlot([{ subject: 'a.wav', pitch: none, ...span }], range);
    expect(plot.layers).toEqual([]);
    expect(plot.gist).toBe('No frame is voiced.');
    expect(plotSvg(plot)).toContain('F0 (Hz)');
  });
});
