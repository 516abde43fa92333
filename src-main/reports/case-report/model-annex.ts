/** Models and how well they did on labelled recordings, as their cards say. */
import { leastUnits } from '../../../src-common/interval-rule.ts';
import { conditionRows } from '../../../src-common/validation-words.ts';
import { rateText } from '../../../src-common/finding-record.ts';
import type { FindingRecord } from '../../../src-common/schemas/finding-record.ts';
import type { Card } from '../../detector/card.ts';
import { localisationShown, localisationStatement } from '../../detector/localisation.ts';
import type { Member } from '../../detector/member.ts';
import { speakers } from './outcome.ts';
import { styles } from './sheet.ts';
import type { Cell, Sheet } from './sheet.ts';
import type { ReportModel, ReportSnapshot } from './snapshot.ts';
import { conditioningText, frontEndText } from './technical-words.ts';
import { datasetText, decimal, grouped, screeningStatement, signed, timeText } from './wording.ts';

/** A share as per cent. */
function rate(value: number): string {
  return `${decimal(100 * value, 1)} %`;
}

const mono = (text: string): Cell => ({ text, style: styles.mono });

function recordTables(sheet: Sheet, records: readonly FindingRecord[], short: boolean): void {
  sheet.heading(4, 'How often its findings were right');
  if (records.length === 0) {
    sheet.paragraph('The card does not say it.');
    return;
  }
  if (!short) countTable(sheet, records);
  for (const record of records) {
    const rates = [
      `found bona fide and right: ${rateText(record.rightBonafide)}`,
      `found synthetic and right: ${rateText(record.rightSpoof)}`,
      `bona fide found synthetic: ${rateText(record.falseSpoof)}`,
      `spoofs found bona fide: ${rateText(record.falseBonafide)}`,
      `inconclusive: ${rateText(record.inconclusive)}`,
    ];
    const fitted = record.calibratedOn
      ? ' The calibration was fitted on these recordings: elsewhere it errs more.'
      : '';
    sheet.paragraph(`On ${record.split}, ${rates.join('; ')}.${fitted}`, styles.small, { after: 2 });
  }
  sheet.paragraph(
    'How often a finding is right depends on how many recordings of each class there are. Intervals are over independent sources, speakers or ' +
      `files, as far as the data name them; where these are fewer than ${leastUnits}, counts alone are given.`,
    styles.smallDim,
  );
}

function countTable(sheet: Sheet, records: readonly FindingRecord[]): void {
  const counts = [
    ['Found bona fide', 'bonafide'],
    ['Found synthetic', 'spoof'],
    ['Inconclusive', 'inconclusive'],
    ['Not assessable', 'notAssessable'],
    ['Failed', 'failed'],
  ] as const;
  sheet.table(
    [{ title: '', width: 0 }, ...counts.map(([title]) => ({ title, width: 62, align: 'right' as const }))],
    records.flatMap((record) =>
      (['bonafide', 'spoof'] as const).map((name) => [
        `${record.split} of ${datasetText(record.dataset)}: ${name === 'bonafide' ? 'bona fide recordings' : 'spoofs'}`,
        ...counts.map(([, key]) => grouped(record[name][key])),
      ]),
    ),
    { dense: true },
  );
}

/** What a member of a model is; its weight and hashes where it has several. */
function memberRows(member: Member, { members, files }: Pick<Card, 'members' | 'files'>): [string, Cell][] {
  const several = members.length > 1;
  const title = (what: string): string => (several ? `${what} (${member.name})` : what);
  const weight = several ? `; weight ${decimal(member.weight, 4)}` : '';
  const hash = (file: string): [string, Cell][] => (several ? [[`SHA-256 of ${file}`, mono(files[file] ?? '')]] : []);
  if (member.kind === 'encoder') {
    const { name, size, weightsSha256 } = member.encoder;
    return [
      [title('Encoder'), `${name}: ${size} values, logistic regression on them${weight}`],
      [title('SHA-256 of its weights'), mono(weightsSha256)],
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
  if (member.kind === 'trees') {
    const { frontEnd, training } = member;
    const count = training.trees * training.seeds;
    return [
      [title('Trees'), `${frontEndText(frontEnd)}; ${count} boosted trees of ${training.leaves} leaves${weight}`],
      ...hash(member.trees),
    ];
  }
  const { network, frontEnd } = member;
  return [
    [
      title('Network'),
      `${frontEndText(frontEnd)}; ${network.layers.length} layers, input of ${network.input.bins} x ${network.input.frames}${weight}`,
    ],
    ...hash(member.onnx),
  ];
}

/** A member in a few words. */
function memberText(member: Member): string {
  switch (member.kind) {
    case 'encoder':
      return `${member.name} (the frozen encoder ${member.encoder.name} with a head)`;
    case 'trees':
      return `${member.name} (boosted trees on measured values)`;
    case 'foreign':
      return `${member.name} (a detector made elsewhere)`;
    case 'network':
      return `${member.name} (a neural network)`;
  }
}

/** Where the threshold of scores comes from. */
function thresholdOrigin({ uncalibrated, members, training, calibration }: NonNullable<ReportModel['card']>): string {
  if (uncalibrated) return 'no more than a place to begin: the detector was made elsewhere and is not calibrated here';
  const foreign = members.some(({ kind }) => kind === 'foreign');
  return `the equal-error threshold on ${foreign ? `${calibration.split} of ${datasetText(calibration.dataset)}` : `the dev split of ${datasetText(training.dataset)}`}`;
}

/** Within which limits a finding is inconclusive, and by which rule they were set. */
export function bandText({ uncalibrated, calibration, thresholds }: NonNullable<ReportModel['card']>): string {
  const on = `${calibration.split}, of ${datasetText(calibration.dataset)}`;
  const { band } = calibration;
  if (uncalibrated) return 'not calibrated here: no score is a finding';
  return band
    ? `between limits beyond which a finding would be wrong in at most ${rate(band.maximumRate)} of recordings, with ${rate(band.confidence)} confidence, on ${on}`
    : `where the calibration on ${on}, is within a factor of ${Math.exp(thresholds.inconclusiveLlr).toPrecision(2)} of one; the scores stand with each result`;
}

function calibrationText({ calibration }: NonNullable<ReportModel['card']>): string {
  const { bounds, countedUnits: units } = calibration;
  return [
    `fitted on ${calibration.split} of ${datasetText(calibration.dataset)}`,
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
  ].join('; ');
}

/** How a model was made, and what it does to sound. */
function makingRows(card: NonNullable<ReportModel['card']>): [string, Cell][] {
  const { conditioning, window, training } = card;
  const counts = Object.entries(training.counts)
    .map(([split, { bonafide, spoof }]) => `${split} ${bonafide} bona fide and ${spoof} spoof`)
    .join('; ');
  return [
    ['Sound before it is scored', conditioningText(conditioning)],
    ['Windows', `${window.seconds} s every ${window.hopSeconds} s`],
    ...card.members.flatMap((member) => memberRows(member, card)),
    [
      'Trained on',
      `${datasetText(training.dataset)}: ${counts}; ${training.files} files of ${training.sources.length} sources; seed ${training.seed}; ${training.backend}`,
    ],
    ['SHA-256 of the training list', mono(training.manifestSha256)],
  ];
}

/** @param short without how it was made, which is in the attached data */
function modelSection(
  sheet: Sheet,
  model: ReportModel,
  number: string,
  { condition, short }: { condition: string | null; short: boolean },
): void {
  const { card } = model;
  sheet.heading(3, `${number} Model ${model.name}`);
  const statusText =
    model.status === 'screening'
      ? screeningStatement
      : 'validated: measured and calibrated by a laboratory on its own recordings, under the conditions below';
  const rows: [string, Cell][] = [
    ['Status', statusText],
    ...(condition === null ? [] : [['Where it speaks', condition] as [string, Cell]]),
    ['SHA-256 by which it is known', mono(model.onnxSha256)],
  ];
  if (!card) {
    rows.push(['Card', 'The model is no longer on this machine: its training and validation cannot be listed.']);
    sheet.pairs(rows);
    return;
  }
  const { thresholds, validation } = card;
  rows.push(
    ['Made', `${timeText(card.createdAt)} by ${card.application}`],
    // Of a model for screening the card's word counts for nothing, and its notes say why.
    ...(validation && model.status === 'validated'
      ? ([
          [
            'Validated by',
            `${validation.laboratory}, ${validation.date}, on ${validation.split} of ${datasetText(validation.dataset)}`,
          ],
          ['Conditions', validation.conditions],
          ...conditionRows(validation.limits ?? { description: validation.conditions }).map(
            ({ name, value, measured }): [string, Cell] => [
              `Condition: ${name}`,
              measured
                ? `${value}; beyond it a recording is not assessable`
                : `${value}; stated, for the examiner to check`,
            ],
          ),
          ...(validation.record === undefined ? [] : [['Record of the validation', mono(validation.record)]]),
        ] as [string, Cell][])
      : []),
    ...(short ? [['Members', card.members.map(memberText).join('; ')] as [string, Cell]] : makingRows(card)),
    ['Threshold', `${decimal(thresholds.score, 3)}: scores at or above count as bona fide; ${thresholdOrigin(card)}`],
    ['Inconclusive', bandText(card)],
    [
      'Not assessable',
      `less than ${thresholds.minimumActiveSeconds} s of sound, ${thresholds.minimumSpeechSeconds} s of speech or ${thresholds.minimumSnrDb} dB signal-to-noise ratio; more than ${rate(thresholds.maximumClippedFraction)} of samples clipped; too narrow a band`,
    ],
  );
  if (model.status === 'validated') rows.push(['Calibration', calibrationText(card)]);
  const { shown, withheld } = localisationShown(card, card.window);
  const stretches = shown ? localisationStatement(shown) : withheld;
  if (stretches !== null) rows.push(['Low-scoring stretches', stretches]);
  sheet.pairs(rows);
  figureTable(sheet, card);
  recordTables(sheet, card.records, short);
  if (card.notes.length > 0) {
    sheet.heading(4, 'Limits');
    for (const note of card.notes) sheet.paragraph(`– ${note}`, styles.regular, { after: 2 });
  }
}

function figureTable(sheet: Sheet, { figures }: NonNullable<ReportModel['card']>): void {
  sheet.heading(4, 'Validation: figures on recordings that were labelled beforehand');
  const columns = ['Split', 'Bona fide', 'Spoof', 'EER', 'AUC', 'AP b. f.', 'AP spoof', 'Accuracy', 'Cllr', 'min Cllr'];
  sheet.table(
    columns.map((title, index) => (index === 0 ? { title, width: 0 } : { title, width: 37, align: 'right' as const })),
    figures.map((figure) => [
      `${figure.split} of ${datasetText(figure.dataset)}`,
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
    { dense: true },
  );
  sheet.paragraph('Accuracy at the threshold above; the other words are in the glossary.', styles.smallDim);
}

/** Annex A: the models that spoke; of those that only lie beside one of them, the names. */
export function modelAnnex(sheet: Sheet, snapshot: ReportSnapshot): void {
  // With the first model's title and some of its rows.
  sheet.need(200);
  sheet.heading(2, 'Annex A: Models and their validation');
  const { spoke, silent } = speakers(snapshot);
  if (spoke.length === 0) sheet.paragraph('No model was used.');
  const conditions = new Map(
    snapshot.models
      .flatMap(({ companions = [] }) => companions)
      .map(({ condition, model }) => [model.onnxSha256, condition]),
  );
  spoke.forEach((model, index) =>
    modelSection(sheet, model, `A.${index + 1}`, {
      condition: conditions.get(model.onnxSha256) ?? null,
      short: snapshot.request.form === 'short',
    }),
  );
  if (silent.length > 0) {
    const names = silent.map(({ condition, model }) => `${model.name}: ${condition}`);
    sheet.paragraph(
      `Companions that spoke of no recording here; their cards are in the attached report.json. ${names.join(' ')}`,
      styles.smallDim,
    );
  }
}
