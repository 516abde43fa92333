/** Technical reviews of a case: who signed off what, as rows of its log. They are kept nowhere else. */
import { z } from 'zod';
import { sha256Schema } from '../../src-common/hashes.ts';
import { newReviewSchema } from '../../src-common/schemas/report.ts';
import type { NewReview, TechnicalReview } from '../../src-common/schemas/report.ts';
import { UserFacingError } from '../base/errors.ts';
import { anchoredAction } from './anchors/anchors.ts';
import { countersignedAction } from './anchors/counter-signatures.ts';
import type { CaseCore } from './core.ts';
import { reportSigned } from './issued-reports.ts';
import type { StoredCustodyRow } from './custody.ts';

/** The row of a sign-off. */
export const technicalReview = 'technical-review';

/** What a row's details hold. */
const reviewDetailsSchema = newReviewSchema.extend({ rows: z.int(), hash: sha256Schema });

/** Rows that tell of a look at the case, and not of work on it. */
const looking = ['opened', 'examined', 'exported', technicalReview, anchoredAction, countersignedAction, reportSigned];

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
    const details = { ...review, reviewer, qualification: review.qualification.trim(), rows, hash };
    const of = review.report === null ? `the case as of row ${rows} of its log` : `the report ${review.report}`;
    core.write(() => core.append(technicalReview, null, `${reviewer} reviewed ${of}, and signed it off.`, details));
    const added = this.list().at(-1);
    if (added === undefined) throw new Error('the sign-off is not in the log');
    return added;
  }

  /** The first one first. */
  list(): TechnicalReview[] {
    const core = this.#core;
    return core.read(() => {
      const rows = core
        .prepare<[string], StoredCustodyRow>('SELECT * FROM custody_log WHERE action = ? ORDER BY position')
        .all(technicalReview);
      const places = looking.map(() => '?').join(', ');
      const later = core
        .prepare<unknown[], number>(`SELECT count(*) FROM custody_log WHERE position > ? AND action NOT IN (${places})`)
        .pluck();
      return rows.flatMap(({ position, time, actor, details }) => {
        const read = reviewDetails(details);
        // Tampered with: verify says so.
        if (read === null) return [];
        return [{ ...read, position, time, actor, laterRows: later.get(position, ...looking) as number }];
      });
    });
  }

  /** Those of the case as it stands, for the report that is issued next: none that lies before the latest one. */
  forNextReport(): TechnicalReview[] {
    const sql = "SELECT coalesce(max(position), 0) FROM custody_log WHERE action = 'report-issued'";
    const issued = this.#core.read(() => this.#core.prepare<[], number>(sql).pluck().get() as number);
    return this.list().filter(({ position, report }) => report === null && position > issued);
  }
}

/** @param details of a row, as they are stored @returns null where they are none of a sign-off */
export function reviewDetails(details: string): z.infer<typeof reviewDetailsSchema> | null {
  try {
    return reviewDetailsSchema.safeParse(JSON.parse(details)).data ?? null;
  } catch {
    return null;
  }
}
