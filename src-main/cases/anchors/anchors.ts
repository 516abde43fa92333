/** Time stamps of a case's log: rows of it that hold an authority's token over the head as it was at an earlier row. */
import { z } from 'zod';
import { sha256Schema } from '../../../src-common/hashes.ts';
import type { Anchor, CustodyHead } from '../../../src-common/schemas/custody.ts';
import { UserFacingError } from '../../base/errors.ts';
import { sha256Hex } from '../canonical.ts';
import type { CaseCore } from '../core.ts';
import { headMessage } from '../keys.ts';
import { NotAsAsked } from './asn1.ts';
import type { Authority } from './authorities.ts';
import { authorityOf, commonName, nameOf } from './chain.ts';
import { readToken, tokenOf } from './time-stamp.ts';
import type { TimeStamp } from './time-stamp.ts';

/** The row that holds a time stamp. */
export const anchoredAction = 'anchored';

const detailsSchema = z.object({
  /** Row of the log up to which it is stamped, and its hash. */
  rows: z.int().positive(),
  hash: sha256Schema,
  /** As RFC 3161, in base64. */
  token: z.string(),
});
type AnchorDetails = z.infer<typeof detailsSchema>;

/** @param details of a row, as they are stored @returns null where they are none of a time stamp */
export function anchorDetails(details: string): AnchorDetails | null {
  try {
    return detailsSchema.safeParse(JSON.parse(details)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * A kept time stamp, checked anew.
 * @returns with `authority` null where its chain ends in none that is accepted here
 * @throws NotAsAsked saying what is wrong with it
 */
export function checkedStamp(
  caseId: string,
  { rows, hash, token }: AnchorDetails,
  accepted: readonly Authority[],
): TimeStamp & { authority: Authority | null } {
  const stamp = readToken(Buffer.from(token, 'base64'));
  if (stamp.imprint !== imprintOf(caseId, { rows, hash })) throw new NotAsAsked('it is of something else');
  return { ...stamp, authority: authorityOf(stamp, accepted) };
}

function imprintOf(caseId: string, head: CustodyHead): string {
  return sha256Hex(headMessage(caseId, head));
}

function refused(from: string, why: string, advice: string, cause?: unknown): UserFacingError {
  return new UserFacingError('time-stamp', `The time stamp from ${from} is not taken: ${why}.`, { advice, cause });
}

/** The time stamps of a case. */
export class Anchors {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** What an authority is to stamp: the head as it is. */
  get message(): string {
    return headMessage(this.#core.id, this.#core.head);
  }

  /**
   * Takes an authority's answer into the log, once all of it holds. It may be of any row: the log may have grown since it was asked for.
   * @param answer a TimeStampResp
   * @param from where it came from, for messages
   * @param nonce that it has to repeat; null where none was asked with
   * @throws UserFacingError `time-stamp` saying what is wrong with it and what to do
   */
  take(answer: Uint8Array, from: string, accepted: readonly Authority[], nonce: bigint | null = null): Anchor {
    const core = this.#core;
    try {
      const token = tokenOf(answer);
      const stamp = readToken(token);
      if (nonce !== null && stamp.nonce !== nonce) throw new NotAsAsked('it answers another request');
      const head = this.#headOf(stamp.imprint);
      if (head === null) {
        const advice =
          'Ask for one with the request of this case (`case anchor CASE --request FILE`), and give its answer.';
        throw refused(from, 'it is of something else than a row of this log', advice);
      }
      const authority = authorityOf(stamp, accepted);
      if (authority === null) throw unknownAuthority(from, stamp);
      const kept = Buffer.from(token).toString('base64');
      if (this.list().some((one) => one.token === kept))
        throw refused(from, 'the log has it already', 'Nothing is to be done.');
      const by = authority.name;
      const summary = `${by} stamped the log up to row ${head.rows} with the time ${stamp.time}.`;
      const details = {
        ...head,
        token: kept,
        time: stamp.time,
        by,
        signer: nameOf(stamp.signer),
        serial: stamp.serial,
      };
      core.write(() => core.append(anchoredAction, null, summary, details));
      return { rows: head.rows, time: stamp.time, by };
    } catch (error) {
      if (!(error instanceof NotAsAsked)) throw error;
      throw refused(from, error.message, 'Ask the authority again, or another one; nothing was changed.', error);
    }
  }

  /** The stamps that the log holds, the first one first; what is none is left out, which `verify` says. */
  list(): AnchorDetails[] {
    return this.#core.detailsOf(anchoredAction).flatMap((details) => anchorDetails(details) ?? []);
  }

  /** The stamp that reaches farthest, of those by authorities that are accepted. */
  latest(accepted: readonly Authority[]): Anchor | null {
    const { id, db } = this.#core;
    const hashAt = db.prepare<[number], string>('SELECT hash FROM custody_log WHERE position = ?').pluck();
    const stamps = this.list().flatMap((details) => {
      try {
        const { authority, time } = checkedStamp(id, details, accepted);
        const own = hashAt.get(details.rows) === details.hash;
        return authority && own ? [{ rows: details.rows, time, by: authority.name }] : [];
      } catch {
        // `verify` says what is wrong.
        return [];
      }
    });
    return stamps.sort((a, b) => b.rows - a.rows).at(0) ?? null;
  }

  /** The row that a stamp is of. */
  #headOf(imprint: string): CustodyHead | null {
    const { id } = this.#core;
    return this.#core.read(() => {
      const sql = 'SELECT position AS rows, hash FROM custody_log ORDER BY position DESC';
      for (const head of this.#core.db.prepare<[], CustodyHead>(sql).iterate()) {
        if (imprintOf(id, head) === imprint) return head;
      }
      return null;
    });
  }
}

function unknownAuthority(from: string, { signer, certificates }: TimeStamp): UserFacingError {
  const topmost = certificates.findLast(({ ca }) => ca) ?? signer;
  return refused(
    from,
    `it is by ${nameOf(signer)}, whose chain (up to ${commonName(topmost.issuer)}) ends in no certificate that is accepted here`,
    'Get the root certificate from the authority, its fingerprint by another way, and accept it: `authority accept ROOT.pem --name NAME --fingerprint SHA256`.',
  );
}
