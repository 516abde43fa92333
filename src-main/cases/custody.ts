/** The signed log of a case, each row hashed with the one before. */
import type Database from 'better-sqlite3';
import type { CustodyHead } from '../../src-common/schemas/custody.ts';
import { canonicalJson, sha256Hex } from './canonical.ts';
import { fingerprintOf, headMessage, milestoneMessage, signatureHolds } from './keys.ts';
import type { InstallationKey } from './keys.ts';

/** What a row of the log says, before it has its place in the chain. */
export interface CustodyEntry {
  time: string;
  actor: string;
  action: string;
  evidenceId: number | null;
  summary: string;
  /** JSON; nothing undefined. */
  details: Record<string, unknown>;
}

/** A row as the table `custody_log` holds it. */
export interface StoredCustodyRow {
  position: number;
  time: string;
  actor: string;
  action: string;
  evidence_id: number | null;
  summary: string;
  /** Canonical JSON. */
  details: string;
  previous: string;
  hash: string;
}

/** What the first row has for the hash of the one before. */
const beginning = '0'.repeat(64);
export const emptyHead: CustodyHead = { rows: 0, hash: beginning };

/** SHA-256 over the canonical JSON of everything in a row, and the case that it is of. */
export function custodyRowHash(caseId: string, row: Omit<StoredCustodyRow, 'hash'>): string {
  const { evidence_id: evidenceId, ...rest } = row;
  return sha256Hex(canonicalJson({ caseId, evidenceId, ...rest }));
}

/** The signed head of a log, as `custody_head` holds it. */
export interface SignedHead extends CustodyHead {
  signature: string;
  publicKey: string;
}

export function readHead(db: Database.Database): SignedHead | null {
  const sql = 'SELECT rows, hash, signature, public_key AS publicKey FROM custody_head';
  return db.prepare<[], SignedHead>(sql).get() ?? null;
}

export function lastRow(db: Database.Database): CustodyHead {
  const sql = 'SELECT position AS rows, hash FROM custody_log ORDER BY position DESC LIMIT 1';
  return db.prepare<[], CustodyHead>(sql).get() ?? emptyHead;
}

/** Rows at which a case's head stays signed for good. */
const milestoneActions = new Set(['case-created', 'evidence-added', 'report-issued']);

export function isMilestone({ action }: Pick<CustodyEntry, 'action'>): boolean {
  return milestoneActions.has(action);
}

/** Appends to a log. All of it belongs inside one transaction of the database. */
export class CustodyWriter {
  readonly #caseId: string;
  readonly #key: InstallationKey;
  readonly #insert: Database.Statement;
  readonly #sign: Database.Statement;
  readonly #keep: Database.Statement;

  constructor(db: Database.Database, caseId: string, key: InstallationKey) {
    this.#caseId = caseId;
    this.#key = key;
    this.#insert = db.prepare('INSERT INTO custody_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#sign = db.prepare('INSERT OR REPLACE INTO custody_head VALUES (1, ?, ?, ?, ?)');
    this.#keep = db.prepare('INSERT INTO milestones VALUES (?, ?, ?, ?)');
  }

  /** @returns the new head, which is yet to be signed. */
  append(head: CustodyHead, entry: CustodyEntry): CustodyHead {
    const { time, actor, action, evidenceId, summary } = entry;
    const row = {
      position: head.rows + 1,
      time,
      actor,
      action,
      evidence_id: evidenceId,
      summary,
      details: canonicalJson(entry.details),
      previous: head.hash,
    };
    const hash = custodyRowHash(this.#caseId, row);
    this.#insert.run(...Object.values(row), hash);
    return { rows: row.position, hash };
  }

  sign(head: CustodyHead): void {
    const signature = this.#key.sign(headMessage(this.#caseId, head));
    this.#sign.run(head.rows, head.hash, signature, this.#key.publicKey);
  }

  /** Signs the head at a milestone, for good. */
  keep(head: CustodyHead): void {
    const signature = this.#key.sign(milestoneMessage(this.#caseId, head));
    this.#keep.run(head.rows, head.hash, signature, this.#key.publicKey);
  }
}

/** The row with which another installation goes on with a log; it keeps the signature of the one before. */
export const signerChanged = 'signer-changed';
/** The row that says that a person has accepted whose key it was. */
export const signerAccepted = 'signer-accepted';

/** What is wrong with a chain, one sentence for each fault (the first ones), and what was found in it. */
export interface ChainFindings {
  rows: number;
  hash: string;
  faults: string[];
  /** Faults of signatures of installations that had the log before. */
  signatureFaults: string[];
  /** Position of the row that has the hash looked for. */
  positionOf: (hash: string) => number | null;
  /** Hash of the row at a position. */
  hashAt: (position: number) => string | null;
}

const namedFaults = 20;

/**
 * Walks through a log from its first row and checks every hash, and every signature that was handed on.
 * @param visit gets each row with its details, parsed where they can be
 */
export function walkChain(
  db: Database.Database,
  caseId: string,
  visit: (row: StoredCustodyRow, details: Record<string, unknown>) => void = () => undefined,
): ChainFindings {
  const faults: string[] = [];
  const signatureFaults: string[] = [];
  let more = 0;
  const fault = (sentence: string): void => {
    if (faults.length < namedFaults) faults.push(sentence);
    else more++;
  };
  const positions = new Map<string, number>();
  const hashes = new Map<number, string>();
  let { rows: position, hash } = emptyHead;
  for (const row of db.prepare<[], StoredCustodyRow>('SELECT * FROM custody_log ORDER BY position').iterate()) {
    if (row.position !== position + 1) {
      const missing = row.position - position - 1;
      fault(
        missing === 1
          ? `Row ${position + 1} is missing.`
          : `Rows ${position + 1} to ${row.position - 1} are missing (${missing}).`,
      );
    } else if (row.previous !== hash) {
      fault(`Row ${row.position} does not follow the row before it: the hash of that one differs.`);
    }
    const { hash: stored, ...rest } = row;
    let details: Record<string, unknown> = {};
    try {
      details = JSON.parse(row.details) as Record<string, unknown>;
      if (canonicalJson(details) !== row.details) throw new SyntaxError('not canonical');
      if (custodyRowHash(caseId, rest) !== stored) fault(`Row ${row.position} was changed: its hash differs.`);
    } catch {
      fault(`Row ${row.position} was changed: its details are not as they were written.`);
    }
    if (row.action === signerChanged) {
      const sentence = handedOn(caseId, { rows: position, hash }, details);
      if (sentence !== null) signatureFaults.push(`Row ${row.position}: ${sentence}`);
    }
    visit(row, details);
    position = row.position;
    hash = stored;
    positions.set(hash, position);
    hashes.set(position, hash);
  }
  if (more > 0) faults.push(`And ${more} more.`);
  return {
    rows: position,
    hash,
    faults,
    signatureFaults,
    positionOf: (wanted) => positions.get(wanted) ?? null,
    hashAt: (at) => hashes.get(at) ?? null,
  };
}

function handedOn(caseId: string, before: CustodyHead, details: Record<string, unknown>): string | null {
  const { publicKey, signature } = details;
  if (typeof publicKey !== 'string' || typeof signature !== 'string') return 'it lacks the signature before it.';
  if (signatureHolds(publicKey, headMessage(caseId, before), signature)) return null;
  return `the rows before it do not bear the signature of ${fingerprintOf(publicKey)} that it names.`;
}
