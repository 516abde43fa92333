/** The record of a validation as a PDF: what was asked, what was found, with all plots, and where standards' points are answered. */
import {
  calibrationPlot,
  crossEntropyPlot,
  detPlot,
  precisionRecallPlot,
  rocPlot,
  scorePlot,
  tippettPlot,
} from '../../src-common/plots/evaluation.ts';
import type { Shown } from '../../src-common/plots/evaluation.ts';
import type { Plot } from '../../src-common/plots/plot.ts';
import { lookAt } from '../../src-common/plots/theme.ts';
import { rateText } from '../../src-common/finding-record.ts';
import type { PlottedFigures } from '../../src-common/schemas/evaluation.ts';
import type { FindingTable } from '../../src-common/schemas/finding-record.ts';
import type { ValidationFigure, ValidationRecord } from '../../src-common/schemas/validation.ts';
import { conditionName, conditionRows, criterionWords } from '../../src-common/validation-words.ts';
import { plotFigure } from './case-report/plot-figure.ts';
import { PdfSheet } from './case-report/pdf-sheet.ts';
import { ink, styles } from './case-report/sheet.ts';
import type { Sheet } from './case-report/sheet.ts';
import { datasetText, decimal, grouped, timeText } from './case-report/wording.ts';

export interface ValidationReportContent {
  record: ValidationRecord;
  /** The record as the file that was signed. */
  recordBytes: Buffer;
  plotted: PlottedFigures;
  /** Of the key that signed, in short. */
  fingerprint: string;
}

/** Where a standard's point is answered. The wording of the points is ours. */
const mapping: readonly (readonly [point: string, answer: string])[] = [
  ['ISO/IEC 17025:2017, 7.2.2.1: as extensive as the use needs', '2 Conditions; 3 Recordings'],
  [
    '7.2.2.2: changes of a validated method are validated anew',
    '1: model and application by hash and version; another model has no status from this record',
  ],
  ['7.2.2.3: characteristics are relevant to the need and agree with stated requirements', '5 Criteria'],
  ['7.2.2.4 a: the procedure that was used', '4 Method'],
  ['7.2.2.4 b: the requirements, specified', '2 Conditions; 5 Criteria: stated before anything was scored'],
  ['7.2.2.4 c: the characteristics, determined', '6 Figures'],
  ['7.2.2.4 d: the results', '6 Figures; attached record'],
  ['7.2.2.4 e: a statement of validity, with fitness for the intended use', '1 Statement'],
  [
    'ENFSI, single-laboratory validation (2014): requirements and acceptance criteria beforehand',
    '2 Conditions; 5 Criteria; time of the statement in 1',
  ],
  [
    'ENFSI: material that stands for casework, with known ground truth',
    '3 Recordings: what they stand for is for the laboratory to say',
  ],
  ['ENFSI: outcome against the criteria, limits, release', '1 Statement; 5 Criteria; 7 Limits'],
];

function figureText({ value, interval }: ValidationFigure, text: (value: number) => string): string {
  return interval === null
    ? `${text(value)} (too few independent recordings for an interval)`
    : `${text(value)} (95 %: ${interval.map(text).join(' to ')})`;
}

const percent = (value: number): string => `${decimal(100 * value, 1)} %`;
const number = (value: number): string => decimal(value, 3);

function statement(sheet: Sheet, { record, fingerprint }: ValidationReportContent): void {
  const { plan, model, met } = record;
  sheet.heading(1, `Validation: ${plan.title}`);
  sheet.heading(2, '1 Statement');
  const asked = met
    ? 'All criteria that were stated beforehand are met: under the conditions of section 2 the model is validated by this laboratory, and is fit for the use stated there.'
    : 'Not all criteria that were stated beforehand are met: the model is not validated.';
  sheet.notice(met ? 'Validated' : 'Not validated', asked, met ? ink.bonafide : ink.spoof);
  sheet.pairs([
    ['Laboratory', plan.laboratory],
    ...(plan.procedure === undefined ? [] : [['Procedure', plan.procedure] as const]),
    ['Examiner', record.examiner],
    [
      'Model',
      [
        { text: model.name, style: styles.regular },
        { text: model.sha256, style: styles.mono },
      ],
    ],
    ['Application', record.application],
    [
      'Plan stated',
      [
        { text: timeText(record.statedAt), style: styles.regular },
        { text: record.planSha256, style: styles.mono },
      ],
    ],
    ['Ended', timeText(record.endedAt)],
    ['Record', record.id],
    ['Signed by the key', fingerprint],
    [
      'Before this',
      record.earlier === 0
        ? 'This installation began no other validation of this model on these recordings.'
        : `This installation began ${record.earlier} other ${record.earlier === 1 ? 'validation' : 'validations'} of this model on these recordings: criteria that are stated after a first look say less.`,
    ],
  ]);
}

function conditions(sheet: Sheet, { plan }: ValidationRecord): void {
  sheet.heading(2, '2 Conditions');
  sheet.paragraph(plan.conditions.description);
  const rows = conditionRows(plan.conditions);
  if (rows.length === 0) {
    sheet.paragraph('Nothing of it is limited by a measured value: no recording is turned away by this validation.');
    return;
  }
  sheet.table(
    [
      { title: 'Condition', width: 130 },
      { title: 'Validated', width: 0 },
      { title: 'Held against each recording', width: 120 },
    ],
    rows.map(({ name, value, measured }) => [
      name,
      value,
      measured ? 'yes, by measurement' : 'stated; for the examiner to check',
    ]),
  );
  sheet.paragraph(
    'A recording that does not meet a measured condition is not assessable with this model, and its reasons name the condition.',
  );
}

function recordings(sheet: Sheet, { data }: ValidationRecord): void {
  sheet.heading(2, '3 Recordings');
  sheet.pairs([
    ['Dataset', `${data.split} of ${datasetText(data.dataset)}`],
    ['Bona fide', `${grouped(data.bonafide)} recordings of ${grouped(data.bonafideUnits)} ${data.unit}`],
    ['Spoofs', `${grouped(data.spoof)} recordings of ${grouped(data.spoofUnits)} ${data.unit}`],
    [
      'Outside the conditions',
      data.outsideRecordings === 0
        ? 'none'
        : `${grouped(data.outsideRecordings)}, left out (${data.outside.map(({ condition, recordings: count }) => `${conditionName(condition)} ${count}`).join(', ')})`,
    ],
    ['Could not be read', grouped(data.failed)],
    ['Files and labels', { text: data.manifestSha256, style: styles.mono }],
  ]);
}

function method(sheet: Sheet, { data, folds, plan }: ValidationRecord): void {
  sheet.heading(2, '4 Method');
  sheet.paragraph(
    `The recordings were divided into ${folds} parts, no two of which share ${data.unit === 'files' ? 'a recording' : `one of the ${data.unit}`}. Each part was judged under a calibration ` +
      '(likelihood ratios by logistic regression, their bounds, and the band of inconclusive findings) that was fitted on the others, so that no figure is of recordings that it was fitted on; the model itself was ' +
      `trained on none of them. A finding may be wrong in at most ${percent(plan.errorRate)} of either class (upper 95 % bound); else it is inconclusive. Intervals are of sources, speakers and recordings drawn anew, those of findings by ` +
      'Clopper and Pearson on the effective count. The calibration that the model carries was fitted on all parts together.',
  );
}

function criteria(sheet: Sheet, { criteria: judged }: ValidationRecord): void {
  sheet.heading(2, '5 Criteria');
  sheet.table(
    [
      { title: 'Criterion', width: 140 },
      { title: 'Asked', width: 90 },
      { title: 'Found', width: 80 },
      { title: 'Less favourable end', width: 0 },
      { title: '', width: 50 },
    ],
    judged.map((criterion) => {
      const { name, asked, found, bound } = criterionWords(criterion);
      const verdict = { text: criterion.met ? 'met' : 'not met', style: styles.smallBold };
      return [name, asked, found, bound, verdict];
    }),
  );
  sheet.paragraph(
    'A criterion is met where the less favourable end of the 95 % interval meets it; where there are too few independent recordings for an interval, it is not.',
  );
}

const columns = [
  'bonafide',
  'spoof',
  'inconclusive',
  'notAssessable',
  'failed',
] as const satisfies readonly (keyof FindingTable['bonafide'])[];

function figures(sheet: Sheet, { record, plotted }: ValidationReportContent): void {
  const { findings, figures: found, model } = record;
  sheet.heading(2, '6 Figures');
  sheet.pairs([
    ['EER', figureText(found.eer, percent)],
    ['AUC', figureText(found.auc, number)],
    ['Cllr', `${figureText(found.cllrBits, number)} bits; at best ${figureText(found.minCllrBits, number)}`],
    ['Expected calibration error', figureText(found.expectedCalibrationError, number)],
  ]);
  sheet.table(
    [
      { title: 'Recordings', width: 0 },
      ...['bona fide', 'synthetic', 'inconclusive', 'not assessable', 'failed'].map((title) => ({
        title,
        width: 72,
        align: 'right' as const,
      })),
    ],
    [
      ['bona fide', ...columns.map((column) => grouped(findings.bonafide[column]))],
      ['spoofs', ...columns.map((column) => grouped(findings.spoof[column]))],
    ],
  );
  sheet.pairs([
    ['Found synthetic and right', rateText(findings.rightSpoof)],
    ['Found bona fide and right', rateText(findings.rightBonafide)],
    ['Bona fide found synthetic', rateText(findings.falseSpoof)],
    ['Spoofs found bona fide', rateText(findings.falseBonafide)],
    ['Inconclusive', rateText(findings.inconclusive)],
    ['Not assessable', rateText(findings.notAssessable)],
  ]);
  const shown: Shown = {
    data: `${datasetText(record.data.dataset)}, ${record.data.split}`,
    results: [{ result: plotted, name: model.name, look: lookAt(0), threshold: plotted.threshold }],
  };
  const plots: (Plot | null)[] = [
    rocPlot(shown),
    detPlot(shown),
    precisionRecallPlot(shown),
    scorePlot(shown, shown.results[0]),
    calibrationPlot(shown),
    tippettPlot(shown),
    crossEntropyPlot(shown),
  ];
  let count = 0;
  for (const plot of plots) {
    if (plot === null) continue;
    const caption = `Figure ${++count}: ${plot.title}${plot.note ? `. ${plot.note}` : ''}`;
    plotFigure(sheet, plot, { alternative: plot.gist, caption });
  }
}

function limits(sheet: Sheet): void {
  sheet.heading(2, '7 Limits');
  sheet.paragraph(
    'The figures hold for recordings like those of section 3. What generates speech tomorrow is not among them: they say nothing of generators that the recordings do not hold, nor of conditions that were only stated. ' +
      'The model keeps the status as long as its card is the one that was signed; another model, or another calibration, has none by this record.',
  );
}

/** @returns the bytes of the PDF, the same for the same content */
export async function validationReport(content: ValidationReportContent): Promise<Buffer> {
  const { record } = content;
  const title = `Validation of ${record.model.name}: ${record.plan.title}`;
  const sheet = new PdfSheet({
    title,
    author: record.plan.laboratory,
    application: record.application,
    issuedAt: new Date(record.endedAt),
    family: 'sans',
  });
  sheet.attach('validation.json', content.recordBytes, 'application/json', 'The signed record');
  statement(sheet, content);
  conditions(sheet, record);
  recordings(sheet, record);
  method(sheet, record);
  criteria(sheet, record);
  figures(sheet, content);
  limits(sheet);
  sheet.heading(2, '8 Where points of standards are answered');
  sheet.table([{ title: 'Point', width: 250 }, { title: 'Answered in', width: 0 }], mapping); // prettier-ignore
  sheet.paragraph(
    `The attached validation.json is the record; its member "signature" is over "earwitness validation record", a line feed, the rest of it as canonical JSON (RFC 8785) and a line feed, by Ed25519. SHA-256 of the plan: ${record.planSha256}.`,
    styles.small,
  );
  const { bytes } = await sheet.finish({
    headerLeft: title,
    headerRight: record.plan.laboratory,
    footer: `Record ${record.id}, ${timeText(record.endedAt)}`,
    subfooter: '',
    across: '',
  });
  return bytes;
}
