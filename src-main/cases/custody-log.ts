import type { CustodyHead, CustodyRow } from '../../src-common/schemas/custody.ts';
import type { CaseCore } from './core.ts';
import type { StoredCustodyRow } from './custody.ts';

/** The custody log of a case, to be read and to note in what happens outside of it. */
export class CustodyLog {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** The latest row first. */
  rows(query: { evidenceId?: number; offset: number; limit: number }): { total: number; rows: CustodyRow[] } {
    const core = this.#core;
    return core.read(() => {
      const where = query.evidenceId === undefined ? '1' : 'evidence_id = ?';
      const values = query.evidenceId === undefined ? [] : [query.evidenceId];
      const total = core
        .prepare<unknown[], number>(`SELECT count(*) FROM custody_log WHERE ${where}`)
        .pluck()
        .get(...values) as number;
      const rows = core
        .prepare<unknown[], StoredCustodyRow>(
          `SELECT * FROM custody_log WHERE ${where} ORDER BY position DESC LIMIT ? OFFSET ?`,
        )
        .all(...values, query.limit, query.offset);
      return { total, rows: rows.map(custodyRowOf) };
    });
  }

  note(
    action: string,
    summary: string,
    details: Record<string, unknown>,
    evidenceId: number | null = null,
  ): CustodyHead {
    this.#core.write(() => this.#core.append(action, evidenceId, summary, details));
    return this.#core.head;
  }
}

function custodyRowOf(row: StoredCustodyRow): CustodyRow {
  let details: Record<string, unknown>;
  try {
    details = JSON.parse(row.details) as Record<string, unknown>;
  } catch {
    // Tampered with: verify says so; the log is still shown.
    details = { unreadable: row.details };
  }
  return {
    position: row.position,
    time: row.time,
    actor: row.actor,
    action: row.action,
    evidenceId: row.evidence_id,
    summary: row.summary,
    details,
    hash: row.hash,
  };
}
