import { expect, it } from 'vitest';
import { parseTime } from './times.ts';

it.each([
  ['90', 90],
  ['1:30.5', 90.5],
  [' 0:01:30,25 ', 90.25],
  ['75:00', 4500],
  ['1:75', null],
  ['1:60:00', null],
  ['-3', null],
  ['', null],
  ['a', null],
])('a time written as %j is %j', (text, seconds) => expect(parseTime(text)).toBe(seconds));
