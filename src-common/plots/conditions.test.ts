import { expect, it } from 'vitest';
import type { ConditionRecord } from '../condition-curves.ts';
import { conditionPlots, conditionSheet, conditionsOf } from './conditions.ts';
import { plotSvg } from './svg.ts';

const rate = (count: number) => ({ count, of: 60, interval: [0, 0.2], unit: 'sources', units: 20 }) as const;
const step = (value: number | null, median: number, wrong: number, holds: boolean) => ({
  value,
  measured: { median, worstTenth: median - 1 },
  recordings: 120,
  assessed: 120,
  eer: 0.2,
  cllrBits: 0.7,
  falseSpoof: rate(wrong),
  falseBonafide: rate(3),
  holds,
});
const record = {
  dataset: 'd',
  split: 'dev',
  seed: 1,
  recordings: 120,
  sources: 20,
  highestRate: 0.25,
  curves: [
    {
      measure: 'snrDb',
      family: 'White noise',
      unit: 'dB',
      steps: [step(null, 40, 3, true), step(20, 21, 6, true), step(10, 11, 30, false)],
      threshold: 20,
    },
  ],
  thresholds: [{ measure: 'snrDb', value: 20, before: 0 }],
};

it('draws rates of wrong findings over what was measured, with the threshold', () => {
  const read = conditionsOf({ conditions: record }) as ConditionRecord;
  const [plot] = conditionPlots('default', read);
  expect(plot.x.label).toContain('dB');
  const upright = plot.layers.filter(({ kind }) => kind === 'upright');
  expect(upright).toMatchObject([{ name: 'Threshold of what is assessable', label: '20 dB', x: 20 }]);
  const line = plot.layers.find(({ kind, role }) => kind === 'line' && role === 'bonafide');
  expect(line).toMatchObject({ points: [[11, 0.5], [21, 0.1], [40, 0.05]] }); // prettier-ignore
  const hollow = plot.layers.flatMap((layer) => (layer.kind === 'marks' && layer.hollow ? layer.points : []));
  expect(hollow).toEqual([[11, 0.5], [11, 0.05]]); // prettier-ignore
  expect(plot.gist).toContain('50');
});

it('has nothing to draw of cards without it, or with something else in its place', () => {
  expect(conditionsOf({})).toBeNull();
  expect(conditionsOf({ conditions: { curves: 3 } })).toBeNull();
});

it('draws all curves on one sheet, over one legend', () => {
  const read = conditionsOf({
    conditions: { ...record, curves: [...record.curves, { ...record.curves[0], family: 'Babble' }] },
  });
  const svg = plotSvg(conditionSheet('default', read as ConditionRecord));
  for (const text of ['White noise', 'Babble', 'd, dev: 120 recordings of 20 sources, made worse step by step']) {
    expect(svg).toContain(`>${text}<`);
  }
  expect(svg.split('>20 dB<')).toHaveLength(3);
  expect(svg.split('>Threshold of what is assessable<')).toHaveLength(2);
});
