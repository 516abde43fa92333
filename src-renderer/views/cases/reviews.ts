/** Which technical reviews are of which report. */
import type { IssuedReport, TechnicalReview } from '../../../src-common/schemas/report.ts';

/** Where the log stood when the latest report was issued; its own row comes after. */
const lastPosition = (issued: readonly IssuedReport[]): number =>
  issued.reduce((latest, { logPosition }) => Math.max(latest, logPosition), 0);

/** Reviewers of the case as it stands: those whose sign-off the next report names. */
export function reviewersOfNext(reviews: readonly TechnicalReview[], issued: readonly IssuedReport[]): string[] {
  const since = lastPosition(issued);
  return namesOf(reviews.filter(({ report, position }) => report === null && position > since));
}

/** Reviewers of an issued report: of the case before it, as it names them, and of the report itself. */
export function reviewersOf(
  report: IssuedReport,
  reviews: readonly TechnicalReview[],
  issued: readonly IssuedReport[],
): string[] {
  const before = lastPosition(issued.filter(({ logPosition }) => logPosition < report.logPosition));
  return namesOf(
    reviews.filter(
      (review) =>
        review.report === report.number ||
        (review.report === null && review.position > before && review.position <= report.logPosition),
    ),
  );
}

function namesOf(reviews: readonly TechnicalReview[]): string[] {
  return [...new Set(reviews.map(({ reviewer }) => reviewer))];
}
