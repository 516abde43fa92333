import { expect, test } from 'vitest';
import type { Degradation, RobustnessEvaluation, RobustnessRow } from '../../../src-common/schemas/robustness.ts';
import { plotCsv } from '../../../src-common/plots/rows.ts';
import { chosenOf, familiesOf, withNames } from './degradations.ts';
import { differenceText, endsText, robustnessPlots } from './robustness.ts';

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
const evaluation: RobustnessEvaluation = {
  id: 'r',
  kind: 'robustness',
  createdAt: '2026-11-29T00:00:00Z',
  dataset: 'folder:/data/calls',
  split: 'test',
  models: ['one'],
  result: {
    modelId: 'one',
    modelName: 'one',
    modelSha256: 'a'.repeat(64),
    bonafide: 5,
    spoof: 5,
    outOf: 10,
    seed: 1,
    companionNote: null,
    rows: [
      row('as-is', null, null, 0.1),
      row('white-15', 'White noise', 15, 0.2),
      row('white-5', 'White noise', 5, 0.4),
      row('opus-8', 'Opus', 8, null),
      row('opus-16', 'Opus', 16, 0.15),
      row('gate', 'Gate', 45, 0.1),
    ],
  },
};

test('families with several measured strengths have curves, by strength, with the intervals and values as they are', () => {
  const plots = robustnessPlots(evaluation);
  expect(plots).toHaveLength(1);
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

test('differences and intervals are in per cent, with signs where they can be either', () => {
  expect(differenceText({ recordings: 9, difference: 0.1, interval: null })).toBe('+10.0');
  expect(differenceText(null)).toBe('–');
  expect(endsText([-0.05, 0.25], true)).toBe('[−5.0, +25.0]');
  expect(endsText(null)).toBe('');
});

test('a choice of one’s own is by family and by strength', () => {
  const one = (name: string, family: string, isChannel = false): Degradation => ({
    ...{ name, family, label: name, value: 1, unit: '', isChannel, missing: null },
  });
  const catalogue = [one('mp3-16', 'mp3'), one('mp3-32', 'mp3', true), one('gate', 'Gate', true)];
  expect(familiesOf(catalogue).map(({ members }) => members.length)).toEqual([2, 1]);
  const names = (...choice: Parameters<typeof chosenOf>): string[] => chosenOf(...choice).map(({ name }) => name);
  expect(names(catalogue, 'channels', ['mp3-16'])).toEqual(['mp3-32', 'gate']);
  expect(names(catalogue, 'all', [])).toEqual(['mp3-16', 'mp3-32', 'gate']);
  const own = withNames(['gate'], ['mp3-32', 'mp3-16'], true);
  expect(names(catalogue, 'own', own)).toEqual(['mp3-16', 'mp3-32', 'gate']);
  expect(names(catalogue, 'own', withNames(own, ['mp3-16'], false))).toEqual(['mp3-32', 'gate']);
});
