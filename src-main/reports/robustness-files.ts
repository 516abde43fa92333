/** A model's robustness as files: table (CSV, JSON) and curves (SVG). */
import type { FindingTable } from '../../src-common/schemas/finding-record.ts';
import type { RobustnessRow } from '../../src-common/schemas/robustness.ts';
import { conditionText, conditionWords } from '../../src-common/condition-curves.ts';
import type { ConditionRecord } from '../../src-common/condition-curves.ts';
import { distanceName, distanceSentence } from '../../src-common/validation-distance.ts';
import type { ValidationDistanceRecord } from '../../src-common/validation-distance.ts';
import { conditionSheet } from '../../src-common/plots/conditions.ts';
import { distancePlot } from '../../src-common/plots/distance.ts';
import { robustnessSheet } from '../../src-common/plots/robustness.ts';
import { plotSvg } from '../../src-common/plots/svg.ts';
import { csvLine } from './csv.ts';
import type { ScanProvenance } from './scan-results.ts';

type ShownFigures = NonNullable<RobustnessRow['figures']>;

/** A row as the files hold it: with figures that the window does not show. */
export interface MeasuredRow extends RobustnessRow {
  figures:
    | (ShownFigures & {
        auc: number | null;
        minCllrBits: number | null;
        paired:
          | (NonNullable<ShownFigures['paired']> & {
              before: number;
              confidence: number;
              replicates: number;
              levels: string[];
              sources: number | null;
            })
          | null;
        findings: FindingTable;
        /** What forbade findings, and how often. */
        reasons: Record<string, number>;
      })
    | null;
}

/** A whole measurement. */
export interface RobustnessReport {
  made: ScanProvenance;
  modelName: string;
  dataset: string;
  split: string;
  seed: number;
  /** What is said of companions; null where none spoke. */
  companionNote: string | null;
  rows: MeasuredRow[];
  /** Down to where findings hold; null where none of the degradations makes one measure worse step by step. */
  conditions: ConditionRecord | null;
}

export const robustnessFileNames = [
  'robustness.json',
  'robustness.csv',
  'robustness.svg',
  'conditions.svg',
  'distance.svg',
] as const;

const columns = [
  'degradation',
  'label',
  'skipped',
  'recordings',
  'scored',
  'failed',
  'eer',
  'eer_low',
  'eer_high',
  'auc',
  'cllr_bits',
  'min_cllr_bits',
  'eer_difference',
  'eer_difference_low',
  'eer_difference_high',
  'paired_recordings',
  'decided_share',
  'not_assessable_share',
  'encoder',
  'by_companion',
];

function tableCsv(rows: readonly MeasuredRow[]): string {
  const lines = rows.map(({ name, label, skipped, encoder, figures }) =>
    csvLine([
      name,
      label,
      skipped,
      figures?.recordings ?? null,
      figures?.scored ?? null,
      figures?.failed ?? null,
      figures?.eer ?? null,
      ...(figures?.eerInterval ?? [null, null]),
      figures?.auc ?? null,
      figures?.cllrBits ?? null,
      figures?.minCllrBits ?? null,
      figures?.paired?.difference ?? null,
      ...(figures?.paired?.interval ?? [null, null]),
      figures?.paired?.recordings ?? null,
      figures?.decidedShare ?? null,
      figures?.notAssessableShare ?? null,
      encoder,
      figures?.byCompanion ?? null,
    ]),
  );
  return csvLine(columns) + lines.join('');
}

/** The files by name; `conditions.svg` and `distance.svg` where there is something to draw. */
export function robustnessFiles(
  report: RobustnessReport,
  distance: ValidationDistanceRecord | null = null,
): Record<string, string> {
  const { modelName, conditions, rows } = report;
  return {
    'robustness.json': `${JSON.stringify(report, null, 1)}\n`,
    'robustness.csv': tableCsv(rows),
    'robustness.svg': plotSvg(robustnessSheet(report)),
    ...(conditions ? { 'conditions.svg': plotSvg(conditionSheet(modelName, conditions)) } : {}),
    ...(distance ? { 'distance.svg': plotSvg(distancePlot(modelName, distance)) } : {}),
  };
}

/** The thresholds that follow, a line for each curve and each threshold. */
export function conditionsText({ curves, thresholds, highestRate }: ConditionRecord): string {
  const lines = curves.map(({ measure, family, unit, steps, threshold }) => {
    const held = steps.map(({ value, holds }) => `${value === null ? 'as they are' : `${value} ${unit}`} ${holds ? 'holds' : 'fails'}`); // prettier-ignore
    const end = threshold === null ? 'no threshold' : conditionText(measure, threshold);
    return `${family}: ${held.join(', ')}: ${end}`;
  });
  const rate =
    highestRate === null ? '' : ` and at most ${percent(highestRate)} % of either class are found to be the other`;
  lines.unshift(`A step holds where Cllr is below 1 bit${rate}.`);
  for (const { measure, value, before } of thresholds) {
    const most = measure === 'clippedFraction' ? 'at most' : 'at least';
    const was = before === null ? 'not in the card before' : `${conditionText(measure, before)} before`;
    lines.push(`${conditionWords[measure].name}: ${most} ${conditionText(measure, value)} (${was})`);
  }
  return `${lines.join('\n')}\n`;
}

const percent = (value: number): string => (100 * value).toFixed(1);
const ends = (interval: [number, number] | null): string =>
  interval ? ` [${interval.map((end) => percent(end)).join(', ')}]` : '';

/** The table as text, a line for each degradation. */
export function robustnessText(rows: readonly MeasuredRow[]): string {
  const width = Math.max(...rows.map(({ label }) => label.length));
  const head = `${''.padEnd(width)}  ${'EER %'.padStart(6)}  ${'difference'.padEnd(20)}  ${'Cllr'.padStart(6)}  decided  not assessable`;
  const lines = rows.map(({ label, skipped, figures }) => {
    if (figures === null) return `${label.padEnd(width)}  skipped: ${skipped ?? ''}`;
    const { eer, paired, cllrBits, decidedShare, notAssessableShare, byCompanion } = figures;
    const sign = paired && paired.difference >= 0 ? '+' : '';
    const difference = paired ? `${sign}${percent(paired.difference)}${ends(paired.interval)}` : '';
    const cells = [
      label.padEnd(width),
      (eer === null ? '' : percent(eer)).padStart(6),
      difference.padEnd(20),
      (cllrBits === null ? '' : cllrBits.toFixed(2)).padStart(6),
      `${percent(decidedShare)} %`.padStart(7),
      `${percent(notAssessableShare)} %`.padEnd(14),
      byCompanion === 0 ? '' : `${byCompanion} of ${figures.recordings} by a companion`,
    ];
    return cells.join('  ').trimEnd();
  });
  return [head, ...lines, ''].join('\n');
}

/** What distances from what was measured are worth, a line for each kind. */
export function distanceText({ kinds, copies }: ValidationDistanceRecord): string {
  const lines = kinds.map((kind) => {
    const steps = kind.growth.map(
      ({ from, to, recordings, cllrBits }) =>
        `${from === to ? 'beyond' : `${percent(from)} to ${percent(to)} %`} ${cllrBits?.toFixed(2) ?? 'none'} (${recordings})`,
    );
    return `By ${distanceName(kind)}: Cllr ${steps.join(', ')}. ${distanceSentence(kind)}`;
  });
  return `Distances, of ${copies} recordings and copies those that thresholds let pass:\n${lines.join('\n')}\n`;
}
