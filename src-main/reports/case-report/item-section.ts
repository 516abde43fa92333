/** What a report says of one recording: finding, reasons, scores, what its file says. */
import { alarmWords } from '../../../src-common/alarms.ts';
import { findingWords } from '../../../src-common/findings.ts';
import type { Finding } from '../../../src-common/findings.ts';
import { expectedIn, unassessable } from '../../../src-common/low-stretches.ts';
import type { LowStretch } from '../../../src-common/low-stretches.ts';
import { traceTitles } from '../../../src-common/plots/texts.ts';
import { tracePlots } from '../../../src-common/plots/traces.ts';
import { reasonWords } from '../../../src-common/reason-words.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Evidence, Mark } from '../../../src-common/schemas/evidence.ts';
import type { Quality } from '../../../src-common/schemas/recording.ts';
import { visibleName } from '../../../src-common/visible-text.ts';
import { extentOf, figureKeys } from './figures.ts';
import type { PlannedFigure } from './figures.ts';
import { softwareTexts } from './method-section.ts';
import { caveatOf, hasRatio, stretchCount } from './outcome.ts';
import { ink, markInk, styles } from './sheet.ts';
import type { Cell, Part, Sheet } from './sheet.ts';
import type { ReportItem, ReportSnapshot } from './snapshot.ts';
import { known, written } from './summary.ts';
import { allSound, containerFacts, extentText, soundText } from './technical-words.ts';
import { bytesText, clock, decimal, grouped, screeningStatement, signed, timeText } from './wording.ts';

/** Lines that are printed of a trace. */
const mostTraceFigures = 30;
/** Stretches that are printed of a result. */
const mostStretches = 40;

type Figures = ReadonlyMap<string, PlannedFigure>;

const findingMarks = {
  'supports bona fide': { sign: '+', colour: ink.bonafide },
  'supports spoof': { sign: '\u2212', colour: ink.spoof },
  'looks-bona-fide': { sign: '+', colour: ink.inconclusive },
  'looks-spoof': { sign: '\u2212', colour: ink.inconclusive },
  inconclusive: { sign: '~', colour: ink.inconclusive },
  'not assessable': { sign: '×', colour: ink.inconclusive },
} as const satisfies Record<Finding, { sign: string; colour: string }>;

/** A finding with sign, word and colour. */
export function findingPart(finding: Analysis['finding'], size: number = styles.regular.size): Part {
  if (finding === null) return { text: 'failed', style: { ...styles.bold, size, colour: ink.inconclusive } };
  const { sign, colour } = findingMarks[finding];
  return { text: `${sign} ${findingWords[finding]}`, style: { ...styles.bold, size, colour } };
}

const evidenceStates: Record<Evidence['state'], string> = {
  unchanged: 'Unchanged since its intake: its hash is the one taken then.',
  changed:
    'CHANGED since its intake: its hash is no longer the one taken then. Results made before are marked as stale.',
  missing: 'Missing: the file was not at its place when the report was issued.',
  unreadable: 'Unreadable when the report was issued.',
  unchecked: 'Not compared with its hash when the report was issued.',
};

function describeItem(sheet: Sheet, { evidence, figures }: ReportItem, planned: Figures): void {
  const { audio, senderHash } = evidence;
  const mono = (text: string): Part => ({ text, style: styles.mono });
  const plain = (text: string): Part => ({ text, style: styles.regular });
  const sender =
    senderHash === null
      ? 'None was given'
      : [mono(senderHash), plain(`It is ${evidence.senderHashMatches ? '' : 'NOT '}the hash of the item.`)];
  const moved = evidence.originalPath !== null && evidence.originalPath !== evidence.path;
  const received = [
    known(evidence.receivedAt && timeText(evidence.receivedAt)),
    ...(evidence.receivedFrom.trim() === '' ? [] : [`from ${evidence.receivedFrom.trim()}`]),
    ...(evidence.conditionOnReceipt.trim() === '' ? [] : [evidence.conditionOnReceipt.trim()]),
  ];
  const times = [evidence.createdTime, evidence.modifiedTime].map((time) => (time ? timeText(time) : 'unknown'));
  sheet.pairs([
    ['Description', written(evidence.description)],
    [
      'File',
      [
        plain(evidence.path),
        ...(moved ? [plain(`Originally ${evidence.originalPath}`)] : []),
        ...(evidence.uploaded ? [plain('Uploaded: original path and times unknown')] : []),
        plain(`${bytesText(evidence.sizeBytes)}; created ${times[0]}, modified ${times[1]}`),
      ],
    ],
    ['SHA-256', mono(evidence.sha256)],
    ['MD5', mono(evidence.md5)],
    ['Hash given by the sender', sender],
    ['Received', written(received.join('; '))],
    ['Taken in', `${timeText(evidence.addedAt)}${evidence.copied ? '; copied into the case' : '; left in its place'}`],
    ['State when reported', evidenceStates[evidence.state]],
    ...(audio ? [['Sound', soundText(audio, evidence.durationSeconds)] as [string, Cell]] : []),
    ...(figures ? [['Figures', figuresText(evidence, figures, planned)] as [string, Cell]] : []),
  ]);
}

/** Which figures show the item. */
function figuresText(evidence: Evidence, figures: NonNullable<ReportItem['figures']>, planned: Figures): string {
  const refer = (key: string): string => planned.get(key)?.reference ?? '';
  const parts = [
    `${refer(figureKeys.recording(evidence.id))}: waveform and spectrogram`,
    ...(figures.channels ?? []).map(
      ({ channel }) => `${refer(figureKeys.channel(evidence.id, channel))}: channel ${channel}`,
    ),
    ...(figures.closeUps ?? []).map(
      ({ markId }) =>
        `${refer(figureKeys.mark(evidence.id, markId))}: mark ${1 + evidence.marks.findIndex(({ id }) => id === markId)}`,
    ),
  ];
  const channels = evidence.audio?.channels ?? 1;
  const drawn = figures.channels?.length ?? 0;
  if (drawn > 0 && drawn < channels) parts.push(`of its ${channels} channels the first ${drawn} are drawn`);
  const text = parts.join('; ');
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}

/** What parsers say of the file, as far as it matters; where they differ, each with its value. */
function containerData(sheet: Sheet, { evidence }: ReportItem): void {
  const facts = containerFacts(evidence.metadata);
  if (facts.length === 0) return;
  sheet.heading(4, 'What the file says of itself');
  sheet.table(
    [
      { title: '', width: 120 },
      { title: 'As parsers read it', width: 0 },
    ],
    facts.map(({ name, values }) => [
      name,
      values.map(({ value, by }) => ({
        text: values.length > 1 ? `${value} (${by.join(', ')})` : value,
        style: styles.small,
      })),
    ]),
    { dense: true },
  );
  const all = `All ${grouped(evidence.metadata.length)} lines of the parsers are in the attached report.json.`;
  sheet.paragraph(all, styles.smallDim);
}

function qualityText(quality: Quality, { activeSeconds, activeLevelDbfs }: Analysis): string {
  const active = activeLevelDbfs === null ? '' : ` at ${decimal(activeLevelDbfs, 1)} dBFS`;
  const parts = [
    activeSeconds === null ? null : `${decimal(activeSeconds, 2)} s of active sound${active}`,
    quality.speechSeconds === null ? null : `speech ${decimal(quality.speechSeconds, 2)} s`,
    quality.levelDbfs === null ? 'silent' : `level ${decimal(quality.levelDbfs, 0)} dBFS`,
    quality.snrDb === null ? null : `signal-to-noise ratio about ${decimal(quality.snrDb, 0)} dB`,
    `clipped ${quality.clippedFraction === 0 ? 'none' : `${(100 * quality.clippedFraction).toPrecision(2)} % of samples`}`,
    quality.effectiveBandwidthHz === null ? null : `bandwidth up to ${quality.effectiveBandwidthHz} Hz`,
    quality.sharpCutoffHz === null
      ? null
      : `ends abruptly at ${quality.sharpCutoffHz} Hz, as after lossy coding or resampling`,
    `silence ${decimal(quality.leadingSilenceSeconds, 2)} s before and ${decimal(quality.trailingSilenceSeconds, 2)} s after the sound`,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function thresholdsText({ thresholds, modelStatus }: Analysis): string {
  const { score, inconclusive } = thresholds;
  const between =
    inconclusive === null ? '' : `; inconclusive from ${decimal(inconclusive[0], 3)} to ${decimal(inconclusive[1], 3)}`;
  return `${decimal(score, 3)} (equal-error threshold of the ${modelStatus} model on its dev data)${between}`;
}

function scoreText({ score, windows }: Analysis): string {
  if (score === null) return 'None';
  const count = windows.length === 0 ? '' : `; mean of ${windows.length} window${windows.length === 1 ? '' : 's'}`;
  return `${decimal(score, 3)} (uncalibrated; high: bona fide${count})`;
}

function ratioCell(analysis: Analysis): Cell {
  if (!hasRatio(analysis)) {
    return analysis.modelStatus === 'screening'
      ? `Not given: ${screeningStatement}.`
      : 'None: the recording is not assessable.';
  }
  const interval = analysis.llrInterval === null ? '' : ', with its 95 % interval';
  return `log10 LR ${ratioSummary(analysis)} (bona fide over spoof${interval}); evaluated in section 4`;
}

/** What a result points out, or why nothing; null where there is nothing to say. */
function pointedOutText(analysis: Analysis, stretches: readonly LowStretch[] | undefined): string | null {
  const { localisation, localisationStatement } = analysis.thresholds;
  if (analysis.windows.length === 0) return null;
  // Then it says why no times are given.
  if (localisation === null) return localisationStatement;
  if (stretches === undefined) return 'Nothing: its windows are not assessable.';
  if (stretches.length === 0) return 'No stretch.';
  const whole = analysis.stretch === null ? 'recording' : 'stretch';
  const found =
    analysis.finding === null ? '' : `; the finding of the whole ${whole} is “${findingWords[analysis.finding]}”`;
  return `${stretchCount(stretches.length)}${found}`;
}

/** The stretches that a result points out, those of the lowest scores first, with how many would be in bona fide speech. */
function pointedOutTable(sheet: Sheet, analysis: Analysis, stretches: readonly LowStretch[] | undefined): void {
  if (stretches === undefined || analysis.windows.length === 0) return;
  const { localisationStatement, falseAlarmsPerHour, falseAlarmsPerHourAtMost } = analysis.thresholds;
  const said = localisationStatement === null ? [] : [localisationStatement];
  const { startSeconds, endSeconds } = extentOf(analysis);
  const seconds = unassessable(analysis, { startSeconds, endSeconds }).reduce(
    (rest, place) => rest - (place.toSeconds - place.fromSeconds),
    endSeconds - startSeconds,
  );
  // Results that were made before these were kept lack them.
  if (typeof falseAlarmsPerHour === 'number' && typeof falseAlarmsPerHourAtMost === 'number') {
    const [about, most] = [falseAlarmsPerHour, falseAlarmsPerHourAtMost].map((rate) => expectedIn(seconds, rate));
    said.push(
      `In bona fide speech of the length that was scored here (${clock(seconds)}) that makes about ${about}, at most ${most}.`,
    );
  }
  if (stretches.length > 0) {
    const sorted = stretches.toSorted(
      (one, other) => one.lowestScore - other.lowestScore || one.startSeconds - other.startSeconds,
    );
    sheet.paragraph('Pointed out, the lowest score first', styles.bold, { after: 1 });
    sheet.table(
      [
        { title: 'No.', width: 24, align: 'right' },
        { title: 'From', width: 60, align: 'right' },
        { title: 'To', width: 60, align: 'right' },
        { title: 'Length', width: 54, align: 'right' },
        { title: 'Lowest score', width: 64, align: 'right' },
        { title: 'Windows', width: 48, align: 'right' },
        { title: '', width: 0 },
      ],
      sorted
        .slice(0, mostStretches)
        .map((stretch, index) => [
          String(index + 1),
          clock(stretch.startSeconds),
          clock(stretch.endSeconds),
          `${decimal(stretch.endSeconds - stretch.startSeconds, 2)} s`,
          decimal(stretch.lowestScore, 3),
          String(stretch.windows),
          '',
        ]),
      { dense: true },
    );
  }
  const rest = stretches.length - mostStretches;
  if (rest > 0) said.unshift(`${grouped(rest)} more, of higher scores, are in the attached stretches.csv.`);
  if (said.length > 0) sheet.paragraph(said.join(' '), styles.smallDim);
}

/** How often such findings were right where the model was measured. */
function trackRecordRows(analysis: Analysis): [string, Cell][] {
  const { finding, trackRecord } = analysis;
  if (finding === 'not assessable') return [];
  const unknown = 'Not known: the model’s card did not say when this result was made.';
  const sentences = trackRecord.length > 0 ? trackRecord : [unknown];
  const caveat = caveatOf(analysis);
  return [
    [
      'How often right',
      [
        ...sentences.map((text) => ({ text, style: styles.regular })),
        ...(caveat === null ? [] : [{ text: caveat, style: styles.bold }]),
      ],
    ],
  ];
}

/** What an item's section needs besides the item. */
interface ItemContext {
  snapshot: ReportSnapshot;
  planned: Figures;
  /** Whether results of this report were computed by different software, so that each has to name it. */
  differs: boolean;
}

function describeAnalysis(
  sheet: Sheet,
  item: ReportItem,
  analysis: Analysis,
  title: string,
  { snapshot, planned, differs }: ItemContext,
): void {
  sheet.heading(4, title);
  const { provenance, error } = analysis;
  const speaker = provenance.model.name;
  const companion = speaker === analysis.modelName ? '' : `; its companion ${speaker} spoke`;
  const rows: [string, Cell][] = [
    ['Of', extentText(analysis)],
    ['Made', `${timeText(analysis.time)} by ${provenance.application}`],
    [
      'Model',
      [
        { text: `${analysis.modelName} (${analysis.modelStatus})${companion}`, style: styles.regular },
        { text: analysis.modelSha256, style: styles.mono },
      ],
    ],
  ];
  if (error) {
    rows.push(['Result', [findingPart(null), { text: error.message, style: styles.regular }]]);
  } else {
    rows.push(
      ['Finding', findingPart(analysis.finding)],
      ...trackRecordRows(analysis),
      ['Score', scoreText(analysis)],
      ['Threshold', thresholdsText(analysis)],
      ['Likelihood ratio', ratioCell(analysis)],
    );
    if (analysis.reasons.length > 0) {
      rows.push([
        'Reasons and limits',
        analysis.reasons.map(({ sentence }) => ({ text: `– ${sentence}`, style: styles.regular })),
      ]);
    }
  }
  if (analysis.stale) {
    rows.push([
      'Stale',
      {
        text: 'The file is no longer what it was when this result was made.',
        style: { ...styles.bold, colour: ink.spoof },
      },
    ]);
  }
  if (analysis.quality) rows.push(['Quality', qualityText(analysis.quality, analysis)]);
  const stretches = item.stretches?.[analysis.id];
  const low = pointedOutText(analysis, stretches);
  if (low !== null) rows.push(['Pointed out', low]);
  const scores = planned.get(figureKeys.scores(analysis.id));
  if (scores) rows.push(['Window scores', `${scores.reference[0].toUpperCase()}${scores.reference.slice(1)}`]);
  if (differs) {
    const { software, decoders } = softwareTexts({ items: [{ analyses: [analysis] }] });
    rows.push(['Computed by', [...software, ...decoders].join('; ')]);
  }
  if (provenance.worker !== undefined) rows.push(['Scored on', provenance.worker]);
  if (analysis.fileSha256 !== null && analysis.fileSha256 !== item.evidence.sha256) {
    rows.push(['SHA-256 of the file then', { text: analysis.fileSha256, style: styles.mono }]);
  }
  if (snapshot.case) rows.push(['SHA-256 of the result', { text: analysis.resultSha256, style: styles.mono }]);
  sheet.pairs(rows);
  pointedOutTable(sheet, analysis, stretches);
  explanation(sheet, item, analysis, planned);
}

/** What the score rests on, with the test of that; only where it was asked for. */
function explanation(sheet: Sheet, { saliency }: ReportItem, analysis: Analysis, planned: Figures): void {
  const explained = saliency?.[analysis.id];
  if (explained === undefined) return;
  const { by, caution, statement } = explained;
  const figure = planned.get(figureKeys.saliency(analysis.id));
  sheet.paragraph(`Saliency by ${by}${figure ? ` (${figure.reference})` : ''}`, styles.bold, { keep: true });
  sheet.paragraph(caution, styles.bold, { keep: true });
  sheet.paragraph(statement, styles.regular);
}

/** What recording and editing left in the file, where it was asked for. */
function traces(sheet: Sheet, item: ReportItem, planned: Figures): void {
  if (item.traces === undefined) return;
  const { measured, problem } = item.traces;
  sheet.heading(4, 'Traces');
  if (measured === null) {
    sheet.paragraph(`They were not measured: ${problem ?? ''}`, styles.regular);
    return;
  }
  const of = (item.evidence.audio?.channels ?? 1) > 1 ? ' They are of the mix of all channels.' : '';
  sheet.paragraph(`Measures beside the detector; no finding of this report rests on them.${of}`, styles.regular);
  for (const trace of measured.traces) {
    const figures = tracePlots('', trace, measured).flatMap(
      ({ id }) => planned.get(figureKeys.trace(item.evidence.id, id))?.reference ?? [],
    );
    sheet.paragraph(`${traceTitles[trace.kind]}${figures.length > 0 ? ` (${figures.join(', ')})` : ''}`, styles.bold, {
      keep: true,
    });
    sheet.paragraph(trace.sentence, styles.regular);
    const shown = trace.figures.slice(0, mostTraceFigures);
    if (shown.length > 0) {
      const columns = [{ title: 'Measure', width: 170 }, { title: 'Value', width: 0 }]; // prettier-ignore
      sheet.table(columns, shown.map(({ name, value }) => [name, value]), { dense: true }); // prettier-ignore
    }
    const places = trace.places.slice(0, mostStretches);
    if (places.length > 0) {
      sheet.table(
        [
          { title: 'From', width: 60, align: 'right' },
          { title: 'To', width: 60, align: 'right' },
          { title: 'What stands out', width: 0 },
        ],
        places.map(({ startSeconds, endSeconds, what }) => [
          clock(startSeconds),
          endSeconds > startSeconds ? clock(endSeconds) : '',
          what,
        ]),
        { dense: true },
      );
    }
    const left = trace.figures.length - shown.length + (trace.places.length - places.length);
    if (left > 0) sheet.paragraph(`${grouped(left)} more lines are in the attached report.json.`, styles.smallDim);
    sheet.paragraph(trace.limits, styles.smallDim);
  }
}

/** Where sound is missing, place by place, as the latest result of the whole recording says. */
function missingSound(sheet: Sheet, { analyses }: ReportItem): void {
  const timeline = latestTimeline(analyses);
  if (timeline === null || timeline.gaps.length === 0) return;
  sheet.heading(4, 'Missing sound, by the file’s own timestamps');
  sheet.table(
    [
      { title: 'No.', width: 24, align: 'right' },
      { title: 'From', width: 60, align: 'right' },
      { title: 'To', width: 60, align: 'right' },
      { title: 'Missing', width: 60, align: 'right' },
      { title: '', width: 0 },
    ],
    timeline.gaps.map(({ fromSeconds, toSeconds }, index) => [
      String(index + 1),
      clock(fromSeconds),
      clock(toSeconds),
      `${decimal(toSeconds - fromSeconds, 2)} s`,
      '',
    ]),
    { dense: true },
  );
  const { gapCount = 0, gaps } = timeline;
  if (gapCount > gaps.length) {
    const first = `The first ${grouped(gaps.length)} of ${grouped(gapCount)} places where sound is missing.`;
    sheet.paragraph(first, styles.smallDim);
  }
}

function latestTimeline(analyses: readonly Analysis[]): Analysis['timeline'] {
  let latest: Analysis | null = null;
  for (const one of analyses) if (one.timeline !== null && (latest === null || one.id > latest.id)) latest = one;
  return latest?.timeline ?? null;
}

/** The colour that the figures shade it in, and its category with that colour's name. */
function markKind({ category, colour }: Pick<Mark, 'category' | 'colour'>): [Cell, Cell] {
  const words = [category ? visibleName(category) : '', colour ?? ''].filter((word) => word !== '').join(', ');
  return [{ text: '■', style: { ...styles.small, colour: markInk(colour) } }, words];
}

function marksAndNotes(sheet: Sheet, { evidence }: ReportItem, planned: Figures): void {
  const { marks } = evidence;
  if (marks.length > 0) {
    // Those of earlier reports have neither.
    const hasLabels = marks.some(({ category, colour }) => Boolean(category) || Boolean(colour));
    sheet.heading(4, 'Marks');
    sheet.table(
      [
        { title: 'No.', width: 24, align: 'right' },
        { title: 'From', width: 60, align: 'right' },
        { title: 'To', width: 60, align: 'right' },
        { title: 'Close-up', width: 50 },
        ...(hasLabels
          ? [
              { title: '', width: 7 },
              { title: 'Category', width: 96 },
            ]
          : []),
        { title: 'Note', width: 0 },
      ],
      marks.map(({ id, startSeconds, endSeconds, text, readAll, channel, category, colour }, index) => [
        String(index + 1),
        clock(startSeconds),
        endSeconds === null ? '' : clock(endSeconds),
        planned.get(figureKeys.mark(evidence.id, id))?.reference ?? '',
        ...(hasLabels ? markKind({ category, colour }) : []),
        [
          { text, style: styles.small, written: true },
          // Those of earlier reports are without.
          ...(typeof channel !== 'number' ? [] : [{ text: `In channel ${channel}.`, style: styles.smallDim }]),
          ...(readAll ? [{ text: `Times with ${allSound}.`, style: styles.smallDim }] : []),
        ],
      ]),
    );
  }
  if (evidence.notes.trim() !== '') {
    sheet.heading(4, 'Notes');
    sheet.paragraph(evidence.notes, styles.regular, { written: true });
  }
}

/** The items, each with everything that was found of it: no analysis is left out. */
export function itemSections(sheet: Sheet, snapshot: ReportSnapshot, number: number, planned: Figures): void {
  const { software, decoders } = softwareTexts(snapshot);
  const context = { snapshot, planned, differs: software.length > 1 || decoders.length > 1 };
  snapshot.items.forEach((item, index) => itemSection(sheet, item, `${number}.${index + 1}`, context));
}

function itemSection(sheet: Sheet, item: ReportItem, number: string, context: ItemContext): void {
  const { evidence, analyses } = item;
  sheet.heading(3, `${number} Item ${evidence.id}: ${evidence.name}`);
  describeItem(sheet, item, context.planned);
  if (item.figuresProblem !== null) {
    sheet.paragraph(`There is no waveform and no spectrogram: ${item.figuresProblem}`, styles.dim);
  }
  containerData(sheet, item);
  missingSound(sheet, item);
  if (analyses.length === 0) {
    sheet.paragraph('No analysis was made of this item.', styles.bold);
  }
  analyses.forEach((analysis, index) =>
    describeAnalysis(sheet, item, analysis, `Analysis ${index + 1} of ${analyses.length}`, context),
  );
  traces(sheet, item, context.planned);
  marksAndNotes(sheet, item, context.planned);
}

/**
 * Results of all items in a table: every analysis has a row.
 * @param limited whether each finding has what limits it with it, where items have no section that says it
 */
export function resultsTable(sheet: Sheet, snapshot: ReportSnapshot, limited: boolean): void {
  const withRatio = snapshot.items.some(({ analyses }) => analyses.some(hasRatio));
  const columns = [
    { title: 'Item', width: 24, align: 'right' as const },
    { title: 'Name and SHA-256', width: 0 },
    { title: 'Of', width: 84 },
    { title: 'Finding', width: 84 },
    { title: 'Score', width: 34, align: 'right' as const },
    ...(withRatio ? [{ title: 'log10 LR [95 %]', width: 86, align: 'right' as const }] : []),
  ];
  const style = styles.small;
  const rows = snapshot.items.flatMap(({ evidence, analyses, stretches }): Cell[][] => {
    const name: Cell = [
      { text: evidence.name, style },
      { text: evidence.sha256, style: styles.smallMono },
      ...(evidence.alarms ?? []).map((alarm) => ({
        text: `! ${alarmWords[alarm]}`,
        style: { ...style, colour: ink.spoof },
      })),
    ];
    const empty = withRatio ? [''] : [];
    if (analyses.length === 0) return [[String(evidence.id), name, '', 'not analysed', '', ...empty]];
    return analyses.map((analysis, index) => [
      index === 0 ? String(evidence.id) : '',
      index === 0 ? name : '',
      extentText(analysis),
      [
        findingPart(analysis.finding, style.size),
        ...(analysis.stale ? [{ text: 'stale', style: { ...style, colour: ink.spoof } }] : []),
        ...(limited && analysis.reasons.length > 0
          ? [{ text: [...new Set(analysis.reasons.map(({ code }) => reasonWords(code)))].join(', '), style }]
          : caveatOf(analysis) === null
            ? []
            : [{ text: reasonWords('unusual'), style }]),
        ...((stretches?.[analysis.id]?.length ?? 0) > 0
          ? [{ text: `${stretchCount(stretches?.[analysis.id].length ?? 0)} pointed out`, style: styles.smallBold }]
          : []),
      ],
      analysis.score === null ? '' : decimal(analysis.score, 3),
      ...(withRatio ? [ratioSummary(analysis)] : []),
    ]);
  });
  sheet.table(columns, rows);
}

function ratioSummary(analysis: Analysis): string {
  if (!hasRatio(analysis)) return '';
  const { llr, llrInterval } = analysis;
  const value = signed(llr / Math.LN10, 2);
  if (llrInterval === null) return value;
  return `${value} [${llrInterval.map((bound) => signed(bound / Math.LN10, 2)).join(', ')}]`;
}
