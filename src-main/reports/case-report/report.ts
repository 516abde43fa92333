/** Puts a case report together: its sections in order. */
import { createHash } from 'node:crypto';
import { findings } from '../../../src-common/findings.ts';
import { planFigures } from './figures.ts';
import { glossary } from './glossary.ts';
import { findingPart, itemSections, resultsTable } from './item-section.ts';
import { logCode } from './log-code.ts';
import { methodSection } from './method-section.ts';
import { modelAnnex } from './model-annex.ts';
import { caveatOf, currentResults, hasRatio, statuses } from './outcome.ts';
import { reportCsv } from './report-csv.ts';
import { PdfSheet } from './pdf-sheet.ts';
import { reviewSection } from './review-section.ts';
import { styles } from './sheet.ts';
import { WordSheet } from './word-sheet.ts';
import type { Cell, DocumentInformation, RunningText, Sheet } from './sheet.ts';
import { hasSections, reportJson } from './snapshot.ts';
import type { ReportSnapshot } from './snapshot.ts';
import { peopleOf, reviewTexts, scopeText, summary, known, written } from './summary.ts';
import { stretchCsv } from '../stretch-csv.ts';
import { extentText } from './technical-words.ts';
import {
  draftStatement,
  editableStatement,
  grouped,
  interpretation,
  propositions,
  screeningStatement,
  timeText,
} from './wording.ts';

/** Above this many items the table of results is in the attached CSV only. */
const mostListedItems = 3000;
/** Room for a heading with a figure below it. */
const firstFigureHeight = 290;
/** Rows of the custody log that are printed; all of the extract are in the attached JSON. */
const mostCustodyRows = 400;

function question(sheet: Sheet, snapshot: ReportSnapshot): void {
  const { case: details, laboratory } = snapshot;
  sheet.heading(2, '1 Question and propositions');
  if (!details) {
    sheet.paragraph('No question and no propositions were stated.');
  } else {
    sheet.pairs([
      ['Question asked', written(details.question)],
      ['Proposition 1 (bona fide)', written(details.propositionBonafide)],
      ['Proposition 2 (spoof)', written(details.propositionSpoof)],
      ['Customer', written(details.customer)],
      ['Contact', written(details.customerContact)],
    ]);
  }
  sheet.pairs([
    ['Laboratory', known(laboratory.laboratory)],
    ['Address', known(laboratory.laboratoryAddress)],
    ['Place of work', known(laboratory.placeOfWork || laboratory.laboratoryAddress)],
    [
      'What it relates to',
      `Only the items examined, ${scopeText(snapshot)}, as they were received. Every analysis that was made of them is listed.`,
    ],
  ]);
}

function findingsSection(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '3 Findings');
  const { screening, validated } = statuses(snapshot);
  const analyses = snapshot.items.flatMap((item) => item.analyses);
  const olderWords = analyses.some(
    ({ modelStatus, finding }) => modelStatus === 'screening' && finding?.startsWith('supports'),
  );
  const counts = [...findings, null]
    .map((finding) => ({ finding, count: analyses.filter((analysis) => analysis.finding === finding).length }))
    .filter(({ count }) => count > 0);
  const unscanned = snapshot.items.filter((item) => item.analyses.length === 0).length;
  sheet.table(
    [
      { title: 'Finding', width: 150 },
      { title: 'Analyses', width: 60, align: 'right' },
      { title: '', width: 0 },
    ],
    [
      ...counts.map(({ finding, count }): Cell[] => [findingPart(finding, styles.small.size), grouped(count), '']),
      ...(unscanned > 0 ? [['items not analysed', grouped(unscanned), '']] : []),
    ],
    { dense: true },
  );
  sheet.paragraph(
    (validated
      ? 'A finding says which proposition the sound of a recording supports by the measure of the model named; it is no statement of fact. '
      : '') +
      (screening
        ? 'A screening model supports nothing: its finding says whether a recording looks bona fide or synthetic to it. '
        : '') +
      (olderWords
        ? 'Where a finding of a screening model says “supports”, it was made by an earlier version and keeps its words: it means no more than that. '
        : '') +
      'Scores have no unit, are uncalibrated, and are comparable within one model only. Not assessable: the recording does not ' +
      'meet the conditions under which the model may be used; the reasons are listed with the item.',
  );
  if (snapshot.items.length > mostListedItems) {
    sheet.paragraph(
      `The results of all ${grouped(snapshot.items.length)} items, with their hashes, are in the attached table results.csv, which is a part of this report (annex D).`,
      styles.bold,
    );
    return;
  }
  resultsTable(sheet, snapshot, !hasSections(snapshot));
}

function evaluation(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '4 Evaluation');
  const { screening, validated } = statuses(snapshot);
  const ratios = snapshot.items.flatMap(({ evidence, analyses }) => {
    const current = new Set(currentResults(analyses));
    return analyses
      .filter(hasRatio)
      .filter((analysis) => !analysis.stale && (analysis.stretch !== null || current.has(analysis)))
      .map((analysis) => ({ evidence, analysis }));
  });
  if (screening) {
    sheet.paragraph(
      `Findings of a screening model are not evaluated under the propositions: ${screeningStatement}. No likelihood ratio and no words of a verbal scale are given for them.`,
      styles.bold,
    );
  }
  if (validated && ratios.length === 0)
    sheet.paragraph('No current result of a validated model has a likelihood ratio.');
  if (!screening && !validated) sheet.paragraph('Nothing was analysed: there is nothing to evaluate.');
  if (ratios.length === 0) return;
  sheet.paragraph(
    'The findings are weighed under the two propositions. That says nothing of how probable a proposition is, which depends on everything else ' +
      'that is known. Ratios of several results are not multiplied: results of one recording, and recordings of one origin, depend on one another.',
  );
  if (ratios.length > mostListedItems) {
    sheet.paragraph(`The ${grouped(ratios.length)} likelihood ratios are in the attached table results.csv.`);
  } else {
    const given = propositions(snapshot.case);
    const short = snapshot.request.form === 'short';
    sheet.table(
      [
        { title: 'Item', width: 24, align: 'right' },
        { title: 'Of', width: 96 },
        { title: 'Interpretation', width: 0 },
      ],
      ratios.map(({ evidence, analysis }) => {
        const { llr, llrInterval } = analysis;
        const { sentence, interval, verbal, brief } = interpretation(llr, llrInterval, snapshot.verbalScale, given);
        const caveat = caveatOf(analysis);
        const beyond = caveat === null ? [] : [{ text: caveat, style: styles.smallBold }];
        const inFull: Cell = [
          { text: sentence, style: styles.smallBold },
          { text: `${interval} ${verbal}`, style: styles.small },
          ...beyond,
        ];
        return [
          String(evidence.id),
          extentText(analysis),
          short ? [{ text: brief, style: styles.small }, ...beyond] : inFull,
        ];
      }),
      { dense: short },
    );
  }
  const scale = snapshot.verbalScale.map(({ upTo, words }, index, all) => {
    const from = index === 0 ? 2 : (all[index - 1].upTo ?? 0);
    return upTo === null ? `above ${grouped(from)} ${words}` : `${grouped(from)} to ${grouped(upTo)} ${words}`;
  });
  sheet.paragraph(`Verbal scale, by likelihood ratio (mirrored below one): ${scale.join('; ')}.`, styles.smallDim);
}

function conclusion(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '5 Conclusion and opinions');
  const { screening, validated } = statuses(snapshot);
  if (validated) {
    sheet.paragraph(
      'The conclusion is what section 4 says of each item, within the limits that sections 2 and 3 state.',
    );
  }
  if (screening) {
    const rest = validated
      ? 'From results of a screening model no conclusion is drawn.'
      : 'No conclusion is drawn about the propositions.';
    sheet.paragraph(`${rest} Such results say which recordings are worth a closer look.`, styles.bold);
  }
  if (!screening && !validated) sheet.paragraph('No conclusion is drawn: nothing was analysed.');
  const { opinions } = snapshot.request;
  if (opinions.trim() === '') {
    sheet.paragraph('The author of this report has added no opinion.');
    return;
  }
  sheet.paragraph('The following is opinion and interpretation, not a result.');
  sheet.paragraph(opinions, styles.regular, { written: true });
}

function itemsAndFigures(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '6 Items');
  if (!hasSections(snapshot)) {
    const all = snapshot.inFull ? 'container data, condition, window scores' : 'condition';
    sheet.paragraph(
      `${snapshot.inFull ? 'In short form' : `With ${grouped(snapshot.items.length)} items`} this report has no section for each. The attached report.json holds each item’s ${all}, ` +
        'and every analysis made of it. A report of chosen items in full form shows these, with figures.',
    );
    return;
  }
  sheet.paragraph(
    'Descriptions, receipt and hashes of the sender are as the customer or the examiner stated them; all else was read from the files. The laboratory ' +
      'examined the items as received and took no samples of them.',
    styles.dim,
  );
  const planned = planFigures(snapshot.items);
  itemSections(sheet, snapshot, 6, planned);
  // With the first of them.
  if (planned.size > 0) sheet.need(firstFigureHeight);
  sheet.heading(2, '7 Figures');
  if (planned.size === 0) sheet.paragraph('There are none.');
  for (const { draw } of planned.values()) draw(sheet);
}

/** Who vouches for the log. */
function vouchedRows({ vouched }: ReportSnapshot): [string, Cell][] {
  if (!vouched) return [];
  const { keys, anchored, counterSigned } = vouched;
  return [
    ['Signed by the key', { text: keys.at(0) ?? 'none', style: styles.mono }],
    ...(keys.length > 1
      ? [['Before it by', { text: keys.slice(1).join(', '), style: styles.mono }] as [string, Cell]]
      : []),
    [
      'Anchored',
      anchored === null
        ? 'By no time-stamping authority that this laboratory accepts.'
        : `Until row ${grouped(anchored.rows)} by ${anchored.by}, ${timeText(anchored.time)}.`,
    ],
    ...counterSigned.map(({ name, role, rows, fingerprint }): [string, Cell] => [
      'Counter-signed',
      `Until row ${grouped(rows)} by ${name} (${role}), key ${fingerprint}.`,
    ]),
  ];
}

function custody(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, 'Annex B: Custody');
  if (!snapshot.head) {
    sheet.paragraph('No custody log stands behind this report: the recordings do not belong to a case.');
    return;
  }
  sheet.pairs([
    ['Rows of the log', grouped(snapshot.head.rows)],
    ['Hash of its last row', { text: snapshot.head.hash, style: styles.mono }],
    ...vouchedRows(snapshot),
  ]);
  sheet.paragraph(
    'Each row of the log holds the hash of the one before, so that the first two lines fix the whole log as it was when this report was made: ' +
      'compare them with the case by “earwitness verify CASE --expect-head HASH”. ' +
      (snapshot.draft
        ? sheet.editable
          ? 'That this draft was saved is a later row, which vouches for nothing in it.'
          : 'This draft is no row of it.'
        : 'The issue of this report is a later row, with the SHA-256 of this document.'),
  );
  logCode(sheet, snapshot);
  const leaps = snapshot.custody.filter(({ action }) => action === 'clock-leap');
  if (leaps.length > 0) {
    const leapLines = leaps
      .slice(0, mostCustodyRows)
      .map(({ position, time, summary }) => `Row ${position}, ${timeText(time)}: ${summary}`);
    sheet.paragraph(`The times of the log cannot all be relied upon. ${leapLines.join(' ')}`);
  }
  if (snapshot.request.form === 'short') {
    const rows = snapshot.custody.length;
    sheet.paragraph(`The ${grouped(rows)} rows that concern the case and the items are in the attached report.json.`);
    return;
  }
  const shown = snapshot.custody.slice(0, mostCustodyRows);
  sheet.table(
    [
      { title: 'Row', width: 28, align: 'right' },
      { title: 'Time (UTC)', width: 84 },
      { title: 'Who', width: 78 },
      { title: 'Item', width: 24, align: 'right' },
      { title: 'What', width: 0 },
    ],
    shown.map(({ position, time, actor, evidenceId, summary }) => [
      String(position),
      timeText(time).replace(' UTC', ''),
      actor,
      evidenceId === null ? '' : String(evidenceId),
      summary,
    ]),
  );
  const rest = snapshot.custody.length - shown.length;
  sheet.paragraph(
    `Extract: rows that concern the case as a whole or the items above.${rest > 0 ? ` ${grouped(rest)} further ones are in the attached report.json.` : ''}`,
    styles.smallDim,
  );
}

function close(sheet: Sheet, snapshot: ReportSnapshot, attachments: readonly Attachment[]): void {
  // With its first file.
  sheet.need(130);
  sheet.heading(2, 'Annex D: Attached files');
  // Bytes that are not there have no hash.
  const within = !sheet.editable;
  sheet.paragraph(
    within
      ? 'These files are embedded in this document and are a part of it.'
      : 'These files are embedded in a report that is issued, and in its draft as PDF. This document can hold none of them.',
  );
  sheet.table(
    [
      { title: 'Name', width: 74 },
      { title: 'What it holds', width: 0 },
      ...(within
        ? [
            { title: 'Bytes', width: 56, align: 'right' as const },
            { title: 'SHA-256', width: 250 },
          ]
        : []),
    ],
    attachments.map(({ name, description, bytes }): Cell[] => [
      name,
      description,
      ...(within
        ? [grouped(bytes.length), { text: createHash('sha256').update(bytes).digest('hex'), style: styles.smallMono }]
        : []),
    ]),
  );
  if (snapshot.draft) {
    const statement = sheet.editable ? editableStatement : draftStatement;
    sheet.paragraph(`— End of the draft. ${statement} —`, styles.bold);
    return;
  }
  const people = peopleOf(snapshot);
  const { statementOfTruth = '', closing = '' } = snapshot.template?.template ?? {};
  if (closing !== '') sheet.paragraph(closing, styles.regular, { written: true });
  if (statementOfTruth !== '') {
    sheet.heading(3, 'Statement of truth');
    sheet.paragraph(statementOfTruth, styles.regular, { written: true });
  }
  sheet.need(130);
  sheet.gap(10);
  sheet.pairs([
    ['Examiner', people.examiner],
    ...reviewTexts(snapshot).map((text): [string, Cell] => [
      'Technical review',
      text.replace('Technical review: ', ''),
    ]),
    ['Authorised by', people.authoriser],
    ['Date of issue', timeText(snapshot.issuedAt)],
    ['Signature', '\n____________________________________________'],
  ]);
  sheet.gap(6);
  sheet.paragraph(`— End of report ${snapshot.number} —`, styles.bold);
}

interface Attachment {
  name: string;
  type: string;
  description: string;
  bytes: Buffer;
}

/** What the results point out, where they do. */
function stretchAttachment({ items }: ReportSnapshot): Attachment[] {
  const found = items.flatMap(({ evidence, analyses, stretches }) =>
    analyses.flatMap((analysis) => {
      const some = stretches?.[analysis.id] ?? [];
      return some.length === 0 ? [] : [{ evidence, analysis, stretches: some }];
    }),
  );
  if (found.length === 0) return [];
  return [
    {
      name: 'stretches.csv',
      type: 'text/csv',
      description: 'The stretches that results point out, a row for each',
      bytes: Buffer.from(stretchCsv(found)),
    },
  ];
}

function footerText({ editable }: Sheet, snapshot: ReportSnapshot): string {
  const { screening, validated } = statuses(snapshot);
  const draft = snapshot.draft ? `${editable ? editableStatement : draftStatement}. ` : '';
  if (!screening) return `${draft}The results relate only to the items examined`;
  return validated
    ? `${draft}Holds results of a screening model: ${screeningStatement}`
    : `${draft}${screeningStatement[0].toUpperCase()}${screeningStatement.slice(1)}`;
}

/** What a report says for machines, in UTF-8. */
export interface ReportData {
  json: Buffer;
  csv: Buffer;
}

export function reportData(snapshot: ReportSnapshot): ReportData {
  return { json: Buffer.from(reportJson(snapshot)), csv: Buffer.from(reportCsv(snapshot)) };
}

function attachmentsOf(snapshot: ReportSnapshot, { json, csv }: ReportData): Attachment[] {
  return [
    {
      name: 'report.json',
      type: 'application/json',
      description: 'All that this report says, with every window’s score, for machines',
      bytes: json,
    },
    {
      name: 'results.csv',
      type: 'text/csv',
      description: 'The results as a table, a row for each analysis',
      bytes: csv,
    },
    ...stretchAttachment(snapshot),
  ];
}

function informationOf(snapshot: ReportSnapshot): DocumentInformation {
  return {
    title: snapshot.draft ? snapshot.number : `Report ${snapshot.number}`,
    author: snapshot.laboratory.laboratory || snapshot.laboratory.examiner || 'Earwitness',
    application: snapshot.application,
    issuedAt: new Date(snapshot.issuedAt),
    family: snapshot.template?.template.font ?? 'sans',
  };
}

/** Writes the whole report. @returns what stands on every page */
function write(sheet: Sheet, snapshot: ReportSnapshot, attachments: readonly Attachment[]): RunningText {
  summary(sheet, snapshot);
  question(sheet, snapshot);
  methodSection(sheet, snapshot);
  findingsSection(sheet, snapshot);
  evaluation(sheet, snapshot);
  conclusion(sheet, snapshot);
  itemsAndFigures(sheet, snapshot);
  reviewSection(sheet, snapshot, `${hasSections(snapshot) ? 8 : 7} Technical review and amendments`);
  modelAnnex(sheet, snapshot);
  custody(sheet, snapshot);
  glossary(sheet, snapshot, 'Annex C: Glossary');
  close(sheet, snapshot, attachments);
  return {
    headerLeft: informationOf(snapshot).title,
    headerRight: snapshot.case ? `Case ${snapshot.case.number}` : 'No case',
    footer: footerText(sheet, snapshot),
    subfooter: snapshot.template?.template.footer ?? '',
    across: snapshot.draft ? 'DRAFT' : '',
  };
}

/**
 * The report as a PDF (PDF/A-3a: tagged, fonts embedded, the machine-readable report attached).
 * @param data of the same snapshot
 * @returns the same bytes for the same snapshot.
 */
export async function renderReport(
  snapshot: ReportSnapshot,
  data: ReportData = reportData(snapshot),
): Promise<{ bytes: Buffer; pages: number }> {
  const attachments = attachmentsOf(snapshot, data);
  const sheet = new PdfSheet(informationOf(snapshot));
  for (const { name, bytes, type, description } of attachments) sheet.attach(name, bytes, type, description);
  return sheet.finish(write(sheet, snapshot, attachments));
}

/**
 * A draft as DOCX, which whoever has it can change: it says so on every page, and an issued report is never made so.
 * @param data of the same snapshot
 * @returns the same bytes for the same snapshot
 * @throws Error for the snapshot of a report that is no draft
 */
export async function renderEditableDraft(
  snapshot: ReportSnapshot,
  data: ReportData = reportData(snapshot),
): Promise<Buffer> {
  if (!snapshot.draft) throw new Error('Only a draft is made as a document that can be changed.');
  const sheet = new WordSheet(informationOf(snapshot));
  return sheet.finish(write(sheet, snapshot, attachmentsOf(snapshot, data)));
}
