import { expect, test } from 'vitest';
import type { RobustnessRow } from '../schemas/robustness.ts';
import { type PlottedRobustness, robustnessPlots, robustnessSheet } from './robustness.ts';
import { plotCsv } from './rows.ts';
import { plotSvg } from './svg.ts';

function row(name: string, family: string | null, value: number | null, eer: number | null): RobustnessRow {
  return {
    name,
    label: name,
    family,
    value,
    unit: family === null ? null : 'dB SNR',
    encoder: null,
    skipped: eer === null ? 'no encoder at hand' : null,
    figures:
      eer === null
        ? null
        : {
            recordings: 10,
            scored: 9,
            failed: 1,
            byCompanion: 0,
            eer,
            eerInterval: [eer / 2, 2 * eer],
            cllrBits: 4 * eer,
            paired: { recordings: 9, difference: eer - 0.1, interval: [-0.05, 0.25] },
            decidedShare: 1 - eer,
            notAssessableShare: 0,
          },
  };
}
const measured: PlottedRobustness = {
  modelName: 'one',
  dataset: 'folder:/data/calls',
  split: 'test',
  rows: [
    row('as-is', null, null, 0.1),
    row('white-15', 'White noise', 15, 0.2),
    row('white-5', 'White noise', 5, 0.4),
    row('opus-8', 'Opus', 8, null),
    row('opus-16', 'Opus', 16, 0.15),
    row('gate', 'Gate', 45, 0.1),
  ],
};

test('families have curves, by strength, with the intervals and values as they are', () => {
  const plots = robustnessPlots(measured);
  // What could not be measured has no strength.
  expect(plots.map(({ rates, strengths }) => [rates.title, strengths])).toEqual([
    ['White noise: EER', 2],
    ['Opus: EER', 1],
    ['Gate: EER', 1],
  ]);
  const [{ rates, cllr }] = plots;
  expect(rates.subject).toBe('one; calls, test');
  const marks = rates.layers.find(({ kind }) => kind === 'marks');
  expect(marks).toMatchObject({ points: [[5, 0.4], [15, 0.2]], whiskers: [[0.2, 0.8], [0.1, 0.4]] }); // prettier-ignore
  // The level of the recordings as they are runs across the whole axis.
  const across = rates.layers.find((layer) => layer.kind === 'line' && layer.dash === 'dashes');
  expect(across).toMatchObject({ points: [[rates.x.from, 0.1], [rates.x.to, 0.1]] }); // prettier-ignore
  // Each value once: the curve through the marks is no data of its own.
  const lines = plotCsv(rates).trim().split('\r\n');
  expect(lines).toHaveLength(1 + 2 + 2);
  expect(lines).toContain('"Equal error rate, 95 % interval",5,0.4,0.2,0.8');
  expect(rates.x.at).toEqual([5, 15]);
  expect(cllr.y.to).toBeGreaterThan(1.6);
  expect(cllr.gist).toBe('From 1.60 at 5 to 0.80 at 15.');
});

test('a sheet holds all families, also those of one strength', () => {
  const svg = plotSvg(robustnessSheet(measured));
  for (const text of ['Robustness of one', 'calls, test', 'Opus: EER', 'Gate: Cllr', 'Gate (dB SNR)', '45']) {
    expect(svg).toContain(`>${text}<`);
  }
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});
