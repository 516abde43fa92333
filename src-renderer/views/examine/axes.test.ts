import { describe, expect, it } from 'vitest';
import { hzAtPlace, logBottomHz, placeOfHz } from '../../../src-common/frequency-axis.ts';
import { frequencyTicks, numberTicks, timeDigits, timeLabel, timeTicks } from './axes.ts';

describe('the time axis', () => {
  it('has round ticks that keep apart, with the digits that they need', () => {
    expect(timeTicks({ start: 10.9, end: 22.3 }, 700).map(({ label }) => label)).toEqual([
      '0:12',
      '0:14',
      '0:16',
      '0:18',
      '0:20',
      '0:22',
    ]);
    expect(timeTicks({ start: 0, end: 21_600 }, 800).map(({ label }) => label)).toEqual([
      '0:00',
      '1:00:00',
      '2:00:00',
      '3:00:00',
      '4:00:00',
      '5:00:00',
      '6:00:00',
    ]);
    const close = timeTicks({ start: 8.001, end: 8.011 }, 1000);
    expect(close[0]).toEqual({ value: 8.001, label: '0:08.001' });
    expect(close).toHaveLength(11);
    expect(timeTicks({ start: 5, end: 5 }, 100)).toEqual([]);
  });

  it('never writes 60 seconds, and tells neighbouring pixels apart', () => {
    expect(timeLabel(59.99996, 4)).toBe('0:59.9999');
    expect(timeLabel(3599.97, 1)).toBe('1:00:00.0');
    expect(timeDigits(10)).toBe(1);
    expect(timeDigits(0.02)).toBe(2);
    expect(timeDigits(0.00001)).toBe(4);
  });
});

describe('the frequency axis', () => {
  it('places frequencies from 0 at the bottom to 1 at the top, and back', () => {
    for (const scale of ['mel', 'linear', 'log'] as const) {
      const axis = { scale, topHz: 11_025 };
      expect(placeOfHz(axis, 0)).toBe(0);
      expect(placeOfHz(axis, axis.topHz)).toBe(1);
      for (const hz of [100, 999, 5000]) expect(hzAtPlace(axis, placeOfHz(axis, hz))).toBeCloseTo(hz, 6);
    }
  });

  it('labels both ends, in kHz, nothing too close', () => {
    for (const scale of ['mel', 'linear', 'log'] as const) {
      for (const height of [130, 400, 900]) {
        const axis = { scale, topHz: 11_025 };
        const ticks = frequencyTicks(axis, height);
        expect(ticks[0]).toEqual(scale === 'log' ? { value: logBottomHz, label: '0.04' } : { value: 0, label: '0' });
        expect(ticks.at(-1)).toEqual({ value: 11_025, label: '11.03 kHz' });
        const places = ticks.map(({ value }) => placeOfHz(axis, value) * height);
        for (let i = 1; i < places.length; i++) expect(places[i] - places[i - 1]).toBeGreaterThanOrEqual(26);
      }
    }
    expect(frequencyTicks({ scale: 'mel', topHz: 8000 }, 420).map(({ label }) => label)).toContain('0.5');
  });
});

describe('an axis of numbers', () => {
  it('has round ticks with a true minus', () => {
    expect(numberTicks(-2.2, 2.1, 4).map(({ label }) => label)).toEqual(['−2', '0', '2']);
    expect(numberTicks(-85, -10, 8).map(({ value }) => value)).toEqual([-80, -70, -60, -50, -40, -30, -20, -10]);
    expect(numberTicks(0, 0.3, 3).map(({ label }) => label)).toEqual(['0.0', '0.1', '0.2', '0.3']);
    expect(numberTicks(1, 1, 3)).toEqual([]);
  });
});
