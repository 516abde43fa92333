import { describe, expect, it } from 'vitest';
import type { BackgroundTrace, CodingTrace, HumTrace, RateTrace, RepeatsTrace } from '../schemas/traces.ts';
import { plotCsv } from './rows.ts';
import { plotSvg } from './svg.ts';
import { tracePlots } from './traces.ts';

const hum: HumTrace = {
  kind: 'hum',
  sentence: 'Its phase steps at 0:12.3.',
  limits: 'None.',
  figures: [],
  places: [{ startSeconds: 12.25, endSeconds: 12.25, what: 'Step' }],
  nominalHz: 50,
  track: { timesSeconds: [8, 9, 10, 11], values: [50.01, null, 49.99, 50] },
  phaseSteps: { timesSeconds: [11.75, 12.25, 12.75], values: [3, 80, null] },
  thresholdDegrees: 25,
  reference: {
    name: 'mains.csv',
    track: { timesSeconds: [8, 9, 10, 11], values: [50.02, 50.01, null, null] },
    shiftSeconds: 100,
    correlation: 0.9,
    nextCorrelation: null,
    differenceHz: 0.01,
  },
};

describe('plots of hum', () => {
  it('show track, reference and steps, with lines that end where nothing is known', () => {
    const [frequency, phase] = tracePlots('a.wav', hum, { durationSeconds: 20 });
    expect(frequency.layers.map(({ kind, inLegend }) => [kind, inLegend])).toEqual([
      ['line', true],
      ['marks', true],
      ['line', false],
      ['upright', true],
    ]);
    expect(plotCsv(frequency)).toContain('50.02');
    expect(frequency.y.from).toBeLessThan(49.99);
    expect(frequency.y.to).toBeGreaterThan(50.02);
    expect(phase.layers.at(-1)).toMatchObject({ kind: 'marks', points: [[12.25, 80]] });
    expect(plotSvg(phase)).toContain(hum.sentence);
  });

  it('are none where there is no hum, and one where its phase was not followed', () => {
    expect(tracePlots('a.wav', { ...hum, nominalHz: null }, { durationSeconds: 20 })).toEqual([]);
    expect(tracePlots('a.wav', { ...hum, thresholdDegrees: null }, { durationSeconds: 20 })).toHaveLength(1);
  });
});

describe('plots of the background', () => {
  const background: BackgroundTrace = {
    kind: 'background',
    sentence: 'The noise of the background steps at 0:12.0.',
    limits: 'None.',
    figures: [],
    places: [{ startSeconds: 12, endSeconds: 12, what: 'Step' }],
    noiseChange: { timesSeconds: [8, 12, 16], values: [1, 14, null] },
    noiseThreshold: 6,
    dc: { timesSeconds: [0.25, 0.75], values: [0.0001, 0.0002] },
  };

  it('reach above the highest change, and show means in millionths', () => {
    const [noise, mean] = tracePlots('a.wav', background, { durationSeconds: 24 });
    expect(noise.y.to).toBeGreaterThan(14);
    expect(noise.layers.at(-1)).toMatchObject({ kind: 'upright', x: 12 });
    expect(plotCsv(mean)).toContain('0.25,100');
    const silent = { ...background, noiseChange: { timesSeconds: [8], values: [null] } };
    expect(tracePlots('a.wav', silent, { durationSeconds: 24 })).toEqual([]);
  });
});

describe('plots of repeats', () => {
  it('have a mark and a line for each pair, and tell the same samples from the same sound', () => {
    const pair = { firstSeconds: 2, secondSeconds: 12, lengthSeconds: 3, isSame: true, agreement: 1 };
    const repeats: RepeatsTrace = {
      kind: 'repeats',
      ...{ sentence: 'Twice.', limits: 'None.', figures: [], places: [] },
      repeats: [pair, { ...pair, firstSeconds: 5, secondSeconds: 16, isSame: false, agreement: 0.8 }],
    };
    const [plot] = tracePlots('a.wav', repeats, { durationSeconds: 24 });
    expect(plot.layers.map((layer) => [layer.kind, layer.role, 'points' in layer && layer.points])).toEqual([
      ['line', 'accent', [[2, 12], [5, 15]]], // prettier-ignore
      ['marks', 'accent', [[2, 12]]],
      ['line', 'model1', [[5, 16], [8, 19]]], // prettier-ignore
      ['marks', 'model1', [[5, 16]]],
    ]);
    expect(tracePlots('a.wav', { ...repeats, repeats: [] }, { durationSeconds: 24 })).toEqual([]);
  });
});

describe('plots of coding', () => {
  const run = { family: 'mp3', window: '', frameSamples: 576, offset: 144, startSeconds: 0, endSeconds: 12, score: 30, vanished: 0.3, vanishedElsewhere: 0.1 } as const; // prettier-ignore
  const coding: CodingTrace = {
    kind: 'coding',
    ...{ sentence: 'The offset changes.', limits: 'None.', figures: [] },
    places: [{ startSeconds: 12, endSeconds: 13, what: 'Change' }],
    runs: [run, { ...run, family: 'aac', frameSamples: 1024, offset: 512, startSeconds: 13, endSeconds: 24 }],
    strength: { timesSeconds: [5, 15], values: [30, 20] },
    threshold: 6,
  };

  it('have a level line for each run, and how clear frames are over the time', () => {
    const [frames, clarity] = tracePlots('a.wav', coding, { durationSeconds: 24 });
    expect(frames.layers.map((layer) => [layer.kind, layer.role, 'points' in layer && layer.points])).toEqual([
      ['line', 'accent', [[0, 25], [12, 25]]], // prettier-ignore
      ['line', 'model1', [[13, 50], [24, 50]]], // prettier-ignore
      ['upright', 'text', false],
    ]);
    expect(clarity.y.to).toBeGreaterThan(30);
    const nothing = { ...coding, runs: [], places: [] };
    expect(tracePlots('a.wav', nothing, { durationSeconds: 24 }).map(({ id }) => id)).toEqual(['coding-strength']);
    const silent = { ...nothing, strength: { timesSeconds: [5], values: [null] } };
    expect(tracePlots('a.wav', silent, { durationSeconds: 24 })).toEqual([]);
  });
});

it('of an earlier rate: how clearly it stands out, and where its traces begin or end', () => {
  const rate: RateTrace = {
    kind: 'rate',
    ...{ sentence: 'The sound has traces of 8,000 Hz.', limits: 'None.', figures: [] },
    places: [{ startSeconds: 12, endSeconds: 12, what: 'Traces of 8,000 Hz begin' }],
    rates: [{ rateHz: 8000, score: 30, share: 0.5 }],
    runs: [{ rateHz: 8000, startSeconds: 12, endSeconds: 24 }],
    strength: { timesSeconds: [5, 15], values: [1, 30] },
    threshold: 9,
  };
  const [plot, ...others] = tracePlots('a.wav', rate, { durationSeconds: 24 });
  expect(others).toEqual([]);
  expect(plot.layers.map(({ kind }) => kind)).toEqual(['line', 'line', 'upright']);
  expect(plot.y.to).toBeGreaterThan(30);
  const silent = { ...rate, strength: { timesSeconds: [5], values: [null] } };
  expect(tracePlots('a.wav', silent, { durationSeconds: 24 })).toEqual([]);
});
