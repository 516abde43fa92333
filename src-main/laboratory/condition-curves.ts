/** From degraded copies to thresholds of what is assessable. */
import { conditionMeasures } from '../../src-common/condition-curves.ts';
import type {
  ConditionCurve,
  ConditionMeasure,
  ConditionRecord,
  ConditionStep,
} from '../../src-common/condition-curves.ts';
import type { DatasetItem } from '../datasets/types.ts';
import type { Card } from '../detector/card.ts';
import { calibrationCodes, findingUnder } from '../detector/finding.ts';
import { findingTable } from '../evaluation/finding-table.ts';
import { evaluateTrials } from './evaluate.ts';
import { trialOf } from './robustness-rows.ts';
import type { DegradedOutcome, DegradedSet } from './robustness-scoring.ts';

/** What each family makes worse, and the codes of reasons that thresholds of it give. */
const measureOf = new Map<string, ConditionMeasure>([
  ['Length', 'speechSeconds'],
  ['White noise', 'snrDb'],
  ['Babble', 'snrDb'],
  ['Resampled over', 'bandwidthHz'],
  ['Clipped', 'clippedFraction'],
]);
/** What thresholds forbid counts here as if they did not. */
const thresholdCodes = new Set(['little-speech', 'too-short', 'noisy', 'narrow-band', 'clipped']);

/** Cllr of likelihood ratios that say nothing. */
const uselessCllr = 1;
/** Share of a step's recordings that the threshold lets pass. */
const passing = 0.9;

const roundedTo: Record<ConditionMeasure, (value: number) => number> = {
  speechSeconds: (value) => Math.round(20 * value) / 20,
  snrDb: (value) => Math.round(2 * value) / 2,
  bandwidthHz: (value) => 50 * Math.round(value / 50),
  clippedFraction: (value) => Number(value.toPrecision(2)),
};

function valueOf({ quality, speechSeconds }: DegradedOutcome, measure: ConditionMeasure): number | null {
  if (quality === null) return null;
  switch (measure) {
    case 'speechSeconds':
      return speechSeconds ?? quality.activeSeconds;
    case 'snrDb':
      return quality.snrDb;
    case 'bandwidthHz':
      return quality.effectiveBandwidthHz;
    case 'clippedFraction':
      return quality.clippedFraction;
  }
}

/** More of it is worse. */
const isExcess = (measure: ConditionMeasure): boolean => measure === 'clippedFraction';

function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** The highest rate of wrong findings that the calibration allows; null where it supports no finding. */
function highestRateOf({ calibration }: Card): number | null {
  const bands = [calibration, ...calibration.lengths].flatMap(({ band }) => band ?? []);
  return bands.length > 0 ? Math.max(...bands.map(({ maximumRate }) => maximumRate)) : null;
}

function stepOf(
  card: Card,
  items: readonly DatasetItem[],
  measure: ConditionMeasure,
  value: number | null,
  outcomes: readonly DegradedOutcome[],
): ConditionStep {
  const found = items.map(({ label, speaker, source }, index) => {
    const { score, speechSeconds, quality, reasons, error } = outcomes[index];
    const blocked = reasons.some((code) => !thresholdCodes.has(code) && !calibrationCodes.has(code));
    const judged = { score, speechSeconds: speechSeconds ?? quality?.activeSeconds ?? 0, blocked };
    const finding = error === null ? findingUnder(card, judged) : null;
    return { bonafide: label === 'bonafide', speaker, source, finding };
  });
  const { falseSpoof, falseBonafide } = findingTable(found);
  const assessed = found.flatMap(({ finding }, index) =>
    finding === null || finding === 'not assessable' ? [] : (trialOf(items[index], outcomes[index]) ?? []),
  );
  const both = assessed.some(({ bonafide }) => bonafide) && assessed.some(({ bonafide }) => !bonafide);
  const evaluation = both ? evaluateTrials(card, assessed) : null;
  const cllrBits = evaluation?.calibrated.cllrBits ?? null;
  const values = outcomes.flatMap((outcome) => valueOf(outcome, measure) ?? []).sort((one, other) => one - other);
  const highest = highestRateOf(card);
  const keepsTo = ({ count, of, interval }: typeof falseSpoof): boolean =>
    highest === null || (interval !== null && count <= highest * of);
  return {
    value,
    measured:
      values.length === 0
        ? null
        : { median: quantile(values, 0.5), worstTenth: quantile(values, isExcess(measure) ? passing : 1 - passing) },
    recordings: items.length,
    assessed: assessed.length,
    eer: evaluation?.metrics.eer ?? null,
    cllrBits,
    falseSpoof,
    falseBonafide,
    holds: cllrBits !== null && cllrBits < uselessCllr && keepsTo(falseSpoof) && keepsTo(falseBonafide),
  };
}

/** Where a curve's findings end: at the last step of those that hold from the recordings as they are on. */
function thresholdOf(measure: ConditionMeasure, steps: readonly ConditionStep[]): number | null {
  const failing = steps.findIndex(({ holds }) => !holds);
  const last = steps.slice(0, failing < 0 ? steps.length : failing).findLast(({ measured }) => measured !== null);
  return last?.measured ? roundedTo[measure](last.measured.worstTenth) : null;
}

const nameInCard = {
  speechSeconds: 'minimumSpeechSeconds',
  snrDb: 'minimumSnrDb',
  bandwidthHz: 'minimumBandwidthHz',
  clippedFraction: 'maximumClippedFraction',
} as const satisfies Record<ConditionMeasure, keyof Card['thresholds']>;

/**
 * Curves of all families of degradations that make one measure of quality worse, and the thresholds that follow.
 * @param sets the first of the recordings as they are
 * @returns null where there is no such family among the sets.
 */
export function conditionRecord(
  card: Card,
  items: readonly DatasetItem[],
  sets: readonly DegradedSet[],
  of: { dataset: string; split: string; seed: number },
): ConditionRecord | null {
  const [plain, ...rest] = sets;
  const curves = [...measureOf].flatMap(([family, measure]): ConditionCurve[] => {
    const own = rest.flatMap(({ degradation, skipped, outcomes }) =>
      degradation?.family === family && skipped === null ? [{ degradation, outcomes }] : [],
    );
    if (own.length === 0) return [];
    const sign = isExcess(measure) ? 1 : -1;
    own.sort((one, other) => sign * (one.degradation.value - other.degradation.value));
    const steps = [
      stepOf(card, items, measure, null, plain.outcomes),
      ...own.map(({ degradation, outcomes }) => stepOf(card, items, measure, degradation.value, outcomes)),
    ];
    const { unit } = own[0].degradation;
    return [{ measure, family, unit, steps, threshold: thresholdOf(measure, steps) }];
  });
  if (curves.length === 0) return null;
  const thresholds = conditionMeasures.flatMap((measure) => {
    const values = curves.flatMap((curve) => (curve.measure === measure ? (curve.threshold ?? []) : []));
    if (values.length === 0) return [];
    const value = isExcess(measure) ? Math.min(...values) : Math.max(...values);
    return [{ measure, value, before: card.thresholds[nameInCard[measure]] ?? null }];
  });
  const sources = new Set(items.map(({ source, id }) => source ?? id)).size;
  return { ...of, recordings: items.length, sources, highestRate: highestRateOf(card), curves, thresholds };
}

/** A card's thresholds with those of a record in their places. */
export function thresholdsWith(
  thresholds: Card['thresholds'],
  record: Pick<ConditionRecord, 'thresholds'>,
): Card['thresholds'] {
  const changed = record.thresholds.map(({ measure, value }) => [nameInCard[measure], value] as const);
  return { ...thresholds, ...Object.fromEntries(changed) };
}
