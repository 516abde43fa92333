/** The section of technical review and amendments: what the custody log has of them, on pages of their own. */
import type { CheckOutcome, TechnicalReview } from '../../../src-common/schemas/report.ts';
import { styles } from './sheet.ts';
import type { Cell, Sheet } from './sheet.ts';
import type { ReportSnapshot } from './snapshot.ts';
import { known, written } from './summary.ts';
import { counted, grouped, timeText } from './wording.ts';

/** What stands where a review says nothing of its role. */
const usualRole = 'Technical reviewer';

const outcomeWords: Record<CheckOutcome, string> = {
  met: 'Met',
  'not-met': 'NOT MET',
  'not-applicable': 'Not applicable',
  'not-checked': 'Not checked',
};

/** @param title of the section */
export function reviewSection(sheet: Sheet, snapshot: ReportSnapshot, title: string): void {
  const { case: details, reviews = [], reviewsOfAmended = [], amended, amendments = [] } = snapshot;
  const own = reviews.length + reviewsOfAmended.length + amendments.length > 0 || amended !== null;
  if (own) sheet.breakPage();
  sheet.heading(2, title);
  if (!details) {
    sheet.paragraph('No case stands behind this report: its log could hold neither a review nor an amendment.');
    return;
  }
  sheet.paragraph(
    'A technical review is by somebody who did not examine the case. Reviews, answers to their remarks, and amendments are rows of the custody log (annex B), ' +
      'whose numbers are given.',
    styles.dim,
  );
  if (reviews.length === 0) sheet.paragraph('Of what this report says the log has no technical review.');
  for (const review of reviews) reviewed(sheet, review);
  for (const review of reviewsOfAmended) reviewed(sheet, review);
  amendmentsOf(sheet, snapshot);
  if (own) sheet.breakPage();
}

function reviewed(sheet: Sheet, review: TechnicalReview): void {
  const { position, rows, hash, laterRows, reviewer, role = '', qualification, time, actor, report } = review;
  const { checks = [], remarks, answers = [] } = review;
  sheet.need(150);
  sheet.heading(3, `Review in row ${grouped(position)} of the log`);
  sheet.pairs([
    ['Reviewer', written(reviewer)],
    ['Role', written(role || usualRole)],
    ['Qualification', written(qualification)],
    ['Signed off', `${timeText(time)}, in the session of ${actor}`],
    [
      'What was reviewed',
      report === null ? `The case as of row ${grouped(rows)} of its log` : `Report ${report}, as it was issued`,
    ],
    ['Hash of the log then', { text: hash, style: styles.mono }],
    ['Since then', laterRows === 0 ? 'Nothing was changed.' : `${counted(laterRows, 'row')} of work logged`],
  ]);
  sheet.gap(4);
  if (checks.length === 0) {
    sheet.paragraph('The row names no points that were checked.');
  } else {
    sheet.table(
      [
        { title: 'No.', width: 20, align: 'right' },
        { title: 'What was checked', width: 0 },
        { title: 'Outcome', width: 64 },
        { title: 'Note', width: 150 },
      ],
      checks.map(({ point, outcome, note }, index): Cell[] => [
        String(index + 1),
        { text: point, style: styles.small, written: true },
        { text: outcomeWords[outcome], style: outcome === 'not-met' ? styles.smallBold : styles.small },
        { text: note, style: styles.small, written: true },
      ]),
    );
  }
  sheet.pairs([['Remarks', remarks.trim() === '' ? 'None' : written(remarks)]]);
  if (answers.length > 0) {
    sheet.table(
      [
        { title: 'Row', width: 28, align: 'right' },
        { title: 'Time (UTC)', width: 84 },
        { title: 'By', width: 96 },
        { title: 'Answer', width: 0 },
      ],
      answers.map(({ position: row, time: when, by, answer }): Cell[] => [
        grouped(row),
        timeText(when).replace(' UTC', ''),
        { text: by, style: styles.small, written: true },
        { text: answer, style: styles.small, written: true },
      ]),
    );
  } else if (remarks.trim() !== '') {
    sheet.paragraph('The log has no answer to them.', styles.bold);
  }
}

function amendmentsOf(sheet: Sheet, { amended, amendments = [], request, draft }: ReportSnapshot): void {
  sheet.need(90);
  sheet.heading(3, 'Amendments');
  if (!amended && amendments.length === 0) {
    sheet.paragraph('This report replaces none, and no report of this case was amended before.');
    return;
  }
  if (amended) {
    sheet.pairs([
      ['This report replaces', `Report ${amended.number}, issued ${timeText(amended.issuedAt)}`],
      ['SHA-256 of that', { text: amended.sha256, style: styles.mono }],
      ['What was changed', written(request.amendment)],
      ['Why', written(request.amendmentReason ?? '')],
      ['In the log', draft ? 'A row once the report is issued' : 'The row after that of the issue of this report'],
    ]);
  }
  if (amendments.length === 0) return;
  sheet.gap(4);
  sheet.table(
    [
      { title: 'Row', width: 28, align: 'right' },
      { title: 'Time (UTC)', width: 84 },
      { title: 'Report', width: 56 },
      { title: 'Replaces', width: 56 },
      { title: 'What was changed', width: 0 },
      { title: 'Why', width: 110 },
    ],
    amendments.map(({ position, time, number, amends, changed, why }): Cell[] => [
      grouped(position),
      timeText(time).replace(' UTC', ''),
      number,
      amends,
      { text: known(changed), style: styles.small, written: true },
      { text: known(why), style: styles.small, written: true },
    ]),
  );
  sheet.paragraph('Amendments of reports of this case before this one.', styles.smallDim);
}
