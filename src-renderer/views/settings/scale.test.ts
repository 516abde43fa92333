import { describe, expect, it } from 'vitest';
import { enfsiScale } from '../../../src-common/schemas/settings.ts';
import { toScale, toSteps } from './scale.ts';

describe('the verbal scale while it is edited', () => {
  it('comes back as it was', () => {
    expect(toScale(toSteps(enfsiScale))).toEqual({ scale: enfsiScale });
  });

  it('reads separated thousands, and gives the last step no limit', () => {
    const steps = [
      { upTo: '10,000', words: ' some ' },
      { upTo: '5', words: 'much' },
    ];
    expect(toScale(steps)).toEqual({
      scale: [
        { upTo: 10_000, words: 'some' },
        { upTo: null, words: 'much' },
      ],
    });
  });

  it.each([
    ['falling limits', ['100', '10', '']],
    ['equal limits', ['10', '10', '']],
    ['a limit of 1', ['1', '10', '']],
    ['no number', ['ten', '100', '']],
    ['an empty limit', ['', '100', '']],
  ])('refuses %s', (_what, limits) => {
    expect(toScale(limits.map((upTo) => ({ upTo, words: 'support' })))).toEqual({ problem: 'ascending' });
  });

  it('refuses steps without words', () => {
    expect(
      toScale([
        { upTo: '10', words: ' ' },
        { upTo: '', words: 'strong' },
      ]),
    ).toEqual({ problem: 'words' });
    expect(toScale([])).toEqual({ problem: 'words' });
  });
});
