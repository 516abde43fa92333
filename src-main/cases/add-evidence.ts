import type { Evidence } from '../../src-common/schemas/evidence.ts';
import { canonicalJson } from './canonical.ts';
import { copyPlace } from './copies.ts';
import type { CaseCore } from './core.ts';
import { storedEvidence } from './evidence-record.ts';
import { derivedColumns, nameKeyOf } from './evidence-table.ts';
import { evidenceRecordSha256 } from './records.ts';

/** What intake found out about a file. */
export interface NewEvidence {
  name: string;
  /** Absolute; of an upload only where it lay, which is not kept. */
  path: string;
  nameBytes: Uint8Array | null;
  uploaded: boolean;
  /** Relative to the case's folder, with `/`; null where it stays in place. */
  copyPath: string | null;
  sizeBytes: number;
  sha256: string;
  md5: string;
  senderHash: string | null;
  createdTime: string | null;
  modifiedTime: string | null;
  receivedAt: string;
  receivedFrom: string;
  conditionOnReceipt: string;
  metadata: Evidence['metadata'];
  audio: Evidence['audio'];
  /** As `fingerprintOf` in states.ts gives it, of the file where it lies now. */
  fingerprint: string;
}

/** Takes items in, all or none. @param added called with each new id @returns their ids */
export function addEvidence(core: CaseCore, items: readonly NewEvidence[], added: (id: number) => void): number[] {
  if (items.length === 0) return [];
  for (const { copyPath } of items) if (copyPath !== null) core.giveRights(copyPlace(core.folder, copyPath));
  const addedAt = core.now();
  return core.write(
    () =>
      items.map((item) => {
        const id = addItem(core, item, addedAt);
        added(id);
        return id;
      }),
    (ids) => ids,
  );
}

function addItem(core: CaseCore, item: NewEvidence, addedAt: string): number {
  const derived = derivedColumns(item.name, null, item.audio);
  const matches = item.senderHash === null ? null : hashMatches(item.senderHash, item);
  const row = {
    name: item.name,
    path: item.uploaded ? '' : item.path,
    path_bytes: item.nameBytes === null || item.uploaded ? null : Buffer.from(item.nameBytes),
    copy_path: item.copyPath,
    uploaded: item.uploaded ? 1 : 0,
    size_bytes: item.sizeBytes,
    sha256: item.sha256,
    md5: item.md5,
    sender_hash: item.senderHash,
    sender_hash_matches: matches === null ? null : Number(matches),
    created_time: item.uploaded ? null : item.createdTime,
    modified_time: item.uploaded ? null : item.modifiedTime,
    added_at: addedAt,
    added_by: core.actor(),
    received_at: item.receivedAt,
    received_from: item.receivedFrom,
    condition_on_receipt: item.conditionOnReceipt,
    description: '',
    notes: '',
    duration_seconds: item.audio?.durationSeconds ?? null,
    fingerprint: item.fingerprint,
    name_key: nameKeyOf(item.name),
    search_text: derived.search_text,
    flags: derived.flags,
    flag_count: derived.flag_count,
  };
  const columns = Object.keys(row);
  const sql = `INSERT INTO evidence (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  const id = Number(core.prepare(sql).run(...Object.values(row)).lastInsertRowid);
  const described = {
    metadata: canonicalJson(item.metadata),
    audio: item.audio === null ? null : canonicalJson(item.audio),
  };
  core.prepare('INSERT INTO evidence_metadata VALUES (?, ?, ?)').run(id, described.metadata, described.audio);
  const how = item.uploaded ? 'Added the upload' : 'Added';
  const copied = item.copyPath === null ? '' : ', copied into the case';
  const mismatch = matches === false ? " Its hash is not the sender's." : '';
  core.append('evidence-added', id, `${how} ${item.name}${copied}.${mismatch}`, {
    name: item.name,
    path: item.uploaded ? null : item.path,
    uploaded: item.uploaded,
    copyPath: item.copyPath,
    sizeBytes: item.sizeBytes,
    sha256: item.sha256,
    md5: item.md5,
    senderHash: item.senderHash,
    senderHashMatches: matches,
    receivedAt: item.receivedAt,
    receivedFrom: item.receivedFrom,
    conditionOnReceipt: item.conditionOnReceipt,
    recordSha256: evidenceRecordSha256(storedEvidence(core, id), described),
  });
  return id;
}

/** Whether a hash that a sender gave (SHA-256 or MD5, in any case) is that of the file. */
function hashMatches(given: string, file: { sha256: string; md5: string }): boolean {
  const plain = given.trim().toLowerCase();
  return plain === file.sha256 || plain === file.md5;
}
