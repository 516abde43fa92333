import { expect, it } from 'vitest';
import { canonicalJson } from './canonical.ts';

it('sorts keys by code units, at every depth, and writes numbers as ECMAScript does', () => {
  // From RFC 8785, 3.2.3 and 3.2.4.
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  expect(Object.values(JSON.parse(canonicalJson(value)) as object).sort()).toEqual(Object.values(value).sort());
  expect(canonicalJson(value)).toBe(
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  );
  expect(canonicalJson({ b: [1e30, 4.5, 2e-3, 1e-27, -0], a: { d: undefined, c: null } })).toBe(
    '{"a":{"c":null},"b":[1e+30,4.5,0.002,1e-27,0]}',
  );
});

it('refuses what JSON cannot hold', () => {
  expect(() => canonicalJson({ score: NaN })).toThrow(TypeError);
  expect(() => canonicalJson(() => 1)).toThrow(TypeError);
});
