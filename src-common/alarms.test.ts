import { describe, expect, it } from 'vitest';
import { alarmRank, alarms, alarmsOf, type AlarmingItem } from './alarms.ts';

const fine: AlarmingItem = { senderHashMatches: true, state: 'unchanged', scan: 'done', flags: ['noisy', 'clipped'] };

describe('alarmsOf', () => {
  it('is silent where nothing is amiss', () => {
    expect(alarmsOf(fine)).toEqual([]);
    expect(alarmsOf({ ...fine, senderHashMatches: null, state: 'unchecked', scan: 'none', flags: [] })).toEqual([]);
  });

  it.each([
    [{ senderHashMatches: false }, ['sender-hash-differs']],
    [{ state: 'changed' }, ['file-changed']],
    [{ state: 'missing' }, ['file-missing']],
    [{ state: 'unreadable' }, ['file-unreadable']],
    [{ flags: ['truncated', 'damaged'] }, ['sound-missing']],
    [{ flags: ['checksum'] }, ['sound-missing']],
    [{ flags: ['gaps'] }, ['gaps']],
    [{ flags: ['timestamps', 'overlap'] }, ['gaps']],
    [{ flags: ['hidden'] }, ['sound-unread']],
    [{ flags: ['unread'] }, ['sound-unread']],
    [{ scan: 'failed' }, ['scan-failed']],
    [
      { scan: 'failed', state: 'missing', senderHashMatches: false },
      ['sender-hash-differs', 'file-missing', 'scan-failed'],
    ],
  ] as [Partial<AlarmingItem>, string[]][])('tells of %j', (changes, expected) => {
    expect(alarmsOf({ ...fine, ...changes })).toEqual(expected);
  });

  it('is not misled by a code that objects have as a property', () => {
    expect(alarmsOf({ ...fine, flags: ['constructor', '__proto__'] })).toEqual([]);
  });
});

describe('alarmRank', () => {
  it('puts a graver one before all lesser ones together', () => {
    expect(alarmRank([])).toBe(0);
    for (const [index, alarm] of alarms.entries()) {
      expect(alarmRank([alarm])).toBeGreaterThan(alarmRank(alarms.slice(index + 1)));
    }
  });
});
