/** Counter-signatures of a case's log: rows of it that hold a second person's signature over the head as it was at an earlier row. */
import { z } from 'zod';
import { sha256Schema } from '../../../src-common/hashes.ts';
import { custodyHeadSchema } from '../../../src-common/schemas/custody.ts';
import type { CustodyHead } from '../../../src-common/schemas/custody.ts';
import { UserFacingError } from '../../base/errors.ts';
import type { CaseCore } from '../core.ts';
import { readHead } from '../custody.ts';
import { fingerprintOf, headMessage, signatureHolds } from '../keys.ts';
import type { InstallationKey } from '../keys.ts';
import type { Person } from './people.ts';

/** The row that holds a counter-signature. */
export const countersignedAction = 'countersigned';

const requestSchema = z.strictObject({
  format: z.literal('earwitness counter-signature request 1'),
  caseId: z.uuid(),
  /** For people; nothing vouches for it. */
  number: z.string(),
  head: custodyHeadSchema,
  /** Who signed the head. */
  publicKey: z.string(),
  signature: z.string(),
});
export type CounterSignatureRequest = z.infer<typeof requestSchema>;

const answerSchema = z.strictObject({
  format: z.literal('earwitness counter-signature 1'),
  caseId: z.uuid(),
  rows: z.int().positive(),
  hash: sha256Schema,
  /** By the clock of who signed. */
  signedAt: z.iso.datetime(),
  publicKey: z.string(),
  signature: z.string(),
});
export type CounterSignature = z.infer<typeof answerSchema>;

const detailsSchema = answerSchema.omit({ format: true, caseId: true }).extend({ name: z.string(), role: z.string() });
type CounterSignatureDetails = z.infer<typeof detailsSchema>;

/** Another text than the head's own signature is of, so that neither can stand for the other. */
function messageOf(caseId: string, { rows, hash, signedAt }: CustodyHead & { signedAt: string }): string {
  return `earwitness custody counter-signature\n${caseId}\n${rows}\n${hash}\n${signedAt}\n`;
}

/** Whether a counter-signature is of a case's log, by the key that it names. */
export function counterSignatureHolds(
  caseId: string,
  given: Pick<CounterSignature, 'rows' | 'hash' | 'signedAt' | 'publicKey' | 'signature'>,
): boolean {
  return signatureHolds(given.publicKey, messageOf(caseId, given), given.signature);
}

/** @param details of a row, as they are stored @returns null where they are none of a counter-signature */
export function counterSignatureDetails(details: string): CounterSignatureDetails | null {
  return parsed(detailsSchema, details);
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function refused(what: string, advice: string): UserFacingError {
  return new UserFacingError('counter-signature', what, { advice });
}

/**
 * Reads a request, and whether the head in it is signed as it says.
 * @param from the file, for messages
 * @throws UserFacingError `counter-signature`
 */
export function readRequest(text: string, from: string): CounterSignatureRequest {
  const advice = 'Take the file that `case countersign CASE --request FILE` wrote, as it is.';
  const request = parsed(requestSchema, text);
  if (!request) throw refused(`${from} is no request for a counter-signature.`, advice);
  const { caseId, head, publicKey, signature } = request;
  if (signatureHolds(publicKey, headMessage(caseId, head), signature)) return request;
  throw refused(`The head in ${from} does not bear the signature that it names.`, advice);
}

/** Reads a counter-signature that holds in itself. @throws UserFacingError `counter-signature` */
export function readAnswer(text: string, from: string): CounterSignature {
  const advice = 'Take the file that `person sign` wrote, as it is.';
  const answer = parsed(answerSchema, text);
  if (!answer) throw refused(`${from} is no counter-signature.`, advice);
  if (counterSignatureHolds(answer.caseId, answer)) return answer;
  throw refused(`The signature in ${from} does not hold: it was changed.`, advice);
}

/** Signs a request with a person's key. */
export function counterSign({ caseId, head }: CounterSignatureRequest, key: InstallationKey): CounterSignature {
  const { rows, hash } = head;
  const signedAt = new Date().toISOString();
  const signature = key.sign(messageOf(caseId, { rows, hash, signedAt }));
  const { publicKey } = key;
  return { format: 'earwitness counter-signature 1', caseId, rows, hash, signedAt, publicKey, signature };
}

/** The counter-signatures of a case. */
export class CounterSignatures {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** The head as it is, for a second person. @throws UserFacingError `counter-signature` where it is not signed */
  request(): CounterSignatureRequest {
    const core = this.#core;
    return core.read(() => {
      const { number } = core.prepare('SELECT number FROM case_details').get() as { number: string };
      const signed = readHead(core.db);
      if (!signed) throw refused('The log of this case is not signed.', 'Verify the case.');
      const { rows, hash, publicKey, signature } = signed;
      const format = 'earwitness counter-signature request 1';
      return { format, caseId: core.id, number, head: { rows, hash }, publicKey, signature };
    });
  }

  /**
   * Takes a second person's signature into the log. It may be of any row: the log may have grown since it was asked for.
   * @param from where it came from, for messages
   * @param own keys that signed this log here
   * @throws UserFacingError `counter-signature` saying what is wrong with it and what to do
   */
  take(
    answer: CounterSignature,
    from: string,
    accepted: readonly Person[],
    own: readonly string[],
  ): CounterSignatureDetails {
    const core = this.#core;
    const { format: _, caseId, ...given } = answer;
    const { rows, hash, publicKey } = given;
    const fingerprint = fingerprintOf(publicKey);
    if (caseId !== core.id || this.#hashAt(rows) !== hash) {
      throw refused(
        `The counter-signature from ${from} is of another log than this one: it is of row ${rows}, ${hash.slice(0, 16)}….`,
        'Ask for one with the request of this case (`case countersign CASE --request FILE`).',
      );
    }
    if (own.includes(publicKey)) {
      throw refused(
        `The counter-signature from ${from} is by a key (${fingerprint}) that signed this log itself.`,
        'A second person signs, with a key of their own.',
      );
    }
    const person = accepted.find((one) => one.publicKey === publicKey);
    if (!person) {
      throw refused(
        `The counter-signature from ${from} is by a key (${fingerprint}) that is not accepted here.`,
        'Ask its holder for the fingerprint by another way than the file, then: `person accept FILE --name NAME --role ROLE --fingerprint DIGITS`.',
      );
    }
    if (this.#list().some((one) => one.publicKey === publicKey && one.rows === rows)) {
      throw refused(`${person.name} has counter-signed row ${rows} already.`, 'Nothing is to be done.');
    }
    const { name, role } = person;
    const details = { ...given, name, role };
    const summary = `${name} (${role}, key ${fingerprint}) counter-signed the log up to row ${rows}.`;
    core.write(() => core.append(countersignedAction, null, summary, details));
    return details;
  }

  /** Those that hold, the first one first; of others `verify` says what is wrong. */
  holding(): CounterSignatureDetails[] {
    return this.#list().filter(
      (one) => this.#hashAt(one.rows) === one.hash && counterSignatureHolds(this.#core.id, one),
    );
  }

  #list(): CounterSignatureDetails[] {
    return this.#core.detailsOf(countersignedAction).flatMap((details) => counterSignatureDetails(details) ?? []);
  }

  #hashAt(position: number): string | null {
    const sql = 'SELECT hash FROM custody_log WHERE position = ?';
    return this.#core.read(() => this.#core.prepare<[number], string>(sql).pluck().get(position)) ?? null;
  }
}
