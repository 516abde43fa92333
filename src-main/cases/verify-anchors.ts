/** Checks what stands outside of a case's log: time stamps of authorities. */
import type Database from 'better-sqlite3';
import type { Anchor } from '../../src-common/schemas/custody.ts';
import { acceptedNow } from '../base/accepted.ts';
import { anchorDetails, checkedStamp } from './anchors/anchors.ts';
import { NotAsAsked } from './anchors/asn1.ts';
import { authorities } from './anchors/authorities.ts';
import { nameOf } from './anchors/chain.ts';
import type { Check } from './checks.ts';
import type { ChainFindings, StoredCustodyRow } from './custody.ts';

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
