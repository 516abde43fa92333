/** Whether the log of a case that is about to be written on is the one that was signed, and how another installation goes on with it. */
import type Database from 'better-sqlite3';
import { UserFacingError } from '../base/errors.ts';
import type { Admission } from './admit.ts';
import type { CaseCore } from './core.ts';
import { lastRow, readHead, signerAccepted, signerChanged } from './custody.ts';
import type { SignedHead } from './custody.ts';
import { schemaDifferences } from './database-schema.ts';
import { fingerprintOf, headMessage, isFingerprintOf, signatureHolds } from './keys.ts';
import type { Library } from './library.ts';
import { missingRows } from './verify-log.ts';

/**
 * Why nothing may be written to a case.
 * @param signer fingerprint of the key that a person accepts
 */
export function logProblem(
  place: { folder: string; id: string; db: Database.Database },
  library: Library,
  { why: refused, unknownSigner = false }: Pick<Admission, 'why' | 'unknownSigner'>,
  signer: string | undefined,
): UserFacingError | null {
  if (lastRow(place.db).rows === 0) return null;
  const why = refused ?? brokenLog(place, library, signer);
  return why === null ? null : custodyBroken(place.folder, why, unknownSigner);
}

function brokenLog(
  { id, db }: { id: string; db: Database.Database },
  library: Library,
  accepted: string | undefined,
): string | null {
  const head = lastRow(db);
  const last = library.head(id);
  if (last && last.deletedAt === null) {
    const sql = 'SELECT hash FROM custody_log WHERE position = ?';
    const hash = db.prepare<[number], string>(sql).pluck().get(last.rows);
    const missing = missingRows(last, head, hash ?? null);
    if (missing !== null) return missing;
  }
  const [difference] = schemaDifferences(db);
  if (difference !== undefined) return `its database was altered (${difference})`;
  const signed = readHead(db);
  if (!signed || signed.rows !== head.rows || signed.hash !== head.hash) {
    return 'its last row is not the one that was signed';
  }
  if (!signatureHolds(signed.publicKey, headMessage(id, head), signed.signature)) {
    return 'its signature does not hold';
  }
  if (signed.publicKey === library.key.publicKey) return null;
  const known = library.knownKeys(id);
  if (known.length === 0 || known.some(({ publicKey }) => publicKey === signed.publicKey)) return null;
  if (accepted !== undefined && isFingerprintOf(accepted, signed.publicKey)) return null;
  return `it is signed with a key (${fingerprintOf(signed.publicKey)}) that this installation does not know`;
}

function custodyBroken(folder: string, why: string, unknownSigner: boolean): UserFacingError {
  const sentence = why.replace(/\.$/, '');
  const read = 'It can be read, but nothing is added to it.';
  if (unknownSigner) {
    return new UserFacingError('unknown-signer', `It is not known who went on with this case: ${sentence}.`, {
      path: folder,
      advice: `${read} Ask whoever worked on it for the fingerprint of their key; \`earwitness case accept\` then goes on with it.`,
    });
  }
  return new UserFacingError('custody-broken', `The custody log of this case is not intact: ${sentence}.`, {
    path: folder,
    advice: `${read} Verify shows what does not hold; get it again from whoever it came back from, or restore it from an export or a copy.`,
  });
}

/** Inside a transaction: goes on with a log that another installation, or this one with another key, has signed so far. */
export function takeOver(core: CaseCore, signer: SignedHead, accepted: string | undefined): void {
  core.session?.library.learnKey(core.id, signer.publicKey, accepted === undefined ? 'opened here' : 'accepted here');
  const fingerprint = fingerprintOf(signer.publicKey);
  core.append(signerChanged, null, `Another installation goes on with the log; so far ${fingerprint} signed it.`, {
    publicKey: signer.publicKey,
    signature: signer.signature,
    fingerprint,
  });
  if (accepted === undefined) return;
  core.append(signerAccepted, null, `Accepted that ${fingerprint} went on with the log.`, { fingerprint });
}
