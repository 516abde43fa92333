import { describe, expect, it } from 'vitest';
import { emptyPlan, formOf, planOf } from './plan-form.ts';

const plan = {
  format: 1 as const,
  laboratory: 'Forensic Audio',
  title: 'Interviews',
  procedure: 'FA-17',
  conditions: {
    description: 'Interviews over landlines.',
    languages: ['English', 'German'],
    codecs: ['pcm_s16le'],
    sampleRateHz: { from: 8000 },
    speechSeconds: { from: 3, to: 60 },
    clippedFraction: { to: 0.01 },
  },
  acceptance: { recordings: { atLeast: 100 }, eer: { atMost: 0.07 }, auc: { atLeast: 0.95 } },
  errorRate: 0.07,
  folds: 5,
};

describe('the form of a plan', () => {
  it('states what it was filled with, shares in per cent', () => {
    const form = formOf(plan);
    expect(form.criteria).toMatchObject({ eer: 7, auc: 0.95, cllrBits: null });
    expect(form.ranges.clippedFraction).toEqual({ from: null, to: 1 });
    expect(planOf(form).data).toEqual(plan);
  });

  it('says which fields are wrong', () => {
    const { error } = planOf({ ...emptyPlan('Forensic Audio'), title: ' ', folds: 1 });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['title', 'conditions.description', 'folds']);
    const none = planOf({ ...formOf(plan), criteria: { ...emptyPlan('').criteria, recordings: null } });
    expect(none.error?.issues.map(({ message }) => message)).toEqual(['states no criterion']);
  });
});
