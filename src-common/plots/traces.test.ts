import { describe, expect, it } from 'vitest';
import type { HumTrace } from '../schemas/traces.ts';
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
