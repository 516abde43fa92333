import { describe, expect, it } from 'vitest';
import { judgeRuns, runSentence } from './control-limits.ts';
import { controlChart } from './plots/controls.ts';
import type { ControlRun } from './schemas/controls.ts';

const hash = (digit: string): string => digit.repeat(64);
const versions = { application: 'earwitness 1', ffmpeg: '7', backend: 'cpu' };

/** A run of a bona fide and a synthetic recording. */
function run(
  role: ControlRun['role'],
  scores: (number | null)[],
  made: Partial<ControlRun['versions']> = {},
): ControlRun {
  return {
    format: 1,
    id: 'id',
    at: '2026-11-30T12:00:00.000Z',
    by: 'Ada',
    role,
    reason: null,
    setSha256: hash('a'),
    model: { name: 'm', sha256: hash('b') },
    versions: { ...versions, ...made },
    scores: scores.map((score, index) => ({
      sha256: hash(String(index)),
      name: `${index}.wav`,
      label: index === 0 ? ('bonafide' as const) : ('spoof' as const),
      score,
      finding: null,
      problem: score === null ? 'gone' : null,
    })),
  };
}
const outcomes = (...runs: ControlRun[]): string[] => judgeRuns(runs).map(({ outcome }) => outcome);

describe('control limits', () => {
  it('compare nothing before there is a baseline', () => {
    expect(outcomes(run('control', [3, -2]), run('baseline', [3, -2]))).toEqual(['no-baseline', 'within']);
    expect(runSentence(judgeRuns([run('control', [3, null])])[0])).toBe(
      '2 control recordings: there is no baseline for m to compare with. 1 of them could not be scored.',
    );
  });

  it('take the tolerance for the standard deviation of few baseline runs', () => {
    const after = (score: number): string => outcomes(run('baseline', [3, -2]), run('control', [score, -2]))[1];
    expect([after(3.00015), after(3.00025), after(2.99965)]).toEqual(['within', 'warning', 'action']);
  });

  it('take the standard deviation of five baseline runs, of each recording its own', () => {
    // Standard deviations of 0.1 and of nothing, for which the tolerance stands.
    const baseline = [2.9, 2.9, 3, 3.1, 3.1].map((score) => run('baseline', [score, -2]));
    const [, , , , , within, warning, action, other] = judgeRuns([
      ...baseline,
      run('control', [3.15, -2]),
      run('control', [2.75, -2]),
      run('control', [3.35, -2]),
      run('control', [3, -2.01]),
    ]);
    expect([within, warning, action, other].map(({ outcome }) => outcome)).toEqual([
      'within',
      'warning',
      'action',
      'action',
    ]);
    expect(warning.controls[0].deviation).toBeCloseTo(-2.5, 5);
    expect(warning.baselineRuns).toBe(5);
    expect(runSentence(action)).toBe(
      '2 control recordings: 1 beyond the action limit of 3 (farthest from its baseline 3.5 standard deviations).',
    );
  });

  it('draw a baseline run beside its whole baseline, and never call it beyond', () => {
    const judged = judgeRuns([2.9, 2.9, 3, 3.1, 3.1, 3.1].map((score) => run('baseline', [score, -2])));
    expect(new Set(judged.map(({ outcome }) => outcome))).toEqual(new Set(['within']));
    expect(judged[0].controls[0].deviation).toBeCloseTo(-1.187, 3);
    expect(judged.map(({ baselineRuns }) => baselineRuns)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('act where a recording can no longer be scored', () => {
    const [, judged] = judgeRuns([run('baseline', [3, -2]), run('control', [3, null])]);
    expect(judged.outcome).toBe('action');
    expect(runSentence(judged)).toContain('1 of them could not be scored');
  });

  it('begin a baseline anew where other versions made it, or after other runs', () => {
    expect(outcomes(run('baseline', [3, -2]), run('baseline', [4, -2], { ffmpeg: '8' }))).toEqual(['within', 'within']);
    expect(outcomes(run('baseline', [3, -2]), run('control', [4, -2]), run('baseline', [4, -2]), run('control', [4, -2]))).toEqual(['within', 'action', 'within', 'within']); // prettier-ignore
  });
});

it('draws deviations of both classes, held at the edge, and where a baseline began', () => {
  const chart = controlChart(
    judgeRuns([run('baseline', [3, -2]), run('control', [9, -2.0001]), run('baseline', [9, -2])]),
  );
  const marks = chart.layers.filter((layer) => layer.kind === 'marks');
  expect(marks[0].points).toEqual([[1, 0], [2, 6], [3, 0]]); // prettier-ignore
  expect(marks[1].points[1][1]).toBeCloseTo(-1, 5);
  expect(chart.layers.filter((layer) => layer.kind === 'upright').map(({ x }) => x)).toEqual([2.5]);
  expect(chart.gist).toBe('2 control recordings: run 1 of the baseline.');
});
