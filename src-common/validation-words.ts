/** Conditions and criteria of a validation in words. */
import type { ConditionRange, Criterion, ValidationConditions } from './schemas/validation.ts';

type RangeName = 'sampleRateHz' | 'bandwidthHz' | 'speechSeconds' | 'snrDb' | 'clippedFraction';

/** What is measured on a recording and may be limited: its name, and a value of it as text. */
export const measuredConditions: Record<RangeName, { name: string; text: (value: number) => string }> = {
  sampleRateHz: { name: 'sample rate', text: (value) => `${Math.round(value)} Hz` },
  bandwidthHz: { name: 'bandwidth', text: (value) => `${Math.round(value)} Hz` },
  speechSeconds: { name: 'net speech', text: (value) => `${Number(value.toFixed(1))} s` },
  snrDb: {
    name: 'signal-to-noise ratio',
    text: (value) => (Number.isFinite(value) ? `${Number(value.toFixed(1))} dB` : 'without limit'),
  },
  clippedFraction: { name: 'share of clipped samples', text: (value) => `${Number((100 * value).toPrecision(2))} %` },
};

/** "at least 8000 Hz", "3 s to 60 s". */
export function rangeWords({ from, to }: ConditionRange, text: (value: number) => string): string {
  if (from === undefined) return `at most ${text(to as number)}`;
  return to === undefined ? `at least ${text(from)}` : `${text(from)} to ${text(to)}`;
}

/** The conditions as names and values; `measured` where each recording is held against it. */
export function conditionRows(conditions: ValidationConditions): { name: string; value: string; measured: boolean }[] {
  const { recordingChain, languages, codecs } = conditions;
  return [
    ...(recordingChain === undefined ? [] : [{ name: 'recording chain', value: recordingChain, measured: false }]),
    ...(languages === undefined ? [] : [{ name: 'languages', value: languages.join(', '), measured: false }]),
    ...(codecs === undefined ? [] : [{ name: 'codecs', value: codecs.join(', '), measured: true }]),
    ...(Object.keys(measuredConditions) as RangeName[]).flatMap((condition) => {
      const range = conditions[condition];
      const { name, text } = measuredConditions[condition];
      return range === undefined ? [] : [{ name, value: rangeWords(range, text), measured: true }];
    }),
  ];
}

/** What a condition that recordings did not meet is called. */
export function conditionName(condition: string): string {
  return condition === 'codecs'
    ? 'codec'
    : ((measuredConditions[condition as RangeName] as { name: string } | undefined)?.name ?? condition);
}

const criteria: Record<Criterion['name'], { name: string; kind: 'share' | 'count' | 'number' }> = {
  eer: { name: 'EER', kind: 'share' },
  auc: { name: 'AUC', kind: 'number' },
  cllrBits: { name: 'Cllr, bits', kind: 'number' },
  falseSpoof: { name: 'bona fide found synthetic', kind: 'share' },
  falseBonafide: { name: 'spoofs found bona fide', kind: 'share' },
  inconclusive: { name: 'inconclusive', kind: 'share' },
  recordings: { name: 'recordings of each class', kind: 'count' },
};

/** A criterion as it was asked, what was found, and the end of the interval that decides. */
export function criterionWords({ name, asked, value, bound }: Criterion): {
  name: string;
  asked: string;
  found: string;
  bound: string;
} {
  const { name: title, kind } = criteria[name];
  const text = (number: number): string => {
    if (kind === 'count') return String(number);
    return kind === 'share' ? `${Number((100 * number).toFixed(1))} %` : number.toFixed(3);
  };
  return {
    name: title,
    asked: 'atMost' in asked ? `at most ${text(asked.atMost)}` : `at least ${text(asked.atLeast)}`,
    found: value === null ? 'nothing to work it out from' : text(value),
    bound:
      bound === null
        ? 'no interval: too few independent recordings'
        : kind === 'count'
          ? text(bound)
          : `${'atMost' in asked ? 'up to' : 'down to'} ${text(bound)}`,
  };
}
