import { expect, it } from 'vitest';
import { judgeRuns } from '../../src-common/control-limits.ts';
import type { ControlRun } from '../../src-common/schemas/controls.ts';
import { controlsCsv } from './controls-csv.ts';

it('says of no score that it is within limits where there is no baseline', () => {
  const run = (role: ControlRun['role'], score: number): ControlRun => ({
    format: 1,
    id: 'id',
    at: '2026-11-30T12:00:00.000Z',
    by: 'Ada',
    role,
    reason: null,
    setSha256: 'a'.repeat(64),
    model: { name: 'm', sha256: 'b'.repeat(64) },
    versions: { application: 'earwitness 1', ffmpeg: '7', backend: 'cpu' },
    scores: [{ sha256: '0'.repeat(64), name: '=1.wav', label: 'bonafide', score, finding: null, problem: null }],
  });
  const judged = judgeRuns([run('control', 3), run('baseline', 3), run('control', 4)]);
  const [header, ...rows] = controlsCsv(judged).trimEnd().split('\r\n');
  const state = header.split(',').indexOf('state');
  expect(rows.map((row) => row.split(',')[state])).toEqual(['', 'within', 'action']);
  expect(rows[0]).toContain(",'=1.wav,");
});
