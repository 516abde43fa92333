import { amendmentSchema } from '../../src-common/schemas/report.ts';
import type { Amendment, IssuedReport, ReportRequest } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import { canonicalJson } from './canonical.ts';
import type { CaseCore } from './core.ts';
import type { StoredCustodyRow } from './custody.ts';
import { reportRecordSha256 } from './records.ts';
import type { StoredReport } from './records.ts';

/** The row that says by whose certificate a report's PDF was signed. */
export const reportSigned = 'report-signed';
/** The row that says what an amendment changed. */
export const reportAmended = 'report-amended';

/** Everything that makes an issued report again. */
export interface ReportRecord extends IssuedReport {
  request: ReportRequest;
  /** As it was given to `add`, to the byte. */
  data: string;
}

/** A report as the case will keep it, with what takes long for a large one done: any thread can. */
export interface PreparedReport {
  row: Omit<StoredReport, 'data'>;
  /** In UTF-8. */
  data: Uint8Array<ArrayBuffer>;
  /** Of the row with its data, as the log has it. */
  recordSha256: string;
}

export function preparedReport(report: ReportRecord): PreparedReport {
  const row = {
    number: report.number,
    issued_at: report.issuedAt,
    log_position: report.logPosition,
    sha256: report.sha256,
    pages: report.pages,
    amends: report.amends,
    request: canonicalJson(report.request),
  };
  const recordSha256 = reportRecordSha256({ ...row, data: report.data });
  return { row, data: new Uint8Array(Buffer.from(report.data)), recordSha256 };
}

/** Reports that were issued of a case. */
export class IssuedReports {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /** The number that the next report bears: the case's, `/` and a count. */
  nextNumber(): string {
    const { number } = this.#core.read(
      () => this.#core.prepare<[], { number: string }>('SELECT number FROM case_details').get() as { number: string },
    );
    const taken = new Set(this.list().map((report) => report.number));
    let count = taken.size + 1;
    while (taken.has(`${number}/${count}`)) count++;
    return `${number}/${count}`;
  }

  /** The first one first. */
  list(): IssuedReport[] {
    const sql = 'SELECT number, issued_at, log_position, sha256, pages, amends FROM reports ORDER BY rowid';
    return this.#core.read(() =>
      this.#core.prepare<[], Omit<StoredReport, 'data' | 'request'>>(sql).all().map(issuedOf),
    );
  }

  /** What amendments changed, as the log has it, the first one first. */
  amendments(): Amendment[] {
    const sql = 'SELECT * FROM custody_log WHERE action = ? AND json_valid(details) ORDER BY position';
    return this.#core.read(() =>
      this.#core
        .prepare<[string], StoredCustodyRow>(sql)
        .all(reportAmended)
        .flatMap(({ position, time, details }) => {
          const { data } = amendmentSchema.safeParse({ ...(JSON.parse(details) as object), position, time });
          // Tampered with: verify says so.
          return data === undefined ? [] : [data];
        }),
    );
  }

  /** @throws UserFacingError `not-found` */
  get(number: string): ReportRecord {
    return this.#core.read(() => {
      const sql = 'SELECT * FROM reports WHERE number = ?';
      const row = this.#core.prepare<[string], StoredReport>(sql).get(number);
      if (!row) {
        const known = this.list().map((report) => report.number);
        throw new UserFacingError('not-found', `This case has no report ${number}.`, {
          advice: known.length > 0 ? `There are: ${known.join(', ')}.` : 'None was issued yet.',
        });
      }
      return { ...issuedOf(row), request: JSON.parse(row.request) as ReportRequest, data: row.data };
    });
  }

  /**
   * Keeps a report that was made and logs it.
   * @param report `logPosition` is the row of the log up to which the report says what the case holds; `data` is everything that
   * makes it again
   * @throws UserFacingError `exists` where the number is taken
   */
  add(report: ReportRecord): IssuedReport {
    return this.keep(preparedReport(report), report.request);
  }

  /** The same, of one that was prepared elsewhere. @throws UserFacingError as {@link add} */
  keep({ row, data, recordSha256 }: PreparedReport, request: ReportRequest): IssuedReport {
    const core = this.#core;
    return core.write(() => {
      if (core.prepare('SELECT 1 FROM reports WHERE number = ?').get(row.number)) {
        throw new UserFacingError('exists', `The number ${row.number} is that of another report of this case.`);
      }
      const columns = Object.keys(row);
      // As bytes: a text of many megabytes would be copied and encoded here.
      const sql = `INSERT INTO reports (${columns.join(', ')}, data) VALUES (${columns.map(() => '?').join(', ')}, CAST(? AS TEXT))`;
      core.prepare(sql).run(...Object.values<unknown>(row), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      const issued = issuedOf(row);
      const amends = row.amends === null ? '' : `, which amends ${row.amends}`;
      core.append('report-issued', null, `Issued the report ${row.number}${amends}.`, { ...issued, recordSha256 });
      if (row.amends !== null) this.#logAmendment(row.number, row.amends, request);
      return issued;
    });
  }

  /** What was changed, why, and which report is replaced: a row of its own. */
  #logAmendment(number: string, amends: string, request: ReportRequest): void {
    const core = this.#core;
    const sql = 'SELECT sha256 FROM reports WHERE number = ?';
    const replaced = core.prepare<[string], { sha256: string }>(sql).get(amends);
    core.append(reportAmended, null, `The report ${number} replaces the report ${amends}.`, {
      number,
      amends,
      replacedSha256: replaced?.sha256 ?? null,
      changed: request.amendment,
      why: request.amendmentReason ?? '',
    });
  }
}

function issuedOf(row: Omit<StoredReport, 'data' | 'request'>): IssuedReport {
  return {
    number: row.number,
    issuedAt: row.issued_at,
    logPosition: row.log_position,
    sha256: row.sha256,
    pages: row.pages,
    amends: row.amends,
  };
}
