/** Checks what others have put to a case's log: time stamps of authorities, and counter-signatures of people. */
import type Database from 'better-sqlite3';
import type { Anchor } from '../../src-common/schemas/custody.ts';
import { acceptedNow, listAccepted } from '../base/accepted.ts';
import { anchorDetails, checkedStamp } from './anchors/anchors.ts';
import { NotAsAsked } from './anchors/asn1.ts';
import { authorities } from './anchors/authorities.ts';
import { nameOf } from './anchors/chain.ts';
import { counterSignatureDetails, counterSignatureHolds } from './anchors/counter-signatures.ts';
import { people } from './anchors/people.ts';
import type { Person } from './anchors/people.ts';
import type { Check } from './checks.ts';
import type { ChainFindings, StoredCustodyRow } from './custody.ts';
import { fingerprintOf } from './keys.ts';

const toleratedSeconds = 60;

/**
 * Whether each time stamp holds, is of the row that it names, and by an authority that is accepted here.
 * @returns with the one that reaches farthest
 */
export function anchorChecks(
  { id, db }: { id: string; db: Database.Database },
  rows: readonly StoredCustodyRow[],
  { hashAt }: ChainFindings,
  home: string,
): { anchored: Anchor | null; checks: Check[] } {
  if (rows.length === 0) return { anchored: null, checks: [] };
  const accepted = acceptedNow(home, authorities);
  const timeOf = db.prepare<[number], string>('SELECT time FROM custody_log WHERE position = ?').pluck();
  let anchored: Anchor | null = null;
  const checks = rows.map(({ position, details }) => {
    const check = (holds: boolean, sentence: string, remark = false): Check => {
      return {
        subject: 'anchor',
        name: `time stamp in row ${position}`,
        holds,
        ...(remark ? { remark } : {}),
        sentence,
      };
    };
    const read = anchorDetails(details);
    if (read === null) return check(false, `Row ${position} is no time stamp that can be read.`);
    if (read.rows >= position || hashAt(read.rows) !== read.hash) {
      return check(
        false,
        `The time stamp in row ${position} is of another log: its row ${read.rows} has another hash.`,
      );
    }
    try {
      const { authority, time, signer } = checkedStamp(id, read, accepted);
      if (authority === null) {
        const why = `its chain ends in no certificate that is accepted here (\`authority accept\`)`;
        const sentence = `The time stamp in row ${position}, of row ${read.rows} by ${nameOf(signer)} at ${time}, holds in itself, but ${why}.`;
        return check(true, sentence, true);
      }
      if (read.rows > (anchored?.rows ?? 0)) anchored = { rows: read.rows, time, by: authority.name };
      const ahead = Math.round((Date.parse(timeOf.get(read.rows) ?? time) - Date.parse(time)) / 1000);
      const clock =
        ahead > toleratedSeconds ? ` By the log, that row was written ${ahead} s later: the clock here was ahead.` : '';
      return check(true, `Anchored until row ${read.rows} by ${authority.name}, ${time}.${clock}`, clock !== '');
    } catch (error) {
      if (!(error instanceof NotAsAsked)) throw error;
      return check(false, `The time stamp in row ${position} does not hold: ${error.message}.`);
    }
  });
  return { anchored, checks };
}

/** Whether each counter-signature holds, is of the row that it names, and by whose key. */
export function counterSignatureChecks(
  caseId: string,
  rows: readonly StoredCustodyRow[],
  { hashAt }: ChainFindings,
  home: string,
): Check[] {
  if (rows.length === 0) return [];
  const known = knownPeople(home);
  return rows.map(({ position, details }) => {
    const check = (holds: boolean, sentence: string, remark = false): Check => {
      return { subject: 'signature', name: `row ${position}`, holds, ...(remark ? { remark } : {}), sentence };
    };
    const read = counterSignatureDetails(details);
    if (read === null) return check(false, `Row ${position} is no counter-signature that can be read.`);
    if (read.rows >= position || hashAt(read.rows) !== read.hash) {
      return check(
        false,
        `The counter-signature in row ${position} is of another log: its row ${read.rows} has another hash.`,
      );
    }
    if (!counterSignatureHolds(caseId, read))
      return check(false, `The counter-signature in row ${position} does not hold.`);
    const { name, role, signedAt, publicKey } = read;
    const said = `Counter-signed until row ${read.rows} by ${name} (${role}), ${signedAt}, key ${fingerprintOf(publicKey)}`;
    const person = known.findLast((one) => one.publicKey === publicKey);
    if (!person) return check(true, `${said}: as the log has it; that key is not accepted here.`, true);
    if (person.withdrawnAt !== null) return check(true, `${said}; withdrawn here since ${person.withdrawnAt}.`, true);
    return check(true, `${said}, accepted here as ${person.name} (${person.role}).`);
  });
}

/** Where the list cannot be read, nobody is known. */
function knownPeople(home: string): Person[] {
  try {
    return listAccepted(home, people);
  } catch {
    return [];
  }
}
