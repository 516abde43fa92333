/** Every score of the control recordings as a table, a row for each run and recording. */
import type { JudgedRun } from '../../src-common/control-limits.ts';
import { csvLine } from './csv.ts';

const columns = [
  'run',
  'time',
  'role',
  'by',
  'application',
  'ffmpeg',
  'backend',
  'outcome',
  'recording',
  'sha256',
  'label',
  'score',
  'finding',
  'centre',
  'deviation',
  'state',
  'problem',
];

export function controlsCsv(judged: readonly JudgedRun[]): string {
  const rows = judged.flatMap(({ run: { at, role, by, versions }, outcome, controls }, index) =>
    controls.map(({ name, sha256, label, score, finding, centre, deviation, state, problem }) =>
      csvLine([
        index + 1,
        at,
        role,
        by,
        versions.application,
        versions.ffmpeg,
        versions.backend,
        outcome,
        name,
        sha256,
        label,
        score,
        finding,
        centre,
        deviation,
        // Without a baseline there are no limits to lie within.
        outcome === 'no-baseline' ? null : state,
        problem,
      ]),
    ),
  );
  return [csvLine(columns), ...rows].join('');
}
