/** Checks issued reports, amendments and technical reviews of a case against its log. */
import type Database from 'better-sqlite3';
import type { Check, VerifyRequest } from './checks.ts';
import type { ChainFindings } from './custody.ts';
import { reportRecordSha256 } from './records.ts';
import type { StoredReport } from './records.ts';
import { answerDetails, reviewDetails } from './reviews.ts';

/** What the log says of reports. */
export interface LoggedReports {
  /** The hash of each record, by its number. */
  reports: Map<string, unknown>;
  amendments: { position: number; details: Record<string, unknown> }[];
  reviews: { position: number; details: string }[];
  answers: { position: number; details: string }[];
}

/** Whether each sign-off names the log and the report that it is of. */
export function reviewChecks(db: Database.Database, { reviews }: LoggedReports, { hashAt }: ChainFindings): Check[] {
  const issued = db.prepare<[string], unknown>('SELECT 1 FROM reports WHERE number = ?');
  return reviews.map(({ position, details }) => {
    const review = reviewDetails(details);
    const check = (holds: boolean, sentence: string): Check => {
      return { subject: 'report', name: `review in row ${position}`, holds, sentence };
    };
    if (review === null) return check(false, `Row ${position} is no sign-off that can be read.`);
    const { reviewer, rows, hash, report } = review;
    if (rows >= position || hashAt(rows) !== hash) {
      return check(
        false,
        `The technical review in row ${position} is of another log: its row ${rows} has another hash.`,
      );
    }
    if (report !== null && !issued.get(report)) {
      return check(false, `The technical review in row ${position} is of the report ${report}, which is not there.`);
    }
    return check(
      true,
      `${reviewer} signed off ${report ?? 'the case'} in row ${position}, by the log up to row ${rows}.`,
    );
  });
}

/** Whether each answer is of a review before it. */
export function answerChecks({ reviews, answers }: LoggedReports): Check[] {
  return answers.map(({ position, details }) => {
    const answer = answerDetails(details);
    const holds =
      answer !== null && reviews.some((review) => review.position === answer.review && review.position < position);
    const sentence =
      answer === null
        ? `Row ${position} is no answer to a technical review that can be read.`
        : holds
          ? `${answer.by} answered the technical review of row ${answer.review} in row ${position}.`
          : `Row ${position} answers a technical review in row ${answer.review}, which is not there.`;
    return { subject: 'report', name: `answer in row ${position}`, holds, sentence };
  });
}

/** Whether each report is kept as it was issued, and each amendment replaces what its row says. */
export function reportChecks(db: Database.Database, logged: LoggedReports, request: VerifyRequest): Check[] {
  const { reportSha256, reportSignature } = request;
  const checks: Check[] = [];
  const add = (name: string, holds: boolean, sentence: string): void => {
    checks.push({ subject: 'report', name, holds, sentence });
  };
  const rows = db.prepare<[], StoredReport>('SELECT * FROM reports ORDER BY rowid').all();
  for (const row of rows) {
    const holds = reportRecordSha256(row) === logged.reports.get(row.number);
    const sentence = holds ? 'is kept as it was issued' : 'is not kept as it was issued';
    add(row.number, holds, `The report ${row.number} ${sentence}.`);
  }
  for (const number of logged.reports.keys()) {
    if (!rows.some((row) => row.number === number)) {
      add(number, false, `The report ${number} is gone, though the log has it.`);
    }
  }
  for (const { position, details } of logged.amendments) {
    const [row, replaced] = [details['number'], details['amends']].map((number) =>
      rows.find((one) => one.number === number),
    );
    const holds =
      row !== undefined && replaced?.number === row.amends && replaced?.sha256 === details['replacedSha256'];
    const sentence = holds
      ? `The report ${row.number} replaces the report ${replaced.number}, as row ${position} says.`
      : `Row ${position} tells of an amendment that is not among the reports.`;
    add(`amendment in row ${position}`, holds, sentence);
  }
  if (reportSha256 !== undefined) {
    const issued = rows.find(({ sha256 }) => sha256 === reportSha256);
    if (issued) add('the file given', true, `The file is the report ${issued.number}, issued ${issued.issued_at}.`);
    else
      add('the file given', false, 'The file is none of the reports that this case issued, or it was changed since.');
    if (reportSignature) add('signature of the file given', reportSignature.holds, reportSignature.words);
  }
  return checks;
}
