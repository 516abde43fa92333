import { describe, expect, it } from 'vitest';
import { heardOf, matchedGains, toggled } from './listening.ts';

const none = new Set<number>();

describe('what is heard', () => {
  it('is the mix unless channels are alone or muted', () => {
    expect(heardOf([], none, none)).toBeNull();
    expect(heardOf([1, 2], none, none)).toBeNull();
    expect(heardOf([1, 2, 3], new Set([2]), none)).toEqual([2]);
    expect(heardOf([1, 2, 3], none, new Set([2]))).toEqual([1, 3]);
    expect(heardOf([1, 2], none, new Set([1, 2]))).toEqual([]);
  });

  it('is what is alone, also where it is muted', () => {
    expect(heardOf([1, 2, 3], new Set([1, 3]), new Set([1]))).toEqual([1, 3]);
    expect(heardOf([1, 2], new Set([1, 2]), none)).toBeNull();
  });

  it('changes channel by channel', () => {
    const one = toggled(none, 2);
    expect([...one]).toEqual([2]);
    expect([...toggled(toggled(one, 1), 2)]).toEqual([1]);
    expect([...one]).toEqual([2]);
  });
});

it('two channels are matched by making the louder one softer', () => {
  expect(matchedGains([-20, -26.04])).toEqual([-6, 0]);
  expect(matchedGains([-30, -12.3])).toEqual([0, -17.7]);
  expect(matchedGains([-20, -90])).toEqual([-36, 0]);
  expect(matchedGains([-20, null])).toEqual([0, 0]);
});
