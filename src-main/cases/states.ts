/** Whether the files of a case are still what was taken in: a quick look by size, times and inode, or their hash. */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { EvidenceRow } from '../../src-common/schemas/evidence.ts';
import { sha256File } from '../audio/hash.ts';
import { unreadable } from '../audio/input.ts';
import { UserFacingError } from '../base/errors.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import type { NamedFile } from '../base/openable-path.ts';
import type { EvidenceIntake } from './evidence.ts';
import { fileFingerprint } from './fingerprint.ts';
import type { CaseStore } from './store.ts';

type EvidenceState = EvidenceRow['state'];

/** Files looked at side by side. */
const lookers = 16;

async function statusOf(file: NamedFile): Promise<BigIntStats> {
  return stat(file.nameBytes === null ? file.path : Buffer.from(file.nameBytes), { bigint: true });
}

function stateFor(file: NamedFile, error: unknown): EvidenceState {
  const failure = unreadable(file.path, error);
  if (!(failure instanceof UserFacingError)) throw error;
  return failure.code === 'missing' ? 'missing' : 'unreadable';
}

/** What a quick look found: a state, or null where only the hash can tell. */
async function look(store: CaseStore, id: number): Promise<{ state: EvidenceState | null; sizeBytes: number }> {
  let known: EvidenceIntake;
  try {
    known = store.evidence.intake(id);
  } catch (error) {
    // A copy that leads out of the case is not opened.
    if (error instanceof UserFacingError && error.code === 'not-allowed') return { state: 'unreadable', sizeBytes: 0 };
    throw error;
  }
  try {
    const status = await statusOf(known);
    if (!status.isFile()) return { state: 'unreadable', sizeBytes: 0 };
    const sizeBytes = Number(status.size);
    if (sizeBytes !== known.sizeBytes) return { state: 'changed', sizeBytes };
    const alike = fileFingerprint(status) === known.fingerprint && !known.changed;
    return { state: alike ? 'unchanged' : null, sizeBytes };
  } catch (error) {
    return { state: stateFor(known, error), sizeBytes: 0 };
  }
}

/**
 * Hashes an item's file and keeps what came of it.
 * @throws the signal's reason.
 */
export async function checkFully(store: CaseStore, id: number, signal?: AbortSignal): Promise<EvidenceState> {
  const known = store.evidence.intake(id);
  let state: EvidenceState;
  let found: { sha256: string; fingerprint: string } | null = null;
  try {
    const before = fileFingerprint(await statusOf(known));
    const sha256 = await withOpenablePath(known, (path) => sha256File(path, signal));
    const fingerprint = fileFingerprint(await statusOf(known));
    // Written to while it was read: what it is now is reported by the next look.
    found = fingerprint === before ? { sha256, fingerprint } : null;
    state = sha256 === known.sha256 ? 'unchanged' : 'changed';
  } catch (error) {
    signal?.throwIfAborted();
    state = stateFor(known, error);
  }
  signal?.throwIfAborted();
  store.evidence.setState(id, state, found);
  return state;
}

/**
 * Looks at items' files without reading those that look alike; one that looks different but has its size is hashed while the budget lasts,
 * and else stays `unchecked`.
 * @param budgetBytes how much may be read
 * @param onLooked gets how many were looked at, at most ten times a second
 * @returns the items that have yet to be hashed
 * @throws the signal's reason.
 */
export async function checkQuickly(
  store: CaseStore,
  ids: readonly number[],
  budgetBytes: number,
  signal?: AbortSignal,
  onLooked: (count: number) => void = () => undefined,
): Promise<number[]> {
  const left: number[] = [];
  let budget = budgetBytes;
  let next = 0;
  let reportedAt = performance.now();
  const lane = async (): Promise<void> => {
    while (next < ids.length) {
      signal?.throwIfAborted();
      const id = ids[next++];
      if (performance.now() - reportedAt >= 100) {
        reportedAt = performance.now();
        onLooked(next);
      }
      try {
        const { state, sizeBytes } = await look(store, id);
        if (state !== null) store.evidence.setState(id, state);
        else if (sizeBytes <= budget) {
          budget -= sizeBytes;
          await checkFully(store, id, signal);
        } else {
          store.evidence.setState(id, 'unchecked');
          left.push(id);
        }
      } catch (error) {
        // It was taken out of the case meanwhile.
        if (!(error instanceof UserFacingError && error.code === 'not-found')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lookers, ids.length) }, lane));
  return left;
}
