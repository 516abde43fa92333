/** The plan of a validation as a form holds it, texts and numbers, and what it states. */
import type { z } from 'zod';
import { validationPlanSchema } from '../../../src-common/schemas/validation.ts';
import type { ValidationPlan } from '../../../src-common/schemas/validation.ts';

export const rangeNames = ['sampleRateHz', 'bandwidthHz', 'speechSeconds', 'snrDb', 'clippedFraction'] as const;
export const criterionNames = [
  'eer',
  'auc',
  'cllrBits',
  'falseSpoof',
  'falseBonafide',
  'inconclusive',
  'recordings',
] as const;
type RangeName = (typeof rangeNames)[number];
type CriterionName = (typeof criterionNames)[number];

/** Which are asked to reach a value; the others to stay below. */
export const atLeast: ReadonlySet<CriterionName> = new Set(['auc', 'recordings']);
/** Shown in per cent. */
const shares: ReadonlySet<string> = new Set(['eer', 'falseSpoof', 'falseBonafide', 'inconclusive', 'clippedFraction']);
const factorOf = (name: string): number => (shares.has(name) ? 100 : 1);

export interface PlanForm {
  laboratory: string;
  title: string;
  procedure: string;
  description: string;
  recordingChain: string;
  /** Separated by commas. */
  languages: string;
  codecs: string;
  ranges: Record<RangeName, { from: number | null; to: number | null }>;
  /** Null where nothing is asked. */
  criteria: Record<CriterionName, number | null>;
  /** In per cent. */
  errorRate: number | null;
  folds: number | null;
}

const each = <Name extends string, Value>(names: readonly Name[], of: (name: Name) => Value): Record<Name, Value> =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<Name, Value>;
/** Without the dust of factors. */
const tidy = (value: number): number => Number(value.toPrecision(12));

export function emptyPlan(laboratory: string): PlanForm {
  return {
    ...{ laboratory, title: '', procedure: '', description: '', recordingChain: '', languages: '', codecs: '' },
    ranges: each(rangeNames, () => ({ from: null, to: null })),
    criteria: each(criterionNames, (name) => (name === 'recordings' ? 100 : null)),
    errorRate: 5,
    folds: 5,
  };
}

export function formOf({ conditions, acceptance, procedure = '', errorRate, ...plan }: ValidationPlan): PlanForm {
  const shown = (name: string, value: number | undefined): number | null =>
    value === undefined ? null : tidy(value * factorOf(name));
  return {
    ...{ laboratory: plan.laboratory, title: plan.title, procedure, description: conditions.description },
    recordingChain: conditions.recordingChain ?? '',
    languages: (conditions.languages ?? []).join(', '),
    codecs: (conditions.codecs ?? []).join(', '),
    ranges: each(rangeNames, (name) => {
      const range = conditions[name];
      return { from: shown(name, range?.from), to: shown(name, range?.to) };
    }),
    criteria: each(criterionNames, (name) => {
      const asked: { atMost?: number; atLeast?: number } | undefined = acceptance[name];
      return shown(name, asked?.atMost ?? asked?.atLeast);
    }),
    errorRate: tidy(100 * errorRate),
    folds: plan.folds,
  };
}

/** What a form states, or what is wrong with it by field. */
export function planOf(form: PlanForm): z.ZodSafeParseResult<ValidationPlan> {
  const listed = (text: string): string[] | undefined => {
    const words = text.split(',').map((word) => word.trim());
    return words.some((word) => word !== '') ? words.filter((word) => word !== '') : undefined;
  };
  const plain = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
  const value = (name: string, shown: number | null): number | undefined =>
    shown === null ? undefined : tidy(shown / factorOf(name));
  return validationPlanSchema.safeParse({
    format: 1,
    ...{ laboratory: form.laboratory, title: form.title, procedure: plain(form.procedure) },
    conditions: {
      description: form.description,
      recordingChain: plain(form.recordingChain),
      languages: listed(form.languages),
      codecs: listed(form.codecs),
      ...each(rangeNames, (name) => {
        const { from, to } = form.ranges[name];
        return from === null && to === null ? undefined : { from: value(name, from), to: value(name, to) };
      }),
    },
    acceptance: each(criterionNames, (name) => {
      const asked = value(name, form.criteria[name]);
      return asked === undefined ? undefined : { [atLeast.has(name) ? 'atLeast' : 'atMost']: asked };
    }),
    errorRate: value('eer', form.errorRate),
    folds: form.folds,
  });
}
