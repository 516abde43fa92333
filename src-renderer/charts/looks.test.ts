import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { modelLooks } from './looks.ts';

beforeEach(() => {
  const store = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
  });
});
afterEach(() => vi.unstubAllGlobals());

const roleOf = (keys: string[], key: string): string | undefined => modelLooks(keys).get(key)?.role;

test('a model looks the same in every plot, whatever stands beside it', () => {
  expect(roleOf(['a', 'b'], 'b')).toBe('model1');
  expect(roleOf(['b'], 'b')).toBe('model1');
  expect(roleOf(['c', 'b', 'a'], 'a')).toBe('model0');
  expect(roleOf(['c', 'b', 'a'], 'c')).toBe('model2');
});

test('no two models of a plot look alike, in colour or mark', () => {
  for (const name of 'abcdefghij') modelLooks([name]);
  const looks = [...modelLooks(['a', 'g', 'b', 'h', 'c', 'i']).values()];
  expect(new Set(looks.map(({ role }) => role)).size).toBe(6);
  expect(new Set(looks.map(({ mark }) => mark)).size).toBe(6);
  // The one that came first keeps its own.
  expect(looks[0].role).toBe('model0');
  // A colour that was lent for one plot is not remembered.
  expect(roleOf(['g'], 'g')).toBe('model0');
});

test('what is remembered and cannot be read is forgotten', () => {
  localStorage.setItem('earwitness.model-colours', '[["a",17]]');
  expect(roleOf(['a'], 'a')).toBe('model0');
});
