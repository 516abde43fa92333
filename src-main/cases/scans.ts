/** Scans of a case: what is queued for which model, what is under way, and what is kept when items are done. */
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import { UserFacingError } from '../base/errors.ts';
import type { Analyses, NewAnalysis } from './analyses.ts';
import { beginWork, endWork, hasBegun } from './begun-work.ts';
import { canonicalJson, sha256Hex } from './canonical.ts';
import type { CaseCore } from './core.ts';
import { readingText } from './edits.ts';
import type { EvidenceItems } from './evidence.ts';
import { unscanned } from './evidence-table.ts';

/** What is scanned with what, as it was asked. */
export interface ScanRequest {
  /** As the person named it; null: the default then. */
  model: string | null;
  modelSha256: string;
  /** As `ChannelChoice` of scanning. */
  channel: Analysis['channel'] | 'each' | 'auto';
  stream: number | null;
  /** Also the sound that a file's headers do not count in; by default not. */
  readAll?: boolean;
  /** Whose workers score; by default this machine does. */
  queue?: ScanQueue | null;
}

/** A queue of several machines, and what may differ among them. */
export interface ScanQueue {
  /** Without password. */
  address: string;
  allow: string[];
  /** Results name the machine that made them also where it is this one. */
  nameWorkers: boolean;
}

/** A scan that was begun and has not ended. */
export interface UnfinishedScan extends ScanRequest {
  id: number;
  startedAt: string;
  total: number;
  /** Items that are yet to be scored. */
  left: number;
}

/** A row of `scans` that is under way. */
interface ScanRow {
  id: number;
  started_at: string;
  model: string | null;
  model_sha256: string;
  channel: string;
  stream: number | null;
  read_all: number;
  queue: string | null;
  total: number;
  left: number;
}

/** What tells a scan from another one under the same number. */
function workOf(row: Omit<ScanRow, 'id' | 'total' | 'left'>): string {
  const { started_at, model, model_sha256, channel, stream, read_all, queue } = row;
  const asked = [model, model_sha256, channel, stream, read_all, ...(queue === null ? [] : [queue])];
  return `scan ${started_at} ${sha256Hex(canonicalJson(asked))}`;
}

export class Scans {
  readonly #core: CaseCore;
  readonly #evidence: EvidenceItems;
  readonly #analyses: Analyses;

  constructor(core: CaseCore, evidence: EvidenceItems, analyses: Analyses) {
    this.#core = core;
    this.#evidence = evidence;
    this.#analyses = analyses;
  }

  /**
   * Queues items for a scan; those that wait for another already are left to it.
   * @returns the scan's id, and how many items are queued for it
   * @throws UserFacingError where the case holds no items
   */
  begin(
    request: ScanRequest & { modelName: string },
    evidenceIds: readonly number[],
  ): { scanId: number; queued: number } {
    const core = this.#core;
    if (this.#evidence.isEmpty()) {
      throw new UserFacingError('usage', 'There is nothing to scan: the case holds no recordings.', {
        advice: 'Add recordings first.',
      });
    }
    const row = {
      started_at: core.now(),
      model: request.model,
      model_sha256: request.modelSha256,
      channel: JSON.stringify(request.channel),
      stream: request.stream,
      read_all: request.readAll ? 1 : 0,
      queue: request.queue ? JSON.stringify(request.queue) : null,
    };
    return beginWork(core, workOf(row), () => {
      const { read_all: readAll, queue, ...columns } = row;
      const { lastInsertRowid } = core
        .prepare(`INSERT INTO scans VALUES (NULL, ?, ?, ?, ?, ?, 0, 'running', ?, ?)`)
        .run(...Object.values(columns), readAll, queue);
      const scanId = Number(lastInsertRowid);
      const queued = this.#queue(scanId, evidenceIds);
      core.prepare('UPDATE scans SET total = ? WHERE id = ?').run(queued, scanId);
      core.append(
        'scan-started',
        null,
        `Began to scan ${queued} ${queued === 1 ? 'item' : 'items'}${readingText(request.readAll)} with ${request.modelName}${request.queue ? `, spread over the queue ${request.queue.address}` : ''}.`,
        {
          scanId,
          items: queued,
          model: { name: request.modelName, sha256: request.modelSha256 },
          channel: request.channel,
          stream: request.stream,
          ...(request.readAll ? { readAll: true } : {}),
          ...(request.queue ? { queue: request.queue } : {}),
        },
      );
      return { scanId, queued };
    });
  }

  #queue(scanId: number, evidenceIds: readonly number[]): number {
    const { changes } = this.#core
      .prepare(
        `INSERT OR IGNORE INTO scan_queue SELECT id, ? FROM evidence
          WHERE id IN (SELECT value FROM json_each(?)) AND removed_at IS NULL`,
      )
      .run(scanId, JSON.stringify(evidenceIds));
    this.#core
      .prepare(`UPDATE evidence SET scan = 'queued' WHERE id IN (SELECT evidence_id FROM scan_queue WHERE scan_id = ?)`)
      .run(scanId);
    return changes;
  }

  /** Scans that have not ended, the first begun first. */
  unfinished(): UnfinishedScan[] {
    return this.#core.read(() =>
      this.#rows()
        .filter((row) => hasBegun(this.#core, workOf(row)))
        .map((row) => ({
          id: row.id,
          startedAt: row.started_at,
          model: row.model,
          modelSha256: row.model_sha256,
          channel: JSON.parse(row.channel) as UnfinishedScan['channel'],
          stream: row.stream,
          readAll: row.read_all === 1,
          queue: row.queue === null ? null : (JSON.parse(row.queue) as ScanQueue),
          total: row.total,
          left: row.left,
        })),
    );
  }

  /** Items that a scan has yet to score, in order. */
  queuedFor(scanId: number): number[] {
    const sql = 'SELECT evidence_id FROM scan_queue WHERE scan_id = ? ORDER BY evidence_id';
    return this.#core.read(() => this.#core.prepare<[number], number>(sql).pluck().all(scanId));
  }

  /**
   * Keeps the results of a scan's items: results, rows of the log and the queue in one transaction, so that nothing is scored
   * twice and nothing is lost. What is no longer queued for this scan is left out.
   * @param done all analyses of each item
   */
  finishItems(scanId: number, done: readonly { evidenceId: number; analyses: NewAnalysis[] }[]): void {
    this.#core.write(
      () => {
        const take = this.#core.prepare('DELETE FROM scan_queue WHERE evidence_id = ? AND scan_id = ?');
        for (const { evidenceId, analyses } of done) {
          this.#evidence.running.delete(evidenceId);
          if (take.run(evidenceId, scanId).changes > 0) this.#analyses.store(analyses);
        }
      },
      () => done.map(({ evidenceId }) => evidenceId),
    );
  }

  /** Ends a scan; what it has not scored is as it was before. */
  end(scanId: number, state: 'done' | 'cancelled' | 'failed', why = ''): void {
    this.#core.write(
      () => this.#end(scanId, state, why),
      () => null,
    );
  }

  /** Inside a transaction: ends what was not begun here. @returns what was */
  dropForeign(): string[] {
    return this.#rows().flatMap((row) => {
      const work = workOf(row);
      if (hasBegun(this.#core, work)) return [work];
      this.#end(row.id, 'cancelled', 'It was not begun here.');
      return [];
    });
  }

  /**
   * Ids for a scan of `new` items (never scanned, with another model, or failed for what may have passed: their drive was
   * away, the machine ended their decoder), of `failed` ones, or of all. One whose file changed since its intake is not
   * new: it is something else than the case holds, and scanned only when it is chosen.
   */
  idsToScan(which: 'new' | 'failed' | 'all', modelSha256: string): number[] {
    const conditions = {
      all: '1',
      failed: `scan = 'failed'`,
      new: `changed = 0 AND (${unscanned} OR model_sha256 IS NOT $model)`,
    };
    const sql = `SELECT id FROM evidence WHERE removed_at IS NULL AND ${conditions[which]} ORDER BY id`;
    return this.#core.read(() => {
      const query = this.#core.prepare<unknown[], number>(sql).pluck();
      return which === 'new' ? query.all({ model: modelSha256 }) : query.all();
    });
  }

  #end(scanId: number, state: 'done' | 'cancelled' | 'failed', why: string): void {
    const core = this.#core;
    const left = core
      .prepare(
        `UPDATE evidence SET scan = CASE WHEN latest_analysis IS NULL THEN 'none' WHEN error IS NOT NULL THEN 'failed'
           ELSE 'done' END WHERE id IN (SELECT evidence_id FROM scan_queue WHERE scan_id = ?)`,
      )
      .run(scanId).changes;
    core.prepare('DELETE FROM scan_queue WHERE scan_id = ?').run(scanId);
    for (const row of this.#rows()) if (row.id === scanId) endWork(core, workOf(row));
    const { changes } = core
      .prepare(`UPDATE scans SET state = ? WHERE id = ? AND state = 'running'`)
      .run(state, scanId);
    if (changes === 0) return;
    const words = { done: 'Finished', cancelled: 'Cancelled', failed: 'Gave up' }[state];
    const rest = left === 0 ? '' : ` ${left} ${left === 1 ? 'item was' : 'items were'} not scored.`;
    core.append('scan-ended', null, `${words} the scan.${rest}`, { scanId, state, notScored: left, why });
  }

  #rows(): ScanRow[] {
    return this.#core
      .prepare<[], ScanRow>(
        `SELECT scans.*, (SELECT count(*) FROM scan_queue WHERE scan_id = scans.id) AS left FROM scans
         WHERE state = 'running' ORDER BY id`,
      )
      .all();
  }
}
