import { expect, test } from 'vitest';
import type { Degradation } from '../../../src-common/schemas/robustness.ts';
import { chosenOf, familiesOf, withNames } from './degradations.ts';
import { differenceText, endsText } from './interval-words.ts';

test('differences and intervals are in per cent, with signs where they can be either', () => {
  expect(differenceText({ recordings: 9, difference: 0.1, interval: null })).toBe('+10.0');
  expect(differenceText(null)).toBe('–');
  expect(endsText([-0.05, 0.25], true)).toBe('[−5.0, +25.0]');
  expect(endsText(null)).toBe('');
});

test('a choice of one’s own is by family and by strength', () => {
  const one = (name: string, family: string, isChannel = false): Degradation => ({
    ...{ name, family, label: name, value: 1, unit: '', isChannel, missing: null },
  });
  const catalogue = [one('mp3-16', 'mp3'), one('mp3-32', 'mp3', true), one('gate', 'Gate', true)];
  expect(familiesOf(catalogue).map(({ members }) => members.length)).toEqual([2, 1]);
  const names = (...choice: Parameters<typeof chosenOf>): string[] => chosenOf(...choice).map(({ name }) => name);
  expect(names(catalogue, 'channels', ['mp3-16'])).toEqual(['mp3-32', 'gate']);
  expect(names(catalogue, 'all', [])).toEqual(['mp3-16', 'mp3-32', 'gate']);
  const own = withNames(['gate'], ['mp3-32', 'mp3-16'], true);
  expect(names(catalogue, 'own', own)).toEqual(['mp3-16', 'mp3-32', 'gate']);
  expect(names(catalogue, 'own', withNames(own, ['mp3-16'], false))).toEqual(['mp3-32', 'gate']);
});
