import { expect, it } from 'vitest';
import type { TraceCurve, Traces } from '../../src-common/schemas/traces.ts';
import { thinned } from './thinned.ts';

it('leaves the highest of scores at their times, and what is short as it is', () => {
  const timesSeconds = Array.from({ length: 20_000 }, (_, i) => i / 2);
  const noiseChange: TraceCurve = { timesSeconds, values: timesSeconds.map((time) => (time === 1234.5 ? 9 : time < 3 ? null : 1)) }; // prettier-ignore
  const dc: TraceCurve = { timesSeconds: [0.25, 0.75], values: [0.5, null] };
  const answer = { sentence: '', limits: '', figures: [], places: [] };
  const traces: Traces = {
    durationSeconds: 10_000,
    sampleRateHz: 8000,
    channel: null,
    traces: [{ kind: 'background', ...answer, noiseChange, noiseThreshold: 6, dc }],
  };
  const [found] = thinned(traces).traces;
  if (found.kind !== 'background') throw new Error('another trace');
  expect(found.noiseChange.values).toHaveLength(5000);
  expect(found.noiseChange.values[0]).toBeNull();
  expect(found.noiseChange.values[found.noiseChange.timesSeconds.indexOf(1234.5)]).toBe(9);
  expect(found.dc).toEqual(dc);
});
