/** The first page of a report: question, what was examined, answer, how far it can be relied upon, who answers for it. */
import { alarmSentences } from '../../../src-common/alarms.ts';
import { findingWords } from '../../../src-common/findings.ts';
import type { ReportTemplate, TemplateImage } from '../../../src-common/schemas/report-template.ts';
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import {
  beyondRecord,
  caveatOf,
  currentResults,
  hasRatio,
  limitTexts,
  outcomeTexts,
  speakers,
  standingOut,
  statuses,
  trackRecords,
} from './outcome.ts';
import { ink, styles } from './sheet.ts';
import type { Cell, Part, Sheet } from './sheet.ts';
import { hasSections } from './snapshot.ts';
import type { ReportSnapshot } from './snapshot.ts';
import { extentText } from './technical-words.ts';
import {
  counted,
  dayText,
  draftStatement,
  editableStatement,
  grouped,
  interpretation,
  itemList,
  propositions,
  screeningStatement,
  timeText,
} from './wording.ts';

/** What of each kind stands on the first page; all of it is in the sections. */
const most = { ratios: 8, alarms: 8, records: 9, limits: 7, notes: 3 } as const;

export function known(text: string): string {
  return text.trim() === '' ? 'Not stated' : text.trim();
}

/** What a person wrote, or that there is nothing. */
export function written(text: string): Part {
  return { text: known(text), style: styles.regular, written: true };
}

function span(times: readonly string[]): string {
  const days = times.map(dayText).sort();
  if (days.length === 0) return 'not stated';
  return days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`;
}

const plain = (text: string): Part => ({ text, style: styles.regular });
const small = (text: string): Part => ({ text, style: styles.small });
const bold = (text: string): Part => ({ text, style: styles.bold });

function reportTitle({ amended }: Pick<ReportSnapshot, 'amended'>): string {
  return `${amended ? 'Amended report' : 'Report'} on the examination of recorded speech`;
}

/** The laboratory's logo, and the mark of its accreditation. */
function letterhead(sheet: Sheet, { laboratory, logo, accreditation, accreditationMark }: ReportTemplate): void {
  const picture = (image: TemplateImage | null, alternative: string): { bytes: Buffer; alternative: string } | null =>
    image === null ? null : { bytes: Buffer.from(image.base64, 'base64'), alternative };
  sheet.letterhead([
    picture(logo, `Logo${laboratory === '' ? '' : ` of ${laboratory}`}`),
    picture(accreditationMark, `Mark of the accreditation${accreditation === '' ? '' : `: ${accreditation}`}`),
  ]);
}

/** The first page. */
export function summary(sheet: Sheet, snapshot: ReportSnapshot): void {
  const { laboratory, draft = false } = snapshot;
  const template = snapshot.template?.template;
  if (template) letterhead(sheet, template);
  if (laboratory.laboratory.trim() !== '') {
    sheet.paragraph(laboratory.laboratory, styles.subsection, { after: 0 });
    sheet.paragraph(laboratory.laboratoryAddress.trim().replace(/\s*\n\s*/g, ', '), styles.dim, { after: 8 });
  }
  if (template) {
    const { accreditation, procedure } = template;
    const under = [
      ...(accreditation === '' ? [] : [accreditation]),
      ...(procedure === '' ? [] : [`Procedure ${procedure}`]),
    ];
    if (under.length > 0) sheet.paragraph(under.join('. '), styles.dim, { after: 8 });
  }
  sheet.heading(1, reportTitle(snapshot));
  if (draft) {
    const sentence = sheet.editable
      ? 'It has no number, and nobody answers for it. Whoever has it can change it: what counts is a report that was issued, as PDF, of which the custody log holds the hash.'
      : 'It has no number, no row in a custody log, and nobody answers for it. Its figures may still change.';
    sheet.notice(sheet.editable ? editableStatement : draftStatement, sentence, ink.spoof);
  }
  if (snapshot.amended) amendment(sheet, snapshot, snapshot.amended);
  if (template && template.opening !== '')
    sheet.paragraph(template.opening, styles.regular, { after: 6, written: true });
  const details = snapshot.case;
  const title = details ? `, case ${details.number}: ${details.title}` : ', of no case';
  const rows: [string, Cell][] = [
    [draft ? 'Draft' : 'Report', [bold(`${snapshot.number}${title}`), plain(forWhom(snapshot))]],
    ['Question', details ? written(details.question) : 'None was stated.'],
    ['Examined', examined(snapshot)],
    ['Answer', answer(snapshot)],
    ['How often such findings were right', record(snapshot)],
    ['What limits them', limits(snapshot)],
    ['Mismatches, changed or missing files', files(snapshot)],
    ['Who answers for it', answerable(snapshot)],
  ];
  sheet.pairs(rows, { nameWidth: 96, ruled: true });
  sheet.paragraph(
    'The results relate only to the items examined, as they were received. The report may be passed on as a whole only. Words of the field are in the glossary.',
    styles.smallDim,
  );
  sheet.breakPage();
}

function amendment(
  sheet: Sheet,
  { request }: ReportSnapshot,
  { number, issuedAt, sha256 }: NonNullable<ReportSnapshot['amended']>,
): void {
  sheet.notice(
    `Amendment of report ${number}`,
    `This report replaces report ${number}, issued ${timeText(issuedAt)} (SHA-256 ${sha256}). What was changed: ${known(request.amendment)} Why: ${known(request.amendmentReason ?? '')}`,
    ink.accent,
  );
}

function forWhom({ case: details, issuedAt, draft }: ReportSnapshot): string {
  const made = `${draft ? 'Made' : 'Issued'} ${timeText(issuedAt)}`;
  return details && details.customer.trim() !== '' ? `For ${details.customer.trim()}. ${made}` : made;
}

/** How many of the items, in words. */
export function scopeText({ case: details, items, itemsInCase }: ReportSnapshot): string {
  if (!details) return counted(items.length, 'recording');
  return items.length === itemsInCase
    ? `all ${counted(items.length, 'item')} of the case`
    : `${grouped(items.length)} of the ${counted(itemsInCase, 'item')} of the case`;
}

function examined(snapshot: ReportSnapshot): Cell {
  const { items } = snapshot;
  const received = items.map(({ evidence }) => evidence.receivedAt).filter((time) => time !== '');
  const work = items.flatMap(({ evidence, analyses }) => [evidence.addedAt, ...analyses.map(({ time }) => time)]);
  const { spoke } = speakers(snapshot);
  const models = spoke.map(({ name, status }) => `${name} (${status})`).join(', ');
  const stretches = items.flatMap(({ analyses }) => analyses).filter(({ stretch }) => stretch !== null).length;
  const parts = [
    `${scopeText(snapshot)[0].toUpperCase()}${scopeText(snapshot).slice(1)}`,
    `received ${span(received)}`,
    `work done ${span(work)}`,
    spoke.length === 0 ? 'no model used' : `with the ${spoke.length === 1 ? 'model' : 'models'} ${models}`,
    ...(stretches > 0
      ? [`${stretches === 1 ? '1 analysis of a stretch' : `${grouped(stretches)} analyses of stretches`} besides`]
      : []),
  ];
  return `${parts.join('; ')}.`;
}

function answer(snapshot: ReportSnapshot): Cell {
  const { screening, validated } = statuses(snapshot);
  const found = outcomeTexts(snapshot.items);
  if (!screening && !validated) return [bold('None: nothing was analysed.')];
  const counts = `Of ${counted(snapshot.items.length, 'item')}: ${found.join('; ')}.`;
  const ratios = validated ? ratioSentences(snapshot) : [];
  const sorted = [
    bold(
      validated
        ? `Results of a screening model are no part of the answer: ${screeningStatement}.`
        : `No conclusion: ${screeningStatement}.`,
    ),
    plain(
      'A screening model sorts recordings for a closer look. It has not been validated on material of this kind: its findings are no basis ' +
        'for a conclusion about whether a recording is genuine, and no likelihood ratio and no verbal equivalent is given for them. ' +
        'They say how recordings look to it.',
    ),
  ];
  return [...ratios, ...(screening ? sorted : []), plain(counts), ...stretchSentences(snapshot)];
}

/** That stretches stand out where the whole does not say it. */
function stretchSentences(snapshot: ReportSnapshot): Part[] {
  const found = standingOut(snapshot.items);
  if (found === null) return [];
  const listed = hasSections(snapshot) ? 'section 6 lists them' : 'the attached stretches.csv lists them';
  return [
    bold(`Stretches stand out in ${found.where.join('; in ')}.`),
    small(
      `They score low enough to be pointed out: they say where to listen, and are no evidence by themselves. In bona fide speech the same happens, false alarms: ${found.falseAlarms.join('; ')}; ${listed}.`,
    ),
  ];
}

/** What the likelihood ratios of validated models say, as far as there is room. */
function ratioSentences(snapshot: ReportSnapshot): Part[] {
  const given = propositions(snapshot.case);
  const ratios = snapshot.items.flatMap(({ evidence, analyses }) =>
    currentResults(analyses)
      .filter(hasRatio)
      .map((analysis) => ({ evidence, analysis })),
  );
  if (ratios.length === 0) return [plain('No item has a likelihood ratio.')];
  if (ratios.length > most.ratios) {
    return [
      bold(
        `What ${counted(ratios.length, 'likelihood ratio')} say of the items, each with its interval, is in sections 3 and 4.`,
      ),
    ];
  }
  return ratios.map(({ evidence, analysis }) => {
    const { sentence, verbal } = interpretation(analysis.llr, analysis.llrInterval, snapshot.verbalScale, given);
    const extent = extentText(analysis).replace('whole recording', '').replace(/^, /, '');
    const caveat = caveatOf(analysis);
    const beyond = caveat === null ? '' : ` ${caveat}`;
    return bold(`Item ${evidence.id}${extent === '' ? '' : `, ${extent}`}: ${sentence} ${verbal}${beyond}`);
  });
}

function record(snapshot: ReportSnapshot): Cell {
  const models = trackRecords(snapshot.items);
  if (models.length === 0) return 'There are no findings whose record could be told.';
  const lines = models.flatMap(({ model, records }) => {
    const told = records.flatMap(({ finding, sentences }) =>
      sentences.length > 0
        ? sentences
        : [`“${findingWords[finding]}”: not known, the model’s card did not say it when the result was made.`],
    );
    return told.map((sentence) => small(models.length > 1 ? `${model}: ${sentence}` : sentence));
  });
  const rest = lines.length - most.records;
  const more = rest > 0 ? [small(`${counted(rest, 'further line')} in annex A.`)] : [];
  const beyond = beyondRecord(snapshot.items);
  const caveat =
    beyond.length === 0
      ? []
      : [
          bold(
            `Not of ${itemList(beyond)}: ${beyond.length === 1 ? 'it lies' : 'they lie'} beyond the limit of what that was counted on, and how often findings are right so far out is not known.`,
          ),
        ];
  return [...lines.slice(0, most.records), ...more, ...caveat];
}

function limits(snapshot: ReportSnapshot): Cell {
  const reasons = limitTexts(snapshot.items);
  const shown = reasons.slice(0, most.limits);
  const more = reasons.length > shown.length ? `; ${grouped(reasons.length - shown.length)} more kinds: section 3` : '';
  const notes = [...new Set(speakers(snapshot).spoke.flatMap(({ card }) => card?.notes ?? []))];
  return [
    plain(
      shown.length > 0
        ? `Of the recordings: ${shown.join('; ')}${more}.`
        : 'Of the recordings: nothing was found that limits them.',
    ),
    ...notes.slice(0, most.notes).map((note) => small(`Of the model: ${note}`)),
  ];
}

const stateWords: Record<Evidence['state'], string> = {
  unchanged: 'unchanged',
  changed: 'CHANGED since intake',
  missing: 'MISSING',
  unreadable: 'UNREADABLE',
  unchecked: 'not compared with its hash',
};

function files({ items }: ReportSnapshot): Cell {
  const states = (Object.keys(stateWords) as Evidence['state'][]).flatMap((state) => {
    const ids = items.filter(({ evidence }) => evidence.state === state).map(({ evidence }) => evidence.id);
    return ids.length === 0 ? [] : [`${stateWords[state]}: ${itemList(ids)}`];
  });
  const without = items.filter(({ evidence }) => evidence.senderHash === null).map(({ evidence }) => evidence.id);
  const state = `Compared with the hashes of their intake: ${states.join('; ')}.`;
  const hash = without.length === 0 ? '' : ` The sender gave no hash of ${itemList(without)}.`;
  // Reports of earlier versions have no alarms.
  const alarmed = items.filter(({ evidence }) => (evidence.alarms ?? []).length > 0);
  const lines = alarmed.slice(0, most.alarms).map(({ evidence }) => {
    const sentences = evidence.alarms.map((alarm) => alarmSentences[alarm]);
    return bold(`Item ${evidence.id}, ${evidence.name}: ${sentences.join(' ')}`);
  });
  const rest = alarmed.length - lines.length;
  if (rest > 0) lines.push(bold(`And ${grouped(rest)} more, marked in section 3.`));
  const needs = `Needs attention: ${grouped(alarmed.length)} of ${counted(items.length, 'item')}.`;
  return alarmed.length === 0
    ? [plain(`None was found. ${state}${hash}`)]
    : [{ ...bold(needs), style: { ...styles.bold, colour: ink.spoof } }, ...lines, plain(`${state}${hash}`)];
}

/** A name with what qualifies who bears it. */
function qualified(name: string, qualification: string | undefined): string {
  const words = qualification?.trim().replace(/\s*\n\s*/g, ', ') ?? '';
  return words === '' || name.trim() === '' ? known(name) : `${name.trim()} (${words})`;
}

/** Who examined, and who authorises. */
export function peopleOf({ laboratory, request, case: details }: ReportSnapshot): {
  examiner: string;
  authoriser: string;
} {
  const examiner = details?.examiner || laboratory.examiner;
  // The settings speak of whoever works at this installation.
  const own = examiner === laboratory.examiner ? laboratory.examinerQualification : '';
  return {
    examiner: qualified(examiner, request.examinerQualification?.trim() || own),
    authoriser: qualified(request.authorisedBy, request.authoriserQualification),
  };
}

/** What technical reviewers signed off, a sentence for each. */
export function reviewTexts({ reviews = [], case: details }: ReportSnapshot): string[] {
  if (!details) return [];
  if (reviews.length === 0) return ['Technical review: the log has none for this report.'];
  return reviews.map((review) => {
    const { reviewer, qualification, remarks, time, position, rows, laterRows, checks = [], answers = [] } = review;
    const since =
      laterRows === 0
        ? 'nothing was changed after it'
        : `${counted(laterRows, 'row')} of work ${laterRows === 1 ? 'was' : 'were'} logged after it`;
    const unmet = checks.filter(({ outcome }) => outcome === 'not-met').length;
    const points = unmet === 0 ? '' : ` ${counted(unmet, 'point')} not met.`;
    const answered = answers.length === 0 ? 'without an answer' : 'answered';
    const remarked = remarks.trim() === '' ? '' : ` With remarks, ${answered} (section 8).`;
    return `Technical review: ${qualified(reviewer, qualification)}, ${timeText(time)}, row ${position} of the log, of the case as of row ${rows}; ${since}.${points}${remarked}`;
  });
}

function answerable(snapshot: ReportSnapshot): Cell {
  const { laboratory, case: details, draft } = snapshot;
  const people = peopleOf(snapshot);
  const parts = [plain(`Examiner: ${people.examiner}.`), ...reviewTexts(snapshot).map(plain)];
  if (draft) return [...parts, plain('A draft has been authorised by nobody.')];
  parts.push(plain(`Authorised by: ${people.authoriser}. ${laboratory.laboratory.trim()}`.trim()));
  if (!details) {
    parts.push(
      bold(
        'No case and no custody log stand behind this report: the recordings were read where they lie and analysed at once. For evidence, add them to a case.',
      ),
    );
  }
  return parts;
}
