/** What the log of a case says of itself: its head, who signed it, whether rows are missing, the clock. */
import type { CustodyHead, Verification } from '../../src-common/schemas/custody.ts';
import { listSome } from './checks.ts';
import type { Check, VerifyRequest } from './checks.ts';
import { clockLeap, toleratedSetBackMilliseconds } from './clock.ts';
import type Database from 'better-sqlite3';
import type { ChainFindings, SignedHead, StoredCustodyRow, readHead } from './custody.ts';
import { fingerprintOf, headMessage, isFingerprintOf, milestoneMessage, signatureHolds } from './keys.ts';
import { madeHere } from './library-file.ts';
import type { InstallationKnowledge } from './library-file.ts';

/** What the rows of a log say of the clock. */
export class LoggedTimes {
  #latest = -Infinity;
  #position = 0;
  #rows = 0;
  readonly #remarks: string[] = [];

  add({ position, time, action, summary }: StoredCustodyRow): void {
    const at = Date.parse(time);
    this.#rows++;
    if (action === clockLeap) this.#remarks.push(`Row ${position}: ${summary}`);
    else if (at < this.#latest - toleratedSetBackMilliseconds) {
      const seconds = Math.round((this.#latest - at) / 1000);
      this.#remarks.push(`Row ${position} lies ${seconds} s before row ${this.#position}, and no row tells why.`);
    }
    this.#latest = at;
    this.#position = position;
  }

  checks(): Check[] {
    const check = { subject: 'time' as const, name: 'clock', holds: true };
    if (this.#remarks.length === 0) {
      return [{ ...check, sentence: `The times of the ${this.#rows} rows follow one another.` }];
    }
    return [{ ...check, remark: true, sentence: listSome(this.#remarks) }];
  }
}

/** Whether the head is signed, by whomever. */
export function signatureCheck(
  caseId: string,
  head: CustodyHead,
  signed: ReturnType<typeof readHead>,
  chain: ChainFindings,
): Check {
  const check = (holds: boolean, sentence: string): Check => ({ subject: 'signature', name: 'head', holds, sentence });
  if (!signed) return check(false, 'The log is not signed.');
  if (signed.rows !== head.rows || signed.hash !== head.hash) {
    const sentence =
      signed.rows === head.rows
        ? 'The signed head is not the last row of the log.'
        : `The log has ${head.rows} rows; ${signed.rows} were signed.`;
    return check(false, sentence);
  }
  if (!signatureHolds(signed.publicKey, headMessage(caseId, head), signed.signature)) {
    return check(false, 'The signature of the head does not hold.');
  }
  if (chain.signatureFaults.length > 0) return check(false, listSome(chain.signatureFaults));
  return check(true, `The head bears a signature that holds, by the key ${fingerprintOf(signed.publicKey)}.`);
}

/**
 * Whether the heads that were signed at milestones are of this log, and by those who signed it.
 * @param latest position of the log's last milestone
 */
export function milestoneCheck(
  { id, db }: { id: string; db: Database.Database },
  { hashAt }: ChainFindings,
  latest: number,
  signers: readonly unknown[],
): Check {
  const check = (holds: boolean, sentence: string): Check => ({
    subject: 'signature',
    name: 'milestones',
    holds,
    sentence,
  });
  // A database of an earlier format has none.
  const present =
    db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'milestones'").get() !== undefined;
  const sql = 'SELECT rows, hash, signature, public_key AS publicKey FROM milestones ORDER BY rows';
  const kept = present ? db.prepare<[], SignedHead>(sql).all() : [];
  if (kept.length === 0) {
    const sentence =
      'No signed head of a milestone is kept: none was passed since the log is signed at them, or they were taken away.';
    return { ...check(true, sentence), remark: true };
  }
  const faults = kept.flatMap(({ rows, hash, signature, publicKey }) => {
    if (hashAt(rows) !== hash) return [`The head signed at row ${rows} is of another log.`];
    if (!signers.includes(publicKey))
      return [`The head at row ${rows} is signed by a key (${fingerprintOf(publicKey)}) that did not sign this log.`];
    return signatureHolds(publicKey, milestoneMessage(id, { rows, hash }), signature)
      ? []
      : [`The signature of the head at row ${rows} does not hold.`];
  });
  if (kept.at(-1)?.rows !== latest) faults.push(`The last milestone is row ${latest}, whose signed head is gone.`);
  if (faults.length > 0) return check(false, listSome(faults));
  return check(
    true,
    `Heads signed at ${kept.length === 1 ? 'one milestone' : `${kept.length} milestones`} hold, the latest at row ${latest}.`,
  );
}

/** Whose signature it is. */
export function signerOf(
  { expectHead, expectKey, fromElsewhere }: VerifyRequest,
  { publicKey, keys, head }: InstallationKnowledge,
  signature: Check,
  signed: ReturnType<typeof readHead>,
  chain: ChainFindings,
): Verification['signer'] {
  const fingerprint = signed ? fingerprintOf(signed.publicKey) : null;
  const answer = (verdict: Verification['signer']['verdict'], sentence: string): Verification['signer'] => ({
    verdict,
    fingerprint,
    sentence,
  });
  if (!signed || !signature.holds)
    return answer('unsigned', 'It cannot be told who signed, since the signature does not hold.');
  if (expectKey !== undefined) {
    if (isFingerprintOf(expectKey, signed.publicKey))
      return answer('known', `The head is signed by the key expected (${fingerprint}).`);
    return answer('replaced', `The head is signed by the key ${fingerprint}, not by ${expectKey}.`);
  }
  if (publicKey === signed.publicKey)
    return answer('known', `The head is signed by this installation (${fingerprint}).`);
  const found = keys.find((key) => key.publicKey === signed.publicKey);
  if (found?.how === madeHere) return answer('known', `The head is signed by this installation (${fingerprint}).`);
  if (found) {
    return answer(
      'known',
      `The head is signed by another installation (${fingerprint}), known since ${found.knownSince}.`,
    );
  }
  if (keys.length > 0 || head !== null) {
    return answer(
      'replaced',
      `The head is signed by a key (${fingerprint}) that is none of those that this case was signed with so far: the log was rewritten, or another installation went on with it.`,
    );
  }
  if (fromElsewhere)
    return answer('known', `The head is signed by another installation (${fingerprint}), which is taken as it is.`);
  if (expectHead !== undefined && chain.positionOf(expectHead.toLowerCase()) !== null) {
    return answer(
      'known',
      `The head is signed by an installation (${fingerprint}) that this one does not know; the expected head vouches for the rows up to it.`,
    );
  }
  return answer(
    'unknown',
    `The head is signed by an installation (${fingerprint}) that this one does not know, so it cannot be told whether the log was rewritten. Compare the key with the one where the case was made and give it with --expect-key.`,
  );
}

/** The name of the check against the highest row that the data folder knows. */
export const highestRowCheck = 'highest row seen here';

export function headChecks(
  { expectHead }: VerifyRequest,
  { head: last }: InstallationKnowledge,
  head: CustodyHead,
  { positionOf, hashAt }: ChainFindings,
): Check[] {
  const checks: Check[] = [];
  const add = (name: string, holds: boolean, sentence: string): void => {
    checks.push({ subject: 'head', name, holds, sentence });
  };
  if (expectHead !== undefined) {
    const position = positionOf(expectHead.toLowerCase());
    const since = head.rows - (position ?? 0);
    if (position === null) add('expected head', false, `No row of the log has the hash ${expectHead}.`);
    else if (since === 0) add('expected head', true, `The log ends with the row expected (${position}).`);
    else add('expected head', true, `Row ${position} has the hash expected; ${since} were added since.`);
  }
  if (last?.deletedAt) {
    const sentence = `The case was deleted here on ${last.deletedAt} with ${last.rows} rows; this copy has ${head.rows}.`;
    checks.push({ subject: 'head', name: highestRowCheck, holds: true, remark: true, sentence });
  } else if (last) {
    const missing = missingRows(last, head, hashAt(last.rows));
    const words = last.rows === 1 ? 'row' : `${last.rows} rows`;
    add(highestRowCheck, missing === null, missing ?? `The log holds the ${words} that it was seen to have here.`);
  }
  return checks;
}

/**
 * What a log lacks of the rows that it was seen to have here; null where it has them.
 * @param hashThere the hash of its row of that position, if it has one
 */
export function missingRows(last: CustodyHead, head: CustodyHead, hashThere: string | null): string | null {
  if (hashThere === last.hash) return null;
  if (hashThere === null) {
    return `The log was seen to have ${last.rows} rows here and has ${head.rows} now: it was cut, its latest transactions were lost, or this is an older copy.`;
  }
  return `The log has another row ${last.rows} than the one that was seen here: it was rewritten, or this is a copy that went another way.`;
}

/** Whether a check is about who signed, and not about what. */
export function isSignerCheck({ subject, name }: Check): boolean {
  return subject === 'signature' && name === 'signer';
}
