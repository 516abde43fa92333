/** Technical reviews of a case: who signed off what, and how remarks were answered, as rows of its log. They are kept nowhere else. */
import { z } from 'zod';
import { sha256Schema } from '../../src-common/hashes.ts';
import { newReviewAnswerSchema, newReviewSchema } from '../../src-common/schemas/report.ts';
import type { NewReview, NewReviewAnswer, ReviewAnswer, TechnicalReview } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import { anchoredAction } from './anchors/anchors.ts';
import { countersignedAction } from './anchors/counter-signatures.ts';
import type { CaseCore } from './core.ts';
import { reportSigned } from './issued-reports.ts';
import type { StoredCustodyRow } from './custody.ts';

/** The row of a sign-off. */
export const technicalReview = 'technical-review';
/** The row of an answer to a reviewer's remarks. */
export const reviewAnswered = 'review-answered';

/** What a row's details hold. */
const reviewDetailsSchema = newReviewSchema.extend({ rows: z.int(), hash: sha256Schema });

/** Rows that tell of a look at the case, and not of work on it. */
const looking = [
  'opened',
  'examined',
  'exported',
  technicalReview,
  reviewAnswered,
  anchoredAction,
  countersignedAction,
  reportSigned,
];

const folded = (name: string): string => name.normalize('NFKC').trim().toLowerCase();

/** Sign-offs of technical reviewers. */
export class TechnicalReviews {
  readonly #core: CaseCore;

  constructor(core: CaseCore) {
    this.#core = core;
  }

  /**
   * Notes a sign-off in the log, with the head that the case was reviewed with.
   * @throws UserFacingError `usage` without a reviewer, and where that is the examiner; `not-found` for a report that was not issued
   */
  add(review: NewReview): TechnicalReview {
    const core = this.#core;
    const reviewer = review.reviewer.trim();
    if (reviewer === '') {
      throw new UserFacingError('usage', 'A technical review needs its reviewer’s name.');
    }
    const { examiner } = core.prepare('SELECT examiner FROM case_details').get() as { examiner: string };
    if (folded(examiner) === folded(reviewer)) {
      throw new UserFacingError('usage', `${reviewer} is the examiner of this case, who cannot review it.`, {
        advice: 'A technical review is by somebody else.',
      });
    }
    if (review.report !== null && !core.prepare('SELECT 1 FROM reports WHERE number = ?').get(review.report)) {
      throw new UserFacingError('not-found', `This case has no report ${review.report}.`);
    }
    const { rows, hash } = core.head;
    const role = review.role?.trim() ?? '';
    const { role: _, ...said } = review;
    const details = {
      ...{ ...said, reviewer, ...(role === '' ? {} : { role }), qualification: review.qualification.trim() },
      ...{ rows, hash },
    };
    const of = review.report === null ? `the case as of row ${rows} of its log` : `the report ${review.report}`;
    core.write(() => core.append(technicalReview, null, `${reviewer} reviewed ${of}, and signed it off.`, details));
    const added = this.list().at(-1);
    if (added === undefined) throw new Error('the sign-off is not in the log');
    return added;
  }

  /**
   * Notes in the log how a review's remarks were answered.
   * @throws UserFacingError `usage` without who answers or what; `not-found` for a row that is no review
   */
  answer(given: NewReviewAnswer): TechnicalReview {
    const details = { ...given, by: given.by.trim(), answer: given.answer.trim() };
    const { review, by, answer } = details;
    if (by === '' || answer === '') {
      throw new UserFacingError('usage', 'An answer to a technical review needs who answers, and what.');
    }
    const reviewed = this.list().find(({ position }) => position === review);
    if (reviewed === undefined) throw this.#noReview(review);
    const core = this.#core;
    const summary = `${by} answered the technical review of ${reviewed.reviewer} in row ${review}.`;
    core.write(() => core.append(reviewAnswered, null, summary, details));
    const answered = this.list().find(({ position }) => position === review);
    if (answered === undefined) throw new Error('the review is no longer in the log');
    return answered;
  }

  #noReview(position: number): UserFacingError {
    const known = this.list().map((review) => review.position);
    return new UserFacingError('not-found', `Row ${position} of the log is no technical review.`, {
      advice: known.length > 0 ? `Reviews are in the rows ${known.join(', ')}.` : 'The log has none yet.',
    });
  }

  /** By the row of the review that they answer, the first one first. */
  #answers(): Map<number, ReviewAnswer[]> {
    const answers = new Map<number, ReviewAnswer[]>();
    for (const { position, time, details } of this.#rowsOf(reviewAnswered)) {
      const read = answerDetails(details);
      if (read === null) continue;
      const { review, ...said } = read;
      answers.set(review, [...(answers.get(review) ?? []), { ...said, position, time }]);
    }
    return answers;
  }

  #rowsOf(action: string): StoredCustodyRow[] {
    const sql = 'SELECT * FROM custody_log WHERE action = ? ORDER BY position';
    return this.#core.prepare<[string], StoredCustodyRow>(sql).all(action);
  }

  /** The first one first. */
  list(): TechnicalReview[] {
    const core = this.#core;
    return core.read(() => {
      const rows = this.#rowsOf(technicalReview);
      const answers = this.#answers();
      const places = looking.map(() => '?').join(', ');
      const later = core
        .prepare<unknown[], number>(`SELECT count(*) FROM custody_log WHERE position > ? AND action NOT IN (${places})`)
        .pluck();
      return rows.flatMap(({ position, time, actor, details }) => {
        const read = reviewDetails(details);
        // Tampered with: verify says so.
        if (read === null) return [];
        const laterRows = later.get(position, ...looking) as number;
        return [{ ...read, position, time, actor, laterRows, answers: answers.get(position) ?? [] }];
      });
    });
  }

  /** Those of the case as it stands, for the report that is issued next: none that lies before the latest one. */
  forNextReport(): TechnicalReview[] {
    const sql = "SELECT coalesce(max(position), 0) FROM custody_log WHERE action = 'report-issued'";
    const issued = this.#core.read(() => this.#core.prepare<[], number>(sql).pluck().get() as number);
    return this.list().filter(({ position, report }) => report === null && position > issued);
  }

  /** Those of a report that was issued. */
  ofReport(number: string): TechnicalReview[] {
    return this.list().filter(({ report }) => report === number);
  }
}

/** @param details of a row, as they are stored @returns null where they are none of a sign-off */
export function reviewDetails(details: string): z.infer<typeof reviewDetailsSchema> | null {
  return detailsOf(reviewDetailsSchema, details);
}

/** @param details of a row, as they are stored @returns null where they are none of an answer */
export function answerDetails(details: string): NewReviewAnswer | null {
  return detailsOf(newReviewAnswerSchema, details);
}

function detailsOf<T>(schema: z.ZodType<T>, details: string): T | null {
  try {
    return schema.safeParse(JSON.parse(details)).data ?? null;
  } catch {
    return null;
  }
}
