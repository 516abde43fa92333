/** Whether a recording meets the conditions under which a model was validated; where it does not, it is not assessable. */
import type { Quality } from '../../src-common/schemas/recording.ts';
import type { ValidationConditions } from '../../src-common/schemas/validation.ts';
import { measuredConditions, rangeWords } from '../../src-common/validation-words.ts';

/** What of a recording the conditions are about. */
export interface RecordingCondition {
  codec: string;
  sampleRateHz: number;
  clippedFraction: number;
  activeSeconds: number;
  quality: Pick<Quality, 'speechSeconds' | 'snrDb' | 'effectiveBandwidthHz'>;
}

/** A condition that can be measured on a recording. */
type MeasuredCondition = 'codecs' | 'sampleRateHz' | 'bandwidthHz' | 'speechSeconds' | 'snrDb' | 'clippedFraction';

interface Unmet {
  condition: MeasuredCondition;
  sentence: string;
}

/** The conditions of a validation that a recording does not meet; each sentence says which, what it is, and what was validated. */
export function unmetConditions(conditions: ValidationConditions, recording: RecordingCondition): Unmet[] {
  const { codecs } = conditions;
  const { quality } = recording;
  const unmet: Unmet[] = [];
  const add = (condition: MeasuredCondition, is: string, validated: string): void => {
    unmet.push({ condition, sentence: `Outside the conditions of the validation: ${is}; validated was ${validated}.` });
  };
  if (codecs !== undefined && !codecs.includes(recording.codec)) {
    add('codecs', `it is coded in ${recording.codec}`, codecs.join(', '));
  }
  /** @param value null: it has none, and lies below every lower end */
  const check = (condition: Exclude<MeasuredCondition, 'codecs'>, value: number | null): void => {
    const range = conditions[condition];
    if (range === undefined) return;
    const { from = -Infinity, to = Infinity } = range;
    const { name, text } = measuredConditions[condition];
    if (value === null ? from > -Infinity : value < from || value > to) {
      add(condition, value === null ? `it has no ${name}` : `its ${name} is ${text(value)}`, rangeWords(range, text));
    }
  };
  check('sampleRateHz', recording.sampleRateHz);
  check('bandwidthHz', quality.effectiveBandwidthHz);
  check('speechSeconds', quality.speechSeconds ?? recording.activeSeconds);
  // Where no noise is to be heard, its ratio is above every limit.
  check('snrDb', quality.snrDb ?? Infinity);
  check('clippedFraction', recording.clippedFraction);
  return unmet;
}
