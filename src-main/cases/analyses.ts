/** Analyses of a case: what was found of recordings and stretches of them. They are added and never changed. */
import { findingWords } from '../../src-common/findings.ts';
import type { Analysis, AnalysisSummary } from '../../src-common/schemas/analysis.ts';
import { UserFacingError } from '../base/errors.ts';
import { canonicalJson, sha256Hex } from './canonical.ts';
import type { CaseCore } from './core.ts';
import { readingText, spanText } from './edits.ts';
import { storedEvidence } from './evidence-record.ts';
import { derivedColumns, isStale, shownAnalysis } from './evidence-table.ts';
import type { StoredAnalysis, StoredEvidence } from './records.ts';

/** An analysis before the case gives it its id. */
export type NewAnalysis = Omit<Analysis, 'id' | 'stale' | 'resultSha256' | 'readAll'>;

export class Analyses {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** @throws UserFacingError `not-found` */
  get(id: number): Analysis {
    return this.#core.read(() => {
      const sql = 'SELECT * FROM analyses WHERE id = ?';
      const stored = this.#core.prepare<[number], StoredAnalysis>(sql).get(id);
      if (!stored) throw new UserFacingError('not-found', `There is no analysis ${id} in this case.`);
      return analysisOf(stored, storedEvidence(this.#core, stored.evidence_id));
    });
  }

  /** Every analysis of an item, the first made first. @throws UserFacingError `not-found` */
  of(evidenceId: number): Analysis[] {
    return this.#core.read(() => {
      const row = storedEvidence(this.#core, evidenceId);
      const sql = 'SELECT * FROM analyses WHERE evidence_id = ? ORDER BY id';
      const stored = this.#core.prepare<[number], StoredAnalysis>(sql).all(evidenceId);
      return stored.map((one) => analysisOf(one, row));
    });
  }

  /** Keeps an analysis and logs it. Of one of the whole recording, the table shows the finding from now on. */
  add(analysis: NewAnalysis): Analysis {
    const [id] = this.#core.write(
      () => this.store([analysis]),
      () => [analysis.evidenceId],
    );
    return this.get(id);
  }

  /** Inside a transaction: keeps and logs analyses of one item. @returns their ids */
  store(analyses: readonly NewAnalysis[]): number[] {
    const { evidenceId } = analyses[0];
    const { name } = storedEvidence(this.#core, evidenceId);
    const whole = analyses.filter(({ stretch }) => stretch === null);
    const shown = whole.length > 0 ? shownAnalysis(whole) : null;
    return analyses.map((analysis) => {
      const result = canonicalJson(analysis);
      const resultSha256 = sha256Hex(result);
      const { lastInsertRowid } = this.#core
        .prepare('INSERT INTO analyses VALUES (NULL, ?, ?, ?, ?, ?, ?)')
        .run(
          evidenceId,
          analysis.time,
          analysis.stretch?.startSeconds ?? null,
          analysis.stretch?.endSeconds ?? null,
          result,
          resultSha256,
        );
      const id = Number(lastInsertRowid);
      if (analysis === shown) this.#show(evidenceId, name, id, analysis);
      this.#log(analysis, name, { analysisId: id, resultSha256, shown: analysis === shown });
      return id;
    });
  }

  #log(
    analysis: NewAnalysis,
    name: string,
    stored: { analysisId: number; resultSha256: string; shown: boolean },
  ): void {
    const of = analysis.stretch === null ? name : `${spanText(analysis.stretch)} of ${name}`;
    const outcome = analysis.error
      ? `failed: ${analysis.error.message}`
      : `${analysis.finding === null ? 'failed' : findingWords[analysis.finding]}.`;
    this.#core.append(
      analysis.stretch === null ? 'scanned' : 'stretch-analysed',
      analysis.evidenceId,
      `Analysed ${of}${readingText(analysis.settings.readAll)} with ${analysis.modelName}: ${outcome}`,
      {
        ...stored,
        fileSha256: analysis.fileSha256,
        model: { name: analysis.modelName, sha256: analysis.modelSha256, status: analysis.modelStatus },
        application: analysis.provenance.application,
        backend: analysis.provenance.backend,
        ...(analysis.provenance.worker === undefined ? {} : { worker: analysis.provenance.worker }),
        settings: analysis.settings,
        channel: analysis.channel,
        stream: analysis.stream,
        stretch: analysis.stretch,
        finding: analysis.finding,
        score: analysis.score,
        error: analysis.error,
      },
    );
  }

  #show(evidenceId: number, name: string, analysisId: number, analysis: NewAnalysis): void {
    const derived = { ...derivedColumns(name, analysis, null), latest_analysis: analysisId };
    const columns = Object.keys(derived).map((column) => `${column} = $${column}`);
    this.#core
      .prepare(
        `UPDATE evidence SET ${columns.join(', ')}, scan = $scan, duration_seconds = coalesce($duration, duration_seconds)
         WHERE id = $id`,
      )
      .run({
        ...derived,
        scan: analysis.error ? 'failed' : 'done',
        duration: analysis.durationSeconds,
        id: evidenceId,
      });
  }
}

function analysisOf(stored: StoredAnalysis, row: StoredEvidence): Analysis {
  const result = JSON.parse(stored.result) as NewAnalysis;
  return {
    ...result,
    id: stored.id,
    stale: isStale(row, result.fileSha256),
    resultSha256: stored.result_sha256,
    readAll: result.settings.readAll === true,
  };
}

export function analysisSummary(analysis: Analysis): AnalysisSummary {
  return {
    id: analysis.id,
    evidenceId: analysis.evidenceId,
    time: analysis.time,
    stretch: analysis.stretch,
    label: analysis.label,
    channel: analysis.channel,
    stream: analysis.stream,
    readAll: analysis.readAll,
    modelName: analysis.modelName,
    modelSha256: analysis.modelSha256,
    modelStatus: analysis.modelStatus,
    finding: analysis.finding,
    score: analysis.score,
    llr: analysis.llr,
    error: analysis.error,
    stale: analysis.stale,
    resultSha256: analysis.resultSha256,
  };
}
