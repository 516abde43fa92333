import { UserFacingError } from '../base/errors.ts';
import type { CaseCore } from './core.ts';
import { evidenceRecordSha256 } from './records.ts';
import type { StoredEvidence, StoredMetadata } from './records.ts';

/** The row of an item. @throws UserFacingError `not-found` */
export function storedEvidence(core: CaseCore, id: number): StoredEvidence {
  const row = core.read(() => core.prepare<[number], StoredEvidence>('SELECT * FROM evidence WHERE id = ?').get(id));
  // One that is being taken out is still read, for the log.
  if (!row || (row.removed_at !== null && !core.db.inTransaction)) {
    throw new UserFacingError('not-found', `There is no item ${id} in this case.`, {
      advice: 'It may have been taken out of it.',
    });
  }
  return row;
}

export function storedMetadata(core: CaseCore, id: number): StoredMetadata {
  const sql = 'SELECT metadata, audio FROM evidence_metadata WHERE evidence_id = ?';
  return core.prepare<[number], StoredMetadata>(sql).get(id) ?? { metadata: '[]', audio: null };
}

export function evidenceSha256(core: CaseCore, id: number): string {
  return evidenceRecordSha256(storedEvidence(core, id), storedMetadata(core, id));
}
