import type { Evidence } from '../../src-common/schemas/evidence.ts';
import { csvLine } from '../reports/csv.ts';
import type { CaseStore } from './store.ts';

const columns = [
  'id',
  'name',
  'path',
  'sha256',
  'md5',
  'size_bytes',
  'duration_seconds',
  'added_at',
  'state',
  'finding',
  'score',
  'llr',
  'flags',
  'model',
  'result_sha256',
  'stale',
  'error',
  'alarms',
  'low_stretches',
  'longest_low_stretch_seconds',
  'tags',
  'reviewed_at',
  'reviewed_by',
  'known_in',
];

/** Items that are read before others get a turn. */
const atOnce = 100;

/** Of the analysis that the table shows. */
function shownSha256({ analyses }: Evidence): string | null {
  return analyses.filter(({ stretch }) => stretch === null).at(-1)?.resultSha256 ?? null;
}

function line(evidence: Evidence): string {
  return csvLine([
    evidence.id,
    evidence.name,
    evidence.path,
    evidence.sha256,
    evidence.md5,
    evidence.sizeBytes,
    evidence.durationSeconds,
    evidence.addedAt,
    evidence.state,
    evidence.finding,
    evidence.score,
    evidence.llr,
    evidence.flags.join('; '),
    evidence.modelName,
    shownSha256(evidence),
    evidence.stale ? 'yes' : 'no',
    evidence.error,
    evidence.alarms.join('; '),
    evidence.stretches?.count ?? null,
    evidence.stretches?.longestSeconds ?? null,
    evidence.tags.join('; '),
    evidence.reviewedAt,
    evidence.reviewedBy,
    evidence.knownIn.join('; '),
  ]);
}

/** A list of items as a file, part by part: CSV with one line for each, or JSON with everything that the case says of them. */
export async function* evidenceList(
  store: CaseStore,
  ids: readonly number[],
  format: 'csv' | 'json',
): AsyncGenerator<string> {
  const { details, id, head } = { details: store.details(), id: store.id, head: store.head };
  yield format === 'csv' ? csvLine(columns) : `{"case": ${JSON.stringify({ id, ...details, head })},\n "items": [`;
  for (const [index, evidenceId] of ids.entries()) {
    if (index % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    const evidence = store.evidence.get(evidenceId);
    if (format === 'csv') yield line(evidence);
    else yield `${index === 0 ? '' : ','}\n  ${JSON.stringify(evidence)}`;
  }
  if (format === 'json') yield '\n ]}\n';
}
