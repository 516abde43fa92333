/** What a report says of one recording: finding, reasons, scores, pictures. */
import { alarmWords } from '../../../src-common/alarms.ts';
import { findingWords } from '../../../src-common/findings.ts';
import type { Finding } from '../../../src-common/findings.ts';
import { pointedOut } from '../../../src-common/low-stretches.ts';
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import type { Quality } from '../../../src-common/schemas/recording.ts';
import { recordingFigure, saliencyFigure, windowScoresFigure } from './figures.ts';
import { ink, styles } from './sheet.ts';
import type { Cell, Part, Sheet } from './sheet.ts';
import type { ReportItem, ReportSnapshot } from './snapshot.ts';
import {
  bytesText,
  clock,
  decimal,
  grouped,
  interpretation,
  propositions,
  screeningStatement,
  signed,
  timeText,
} from './wording.ts';

/** Lines of container data that are printed; all of them are in the attached JSON. */
const mostMetadata = 80;
/** Low stretches that are named. */
const mostStretches = 12;

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

/** Whether a result may be given as a likelihood ratio. */
export function hasRatio(
  analysis: Pick<Analysis, 'modelStatus' | 'llr'>,
): analysis is { modelStatus: 'validated'; llr: number } {
  return analysis.modelStatus === 'validated' && analysis.llr !== null;
}

/** Says that something is not of the recording as its file's headers say. */
const allSound = 'all sound in the file read';

/** What of a recording an analysis looked at. */
function extentText({ stretch, channel, stream, label, audio, settings }: Analysis): string {
  const what = stretch ? `stretch ${clock(stretch.startSeconds)} to ${clock(stretch.endSeconds)}` : 'whole recording';
  const channels =
    channel === 'mix'
      ? (audio?.channels ?? 1) > 1
        ? ', mix of all channels'
        : ''
      : typeof channel === 'number'
        ? `, channel ${channel}`
        : `, ${channel} channel`;
  const streams = (audio?.audioStreams ?? 1) > 1 || stream > 0 ? `, audio stream ${stream}` : '';
  const reading = settings.readAll === true ? `, ${allSound}` : '';
  return `${what}${channels}${streams}${reading}${label === '' ? '' : ` (${label})`}`;
}

const evidenceStates: Record<Evidence['state'], string> = {
  unchanged: 'Unchanged since its intake: its hash is the one taken then.',
  changed:
    'CHANGED since its intake: its hash is no longer the one taken then. Results made before are marked as stale.',
  missing: 'Missing: the file was not at its place when the report was issued.',
  unreadable: 'Unreadable when the report was issued.',
  unchecked: 'Not compared with its hash when the report was issued.',
};

/** What a person wrote, or that there is nothing. */
export function written(text: string): Part {
  return { text: text.trim() || 'Not stated', style: styles.regular, written: true };
}

function describeItem(sheet: Sheet, { evidence }: ReportItem): void {
  const { audio } = evidence;
  const mono = (text: string): Part => ({ text, style: styles.mono });
  const sender =
    evidence.senderHash === null
      ? 'None was given'
      : [
          mono(evidence.senderHash),
          {
            text: evidence.senderHashMatches ? 'It is the hash of the item.' : 'It is NOT the hash of the item.',
            style: styles.regular,
          },
        ];
  const rows: [string, Cell][] = [
    ['Description', written(evidence.description)],
    ['File', evidence.path],
    ...(evidence.uploaded ? [['Origin', 'Uploaded; original path and times unknown'] as [string, Cell]] : []),
    ...(evidence.originalPath !== null && evidence.originalPath !== evidence.path
      ? [['Original path', evidence.originalPath] as [string, Cell]]
      : []),
    ['Size', bytesText(evidence.sizeBytes)],
    ['SHA-256', mono(evidence.sha256)],
    ['MD5', mono(evidence.md5)],
    ['Hash given by the sender', sender],
    [
      'File times',
      `created ${evidence.createdTime ? timeText(evidence.createdTime) : 'unknown'}, modified ${evidence.modifiedTime ? timeText(evidence.modifiedTime) : 'unknown'}`,
    ],
    ['Received', written(evidence.receivedAt && timeText(evidence.receivedAt))],
    ['Received from', written(evidence.receivedFrom)],
    ['Condition on receipt', written(evidence.conditionOnReceipt)],
    ['Taken in', `${timeText(evidence.addedAt)}${evidence.copied ? '; copied into the case' : '; left in its place'}`],
    ['State on issue', evidenceStates[evidence.state]],
    ...(audio
      ? [
          [
            'Sound',
            [
              `${audio.codec} in ${audio.container}, ${audio.sampleRateHz} Hz`,
              audio.channels === 1 ? 'mono' : `${audio.channels} channels`,
              ...(audio.bitsPerSample === null ? [] : [`${audio.bitsPerSample} bits a sample`]),
              ...(evidence.durationSeconds === null ? [] : [`${decimal(evidence.durationSeconds, 2)} s`]),
              `decoded by ${audio.decoder} (${[audio.decoderVersion, ...(audio.heldBy ?? [])].join(', ')})`,
            ].join(', '),
          ] as [string, Cell],
        ]
      : []),
  ];
  sheet.pairs(rows);
}

function containerData(sheet: Sheet, { evidence }: ReportItem): void {
  if (evidence.metadata.length === 0) return;
  sheet.heading(4, 'Container data, as the parsers say');
  const shown = evidence.metadata.slice(0, mostMetadata);
  sheet.table(
    [
      { title: 'Parser', width: 92 },
      { title: 'Track', width: 64 },
      { title: 'Name', width: 124 },
      { title: 'Value', width: 0 },
    ],
    shown.map(({ parser, track, name, value }, index) => {
      const before = index === 0 ? null : shown[index - 1];
      const again = before?.parser === parser;
      return [again ? '' : parser, again && before.track === track ? '' : track, name, value.slice(0, 2000)];
    }),
    { dense: true },
  );
  const left = evidence.metadata.length - shown.length;
  if (left > 0) sheet.paragraph(`${left} further lines are in the attached report.json.`, styles.smallDim);
}

function qualityText(quality: Quality): string {
  const parts = [
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

function ratioCell(analysis: Analysis, snapshot: ReportSnapshot): Cell {
  if (!hasRatio(analysis)) {
    return analysis.modelStatus === 'screening'
      ? `Not given: the model is for ${screeningStatement}.`
      : 'None: the recording is not assessable.';
  }
  const { llr, llrInterval } = analysis;
  const statement = interpretation(llr, llrInterval, snapshot.verbalScale, propositions(snapshot.case));
  return [
    { text: `log10 LR ${signed(llr / Math.LN10, 2)} (bona fide over spoof)`, style: styles.regular },
    { text: 'Interpretation:', style: { ...styles.bold, colour: ink.dim } },
    { text: statement.sentence, style: styles.bold },
    { text: statement.interval, style: styles.regular },
    { text: statement.verbal, style: styles.regular },
  ];
}

function settingsText({ settings }: Analysis): string {
  const entries = Object.entries(settings);
  return entries.length === 0 ? 'Default' : entries.map(([name, value]) => `${name}: ${String(value)}`).join('; ');
}

function lowStretchesText(analysis: Analysis): string | null {
  const { localisation, localisationStatement } = analysis.thresholds;
  if (analysis.windows.length === 0) return null;
  // Then it says why no times are given.
  if (localisation === null) return localisationStatement;
  const stretches = pointedOut(analysis);
  if (stretches === null) return 'None are pointed out: its windows are not assessable.';
  const named = stretches
    .slice(0, mostStretches)
    .map(({ startSeconds, endSeconds }) => `${clock(startSeconds)} to ${clock(endSeconds)}`);
  if (stretches.length > named.length) named.push(`and ${stretches.length - named.length} more`);
  const list = named.length === 0 ? 'None.' : `${named.join(', ')}.`;
  return localisationStatement === null ? list : `${list} ${localisationStatement}`;
}

/** How often such findings were right where the model was measured. */
function trackRecordRows({ finding, trackRecord }: Analysis): [string, Cell][] {
  if (finding === 'not assessable') return [];
  const unknown = 'Not known: the model’s card did not say when this result was made.';
  const sentences = trackRecord.length > 0 ? trackRecord : [unknown];
  return [['How often right', sentences.map((text) => ({ text, style: styles.regular }))]];
}

function describeAnalysis(
  sheet: Sheet,
  item: ReportItem,
  analysis: Analysis,
  title: string,
  snapshot: ReportSnapshot,
): void {
  sheet.heading(4, title);
  const { provenance, error } = analysis;
  const rows: [string, Cell][] = [
    ['Of', extentText(analysis)],
    ['Made', `${timeText(analysis.time)} by ${provenance.application}`],
  ];
  if (error) {
    rows.push(['Result', [findingPart(null), { text: error.message, style: styles.regular }]]);
  } else {
    rows.push(
      ['Finding', findingPart(analysis.finding)],
      ...trackRecordRows(analysis),
      ['Score', scoreText(analysis)],
      ['Threshold', thresholdsText(analysis)],
      ['Likelihood ratio', ratioCell(analysis, snapshot)],
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
  if (analysis.quality) rows.push(['Quality', qualityText(analysis.quality)]);
  if (analysis.activeSeconds !== null) {
    const level = analysis.activeLevelDbfs === null ? '' : ` at ${decimal(analysis.activeLevelDbfs, 1)} dBFS`;
    rows.push(['Sound looked at', `${decimal(analysis.activeSeconds, 2)} s active${level}`]);
  }
  const low = lowStretchesText(analysis);
  if (low !== null) rows.push(['Low-scoring stretches', low]);
  rows.push(
    [
      'Model',
      [
        { text: `${analysis.modelName} (${analysis.modelStatus})`, style: styles.regular },
        { text: analysis.modelSha256, style: styles.mono },
      ],
    ],
    ['Settings', settingsText(analysis)],
    [
      'Software',
      `${provenance.backend}; ${provenance.platform}${provenance.ffmpeg ? `; ffmpeg ${provenance.ffmpeg.version}, SHA-256 ${provenance.ffmpeg.sha256}` : ''}`,
    ],
  );
  if (analysis.fileSha256 !== null && analysis.fileSha256 !== item.evidence.sha256) {
    rows.push(['SHA-256 of the file then', { text: analysis.fileSha256, style: styles.mono }]);
  }
  if (snapshot.case) rows.push(['SHA-256 of the result', { text: analysis.resultSha256, style: styles.mono }]);
  const command = item.commands[analysis.id];
  if (command) rows.push(['To repeat it', { text: command, style: styles.mono }]);
  sheet.pairs(rows);
  if (analysis.windows.length > 0) {
    const extent = extentText(analysis);
    const dotted = analysis.thresholds.localisation === null ? '' : '; dotted: windows below are pointed out';
    windowScoresFigure(sheet, analysis, {
      alternative: `Window scores of ${item.evidence.name}, ${extent}`,
      caption: `Window scores (uncalibrated; high: bona fide) of the ${extent}. Dashed: the model’s threshold for whole recordings${dotted}.`,
    });
  }
  explanation(sheet, item, analysis);
}

/** What the score rests on, with the test of that; only where it was asked for. */
function explanation(sheet: Sheet, { evidence, saliency }: ReportItem, analysis: Analysis): void {
  const explained = saliency?.[analysis.id];
  if (explained === undefined) return;
  const { by, caution, statement, figure } = explained;
  sheet.paragraph(`Saliency by ${by}`, styles.bold);
  sheet.paragraph(caution, styles.bold);
  sheet.paragraph(statement, styles.regular);
  if (figure === null) return;
  const extent = extentText(analysis);
  saliencyFigure(sheet, figure, {
    alternative: `Saliency over the spectrogram of ${evidence.name}, ${extent}`,
    caption: `Saliency by ${by}, ${extent}. Blue: the score falls without it, it speaks for bona fide; orange: the score rises without it. No evidence. ${figure.statement}.`,
  });
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

function marksAndNotes(sheet: Sheet, { evidence }: ReportItem): void {
  const { marks } = evidence;
  if (marks.length > 0) {
    sheet.heading(4, 'Marks');
    sheet.table(
      [
        { title: 'No.', width: 24, align: 'right' },
        { title: 'From', width: 60, align: 'right' },
        { title: 'To', width: 60, align: 'right' },
        { title: 'Note', width: 0 },
      ],
      marks.map(({ startSeconds, endSeconds, text, readAll }, index) => [
        String(index + 1),
        clock(startSeconds),
        endSeconds === null ? '' : clock(endSeconds),
        [
          { text, style: styles.small, written: true },
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

/** One item with everything that was found of it: no analysis is left out. */
export function itemSection(sheet: Sheet, item: ReportItem, number: string, snapshot: ReportSnapshot): void {
  const { evidence, analyses, figures } = item;
  sheet.heading(3, `${number} Item ${evidence.id}: ${evidence.name}`);
  describeItem(sheet, item);
  if (figures) {
    recordingFigure(sheet, evidence.name, figures, evidence.marks);
  } else if (item.figuresProblem !== null) {
    sheet.paragraph(`There is no waveform and no spectrogram: ${item.figuresProblem}`, styles.dim);
  }
  missingSound(sheet, item);
  if (analyses.length === 0) {
    sheet.paragraph('No analysis was made of this item.', styles.bold);
  }
  analyses.forEach((analysis, index) =>
    describeAnalysis(sheet, item, analysis, `Analysis ${index + 1} of ${analyses.length}`, snapshot),
  );
  marksAndNotes(sheet, item);
  containerData(sheet, item);
}

/** Results of all items in a table: every analysis has a row. */
export function resultsTable(sheet: Sheet, snapshot: ReportSnapshot): void {
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
  const rows = snapshot.items.flatMap(({ evidence, analyses }): Cell[][] => {
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
      analysis.stale
        ? [findingPart(analysis.finding, style.size), { text: 'stale', style: { ...style, colour: ink.spoof } }]
        : findingPart(analysis.finding, style.size),
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
