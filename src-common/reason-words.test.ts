import { expect, it } from 'vitest';
import { reasonWords } from './reason-words.ts';

it('gives words for codes, whatever the code', () => {
  expect(reasonWords('length')).toBe('length not validated');
  expect(reasonWords('a-new-code')).toBe('a new code');
  expect(reasonWords('constructor')).toBe('constructor');
});
