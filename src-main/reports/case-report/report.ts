/** Puts a case report together: its sections in order, and its table as CSV. */
import { leastUnits } from '../../../src-common/interval-rule.ts';
import { createHash } from 'node:crypto';
import { alarmSentences } from '../../../src-common/alarms.ts';
import { rateText } from '../../../src-common/finding-record.ts';
import type { FindingRecord } from '../../../src-common/schemas/finding-record.ts';
import { findings } from '../../../src-common/findings.ts';
import type { Card } from '../../detector/card.ts';
import type { Member } from '../../detector/member.ts';
import { localisationShown, localisationStatement } from '../../detector/localisation.ts';
import { csvLine } from '../csv.ts';
import { findingPart, hasRatio, itemSection, resultsTable, written } from './item-section.ts';
import { ink, Sheet, styles } from './sheet.ts';
import type { Cell } from './sheet.ts';
import { reportJson } from './snapshot.ts';
import type { ReportModel, ReportSnapshot } from './snapshot.ts';
import { dayText, decimal, grouped, screeningStatement, signed, timeText } from './wording.ts';

/** Above this many items the table of results is in the attached CSV only. */
const mostListedItems = 3000;
/** Rows of the custody log that are printed; all of the extract are in the attached JSON. */
const mostCustodyRows = 400;
/** Items that need attention and are named on the first page. */
const mostAlarmedItems = 12;

function known(text: string): string {
  return text.trim() === '' ? 'Not stated' : text;
}

/** Whether any result comes from a model that is for screening, and whether any does not. */
function statuses(snapshot: ReportSnapshot): { screening: boolean; validated: boolean } {
  const all = snapshot.items.flatMap(({ analyses }) => analyses.map(({ modelStatus }) => modelStatus));
  return { screening: all.includes('screening'), validated: all.includes('validated') };
}

function span(times: readonly string[]): string {
  const days = times.map(dayText).sort();
  if (days.length === 0) return 'Not stated';
  return days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`;
}

function front(sheet: Sheet, snapshot: ReportSnapshot): void {
  const { laboratory, request, amended, items } = snapshot;
  const details = snapshot.case;
  const { screening, validated } = statuses(snapshot);
  if (laboratory.laboratory.trim() !== '') {
    sheet.paragraph(laboratory.laboratory, styles.subsection, { after: 0 });
    sheet.paragraph(laboratory.laboratoryAddress.trim().replace(/\s*\n\s*/g, ', '), styles.dim, { after: 12 });
  }
  sheet.heading(
    1,
    amended ? 'Amended report on the examination of recorded speech' : 'Report on the examination of recorded speech',
  );
  if (screening) {
    sheet.notice(
      validated
        ? `Results of a screening model are marked: ${screeningStatement}`
        : `${screeningStatement[0].toUpperCase()}${screeningStatement.slice(1)}`,
      'A screening model is fit to sort recordings for a closer look. It has not been validated on material of this kind: its ' +
        'findings are no basis for a conclusion about whether a recording is genuine, and no likelihood ratio and no verbal ' +
        'equivalent is given for them.',
      ink.spoof,
    );
  }
  if (amended) {
    sheet.notice(
      `Amendment of report ${amended.number}`,
      `This report replaces report ${amended.number}, issued ${timeText(amended.issuedAt)} (SHA-256 ${amended.sha256}). ` +
        `What was changed: ${known(request.amendment)}`,
      ink.accent,
    );
  }
  const received = items.map(({ evidence }) => evidence.receivedAt).filter((time) => time !== '');
  const work = items.flatMap(({ evidence, analyses }) => [evidence.addedAt, ...analyses.map(({ time }) => time)]);
  const rows: [string, Cell][] = [
    ['Report', { text: snapshot.number, style: styles.bold }],
    ...(details
      ? ([
          ['Case', `${details.number}: ${details.title}`],
          ['Customer', written(details.customer)],
          ['Contact', written(details.customerContact)],
        ] as [string, Cell][])
      : []),
    ['Laboratory', known(laboratory.laboratory)],
    ['Address', known(laboratory.laboratoryAddress)],
    ['Place of work', known(laboratory.placeOfWork || laboratory.laboratoryAddress)],
    ['Examiner', known(details?.examiner || laboratory.examiner)],
    ['Items received', received.length === 0 ? 'Not stated' : span(received)],
    ['Work done', span(work)],
    ['Date of issue', timeText(snapshot.issuedAt)],
    ['Authorised by', known(request.authorisedBy)],
  ];
  sheet.pairs(rows);
  const scope = details
    ? items.length === snapshot.itemsInCase
      ? `all ${grouped(items.length)} items of the case`
      : `${grouped(items.length)} of the ${grouped(snapshot.itemsInCase)} items of the case`
    : `${grouped(items.length)} recording${items.length === 1 ? '' : 's'}`;
  sheet.paragraph(
    `The results relate only to the items examined: ${scope}, as they were received. The report lists every analysis that was made of ` +
      'each of them. It may be passed on as a whole only.',
    styles.bold,
  );
  alarmNotice(sheet, snapshot);
  if (!details) {
    sheet.notice(
      'No case and no custody log stand behind this report',
      'The recordings were read where they lie and analysed at once. Nothing but this document records when, by whom and from ' +
        'what state; for evidence, add them to a case.',
      ink.accent,
    );
  }
}

/** What a reader must see before anything else; the items' sections say more. */
function alarmNotice(sheet: Sheet, { items }: ReportSnapshot): void {
  // Reports of earlier versions have none, and are made again as they were issued.
  const alarmed = items.filter(({ evidence }) => (evidence.alarms ?? []).length > 0);
  if (alarmed.length === 0) return;
  const lines = alarmed.slice(0, mostAlarmedItems).map(({ evidence }) => {
    const sentences = evidence.alarms.map((alarm) => alarmSentences[alarm]);
    return `Item ${evidence.id}, ${evidence.name}: ${sentences.join(' ')}`;
  });
  const rest = alarmed.length - lines.length;
  if (rest > 0) lines.push(`And ${grouped(rest)} more, marked in the list of results.`);
  const of = `${grouped(alarmed.length)} of ${grouped(items.length)} item${items.length === 1 ? '' : 's'}`;
  sheet.notice(`Needs attention: ${of}`, lines.join('\n'), ink.accent);
}

function question(sheet: Sheet, snapshot: ReportSnapshot): void {
  const details = snapshot.case;
  sheet.heading(2, '1 Question and propositions');
  if (!details) {
    sheet.paragraph('No question and no propositions were stated.');
    return;
  }
  sheet.pairs([
    ['Question asked', written(details.question)],
    ['Proposition 1 (bona fide)', written(details.propositionBonafide)],
    ['Proposition 2 (spoof)', written(details.propositionSpoof)],
  ]);
}

function results(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '2 Results');
  const { screening, validated } = statuses(snapshot);
  const analyses = snapshot.items.flatMap((item) => item.analyses);
  const olderWords = analyses.some(
    ({ modelStatus, finding }) => modelStatus === 'screening' && finding?.startsWith('supports'),
  );
  const counted = [...findings, null]
    .map((finding) => ({ finding, count: analyses.filter((analysis) => analysis.finding === finding).length }))
    .filter(({ count }) => count > 0);
  const unscanned = snapshot.items.filter((item) => item.analyses.length === 0).length;
  sheet.table(
    [
      { title: 'Finding', width: 150 },
      { title: 'Analyses', width: 60, align: 'right' },
    ],
    [
      ...counted.map(({ finding, count }): Cell[] => [findingPart(finding, styles.small.size), grouped(count)]),
      ...(unscanned > 0 ? [['items not analysed', grouped(unscanned)]] : []),
    ],
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
    styles.regular,
  );
  if (snapshot.items.length > mostListedItems) {
    sheet.paragraph(
      `The results of all ${grouped(snapshot.items.length)} items, with their hashes, are in the attached table results.csv, which is a part of this report (section 8).`,
      styles.bold,
    );
    return;
  }
  resultsTable(sheet, snapshot);
}

function method(sheet: Sheet, snapshot: ReportSnapshot): void {
  const { request, models } = snapshot;
  sheet.heading(2, '3 Method');
  const described = request.method.trim() !== '';
  sheet.paragraph(
    described
      ? request.method
      : 'Every recording was hashed (SHA-256) and read without being changed. Its first audio stream, or the one named with the analysis, ' +
          'was decoded, its channels mixed or one of them chosen as stated, and conditioned as the model’s card says (section 5): ' +
          'resampled, limited to a band of frequencies, cut to the part that holds sound, and cut into windows of equal length and level. ' +
          'A neural network scored each window; the score of a recording is the mean of its windows’ scores. Quality measures ' +
          'decide whether it is assessable at all.',
    styles.regular,
    { written: described },
  );
  sheet.pairs([
    ['Software', snapshot.application],
    ['Models', models.length === 0 ? 'None' : models.map(({ name, status }) => `${name} (${status})`).join(', ')],
    [
      'Backends',
      unique(snapshot.items.flatMap(({ analyses }) => analyses.map((one) => one.provenance.backend))).join(', ') ||
        'None',
    ],
    [
      'Repeatability',
      'The same file, model and settings give the same score on the same machine; other processors agree to 0.0001, graphics processors to 0.001',
    ],
    ['External providers', 'No result in this report comes from one'],
    ['Departures from the method', written(request.departures.trim() || 'None stated')],
  ]);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

function itemSections(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '4 Items');
  if (!snapshot.inFull) {
    sheet.paragraph(
      `With ${grouped(snapshot.items.length)} items this report has no section for each. The attached report.json holds each item’s container data, ` +
        'condition, and every analysis made of it. A report of chosen items shows these in full, with figures.',
    );
    return;
  }
  sheet.paragraph(
    'Descriptions, receipt and hashes of the sender are as the customer or the examiner stated them; all else was read from the files. The laboratory ' +
      'examined the items as received and took no samples of them.',
    styles.dim,
  );
  snapshot.items.forEach((item, index) => itemSection(sheet, item, `4.${index + 1}`, snapshot));
}

function rate(value: number): string {
  return `${decimal(100 * value, 1)} %`;
}

/** How often a model's findings were right, by split. */
function findingRecords(sheet: Sheet, records: readonly FindingRecord[]): void {
  sheet.heading(4, 'How often its findings were right');
  if (records.length === 0) {
    sheet.paragraph('The card does not say it.');
    return;
  }
  for (const record of records) {
    const counts = [
      ['Found bona fide', 'bonafide'],
      ['Found synthetic', 'spoof'],
      ['Inconclusive', 'inconclusive'],
      ['Not assessable', 'notAssessable'],
      ['Failed', 'failed'],
    ] as const;
    sheet.table(
      [
        { title: `${record.split} of ${record.dataset}`, width: 0 },
        ...counts.map(([title]) => ({ title, width: 66, align: 'right' as const })),
      ],
      (['bonafide', 'spoof'] as const).map((name) => [
        name === 'bonafide' ? 'Bona fide recordings' : 'Spoofs',
        ...counts.map(([, key]) => grouped(record[name][key])),
      ]),
    );
    const rates = [
      `Found bona fide and right: ${rateText(record.rightBonafide)}`,
      `found synthetic and right: ${rateText(record.rightSpoof)}`,
      `bona fide found synthetic: ${rateText(record.falseSpoof)}`,
      `spoofs found bona fide: ${rateText(record.falseBonafide)}`,
      `inconclusive: ${rateText(record.inconclusive)}`,
    ];
    const fitted = record.calibratedOn
      ? ' The calibration was fitted on these recordings: elsewhere it errs more.'
      : '';
    sheet.paragraph(`${rates.join('; ')}.${fitted}`, styles.regular);
  }
  sheet.paragraph(
    'How often a finding is right depends on how many recordings of each class there are. Intervals are over independent sources, speakers or ' +
      `files, as far as the data name them; where these are fewer than ${leastUnits}, counts alone are given.`,
    styles.smallDim,
  );
}

/** What a member of a model is; its weight and hashes where it has several. */
function memberRows(member: Member, { members, files }: Pick<Card, 'members' | 'files'>): [string, Cell][] {
  const several = members.length > 1;
  const title = (what: string): string => (several ? `${what} (${member.name})` : what);
  const weight = several ? `, weight ${decimal(member.weight, 4)}` : '';
  const hash = (file: string): [string, Cell][] =>
    several ? [[`SHA-256 of ${file}`, { text: files[file] ?? '', style: styles.mono }]] : [];
  if (member.kind === 'encoder') {
    const { name, size, weightsSha256 } = member.encoder;
    return [
      [title('Encoder'), `${name}, ${size} values, logistic regression on them${weight}`],
      [title('SHA-256 of its weights'), { text: weightsSha256, style: styles.mono }],
      ...hash(member.head),
    ];
  }
  if (member.kind === 'foreign') {
    const { input, output, description, source } = member;
    const taken = input.frontEnd === null ? 'the sound itself' : `its ${input.frontEnd.type} spectrum`;
    return [
      [
        title('Foreign detector'),
        `${[description, source].filter((text) => text !== '').join('; ') || 'no description'}${weight}`,
      ],
      [
        title('What it takes and gives'),
        `${input.samples} samples of ${taken}, shorter ones: padding "${input.padding}"; ${output.kind}, bona fide at ${output.bonafide}`,
      ],
      ...hash(member.onnx),
    ];
  }
  const { network, frontEnd } = member;
  return [
    [
      title('Front end'),
      Object.entries(frontEnd)
        .map(([name, value]) => `${name}: ${String(value)}`)
        .join('; '),
    ],
    [
      title('Network'),
      `${network.name}, ${network.layers.length} layers, input of ${network.input.bins} x ${network.input.frames}${weight}`,
    ],
    ...hash(member.onnx),
  ];
}

/** Where the threshold of scores comes from. */
function thresholdOrigin({ uncalibrated, members, training, calibration }: NonNullable<ReportModel['card']>): string {
  if (uncalibrated) return 'no more than a place to begin: the detector was made elsewhere and is not calibrated here';
  const foreign = members.some(({ kind }) => kind === 'foreign');
  return `the equal-error threshold on ${foreign ? `${calibration.dataset}, ${calibration.split}` : `the dev split of ${training.dataset}`}`;
}

function modelSection(sheet: Sheet, model: ReportModel, number: string): void {
  const { card } = model;
  sheet.heading(3, `${number} Model ${model.name}`);
  const statusText =
    model.status === 'screening'
      ? `screening: ${screeningStatement}`
      : 'validated: measured and calibrated by a laboratory on its own recordings, under the conditions below';
  const rows: [string, Cell][] = [
    ['Status', statusText],
    ['SHA-256 of the network', { text: model.onnxSha256, style: styles.mono }],
  ];
  if (!card) {
    rows.push(['Card', 'The model is no longer on this machine: its training and validation cannot be listed.']);
    sheet.pairs(rows);
    return;
  }
  const { conditioning, window, training, calibration, thresholds } = card;
  const counts = Object.entries(training.counts)
    .map(([split, { bonafide, spoof }]) => `${split} ${bonafide} bona fide and ${spoof} spoof`)
    .join('; ');
  const band = calibration.band;
  const units = calibration.countedUnits;
  rows.push(
    ['Made', `${timeText(card.createdAt)} by ${card.application}`],
    [
      'Conditioning',
      Object.entries(conditioning)
        .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(' to ') : String(value)}`)
        .join('; '),
    ],
    ['Windows', `${window.seconds} s every ${window.hopSeconds} s`],
    ...card.members.flatMap((member) => memberRows(member, card)),
    [
      'Trained on',
      `${training.dataset}: ${counts}; ${training.files} files of ${training.sources.length} sources; seed ${training.seed}; ${training.backend}`,
    ],
    ['SHA-256 of the training list', { text: training.manifestSha256, style: styles.mono }],
    ['Threshold', `${decimal(thresholds.score, 3)}: scores at or above count as bona fide; ${thresholdOrigin(card)}`],
    [
      'Inconclusive',
      card.uncalibrated
        ? 'not calibrated here: no score is a finding'
        : band
          ? `between limits beyond which a finding would be wrong in at most ${rate(band.maximumRate)} of recordings, with ${rate(band.confidence)} confidence, on ${calibration.dataset}, ${calibration.split}`
          : `where the calibration on ${calibration.dataset}, ${calibration.split}, is within a factor of ${Math.exp(thresholds.inconclusiveLlr).toPrecision(2)} of one; the scores stand with each analysis`,
    ],
    [
      'Not assessable',
      `less than ${thresholds.minimumActiveSeconds} s of sound, ${thresholds.minimumSpeechSeconds} s of speech or ${thresholds.minimumSnrDb} dB signal-to-noise ratio; more than ${rate(thresholds.maximumClippedFraction)} of samples clipped; too narrow a band`,
    ],
  );
  if (model.status === 'validated') {
    const bounds = calibration.bounds;
    rows.push([
      'Calibration',
      [
        `fitted on ${calibration.dataset}, ${calibration.split}`,
        ...(units ? [`${units.bonafide} bona fide and ${units.spoof} spoof, counted by ${units.unit}`] : []),
        ...(bounds
          ? [
              `log10 LR limited to ${signed(bounds.lowerLlr / Math.LN10, 2)} to ${signed(bounds.upperLlr / Math.LN10, 2)}, which the data support`,
            ]
          : []),
        ...(calibration.validated
          ? [
              `validated for ${decimal(calibration.validated.fromSeconds, 1)} to ${decimal(calibration.validated.toSeconds, 1)} s of speech`,
            ]
          : []),
        ...calibration.lengths.map(
          ({ fromSeconds, toSeconds, bonafide, spoof }) =>
            `validated for ${decimal(fromSeconds, 1)} to ${decimal(toSeconds, 1)} s of speech (${bonafide} bona fide, ${spoof} spoof)`,
        ),
      ].join('; '),
    ]);
  }
  const { shown, withheld } = localisationShown(card, card.window);
  const stretches = shown ? localisationStatement(shown) : withheld;
  if (stretches !== null) rows.push(['Low-scoring stretches', stretches]);
  sheet.pairs(rows);
  sheet.heading(4, 'Validation: figures on data that were labelled beforehand');
  const columns = ['Split', 'Bona fide', 'Spoof', 'EER', 'AUC', 'AP b. f.', 'AP spoof', 'Accuracy', 'Cllr', 'min Cllr'];
  sheet.table(
    columns.map((title, index) => (index === 0 ? { title, width: 0 } : { title, width: 37, align: 'right' as const })),
    card.figures.map((figure) => [
      `${figure.split} of ${figure.dataset}`,
      grouped(figure.bonafide),
      grouped(figure.spoof),
      rate(figure.eer),
      decimal(figure.auc, 3),
      decimal(figure.averagePrecisionBonafide, 3),
      decimal(figure.averagePrecisionSpoof, 3),
      rate(figure.accuracy),
      decimal(figure.cllrBits, 3),
      decimal(figure.minCllrBits, 3),
    ]),
  );
  sheet.paragraph(
    'EER: equal error rate; AUC: area under the ROC curve; AP: average precision for bona fide and for spoof; Cllr: cost of the log-likelihood ratio in bits. Accuracy at the threshold above.',
    styles.smallDim,
  );
  findingRecords(sheet, card.records);
  if (card.notes.length > 0) {
    sheet.heading(4, 'Limits');
    for (const note of card.notes) sheet.paragraph(`– ${note}`, styles.regular, { after: 2 });
  }
}

function models(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '5 Models and their validation');
  if (snapshot.models.length === 0) sheet.paragraph('No model was used.');
  snapshot.models.forEach((model, index) => {
    modelSection(sheet, model, `5.${index + 1}`);
    model.companions?.forEach((companion, at) => {
      modelSection(sheet, companion.model, `5.${index + 1}.${at + 1}`);
      sheet.paragraph(companion.condition);
    });
  });
}

function opinions(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '6 Opinions and interpretations');
  const ratios = snapshot.items.some(({ analyses }) => analyses.some(hasRatio));
  const scale = snapshot.verbalScale.map(({ upTo, words }, index, all) => {
    const from = index === 0 ? 2 : (all[index - 1].upTo ?? 0);
    return upTo === null ? `above ${grouped(from)} ${words}` : `${grouped(from)} to ${grouped(upTo)} ${words}`;
  });
  sheet.paragraph(
    snapshot.request.opinions.trim() === ''
      ? 'The author of this report has added no opinion.'
      : 'The following is opinion and interpretation, not a result.',
  );
  if (snapshot.request.opinions.trim() !== '') {
    sheet.paragraph(snapshot.request.opinions, styles.regular, { written: true });
  }
  if (ratios) {
    sheet.paragraph(
      'What stands under Interpretation with a likelihood ratio is interpretation: it weighs the findings under the two propositions, and says ' +
        'nothing of how probable a proposition is, which depends on everything else that is known. Verbal scale, by likelihood ratio ' +
        `(mirrored below one): ${scale.join('; ')}.`,
    );
  }
}

function custody(sheet: Sheet, snapshot: ReportSnapshot): void {
  sheet.heading(2, '7 Custody');
  if (!snapshot.head) {
    sheet.paragraph('No custody log stands behind this report: the recordings do not belong to a case.');
    return;
  }
  sheet.pairs([
    ['Rows of the log', grouped(snapshot.head.rows)],
    ['Hash of its last row', { text: snapshot.head.hash, style: styles.mono }],
  ]);
  sheet.paragraph(
    'Each row of the log holds the hash of the one before, so that these two lines fix the whole log as it was when this report was issued: ' +
      'compare them with the case by “earwitness verify CASE --expect-head HASH”. The issue of this report is a later row, with the ' +
      'SHA-256 of this document.',
  );
  const leaps = snapshot.custody.filter(({ action }) => action === 'clock-leap');
  if (leaps.length > 0) {
    const told = leaps
      .slice(0, mostCustodyRows)
      .map(({ position, time, summary }) => `Row ${position}, ${timeText(time)}: ${summary}`);
    sheet.paragraph(`The times of the log cannot all be relied upon. ${told.join(' ')}`);
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
  sheet.heading(2, '8 Attached files');
  sheet.paragraph('These files are embedded in this document and are a part of it.');
  sheet.table(
    [
      { title: 'Name', width: 74 },
      { title: 'What it holds', width: 0 },
      { title: 'Bytes', width: 56, align: 'right' },
      { title: 'SHA-256', width: 250 },
    ],
    attachments.map(({ name, description, bytes }) => [
      name,
      description,
      grouped(bytes.length),
      { text: createHash('sha256').update(bytes).digest('hex'), style: styles.smallMono },
    ]),
  );
  sheet.need(96);
  sheet.gap(10);
  sheet.pairs([
    ['Authorised by', known(snapshot.request.authorisedBy)],
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

/** The report as a table: a row for each analysis, and for each item without one. */
export function reportCsv(snapshot: ReportSnapshot): string {
  const header = csvLine([
    'item',
    'name',
    'path',
    'sha256',
    'analysis',
    'time',
    'start_seconds',
    'end_seconds',
    'channel',
    'stream',
    'model',
    'model_sha256',
    'model_status',
    'finding',
    'score',
    'llr',
    'llr_low',
    'llr_high',
    'stale',
    'reasons',
    'error',
    'result_sha256',
  ]);
  const lines = snapshot.items.flatMap(({ evidence, analyses }) => {
    const item = [evidence.id, evidence.name, evidence.path, evidence.sha256];
    if (analyses.length === 0) return [csvLine([...item, ...Array.from({ length: 18 }, () => null)])];
    return analyses.map((one) =>
      csvLine([
        ...item,
        one.id,
        one.time,
        one.stretch?.startSeconds ?? null,
        one.stretch?.endSeconds ?? null,
        one.channel,
        one.stream,
        one.modelName,
        one.modelSha256,
        one.modelStatus,
        one.finding,
        one.score,
        hasRatio(one) ? one.llr : null,
        hasRatio(one) ? (one.llrInterval?.[0] ?? null) : null,
        hasRatio(one) ? (one.llrInterval?.[1] ?? null) : null,
        one.stale ? 'stale' : '',
        one.reasons.map(({ code }) => code).join('; '),
        one.error?.message ?? null,
        one.resultSha256,
      ]),
    );
  });
  return header + lines.join('');
}

function footerText(snapshot: ReportSnapshot): string {
  const { screening, validated } = statuses(snapshot);
  if (!screening) return 'The results relate only to the items examined';
  return validated
    ? `Holds results of a screening model: ${screeningStatement}`
    : `${screeningStatement[0].toUpperCase()}${screeningStatement.slice(1)}`;
}

/**
 * The report as a PDF (PDF/A-3a: tagged, fonts embedded, the machine-readable report attached).
 * @returns the same bytes for the same snapshot.
 */
export async function renderReport(snapshot: ReportSnapshot): Promise<{ bytes: Buffer; pages: number }> {
  const attachments: Attachment[] = [
    {
      name: 'report.json',
      type: 'application/json',
      description: 'All that this report says, with every window’s score, for machines',
      bytes: Buffer.from(reportJson(snapshot)),
    },
    {
      name: 'results.csv',
      type: 'text/csv',
      description: 'The results as a table, a row for each analysis',
      bytes: Buffer.from(reportCsv(snapshot)),
    },
  ];
  const sheet = new Sheet({
    title: `Report ${snapshot.number}`,
    author: snapshot.laboratory.laboratory || snapshot.laboratory.examiner || 'Earwitness',
    application: snapshot.application,
    issuedAt: new Date(snapshot.issuedAt),
  });
  for (const { name, bytes, type, description } of attachments) sheet.attach(name, bytes, type, description);
  front(sheet, snapshot);
  question(sheet, snapshot);
  results(sheet, snapshot);
  method(sheet, snapshot);
  itemSections(sheet, snapshot);
  models(sheet, snapshot);
  opinions(sheet, snapshot);
  custody(sheet, snapshot);
  close(sheet, snapshot, attachments);
  return sheet.finish({
    headerLeft: `Report ${snapshot.number}`,
    headerRight: snapshot.case ? `Case ${snapshot.case.number}` : 'No case',
    footer: footerText(snapshot),
  });
}
